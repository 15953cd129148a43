//! Where a connection is opened: at the name of the origin, at an address that the operator gave, or
//! through a proxy.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::origin::Origin;
use crate::model::address::is_loopback;

/// Octets of a proxy's answer.
const MOST_ANSWER: usize = 8 * 1024;

/// An HTTP proxy that tunnels (RFC 9110 §9.3.6).
#[derive(Clone)]
pub struct Proxy {
    origin: Origin,
    /// `user:password`, where it asks for them.
    credentials: Option<String>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.origin.host, self.origin.port)
    }
}

impl Proxy {
    /// A proxy at an http address; `credentials` are `user:password`.
    ///
    /// The error says what is wrong with the address.
    pub fn at(url: &str, credentials: Option<String>) -> Result<Self, String> {
        let origin = Origin::of(url)?;
        if origin.tls || url.contains('@') {
            return Err("a proxy is http://HOST:PORT, without credentials in it".into());
        }
        Ok(Self { origin, credentials })
    }

    /// `user:password`, where it asks for them.
    pub fn credentials(&self) -> Option<&str> {
        self.credentials.as_deref()
    }

    /// Opens a tunnel to `host` and `port`.
    async fn tunnel(&self, host: &str, port: u16) -> Result<TcpStream, String> {
        let via = format!("the proxy {}:{}", self.origin.host, self.origin.port);
        let mut tcp = open(&self.origin.host, self.origin.port)
            .await
            .map_err(|e| format!("no connection to {via}: {e}"))?;
        let authority = match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        if let Some(credentials) = &self.credentials {
            let encoded = STANDARD.encode(credentials);
            request.push_str(&format!("Proxy-Authorization: Basic {encoded}\r\n"));
        }
        request.push_str("\r\n");
        let broken = |e: std::io::Error| format!("{via} broke the connection: {e}");
        tcp.write_all(request.as_bytes()).await.map_err(broken)?;
        let mut answer = Vec::new();
        // Octet by octet: what follows the head belongs to the tunnel.
        while !answer.ends_with(b"\r\n\r\n") && answer.len() < MOST_ANSWER {
            match tcp.read_u8().await {
                Ok(octet) => answer.push(octet),
                Err(e) => return Err(broken(e)),
            }
        }
        let text = String::from_utf8_lossy(&answer);
        let line = text.lines().next().unwrap_or_default();
        match line.split(' ').nth(1) {
            Some(status) if status.len() == 3 && status.starts_with('2') => Ok(tcp),
            _ => Err(format!("{via} opens no tunnel to {authority}: {line}")),
        }
    }
}

/// How to get to an origin.
#[derive(Clone, Debug, Default)]
pub(super) struct Route {
    /// Addresses of hosts that are not to be looked up.
    pub(super) resolve: BTreeMap<String, IpAddr>,
    /// In between, except for this machine.
    pub(super) proxy: Option<Proxy>,
}

impl Route {
    /// The proxy stands between this machine and the host.
    pub(super) fn goes_by_proxy(&self, host: &str) -> bool {
        self.proxy.is_some() && !is_loopback(host)
    }

    /// Connects to the origin.
    pub(super) async fn dial(&self, origin: &Origin) -> Result<TcpStream, String> {
        let address = self.resolve.get(&origin.host).map(IpAddr::to_string);
        let address = address.as_deref().unwrap_or(&origin.host);
        if let Some(proxy) = self.proxy.as_ref().filter(|_| self.goes_by_proxy(address)) {
            return proxy.tunnel(address, origin.port).await;
        }
        open(address, origin.port)
            .await
            .map_err(|e| format!("no connection to {} port {}: {e}", origin.host, origin.port))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the module that sends")]
async fn open(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let tcp = TcpStream::connect((host, port)).await?;
    // Small requests must not wait for the peer's delayed acknowledgement.
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What a proxy that answers so receives, and what becomes of the tunnel.
    async fn through(answer: &'static str) -> (String, Result<TcpStream, String>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Some(Proxy::at(&url, Some("operator:secret".into())).unwrap());
        let route = Route { proxy, ..Route::default() };
        let served = async {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(tcp.read_u8().await.unwrap());
            }
            tcp.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(asked).unwrap()
        };
        let origin = Origin::of("https://as.test/x").unwrap();
        tokio::join!(served, route.dial(&origin))
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_and_opened() {
        let (asked, tunnel) = through("HTTP/1.1 200 Connection established\r\n\r\n").await;
        assert!(asked.starts_with("CONNECT as.test:443 HTTP/1.1\r\nHost: as.test:443\r\n"));
        assert!(asked.contains("Proxy-Authorization: Basic b3BlcmF0b3I6c2VjcmV0\r\n"));
        assert!(tunnel.is_ok());
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_is_named() {
        let (_, tunnel) = through("HTTP/1.1 403 Forbidden\r\n\r\n").await;
        let reason = tunnel.unwrap_err();
        assert!(reason.contains("opens no tunnel to as.test:443: HTTP/1.1 403"), "{reason}");
    }

    #[test]
    fn credentials_do_not_stand_in_the_address() {
        assert!(Proxy::at("http://a:b@proxy.test", None).is_err());
        assert!(Proxy::at("https://proxy.test", None).is_err());
        assert_eq!(format!("{:?}", Proxy::at("http://p:1", Some("a:b".into()))), "Ok(Proxy(p:1))");
    }
}
