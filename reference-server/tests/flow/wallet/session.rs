//! Whom a presentation signs in where: browsers, streams and sessions.

use std::time::Duration;

use reference_server::{Policy, seeds};
use reqwest::header::SET_COOKIE;
use serde_json::Value;

use super::device::Presentation;
use super::{Login, of_alice, present, redirected, sign_in, start};
use crate::support::{Browser, VERIFIER, challenge, http, request};

pub(super) const WEB: (&str, &str) = (seeds::WEB, seeds::WEB_REDIRECT_URI);
const NATIVE: (&str, &str) = (seeds::NATIVE, "http://127.0.0.1:49152/callback");

/// The error of a silent request, or `code`.
pub(super) async fn silently(browser: &mut Browser, client: (&str, &str)) -> String {
    let challenge = challenge(VERIFIER);
    let mut parameters = request(client.0, client.1, &challenge);
    parameters.push(("prompt", "none"));
    let response = browser.authorize(&parameters).await.client();
    response.get("error").cloned().unwrap_or_else(|| "code".to_owned())
}

#[tokio::test]
async fn one_stream_of_the_browser_that_began() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let login = Login::begin(&mut browser).await;
    for mut stranger in [Browser::new(&server), {
        let mut other = Browser::new(&server);
        Login::begin(&mut other).await;
        other
    }] {
        assert_eq!(login.subscribe(&mut stranger).await.status(), 403);
        assert_eq!(stranger.send(stranger.http.get(login.portal.clone())).await.status(), 400);
    }
    let mut before = browser.clone();
    let url = format!("{}/api/login/events?state={}", server.issuer(), login.state);
    assert_eq!(browser.send(browser.http.head(url)).await.status(), 405);
    let stream = login.subscribe(&mut browser).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(stream.headers()["cache-control"], "no-store");
    assert_eq!(login.subscribe(&mut browser).await.status(), 409);
    assert_eq!(login.subscribe(&mut before).await.status(), 409);
    let request = login.request().await;
    let vp_token = of_alice(&server, &request);
    assert_eq!(present(&request, &vp_token).await.0, 200);
    assert!(redirected(stream).await.unwrap().contains_key("code"));
    assert_eq!(login.subscribe(&mut browser).await.status(), 403);
    // The identifier of before the login is no session.
    assert_eq!(silently(&mut before, WEB).await, "login_required");
    assert_eq!(silently(&mut browser, WEB).await, "code");
}

#[tokio::test]
async fn without_a_browser_that_waits_nobody_is_signed_in() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let login = Login::begin(&mut browser).await;
    let request = login.request().await;
    assert_eq!(present(&request, &of_alice(&server, &request)).await, (200, String::new()));
    assert_eq!(login.subscribe(&mut browser).await.status(), 403);
    assert_eq!(silently(&mut browser, WEB).await, "login_required");
    // The server learns sooner or later that a subscriber has left.
    for _ in 0..100 {
        let mut browser = Browser::new(&server);
        let login = Login::begin(&mut browser).await;
        drop(login.subscribe(&mut browser).await);
        let request = login.request().await;
        assert_eq!(present(&request, &of_alice(&server, &request)).await, (200, String::new()));
        if silently(&mut browser, WEB).await == "login_required" {
            return;
        }
    }
    panic!("a subscriber who has left is signed in");
}

#[tokio::test]
async fn a_session_is_one_like_any_other() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    assert_eq!(silently(&mut browser, WEB).await, "login_required");
    sign_in(&server, &mut browser, WEB, &[]).await;
    // The presentation was a consent, which counts for the web client and nobody else.
    assert_eq!(silently(&mut browser, WEB).await, "code");
    assert_eq!(silently(&mut browser, NATIVE).await, "consent_required");
    sign_in(&server, &mut browser, NATIVE, &[]).await;
    assert_eq!(silently(&mut browser, NATIVE).await, "consent_required");
    sign_in(&server, &mut browser, WEB, &[("prompt", "login")]).await;
    sign_in(&server, &mut browser, WEB, &[("prompt", "consent")]).await;
    server.clock().advance(Duration::from_secs(100));
    sign_in(&server, &mut browser, WEB, &[("max_age", "60")]).await;
    assert_eq!(silently(&mut browser, WEB).await, "code");
}

#[tokio::test]
async fn logins_side_by_side() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let (first, second) = (Login::begin(&mut browser).await, Login::begin(&mut browser).await);
    for login in [second, first] {
        let stream = login.subscribe(&mut browser).await;
        let renewed = stream.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        assert!(renewed.starts_with("browser=") && renewed.contains("HttpOnly"), "{renewed}");
        let request = login.request().await;
        let vp_token = Presentation::disclosing(&request, seeds::BOB_EMAIL, server.clock()).bare();
        assert_eq!(present(&request, &vp_token).await.0, 200);
        assert!(redirected(stream).await.is_some());
        assert_eq!(silently(&mut browser, WEB).await, "code");
    }
}

#[tokio::test]
async fn what_the_password_login_has_is_gone() {
    let server = start(Policy::conformant());
    let url = |path: &str| format!("{}{path}", server.issuer());
    let form = [("username", seeds::ALICE), ("password", seeds::ALICE_PASSWORD)];
    assert_eq!(http().post(url("/login")).form(&form).send().await.unwrap().status(), 405);
    assert_eq!(http().get(url("/consent")).send().await.unwrap().status(), 404);
    let metadata = http().get(url("/.well-known/openid-configuration")).send().await.unwrap();
    let metadata: Value = metadata.json().await.unwrap();
    assert_eq!(metadata["response_modes_supported"], serde_json::json!(["query"]));
    let mut browser = Browser::new(&server);
    let challenge = challenge(VERIFIER);
    let mut parameters = request(WEB.0, WEB.1, &challenge);
    parameters.push(("response_mode", "form_post"));
    let response = browser.authorize(&parameters).await.client();
    assert_eq!(response["error"], "invalid_request");
    // And the other way round.
    let server = crate::support::start(Policy::conformant());
    let events = format!("{}/api/login/events?state=x", server.issuer());
    assert_eq!(http().get(events).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn the_portal_leads_to_the_wallet_and_back() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let login = Login::begin(&mut browser).await;
    // The page repeats nothing of its address.
    let forged =
        format!("{}/login?state={}&authRequest=javascript:x", server.issuer(), login.state);
    let page = browser.send(browser.http.get(forged)).await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("connect-src 'self'") && policy.contains("frame-ancestors 'none'"));
    let page = page.text().await.unwrap();
    assert!(page.contains("href=\"openid4vp://?client_id=did%3Akey%3Az"), "{page}");
    assert!(page.contains("new EventSource") && !page.contains("javascript:"), "{page}");
}
