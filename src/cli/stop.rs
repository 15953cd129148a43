//! Ctrl-C, and SIGTERM where there is one: the first lets a run end with a report, the second ends
//! it at once.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

use super::{complain, exit};

/// How far a run is, as far as a signal is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// There is nothing to report yet.
    #[default]
    Early,
    /// Scenarios run.
    Running,
    /// Somebody asked the run to end.
    Stopping,
    /// What the run was issued is revoked.
    Cleaning,
    /// It is revoked, and somebody asked for the end of the run.
    Closing,
    /// Somebody does not wait for that.
    Hurried,
    /// The report is written, and the next run has not begun.
    Idle,
}

/// Whether somebody wants the run to end.
#[derive(Clone, Default)]
pub(super) struct Stop(Rc<Cell<Phase>>);

impl Stop {
    /// Scenarios begin.
    pub(super) fn begins(&self) {
        if !self.is_asked() {
            self.0.set(Phase::Running);
        }
    }

    /// The report is written; another run may follow.
    pub(super) fn rests(&self) {
        if !self.is_asked() {
            self.0.set(Phase::Idle);
        }
    }

    /// What the run was issued is about to be revoked.
    pub(super) fn cleans_up(&self) {
        match self.0.get() {
            Phase::Running => self.0.set(Phase::Cleaning),
            Phase::Stopping => self.0.set(Phase::Closing),
            _ => {}
        }
    }

    /// No further scenario may begin.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self.0.get(), Phase::Stopping | Phase::Closing | Phase::Hurried)
    }

    /// Nobody waits for the clean-up.
    pub(super) fn is_hurried(&self) -> bool {
        self.0.get() == Phase::Hurried
    }

    /// Takes a signal. Says what follows: a clean end, or an end at once for the reason that is the
    /// error.
    fn takes_signal(&self) -> Result<&'static str, &'static str> {
        let (phase, text) = match self.0.get() {
            Phase::Early => return Err("interrupted; no report was written"),
            Phase::Stopping => return Err("interrupted twice; no report was written"),
            Phase::Hurried => return Err("interrupted again; no report was written"),
            Phase::Idle => return Err("interrupted between two runs"),
            Phase::Running => (
                Phase::Stopping,
                "interrupted: no further scenario begins, and a report follows when the running ones have \
                 ended and, for a few seconds, what the run was issued was revoked; interrupt again to end \
                 at once without a report",
            ),
            Phase::Cleaning => (
                Phase::Closing,
                "interrupted: what the run was issued is revoked for a few seconds more, then a report \
                 follows; interrupt again to leave it",
            ),
            Phase::Closing => (
                Phase::Hurried,
                "interrupted twice: nothing more is revoked, and the report says what is left; interrupt \
                 again to end at once without a report",
            ),
        };
        self.0.set(phase);
        Ok(text)
    }
}

/// Does the work, which reports where `stop` asks it to end.
pub(super) async fn stoppable(stop: Stop, work: impl Future<Output = u8>) -> u8 {
    let (mut work, mut signals) = (pin!(work), Signals::listen());
    loop {
        tokio::select! {
            biased;
            code = &mut work => return code,
            () = signals.next() => {}
        }
        match stop.takes_signal() {
            Ok(text) => complain(text),
            Err(reason) => {
                complain(reason);
                return exit::INTERRUPTED;
            }
        }
    }
}

/// What asks a process to end.
struct Signals {
    #[cfg(unix)]
    all: Vec<tokio::signal::unix::Signal>,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let mut all = Vec::new();
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            match signal(kind) {
                Ok(listener) => all.push(listener),
                // Without a listener the signal ends the process, as it would have anyway.
                Err(e) => complain(format!("an interruption will end this without a report: {e}")),
            }
        }
        Self { all }
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        use std::task::Poll;
        std::future::poll_fn(|cx| {
            match self.all.iter_mut().any(|signal| signal.poll_recv(cx).is_ready()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    #[cfg(not(unix))]
    fn listen() -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_of_a_run_is_a_wish_and_the_second_an_order() {
        let stop = Stop::default();
        assert!(stop.takes_signal().unwrap_err().contains("no report was written"));
        stop.begins();
        assert!(!stop.is_asked());
        assert!(stop.takes_signal().is_ok());
        assert!(stop.is_asked());
        stop.begins();
        stop.rests();
        assert!(stop.is_asked(), "neither another run nor its end takes the wish back");
        assert!(stop.takes_signal().unwrap_err().starts_with("interrupted twice"));
    }

    #[test]
    fn a_signal_during_the_clean_up_shortens_it_and_another_one_skips_it() {
        let stop = Stop::default();
        stop.begins();
        stop.cleans_up();
        assert!(!stop.is_asked());
        assert!(stop.takes_signal().is_ok() && stop.is_asked() && !stop.is_hurried());
        assert!(stop.takes_signal().is_ok() && stop.is_asked() && stop.is_hurried());
        assert!(stop.takes_signal().unwrap_err().contains("no report was written"));

        let stop = Stop::default();
        stop.begins();
        assert!(stop.takes_signal().is_ok());
        stop.cleans_up();
        assert!(stop.is_asked() && !stop.is_hurried());
        assert!(stop.takes_signal().is_ok() && stop.is_hurried());
    }

    #[test]
    fn between_two_runs_a_signal_ends_all() {
        let stop = Stop::default();
        stop.begins();
        stop.rests();
        assert_eq!(stop.takes_signal(), Err("interrupted between two runs"));
    }
}
