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

    /// No further scenario may begin.
    pub(super) fn is_asked(&self) -> bool {
        self.0.get() == Phase::Stopping
    }

    /// Takes a signal. Says what follows: a clean end, or an end at once for the reason returned.
    fn takes_signal(&self) -> Option<&'static str> {
        let reason = match self.0.get() {
            Phase::Early => "interrupted; no report was written",
            Phase::Stopping => "interrupted twice; no report was written",
            Phase::Idle => "interrupted between two runs",
            Phase::Running => {
                self.0.set(Phase::Stopping);
                return None;
            }
        };
        Some(reason)
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
        if let Some(reason) = stop.takes_signal() {
            complain(reason);
            return exit::INTERRUPTED;
        }
        complain(
            "interrupted: no further scenario begins, and a report follows when the running ones have \
             ended; interrupt again to end at once without a report",
        );
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
        assert!(stop.takes_signal().unwrap().contains("no report was written"));
        stop.begins();
        assert!(!stop.is_asked());
        assert_eq!(stop.takes_signal(), None);
        assert!(stop.is_asked());
        stop.begins();
        stop.rests();
        assert!(stop.is_asked(), "neither another run nor its end takes the wish back");
        assert!(stop.takes_signal().unwrap().starts_with("interrupted twice"));
    }

    #[test]
    fn between_two_runs_a_signal_ends_all() {
        let stop = Stop::default();
        stop.begins();
        stop.rests();
        assert_eq!(stop.takes_signal(), Some("interrupted between two runs"));
    }
}
