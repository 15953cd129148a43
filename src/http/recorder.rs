//! Where exchanges are written down.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::exchange::Exchange;

/// The exchanges of one scenario, in order; every send is written down before anyone judges.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    exchanges: Arc<Mutex<Vec<Arc<Exchange>>>>,
    subject: Option<Arc<str>>,
}

impl Recorder {
    /// A recorder for requests that serve this subject, for example a requirement id; requests name
    /// it to the server.
    pub fn of(subject: &str) -> Self {
        Self { exchanges: Arc::default(), subject: Some(subject.into()) }
    }

    /// What the requests serve; `shared` where they serve several.
    pub fn subject(&self) -> &str {
        self.subject.as_deref().unwrap_or("shared")
    }

    /// The exchanges so far.
    pub fn exchanges(&self) -> Vec<Arc<Exchange>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many exchanges there are so far.
    pub fn len(&self) -> usize {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there is no exchange yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts an exchange that was sent elsewhere in this run at the end: itself, or a copy with
    /// another number.
    pub fn cite(&self, exchange: &Arc<Exchange>) -> Arc<Exchange> {
        self.record(|number| match exchange.number == number {
            true => exchange.clone(),
            false => Arc::new(Exchange { number, ..Exchange::clone(exchange) }),
        })
    }

    /// Keeps an exchange as it is.
    pub(super) fn keep(&self, exchange: &Arc<Exchange>) {
        let mut all = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(exchange.clone());
    }

    pub(super) fn record(&self, exchange: impl FnOnce(usize) -> Arc<Exchange>) -> Arc<Exchange> {
        let mut all = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        let exchange = exchange(all.len() + 1);
        all.push(exchange.clone());
        exchange
    }
}
