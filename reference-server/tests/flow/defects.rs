//! No defect spoils the flow of the web client, so that each can be attributed.

use crate::support::{Browser, End, VERIFIER, challenge, redemption, request, start, text};
use reference_server::{Defect, Policy, seeds};

#[tokio::test]
async fn the_web_flow_works_with_every_defect() {
    let mut spoilt = Vec::new();
    for defect in Defect::ALL {
        let server = start(Policy::with(*defect));
        let mut browser = Browser::new(&server);
        let response = browser.flow(seeds::WEB, seeds::WEB_REDIRECT_URI).await;
        let (status, tokens) = match response.get("code") {
            Some(code) => browser.redeem(seeds::WEB, seeds::WEB_REDIRECT_URI, code).await,
            None => (0, serde_json::Value::Null),
        };
        if status != 200 || response.get("state").map(String::as_str) != Some("a-State_value") {
            spoilt.push(defect.name());
            continue;
        }
        if !matches!(defect, Defect::ValidTokenRefused) {
            assert_eq!(
                browser.get("/api/profile", text(&tokens, "access_token")).await,
                200,
                "{defect}"
            );
        }
    }
    assert_eq!(spoilt, Vec::<&str>::new());
}

/// The policy names every defect beyond its import, and nobody else names any.
#[test]
fn only_the_policy_names_defects() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |folder: &str| -> String {
        let files =
            std::fs::read_dir(source.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        files
            .filter(|path| path.is_file())
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect()
    };
    let words = |text: String| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect()
    };
    let (policy, handlers) = (words(read("policy")), words(read("endpoints")));
    for defect in Defect::ALL {
        assert!(
            policy.iter().filter(|word| *word == defect.name()).count() >= 2,
            "{defect} does nothing"
        );
        assert!(!handlers.iter().any(|word| word == defect.name()), "a handler knows {defect}");
    }
}

/// Redeems a code with the mutated request and tells the status.
async fn redeem_with(policy: Policy, mutations: &[(&str, Option<&str>)]) -> u16 {
    let server = start(policy);
    let mut browser = Browser::new(&server);
    let code = browser.flow(seeds::WEB, seeds::WEB_REDIRECT_URI).await.remove("code").unwrap();
    let mut form = redemption(seeds::WEB, seeds::WEB_REDIRECT_URI, &code);
    for (name, value) in mutations {
        match form.iter().position(|(n, _)| n == name) {
            Some(at) if value.is_none() => drop(form.remove(at)),
            Some(at) => form[at].1 = value.unwrap(),
            None => form.push((name, value.unwrap())),
        }
    }
    browser.post("/token", &form).await.0
}

#[tokio::test]
async fn defects_of_the_token_request_show() {
    use Defect::*;
    const OTHER: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let challenge = challenge(VERIFIER);
    for (defect, mutations) in [
        (VerifierNotCompared, vec![("code_verifier", Some(OTHER))]),
        (VerifierOptional, vec![("code_verifier", None)]),
        (EmptyVerifierAccepted, vec![("code_verifier", Some(""))]),
        (ChallengeAsVerifierAccepted, vec![("code_verifier", Some(challenge.as_str()))]),
        (
            MethodChosenAtTokenEndpoint,
            vec![
                ("code_verifier", Some(challenge.as_str())),
                ("code_challenge_method", Some("plain")),
            ],
        ),
        (TokenRedirectUriNotCompared, vec![("redirect_uri", Some("https://probe.invalid/cb"))]),
        (
            TokenRedirectUriAnyRegistered,
            vec![("redirect_uri", Some(seeds::WEB_REDIRECT_URI_WITH_QUERY))],
        ),
        (UnknownCodeAccepted, vec![("code", Some(OTHER))]),
        (CodeNotBoundToClient, vec![("client_id", Some(seeds::NATIVE))]),
        (TokenClientIdOptional, vec![("client_id", None)]),
        (TokenClientUnchecked, vec![("client_id", Some("nobody"))]),
        (GrantTypeOptional, vec![("grant_type", None)]),
        (UnknownGrantTypeGranted, vec![("grant_type", Some("urn:probe:unknown"))]),
        (ClientCredentialsGranted, vec![("grant_type", Some("client_credentials"))]),
        (
            EmptySecretAccepted,
            vec![("grant_type", Some("client_credentials")), ("client_secret", Some(""))],
        ),
        (
            UnknownRefreshTokenAccepted,
            vec![("grant_type", Some("refresh_token")), ("refresh_token", Some(OTHER))],
        ),
        (MissingRefreshTokenAccepted, vec![("grant_type", Some("refresh_token"))]),
    ] {
        assert_eq!(redeem_with(Policy::with(defect), &mutations).await, 200, "{defect}");
        assert!(redeem_with(Policy::conformant(), &mutations).await >= 400, "{defect}");
    }
}

#[tokio::test]
async fn defects_of_the_authorization_request_show() {
    use Defect::*;
    let challenge = challenge(VERIFIER);
    let short = &challenge[..42];
    for (defect, name, value) in [
        (PkceNotRequired, "code_challenge", ""),
        (PkceDowngrade, "code_challenge", ""),
        (PkceEnforcedLate, "code_challenge", ""),
        (EmptyChallengeAccepted, "code_challenge", ""),
        (ShortChallengeAccepted, "code_challenge", short),
        (UnknownMethodAsS256, "code_challenge_method", "S999"),
        (UnknownMethodAsPlain, "code_challenge_method", "S999"),
        (LowerCaseS256Accepted, "code_challenge_method", "s256"),
        (PlainAccepted, "code_challenge_method", "plain"),
        (AbsentMethodDisablesPkce, "code_challenge_method", ""),
        (ResponseTypeOptional, "response_type", ""),
        (UnknownResponseTypeAsCode, "response_type", "conformance_probe"),
        (HybridGranted, "response_type", "code token"),
        (PromptNoneSkipsLogin, "prompt", "none"),
        (UnknownResourceGranted, "resource", "https://probe.invalid/"),
        (ResourceFragmentAccepted, "resource", "https://probe.invalid/#x"),
    ] {
        for (policy, issues) in [(Policy::with(defect), true), (Policy::conformant(), false)] {
            let server = start(policy);
            let mut browser = Browser::new(&server);
            let mut parameters = request(seeds::WEB, seeds::WEB_REDIRECT_URI, &challenge);
            parameters.retain(|(n, _)| *n != name);
            parameters.push((name, value));
            let asked = browser.authorize(&parameters).await;
            let End::Client(url) = browser.allow(asked).await else {
                panic!("{defect}: no response")
            };
            assert_eq!(url.as_str().contains("code="), issues, "{defect}: {url}");
        }
    }
}

#[tokio::test]
async fn a_race_is_won_more_than_once() {
    let server = start(Policy::with(Defect::CodeRace));
    let mut browser = Browser::new(&server);
    let code = browser.flow(seeds::WEB, seeds::WEB_REDIRECT_URI).await.remove("code").unwrap();
    let redeem = || browser.redeem(seeds::WEB, seeds::WEB_REDIRECT_URI, &code);
    let (first, second) = tokio::join!(redeem(), redeem());
    assert_eq!((first.0, second.0), (200, 200));
    assert_eq!(redeem().await.0, 400);
}

#[tokio::test]
async fn request_values_reach_headers_pages_and_the_network() {
    let ask = async |policy: Policy, name: &'static str, value: String| {
        let server = start(policy);
        let challenge = challenge(VERIFIER);
        let mut parameters = request(seeds::WEB, seeds::WEB_REDIRECT_URI, &challenge);
        parameters.retain(|(n, _)| *n != name);
        parameters.push((name, &value));
        let url =
            url::Url::parse_with_params(&format!("{}/authorize", server.issuer()), &parameters)
                .unwrap();
        let answer = crate::support::http().get(url.clone()).send().await.unwrap();
        let injected = answer.headers().contains_key("x-probe");
        let mut browser = Browser::new(&server);
        let page = match browser.go(browser.http.get(url)).await {
            End::Page(_, page) => page,
            End::Client(url) => url.to_string(),
        };
        (injected, page)
    };
    for (defect, name) in [
        (Defect::StateSplitsHeaders, "state"),
        (Defect::ScopeSplitsHeaders, "scope"),
        (Defect::RedirectUriSplitsHeaders, "redirect_uri"),
    ] {
        assert!(ask(Policy::with(defect), name, "x\r\nX-Probe: 1".into()).await.0, "{defect}");
        assert!(!ask(Policy::conformant(), name, "x\r\nX-Probe: 1".into()).await.0, "{name}");
    }
    let marker = "openid <b onclick=\"x\">'";
    for (defect, name) in [
        (Defect::ClientIdEchoedRaw, "client_id"),
        (Defect::RedirectUriEchoedRaw, "redirect_uri"),
        (Defect::LoginHintEchoedRaw, "login_hint"),
        (Defect::ScopeEchoedRaw, "scope"),
    ] {
        assert!(
            ask(Policy::with(defect), name, marker.into()).await.1.contains("<b onclick"),
            "{defect}"
        );
        assert!(
            !ask(Policy::conformant(), name, marker.into()).await.1.contains("<b onclick"),
            "{name}"
        );
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/unique", listener.local_addr().unwrap());
    let visited = tokio::spawn(async move { listener.accept().await.map(drop) });
    ask(Policy::conformant(), "request_uri", url.clone()).await;
    assert!(!visited.is_finished());
    ask(Policy::with(Defect::RequestUriFetched), "request_uri", url).await;
    visited.await.unwrap().unwrap();
}
