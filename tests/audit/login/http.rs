//! `driver = "http"`: calls that the profile lists.

use authspec::http::Recorder;
use authspec::model::requirement::Profile;
use authspec::preflight::prepare;
use authspec::target::login::driver::Decision;
use authspec::target::profile::Target;
use authspec::world::context::Clock;
use reference_server::seeds;

use super::server::{Manner, start, target};
use super::{ALICE, blocking, trial};

const LOGIN: &str = r#"
[login]
driver = "http"
sign_in_page = "/app/login"
[[login.steps]]
capture = { interaction = "query interaction_id", page_csrf = "field csrf" }
[[login.steps]]
request = "POST {issuer}/api/sign-in"
json = { email = "{username}", password = "{password}", interaction = "{interaction}", csrf = "{page_csrf}" }
status = 200
capture = { token = "json /session/token", csrf = "header x-csrf-token", half = "cookie half" }
[[login.steps]]
request = "POST {issuer}/api/finish"
headers = { Authorization = "Bearer {token}", X-CSRF-Token = "{csrf}", X-Half = "{half}" }
"#;

#[test]
fn calls_sign_in_and_what_they_capture_is_used_and_never_shown() {
    blocking(async {
        let server = start(Manner::Api).await;
        let trial = trial(target(&server, &format!("{ALICE}{LOGIN}"))).await;
        assert_eq!(trial.outcome.as_deref(), Ok(seeds::WEB_REDIRECT_URI));
        let shown = format!("{:?}", trial.steps);
        assert!(
            shown.contains("step 2 captured csrf from header x-csrf-token, half from cookie half")
        );
        for secret in ["t0ken-of", "csrf-of", "cookie-of", "i-4711", seeds::ALICE_PASSWORD] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    });
}

#[test]
fn calls_approve_and_deny() {
    let decide = |when: &str, accept: bool| {
        format!(
            "[[login.steps]]\nwhen = \"{when}\"\ncapture = {{ ticket = \"query ticket\" }}\n\
             [[login.steps]]\nwhen = \"{when}\"\nrequest = \"POST {{issuer}}/api/consent\"\n\
             json = {{ accept = {accept}, ticket = \"{{ticket}}\" }}\n"
        )
    };
    let steps = format!("{}{}", decide("consent", true), decide("deny", false));
    for (decision, expected) in [(Decision::Approve, None), (Decision::Deny, Some("access_denied"))]
    {
        blocking(async {
            let server = start(Manner::ApiConsent).await;
            let target = target(&server, &format!("{ALICE}{LOGIN}{steps}"));
            let context = prepare(target, Profile::Baseline, Clock::default()).await;
            let context = context.map_err(|(obstacle, _)| obstacle).unwrap();
            let (mut agent, recorder) = (context.borrow_session(), Recorder::default());
            let wire =
                context.request(0).by_get(context.endpoint("authorization_endpoint").unwrap());
            let user = context.target.user.as_ref();
            let (landing, way) =
                context.drive(&mut agent, &recorder, wire, &[], user, decision).await;
            assert_eq!((landing.error(), way.consented), (expected, true), "{:?}", way.trouble);
        });
    }
}

#[test]
fn failures_of_calls_have_their_reasons() {
    let totp = format!("{}totp = \"env:TOTP\"\n", ALICE);
    let with_otp = LOGIN.replace("json = { ", "json = { otp = \"{otp}\", ");
    for (manner, profile, expected) in [
        (Manner::Api, format!("{}{LOGIN}", ALICE.replace("PASSWORD", "WRONG")), "wrong password"),
        (
            Manner::Api,
            format!("{ALICE}{}", LOGIN.replace("/api/sign-in", "/api/nothing")),
            "page not found",
        ),
        (
            Manner::Api,
            format!("{ALICE}{}", LOGIN.replace("/session/token", "/token")),
            "field not found",
        ),
        (
            Manner::Api,
            format!("{ALICE}{}", LOGIN.replace("status = 200", "status = 201")),
            "refused by the server",
        ),
        (Manner::ApiSecondFactor, format!("{ALICE}{LOGIN}"), "second factor asked"),
        (Manner::ApiSecondFactor, format!("{totp}{with_otp}"), "ok"),
    ] {
        let outcome = blocking(async {
            let server = start(manner).await;
            trial(target(&server, &profile)).await.outcome
        });
        let reason = outcome.as_ref().map_or_else(|(reason, _)| *reason, |_| "ok");
        assert_eq!(reason, expected, "{outcome:?}\n{profile}");
    }
}

#[test]
fn an_unknown_name_is_an_error_of_the_profile_with_its_line() {
    let text = format!(
        "issuer = \"http://127.0.0.1:1\"\n[[clients]]\nid = \"web\"\nredirect_uris = [\"https://app.example.test/cb\"]\n{ALICE}{}",
        LOGIN.replace("{interaction}", "{interactoin}")
    );
    let error = Target::parse("target.toml", &text, &super::variable).unwrap_err();
    let line = text.lines().position(|line| line.contains("interactoin")).unwrap() + 1;
    let start = format!(
        "target.toml:{line}: unknown name {{interactoin}}, expected one of authorization_url"
    );
    assert!(error.starts_with(&start), "{error}");
    assert!(error.contains("page_csrf"), "{error}");
}
