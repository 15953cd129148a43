//! `driver = "session"`: cookies of a session that somebody else began.

use authspec::model::verdict::Status;
use reference_server::seeds;

use super::human::Human;
use super::server::{self, Manner};
use super::{
    assert_no_failure, assert_no_secret, audit, blocking, reference_server, target, trial, verdicts,
};

/// Signs in at the server in another browser; its cookies.
async fn cookies(issuer: &str) -> Vec<(String, String)> {
    let mut human = Human::new();
    let (uri, challenge) = (seeds::WEB_REDIRECT_URI, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let url = format!(
        "{issuer}/authorize?response_type=code&client_id=web&redirect_uri={uri}&scope=openid+profile&state=s&code_challenge={challenge}&code_challenge_method=S256"
    );
    let alice = (seeds::ALICE, seeds::ALICE_PASSWORD);
    human.sign_in(&url, uri, alice, "allow").await.unwrap();
    human.cookies.into_iter().collect()
}

fn storage_state(cookies: &[(String, String)]) -> String {
    let cookies: Vec<_> = cookies
        .iter()
        .map(|(name, value)| {
            serde_json::json!({
                "name": name, "value": value, "domain": "127.0.0.1", "path": "/", "expires": -1,
                "httpOnly": true, "secure": false, "sameSite": "Lax"
            })
        })
        .collect();
    serde_json::json!({ "cookies": cookies, "origins": [] }).to_string()
}

fn netscape(cookies: &[(String, String)]) -> String {
    let line = |(name, value): &(String, String)| {
        format!("#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\t{name}\t{value}\n")
    };
    format!("# Netscape HTTP Cookie File\n{}", cookies.iter().map(line).collect::<String>())
}

fn profile(folder: &tempfile::TempDir, content: &str) -> String {
    let path = folder.path().join("cookies");
    std::fs::write(&path, content).unwrap();
    format!("[login]\ndriver = \"session\"\ncookies = {:?}\n", path.to_str().unwrap())
}

#[test]
fn both_kinds_of_cookie_files_carry_a_session_over() {
    let server = reference_server();
    let cookies = blocking(cookies(server.issuer()));
    for content in [storage_state(&cookies), netscape(&cookies)] {
        let folder = tempfile::tempdir().unwrap();
        let target = target(server.issuer(), &profile(&folder, &content));
        let trial = blocking(trial(target));
        assert_eq!(trial.outcome.as_deref(), Ok(seeds::WEB_REDIRECT_URI));
        assert!(!trial.steps.iter().any(|step| step.head.contains("/login")), "{:?}", trial.steps);
    }
}

#[test]
fn what_needs_a_fresh_login_says_so_and_everything_else_is_judged() {
    let server = reference_server();
    let cookies = blocking(cookies(server.issuer()));
    let folder = tempfile::tempdir().unwrap();
    let target = target(server.issuer(), &profile(&folder, &storage_state(&cookies)));
    let report = audit(target, "@authn or @tokenresp or @pkce or @consent");
    assert_no_failure(&report);
    let values: Vec<&str> = cookies.iter().map(|(_, value)| value.as_str()).collect();
    assert_no_secret(&report, &values);
    let verdicts = verdicts(&report);
    for id in ["tokenresp.no-store", "pkce.verifier-mismatch", "authn.prompt-none-without-session"]
    {
        assert_eq!(verdicts[id].0, Status::Pass, "{id}: {:?}", verdicts[id]);
    }
    for id in ["authn.wrong-credentials", "authn.session-renewed", "authn.no-307"] {
        assert_eq!(verdicts[id].0, Status::NotApplicable, "{id}: {:?}", verdicts[id]);
    }
    // The request demands a sign-in; a new browser needs one.
    for id in ["authn.prompt-login", "consent.decision-obtained", "authn.cookie-flags"] {
        let (status, reason) = verdicts[id];
        assert_eq!(status, Status::NotApplicable, "{id}: {reason}");
        assert!(reason.contains("not possible with this login"), "{id}: {reason}");
    }
    let open = verdicts.iter().filter(|(_, (status, _))| *status == Status::Inconclusive);
    assert_eq!(open.collect::<Vec<_>>(), []);
}

#[test]
fn a_session_whose_cookie_is_renewed_serves_every_scenario() {
    let server = blocking(server::start(Manner::RenewsSession));
    let folder = tempfile::tempdir().unwrap();
    let first = [("sid".to_owned(), "renewed-0000-times".to_owned())];
    // The working twin of the second client is proved while a scenario holds the session.
    let second =
        "[[clients]]\nid = \"other\"\nredirect_uris = [\"https://other.example.test/cb\"]\n";
    let more = format!("{second}{}", profile(&folder, &netscape(&first)));
    let tags = "@tokenresp or @token.code-client-bound or @pkce.verifier-mismatch or @authzresp or @redirect";
    let report = audit(server::target(&server, &more), tags);
    let stale: Vec<_> = verdicts(&report)
        .into_iter()
        .filter(|(_, (_, reason))| reason.contains("sign-in page"))
        .collect();
    assert!(stale.is_empty(), "{stale:?}");
    assert_eq!(verdicts(&report)["tokenresp.no-store"].0, Status::Pass);
}

#[test]
fn a_session_that_has_ended_is_named() {
    let server = reference_server();
    let stale = [("browser".to_owned(), "nothing".to_owned())];
    let folder = tempfile::tempdir().unwrap();
    let trial = blocking(trial(target(server.issuer(), &profile(&folder, &netscape(&stale)))));
    let (reason, obstacle) = trial.outcome.unwrap_err();
    assert_eq!(reason, "fresh login needed");
    assert!(obstacle.remedy.contains("export the cookies"), "{obstacle}");
}
