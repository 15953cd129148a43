//! Starting and stopping.

use std::future::IntoFuture as _;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use axum::serve::ListenerExt as _;
use tokio::sync::oneshot;

use crate::app::{App, router};
use crate::clock::Clock;
use crate::config::Config;

/// A running server; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    issuer: String,
    clock: Clock,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// The issuer identifier, `http://127.0.0.1:PORT` with the actual port.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The clock by which everything expires.
    pub fn clock(&self) -> &Clock {
        &self.clock
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
    let listener = TcpListener::bind(config.bind)?;
    listener.set_nonblocking(true)?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let clock = Clock::default();
    let app = Arc::new(App::new(config, issuer.clone(), clock.clone())?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let listener = {
        let _context = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let listener = listener.tap_io(|stream| {
        // Without it an answer may wait for a delayed acknowledgement.
        let _ = stream.set_nodelay(true);
    });
    let thread = thread::Builder::new().name("reference-server".into()).spawn(move || {
        // Returning drops the runtime, and with it every open connection.
        runtime.block_on(async move {
            tokio::select! {
                _ = axum::serve(listener, router(app)).into_future() => {}
                _ = stopped => {}
            }
        });
    })?;
    Ok(Server { issuer, clock, stop: Some(stop), thread: Some(thread) })
}
