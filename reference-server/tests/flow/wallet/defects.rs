//! Each defect of the login with a wallet shows, and shows where it is.

use std::collections::HashSet;
use std::time::Duration;

use reference_server::{Clock, Defect, Policy, Server, seeds};
use serde_json::json;

use super::conformant::is_accepted;
use super::device::{Key, Presentation, Seal, decoded, digest, disclosure};
use super::session::{WEB, silently};
use super::{Login, of_alice, present, redirected, start};
use crate::support::{Browser, http};

/// Defects of the verification with a presentation that only they accept.
type Row = (Defect, bool, fn(&mut Presentation, &Clock));

const ROWS: &[Row] = &[
    (Defect::WalletKeyBindingOptional, false, |p, _| p.holder = None),
    (Defect::WalletKeyBindingUnverified, true, |p, _| p.holder().seal = Seal::Wrongly),
    (Defect::WalletKeyBindingUnsigned, true, |p, _| p.holder().unsigned()),
    (Defect::WalletKeyBindingTypeUnchecked, false, |p, _| {
        p.holder().header["typ"] = json!("dpop+jwt");
    }),
    (Defect::WalletHolderUnchecked, true, |p, _| p.holder().by_stranger()),
    (Defect::WalletNonceUnchecked, true, |p, _| p.holder().claims["nonce"] = json!("another")),
    (Defect::WalletAudienceUnchecked, true, |p, _| {
        p.holder().claims["aud"] = json!(Key::new().did());
    }),
    (Defect::WalletHashUnchecked, false, |p, _| {
        p.holder().claims["sd_hash"] = json!(digest("another"));
    }),
    (Defect::WalletPresentationOld, true, |p, clock| {
        p.holder().claims["iat"] = json!(clock.now() - 86_400);
    }),
    (Defect::WalletIssuerUntrusted, true, |p, _| {
        let key = Key::new();
        p.credential.claims["iss"] = json!(key.did());
        p.credential.seal = Seal::By(key);
    }),
    (Defect::WalletCredentialUnverified, true, |p, _| p.credential.seal = Seal::Wrongly),
    (Defect::WalletCredentialUnsigned, true, |p, _| p.credential.unsigned()),
    (Defect::WalletCredentialSymmetric, true, |p, _| p.credential.keyed(seeds::CREDENTIAL_ISSUER)),
    (Defect::WalletCredentialKeyOfHeader, true, |p, _| p.credential.by_stranger()),
    (Defect::WalletCredentialExpired, true, |p, clock| {
        p.credential.claims["exp"] = json!(clock.now() - 86_400);
    }),
    (Defect::WalletCredentialNotYetValid, true, |p, clock| {
        p.credential.claims["nbf"] = json!(clock.now() + 86_400);
    }),
    (Defect::WalletCredentialTypeUnchecked, true, |p, _| {
        p.credential.claims["vct"] = json!("https://credentials.example.test/other");
        p.credential.claims["vc"]["type"] = json!(["VerifiableCredential", "Other"]);
    }),
    (Defect::WalletDisclosureUnchecked, false, |p, _| {
        p.disclosures = vec![disclosure("email", seeds::BOB_EMAIL)];
    }),
    (Defect::WalletClaimsOfHolder, false, |p, _| {
        p.credential.claims["email"] = json!("nobody@example.test");
        p.holder().claims["email"] = json!(seeds::BOB_EMAIL);
    }),
];

#[tokio::test]
async fn defects_of_the_verification_show() {
    let conformant = start(Policy::conformant());
    for (defect, in_both_formats, spoil) in ROWS {
        let server = start(Policy::with(*defect));
        let makes = [Presentation::sd_jwt_vc, Presentation::jwt_vp];
        for make in makes.into_iter().take(1 + usize::from(*in_both_formats)) {
            assert!(is_accepted(&server, make, &|_, _| ()).await, "{defect} spoils the login");
            assert!(is_accepted(&server, make, spoil).await, "{defect}");
            assert!(!is_accepted(&conformant, make, spoil).await, "{defect}");
        }
        let others = ROWS.iter().filter(|row| row.0.violates() != defect.violates());
        for (other, in_both_formats, spoil) in others {
            let make = makes[usize::from(*in_both_formats)];
            assert!(!is_accepted(&server, make, spoil).await, "{defect} shows as {other}");
        }
    }
}

/// A login with a stream of its own, and a presentation for it.
async fn ready(
    server: &Server,
    browser: &mut Browser,
) -> (Login, reqwest::Response, serde_json::Value, String) {
    let login = Login::begin(browser).await;
    let stream = login.subscribe(browser).await;
    let request = login.request().await;
    let vp_token = of_alice(server, &request);
    (login, stream, request, vp_token)
}

#[tokio::test]
async fn defects_of_the_request_show() {
    for (policy, nonces, status, alg) in [
        (Policy::conformant(), 2, 404, "ES256"),
        (Policy::with(Defect::WalletNonceConstant), 1, 404, "ES256"),
        (Policy::with(Defect::WalletRequestObjectReusable), 2, 200, "ES256"),
        (Policy::with(Defect::WalletRequestObjectUnsigned), 2, 404, "none"),
    ] {
        let server = start(policy);
        let mut seen = HashSet::new();
        for mut browser in [Browser::new(&server), Browser::new(&server)] {
            let login = Login::begin(&mut browser).await;
            let answer = http().get(&login.request_uri).send().await.unwrap();
            let (header, claims) = decoded(&answer.text().await.unwrap());
            assert_eq!(header["alg"], alg);
            seen.insert(claims["nonce"].to_string());
            assert_eq!(http().get(&login.request_uri).send().await.unwrap().status(), status);
        }
        assert_eq!(seen.len(), nonces, "{policy:?}");
    }
}

#[tokio::test]
async fn defects_of_the_stream_show() {
    // Before and after the browser has taken the new cookie in.
    for is_before in [false, true] {
        let server = start(Policy::with(Defect::WalletStreamShared));
        let mut browser = Browser::new(&server);
        let login = Login::begin(&mut browser).await;
        let mut before = browser.clone();
        let first = login.subscribe(&mut browser).await;
        let second = if is_before { &mut before } else { &mut browser };
        let second = login.subscribe(second).await;
        assert_eq!(login.subscribe(&mut Browser::new(&server)).await.status(), 403);
        let request = login.request().await;
        let vp_token = of_alice(&server, &request);
        assert_eq!(present(&request, &vp_token).await.0, 200);
        let (first, second) = (redirected(first).await.unwrap(), redirected(second).await.unwrap());
        assert!(first["code"] == second["code"]);
    }

    let server = start(Policy::with(Defect::WalletStreamOfAnyBrowser));
    let mut browser = Browser::new(&server);
    let login = Login::begin(&mut browser).await;
    let stolen = login.subscribe(&mut Browser::new(&server)).await;
    assert_eq!(login.subscribe(&mut browser).await.status(), 409);
    let request = login.request().await;
    let vp_token = of_alice(&server, &request);
    assert_eq!(present(&request, &vp_token).await.0, 200);
    assert!(redirected(stolen).await.unwrap().contains_key("code"));

    let server = start(Policy::with(Defect::WalletAnswerCarriesCode));
    let (_, stream, request, vp_token) = ready(&server, &mut Browser::new(&server)).await;
    let (status, body) = present(&request, &vp_token).await;
    assert!(status == 200 && body.contains("code="), "{status} {body}");
    assert!(redirected(stream).await.is_some());
}

#[tokio::test]
async fn defects_of_the_end_show() {
    let server = start(Policy::with(Defect::WalletFailedLoginOpen));
    let (_, stream, request, vp_token) = ready(&server, &mut Browser::new(&server)).await;
    assert_eq!(present(&request, "YQ==").await.0, 400);
    assert_eq!(present(&request, &vp_token).await.0, 200);
    assert!(redirected(stream).await.is_some());
    assert_eq!(present(&request, &vp_token).await.0, 400);

    let server = start(Policy::with(Defect::WalletPresentationReplayable));
    let mut browser = Browser::new(&server);
    let (login, stream, request, vp_token) = ready(&server, &mut browser).await;
    assert_eq!(present(&request, &vp_token).await.0, 200);
    assert!(redirected(stream).await.is_some());
    let again = login.subscribe(&mut browser).await;
    assert_eq!(present(&request, &vp_token).await.0, 200);
    assert!(redirected(again).await.unwrap().contains_key("code"));

    let server = start(Policy::with(Defect::WalletLoginUnlimited));
    let mut browser = Browser::new(&server);
    let (_, stream, request, _) = ready(&server, &mut browser).await;
    let late = Login::begin(&mut browser).await;
    server.clock().advance(Duration::from_secs(3_600));
    let vp_token = of_alice(&server, &request);
    assert_eq!(present(&request, &vp_token).await.0, 200);
    assert!(redirected(stream).await.is_some());
    assert_eq!(late.subscribe(&mut browser).await.status(), 200);
}

/// The switches of the session mean the same as with a password.
#[tokio::test]
async fn defects_of_the_session_show_as_well() {
    for (defect, old, renewed) in
        [(Defect::SessionNotRenewed, true, false), (Defect::OldSessionKept, true, true)]
    {
        let server = start(Policy::with(defect));
        let mut browser = Browser::new(&server);
        let login = Login::begin(&mut browser).await;
        let mut before = browser.clone();
        let stream = login.subscribe(&mut browser).await;
        assert_eq!(stream.headers().contains_key("set-cookie"), renewed);
        let request = login.request().await;
        let vp_token = of_alice(&server, &request);
        assert_eq!(present(&request, &vp_token).await.0, 200);
        assert!(redirected(stream).await.is_some());
        for browser in [&mut before, &mut browser] {
            let code = silently(browser, WEB).await;
            assert_eq!(code == "code", old, "{defect}");
        }
    }
}
