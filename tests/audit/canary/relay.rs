//! Stands between the harness and a server and changes what the server answers.

use std::net::SocketAddr;

use authspec::http::Shortcut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::net::TcpStream;

/// Octets of each direction that wait for their reader.
const ROOM: usize = 64 * 1024;

/// The way to the server that leads past it. `change` gets an answer, and head and body of its request.
pub(crate) fn way<F>(issuer: &str, address: SocketAddr, change: F) -> Shortcut
where
    F: Fn(&[u8], &str, &str) -> Vec<u8> + Clone + Send + Sync + 'static,
{
    Shortcut::to(issuer, move || {
        let (ours, theirs) = duplex(ROOM);
        tokio::spawn(relay(ours, address, change.clone()));
        theirs
    })
    .unwrap()
}

/// One connection of the harness; each request gets one of the server.
#[expect(clippy::disallowed_methods, reason = "it stands on the server's side of the wire")]
async fn relay<F>(mut harness: DuplexStream, address: SocketAddr, change: F)
where
    F: Fn(&[u8], &str, &str) -> Vec<u8> + Send,
{
    let mut held = Vec::new();
    while let Some(request) = message(&mut harness, &mut held).await {
        let Ok(mut server) = TcpStream::connect(address).await else { return };
        let (head, body) = halves(&request);
        let once = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        let mut forwarded = once.into_bytes();
        forwarded.extend_from_slice(&body);
        let mut answer = Vec::new();
        if server.write_all(&forwarded).await.is_err()
            || server.read_to_end(&mut answer).await.is_err()
        {
            return;
        }
        let answer = change(&answer, &head, &String::from_utf8_lossy(&body));
        if harness.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// The next request; `held` is what came after it.
async fn message(stream: &mut DuplexStream, held: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&held[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if held.len() >= end + 4 + length {
                let rest = held.split_off(end + 4 + length);
                return Some(std::mem::replace(held, rest));
            }
        }
        if stream.read_buf(held).await.ok()? == 0 {
            return None;
        }
    }
}

/// Head and body of a message.
pub(crate) fn halves(message: &[u8]) -> (String, Vec<u8>) {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(message.len());
    let head = String::from_utf8_lossy(&message[..end]).into_owned();
    (head + "\r\n\r\n", message.get(end + 4..).unwrap_or_default().to_vec())
}

/// The value of every header field of that name.
pub(crate) fn fields<'a>(head: &'a str, wanted: &'a str) -> impl Iterator<Item = &'a str> {
    head.lines().filter_map(move |line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(wanted).then_some(value.trim())
    })
}
