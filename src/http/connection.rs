//! One HTTP/1.1 connection: writes a request as given, reads one answer within its bounds.

use std::time::Instant;

use futures_util::FutureExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::head::{Head, ends_head};
use super::request::serialize;
use super::route::Route;
use super::{Limits, Origin, tls};
use crate::model::exchange::{Request, Response};
use crate::model::tls::{HandshakeFailure, TlsVersion};

/// Whether the body so far is all that is wanted of an answer; nobody waits for the rest.
pub(super) type Enough<'a> = &'a (dyn Fn(&[u8]) -> bool + Sync);

/// An answer is wanted to its end.
const NEVER: Enough<'static> = &|_| false;

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
        let tcp = route.dial(origin).await.map_err(HandshakeFailure::Unreached)?;
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

    /// What a protocol other than HTTP goes on with: the stream, and what was read of it.
    pub(super) fn into_parts(self) -> (Box<dyn Stream>, Vec<u8>) {
        (self.stream, self.buffer)
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
        let mut so_far = None;
        let reusable = self.listen(request, limits, &mut so_far, NEVER).await?;
        let broken = || Broken { reason: "no answer was read".into(), before_answer: false };
        Ok((so_far.ok_or_else(broken)?, reusable))
    }

    /// [`Self::exchange`] until the body is enough. What has arrived stands in `so_far`, even where
    /// nobody waits for the end.
    pub(super) async fn listen(
        &mut self,
        request: &Request,
        limits: Limits,
        so_far: &mut Option<Response>,
        enough: Enough<'_>,
    ) -> Result<bool, Broken> {
        let broken = |reason: String| Broken { reason, before_answer: true };
        let octets = match std::mem::take(&mut self.held_back) {
            rest if rest.is_empty() => serialize(request).map_err(broken)?,
            rest => rest,
        };
        let sent = self.stream.write_all(&octets).await;
        // A server may answer and hang up before it has read everything, with 413 for example.
        match (self.answer(request, limits, so_far, enough).await, sent) {
            (Ok(reusable), sent) => Ok(reusable && sent.is_ok()),
            (Err(_), Err(e)) => Err(broken(format!("the connection broke while sending: {e}"))),
            (Err(reason), Ok(())) => Err(Broken { before_answer: self.buffer.is_empty(), reason }),
        }
    }

    async fn answer(
        &mut self,
        request: &Request,
        limits: Limits,
        so_far: &mut Option<Response>,
        enough: Enough<'_>,
    ) -> Result<bool, String> {
        let head = loop {
            let head = self.head(limits.head).await?;
            // RFC 9110 §15.2: interim answers precede the final one; 101 changes the protocol.
            match head.status {
                101 if request.header("upgrade").is_none() => {
                    return Err("the answer switches protocols, which nobody asked for".into());
                }
                101 | 200.. => break head,
                _ => {}
            }
        };
        let (status, headers) = (head.status, head.headers);
        let response = so_far.insert(Response { status, headers, body: vec![], truncated: false });
        let mut reusable = head.keep_alive;
        if request.method == "HEAD" || matches!(status, 101 | 204 | 304) {
            return Ok(reusable);
        }
        let chunked = response
            .headers("transfer-encoding")
            .any(|v| v.to_ascii_lowercase().contains("chunked"));
        if chunked {
            self.chunked_body(response, limits.body, enough).await?;
        } else if let Some(length) = response.header("content-length") {
            let length: usize =
                length.trim().parse().map_err(|_| "content-length is no number".to_owned())?;
            self.fill(length.min(limits.body)).await?;
            response.truncated = length > limits.body;
            response.body = self.buffer.drain(..length.min(limits.body)).collect();
        } else {
            reusable = false;
            self.rest(response, limits.body, enough).await?;
        }
        Ok(reusable && !response.truncated)
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

    async fn chunked_body(
        &mut self,
        response: &mut Response,
        limit: usize,
        enough: Enough<'_>,
    ) -> Result<(), String> {
        loop {
            if enough(&response.body) {
                response.truncated = true;
                return Ok(());
            }
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

    async fn rest(
        &mut self,
        response: &mut Response,
        limit: usize,
        enough: Enough<'_>,
    ) -> Result<(), String> {
        loop {
            response.body.append(&mut self.buffer);
            response.truncated = response.body.len() > limit || enough(&response.body);
            response.body.truncate(limit);
            if response.truncated || !self.read().await? {
                return Ok(());
            }
        }
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

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    async fn answer_to(octets: &[u8], limits: Limits) -> Result<(Response, bool), String> {
        let (ours, mut theirs) = duplex(64 * 1024);
        theirs.write_all(octets).await.unwrap();
        drop(theirs.shutdown().await);
        let (mut connection, mut so_far) = (Connection::over(ours, None), None);
        let reusable =
            connection.answer(&Request::get("http://as.test/"), limits, &mut so_far, NEVER).await?;
        Ok((so_far.unwrap(), reusable))
    }

    #[tokio::test]
    async fn a_stream_is_read_until_it_is_enough_and_kept_when_nobody_waits_any_longer() {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
        for body in ["Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n", "\r\nonetwo"] {
            for (wanted, is_enough) in [("two", true), ("three", false)] {
                let (ours, mut theirs) = duplex(1024);
                theirs.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
                let (mut connection, mut so_far) = (Connection::over(ours, None), None);
                let enough = |body: &[u8]| String::from_utf8_lossy(body).contains(wanted);
                let limits = Limits::default();
                let read = connection
                    .answer(&Request::get("http://as.test/"), limits, &mut so_far, &enough)
                    .now_or_never();
                assert_eq!(read, is_enough.then_some(Ok(false)), "{body} {wanted}");
                assert_eq!(so_far.unwrap().text(), "onetwo");
            }
        }
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
