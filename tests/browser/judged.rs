//! What a browser is judged by: pages on which it rests, and what the user met in it.

use authspec::model::report::{Report, RequirementReport};
use authspec::model::verdict::Status;
use reference_server::{Config, Defect, Policy};

use super::{ALICE, BROWSER, Manner, audit, blocking, of, shown, start, target, trial};

/// Steps for the page that script makes.
const STEPS: &str = "[[login.steps]]\nfill = 'who'\nwith = '{username}'\n\
                     [[login.steps]]\nfill = 'pw'\nwith = '{password}'\n\
                     [[login.steps]]\nclick = 'log in'\n\
                     [[login.steps]]\nclick = 'allow'\n";

fn judged<'r>(report: &'r Report, id: &str) -> &'r RequirementReport {
    report.requirements.iter().find(|requirement| requirement.id == id).unwrap()
}

#[test]
fn script_gets_the_time_to_show_its_form() {
    let trial = blocking(async {
        let server = start(Manner::Late).await;
        trial(of(&server, &format!("{ALICE}{BROWSER}"))).await
    });
    assert!(trial.outcome.is_ok(), "{}", shown(&trial));
}

#[test]
fn an_error_page_ends_a_request_that_deserves_one() {
    for steps in ["", STEPS] {
        let folder = tempfile::tempdir().unwrap();
        let server = blocking(start(Manner::Redirect));
        let mut target = of(&server, &format!("{ALICE}{BROWSER}{steps}"));
        target.login.keep_in(folder.path());
        let report = audit(target, "@authz.implicit-refused");
        let refused = judged(&report, "authz.implicit-refused");
        assert_eq!(refused.status, Status::Pass, "{refused:#?}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "a refusal is no failed login");
    }
}

#[test]
fn what_the_user_met_is_judged() {
    let server = authspec::embedded::start(Config::default()).unwrap();
    let target = target(server.issuer(), &format!("{ALICE}{BROWSER}"));
    let ids = [
        "authn.prompt-login",
        "authn.max-age-reauth",
        "authn.cookie-flags",
        "authzresp.form-post",
        "consent.decision-obtained",
        "consent.denied",
        "consent.prompt-consent",
    ];
    let report = audit(target, &ids.map(|id| format!("@{id}")).join(" or "));
    for id in ids {
        let requirement = judged(&report, id);
        assert_eq!(requirement.status, Status::Pass, "{requirement:#?}");
    }
}

#[test]
fn a_server_that_asks_for_nothing_is_seen_to_do_so() {
    for (defect, id) in [
        (Defect::PromptLoginIgnored, "authn.prompt-login"),
        (Defect::MaxAgeIgnored, "authn.max-age-reauth"),
        (Defect::ConsentSkipped, "consent.decision-obtained"),
    ] {
        let config = Config { policy: Policy::with(defect), ..Config::default() };
        let server = authspec::embedded::start(config).unwrap();
        let report =
            audit(target(server.issuer(), &format!("{ALICE}{BROWSER}")), &format!("@{id}"));
        let requirement = judged(&report, id);
        assert!(matches!(requirement.status, Status::Fail | Status::Warn), "{requirement:#?}");
    }
}
