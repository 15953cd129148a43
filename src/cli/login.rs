//! `authspec login test`: one login, page by page.

use std::fmt::Write as _;

use super::settings::{NO_TARGET, TargetOptions, environment};
use super::{complain, exit, person, say};
use crate::trial::{Trial, try_login};

/// Signs in once as the target says and prints how it went.
pub(super) async fn test(options: &TargetOptions) -> u8 {
    let mut target = match options.resolve(&environment()) {
        Ok(Some(target)) => target,
        Ok(None) => {
            complain(NO_TARGET);
            return exit::USAGE;
        }
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    person::introduce(&mut target);
    match try_login(target).await {
        Ok(trial) => {
            say(text(&trial).trim_end());
            if trial.outcome.is_ok() { exit::PASSED } else { exit::PREFLIGHT }
        }
        Err(obstacle) => {
            complain(format!(
                "nobody got as far as the login\n  tried     {}\n  came back {}\n  to change {}",
                obstacle.tried, obstacle.came_back, obstacle.remedy
            ));
            exit::PREFLIGHT
        }
    }
}

fn text(trial: &Trial) -> String {
    let mut out = format!("driver    {}\n", trial.driver);
    let _ = writeln!(out, "user      {}\n", trial.user.as_deref().unwrap_or("-"));
    for (at, step) in trial.steps.iter().enumerate() {
        let _ = writeln!(out, "{:>3}  {}", at + 1, step.head);
        for (what, lines) in [("sent", &step.sent), ("form", &step.forms), ("then", &step.notes)] {
            for line in lines {
                let _ = writeln!(out, "       {what}  {line}");
            }
        }
    }
    let _ = match &trial.outcome {
        Ok(address) => writeln!(out, "\nok        a code arrived at {address}"),
        Err((reason, obstacle)) => writeln!(
            out,
            "\nfailed    {reason}\n  tried     {}\n  came back {}\n  to change {}",
            obstacle.tried, obstacle.came_back, obstacle.remedy
        ),
    };
    out
}
