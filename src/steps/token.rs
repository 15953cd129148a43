//! What the token endpoint did with a request.

use cucumber::then;

use super::words;
use crate::expect::{Findings, token as expect};
use crate::model::exchange::Exchange;
use crate::world::{Step, World};

#[then("the token endpoint issues tokens")]
fn issues_tokens(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::token_ok(&answer))
}

#[then("the token endpoint issues tokens to each")]
fn issues_to_each(world: &mut World) -> Step {
    judge_answers(world, expect::token_ok)
}

fn judge_answers(world: &mut World, judge: impl Fn(&Exchange) -> Findings) -> Step {
    if world.answers.is_empty() {
        return world.missing("answer");
    }
    for answer in world.answers.clone() {
        world.judge(judge(&answer))?;
    }
    Ok(())
}

#[then(regex = "^the token endpoint refuses with (.+)$")]
fn refuses(world: &mut World, codes: String) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::token_reject(&answer, &words(&codes)))
}

#[then(regex = "^the token endpoint issues tokens or refuses with (.+)$")]
fn issues_or_refuses(world: &mut World, codes: String) -> Step {
    let answer = world.answer()?;
    world.judge(expect::token_ok_or_reject(&answer, &words(&codes)))
}

#[then("no tokens are issued")]
fn no_tokens(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::no_tokens(&answer))
}

#[then(regex = "^the password grant is refused with (.+)$")]
fn password_refused(world: &mut World, codes: String) -> Step {
    let answer = world.answer()?;
    let grants = world
        .context()?
        .facts
        .metadata
        .list("grant_types_supported")
        .is_some_and(|g| g.contains(&"password"));
    world.judge_refusal(expect::password_grant_refused(&answer, &words(&codes), grants))
}

#[then("the error is invalid_grant, at the least invalid_request")]
fn mismatch_error(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::mismatch_error(&answer))
}

#[then("the error is well-formed")]
fn error_format(world: &mut World) -> Step {
    let answer = world.answer()?;
    if expect::issues_something(&answer) {
        return world
            .not_applicable("tokens are issued where an error is due; another duty judges that");
    }
    world.judge_refusal(expect::error_format(&answer))
}
