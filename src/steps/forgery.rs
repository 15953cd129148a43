//! Forged access tokens at the resource.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cucumber::{then, when};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::resource::access_token;
use crate::expect::check;
use crate::model::verdict::{Deviation, Obstacle, Weight};
use crate::oauth::forge::{
    Attacker, KeyForm, Specimen, altered, cut, expire_later, rename_subject, widen_scope,
};
use crate::oauth::random;
use crate::world::access::{resource_request, with_token};
use crate::world::{Step, World};

/// Calls the resource with a forgery; `None`: the token has nothing that could be forged so.
async fn present(world: &mut World, forged: Option<String>) -> Step {
    let context = world.context()?;
    let valid = access_token(world)?;
    let Some(forged) = forged.filter(|forged| *forged != valid) else {
        return world.not_applicable("the access token has no such part or its key no such form");
    };
    let request = world.need(resource_request(&context))?;
    world.send(with_token(request, Some(&forged))).await
}

#[when(
    regex = "^the client calls the resource with its access token (altered at a quarter|altered in the middle|altered at three quarters|without its last 4 characters|without its last quarter|without its second half)$"
)]
async fn call_altered(world: &mut World, how: String) -> Step {
    let token = access_token(world)?;
    let shortened = |octets| cut(&token, octets).map(str::to_owned);
    let forged = match how.as_str() {
        "altered at a quarter" => altered(&token, 1, 4),
        "altered in the middle" => altered(&token, 1, 2),
        "altered at three quarters" => altered(&token, 3, 4),
        "without its last 4 characters" => shortened(4),
        "without its last quarter" => shortened(token.len() / 4),
        _ => shortened(token.len() / 2),
    };
    present(world, forged).await
}

#[when(
    regex = "^the client calls the resource with its JWT (with a later expiry|with a wider scope|with another subject|with an altered signature|without its signature)$"
)]
async fn call_tampered(world: &mut World, how: String) -> Step {
    let token = access_token(world)?;
    let forged = Specimen::of(&token).and_then(|jwt| match how.as_str() {
        "with a later expiry" => Some(jwt.with_claims(expire_later)),
        "with a wider scope" => Some(jwt.with_claims(widen_scope)),
        "with another subject" => Some(jwt.with_claims(rename_subject)),
        "with an altered signature" => jwt.with_signature_altered(),
        _ => Some(jwt.without_signature()),
    });
    present(world, forged).await
}

#[when(
    regex = "^the client calls the resource with an unsigned copy whose alg is (\\w+)( and whose expiry is later)?$"
)]
async fn call_unsigned(world: &mut World, alg: String, later: String) -> Step {
    let context = world.context()?;
    let token = access_token(world)?;
    let forged = Specimen::of(&token).map(|jwt| jwt.unsigned(&alg, !later.is_empty()));
    // Sent even where it equals the token: then the server issues what it must not accept.
    let Some(forged) = forged else { return world.not_applicable("the access token is no JWT") };
    let request = world.need(resource_request(&context))?;
    world.send(with_token(request, Some(&forged))).await
}

fn form_of(name: &str) -> KeyForm {
    match name {
        "PEM" => KeyForm::Pem,
        "PEM without its last line break" => KeyForm::PemTrimmed,
        "PKCS #1 PEM" => KeyForm::Pkcs1Pem,
        "DER" => KeyForm::Der,
        "base64" => KeyForm::Base64,
        "JWK" => KeyForm::Jwk,
        _ => KeyForm::Certificate,
    }
}

#[when(
    regex = "^the client calls the resource with a copy under HS256 keyed with the published key as (.+)$"
)]
async fn call_confused(world: &mut World, form: String) -> Step {
    let context = world.context()?;
    let token = access_token(world)?;
    let jwks = context.facts.jwks.clone().unwrap_or_default();
    let Some(jwt) = Specimen::of(&token) else {
        return world.not_applicable("the access token is no JWT");
    };
    let Some(key) = jwt.key(&jwks) else {
        return world.not_applicable("no published key verifies the access token");
    };
    let forged = form_of(&form).of(key).and_then(|secret| jwt.keyed_with(&secret, |_| ()));
    present(world, forged).await
}

#[when(
    regex = "^the client calls the resource with a copy signed by an attacker (under the kid of the server|under an unknown kid|with his key in the header|with his certificate in the header)$"
)]
async fn call_signed_by_attacker(world: &mut World, bait: String) -> Step {
    let token = access_token(world)?;
    let forged = Specimen::of(&token).and_then(|jwt| {
        let attacker = jwt.attacker();
        jwt.signed_by(&attacker, |header| match bait.as_str() {
            "under the kid of the server" => {}
            "under an unknown kid" => drop(header.insert("kid".into(), random(12).into())),
            "with his key in the header" => {
                header.insert("kid".into(), attacker.jwk()["kid"].clone());
                header.insert("jwk".into(), attacker.jwk());
            }
            _ => {
                header.remove("kid");
                header.insert("x5c".into(), json!([attacker.x5c()]));
            }
        })
    });
    present(world, forged).await
}

#[when(
    regex = "^the client calls the resource with a copy under HS256 whose kid is (the path of an empty file|a query that yields the key)$"
)]
async fn call_with_kid(world: &mut World, kid: String) -> Step {
    let token = access_token(world)?;
    let (kid, secret): (&str, &[u8]) = match kid.as_str() {
        "the path of an empty file" => ("../../../../../../../../dev/null", b""),
        _ => ("authspec' UNION SELECT 'authspec", b"authspec"),
    };
    let forged = Specimen::of(&token).and_then(|jwt| {
        jwt.keyed_with(secret, |header| drop(header.insert("kid".into(), kid.into())))
    });
    present(world, forged).await
}

#[when(
    regex = "^the client calls the resource with a copy signed by an attacker whose (key set|certificate) the header points at$"
)]
async fn call_with_pointer(world: &mut World, what: String) -> Step {
    if !world.context()?.target.is_local() {
        return world
            .not_applicable("the server cannot reach the harness, which listens on loopback");
    }
    let token = access_token(world)?;
    let Some(jwt) = Specimen::of(&token) else {
        return world.not_applicable("the access token is no JWT");
    };
    let attacker = jwt.attacker();
    let (member, media_type, document) = offered(&attacker, &what);
    let host = Host::listen(media_type, document).await.map_err(|e| {
        Obstacle::new("to listen on loopback", e.to_string(), "allow the harness to open a port")
    });
    let host = world.need(host)?;
    let forged = jwt.signed_by(&attacker, |header| {
        header.insert("kid".into(), attacker.jwk()["kid"].clone());
        header.insert(member.into(), host.url.as_str().into());
    });
    present(world, forged).await?;
    world.noted = host.calls.load(Ordering::Relaxed).to_string();
    Ok(())
}

fn offered(attacker: &Attacker, what: &str) -> (&'static str, &'static str, String) {
    match what {
        "key set" => {
            ("jku", "application/jwk-set+json", json!({"keys": [attacker.jwk()]}).to_string())
        }
        _ => ("x5u", "application/pem-certificate-chain", attacker.certificate().to_owned()),
    }
}

// RFC 8725 §3.10 has it as a SHOULD: the request alone opens nothing.
#[then("nobody fetched what the header points at")]
fn nothing_fetched(world: &mut World) -> Step {
    let is_fetched = world.noted.parse::<usize>().is_ok_and(|calls| calls > 0);
    world.judge(check(!is_fetched, || {
        let expected = "no request to the address in the header of a forged token";
        Deviation::new(expected, "a request from the server").weighing(Weight::Warning)
    }))
}

/// A host of the attacker that serves one document and counts who asks for it.
struct Host {
    url: String,
    calls: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Host {
    async fn listen(media_type: &'static str, document: String) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/{}", listener.local_addr()?, random(12));
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = calls.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                // Whether the answer is read does not matter.
                let _ = answer(stream, media_type, &document).await;
            }
        });
        Ok(Self { url, calls, task })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, media_type: &str, document: &str) -> std::io::Result<()> {
    let _ = stream.read(&mut [0; 4096]).await?;
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type";
    let length = document.len();
    let text = format!("{head}: {media_type}\r\nContent-Length: {length}\r\n\r\n{document}");
    stream.write_all(text.as_bytes()).await
}
