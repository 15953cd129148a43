//! Which verdicts may be those of a target that could not keep up.

use std::sync::Arc;

use crate::draw::Ended;
use crate::model::exchange::{Exchange, Withheld};
use crate::model::verdict::{Deviation, Ledger, Obstacle, Verdict, Weight};

/// The target failed or was busy in the course of the scenario.
pub(crate) fn met_disturbance(ended: &Ended) -> bool {
    ended.ledger.exchanges.iter().any(|exchange| exchange.is_disturbed())
}

/// An answer did not come.
pub(crate) fn lost_answer(ended: &Ended) -> bool {
    ended.ledger.exchanges.iter().any(|exchange| exchange.outcome.is_err())
}

/// The verdict may be that of a target that could not keep up: what an obstacle rests on may lie
/// outside the scenario.
pub(crate) fn is_doubtful(ended: &Ended) -> bool {
    let is_spent = |e: &Arc<Exchange>| e.withheld == Some(Withheld::BudgetSpent);
    match ended.verdict {
        Verdict::Inconclusive(_) if ended.ledger.exchanges.iter().any(is_spent) => false,
        Verdict::Inconclusive(_) => true,
        Verdict::Fail => met_disturbance(ended) && !has_other_grounds(&ended.ledger),
        _ => false,
    }
}

/// A deviation of full weight that another answer than a failure of the server shows.
fn has_other_grounds(ledger: &Ledger) -> bool {
    let shown_by = |number: usize| ledger.exchanges.iter().find(|e| e.number == number);
    let is_ground = |d: &Deviation| {
        d.weight >= Weight::Draft
            && d.exchange.and_then(shown_by).is_some_and(|e| !e.is_disturbed())
    };
    ledger.deviations.iter().any(is_ground)
}

/// Sets aside what deviates where the verdict does not rest on it: a request was not sent, or nothing
/// but the failures of a server that is ill show it.
pub(crate) fn excuse(mut ended: Ended, is_ill: bool) -> Ended {
    if is_ill && ended.verdict == Verdict::Fail && is_doubtful(&ended) {
        let came_back = "failures of a target that fails or is busy whatever it is asked";
        let obstacle = Obstacle::new("to judge what came back", came_back, Withheld::Ill.remedy());
        ended.verdict = Verdict::Inconclusive(obstacle);
    }
    if matches!(ended.verdict, Verdict::Inconclusive(_)) {
        let all = std::mem::take(&mut ended.ledger.deviations);
        let (heavy, light) = all.into_iter().partition(|d| d.weight >= Weight::Draft);
        ended.ledger.deviations = light;
        let heavy: Vec<Deviation> = heavy;
        ended.ledger.observations.extend(heavy.iter().map(|d| format!("set aside: {d}")));
    }
    ended
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::exchange::samples::answered;

    fn ended(verdict: Verdict, status: u16) -> Ended {
        let exchanges = vec![Arc::new(answered(status, &[], ""))];
        Ended {
            feature: String::new(),
            line: 1,
            name: String::new(),
            at: Duration::ZERO,
            elapsed: Duration::ZERO,
            steps: vec![],
            verdict,
            ledger: Ledger { exchanges, ..Ledger::default() },
        }
    }

    #[test]
    fn a_failure_is_doubtful_beside_a_server_error_and_an_obstacle_always() {
        let obstacle = Verdict::Inconclusive(Obstacle::new("to do", "500", "see the log"));
        assert!(is_doubtful(&ended(obstacle, 200)));
        assert!(is_doubtful(&ended(Verdict::Fail, 500)));
        assert!(is_doubtful(&ended(Verdict::Fail, 429)));
        assert!(!is_doubtful(&ended(Verdict::Pass, 500)));
        assert!(!is_doubtful(&ended(Verdict::Fail, 400)));
        assert!(!is_doubtful(&ended(Verdict::Fail, 501)));
    }

    #[test]
    fn failures_of_an_ill_server_are_no_violation() {
        let of = |ended: Ended, is_ill| {
            let mut ended = ended;
            ended.ledger.deviations = vec![Deviation::new("a refusal", "500")];
            excuse(ended, is_ill)
        };
        let excused = of(ended(Verdict::Fail, 500), true);
        assert!(matches!(excused.verdict, Verdict::Inconclusive(_)));
        assert!(excused.ledger.deviations.is_empty());
        assert!(excused.ledger.observations[0].contains("set aside: expected a refusal"));
        assert_eq!(of(ended(Verdict::Fail, 500), false).verdict, Verdict::Fail);
        assert_eq!(of(ended(Verdict::Fail, 400), true).verdict, Verdict::Fail);
    }

    #[test]
    fn a_violation_that_another_answer_shows_is_beyond_doubt() {
        let mut race = ended(Verdict::Fail, 500);
        let winner = Exchange { number: 2, ..answered(200, &[], "") };
        let deviation = Deviation::new("one winner", "two").seen_in(&winner);
        race.ledger.exchanges.push(Arc::new(winner));
        race.ledger.deviations.push(deviation);
        assert!(!is_doubtful(&race));
        race.ledger.deviations[0].exchange = None;
        assert!(is_doubtful(&race));
    }
}
