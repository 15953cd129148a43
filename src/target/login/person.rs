//! A person with a browser who signs in: he is shown the address, and the answer arrives at a
//! listener of ours on loopback, or he pastes it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::{Host, Url};

use super::reason::{Reason, Trouble};

/// Octets of a request to the listener that are read.
const MOST_OCTETS: usize = 16 * 1024;
/// Time that one connection to the listener has.
const CONNECTION: Duration = Duration::from_secs(5);

/// Whoever talks to the person.
pub trait Console: Send + Sync {
    /// Shows a text.
    fn show(&self, text: &str);
    /// The next line that the person enters; never, where he cannot enter any.
    fn line(&self) -> Pin<Box<dyn Future<Output = String> + Send + '_>>;
}

/// A person who signs in.
#[derive(Clone)]
pub struct Manual {
    /// Time that he has for one login.
    pub timeout: Duration,
    /// The way to him; nobody signs in without it.
    pub console: Option<Arc<dyn Console>>,
}

impl fmt::Debug for Manual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manual({} s, {})", self.timeout.as_secs(), self.console.is_some())
    }
}

impl Manual {
    /// Asks the person to sign in once; the callback URL, or why there is none.
    pub(super) async fn ask(
        &self,
        url: &str,
        redirect_uri: &str,
        user: &str,
    ) -> Result<String, Trouble> {
        let Some(console) = &self.console else {
            let remedy = "run from a terminal, or choose another driver under [login]";
            return Err(Trouble::new(Reason::NotPossible, "nobody is there to sign in", remedy));
        };
        let listener = Listener::bind(redirect_uri).await;
        let how = match &listener {
            Ok(_) => "the answer is awaited there; or paste".to_owned(),
            Err(why) => format!("{why}: paste"),
        };
        console.show(&format!(
            "sign in{} within {} s, in a private window:\n  {url}\n{redirect_uri}: {how} the address to which the browser is sent",
            if user.is_empty() { String::new() } else { format!(" as {user}") },
            self.timeout.as_secs()
        ));
        let heard = async {
            match listener {
                Ok(listener) => listener.response().await,
                Err(_) => std::future::pending().await,
            }
        };
        let pasted = async {
            loop {
                let line = console.line().await.trim().to_owned();
                match line.starts_with(redirect_uri) && !redirect_uri.is_empty() {
                    true => return line,
                    false => {
                        console.show(&format!("that address does not begin with {redirect_uri}"))
                    }
                }
            }
        };
        let either = async {
            tokio::select! { url = heard => url, url = pasted => url }
        };
        let answer = tokio::time::timeout(self.timeout, either).await;
        answer.map_err(|_| {
            let detail = format!("nobody signed in within {} s", self.timeout.as_secs());
            Trouble::new(Reason::TimedOut, detail, "raise timeout_seconds under [login]")
        })
    }
}

/// A listener at a redirect URI on loopback.
struct Listener {
    socket: TcpListener,
    redirect_uri: String,
    path: String,
}

impl Listener {
    /// The error says why nobody can listen there.
    async fn bind(redirect_uri: &str) -> Result<Self, String> {
        let url = Url::parse(redirect_uri).map_err(|e| e.to_string())?;
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::from(address),
            Some(Host::Ipv6(address)) => IpAddr::from(address),
            Some(Host::Domain("localhost")) => IpAddr::from(Ipv4Addr::LOCALHOST),
            _ => return Err("it is not on loopback".into()),
        };
        if url.scheme() != "http" || !address.is_loopback() {
            return Err("it is not http on loopback".into());
        }
        let port = url.port_or_known_default().unwrap_or(80);
        let socket = TcpListener::bind(SocketAddr::new(address, port))
            .await
            .map_err(|e| format!("nobody can listen there ({e})"))?;
        let bare = redirect_uri.split(['?', '#']).next().unwrap_or(redirect_uri).to_owned();
        Ok(Self { socket, redirect_uri: bare, path: url.path().to_owned() })
    }

    /// The address of the first request that carries a response; others, such as for an icon, are
    /// told that there is nothing.
    async fn response(self) -> String {
        loop {
            let Ok((stream, _)) = self.socket.accept().await else {
                // Out of descriptors, most likely: to ask at once again would ask in vain.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let served = tokio::time::timeout(CONNECTION, self.serve(stream)).await;
            if let Ok(Some(url)) = served {
                return url;
            }
        }
    }

    async fn serve(&self, mut stream: TcpStream) -> Option<String> {
        let request = read(&mut stream).await?;
        let query = response_of(&request, &self.path);
        let (status, text) = match query {
            Some(_) => ("200 OK", "The answer has arrived. You may close this window."),
            None => ("404 Not Found", "Nothing is here."),
        };
        let page = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
             Referrer-Policy: no-referrer\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        let _ = stream.write_all(page.as_bytes()).await;
        let _ = stream.shutdown().await;
        query.map(|query| format!("{}?{query}", self.redirect_uri))
    }
}

/// The request up to the end of its body, as far as its length is given.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut octets = Vec::new();
    let mut part = [0; 2048];
    loop {
        let count = stream.read(&mut part).await.ok()?;
        octets.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&octets);
        let is_complete = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            body.len() >= length.unwrap_or(0)
        });
        if is_complete || count == 0 || octets.len() > MOST_OCTETS {
            return is_complete.then(|| text.into_owned());
        }
    }
}

/// The parameters of an authorization response that a request to `path` carries, in its query or,
/// where it is a form (OAuth 2.0 Form Post Response Mode §2), in its body.
fn response_of(request: &str, path: &str) -> Option<String> {
    let mut line = request.lines().next()?.split(' ');
    let (method, target) = (line.next()?, line.next()?);
    let (own, query) = target.split_once('?').unwrap_or((target, ""));
    let parameters = match method {
        "GET" => query,
        "POST" => request.split_once("\r\n\r\n")?.1,
        _ => return None,
    };
    let is_response = parameters.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or(pair);
        name == "code" || name == "error"
    });
    (own == path && is_response).then(|| parameters.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_response_at_the_redirect_uri_counts() {
        let get = |target: &str| response_of(&format!("GET {target} HTTP/1.1\r\n\r\n"), "/cb");
        assert_eq!(get("/cb?code=c&state=s").as_deref(), Some("code=c&state=s"));
        assert_eq!(get("/cb?error=access_denied").as_deref(), Some("error=access_denied"));
        for target in ["/favicon.ico", "/cb", "/cb?state=s", "/other?code=c", "/cb?encode=c"] {
            assert_eq!(get(target), None, "{target}");
        }
        let post = "POST /cb HTTP/1.1\r\nContent-Length: 6\r\n\r\ncode=c";
        assert_eq!(response_of(post, "/cb").as_deref(), Some("code=c"));
        assert_eq!(response_of("PUT /cb?code=c HTTP/1.1\r\n\r\n", "/cb"), None);
    }

    #[tokio::test]
    async fn nobody_listens_outside_loopback() {
        for uri in ["https://127.0.0.1/cb", "http://app.test/cb", "com.example.app:/cb", "x"] {
            assert!(Listener::bind(uri).await.is_err(), "{uri}");
        }
    }

    #[tokio::test]
    async fn without_a_console_nobody_signs_in() {
        let manual = Manual { timeout: Duration::from_secs(1), console: None };
        let trouble = manual.ask("http://as.test/", "http://127.0.0.1:1/cb", "").await.unwrap_err();
        assert_eq!(trouble.reason, Reason::NotPossible);
    }
}
