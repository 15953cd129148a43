//! Plays the steps of a scenario.
//!
//! A step is found by its text once in the life of the process, and may end a scenario in silence.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};
use std::time::Instant;

use cucumber::step::{CaptureName, Context as StepContext, Step as StepFunction};
use futures_util::FutureExt as _;
use gherkin::{Step, StepType};

use crate::model::report::StepReport;
use crate::model::verdict::{Ending, StepOutcome};
use crate::world::{World, registered_steps};

/// Step by step, until one of them ends the scenario.
pub(crate) async fn play<'a>(
    all: impl Iterator<Item = &'a Step>,
    world: &mut World,
) -> (Vec<StepReport>, Ending) {
    let mut ending = Ending::Completed;
    let mut steps = Vec::new();
    for step in all {
        let (started, before) = (Instant::now(), world.deviations());
        let mut outcome = StepOutcome::NotRun;
        if ending == Ending::Completed {
            ending = one(step, world).await;
            outcome = match ending {
                _ if world.deviations() > before => StepOutcome::Deviated,
                Ending::Completed => StepOutcome::Passed,
                Ending::Stopped(_) | Ending::Undefined(_) => StepOutcome::Stopped,
            };
        }
        steps.push(StepReport {
            keyword: step.keyword.trim().to_owned(),
            text: step.value.clone(),
            line: step.position.line,
            outcome,
            elapsed_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            exchanges: world.exchanges(),
        });
    }
    (steps, ending)
}

async fn one(step: &Step, world: &mut World) -> Ending {
    let (function, matches) = match &*definition(step) {
        Definition::Found(function, matches) => (*function, matches.clone()),
        Definition::Missing(why) => return Ending::Undefined(why.clone()),
    };
    let given = StepContext { step: step.clone(), matches };
    match quietly(function(world, given)).await {
        Ok(()) => Ending::Completed,
        Err(text) => Ending::Stopped(text),
    }
}

/// What a text stands for.
enum Definition {
    Found(StepFunction<World>, Vec<(CaptureName, String)>),
    Missing(String),
}

/// The definition of a step. Matching tries every expression, so each text is matched once.
fn definition(step: &Step) -> Arc<Definition> {
    type Known = HashMap<StepType, HashMap<String, Arc<Definition>>>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let of_type = known.entry(step.ty).or_default();
    if let Some(definition) = of_type.get(&step.value) {
        return definition.clone();
    }
    let definition = Arc::new(match registered_steps().find(step) {
        Ok(Some((function, _, _, given))) => Definition::Found(*function, given.matches),
        Ok(None) => Definition::Missing(format!("no definition of \"{}\"", step.value)),
        Err(e) => Definition::Missing(format!("\"{}\" is ambiguous: {e}", step.value)),
    });
    of_type.insert(step.value.clone(), definition.clone());
    definition
}

thread_local! {
    /// A step runs on this thread: its panic is how it ends the scenario.
    static IN_STEP: Cell<bool> = const { Cell::new(false) };
}

/// Awaits a step. A step that returns an error panics, by the macros of cucumber; the text is
/// returned and nothing is printed.
async fn quietly(step: impl Future<Output = ()>) -> Result<(), String> {
    static HUSH: Once = Once::new();
    HUSH.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !IN_STEP.get() {
                loud(info);
            }
        }));
    });
    let mut step = std::pin::pin!(AssertUnwindSafe(step).catch_unwind());
    let outcome = poll_fn(|cx| {
        IN_STEP.set(true);
        let outcome = step.poll_unpin(cx);
        IN_STEP.set(false);
        outcome
    });
    outcome.await.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_that_panics_ends_with_its_text() {
        assert_eq!(quietly(async {}).await, Ok(()));
        let stopped = quietly(async { panic!("{}", "no code") }).await;
        assert_eq!(stopped, Err("no code".to_owned()));
    }

    #[test]
    fn a_text_without_definition_is_missing() {
        let step = Step {
            keyword: "When".into(),
            ty: StepType::When,
            value: "nobody defined this".into(),
            docstring: None,
            table: None,
            span: gherkin::Span { start: 0, end: 0 },
            position: gherkin::LineCol { line: 1, col: 1 },
        };
        assert!(matches!(&*definition(&step), Definition::Missing(why) if why.contains("nobody")));
    }
}
