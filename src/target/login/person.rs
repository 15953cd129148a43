//! A person with a browser who signs in: he is shown the address, and the answer arrives at a
//! listener of ours on loopback, or he pastes it. Where the server shows him an error page, he says
//! so: by a line `error` or `error: WHAT IT SAYS`, or by a page of the listener.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::{Host, Url};

use super::outside::Brought;
use super::reason::{Reason, Trouble};
use crate::oauth::params::Params;
use crate::oauth::random;

/// Octets of a request to the listener that are read.
const MOST_OCTETS: usize = 16 * 1024;
/// Time that one connection to the listener has.
const CONNECTION: Duration = Duration::from_secs(5);
/// Characters of what an error page says that are kept.
const MOST_WORDS: usize = 200;

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
    /// Asks the person to sign in once; what he brings back, or why there is nothing. A response
    /// that is posted can only be heard. `is_callback` knows every address of the client: a server
    /// may tell another client of an error.
    pub(super) async fn ask(
        &self,
        url: &str,
        redirect_uri: &str,
        is_posted: bool,
        user: &str,
        is_callback: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Brought, Trouble> {
        let Some(console) = &self.console else {
            let remedy = "run from a terminal, or choose another driver under [login]";
            return Err(Trouble::new(Reason::NotPossible, "nobody is there to sign in", remedy));
        };
        let listener = Listener::bind(redirect_uri).await;
        let (how, page) = match &listener {
            Err(_) if is_posted => {
                return Err(Trouble::not_possible(
                    "the response is a form that the browser posts, which nobody can paste and no loopback redirect URI hears",
                ));
            }
            Ok(own) if is_posted => ("the answer is awaited there".to_owned(), own.error_page()),
            Ok(own) => (
                "the answer is awaited there; or paste the address to which the browser is sent"
                    .to_owned(),
                own.error_page(),
            ),
            Err(why) => {
                (format!("{why}: paste the address to which the browser is sent"), String::new())
            }
        };
        console.show(&format!(
            "sign in{} within {} s, in a private window:\n  {url}\n{redirect_uri}: {how}\nan error page of the server instead: enter error, or error: WHAT IT SAYS{page}",
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
                if let Some(words) = error_words(&line) {
                    return Brought::ErrorPage(words);
                }
                if !line.is_empty() && is_callback(&line) {
                    return Brought::Response(line, None);
                }
                console.show(&format!(
                    "that address does not begin with {redirect_uri}, and is no error either"
                ));
            }
        };
        let either = async {
            tokio::select! { brought = heard => brought, brought = pasted => brought }
        };
        let answer = tokio::time::timeout(self.timeout, either).await;
        answer.map_err(|_| {
            let detail = format!("nobody signed in within {} s", self.timeout.as_secs());
            Trouble::new(Reason::TimedOut, detail, "raise timeout_seconds under [login]")
        })
    }
}

/// What an error page says, if the line tells of one.
fn error_words(line: &str) -> Option<String> {
    let rest =
        line.get(..5).filter(|word| word.eq_ignore_ascii_case("error")).map(|_| &line[5..])?;
    if !rest.is_empty() && !rest.starts_with([':', ' ']) {
        return None;
    }
    let words = rest.trim_start_matches([':', ' ']).trim_end();
    Some(words.chars().filter(|c| !c.is_control()).take(MOST_WORDS).collect())
}

/// A listener at a redirect URI on loopback.
struct Listener {
    socket: TcpListener,
    redirect_uri: String,
    path: String,
    /// Whoever opens it says that the server showed an error; no page of the target can guess it.
    error_path: String,
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
        let error_path = format!("/{}/error", random(8));
        Ok(Self { socket, redirect_uri: bare, path: url.path().to_owned(), error_path })
    }

    /// Where the person may go instead of entering anything.
    fn error_page(&self) -> String {
        let own = Url::parse(&self.redirect_uri).and_then(|url| url.join(&self.error_path));
        own.map_or_else(|_| String::new(), |url| format!(", or open {url}"))
    }

    /// What the first request says that carries a response, or tells of an error page; others, such
    /// as for an icon, are told that there is nothing.
    async fn response(self) -> Brought {
        loop {
            let Ok((stream, _)) = self.socket.accept().await else {
                // Out of descriptors, most likely: to ask at once again would ask in vain.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let served = tokio::time::timeout(CONNECTION, self.serve(stream)).await;
            if let Ok(Some(brought)) = served {
                return brought;
            }
        }
    }

    async fn serve(&self, mut stream: TcpStream) -> Option<Brought> {
        let request = read(&mut stream).await?;
        let brought = self.brought(&request);
        let (status, text) = match &brought {
            Some(Brought::Response(..)) => {
                ("200 OK", "The answer has arrived. You may close this window.")
            }
            Some(Brought::ErrorPage(_)) => {
                ("200 OK", "Noted: the server showed an error. You may close this window.")
            }
            None => ("404 Not Found", "Nothing is here."),
        };
        let page = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
             Referrer-Policy: no-referrer\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{text}",
            text.len()
        );
        let _ = stream.write_all(page.as_bytes()).await;
        let _ = stream.shutdown().await;
        brought
    }

    fn brought(&self, request: &str) -> Option<Brought> {
        if request.starts_with(&format!("GET {} ", self.error_path)) {
            return Some(Brought::ErrorPage(String::new()));
        }
        let parameters = response_of(request, &self.path)?;
        Some(match request.starts_with("POST ") {
            true => Brought::Response(self.redirect_uri.clone(), Some(Params::decode(&parameters))),
            false => Brought::Response(format!("{}?{parameters}", self.redirect_uri), None),
        })
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
        let asked =
            manual.ask("http://as.test/", "http://127.0.0.1:1/cb", false, "", &|_| true).await;
        assert!(matches!(asked, Err(trouble) if trouble.reason == Reason::NotPossible));
    }

    #[tokio::test]
    async fn the_listener_tells_query_form_and_error_page_apart() {
        let listener = Listener::bind("http://127.0.0.1:0/cb").await.unwrap();
        let page = listener.error_path.clone();
        let heard = |line: &str, body: &str| {
            listener.brought(&format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n{body}"))
        };
        assert!(matches!(heard("GET /cb?code=c", ""),
            Some(Brought::Response(url, None)) if url.ends_with("/cb?code=c")));
        assert!(matches!(heard("POST /cb", "code=a%2Bb&state=s"),
            Some(Brought::Response(_, Some(form))) if form.value("code") == Some("a+b")));
        assert!(matches!(heard(&format!("GET {page}"), ""), Some(Brought::ErrorPage(_))));
        assert!(heard("GET /error", "").is_none() && heard(&format!("POST {page}"), "").is_none());
        assert!(listener.error_page().ends_with(&page));
    }

    #[tokio::test]
    async fn a_posted_response_is_not_waited_for_where_nobody_hears_it() {
        struct Nobody;
        impl Console for Nobody {
            fn show(&self, _: &str) {}
            fn line(&self) -> Pin<Box<dyn Future<Output = String> + Send + '_>> {
                Box::pin(std::future::pending())
            }
        }
        let console: Option<Arc<dyn Console>> = Some(Arc::new(Nobody));
        let manual = Manual { timeout: Duration::from_secs(60), console };
        let asked = manual.ask("http://as.test/", "https://app.test/cb", true, "", &|_| true).await;
        assert!(matches!(asked, Err(trouble) if trouble.reason == Reason::NotPossible));
    }

    #[test]
    fn an_error_page_is_told_of_in_a_line() {
        assert_eq!(error_words("error").as_deref(), Some(""));
        assert_eq!(error_words("Error: no\u{1b} such client ").as_deref(), Some("no such client"));
        assert_eq!(error_words("error invalid_request").as_deref(), Some("invalid_request"));
        for line in ["errors", "", "é", "https://app.test/cb?error=x", "err"] {
            assert_eq!(error_words(line), None, "{line}");
        }
        assert_eq!(
            error_words(&format!("error: {}", "é".repeat(900))).unwrap().chars().count(),
            200
        );
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "(error)?.{0,20}") {
            let _ = error_words(&line);
        }
    }
}
