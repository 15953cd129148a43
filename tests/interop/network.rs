//! Real servers behind a network that delays and fails: what is found stays what it is, and nothing is
//! made up. Not part of the others, since each takes minutes:
//!
//! ```text
//! cargo test --features interop --test interop -- delay faults
//! ```

use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use authspec::model::report::Report;
use authspec::model::requirement::{Impact, Requirement};
use authspec::model::verdict::Status;
use authspec::run::Observer;
use authspec::target::profile::Target;
use authspec::target::safety::{Environment, Safety};

use super::relay::{Fault, Relay};

/// The servers that are tried so.
pub(crate) const SERVERS: [&str; 2] = ["oidc-provider", "oauth2-mock-server"];

/// One request in so many meets a fault.
const RARE: usize = 23;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Every request takes 150 ms and up to 100 ms more.
    Delay,
    /// One request in [`RARE`] meets 429 with Retry-After, 503, a reset or a body that does not come.
    Faults,
}

impl Weather {
    pub(crate) const ALL: [Self; 2] = [Self::Delay, Self::Faults];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Faults => "faults",
        }
    }

    /// Puts the network between the audit and the server on that port of 127.0.0.1. It listens on the
    /// same port of another address of this machine, so that the server and all its addresses stay.
    pub(crate) fn before(self, port: u16, target: &mut Target) -> Result<Relay, String> {
        let listener = TcpListener::bind(("127.0.0.2", port))
            .map_err(|e| format!("cannot listen on 127.0.0.2 port {port}: {e}"))?;
        let there = [127, 0, 0, 2].into();
        target.network.resolve.insert("127.0.0.1".into(), there);
        let allow = vec![Impact::LockoutRisk, Impact::Load];
        target.safety = Safety { allow, ..Safety::of(Environment::Staging) };
        // A whole audit of a server that fails now and then.
        target.safety.request_budget = None;
        target.limits.cool_down = Duration::from_secs(1);
        let upstream = format!("127.0.0.1:{port}");
        let mut count = 0_usize;
        let faults = [Fault::TooMany(1), Fault::Unavailable, Fault::Reset, Fault::Slow];
        Ok(match self {
            Self::Delay => Relay::on(
                listener,
                &upstream,
                || None,
                || Duration::from_millis(150 + rand::random_range(0..100)),
            ),
            Self::Faults => {
                let short = Duration::from_secs(3);
                (target.limits.total, target.limits.connect) = (short, short);
                let next = move || {
                    count += 1;
                    count.is_multiple_of(RARE).then(|| faults[count / RARE % faults.len()])
                };
                Relay::on(listener, &upstream, next, || Duration::ZERO)
            }
        })
    }
}

/// Sets off the faults when the preflight is over.
pub(crate) fn saboteur(relay: &Relay) -> Rc<dyn Observer> {
    Rc::new(Saboteur(relay.on.clone()))
}

struct Saboteur(Arc<AtomicBool>);

impl Observer for Saboteur {
    fn begins(&self, _: usize) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn concluded(&self, _: &Requirement, _: Status) {}
}

/// What the report has to say about faults that the audit met.
#[expect(clippy::print_stdout, reason = "whoever asks for these trials wants the figures")]
pub(crate) fn tells(report: &Report, relay: &Relay) -> Result<(), String> {
    let seen = relay.seen.lock().map_err(|e| e.to_string())?;
    let met =
        |is_it: fn(Fault) -> bool| seen.iter().filter(|seen| seen.fault.is_some_and(is_it)).count();
    let counts = [
        met(|fault| matches!(fault, Fault::TooMany(_))),
        met(|fault| fault == Fault::Unavailable),
        met(|fault| fault == Fault::Reset),
        met(|fault| fault == Fault::Slow),
    ];
    println!(
        "{} requests, met: {} times 429, {} times 503, {} resets, {} slow bodies",
        seen.len(),
        counts[0],
        counts[1],
        counts[2],
        counts[3]
    );
    report.safety.iter().for_each(|line| println!("safety: {line}"));
    for (status, count) in &report.counts {
        println!("{}: {count}", status.as_str());
    }
    if counts.contains(&0) {
        return Err(format!("not every fault was met: {counts:?}"));
    }
    match report.safety.iter().any(|line| line.contains("Retry-After")) {
        true => Ok(()),
        false => Err(format!("the report says nothing of Retry-After: {:?}", report.safety)),
    }
}
