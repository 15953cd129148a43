//! One login as the profile says, and nothing else: what `authspec login test` shows.

use crate::draw::clean;
use crate::http::Recorder;
use crate::model::requirement::Profile;
use crate::model::verdict::Obstacle;
use crate::preflight::prepare;
use crate::taint::redactor;
use crate::target::login::trace::{self, Step};
use crate::target::profile::Target;
use crate::world::context::{Clock, Context};

/// A login that was tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The name of the rung.
    pub driver: &'static str,
    /// Who signed in, where he has a name.
    pub user: Option<String>,
    /// Each request of the login, without values.
    pub steps: Vec<Step>,
    /// The address that the code was sent to, or the name of the reason with what to change.
    pub outcome: Result<String, (&'static str, Obstacle)>,
}

/// Signs in once and obtains a code, which is not redeemed. No secret is in the result.
///
/// The error says why nobody got as far as the login.
pub async fn try_login(target: Target) -> Result<Trial, Obstacle> {
    let prepared = prepare(target, Profile::Baseline, Clock::default()).await;
    let context = match prepared {
        Ok(context) => context,
        Err((obstacle, context)) => return Err(shown(&context, &Recorder::default(), &obstacle)),
    };
    let (recorder, mut agent) = (Recorder::default(), context.borrow_session());
    let attempt = context.attempt(&mut agent, &recorder, &context.request(0)).await;
    let attempt = attempt.map_err(|obstacle| shown(&context, &recorder, &obstacle))?;
    let outcome = match attempt {
        Ok((landing, _)) => {
            let address = landing.response.map(|r| r.address).unwrap_or_default();
            Ok(redactor(&context, recorder.exchanges().iter()).redact(&address))
        }
        Err(trouble) => {
            Err((trouble.reason.name(), shown(&context, &recorder, &trouble.obstacle())))
        }
    };
    let user = context.target.user.as_ref().map(|user| user.username.clone());
    Ok(Trial {
        driver: context.target.login.driver(),
        user: user.filter(|name| !name.is_empty()),
        steps: steps(&context, &recorder),
        outcome,
    })
}

fn shown(context: &Context, recorder: &Recorder, obstacle: &Obstacle) -> Obstacle {
    let exchanges = [context.shared.exchanges(), recorder.exchanges()].concat();
    clean(obstacle, &redactor(context, exchanges.iter()))
}

/// The steps of the login; identifiers that stand in a path are redacted like all else.
fn steps(context: &Context, recorder: &Recorder) -> Vec<Step> {
    let exchanges = recorder.exchanges();
    let redactor = redactor(context, exchanges.iter());
    let codes = context.memory.secrets().into_iter().filter(|(kind, _)| *kind == "otp");
    let codes: Vec<String> = codes.map(|(_, code)| code).collect();
    let user = context.target.user.as_ref();
    let mut steps = trace::steps(exchanges.iter(), user, &codes);
    for (number, note) in context.memory.notes() {
        if let Some(step) = number.checked_sub(1).and_then(|at| steps.get_mut(at)) {
            step.notes.push(note);
        }
    }
    let redact = |texts: &mut Vec<String>| {
        texts.iter_mut().for_each(|text| *text = redactor.redact(text));
    };
    for step in &mut steps {
        step.head = redactor.redact(&step.head);
        [&mut step.sent, &mut step.forms, &mut step.notes].into_iter().for_each(redact);
    }
    steps
}
