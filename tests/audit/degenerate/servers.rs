//! Servers that answer every request in the same useless manner.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// In every answer of a degenerate server that is HTTP at all.
pub(crate) const MARK: &str = "X-Degenerate";

/// The main redirect URI of the client, for servers that know no other address.
pub(crate) const CALLBACK: &str = "https://app.example.test/callback";

/// What such a server does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    NotFound,
    InternalError,
    Unavailable,
    Empty,
    Page,
    SignInPage,
    CodeToClient,
    NothingToClient,
    ErrorToClient,
    ToItself,
    EchoHtml,
    EchoJson,
    OAuthError,
    BearerError,
    GrantsEverything,
    HangsUp,
    Drips,
    EndlessHead,
    EndlessBody,
    EndlessChunks,
    HugeLength,
    NotHttp,
}

impl Manner {
    pub(crate) const ALL: [Self; 22] = [
        Self::NotFound,
        Self::InternalError,
        Self::Unavailable,
        Self::Empty,
        Self::Page,
        Self::SignInPage,
        Self::CodeToClient,
        Self::NothingToClient,
        Self::ErrorToClient,
        Self::ToItself,
        Self::EchoHtml,
        Self::EchoJson,
        Self::OAuthError,
        Self::BearerError,
        Self::GrantsEverything,
        Self::HangsUp,
        Self::Drips,
        Self::EndlessHead,
        Self::EndlessBody,
        Self::EndlessChunks,
        Self::HugeLength,
        Self::NotHttp,
    ];

    /// The answer never ends, or ends beyond all bounds.
    pub(crate) fn never_ends(self) -> bool {
        matches!(self, Self::Drips | Self::HugeLength)
    }

    /// Answers, as far as the client listens; the connection is closed afterwards.
    fn answer(self, request: &Asked, stream: &mut TcpStream) -> std::io::Result<()> {
        let html = |status, text: &str| plain(status, "Content-Type: text/html\r\n", text);
        let json = |status, text: &str| plain(status, "Content-Type: application/json\r\n", text);
        let to = |address: &str| plain("302 Found", &format!("Location: {address}\r\n"), "");
        let to_client = |parameters: &str| {
            let uri = request.value("redirect_uri").unwrap_or_else(|| CALLBACK.into());
            let state = request.value("state").map(|s| format!("state={s}&")).unwrap_or_default();
            to(&format!("{uri}?{state}{parameters}"))
        };
        let sign_in = "<form method=post><input name=username><input type=password name=password><button>Sign in</button></form>";
        let whole = match self {
            Self::NotFound => html("404 Not Found", "<h1>not found</h1>"),
            Self::InternalError => html("500 Internal Server Error", "<h1>error</h1>"),
            Self::Unavailable => html("503 Service Unavailable", "<h1>later</h1>"),
            Self::Empty => plain("200 OK", "", ""),
            Self::Page => html("200 OK", "<h1>hello</h1>"),
            Self::SignInPage => html("200 OK", sign_in),
            Self::CodeToClient => to_client("code=0123456789abcdef0123456789abcdef"),
            Self::NothingToClient => to_client(""),
            Self::ErrorToClient => to_client("error=invalid_request"),
            Self::ToItself => to(&request.target),
            Self::EchoHtml => html("200 OK", &request.text),
            Self::EchoJson => json("200 OK", &request.as_json()),
            Self::OAuthError => json("400 Bad Request", r#"{"error":"invalid_grant"}"#),
            Self::BearerError => plain(
                "401 Unauthorized",
                "Content-Type: application/json\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\n",
                r#"{"error":"invalid_token"}"#,
            ),
            Self::GrantsEverything => json(
                "200 OK",
                r#"{"access_token":"0123456789abcdef0123456789abcdef","token_type":"Bearer","expires_in":60,"active":true,"sub":"alice","keys":[]}"#,
            ),
            Self::HangsUp => return Ok(()),
            Self::NotHttp => "SSH-2.0-OpenSSH_9.6\r\n\r\n".into(),
            Self::Drips => return stall(stream, "H"),
            Self::HugeLength => {
                return stall(stream, &head("200 OK", "Content-Length: 999999999999\r\n"));
            }
            Self::EndlessHead => {
                return repeat(stream, "HTTP/1.1 200 OK\r\n", "X-Filler: 0123456789abcdef\r\n");
            }
            Self::EndlessBody => return repeat(stream, &head("200 OK", ""), "0123456789abcdef"),
            Self::EndlessChunks => {
                let head = head("200 OK", "Transfer-Encoding: chunked\r\n");
                return repeat(stream, &head, "10\r\n0123456789abcdef\r\n");
            }
        };
        stream.write_all(whole.as_bytes())
    }
}

fn head(status: &str, fields: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{MARK}: yes\r\nConnection: close\r\n{fields}\r\n")
}

fn plain(status: &str, fields: &str, body: &str) -> String {
    let length = format!("{fields}Content-Length: {}\r\n", body.len());
    format!("{}{body}", head(status, &length))
}

/// Sends the beginning of an answer and then nothing, until the client has had enough.
fn stall(stream: &mut TcpStream, beginning: &str) -> std::io::Result<()> {
    stream.write_all(beginning.as_bytes())?;
    stream.read(&mut [0]).map(|_| ())
}

/// Sends `more` until the client has had enough.
fn repeat(stream: &mut TcpStream, beginning: &str, more: &str) -> std::io::Result<()> {
    stream.write_all(beginning.as_bytes())?;
    let more = more.repeat(256);
    loop {
        stream.write_all(more.as_bytes())?;
    }
}

/// One request as it arrived.
struct Asked {
    octets: Vec<u8>,
    text: String,
    /// Path and query.
    target: String,
}

impl Asked {
    /// Reads one request; `None` at the end of the connection.
    fn read(reader: &mut BufReader<TcpStream>) -> Option<Self> {
        let (mut octets, mut length) = (Vec::new(), 0);
        loop {
            let mut line = Vec::new();
            if reader.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
            let text = String::from_utf8_lossy(&line).to_ascii_lowercase();
            if let Some(value) = text.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            octets.extend_from_slice(&line);
            if line == b"\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        octets.extend_from_slice(&body);
        let text = String::from_utf8_lossy(&octets).into_owned();
        let target = text.split(' ').nth(1).unwrap_or("/").to_owned();
        Some(Self { octets, text, target })
    }

    /// The parameters of query and body.
    fn parameters(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let body = self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        url::form_urlencoded::parse(format!("{query}&{body}").as_bytes()).into_owned().collect()
    }

    /// The first value of that name that can stand in a header field.
    fn value(&self, name: &str) -> Option<String> {
        let all = self.parameters();
        let (_, value) = all.into_iter().find(|(n, _)| n == name)?;
        (!value.contains(['\r', '\n'])).then_some(value)
    }

    fn as_json(&self) -> String {
        let members = self.parameters().into_iter().map(|(n, v)| (n, v.into()));
        serde_json::Value::Object(members.collect()).to_string()
    }
}

/// Listens on a free port and gives each connection, with its one request, to `answer`.
fn listen(answer: impl Fn(&Asked, &mut TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let Some(request) = Asked::read(&mut reader) else { return };
                let mut stream = stream;
                answer(&request, &mut stream);
                let _ = stream.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    address
}

/// A server that has no other manner.
pub(crate) fn degenerate(manner: Manner) -> String {
    listen(move |request, stream| {
        // The client may leave before the end.
        let _ = manner.answer(request, stream);
    })
}

/// A relay to `upstream` that degenerates as soon as `broken` is set.
pub(crate) fn relay(upstream: String, manner: Manner, broken: Arc<AtomicBool>) -> String {
    listen(move |request, stream| {
        let _ = if broken.load(Ordering::Relaxed) {
            manner.answer(request, stream)
        } else {
            stream.write_all(&forward(&upstream, &request.octets))
        };
    })
}

/// The server's answer on a connection of its own.
fn forward(upstream: &str, request: &[u8]) -> Vec<u8> {
    let mut server = TcpStream::connect(upstream).unwrap();
    let text = String::from_utf8_lossy(request).replacen("\r\n", "\r\nConnection: close\r\n", 1);
    server.write_all(text.as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    answer
}
