//! Handshakes for their own sake: is the certificate valid, and which versions are spoken.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::connection::Connection;
use super::pace::pause;
use super::{Http, Origin};
use crate::model::address::is_ip;
use crate::model::tls::{HandshakeFailure, HelloReply, TlsVersion};

/// A server that dislikes a hello may just be silent.
const PATIENCE: Duration = Duration::from_secs(5);

/// Cipher suites that servers of TLS 1.0 to 1.2 commonly share with clients: ECDHE, DHE and RSA,
/// with AES-GCM, ChaCha20, AES-CBC and 3DES.
const SUITES: [u16; 20] = [
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014, 0x009e, 0x009f,
    0x0033, 0x0039, 0x009c, 0x009d, 0x002f, 0x0035, 0x000a, 0x00ff,
];

impl Http {
    /// Completes a handshake with the origin of that URL; its certificate is verified in any case.
    pub async fn handshake(&self, url: &str) -> Result<TlsVersion, HandshakeFailure> {
        let other = HandshakeFailure::Other;
        let origin = self.permit(url).map_err(other)?;
        // Where certificates are not verified, the connections so far prove nothing.
        let known = self.version_of(&origin).filter(|_| !self.tls.trust.insecure);
        if let Some(version) = known {
            return Ok(version);
        }
        let origin = self.turn(url).await?;
        let strict = self.tls.trust.insecure.then(|| self.tls.strict());
        let tls = strict.as_ref().unwrap_or(&self.tls);
        let open = timeout(self.limits.connect, Connection::open(&origin, &self.route, tls));
        let opened = open
            .await
            .unwrap_or_else(|_| Err(HandshakeFailure::Unreached("no connection in time".into())));
        if let Err(HandshakeFailure::Unreached(reason) | HandshakeFailure::Other(reason)) = &opened
        {
            self.guard.broke(&origin, reason, Instant::now());
        }
        let version = opened?.version.ok_or_else(|| other("no TLS".into()))?;
        self.note_version(&origin, version);
        Ok(version)
    }

    /// The version of TLS that the connections to the origin of that URL have.
    pub fn tls_version(&self, url: &str) -> Option<TlsVersion> {
        self.version_of(&Origin::of(url).ok()?)
    }

    /// Offers this version and no newer one, and looks at the first reply. The error says why
    /// there is no connection.
    pub async fn hello(
        &self,
        url: &str,
        version: TlsVersion,
    ) -> Result<HelloReply, HandshakeFailure> {
        let origin = self.turn(url).await?;
        let opened = timeout(self.limits.connect, self.route.dial(&origin)).await;
        let opened = opened.unwrap_or_else(|_| Err("no connection in time".to_owned()));
        if let Err(reason) = &opened {
            self.guard.broke(&origin, reason, Instant::now());
        }
        let mut tcp = opened.map_err(HandshakeFailure::Unreached)?;
        let hello = client_hello(&origin.host, version);
        let broken = |e| HandshakeFailure::Other(format!("the connection broke: {e}"));
        tcp.write_all(&hello).await.map_err(broken)?;
        let (mut first, mut length) = ([0; 11], 0);
        let read = async {
            while length < first.len() {
                // A reset is a refusal like a close.
                match tcp.read(&mut first[length..]).await {
                    Ok(0) | Err(_) => break,
                    Ok(count) => length += count,
                }
            }
        };
        let _ = timeout(PATIENCE, read).await;
        Ok(HelloReply::read(&first[..length]))
    }
}

impl Http {
    /// Waits for the turn of a handshake, which costs the target what a request costs it: budget,
    /// pace, breaker and `Retry-After` count for it.
    async fn turn(&self, url: &str) -> Result<Origin, HandshakeFailure> {
        let (origin, wait) = self.admit(url).map_err(|(withheld, reason)| match withheld {
            Some(withheld) => HandshakeFailure::Withheld(withheld, reason),
            None => HandshakeFailure::Other(reason),
        })?;
        pause(wait).await;
        self.pace.wait().await;
        self.count();
        Ok(origin)
    }
}

/// A ClientHello that offers `version` at most, in a record of its own (RFC 5246 §7.4.1.2).
fn client_hello(host: &str, version: TlsVersion) -> Vec<u8> {
    let mut body = version.0.to_be_bytes().to_vec();
    body.extend(rand::random::<[u8; 32]>());
    body.push(0); // no session
    let suites: Vec<u8> = SUITES.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    body.extend(counted(&suites));
    body.extend([1, 0]); // no compression
    let mut extensions = Vec::new();
    if !is_ip(host) {
        let name = [&[0][..], &counted(host.as_bytes())].concat();
        extensions.extend(extension(0, &counted(&name)));
    }
    // Curves x25519, P-256, P-384, P-521 and the uncompressed form of their points.
    extensions.extend(extension(10, &counted(&[0, 29, 0, 23, 0, 24, 0, 25])));
    extensions.extend(extension(11, &[1, 0]));
    // ECDSA, RSA-PSS and RSA with SHA-256, SHA-384 and SHA-1; only TLS 1.2 reads it.
    let signatures = [4, 3, 5, 3, 8, 4, 8, 5, 4, 1, 5, 1, 6, 1, 2, 1, 2, 3];
    extensions.extend(extension(13, &counted(&signatures)));
    body.extend(counted(&extensions));
    let [_, high, middle, low] = u32::try_from(body.len()).unwrap_or(0).to_be_bytes();
    let message = [&[1, high, middle, low][..], &body].concat();
    // The record of a first hello is TLS 1.0 whatever is offered (RFC 5246 §E.1).
    [&[22, 3, 1][..], &counted(&message)].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &counted(data)].concat()
}

/// The data behind its length in two octets.
fn counted(data: &[u8]) -> Vec<u8> {
    [&u16::try_from(data.len()).unwrap_or(0).to_be_bytes()[..], data].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hellos_differ_in_the_version_alone() {
        let hello = |version| {
            let mut hello = client_hello("as.test", version);
            hello[11..43].fill(0); // the random part
            hello
        };
        let (old, new) = (hello(TlsVersion::V1_1), hello(TlsVersion::V1_2));
        assert_eq!(old.len(), new.len());
        let differing: Vec<usize> = (0..old.len()).filter(|&i| old[i] != new[i]).collect();
        assert_eq!((differing, old[10], new[10]), (vec![10], 2, 3));
        assert_eq!(usize::from(u16::from_be_bytes([old[3], old[4]])), old.len() - 5);
    }

    #[test]
    fn an_address_is_no_server_name() {
        let length = |host| client_hello(host, TlsVersion::V1_2).len();
        assert_eq!(length("127.0.0.1"), length("::1"));
        assert!(length("a.test") > length("127.0.0.1"));
    }
}
