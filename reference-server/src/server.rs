//! Starting and stopping.

use std::future::{IntoFuture as _, pending};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use axum::serve::{Listener, ListenerExt as _};
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot};

use crate::app::{App, Shared, cleartext_router, router};
use crate::clock::Clock;
use crate::config::Config;
use crate::seeds;
use crate::tls::Tls;

/// A running server; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    issuer: String,
    clock: Clock,
    secured: Option<Secured>,
    visitors: mpsc::UnboundedSender<DuplexStream>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a client needs to know of a server that speaks TLS.
#[derive(Clone, Debug)]
pub struct Secured {
    /// The certificate of the authority that vouches for the server, PEM.
    pub authority: String,
    /// The address where [`seeds::HOST`] and [`seeds::DEVICE_HOST`] live.
    pub address: SocketAddr,
    /// The cleartext port on the same address.
    pub cleartext_port: u16,
}

impl Server {
    /// The issuer identifier: `http://127.0.0.1:PORT`, or `https://HOST:PORT` with TLS, with the
    /// actual port.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The clock by which everything expires.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How to reach a server that speaks TLS.
    pub fn secured(&self) -> Option<&Secured> {
        self.secured.as_ref()
    }

    /// Opens cleartext connections to a server without TLS that need no socket.
    pub fn visits(&self) -> impl Fn() -> DuplexStream + Send + Sync + use<> {
        let visitors = self.visitors.clone();
        move || {
            let (ours, theirs) = tokio::io::duplex(IN_FLIGHT);
            // A server that is gone drops its half, which reads as the end of the connection.
            let _ = visitors.send(theirs);
            ours
        }
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic of the server thread has been reported on its own.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Octets that a connection without a socket holds in each direction.
const IN_FLIGHT: usize = 64 * 1024;

/// Connections that come from within the process.
struct Visits(mpsc::UnboundedReceiver<DuplexStream>);

impl Listener for Visits {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(stream) => (stream, ()),
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A port that takes connections, and what speaks on it.
struct Door {
    address: SocketAddr,
    listener: TcpListener,
}

impl Door {
    fn open(bind: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(bind)?;
        listener.set_nonblocking(true)?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    async fn serve(self, app: Shared, is_secured: bool) -> io::Result<()> {
        let router = if is_secured { cleartext_router(app) } else { router(app) };
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let listener = listener.tap_io(|stream| {
            // Without it an answer may wait for a delayed acknowledgement.
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router).into_future().await
    }

    async fn serve_tls(self, app: Shared, tls: Tls) -> io::Result<()> {
        let listener = tls.listen(tokio::net::TcpListener::from_std(self.listener)?)?;
        axum::serve(listener, router(app)).into_future().await
    }
}

/// Starts a server on a thread of its own and returns once it listens.
///
/// # Errors
/// The address cannot be bound, a key cannot be generated, or the thread cannot be started.
pub fn serve(config: Config) -> io::Result<Server> {
    if config.logging {
        let subscriber = tracing_subscriber::fmt().json().with_writer(io::stderr).finish();
        // Another server of the process may have set it.
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
    let (mut server, serving) = bind(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    server.stop = Some(stop);
    let thread = thread::Builder::new().name("reference-server".into()).spawn(move || {
        // Returning drops the runtime, and with it every open connection.
        runtime.block_on(async move {
            tokio::select! {
                () = serving => {}
                _ = stopped => {}
            }
        });
    })?;
    server.thread = Some(thread);
    Ok(server)
}

/// What serves as long as it is awaited. Boxed, so that it is compiled here and not once more by
/// everybody who awaits it.
pub type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A server with the future that serves, for a caller with a runtime of his own. The server listens,
/// and answers as long as the future is polled.
///
/// # Errors
/// The address cannot be bound, or a key cannot be generated.
pub fn bind(config: Config) -> io::Result<(Server, Serving)> {
    let door = Door::open(config.bind)?;
    let port = door.address.port();
    let secure = if config.tls {
        let cleartext = Door::open(SocketAddr::new(door.address.ip(), 0))?;
        Some((cleartext, Tls::generate(config.policy)?))
    } else {
        None
    };
    let secured = secure.as_ref().map(|(cleartext, tls)| Secured {
        authority: tls.authority.clone(),
        address: door.address,
        cleartext_port: cleartext.address.port(),
    });
    let issuer = match secured {
        Some(_) => format!("https://{}:{port}", seeds::HOST),
        None => format!("http://{}", door.address),
    };
    let cleartext =
        secured.as_ref().map(|s| format!("http://{}:{}", seeds::HOST, s.cleartext_port));
    let clock = Clock::default();
    let app = Arc::new(App::new(config, issuer.clone(), cleartext, clock.clone())?);
    let (visitors, visits) = mpsc::unbounded_channel();
    let serving: Serving = Box::pin(async move {
        // Accepting never ends by itself, and what a door reports ends the server.
        let _ = match secure {
            None => {
                let visits = axum::serve(Visits(visits), router(app.clone())).into_future();
                tokio::try_join!(door.serve(app, false), visits).map(|_| ())
            }
            Some((cleartext, tls)) => {
                let cleartext = cleartext.serve(app.clone(), true);
                tokio::try_join!(cleartext, door.serve_tls(app, tls)).map(|_| ())
            }
        };
    });
    Ok((Server { issuer, clock, secured, visitors, stop: None, thread: None }, serving))
}
