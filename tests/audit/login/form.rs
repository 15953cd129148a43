//! `driver = "form"`: second factors, and codes that arrive in JSON.

use authspec::http::Recorder;
use authspec::model::requirement::Profile;
use authspec::preflight::prepare;
use authspec::world::context::{Clock, Context};
use reference_server::seeds;

use super::server::{Manner, start, target};
use super::{ALICE, blocking, trial};

const TOTP: &str =
    "[user]\nusername = \"alice\"\npassword = \"env:PASSWORD\"\ntotp = \"env:TOTP\"\n";

fn outcome(manner: Manner, user: &str) -> Result<String, &'static str> {
    blocking(async {
        let server = start(manner).await;
        let trial = trial(target(&server, user)).await;
        trial.outcome.map_err(|(reason, _)| reason)
    })
}

#[test]
fn a_one_time_code_is_typed_on_a_page_of_its_own_or_beside_the_password() {
    for manner in [Manner::SecondFactor, Manner::AllAtOnce] {
        assert_eq!(outcome(manner, TOTP).as_deref(), Ok(seeds::WEB_REDIRECT_URI), "{manner:?}");
        assert_eq!(outcome(manner, ALICE), Err("second factor asked"), "{manner:?}");
    }
}

#[test]
fn a_named_field_takes_the_code() {
    let named = format!("{TOTP}[login]\notp_field = \"otp\"\n");
    assert!(outcome(Manner::SecondFactor, &named).is_ok());
}

#[test]
fn a_code_may_arrive_in_json() {
    for manner in [Manner::JsonCallback, Manner::JsonNext, Manner::JsonDone] {
        assert_eq!(outcome(manner, ALICE).as_deref(), Ok(seeds::WEB_REDIRECT_URI), "{manner:?}");
    }
}

#[test]
fn a_code_that_is_used_up_is_followed_by_the_next() {
    blocking(async {
        let server = start(Manner::SingleUse).await;
        let context = context(&server, &TOTP.replace(":TOTP", ":SHORT_TOTP")).await;
        for _ in 0..3 {
            assert_eq!(sign_in(&context).await, Ok(()));
        }
        let requests = server.received_requests().await.unwrap();
        let codes =
            requests.iter().filter(|r| r.method.as_str() == "POST" && r.url.path() == "/otp");
        assert!(codes.count() <= 4, "one code more than logins, to learn that each is good once");
    });
}

#[test]
fn a_code_that_is_refused_is_not_sent_again() {
    blocking(async {
        let server = start(Manner::SingleUse).await;
        let context = context(&server, TOTP).await;
        let error = sign_in(&context).await.unwrap_err();
        assert!(error.contains("second factor asked") && error.contains("came back"), "{error}");
        let requests = server.received_requests().await.unwrap();
        assert_eq!(
            requests
                .iter()
                .filter(|r| r.url.path() == "/otp" && r.method.as_str() == "POST")
                .count(),
            1
        );
    });
}

#[test]
fn an_error_page_after_a_code_points_at_the_code() {
    blocking(async {
        let server = start(Manner::RefusesCode).await;
        let (reason, obstacle) = trial(target(&server, TOTP)).await.outcome.unwrap_err();
        assert_eq!(reason, "second factor asked");
        assert!(obstacle.remedy.contains("check totp of the user"), "{obstacle}");
        // The commands before this one may have used the code.
        assert!(obstacle.remedy.contains("is used up"), "{obstacle}");
    });
}

#[test]
fn the_login_of_another_server_is_followed_where_the_profile_names_it() {
    blocking(async {
        let idp = start(Manner::Plain).await;
        let server = wiremock::MockServer::start().await;
        let there = format!("{}/authorize?state=s", idp.uri());
        let away = wiremock::ResponseTemplate::new(302).insert_header("Location", there.as_str());
        let is_request = wiremock::matchers::path("/authorize");
        wiremock::Mock::given(is_request).respond_with(away).mount(&server).await;
        let named = format!("{ALICE}[login]\norigins = [{:?}]\n", idp.uri());
        let outcome = trial(target(&server, &named)).await.outcome;
        assert_eq!(outcome.as_deref(), Ok(seeds::WEB_REDIRECT_URI));
        let (reason, obstacle) = trial(target(&server, ALICE)).await.outcome.unwrap_err();
        assert_eq!(reason, "callback not reached");
        assert!(obstacle.remedy.contains("origins in [login]"), "{obstacle}");
    });
}

async fn context(server: &wiremock::MockServer, user: &str) -> Context {
    prepare(target(server, user), Profile::Baseline, Clock::default())
        .await
        .map_err(|(o, _)| o)
        .unwrap()
}

async fn sign_in(context: &Context) -> Result<(), String> {
    let mut agent = context.borrow_session();
    let outcome = context.code(&mut agent, &Recorder::default(), &context.request(0)).await;
    outcome.map(drop).map_err(|obstacle| obstacle.to_string())
}

#[test]
fn a_refused_password_is_sent_once_in_a_run() {
    blocking(async {
        let server = start(Manner::Plain).await;
        let context = context(&server, &ALICE.replace("PASSWORD", "WRONG")).await;
        assert!(sign_in(&context).await.unwrap_err().contains("wrong password"));
        for _ in 0..3 {
            let error = sign_in(&context).await.unwrap_err();
            assert!(error.contains("not tried again: the server refused this password"), "{error}");
        }
        let requests = server.received_requests().await.unwrap();
        let posts = requests.iter().filter(|r| r.method.as_str() == "POST").count();
        assert_eq!(posts, 1);
    });
}

#[test]
fn the_budget_of_the_profile_bounds_the_sign_ins() {
    blocking(async {
        let server = start(Manner::Plain).await;
        let context = context(&server, &format!("{ALICE}[login]\nbudget = 2\n")).await;
        assert!(sign_in(&context).await.is_ok() && sign_in(&context).await.is_ok());
        assert!(sign_in(&context).await.unwrap_err().contains("the budget of 2 sign-ins is spent"));
        assert_eq!(context.memory.spent(), 2);
    });
}
