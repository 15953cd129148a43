//! One HTTP/1.1 connection: writes a request as given, reads one answer within its bounds.

use std::time::Instant;

use futures_util::FutureExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::request::serialize;
use super::route::Route;
use super::{Limits, Origin, tls};
use crate::model::exchange::{Request, Response};
use crate::model::tls::{HandshakeFailure, TlsVersion};

/// Header fields that one answer may have.
const MOST_FIELDS: usize = 256;

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// The connection broke or the peer sent what is not HTTP.
pub(super) struct Broken {
    pub(super) reason: String,
    /// Not one octet of an answer had arrived.
    pub(super) before_answer: bool,
}

pub(super) struct Connection {
    stream: Box<dyn Stream>,
    /// Octets read and not yet consumed.
    buffer: Vec<u8>,
    pub(super) idle_since: Instant,
    /// The version of TLS, where it is spoken.
    pub(super) version: Option<TlsVersion>,
    /// What [`Self::begin`] held back.
    held_back: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(
        origin: &Origin,
        route: &Route,
        tls: &tls::Connector,
    ) -> Result<Self, HandshakeFailure> {
        let tcp = route.dial(origin).await.map_err(HandshakeFailure::Other)?;
        if !origin.tls {
            return Ok(Self::over(tcp, None));
        }
        let stream = tls.connect(&origin.host, tcp).await?;
        let version = tls::version(&stream);
        Ok(Self::over(stream, version))
    }

    pub(super) fn over(stream: impl Stream + 'static, version: Option<TlsVersion>) -> Self {
        let (buffer, held_back) = (Vec::new(), Vec::new());
        let stream = Box::new(stream);
        Self { stream, buffer, idle_since: Instant::now(), version, held_back }
    }

    /// Nothing arrived since the last answer, not even the end of the connection: another request
    /// may go out.
    pub(super) fn is_silent(&mut self) -> bool {
        self.buffer.is_empty() && self.read().now_or_never().is_none()
    }

    /// Sends a request but for its last octet, which [`Self::exchange`] will send.
    pub(super) async fn begin(&mut self, request: &Request) -> Result<(), String> {
        let mut octets = serialize(request)?;
        self.held_back = octets.split_off(octets.len().saturating_sub(1));
        let sent = async {
            self.stream.write_all(&octets).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|e| format!("the connection broke while sending: {e}"))
    }

    /// Sends one request, or the rest of one that has begun, and reads one answer; `true` when the
    /// connection can carry another.
    pub(super) async fn exchange(
        &mut self,
        request: &Request,
        limits: Limits,
    ) -> Result<(Response, bool), Broken> {
        let broken = |reason: String| Broken { reason, before_answer: true };
        let octets = match std::mem::take(&mut self.held_back) {
            rest if rest.is_empty() => serialize(request).map_err(broken)?,
            rest => rest,
        };
        let sent = self.stream.write_all(&octets).await;
        // A server may answer and hang up before it has read everything, with 413 for example.
        match (self.answer(request.method == "HEAD", limits).await, sent) {
            (Ok((response, reusable)), sent) => Ok((response, reusable && sent.is_ok())),
            (Err(_), Err(e)) => Err(broken(format!("the connection broke while sending: {e}"))),
            (Err(reason), Ok(())) => Err(Broken { before_answer: self.buffer.is_empty(), reason }),
        }
    }

    async fn answer(&mut self, is_head: bool, limits: Limits) -> Result<(Response, bool), String> {
        let head = loop {
            let head = self.head(limits.head).await?;
            // RFC 9110 §15.2: interim answers precede the final one; 101 would change the protocol.
            if head.status >= 200 {
                break head;
            }
            if head.status == 101 {
                return Err("the answer switches protocols, which nobody asked for".into());
            }
        };
        let mut response =
            Response { status: head.status, headers: head.headers, body: vec![], truncated: false };
        let mut reusable = head.keep_alive;
        if is_head || matches!(head.status, 204 | 304) {
            return Ok((response, reusable));
        }
        let chunked = response
            .headers("transfer-encoding")
            .any(|v| v.to_ascii_lowercase().contains("chunked"));
        if chunked {
            self.chunked_body(&mut response, limits.body).await?;
        } else if let Some(length) = response.header("content-length") {
            let length: usize =
                length.trim().parse().map_err(|_| "content-length is no number".to_owned())?;
            self.fill(length.min(limits.body)).await?;
            response.truncated = length > limits.body;
            response.body = self.buffer.drain(..length.min(limits.body)).collect();
        } else {
            reusable = false;
            self.rest(&mut response, limits.body).await?;
        }
        let truncated = response.truncated;
        Ok((response, reusable && !truncated))
    }

    async fn head(&mut self, limit: usize) -> Result<Head, String> {
        let mut parsed_at = 0;
        loop {
            // Parsing again for every octet of a slow head would cost quadratic time.
            if ends_head(&self.buffer[parsed_at..])
                && let Some((head, length)) = Head::parse(&self.buffer)?
            {
                self.buffer.drain(..length);
                return Ok(head);
            }
            parsed_at = self.buffer.len().saturating_sub(3);
            if self.buffer.len() > limit {
                return Err(format!("status line and header fields exceed {limit} octets"));
            }
            if !self.read().await? {
                return Err(if self.buffer.is_empty() {
                    "the connection was closed without an answer".into()
                } else {
                    "the connection was closed within the header fields".into()
                });
            }
        }
    }

    async fn chunked_body(&mut self, response: &mut Response, limit: usize) -> Result<(), String> {
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or("").trim();
            let size = usize::from_str_radix(size, 16)
                .map_err(|_| "a chunk size is no hexadecimal number".to_owned())?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(());
            }
            let room = limit - response.body.len();
            if size > room {
                self.fill(room).await?;
                response.body.extend(self.buffer.drain(..room));
                response.truncated = true;
                return Ok(());
            }
            self.fill(size + 2).await?;
            response.body.extend(self.buffer.drain(..size));
            self.buffer.drain(..2);
        }
    }

    async fn rest(&mut self, response: &mut Response, limit: usize) -> Result<(), String> {
        while self.buffer.len() <= limit && self.read().await? {}
        response.truncated = self.buffer.len() > limit;
        response.body = std::mem::take(&mut self.buffer);
        response.body.truncate(limit);
        Ok(())
    }

    async fn line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&b| b == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.buffer.len() > 4096 {
                return Err("a chunk header exceeds 4096 octets".into());
            }
            self.more().await?;
        }
    }

    async fn fill(&mut self, length: usize) -> Result<(), String> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(())
    }

    async fn more(&mut self) -> Result<(), String> {
        if self.read().await? {
            Ok(())
        } else {
            Err("the connection was closed within the body".into())
        }
    }

    async fn read(&mut self) -> Result<bool, String> {
        self.buffer.reserve(8192);
        let read = self.stream.read_buf(&mut self.buffer).await;
        Ok(read.map_err(|e| format!("the connection broke: {e}"))? > 0)
    }
}

/// An empty line, which ends the header fields, lies within these octets.
fn ends_head(octets: &[u8]) -> bool {
    octets.windows(3).any(|w| w == b"\n\r\n") || octets.windows(2).any(|w| w == b"\n\n")
}

struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    keep_alive: bool,
}

impl Head {
    fn parse(octets: &[u8]) -> Result<Option<(Self, usize)>, String> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut parsed = httparse::Response::new(&mut fields);
        let length = match parsed.parse(octets) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(e) => return Err(format!("the answer is not HTTP/1.1: {e}")),
        };
        let headers: Vec<(String, String)> = parsed
            .headers
            .iter()
            .map(|h| (h.name.to_owned(), String::from_utf8_lossy(h.value).into_owned()))
            .collect();
        let connection = |wanted: &str| {
            headers
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
                .any(|(_, value)| value.to_ascii_lowercase().contains(wanted))
        };
        let keep_alive =
            if parsed.version == Some(1) { !connection("close") } else { connection("keep-alive") };
        Ok(Some((Self { status: parsed.code.unwrap_or(0), headers, keep_alive }, length)))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    async fn answer_to(octets: &[u8], limits: Limits) -> Result<(Response, bool), String> {
        let (ours, mut theirs) = duplex(64 * 1024);
        theirs.write_all(octets).await.unwrap();
        drop(theirs.shutdown().await);
        let mut connection = Connection::over(ours, None);
        connection.answer(false, limits).await
    }

    #[tokio::test]
    async fn bodies_are_read_by_length_by_chunks_and_to_the_end() {
        for (octets, reusable) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
                true,
            ),
            ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", false),
            ("HTTP/1.0 200 OK\r\n\r\nhello", false),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                true,
            ),
        ] {
            let (response, again) = answer_to(octets.as_bytes(), Limits::default()).await.unwrap();
            assert_eq!((response.text().as_str(), again), ("hello", reusable), "{octets}");
        }
    }

    #[tokio::test]
    async fn header_fields_keep_order_and_spelling() {
        let octets = b"HTTP/1.1 302 Found\r\nX-b: 1\r\nLOCATION: /a\r\nset-cookie: a=1\r\nX-B: 2\r\nContent-Length: 0\r\n\r\n";
        let (response, _) = answer_to(octets, Limits::default()).await.unwrap();
        let names: Vec<_> = response.headers.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["X-b", "LOCATION", "set-cookie", "X-B", "Content-Length"]);
    }

    #[tokio::test]
    async fn oversized_answers_are_cut_or_refused() {
        let limits = Limits { body: 4, head: 64, ..Limits::default() };
        for octets in [
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcdefghi",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabcdefghi\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nabcdefghi",
        ] {
            let (response, again) = answer_to(octets.as_bytes(), limits).await.unwrap();
            assert_eq!(
                (response.text().as_str(), response.truncated, again),
                ("abcd", true, false),
                "{octets}"
            );
        }
        let long = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(100));
        assert!(answer_to(long.as_bytes(), limits).await.unwrap_err().contains("exceed 64 octets"));
    }

    #[tokio::test]
    async fn what_is_not_http_is_named() {
        assert!(
            answer_to(b"hello\n\nworld\r\n\r\n", Limits::default())
                .await
                .unwrap_err()
                .contains("not HTTP")
        );
        assert!(answer_to(b"", Limits::default()).await.unwrap_err().contains("without an answer"));
        let octets = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
        assert!(answer_to(octets, Limits::default()).await.unwrap_err().contains("hexadecimal"));
    }
}
