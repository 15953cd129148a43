//! `authspec doctor`: what an audit rests on, item by item, with its cure.

use std::fmt::Write as _;

use super::settings::TargetOptions;
use super::{complain, exit, person, say};
use crate::doctor::{Finding, Item, diagnose, is_usable};

/// Examines the target and prints each item.
pub(super) async fn doctor(options: &TargetOptions) -> u8 {
    let mut target = match options.named() {
        Ok(target) => target,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    person::introduce(&mut target);
    let issuer = target.issuer.clone();
    let items = diagnose(target).await;
    say(text(&issuer, &items).trim_end());
    if is_usable(&items) { exit::PASSED } else { exit::PREFLIGHT }
}

fn text(issuer: &str, items: &[Item]) -> String {
    let mut out = format!("target         {issuer}\n\n");
    for Item { name, finding, evidence } in items {
        let _ = match finding {
            Finding::Good(seen) => writeln!(out, "ok      {name:<14} {seen}"),
            Finding::Skipped(why) => writeln!(out, "-       {name:<14} {why}"),
            Finding::Advice(seen, cure) => {
                writeln!(out, "advice  {name:<14} {seen}\n        to change      {cure}")
            }
            Finding::Bad(obstacle) => writeln!(
                out,
                "bad     {name:<14} {}\n        tried          {}\n        to change      {}",
                obstacle.came_back, obstacle.tried, obstacle.remedy
            ),
        };
        for line in evidence {
            let _ = writeln!(out, "                       {line}");
        }
    }
    let verdict = match is_usable(items) {
        true => "ready: authspec run audits this target",
        false => "not ready: an audit would say nothing about the target",
    };
    let _ = writeln!(out, "\n{verdict}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::verdict::Obstacle;

    #[test]
    fn each_item_says_what_was_seen_and_what_to_change() {
        let item = |name, finding| Item { name, finding, evidence: vec![] };
        let mut items = [
            item("name", Finding::Good("127.0.0.1".into())),
            item("clock", Finding::Advice("+60 s".into(), "synchronise".into())),
            item("client", Finding::Bad(Obstacle::new("to open", "400", "register the client"))),
            item("login", Finding::Skipped("rests on client".into())),
        ];
        items[2].evidence = vec!["exchange 4: GET https://as.test/authorize".into()];
        let expected = "target         https://as.test

ok      name           127.0.0.1
advice  clock          +60 s
        to change      synchronise
bad     client         400
        tried          to open
        to change      register the client
                       exchange 4: GET https://as.test/authorize
-       login          rests on client

not ready: an audit would say nothing about the target
";
        assert_eq!(text("https://as.test", &items), expected);
    }
}
