//! Judgements over everything that the run exchanged, made by scenarios that run last.

use std::sync::Arc;

use super::{Step, World};
use crate::expect::Findings;
use crate::model::exchange::Exchange;

/// Deviations of one kind that are shown; more of them say nothing new.
const MOST_SHOWN: usize = 5;

impl World {
    /// Every exchange so far: those of the preflight, of all other scenarios and of this one.
    pub fn of_the_run(&mut self) -> Step<Vec<Arc<Exchange>>> {
        let context = self.context()?;
        let mut all = context.shared.exchanges();
        all.extend(context.whole.get().into_iter().flatten().cloned());
        all.extend(self.recorder.exchanges());
        Ok(all)
    }

    /// Judges every exchange of the run; those that deviate become evidence of this scenario.
    pub fn judge_run(&mut self, judge: impl Fn(&Exchange) -> Findings) -> Step {
        let mut findings = Findings::new();
        let mut seen: Vec<String> = Vec::new();
        for exchange in self.of_the_run()? {
            if judge(&exchange).is_empty() {
                continue;
            }
            let path = exchange.request.url.split(['?', '#']).next().unwrap_or_default();
            let kind = format!("{} {path}", exchange.request.method);
            if seen.len() < MOST_SHOWN && !seen.contains(&kind) {
                seen.push(kind);
                let cited = self.cite(&exchange);
                findings.extend(judge(&cited));
            }
        }
        self.judge(findings)
    }
}
