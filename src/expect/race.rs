//! Judges of equal requests at the same moment, of which one at most may succeed.

use std::fmt::Write as _;
use std::sync::Arc;

use super::Findings;
use super::token::issues_something;
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};

/// How one round of equal requests at the same moment went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Requests that were answered with tokens.
    pub winners: usize,
    /// Requests that were refused.
    pub refused: usize,
    /// Requests that lost by an internal error (5xx).
    pub failed: usize,
    /// Requests without an answer, or answered with 429 or 503: they did not take part.
    pub unanswered: usize,
    /// The exchange of the second winner.
    pub shown: Option<usize>,
    /// The same request once more, after all were answered, yields tokens too: the server
    /// tolerates repetition, so several winners prove no race.
    pub tolerates_repetition: bool,
}

impl Round {
    /// Counts the answers of one round.
    pub fn of(answers: &[Arc<Exchange>]) -> Self {
        let mut round = Self::default();
        for answer in answers {
            match answer.response().map(|r| r.status) {
                None | Some(429 | 503) => round.unanswered += 1,
                _ if issues_something(answer) => {
                    round.winners += 1;
                    if round.winners == 2 {
                        round.shown = Some(answer.number);
                    }
                }
                Some(500..) => round.failed += 1,
                Some(_) => round.refused += 1,
            }
        }
        round
    }

    fn rivals(&self) -> usize {
        self.winners + self.refused + self.failed + self.unanswered
    }

    /// At least two requests met, and one of them won or was refused in earnest.
    fn shows_something(&self) -> bool {
        self.rivals() - self.unanswered >= 2 && self.winners + self.refused > 0
    }
}

/// At least one round was a race.
pub fn is_conclusive(rounds: &[Round]) -> bool {
    rounds.iter().any(Round::shows_something)
}

/// The rounds in words, for the report.
pub fn describe(rounds: &[Round]) -> String {
    let counts: Vec<String> = rounds.iter().map(|r| r.winners.to_string()).collect();
    let rivals = rounds.iter().map(Round::rivals).max().unwrap_or(0);
    let mut text = format!(
        "winners of {rivals} in each of {} rounds: {}; losers refused: {}",
        rounds.len(),
        counts.join(" "),
        rounds.iter().map(|r| r.refused).sum::<usize>()
    );
    let sum = |count: fn(&Round) -> usize| rounds.iter().map(count).sum::<usize>();
    for (count, what) in [
        (sum(|r| r.failed), "lost by an internal error"),
        (sum(|r| r.unanswered), "left out (no answer, 429 or 503)"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {what}: {count}");
        }
    }
    text
}

/// No round has more than one winner. Where the server tolerates repetition anyhow, several are a
/// note: how long it does is judged elsewhere.
pub fn one_winner_at_most(rounds: &[Round]) -> Findings {
    let with_several = |tolerated: bool| {
        rounds.iter().find(|r| r.winners > 1 && r.tolerates_repetition == tolerated)
    };
    let worst = with_several(false).map(|r| (r, Weight::Failure));
    let Some((round, weight)) = worst.or_else(|| with_several(true).map(|r| (r, Weight::Note)))
    else {
        return vec![];
    };
    let expected = "at most one success in each round";
    let deviation = Deviation::new(expected, describe(rounds)).weighing(weight);
    vec![Deviation { exchange: round.shown, ..deviation }]
}

/// What became of the winners' tokens, for the report: how many of them still work.
pub fn describe_aftermath(what: &str, alive: &[bool]) -> String {
    let count = alive.iter().filter(|a| **a).count();
    format!("{what} of the winners that work afterwards: {count} of {}", alive.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::json;

    fn round(answers: &[(u16, &str)]) -> Round {
        let answers: Vec<_> = answers.iter().map(|(s, b)| Arc::new(json(*s, b))).collect();
        Round::of(&answers)
    }

    const TOKENS: &str = r#"{"access_token":"a","token_type":"Bearer"}"#;
    const REFUSED: &str = r#"{"error":"invalid_grant"}"#;

    #[test]
    fn answers_are_counted_by_kind() {
        let mixed = round(&[(200, TOKENS), (400, REFUSED), (500, "oops"), (429, ""), (503, "")]);
        assert_eq!((mixed.winners, mixed.refused, mixed.failed, mixed.unanswered), (1, 1, 1, 2));
        assert_eq!(
            describe(&[mixed]),
            "winners of 5 in each of 1 rounds: 1; losers refused: 1, lost by an internal error: 1, \
             left out (no answer, 429 or 503): 2"
        );
    }

    #[test]
    fn a_race_has_one_winner_at_most() {
        let one = round(&[(200, TOKENS), (400, REFUSED)]);
        let none = round(&[(400, REFUSED), (400, REFUSED)]);
        let two = round(&[(200, TOKENS), (400, REFUSED), (200, TOKENS)]);
        assert!(one_winner_at_most(&[one.clone(), none]).is_empty());
        assert_eq!(one_winner_at_most(&[one, two.clone()])[0].weight, Weight::Failure);
        let tolerant = Round { tolerates_repetition: true, ..two.clone() };
        assert_eq!(one_winner_at_most(std::slice::from_ref(&tolerant))[0].weight, Weight::Note);
        assert_eq!(one_winner_at_most(&[tolerant, two])[0].weight, Weight::Failure);
    }

    #[test]
    fn a_race_needs_rivals() {
        assert!(is_conclusive(&[round(&[(200, TOKENS), (400, REFUSED)])]));
        assert!(is_conclusive(&[round(&[(400, REFUSED), (400, REFUSED)])]));
        assert!(is_conclusive(&[round(&[(200, TOKENS), (500, "")])]));
        for answers in
            [vec![(200, TOKENS), (429, ""), (503, "")], vec![(500, ""), (500, "")], vec![]]
        {
            assert!(!is_conclusive(&[round(&answers)]));
        }
    }
}
