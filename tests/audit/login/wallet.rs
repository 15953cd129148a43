//! `driver = "wallet"`: a credential signs in, against the reference server.

use std::process::{Command, Stdio};

use authspec::oauth::dcql::Asked;
use authspec::oauth::key::{Key, Seal};
use authspec::oauth::presentation::Presentation;
use authspec::target::profile::Target;
use reference_server::{Config, Server, seeds};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{ALICE, blocking, target, trial};

pub(super) fn wallet_server() -> Server {
    let login = reference_server::Login::Wallet;
    authspec::embedded::start(Config { login, ..Config::default() }).unwrap()
}

fn write(folder: &tempfile::TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    format!("file:{}", path.to_str().unwrap())
}

/// The table with the seeded key of the issuer, and more.
pub(super) fn issuing(folder: &tempfile::TempDir, rest: &str) -> String {
    let key = write(folder, "issuer.pem", seeds::CREDENTIAL_ISSUER_KEY);
    format!(
        "[login]\ndriver = \"wallet\"\n[login.wallet]\nissuer_key = {key:?}\nclaims = {{ email = \"alice@example.test\" }}\n{rest}\n"
    )
}

pub(super) fn signs_in(target: Target) -> authspec::trial::Trial {
    let trial = blocking(trial(target));
    assert_eq!(trial.outcome.as_deref(), Ok(seeds::WEB_REDIRECT_URI), "{:?}", trial.steps);
    let shown = format!("{:?}", trial.steps);
    for secret in ["eyJ", "code="] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    trial
}

#[test]
fn a_credential_that_the_harness_issues_signs_in_in_every_form_of_vp_token() {
    let (server, folder) = (wallet_server(), tempfile::tempdir().unwrap());
    for rest in [
        "",
        "vct = \"https://credentials.example.test/login\"",
        "vp_token = \"base64_bare\"",
        "vp_token = \"object\"",
        "format = \"jwt_vp\"",
        "format = \"jwt_vp\"\nvct = \"LoginCredential\"\nvp_token = \"base64_bare\"",
        "events = \"/api/login/events?state={state}\"",
    ] {
        let trial = signs_in(target(server.issuer(), &issuing(&folder, rest)));
        assert_eq!(trial.driver, "wallet");
        let heads: Vec<&str> = trial.steps.iter().map(|step| step.head.as_str()).collect();
        assert!(heads[1].contains("/login?authRequest&state&homeUri -> 200"), "{heads:?}");
        assert!(heads.iter().any(|head| head.contains("/api/login/events?state")), "{heads:?}");
    }
}

#[test]
fn a_ready_credential_signs_in_with_the_key_of_its_holder() {
    let (server, folder) = (wallet_server(), tempfile::tempdir().unwrap());
    for (format, file) in [("sd_jwt_vc", "credential.sdjwt"), ("jwt_vp", "credential.jwt")] {
        let (credential, holder) = ready(&server, format);
        let credential = write(&folder, file, &credential);
        let holder = write(&folder, "holder.jwk", &holder);
        let text = format!(
            "[login]\ndriver = \"wallet\"\n[login.wallet]\ncredential = {credential:?}\nholder_key = {holder:?}\nformat = {format:?}\n"
        );
        signs_in(target(server.issuer(), &text));
    }
}

/// A credential of Alice's with the private JWK of its holder, as her wallet keeps them.
fn ready(server: &Server, format: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let text = issuing(&folder, &format!("format = {format:?}"));
    let issuing = target(server.issuer(), &text);
    let wallet = issuing.login.wallet().unwrap();
    let types = match format {
        "jwt_vp" => vec!["VerifiableCredential".into(), seeds::CREDENTIAL_VC_TYPE.into()],
        _ => vec![seeds::CREDENTIAL_VCT.into()],
    };
    let asked = Asked { id: None, types, claims: None, definition: None };
    let presentation = Presentation {
        holding: &wallet.holding,
        asked: &asked,
        claims: &wallet.claims,
        audience: "nobody",
        nonce: "none",
        now: server.clock().now().try_into().unwrap(),
    };
    let text = presentation.text(None).unwrap();
    let credential = match format {
        "jwt_vp" => {
            let claims = authspec::oauth::jose::Jws::read(&text).unwrap().claims;
            claims["vp"]["verifiableCredential"][0].as_str().unwrap().to_owned()
        }
        _ => text[..=text.rfind('~').unwrap()].to_owned(),
    };
    let holder: &Key = &wallet.holding.holder;
    let mut jwk = holder.jwk.clone();
    jwk["d"] = holder.private_part().unwrap().into();
    (credential, jwk.to_string())
}

#[test]
fn a_refused_presentation_is_named() {
    let (server, folder) = (wallet_server(), tempfile::tempdir().unwrap());
    let stranger = issuing(&folder, "").replace("alice@", "nobody@");
    let trial = blocking(trial(target(server.issuer(), &stranger)));
    let (reason, obstacle) = trial.outcome.unwrap_err();
    assert_eq!(reason, "refused by the server");
    assert!(obstacle.came_back.contains("400 with error=invalid_request"), "{obstacle}");
    assert!(obstacle.came_back.contains("a credential of did:key:zDn"), "{obstacle}");
    assert!(obstacle.remedy.contains("trusts the issuer"), "{obstacle}");
}

#[test]
fn events_that_are_elsewhere_are_named() {
    let (server, folder) = (wallet_server(), tempfile::tempdir().unwrap());
    let lost = issuing(&folder, "events = \"/nowhere\"");
    let (reason, obstacle) = blocking(trial(target(server.issuer(), &lost))).outcome.unwrap_err();
    assert_eq!(reason, "callback not reached");
    assert!(obstacle.remedy.contains("events under [login.wallet]"), "{obstacle}");
}

#[test]
fn a_type_that_is_not_asked_for_is_named() {
    let (server, folder) = (wallet_server(), tempfile::tempdir().unwrap());
    let other = issuing(&folder, "vct = \"https://credentials.example.test/other\"");
    let (reason, obstacle) = blocking(trial(target(server.issuer(), &other))).outcome.unwrap_err();
    assert_eq!(reason, "field not found");
    let wanted = "login wants another type than https://credentials.example.test/other: {";
    assert!(obstacle.came_back.contains(wanted), "{obstacle}");
}

#[test]
fn a_server_that_waits_for_a_wallet_is_recognised_by_other_drivers() {
    let server = wallet_server();
    let (reason, obstacle) = blocking(trial(target(server.issuer(), ALICE))).outcome.unwrap_err();
    assert_eq!(reason, "field not found");
    assert!(obstacle.remedy.contains("driver = \"wallet\""), "{obstacle}");
}

/// A server whose verifier is a part of its own: the event leads on to the authorization server, which
/// asks for approval.
async fn server_with_a_verifier_beside() -> MockServer {
    let server = MockServer::start().await;
    let base = server.uri();
    let encoded =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let request =
        format!("openid4vp://?client_id=v&request_uri={}", encoded(&format!("{base}/request")));
    let claims = serde_json::json!({
        "client_id": "v", "nonce": "n", "state": "s", "response_mode": "direct_post",
        "response_uri": format!("{base}/response"),
    });
    let object = Seal::Unsigned.compact(&serde_json::Map::new(), claims.as_object().unwrap());
    let metadata = serde_json::json!({
        "issuer": base, "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"), "response_types_supported": ["code"],
    });
    let to = |place: String| ResponseTemplate::new(302).insert_header("Location", place);
    let html = |body: &str| ResponseTemplate::new(200).set_body_raw(body.to_owned(), "text/html");
    let callback = format!("{}?code=c", seeds::WEB_REDIRECT_URI);
    for (verb, place, answer) in [
        (
            "GET",
            "/.well-known/oauth-authorization-server",
            ResponseTemplate::new(200).set_body_json(metadata),
        ),
        ("GET", "/authorize", to(format!("/portal?authRequest={}&state=s", encoded(&request)))),
        ("GET", "/portal", html("<a>Open your wallet</a>")),
        ("GET", "/request", ResponseTemplate::new(200).set_body_string(object)),
        (
            "GET",
            "/portal/s/events",
            ResponseTemplate::new(200)
                .set_body_raw("event: redirect\ndata: /resume\n\n", "text/event-stream"),
        ),
        ("POST", "/response", ResponseTemplate::new(200).set_body_raw("{}", "application/json")),
        ("GET", "/resume", to("/consent".into())),
        (
            "GET",
            "/consent",
            html(
                "<form method=post><button name=approve>Approve</button><button name=deny>Deny</button></form>",
            ),
        ),
        ("POST", "/consent", to(callback)),
    ] {
        Mock::given(method(verb)).and(path(place)).respond_with(answer).mount(&server).await;
    }
    server
}

#[test]
fn an_event_may_lead_to_a_page_that_asks_for_approval() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = blocking(async {
        let server = server_with_a_verifier_beside().await;
        let rest = issuing(&folder, "events = \"/portal/{state}/events\"");
        trial(target(&server.uri(), &rest)).await
    });
    assert_eq!(outcome.outcome.as_deref(), Ok(seeds::WEB_REDIRECT_URI), "{:?}", outcome.steps);
    let shown = format!("{:?}", outcome.steps);
    assert!(shown.contains("a careful wallet would stop here"), "{shown}");
    assert!(shown.contains("approve"), "{shown}");
}

#[test]
fn the_command_shows_each_step() {
    let (server, folder) = (wallet_server(), tempfile::tempdir().unwrap());
    let text = format!(
        "issuer = {:?}\n[[clients]]\nid = \"web\"\nredirect_uris = [{:?}]\n{}",
        server.issuer(),
        seeds::WEB_REDIRECT_URI,
        issuing(&folder, "")
    );
    let path = folder.path().join("target.toml");
    std::fs::write(&path, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_authspec"))
        .args(["login", "test", "--target", path.to_str().unwrap()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap().replace(server.issuer(), "http://AS");
    // Whether the stream or the answer to the presentation ends first is a matter of chance.
    for line in [
        "driver    wallet",
        "GET http://AS/login?authRequest&state&homeUri -> 200 text/html",
        "GET <request_uri#1> -> 200 application/oauth-authz-req+jwt",
        "       then  the request object is signed by its client_id",
        "GET http://AS/api/login/events?state -> 200 text/event-stream",
        "       then  an event redirects the browser",
        "POST http://AS/oid4vp/auth-response -> 200",
        "       sent  vp_token: presentation",
        "ok        a code arrived at https://app.example.test/callback",
    ] {
        assert!(text.lines().any(|shown| shown.ends_with(line)), "{line} is not in\n{text}");
    }
    assert!(!text.contains("eyJ") && !text.contains("code="), "{text}");
    assert_eq!(output.status.code(), Some(0));
}
