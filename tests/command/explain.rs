//! Every requirement can be explained: in words, and by exchanges of reference servers in this process.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use authspec::catalogue::Catalogue;
use authspec::explain::{describe, explain};
use authspec::model::explanation::Explanation;
use authspec::report::explanation::explanation;
use authspec::report::terminal::Colour;
use reference_server::seeds;
use serde_json::Value;

fn catalogue() -> &'static Catalogue {
    Catalogue::load().unwrap()
}

/// All explanations with their examples, made by two threads.
fn explained() -> Vec<Explanation> {
    let requirements = &catalogue().requirements;
    let half = |part: &'static [_]| {
        move || -> Vec<Explanation> {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            part.iter().map(|r| runtime.block_on(explain(catalogue(), r))).collect()
        }
    };
    let (first, second) = requirements.split_at(requirements.len() / 2);
    let other = thread::spawn(half(second));
    let mut all = half(first)();
    all.extend(other.join().unwrap());
    all
}

/// Duties that no single exchange shows: the absence of something, a comparison of several, or a
/// connection below HTTP.
const NOT_SHOWN: [&str; 9] = [
    "at.sender-constraint-offered",
    "authz.request-uri-not-dereferenced",
    "authz.resource-indicator-unknown",
    "authzresp.code-unguessable",
    "discovery.metadata-published",
    "transport.certificate",
    "transport.tls-legacy",
    "transport.tls-modern",
    "wallet.nonce-fresh",
];

#[test]
fn every_requirement_has_a_good_and_a_bad_exchange_or_a_reason() {
    let all = explained();
    assert_eq!(all.len(), catalogue().requirements.len());
    let without: BTreeSet<&str> =
        all.iter().filter(|e| e.no_example.is_some()).map(|e| e.id.as_str()).collect();
    let reasons: Vec<_> =
        all.iter().filter_map(|e| Some((&e.id, e.no_example.as_ref()?))).collect();
    assert_eq!(without, BTreeSet::from(NOT_SHOWN), "{reasons:#?}");
    for explanation in &all {
        let Some(example) = &explanation.example else {
            assert!(explanation.untested.is_some() || explanation.no_example.is_some());
            continue;
        };
        assert!(
            example.bad.status.is_some() || example.bad.failure.is_some(),
            "{}",
            explanation.id
        );
        assert!(explanation.defects.iter().any(|d| d.name == example.defect), "{}", explanation.id);
        // The scenario at the end of a run cites what deviates, of a conformant server nothing.
        let has_good =
            example.good.is_some() || explanation.id == "transport.no-downgrade-redirect";
        assert!(has_good, "{}", explanation.id);
        if let Some(good) = &example.good {
            let answer = |e: &authspec::model::report::ExchangeReport| {
                (e.status, e.response_headers.clone(), e.response_body.clone())
            };
            assert_ne!(answer(good), answer(&example.bad), "{}", explanation.id);
        }
    }
    no_secret_in(&serde_json::to_string(&all).unwrap());
}

fn no_secret_in(text: &str) {
    let seeded = [seeds::ALICE_PASSWORD, seeds::BOB_PASSWORD, seeds::RESOURCE_SERVER_SECRET];
    for secret in seeded {
        let forms = [secret.to_owned(), secret.replace(' ', "+"), secret.replace(' ', "%20")];
        assert!(forms.iter().all(|form| !text.contains(form)), "{secret}");
    }
    assert!(!text.contains("-----BEGIN"), "a key");
    // The three letters alone come up in the ETag of many an answer.
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)) {
        let token = word.find("eyJ").map(|at| &word[at..]).filter(|rest| rest.contains('.'));
        assert_eq!(token, None, "a token");
    }
    for (at, name) in text.match_indices("code=") {
        let value = &text[at + name.len()..];
        let is_shown = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let length = value.chars().take_while(|c| is_shown(*c)).count();
        // A made-up code of a few letters is none.
        assert!(length < 20, "{}", &text[at..at + 40]);
    }
}

#[test]
fn every_explanation_is_complete_and_fits_the_terminal() {
    for requirement in &catalogue().requirements {
        let described = describe(catalogue(), requirement);
        assert_eq!(described.defects.is_empty(), requirement.untested.is_some());
        let page = explanation(&described, 80, Colour::Off);
        let words: Vec<&str> = page.split_whitespace().collect();
        let words = words.join(" ");
        for text in [&requirement.duty, &requirement.attack, &requirement.fix, &requirement.applies]
        {
            let text: Vec<&str> = text.split_whitespace().collect();
            assert!(words.contains(&text.join(" ")), "{}: {page}", requirement.id);
        }
        let gherkin = described.gherkin.map(|g| g.text).unwrap_or_default();
        let verbatim: BTreeSet<&str> = gherkin.lines().map(str::trim).collect();
        // Addresses are in one piece.
        let may_be_long = |line: &str| verbatim.contains(line) || line.starts_with("https://");
        let too_long =
            page.lines().find(|line| line.chars().count() > 80 && !may_be_long(line.trim()));
        assert_eq!(too_long, None, "{}", requirement.id);
    }
}

#[test]
fn the_gherkin_of_a_requirement_is_its_own_rule() {
    for requirement in &catalogue().requirements {
        let gherkin = catalogue().gherkin(&requirement.id);
        assert_eq!(gherkin.is_none(), requirement.untested.is_some(), "{}", requirement.id);
        let Some(gherkin) = gherkin else { continue };
        let rule = catalogue().features.iter().flat_map(|f| &f.rules);
        let rule = rule.clone().find(|r| r.tags.contains(&requirement.id)).unwrap();
        assert_eq!(gherkin.text.matches("Rule:").count(), 1, "{}", requirement.id);
        assert_eq!(gherkin.text.lines().next(), Some(format!("Rule: {}", rule.name).as_str()));
        let last = gherkin.text.lines().last().unwrap().trim();
        assert!(!last.starts_with('@') && !last.is_empty(), "{}", gherkin.text);
        let text = std::fs::read_to_string(&gherkin.feature).unwrap();
        let line = text.lines().nth(gherkin.line - 1).unwrap();
        assert_eq!(line.trim(), format!("Rule: {}", rule.name));
    }
}

#[test]
fn hints_name_what_exists_and_where_it_is_written() {
    let hints = &catalogue().hints;
    assert!(hints.len() >= 25, "{}", hints.len());
    let groups: BTreeSet<&str> = catalogue().requirements.iter().map(|r| r.group()).collect();
    let mut seen = BTreeSet::new();
    for hint in hints {
        assert!(seen.insert((&hint.server, &hint.hint)), "twice: {}", hint.hint);
        assert!(hint.hint.len() >= 20 && hint.hint.ends_with('.'), "{}", hint.hint);
        assert!(!hint.requirements.is_empty(), "{}", hint.hint);
        for named in &hint.requirements {
            let exists =
                catalogue().requirement(named).is_some() || groups.contains(named.as_str());
            assert!(exists, "{named}: {}", hint.hint);
        }
        let is_known = hint.source.starts_with("https://") || Path::new(&hint.source).is_file();
        assert!(is_known, "{}", hint.source);
    }
}

fn command(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authspec"));
    command.arg("explain").args(arguments).output().unwrap()
}

#[test]
fn an_id_or_the_beginning_of_one_is_explained() {
    for id in ["token.code-single-use", "@token.code-single-use", "token.code-si"] {
        let output = command(&[id]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.starts_with("token.code-single-use\n"), "{text}");
        for told in ["CWE-294", "attack  ", "Rule: A code MUST", "\ngood: ", "\nbad: ", "proven by"]
        {
            assert!(text.contains(told), "{told}: {text}");
        }
    }
}

#[test]
fn several_ids_make_one_array() {
    let output = command(&["--format", "json", "pkce.verifier-missing", "consent.informative"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(
        (&all[0]["id"], &all[0]["impact"]),
        (&"pkce.verifier-missing".into(), &"active".into())
    );
    assert!(all[0]["example"]["bad"]["status"].is_u64() && all[0]["untested"].is_null());
    assert!(all[1]["example"].is_null() && all[1]["untested"].is_string());
}

#[test]
fn an_unknown_or_ambiguous_id_is_an_error_of_usage() {
    for (wanted, said) in [
        ("token.code-singel-use", "did you mean token.code-single-use?"),
        ("qqq", "authspec list shows them all"),
        ("pkce.verifier", "requirements begin with pkce.verifier: pkce.verifier-range-accepted"),
        ("", "no requirement has the id"),
    ] {
        let output = command(&[wanted]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(said), "{text}");
        assert!(output.stdout.is_empty());
    }
}
