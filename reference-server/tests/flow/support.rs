//! A client and a user agent for the tests.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reference_server::{Config, Policy, Server, seeds, serve};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

pub(crate) fn start(policy: Policy) -> Server {
    serve(Config { policy, ..Config::default() }).unwrap()
}

pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap()
}

/// A browser with a cookie jar for one server.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) http: reqwest::Client,
    pub(crate) issuer: String,
    cookies: HashMap<String, String>,
}

/// Where a navigation ended.
#[derive(Debug)]
pub(crate) enum End {
    Page(u16, String),
    Client(Url),
}

impl End {
    pub(crate) fn client(self) -> HashMap<String, String> {
        match self {
            Self::Client(url) => url.query_pairs().into_owned().collect(),
            Self::Page(status, body) => panic!("a page instead of a response: {status} {body}"),
        }
    }

    pub(crate) fn page(self) -> (u16, String) {
        match self {
            Self::Page(status, body) => (status, body),
            Self::Client(url) => panic!("a response instead of a page: {url}"),
        }
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start:?} in {text}"));
    rest.split_once(end).unwrap().0
}

impl Browser {
    pub(crate) fn new(server: &Server) -> Self {
        Self { http: http(), issuer: server.issuer().to_owned(), cookies: HashMap::new() }
    }

    /// Sends the request with the cookies and keeps those of the answer.
    pub(crate) async fn send(&mut self, request: reqwest::RequestBuilder) -> reqwest::Response {
        let jar =
            self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("; ");
        let response = request.header(COOKIE, jar).send().await.unwrap();
        for line in response.headers().get_all(SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }

    /// Sends the request and follows redirects on the server.
    pub(crate) async fn go(&mut self, mut request: reqwest::RequestBuilder) -> End {
        loop {
            let response = self.send(request).await;
            let Some(location) =
                response.headers().get(LOCATION).map(|l| l.to_str().unwrap().to_owned())
            else {
                return End::Page(response.status().as_u16(), response.text().await.unwrap());
            };
            let next = Url::parse(&self.issuer).unwrap().join(&location).unwrap();
            if !next.as_str().starts_with(&self.issuer) {
                return End::Client(next);
            }
            request = self.http.get(next);
        }
    }

    pub(crate) async fn authorize(&mut self, parameters: &[(&str, &str)]) -> End {
        let url =
            Url::parse_with_params(&format!("{}/authorize", self.issuer), parameters).unwrap();
        self.go(self.http.get(url)).await
    }

    pub(crate) async fn submit(&mut self, path: &str, page: &str, fields: &[(&str, &str)]) -> End {
        let mut form: Vec<(&str, &str)> =
            vec![("csrf", between(page, "name=\"csrf\" value=\"", "\""))];
        if page.contains("name=\"request\"") {
            form.push(("request", between(page, "name=\"request\" value=\"", "\"")));
        }
        form.extend(fields);
        self.go(self.http.post(format!("{}{path}", self.issuer)).form(&form)).await
    }

    /// Signs Alice in and allows, wherever the page asks for it.
    pub(crate) async fn allow(&mut self, mut end: End) -> End {
        loop {
            let End::Page(_, page) = &end else { return end };
            end = if page.contains("name=\"password\"") {
                let fields = [("username", seeds::ALICE), ("password", seeds::ALICE_PASSWORD)];
                self.submit("/login", page, &fields).await
            } else if page.contains("value=\"allow\"") {
                self.submit("/consent", page, &[("decision", "allow")]).await
            } else {
                return end;
            };
        }
    }

    /// The parameters of the response of a complete flow.
    pub(crate) async fn flow(
        &mut self,
        client: &str,
        redirect_uri: &str,
    ) -> HashMap<String, String> {
        let challenge = challenge(VERIFIER);
        let start = self.authorize(&request(client, redirect_uri, &challenge)).await;
        self.allow(start).await.client()
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let response =
            self.http.post(format!("{}{path}", self.issuer)).form(form).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
    }

    pub(crate) async fn redeem(
        &self,
        client: &str,
        redirect_uri: &str,
        code: &str,
    ) -> (u16, Value) {
        let form = redemption(client, redirect_uri, code);
        self.post("/token", &form).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> u16 {
        let response = self
            .http
            .get(format!("{}{path}", self.issuer))
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        response.status().as_u16()
    }
}

pub(crate) fn request<'a>(
    client: &'a str,
    redirect_uri: &'a str,
    challenge: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", redirect_uri),
        ("scope", "openid profile api:read"),
        ("state", "a-State_value"),
        ("nonce", "a-Nonce_value"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ]
}

pub(crate) fn redemption<'a>(
    client: &'a str,
    redirect_uri: &'a str,
    code: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("redirect_uri", redirect_uri),
        ("code", code),
        ("code_verifier", VERIFIER),
    ]
}

pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}"))
}
