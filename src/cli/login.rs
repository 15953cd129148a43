//! `authspec login`: one login, page by page, and the steps of one that was recorded.

use std::fmt::Write as _;
use std::path::Path;

use super::settings::{NO_TARGET, TargetOptions, environment};
use super::{complain, exit, person, say};
use crate::target::login::recording;
use crate::trial::{Trial, try_login};

/// Folder for what shows why a login failed.
const REPORTS: &str = "reports";

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
    target.login.keep_in(Path::new(REPORTS));
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

/// Prints the steps of a recording.
pub(super) fn import(recording: &Path) -> u8 {
    let text = std::fs::read_to_string(recording).map_err(|e| e.to_string());
    match text.and_then(|text| recording::steps(&text)) {
        Ok(steps) => {
            say(steps.trim_end());
            exit::PASSED
        }
        Err(why) => {
            complain(format!("cannot import {}: {why}", recording.display()));
            exit::USAGE
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
