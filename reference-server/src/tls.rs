//! TLS: a throw-away authority, the certificates of the server, and who gets through the handshake.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::{default_provider, sign::any_supported_type};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::server::TlsStream;

use crate::policy::Policy;
use crate::seeds;

/// What may be wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Expired,
    OtherName,
    UnknownAuthority,
}

/// The handshake of the server, and the authority that vouches for its certificates.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    policy: Policy,
    /// The certificate of the authority, PEM.
    pub(crate) authority: String,
}

impl Tls {
    /// An authority, and certificates for the hosts of the server.
    pub(crate) fn generate(policy: Policy) -> io::Result<Self> {
        let (authority, issuer) = authority().map_err(io::Error::other)?;
        let own = certificate(&issuer, seeds::HOST, None)?;
        let device = certificate(&issuer, seeds::DEVICE_HOST, policy.certificate_flaw())?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(policy.tls_versions())
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Certificates { own, device }));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), policy, authority })
    }

    /// A listener that hands out connections whose handshake is complete.
    pub(crate) fn listen(self, tcp: TcpListener) -> io::Result<TlsListener> {
        let address = tcp.local_addr()?;
        let (sender, complete) = mpsc::channel(64);
        let tls = Arc::new(self);
        tokio::spawn(async move {
            loop {
                let Ok((stream, from)) = tcp.accept().await else { continue };
                let (tls, sender) = (tls.clone(), sender.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = tls.accept(stream).await {
                        let _ = sender.send((stream, from)).await;
                    }
                });
            }
        });
        Ok(TlsListener { complete, address })
    }

    async fn accept(&self, mut stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        stream.set_nodelay(true)?;
        let mut head = [0; 11];
        let length = stream.peek(&mut head).await?;
        if let Some(version) = offered(&head[..length])
            && self.policy.answers_obsolete_hello(version)
        {
            stream.write_all(&server_hello(version)).await?;
            return Err(io::Error::other("an obsolete version goes no further"));
        }
        self.acceptor.accept(stream).await
    }
}

/// The newest version that a ClientHello without extensions offers, where it is older than TLS 1.2.
fn offered(head: &[u8]) -> Option<u16> {
    let is_client_hello = head.first() == Some(&22) && head.get(5) == Some(&1);
    let version = u16::from_be_bytes([*head.get(9)?, *head.get(10)?]);
    (is_client_hello && version < 0x0303).then_some(version)
}

/// A ServerHello that takes the version up: TLS_RSA_WITH_AES_128_CBC_SHA, no session.
fn server_hello(version: u16) -> Vec<u8> {
    let [major, minor] = version.to_be_bytes();
    let mut hello = vec![22, major, minor, 0, 42, 2, 0, 0, 38, major, minor];
    hello.extend(rand::random::<[u8; 32]>());
    hello.extend([0, 0x00, 0x2f, 0]);
    hello
}

/// Connections whose handshake is complete.
pub(crate) struct TlsListener {
    complete: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.complete.recv().await {
            Some(connection) => connection,
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

#[derive(Debug)]
struct Certificates {
    own: Arc<CertifiedKey>,
    device: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let is_device = hello.server_name() == Some(seeds::DEVICE_HOST);
        Some(if is_device { self.device.clone() } else { self.own.clone() })
    }
}

fn authority() -> Result<(String, Issuer<'static, KeyPair>), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), Issuer::new(params, key)))
}

fn certificate(
    issuer: &Issuer<'static, KeyPair>,
    host: &str,
    flaw: Option<Flaw>,
) -> io::Result<Arc<CertifiedKey>> {
    let name = if flaw == Some(Flaw::OtherName) { "other.example.test" } else { host };
    let signed = || {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.not_before = date_time_ymd(2020, 1, 1);
        if flaw == Some(Flaw::Expired) {
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let certificate = match flaw {
            Some(Flaw::UnknownAuthority) => params.self_signed(&key)?,
            _ => params.signed_by(&key, issuer)?,
        };
        Ok((certificate.der().clone(), key.serialize_der()))
    };
    let (certificate, key) = signed().map_err(|e: rcgen::Error| io::Error::other(e))?;
    let key = PrivateKeyDer::try_from(key).map_err(io::Error::other)?;
    let key = any_supported_type(&key).map_err(io::Error::other)?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate], key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_obsolete_hellos_are_recognised() {
        let hello = |minor| [22, 3, 1, 0, 100, 1, 0, 0, 96, 3, minor];
        assert_eq!(offered(&hello(1)), Some(0x0301));
        assert_eq!(offered(&hello(2)), Some(0x0302));
        assert_eq!(offered(&hello(3)), None);
        assert_eq!(offered(b"GET / HTTP/1.1"), None);
        assert_eq!(offered(&[22, 3]), None);
    }
}
