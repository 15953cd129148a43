//! Tokens of the conformant server: issue, replay, refresh, expiry, revocation.

use std::time::Duration;

use crate::support::{Browser, End, VERIFIER, challenge, redemption, request, start, text};
use reference_server::{Config, Policy, SigningAlgorithm, seeds, serve};
use reqwest::header::{ALLOW, CACHE_CONTROL, PRAGMA, WWW_AUTHENTICATE};
use serde_json::Value;

pub(crate) const WEB: (&str, &str) = (seeds::WEB, seeds::WEB_REDIRECT_URI);

pub(crate) async fn tokens(browser: &mut Browser) -> Value {
    let response = browser.flow(WEB.0, WEB.1).await;
    let (status, tokens) = browser.redeem(WEB.0, WEB.1, &response["code"]).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

#[tokio::test]
async fn each_client_gets_tokens() {
    for signing in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256] {
        let server = serve(Config { signing, ..Config::default() }).unwrap();
        for (client, redirect_uri) in [
            WEB,
            (seeds::WEB, seeds::WEB_REDIRECT_URI_WITH_QUERY),
            (seeds::NATIVE, "http://127.0.0.1:49152/callback"),
            (seeds::NATIVE, "http://[::1]:49152/callback"),
            (seeds::MOBILE, seeds::MOBILE_REDIRECT_URI),
        ] {
            let mut browser = Browser::new(&server);
            let challenge = challenge(VERIFIER);
            let asked = browser.authorize(&request(client, redirect_uri, &challenge)).await;
            let End::Client(url) = browser.allow(asked).await else {
                panic!("no response for {client}")
            };
            assert!(url.as_str().starts_with(redirect_uri), "{url}");
            let response: Vec<(String, String)> =
                url.query_pairs().into_owned().filter(|(n, _)| n != "tenant").collect();
            let names: Vec<&str> = response.iter().map(|(n, _)| n.as_str()).collect();
            assert_eq!(names, ["code", "state", "iss"]);
            assert_eq!(
                (response[1].1.as_str(), response[2].1.as_str()),
                ("a-State_value", server.issuer())
            );
            let (status, tokens) = browser.redeem(client, redirect_uri, &response[0].1).await;
            assert_eq!((status, text(&tokens, "token_type")), (200, "Bearer"), "{tokens}");
            assert_eq!(tokens["scope"], "openid profile api:read");
            assert!(tokens["id_token"].is_string() && tokens["refresh_token"].is_string());
            assert_eq!(browser.get("/api/profile", text(&tokens, "access_token")).await, 200);
            assert_eq!(browser.get("/userinfo", text(&tokens, "access_token")).await, 200);
        }
    }
}

#[tokio::test]
async fn a_replay_revokes_and_a_bad_replay_does_not() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let code = browser.flow(WEB.0, WEB.1).await.remove("code").unwrap();
    let (_, tokens) = browser.redeem(WEB.0, WEB.1, &code).await;
    let access_token = text(&tokens, "access_token");

    let mut wrong = redemption(WEB.0, WEB.1, &code);
    wrong[4].1 = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl";
    let (status, error) = browser.post("/token", &wrong).await;
    assert_eq!((status, text(&error, "error")), (400, "invalid_grant"));
    assert_eq!(browser.get("/api/profile", access_token).await, 200);

    let (status, error) = browser.redeem(WEB.0, WEB.1, &code).await;
    assert_eq!((status, text(&error, "error")), (400, "invalid_grant"));
    assert_eq!(browser.get("/api/profile", access_token).await, 401);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", WEB.0),
        ("refresh_token", text(&tokens, "refresh_token")),
    ];
    assert_eq!(browser.post("/token", &refresh).await.0, 400);
}

#[tokio::test]
async fn of_concurrent_redemptions_one_wins() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let code = browser.flow(WEB.0, WEB.1).await.remove("code").unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (other, code) = (Browser::new(&server), code.clone());
            tokio::spawn(async move { other.redeem(WEB.0, WEB.1, &code).await.0 })
        })
        .collect();
    let mut successes = 0;
    for task in tasks {
        successes += usize::from(task.await.unwrap() == 200);
    }
    assert_eq!(successes, 1);
}

#[tokio::test]
async fn a_failed_attempt_leaves_the_code_alone() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let code = browser.flow(WEB.0, WEB.1).await.remove("code").unwrap();
    let good = redemption(WEB.0, WEB.1, &code);
    let altered = |name: &'static str, value: &'static str| {
        let mut form = good.clone();
        form.iter_mut().filter(|(n, _)| *n == name).for_each(|pair| pair.1 = value);
        form
    };
    for (form, error) in [
        (altered("client_id", seeds::NATIVE), "invalid_grant"),
        (altered("client_id", "nobody"), "invalid_client"),
        (altered("client_id", ""), "invalid_request"),
        (altered("redirect_uri", seeds::WEB_REDIRECT_URI_WITH_QUERY), "invalid_grant"),
        (altered("code_verifier", ""), "invalid_grant"),
        (altered("code", "unknown"), "invalid_grant"),
        (altered("code", ""), "invalid_request"),
        (altered("grant_type", ""), "invalid_request"),
        (altered("grant_type", "password"), "unsupported_grant_type"),
        (altered("grant_type", "urn:probe:unknown"), "unsupported_grant_type"),
        ([good.clone(), vec![("client_secret", "x")]].concat(), "invalid_client"),
        ([good.clone(), vec![("code_verifier", VERIFIER)]].concat(), "invalid_request"),
    ] {
        let (status, answer) = browser.post("/token", &form).await;
        assert_eq!(text(&answer, "error"), error, "{form:?}");
        assert_eq!(status, if error == "invalid_client" { 401 } else { 400 });
    }
    let without_redirect_uri: Vec<_> =
        good.into_iter().filter(|(n, _)| *n != "redirect_uri").collect();
    assert_eq!(browser.post("/token", &without_redirect_uri).await.0, 200);
}

#[tokio::test]
async fn refresh_tokens_rotate_and_reuse_ends_the_family() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let first = tokens(&mut browser).await;
    let refresh = |token: String, scope: &'static str, client: &'static str| {
        vec![
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", client.to_owned()),
            ("refresh_token", token),
            ("scope", scope.to_owned()),
        ]
    };
    let send = async |form: Vec<(&str, String)>| {
        let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
        browser.post("/token", &form).await
    };
    let token = text(&first, "refresh_token").to_owned();
    assert_eq!(send(refresh(token.clone(), "", seeds::NATIVE)).await.1["error"], "invalid_grant");
    assert_eq!(
        send(refresh(token.clone(), "openid api:write", WEB.0)).await.1["error"],
        "invalid_scope"
    );
    let (status, second) = send(refresh(token.clone(), "openid", WEB.0)).await;
    assert_eq!((status, text(&second, "scope")), (200, "openid"));
    assert_eq!(browser.get("/api/profile", text(&second, "access_token")).await, 403);
    let (status, third) = send(refresh(text(&second, "refresh_token").to_owned(), "", WEB.0)).await;
    assert_eq!((status, text(&third, "scope")), (200, "openid profile api:read"));
    assert_eq!(send(refresh(token, "", WEB.0)).await.1["error"], "invalid_grant");
    assert_eq!(send(refresh(text(&third, "refresh_token").to_owned(), "", WEB.0)).await.0, 400);
    assert_eq!(browser.get("/api/profile", text(&third, "access_token")).await, 401);
}

#[tokio::test]
async fn everything_expires_by_the_clock() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let tokens = tokens(&mut browser).await;
    let code = browser.flow(WEB.0, WEB.1).await.remove("code").unwrap();
    server.clock().advance(Duration::from_secs(61));
    assert_eq!(browser.redeem(WEB.0, WEB.1, &code).await.1["error"], "invalid_grant");
    assert_eq!(browser.get("/api/profile", text(&tokens, "access_token")).await, 200);
    server.clock().advance(Duration::from_secs(600));
    assert_eq!(browser.get("/api/profile", text(&tokens, "access_token")).await, 401);
    let challenge = challenge(VERIFIER);
    let mut silent = request(WEB.0, WEB.1, &challenge);
    silent.push(("prompt", "none"));
    assert!(browser.authorize(&silent).await.client().contains_key("code"));
    server.clock().advance(Duration::from_secs(28_800));
    assert_eq!(browser.authorize(&silent).await.client()["error"], "login_required");
    server.clock().advance(Duration::from_secs(86_400));
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", WEB.0),
        ("refresh_token", text(&tokens, "refresh_token")),
    ];
    assert_eq!(browser.post("/token", &refresh).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn scopes_are_narrowed_and_enforced() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let challenge = challenge(VERIFIER);
    let mut wide = request(WEB.0, WEB.1, &challenge);
    wide[3].1 = "openid api:write api:admin unknown";
    let asked = browser.authorize(&wide).await;
    let code = browser.allow(asked).await.client().remove("code").unwrap();
    let (_, tokens) = browser.redeem(WEB.0, WEB.1, &code).await;
    assert_eq!(text(&tokens, "scope"), "openid api:write");
    let token = text(&tokens, "access_token");
    assert_eq!(browser.get("/api/profile", token).await, 403);
    let note = browser
        .http
        .post(format!("{}/api/notes", server.issuer()))
        .bearer_auth(token)
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(note.status(), 201);
    for credentials in
        ["Bearer", "Bearer garbage", &format!("Bearer {}", text(&tokens, "id_token"))]
    {
        let call = browser
            .http
            .get(format!("{}/api/profile", server.issuer()))
            .header("authorization", credentials);
        let answer = call.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert!(
            answer.headers()[WWW_AUTHENTICATE]
                .to_str()
                .unwrap()
                .contains("error=\"invalid_token\"")
        );
    }
}

#[tokio::test]
async fn revocation_and_introspection() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let tokens = tokens(&mut browser).await;
    let (access_token, refresh_token) =
        (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let introspect = async || {
        let call = browser
            .http
            .post(format!("{}/introspect", server.issuer()))
            .form(&[("token", access_token)]);
        let answer = call
            .basic_auth(seeds::RESOURCE_SERVER, Some(seeds::RESOURCE_SERVER_SECRET))
            .send()
            .await
            .unwrap();
        serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()
    };
    assert_eq!(browser.post("/introspect", &[("token", access_token)]).await.0, 401);
    assert_eq!(introspect().await["active"], true);
    let revoke = |client: &'static str| {
        [("token", refresh_token), ("token_type_hint", "refresh_token"), ("client_id", client)]
    };
    assert_eq!(browser.post("/revoke", &revoke(seeds::NATIVE)).await.0, 400);
    assert_eq!(introspect().await["active"], true);
    assert_eq!(browser.post("/revoke", &revoke(WEB.0)).await.0, 200);
    assert_eq!(introspect().await, serde_json::json!({"active": false}));
    assert_eq!(browser.get("/api/profile", access_token).await, 401);
}

#[tokio::test]
async fn the_token_endpoint_takes_forms_only() {
    let server = start(Policy::conformant());
    let mut browser = Browser::new(&server);
    let code = browser.flow(WEB.0, WEB.1).await.remove("code").unwrap();
    let url = url::Url::parse_with_params(
        &format!("{}/token", server.issuer()),
        redemption(WEB.0, WEB.1, &code),
    )
    .unwrap();
    let answer = browser.http.get(url.clone()).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()[ALLOW].to_str().unwrap()),
        (405, "POST")
    );
    assert_eq!(browser.http.post(url.clone()).send().await.unwrap().status(), 400);
    assert_eq!(browser.http.head(url).send().await.unwrap().status(), 405);
    let answer = browser
        .http
        .post(format!("{}/token", server.issuer()))
        .form(&redemption(WEB.0, WEB.1, &code))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers()[PRAGMA], "no-cache");
}

#[tokio::test]
async fn without_pkce_a_code_is_worthless() {
    let server = serve(Config { pkce_required: false, ..Config::default() }).unwrap();
    let mut browser = Browser::new(&server);
    let mut bare = request(WEB.0, WEB.1, "");
    bare.retain(|(n, _)| !n.starts_with("code_challenge"));
    let asked = browser.authorize(&bare).await;
    let code = browser.allow(asked).await.client().remove("code").unwrap();
    let with = redemption(WEB.0, WEB.1, &code);
    assert_eq!(browser.post("/token", &with).await.1["error"], "invalid_grant");
    assert_eq!(browser.post("/token", &with[..4]).await.1["error"], "invalid_grant");
}
