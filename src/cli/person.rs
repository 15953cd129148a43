//! The person at the terminal who signs in where the profile says so.

use std::io::BufRead as _;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use reference_server::Config;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::murmur;
use crate::embedded;
use crate::model::requirement::Profile;
use crate::plan::Filter;
use crate::run::{Options, audit};
use crate::target::login::Rung;
use crate::target::login::person::Console;
use crate::target::profile::Target;

/// Standard error to speak, standard input to listen.
#[derive(Default)]
struct Terminal {
    lines: OnceLock<Mutex<UnboundedReceiver<String>>>,
}

impl Console for Terminal {
    fn show(&self, text: &str) {
        murmur(text);
    }

    fn line(&self) -> Pin<Box<dyn Future<Output = String> + Send + '_>> {
        Box::pin(async {
            let next = self.lines.get_or_init(|| Mutex::new(listen())).lock().await.recv().await;
            match next {
                Some(line) => line,
                // Nobody types any more; a listener may still hear the answer.
                None => std::future::pending().await,
            }
        })
    }
}

/// The lines of standard input, read by a thread of their own: a pending read would keep the
/// runtime from its end.
pub(super) fn listen() -> UnboundedReceiver<String> {
    let (send, receive) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    receive
}

/// Makes the person at the terminal the one who signs in, where a person is to. Says whether one is.
pub(super) fn introduce(target: &mut Target) -> bool {
    let Rung::Manual(manual) = &mut target.login.rung else { return false };
    manual.console = Some(Arc::new(Terminal::default()));
    true
}

/// Whether a person is to sign in.
pub(super) fn is_needed(target: &Target) -> bool {
    matches!(target.login.rung, Rung::Manual(_))
}

/// An upper bound of the logins that a run needs where no session is shared: every authorization
/// request of the same selection against the embedded reference server, counted.
pub(super) async fn most_logins(filter: &Filter) -> Option<usize> {
    let server = embedded::start(Config::default()).ok()?;
    let options = Options {
        target: embedded::target(&server),
        profile: Profile::Baseline,
        filter: filter.clone(),
        clock: embedded::clock(&server),
    };
    let report = audit(options, Rc::new(())).await.ok()?.report;
    let scenarios = report.requirements.iter().flat_map(|r| &r.scenarios);
    let exchanges = report.preflight.iter().chain(scenarios.flat_map(|s| &s.exchanges));
    Some(exchanges.filter(|e| e.request_line.contains("/authorize")).count())
}
