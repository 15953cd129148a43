//! A report made by hand, with every kind of status.

use std::collections::BTreeMap;

use authspec::model::report::{
    Cleanup, DeviationReport, ExchangeReport, Gate, Party, Place, REPORT_VERSION, Report,
    RequirementReport, Route, ScenarioReport, Snapshot, StepReport, TargetSummary, Waiver,
};
use authspec::model::requirement::{Impact, Level, Profile, Severity};
use authspec::model::verdict::{Obstacle, Status, StepOutcome, Weight};

fn requirement(id: &str, level: Level, severity: Severity, status: Status) -> RequirementReport {
    RequirementReport {
        id: id.into(),
        level,
        severity,
        impact: Impact::StateChanging,
        step: "token".into(),
        duty: "A code buys tokens only once.".into(),
        sources: vec!["OAuth 2.1 §4.1.3".into(), "RFC 6749 §4.1.2".into()],
        url: Some("https://www.rfc-editor.org/rfc/rfc6749.html#section-4.1.2".into()),
        applies: "always".into(),
        probe: "Redeem a code, then repeat the request.".into(),
        accepts: "TOKEN_REJECT(invalid_grant; invalid_request accepted).".into(),
        attack: "Whoever finds a used code in a log or history obtains tokens with it.".into(),
        fix: "Mark a code as used in the transaction that issues its tokens.".into(),
        cwe: vec![294],
        status,
        reason: None,
        waiver: None,
        scenarios: vec![],
    }
}

fn exchange() -> ExchangeReport {
    ExchangeReport {
        number: 3,
        route: Route {
            from: Party::Client,
            to: Party::AuthorizationServer,
            endpoint: "token_endpoint".into(),
        },
        at_us: 1200,
        elapsed_us: 800,
        request_line: "POST https://as.example.test/token".into(),
        request_headers: vec![("Content-Type".into(), "application/x-www-form-urlencoded".into())],
        request_body: "grant_type=authorization_code&code=<code#1>".into(),
        status: Some(200),
        response_headers: vec![("Content-Type".into(), "application/json".into())],
        response_body: "{\"access_token\":\"<access_token#2>\",\"x\":\"\u{1b}[31mred\"}".into(),
        failure: None,
        curl: "curl --include --path-as-is --request 'POST' 'https://as.example.test/token'".into(),
    }
}

fn authorization() -> ExchangeReport {
    let url = "https://as.example.test/authorize?response_type=code&client_id=web";
    ExchangeReport {
        number: 1,
        route: Route {
            from: Party::UserAgent,
            to: Party::AuthorizationServer,
            endpoint: "authorization_endpoint".into(),
        },
        at_us: 1000,
        elapsed_us: 150,
        request_line: format!("GET {url}"),
        request_headers: vec![("Accept".into(), "text/html".into())],
        request_body: String::new(),
        status: Some(303),
        response_headers: vec![(
            "Location".into(),
            "https://app.example.test/callback?code=<code#1>&state=s".into(),
        )],
        response_body: String::new(),
        failure: None,
        curl: format!("curl --include --path-as-is --request 'GET' '{url}'"),
    }
}

fn step(
    keyword: &str,
    text: &str,
    line: usize,
    outcome: StepOutcome,
    exchanges: usize,
) -> StepReport {
    let (keyword, text) = (keyword.into(), text.into());
    StepReport { keyword, text, line, outcome, elapsed_us: 900, exchanges }
}

fn scenario(status: Status) -> ScenarioReport {
    let last = match status {
        Status::Pass => StepOutcome::Passed,
        Status::Fail => StepOutcome::Deviated,
        _ => StepOutcome::Stopped,
    };
    ScenarioReport {
        feature: "features/token_request.feature".into(),
        line: 42,
        name: "the same request again".into(),
        status,
        reason: None,
        obstacle: None,
        deviations: vec![],
        observations: vec![],
        at_us: 1000,
        elapsed_us: 12_000,
        steps: vec![
            step("Given", "an authorization code", 43, StepOutcome::Passed, 1),
            step("When", "the client redeems it twice", 44, StepOutcome::Passed, 3),
            step("Then", "the token endpoint refuses with invalid_grant", 45, last, 3),
        ],
        exchanges: vec![authorization(), exchange()],
    }
}

/// A report with every kind of status.
pub(crate) fn sample() -> Report {
    let mut failed =
        requirement("token.code-single-use", Level::Must, Severity::Critical, Status::Fail);
    failed.scenarios = vec![ScenarioReport {
        deviations: vec![DeviationReport {
            expected: "no token and error=invalid_grant or invalid_request".into(),
            actual: "200 application/json (exchange 3)".into(),
            weight: Weight::Failure,
            exchange: Some(3),
        }],
        observations: vec!["winners of 8 in each of 2 rounds: 1 2".into()],
        ..scenario(Status::Fail)
    }];
    let mut unclear =
        requirement("token.code-missing", Level::Must, Severity::Low, Status::Inconclusive);
    unclear.scenarios = vec![ScenarioReport {
        obstacle: Some(Obstacle {
            tried: "POST https://as.example.test/token".into(),
            came_back: "429 application/json (exchange 3)".into(),
            remedy: "lower concurrency or raise pace_ms in the profile".into(),
            is_beyond_the_login: false,
        }),
        ..scenario(Status::Inconclusive)
    }];
    let mut passed = requirement("token.code-unknown", Level::Must, Severity::High, Status::Pass);
    passed.scenarios = vec![scenario(Status::Pass)];
    let mut untested = requirement("token.other", Level::Should, Severity::Low, Status::Untested);
    untested.reason = Some("no scenario yet".into());
    let mut waived = requirement("cors.preflight", Level::Must, Severity::Medium, Status::Waived);
    waived.scenarios = vec![ScenarioReport {
        deviations: failed.scenarios[0].deviations.clone(),
        ..scenario(Status::Fail)
    }];
    waived.waiver = Some(Waiver {
        owner: "identity team".into(),
        reason: "fixed in the next release".into(),
        ticket: Some("IAM-42".into()),
        expires: "2027-01-31".into(),
    });
    let mut warned = requirement("headers.hsts", Level::Should, Severity::Low, Status::Warn);
    warned.scenarios = vec![ScenarioReport {
        deviations: vec![DeviationReport {
            expected: "Strict-Transport-Security".into(),
            actual: "no such field (exchange 1)".into(),
            weight: Weight::Warning,
            exchange: Some(1),
        }],
        ..scenario(Status::Warn)
    }];
    let mut idle = requirement("dpop.proof", Level::Must, Severity::High, Status::NotApplicable);
    idle.reason =
        Some("condition does not hold: dpop_signing_alg_values_supported published".into());
    let requirements = vec![failed, waived, warned, unclear, passed, idle, untested];
    let mut counts = BTreeMap::new();
    for requirement in &requirements {
        *counts.entry(requirement.status).or_default() += 1;
    }
    Report {
        version: REPORT_VERSION,
        run: "20261123T120000000Z-as.example.test".into(),
        tool: "authspec 0.1.0".into(),
        target: TargetSummary {
            issuer: "https://as.example.test".into(),
            clients: vec!["web".into()],
            stanza: Some(Place { file: "staging.toml".into(), line: 4 }),
        },
        started: "2026-11-23T12:00:00.000Z".into(),
        duration_ms: 1234,
        requests: 56,
        profile: Profile::Baseline,
        filter: Some("--tags '@token'".into()),
        part: None,
        interrupted: false,
        gate: Gate {
            passed: false,
            exit_code: 1,
            rule: "fails on a violated MUST".into(),
            reasons: vec!["violated: token.code-single-use".into()],
            remarks: vec!["waivers.toml:2: waiver of cors.preflight: expires in 5 days".into()],
        },
        counts,
        facts: vec!["OpenID provider: yes".into()],
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
        safety: vec!["requirements left out in staging: 2 load; --allow load includes them".into()],
        cleanup: Some(Cleanup {
            issued: 9,
            revoked: 7,
            grants_left: 0,
            access_tokens_left: 2,
            sessions_ended: 3,
            sessions_left: 1,
            obstacle: Some("the revocation endpoint answers 400".into()),
            sessions_obstacle: Some("the end_session_endpoint answers 400".into()),
        }),
        snapshots: vec![Snapshot {
            name: "jwks".into(),
            url: "https://as.example.test/jwks".into(),
            sha256: "a9379acce4b9e7f34c45e1f1dc5b3ea7f2dae6ae1b8e6e5a20ff1d92bcd55e7f".into(),
            content: "{\"keys\":[]}".into(),
        }],
        preflight: vec![authorization()],
        requirements,
    }
}
