//! Web sockets (RFC 6455), as far as a page listens to one: what the server says is the body of the
//! answer that opened it, each message with a line feed behind.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::Limits;
use super::connection::{Broken, Connection, Stream};
use crate::model::exchange::{Request, Response};

/// What the listener does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Waits for the next message.
    Wait,
    /// Sends this text, and is asked again.
    Say(String),
    /// Has heard enough.
    Enough,
}

/// What follows on the messages so far and the number of texts that were sent.
pub(super) type Talk<'a> = &'a (dyn Fn(&[u8], usize) -> Turn + Sync);

/// Adds the fields that ask for a web socket (§4.1), with these subprotocols where there are any.
pub(super) fn ask(request: &mut Request, protocols: Option<&str>) {
    let key = STANDARD.encode(rand::random::<[u8; 16]>());
    let fields = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", &key),
    ];
    let protocols = protocols.map(|names| ("Sec-WebSocket-Protocol", names));
    let fields = fields.into_iter().chain(protocols);
    request.headers.extend(fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

/// Whether the answer opens the web socket that was asked for (§4.1). The error says why not.
fn is_opened(request: &Request, response: &Response) -> Result<(), String> {
    let has = |name: &str, token: &str| {
        let mut values = response.headers(name).flat_map(|value| value.split(','));
        values.any(|value| value.trim().eq_ignore_ascii_case(token))
    };
    if !has("upgrade", "websocket") || !has("connection", "upgrade") {
        return Err("101 without Upgrade: websocket and Connection: Upgrade".into());
    }
    let key = request.header("sec-websocket-key").unwrap_or_default();
    if response.header("sec-websocket-accept") != Some(derive_accept_key(key.as_bytes()).as_str()) {
        return Err("a Sec-WebSocket-Accept that does not follow from the key".into());
    }
    Ok(())
}

impl Connection {
    /// Opens a web socket and listens until that is enough, or the server closes it. What was said
    /// stands in `so_far`, even where nobody waits for the end; so does an answer that opens none.
    pub(super) async fn converse(
        mut self,
        request: &Request,
        limits: Limits,
        so_far: &mut Option<Response>,
        talk: Talk<'_>,
    ) -> Result<(), Broken> {
        self.listen(request, limits, so_far, &|_| false).await?;
        let Some(response) = so_far.as_mut().filter(|response| response.status == 101) else {
            return Ok(());
        };
        let broken = |reason: String| Broken { reason, before_answer: false };
        if let Err(why) = is_opened(request, response) {
            *so_far = None;
            return Err(broken(why));
        }
        let bounds = WebSocketConfig::default()
            .max_message_size(Some(limits.body))
            .max_frame_size(Some(limits.body));
        let (stream, read) = self.into_parts();
        let socket = WebSocketStream::from_partially_read(stream, read, Role::Client, Some(bounds));
        hear(socket.await, limits.body, response, talk).await.map_err(broken)
    }
}

async fn hear(
    mut socket: WebSocketStream<Box<dyn Stream>>,
    limit: usize,
    response: &mut Response,
    talk: Talk<'_>,
) -> Result<(), String> {
    let mut said = 0;
    loop {
        match talk(&response.body, said) {
            Turn::Wait => {}
            Turn::Say(text) => {
                said += 1;
                let sent = socket.send(Message::text(text)).await;
                sent.map_err(|e| format!("the web socket broke while sending: {e}"))?;
                continue;
            }
            Turn::Enough => {
                response.truncated = true;
                return Ok(());
            }
        }
        let text = match socket.next().await {
            None | Some(Ok(Message::Close(_))) => return Ok(()),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Ok(text @ (Message::Text(_) | Message::Binary(_)))) => text.into_data(),
            Some(Err(e)) => return Err(format!("the web socket broke: {e}")),
        };
        response.body.extend_from_slice(&text);
        response.body.push(b'\n');
        if response.body.len() > limit {
            response.body.truncate(limit);
            response.truncated = true;
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    type Opened = (Result<(), String>, Option<Response>, Vec<Turn>);

    fn asked() -> Request {
        let mut request = Request::get("http://as.test/ws");
        ask(&mut request, Some("v12.stomp"));
        request
    }

    fn switching(request: &Request) -> String {
        let key = request.header("sec-websocket-key").unwrap();
        let accept = derive_accept_key(key.as_bytes());
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )
    }

    /// What comes of a server that answers so and then acts, and which turns were taken.
    async fn converse<F: Future<Output = ()>>(
        head: impl Fn(&Request) -> String,
        act: impl FnOnce(WebSocketStream<DuplexStream>) -> F,
        turn: impl Fn(&[u8], usize) -> Turn + Sync,
    ) -> Opened {
        let (ours, mut theirs) = duplex(64 * 1024);
        let (request, mut so_far) = (asked(), None);
        let turns = Mutex::new(Vec::new());
        let talk = |heard: &[u8], said: usize| {
            let next = turn(heard, said);
            turns.lock().unwrap().push(next.clone());
            next
        };
        let limits = Limits { body: 64, ..Limits::default() };
        let connection = Connection::over(ours, None);
        let client = connection.converse(&request, limits, &mut so_far, &talk);
        let server = async {
            let mut octets = vec![0; 4096];
            let read = theirs.read(&mut octets).await.unwrap();
            let sent = String::from_utf8_lossy(&octets[..read]).into_owned();
            assert!(sent.contains("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"), "{sent}");
            assert!(sent.contains("Sec-WebSocket-Protocol: v12.stomp\r\n"), "{sent}");
            theirs.write_all(head(&request).as_bytes()).await.unwrap();
            act(WebSocketStream::from_raw_socket(theirs, Role::Server, None).await).await;
        };
        let (read, ()) = tokio::join!(client, server);
        drop(request);
        (read.map_err(|broken| broken.reason), so_far, turns.into_inner().unwrap())
    }

    #[tokio::test]
    async fn messages_are_heard_and_answered_until_that_is_enough() {
        let act = |mut socket: WebSocketStream<DuplexStream>| async move {
            assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
            socket.send(Message::Ping(b"?".as_slice().into())).await.unwrap();
            socket.send(Message::text("one")).await.unwrap();
            socket.send(Message::binary(b"two".as_slice())).await.unwrap();
            assert_eq!(
                socket.next().await.unwrap().unwrap(),
                Message::Pong(b"?".as_slice().into())
            );
        };
        let turn = |heard: &[u8], said| match (said, heard.ends_with(b"two\n")) {
            (0, _) => Turn::Say("hello".into()),
            (_, is_enough) => {
                if is_enough {
                    Turn::Enough
                } else {
                    Turn::Wait
                }
            }
        };
        let (read, so_far, turns) = converse(switching, act, turn).await;
        let response = so_far.unwrap();
        assert_eq!((read, response.status, response.truncated), (Ok(()), 101, true));
        assert_eq!(response.text(), "one\ntwo\n");
        assert_eq!(turns.first(), Some(&Turn::Say("hello".into())));
    }

    #[tokio::test]
    async fn what_was_heard_is_kept_when_the_server_closes_or_breaks_off() {
        for closes in [true, false] {
            let act = |mut socket: WebSocketStream<DuplexStream>| async move {
                socket.send(Message::text("one")).await.unwrap();
                if closes {
                    socket.close(None).await.unwrap();
                }
            };
            let (read, so_far, _) = converse(switching, act, |_, _| Turn::Wait).await;
            assert_eq!((read.is_ok(), so_far.unwrap().text().as_str()), (closes, "one\n"));
        }
    }

    #[tokio::test]
    async fn messages_are_bounded_one_by_one_and_together() {
        let one = |mut socket: WebSocketStream<DuplexStream>| async move {
            socket.send(Message::text("x".repeat(65))).await.unwrap();
        };
        let (read, so_far, _) = converse(switching, one, |_, _| Turn::Wait).await;
        assert!(read.unwrap_err().contains("broke"));
        assert_eq!(so_far.unwrap().text(), "");
        let many = |mut socket: WebSocketStream<DuplexStream>| async move {
            for _ in 0..3 {
                socket.send(Message::text("x".repeat(40))).await.unwrap();
            }
        };
        let (read, so_far, _) = converse(switching, many, |_, _| Turn::Wait).await;
        let response = so_far.unwrap();
        assert_eq!((read, response.body.len(), response.truncated), (Ok(()), 64, true));
    }

    #[tokio::test]
    async fn an_answer_that_opens_no_web_socket_is_one_or_is_refused() {
        let gone = |_| async {};
        let refused =
            |_: &Request| "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno".to_owned();
        let (read, so_far, turns) = converse(refused, gone, |_, _| Turn::Wait).await;
        assert_eq!((read, so_far.unwrap().text().as_str(), turns.len()), (Ok(()), "no", 0));
        for (from, to, why) in [
            ("Accept: ", "Accept: x", "does not follow from the key"),
            ("Upgrade: WebSocket\r\n", "", "101 without Upgrade"),
            ("keep-alive, upgrade", "keep-alive", "101 without Upgrade"),
        ] {
            let other = |request: &Request| switching(request).replace(from, to);
            let (read, so_far, _) = converse(other, gone, |_, _| Turn::Wait).await;
            assert!(read.unwrap_err().contains(why), "{why}");
            assert_eq!(so_far, None);
        }
    }
}
