//! Authorization, login, logout and CORS of the conformant server.

use std::time::Duration;

use crate::support::{Browser, End, VERIFIER, challenge, request, start, text};
use reference_server::{Policy, seeds};
use reqwest::header::{ACCESS_CONTROL_ALLOW_ORIGIN, LOCATION, ORIGIN};

use crate::token::{WEB, tokens};

#[tokio::test]
async fn errors_go_to_the_client_with_state_and_iss() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let challenge = challenge(VERIFIER);
    for (name, value, error) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_mode", "fragment", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "too-short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("scope", "unknown", "invalid_scope"),
        ("prompt", "none login", "invalid_request"),
        ("prompt", "none", "login_required"),
        ("max_age", "soon", "invalid_request"),
        ("resource", "https://probe.invalid/", "invalid_target"),
        ("request", "x", "request_not_supported"),
        ("request_uri", "http://127.0.0.1:1/", "request_uri_not_supported"),
    ] {
        let mut parameters = request(WEB.0, WEB.1, &challenge);
        parameters.retain(|(n, _)| *n != name);
        parameters.push((name, value));
        let response = browser.authorize(&parameters).await.client();
        assert_eq!(response["error"], error, "{name}={value}");
        assert_eq!(
            (response["state"].as_str(), response["iss"].as_str()),
            ("a-State_value", server.issuer())
        );
    }
    let mut twice = request(WEB.0, WEB.1, &challenge);
    twice.push(("state", "other"));
    let response = browser.authorize(&twice).await.client();
    assert_eq!((response["error"].as_str(), response.get("state")), ("invalid_request", None));
}

#[tokio::test]
async fn errors_about_client_or_redirect_uri_stay_on_a_page() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let challenge = challenge(VERIFIER);
    for (name, value) in [
        ("client_id", ""),
        ("client_id", "\"><script>"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://probe.invalid/cb"),
        ("redirect_uri", seeds::WEB_REDIRECT_URI_CLEARTEXT),
        ("redirect_uri", "javascript:alert(1)"),
    ] {
        let mut parameters = request(WEB.0, WEB.1, &challenge);
        parameters.retain(|(n, _)| *n != name);
        parameters.push((name, value));
        let (status, page) = browser.authorize(&parameters).await.page();
        assert_eq!(status, 400, "{name}={value}");
        assert!(!page.contains("<script") && !page.contains("javascript:"), "{page}");
    }
    for (name, value) in [("client_id", WEB.0), ("redirect_uri", "https://probe.invalid/cb")] {
        let mut parameters = request(WEB.0, WEB.1, &challenge);
        parameters.push((name, value));
        assert_eq!(browser.authorize(&parameters).await.page().0, 400);
    }
}

#[tokio::test]
async fn login_and_consent_decide() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let challenge = challenge(VERIFIER);
    let (_, login) = browser.authorize(&request(WEB.0, WEB.1, &challenge)).await.page();
    let wrong = [("username", seeds::ALICE), ("password", "wrong")];
    let (status, login) = browser.submit("/login", &login, &wrong).await.page();
    assert_eq!(status, 401);
    let mut stranger = Browser::new(&server);
    let right = [("username", seeds::ALICE), ("password", seeds::ALICE_PASSWORD)];
    assert_eq!(stranger.submit("/login", &login, &right).await.page().0, 400);
    let (_, consent) = browser.submit("/login", &login, &right).await.page();
    let response = browser.submit("/consent", &consent, &[("decision", "deny")]).await.client();
    assert_eq!(
        (response["error"].as_str(), response["state"].as_str()),
        ("access_denied", "a-State_value")
    );
    // A consent counts for the web client, never for one that others can impersonate.
    browser.flow(WEB.0, WEB.1).await;
    assert!(
        browser.authorize(&request(WEB.0, WEB.1, &challenge)).await.client().contains_key("code")
    );
    for _ in 0..2 {
        let mobile = request(seeds::MOBILE, seeds::MOBILE_REDIRECT_URI, &challenge);
        let end = browser.authorize(&mobile).await;
        assert!(matches!(&end, End::Page(200, page) if page.contains("Allow")), "{end:?}");
        browser.allow(end).await.client();
    }
}

#[tokio::test]
async fn scripts_reach_what_they_need() {
    let server = start(Policy::conformant());
    let http = crate::support::http();
    let cross = async |path: &str, origin: &str, method: reqwest::Method| {
        let call =
            http.request(method, format!("{}{path}", server.issuer())).header(ORIGIN, origin);
        let answer = call.header("access-control-request-method", "POST").send().await.unwrap();
        answer.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|v| v.to_str().unwrap().to_owned())
    };
    let own = Some(seeds::ALLOWED_ORIGIN.to_owned());
    for path in ["/token", "/revoke", "/userinfo", "/api/profile"] {
        for method in [reqwest::Method::POST, reqwest::Method::OPTIONS] {
            assert_eq!(cross(path, seeds::ALLOWED_ORIGIN, method.clone()).await, own, "{path}");
            assert_eq!(cross(path, "https://probe.invalid", method).await, None, "{path}");
        }
    }
    assert_eq!(
        cross("/jwks", "https://probe.invalid", reqwest::Method::GET).await.as_deref(),
        Some("*")
    );
    for path in ["/authorize", "/login", "/consent", "/logout"] {
        for method in [reqwest::Method::GET, reqwest::Method::OPTIONS] {
            assert_eq!(cross(path, seeds::ALLOWED_ORIGIN, method).await, None, "{path}");
        }
    }
}

#[tokio::test]
async fn logout_returns_and_ends_the_session() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let tokens = tokens(&mut browser).await;
    let (status, page) =
        browser.go(browser.http.get(format!("{}/logout", server.issuer()))).await.page();
    assert!(status == 200 && page.contains("Do you want"));
    let parameters = [
        ("id_token_hint", text(&tokens, "id_token")),
        ("post_logout_redirect_uri", seeds::POST_LOGOUT_REDIRECT_URI),
        ("state", "bye bye"),
    ];
    let url =
        url::Url::parse_with_params(&format!("{}/logout", server.issuer()), parameters).unwrap();
    let End::Client(back) = browser.go(browser.http.get(url)).await else { panic!("no return") };
    assert_eq!(back.as_str(), "https://app.example.test/signed-out?state=bye+bye");
    let challenge = challenge(VERIFIER);
    let mut silent = request(WEB.0, WEB.1, &challenge);
    silent.push(("prompt", "none"));
    assert_eq!(browser.authorize(&silent).await.client()["error"], "login_required");

    let mut other = Browser::new(&server);
    other.flow(WEB.0, WEB.1).await;
    let (_, page) = other.go(other.http.get(format!("{}/logout", server.issuer()))).await.page();
    other.submit("/logout/confirm", &page, &[]).await.page();
    assert_eq!(other.authorize(&silent).await.client()["error"], "login_required");
}

#[tokio::test]
async fn post_form_post_and_exact_state() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let challenge = challenge(VERIFIER);
    let state: String = (' '..='~').collect();
    let mut parameters = request(WEB.0, WEB.1, &challenge);
    parameters[4].1 = &state;
    let asked = browser
        .go(browser.http.post(format!("{}/authorize", server.issuer())).form(&parameters))
        .await;
    assert_eq!(browser.allow(asked).await.client()["state"], state);
    parameters.push(("response_mode", "form_post"));
    let (status, page) = browser.authorize(&parameters).await.page();
    assert_eq!(status, 200);
    assert!(
        page.contains("action=\"https://app.example.test/callback\"")
            && page.contains("&quot;#$%&amp;&#39;()"),
        "{page}"
    );
    parameters[4].1 = "a\r\nX-Probe: 1";
    parameters.pop();
    let response = browser.authorize(&parameters).await.client();
    assert_eq!((response["error"].as_str(), response.get("state")), ("invalid_request", None));
}

#[tokio::test]
async fn head_grants_nothing_and_stopping_is_quick() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    browser.flow(WEB.0, WEB.1).await;
    let challenge = challenge(VERIFIER);
    let url = url::Url::parse_with_params(
        &format!("{}/authorize", server.issuer()),
        request(WEB.0, WEB.1, &challenge),
    )
    .unwrap();
    let End::Page(status, _) = browser.go(browser.http.head(url)).await else {
        panic!("HEAD was redirected")
    };
    assert_eq!(status, 405);
    let answer = browser.http.get(format!("{}/nowhere", server.issuer())).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get(LOCATION)), (404, None));
    let before = std::time::Instant::now();
    drop(server);
    assert!(before.elapsed() < Duration::from_secs(1));
}
