//! The login with a wallet.

mod conformant;
mod defects;
mod device;
mod session;

use std::collections::HashMap;

use reference_server::{Config, Policy, Server, seeds, serve};
use reqwest::header::LOCATION;
use serde_json::Value;
use url::Url;

use crate::support::{Browser, VERIFIER, challenge, http, request};
use device::{Presentation, decoded};

pub(super) fn start(policy: Policy) -> Server {
    let login = reference_server::Login::Wallet;
    serve(Config { policy, login, ..Config::default() }).unwrap()
}

/// A login that the server has begun.
pub(super) struct Login {
    pub(super) state: String,
    pub(super) request_uri: String,
    pub(super) portal: Url,
}

impl Login {
    /// Sends the authorization request of a client, which must lead to the portal.
    pub(super) async fn of(
        browser: &mut Browser,
        client: (&str, &str),
        more: &[(&str, &str)],
    ) -> Self {
        let challenge = challenge(VERIFIER);
        let parameters = [request(client.0, client.1, &challenge), more.to_vec()].concat();
        let url = format!("{}/authorize", browser.issuer);
        let asked = browser.http.get(Url::parse_with_params(&url, &parameters).unwrap());
        let response = browser.send(asked).await;
        assert_eq!(response.status(), 302);
        let portal = Url::parse(response.headers()[LOCATION].to_str().unwrap()).unwrap();
        let parameter = |url: &Url, name: &str| {
            url.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned()
        };
        let request = Url::parse(&parameter(&portal, "authRequest")).unwrap();
        Self {
            state: parameter(&portal, "state"),
            request_uri: parameter(&request, "request_uri"),
            portal,
        }
    }

    /// That of the web client.
    pub(super) async fn begin(browser: &mut Browser) -> Self {
        Self::of(browser, (seeds::WEB, seeds::WEB_REDIRECT_URI), &[]).await
    }

    pub(super) async fn subscribe(&self, browser: &mut Browser) -> reqwest::Response {
        let url = format!("{}/api/login/events?state={}", browser.issuer, self.state);
        browser.send(browser.http.get(url).header("accept", "text/event-stream")).await
    }

    /// The claims of the request object.
    pub(super) async fn request(&self) -> Value {
        let answer = http().get(&self.request_uri).send().await.unwrap();
        decoded(&answer.text().await.unwrap()).1
    }
}

/// Sends a presentation; status and body of the answer.
pub(super) async fn present(request: &Value, vp_token: &str) -> (u16, String) {
    let form = [("state", request["state"].as_str().unwrap()), ("vp_token", vp_token)];
    let uri = request["response_uri"].as_str().unwrap();
    let answer = http().post(uri).form(&form).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The authorization response in the rest of a stream, if one comes.
pub(super) async fn redirected(stream: reqwest::Response) -> Option<HashMap<String, String>> {
    assert_eq!(stream.status(), 200);
    let text = stream.text().await.unwrap();
    let data = text.strip_prefix("event: redirect\ndata: ")?.strip_suffix("\n\n").unwrap();
    Some(Url::parse(data).unwrap().query_pairs().into_owned().collect())
}

/// The `vp_token` of Alice that a request asks for.
pub(super) fn of_alice(server: &Server, request: &Value) -> String {
    Presentation::sd_jwt_vc(request, seeds::ALICE_EMAIL, server.clock()).bare()
}

/// Signs Alice in for a client; the authorization response.
pub(super) async fn sign_in(
    server: &Server,
    browser: &mut Browser,
    client: (&str, &str),
    more: &[(&str, &str)],
) -> HashMap<String, String> {
    let login = Login::of(browser, client, more).await;
    let stream = login.subscribe(browser).await;
    let request = login.request().await;
    assert_eq!(present(&request, &of_alice(server, &request)).await, (200, String::new()));
    redirected(stream).await.unwrap()
}
