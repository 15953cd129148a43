//! What the conformant server accepts and refuses.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reference_server::{Clock, Policy, Server, seeds};
use serde_json::{Value, json};

use super::device::{Key, Presentation, Seal, decoded, digest, disclosure, is_signed_by};
use super::{Login, of_alice, present, redirected, start};
use crate::support::{Browser, http, text};

type Make = fn(&Value, &str, &Clock) -> Presentation;

const MAKES: [Make; 3] = [Presentation::sd_jwt_vc, Presentation::disclosing, Presentation::jwt_vp];

/// The subject of the ID token after a login with this `vp_token`.
async fn subject_after(server: &Server, vp_token: impl Fn(&Value) -> String) -> String {
    let mut browser = Browser::new(server);
    let login = Login::begin(&mut browser).await;
    let stream = login.subscribe(&mut browser).await;
    let request = login.request().await;
    assert_eq!(present(&request, &vp_token(&request)).await, (200, String::new()));
    let response = redirected(stream).await.unwrap();
    assert_eq!((response["state"].as_str(), &*response["iss"]), ("a-State_value", server.issuer()));
    let code = &response["code"];
    let (status, tokens) = browser.redeem(seeds::WEB, seeds::WEB_REDIRECT_URI, code).await;
    assert_eq!(status, 200);
    decoded(text(&tokens, "id_token")).1["sub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_form_of_presentation_signs_in() {
    let server = start(Policy::conformant());
    let mut subjects = Vec::new();
    for make in MAKES {
        for email in [seeds::ALICE_EMAIL, seeds::BOB_EMAIL] {
            let made = |request: &Value| make(request, email, server.clock());
            let object = |request: &Value| {
                let made = made(request);
                json!({made.query(): [made.text()]}).to_string()
            };
            subjects.push(subject_after(&server, |r| made(r).bare()).await);
            subjects.push(subject_after(&server, |r| STANDARD.encode(object(r))).await);
            subjects.push(subject_after(&server, object).await);
        }
    }
    let (alice, bob) = (subjects[0].clone(), subjects[3].clone());
    assert_ne!(alice, bob);
    for of_make in subjects.chunks(6) {
        assert!(of_make.iter().eq([&alice, &alice, &alice, &bob, &bob, &bob]));
    }
    let by_jwk = |request: &Value| {
        let mut presentation = Presentation::jwt_vp(request, seeds::ALICE_EMAIL, server.clock());
        let key = Key::new();
        let holder = presentation.holder();
        holder.header = json!({"typ": "JWT", "alg": "ES256", "jwk": key.jwk()});
        holder.claims["iss"] = json!(key.did());
        presentation.credential.claims["sub"] = json!(key.did());
        presentation.credential.claims["vc"]["credentialSubject"]["id"] = json!(key.did());
        presentation.holder().seal = Seal::By(key);
        presentation.bare()
    };
    assert_eq!(subject_after(&server, by_jwk).await, alice);
}

#[tokio::test]
async fn the_request_object_is_signed_and_fetched_once() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let login = Login::begin(&mut browser).await;
    let head = http().head(&login.request_uri).send().await.unwrap();
    assert_eq!(head.status(), 405);
    let answer = http().get(&login.request_uri).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/oauth-authz-req+jwt");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let token = answer.text().await.unwrap();
    let (header, claims) = decoded(&token);
    let client_id = text(&claims, "client_id");
    assert!(is_signed_by(client_id, &token));
    assert_eq!((text(&header, "typ"), text(&header, "alg")), ("oauth-authz-req+jwt", "ES256"));
    assert!(text(&header, "kid").starts_with(&format!("{client_id}#z")));
    assert!(login.portal.as_str().contains("client_id%3Ddid%253Akey%253Az"), "{}", login.portal);
    assert!(login.portal.as_str().starts_with(&format!("{}/login?", server.issuer())));
    for (name, value) in [
        ("response_type", "vp_token"),
        ("response_mode", "direct_post"),
        ("scope", "openid profile api:read"),
        ("state", &login.state),
    ] {
        assert_eq!(text(&claims, name), value);
    }
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 300);
    assert_eq!(http().get(&login.request_uri).send().await.unwrap().status(), 404);
    let other = Login::begin(&mut browser).await.request().await;
    assert_ne!(other["nonce"], claims["nonce"]);
}

/// Whether the presentation, spoilt, is accepted. If not, it has used the login up and nobody hears.
pub(super) async fn is_accepted(
    server: &Server,
    make: Make,
    spoil: &dyn Fn(&mut Presentation, &Clock),
) -> bool {
    let mut browser = Browser::new(server);
    let login = Login::begin(&mut browser).await;
    let stream = login.subscribe(&mut browser).await;
    let request = login.request().await;
    let mut presentation = make(&request, seeds::ALICE_EMAIL, server.clock());
    spoil(&mut presentation, server.clock());
    let (status, body) = present(&request, &presentation.bare()).await;
    if status == 200 {
        assert!(redirected(stream).await.unwrap().contains_key("code"));
        return true;
    }
    assert_eq!(status, 400, "{body}");
    let right = make(&request, seeds::ALICE_EMAIL, server.clock()).bare();
    assert_eq!(present(&request, &right).await.0, 400);
    assert_eq!(redirected(stream).await, None);
    false
}

#[tokio::test]
async fn what_every_presentation_must_prove() {
    let server = start(Policy::conformant());
    type Spoil = fn(&mut Presentation, &Clock);
    let spoils: &[(&str, Spoil)] = &[
        ("nonce", |p, _| p.holder().claims["nonce"] = json!("another")),
        ("aud", |p, _| p.holder().claims["aud"] = json!("did:key:zAnother")),
        ("iat is old", |p, c| p.holder().claims["iat"] = json!(c.now() - 600)),
        ("iat is to come", |p, c| p.holder().claims["iat"] = json!(c.now() + 600)),
        ("iat is missing", |p, _| p.holder().claims["iat"] = Value::Null),
        ("holder: alg none", |p, _| p.holder().unsigned()),
        ("holder: signature", |p, _| p.holder().seal = Seal::Wrongly),
        ("holder: another key", |p, _| p.holder().by_stranger()),
        ("issuer: alg none", |p, _| p.credential.unsigned()),
        ("issuer: HS256", |p, _| p.credential.keyed(seeds::CREDENTIAL_ISSUER)),
        ("issuer: signature", |p, _| p.credential.seal = Seal::Wrongly),
        ("issuer: another key", |p, _| p.credential.by_stranger()),
        ("issuer unknown", |p, _| {
            let key = Key::new();
            p.credential.claims["iss"] = json!(key.did());
            p.credential.seal = Seal::By(key);
        }),
        ("expired", |p, c| p.credential.claims["exp"] = json!(c.now())),
        ("no exp", |p, _| p.credential.claims["exp"] = Value::Null),
        ("not yet valid", |p, c| p.credential.claims["nbf"] = json!(c.now() + 600)),
        ("nobody", |p, _| {
            let subject = match p.query() {
                "login" => &mut p.credential.claims,
                _ => &mut p.credential.claims["vc"]["credentialSubject"],
            };
            subject["email"] = json!("nobody@example.test");
        }),
    ];
    for make in [Presentation::sd_jwt_vc as Make, Presentation::jwt_vp] {
        assert!(is_accepted(&server, make, &|_, _| ()).await);
        for (name, spoil) in spoils {
            assert!(!is_accepted(&server, make, spoil).await, "{name}");
        }
    }
}

#[tokio::test]
async fn what_each_format_must_prove() {
    let server = start(Policy::conformant());
    type Spoil = fn(&mut Presentation, &Clock);
    let spoils: &[(&str, Make, Spoil)] = &[
        ("no key binding", Presentation::sd_jwt_vc, |p, _| p.holder = None),
        ("typ", Presentation::sd_jwt_vc, |p, _| p.holder().header["typ"] = json!("JWT")),
        ("sd_hash", Presentation::sd_jwt_vc, |p, _| {
            p.holder().claims["sd_hash"] = json!(digest("another"));
        }),
        ("aud in a list", Presentation::sd_jwt_vc, |p, _| {
            let aud = p.holder().claims["aud"].clone();
            p.holder().claims["aud"] = json!([aud]);
        }),
        ("no cnf", Presentation::sd_jwt_vc, |p, _| p.credential.claims["cnf"] = Value::Null),
        ("vct", Presentation::sd_jwt_vc, |p, _| p.credential.claims["vct"] = json!("another")),
        ("typ of the credential", Presentation::sd_jwt_vc, |p, _| {
            p.credential.header["typ"] = json!("JWT");
        }),
        ("altered", Presentation::disclosing, |p, _| {
            p.disclosures = vec![disclosure("email", seeds::BOB_EMAIL)];
        }),
        ("added", Presentation::disclosing, |p, _| p.disclosures.push(disclosure("a", "b"))),
        ("withheld", Presentation::disclosing, |p, _| p.disclosures.clear()),
        ("type", Presentation::jwt_vp, |p, _| {
            p.credential.claims["vc"]["type"] = json!(["VerifiableCredential"]);
        }),
        ("subject", Presentation::jwt_vp, |p, _| {
            p.credential.claims["sub"] = json!(Key::new().did());
        }),
        ("subject of the claims", Presentation::jwt_vp, |p, _| {
            p.credential.claims["vc"]["credentialSubject"]["id"] = json!(Key::new().did());
        }),
        ("iss of the presentation", Presentation::jwt_vp, |p, _| {
            p.holder().claims["iss"] = json!(Key::new().did());
        }),
        ("expired presentation", Presentation::jwt_vp, |p, c| {
            p.holder().claims["exp"] = json!(c.now());
        }),
    ];
    for (name, make, spoil) in spoils {
        assert!(!is_accepted(&server, *make, spoil).await, "{name}");
    }
}

#[tokio::test]
async fn a_presentation_works_once_and_for_one_query() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let login = Login::begin(&mut browser).await;
    let stream = login.subscribe(&mut browser).await;
    let request = login.request().await;
    let vp_token = of_alice(&server, &request);
    assert_eq!(present(&request, &vp_token).await.0, 200);
    assert_eq!(present(&request, &vp_token).await.0, 400);
    assert!(redirected(stream).await.is_some());
    let mut browser = Browser::new(&server);
    let request = Login::begin(&mut browser).await.request().await;
    assert_eq!(present(&request, &vp_token).await.0, 400, "the nonce is another");
    let request = Login::begin(&mut browser).await.request().await;
    let presentation = Presentation::sd_jwt_vc(&request, seeds::ALICE_EMAIL, server.clock());
    let wrong_query = json!({"login_jwt_vc": [presentation.text()]}).to_string();
    assert_eq!(present(&request, &wrong_query).await.0, 400);
    for vp_token in ["", "{}", "%", "YQ"] {
        let request = Login::begin(&mut browser).await.request().await;
        assert_eq!(present(&request, vp_token).await.0, 400, "{vp_token:?}");
    }
}

#[tokio::test]
async fn a_login_lasts_two_minutes() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let login = Login::begin(&mut browser).await;
    let stream = login.subscribe(&mut browser).await;
    let request = login.request().await;
    let (other, unfetched) = (Login::begin(&mut browser).await, Login::begin(&mut browser).await);
    server.clock().advance(Duration::from_secs(121));
    assert_eq!(redirected(stream).await, None);
    let vp_token = of_alice(&server, &request);
    assert_eq!(present(&request, &vp_token).await.0, 400);
    assert_eq!(other.subscribe(&mut browser).await.status(), 403);
    assert_eq!(http().get(&unfetched.request_uri).send().await.unwrap().status(), 404);
    let portal = browser.send(browser.http.get(unfetched.portal)).await;
    assert_eq!(portal.status(), 400);
}
