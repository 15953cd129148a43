//! What UserInfo answers.

use cucumber::{then, when};

use super::resource::access_token;
use crate::expect::{resource, userinfo as expect};
use crate::model::exchange::Request;
use crate::oauth::authorization::form_post;
use crate::oauth::jose::Jws;
use crate::oauth::params::Params;
use crate::oauth::token::scope_set;
use crate::world::access::{userinfo_request, with_token};
use crate::world::{Step, World};

#[when("the client posts to userinfo with its access token")]
async fn post_userinfo(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let endpoint = world.need(context.endpoint("userinfo_endpoint").map(str::to_owned))?;
    let post: Request = form_post(&endpoint, &Params::default());
    world.send(with_token(post, Some(&token))).await
}

#[when("the client calls userinfo with a token that was not granted openid")]
async fn call_without_openid(world: &mut World) -> Step {
    let context = world.context()?;
    let mut request = world.request()?;
    let scope = request.params.value("scope").unwrap_or_default().to_owned();
    let narrowed: Vec<&str> = scope.split(' ').filter(|value| *value != "openid").collect();
    if narrowed.iter().all(|value| value.is_empty()) {
        return world.not_applicable("the scope of the client is openid alone");
    }
    request.params.set("scope", narrowed.join(" "));
    let flow = context.flow(&mut world.agent, &world.recorder, world.client, request).await;
    let Ok((grant, _)) = flow else {
        return world.not_applicable("no tokens are issued without the scope openid");
    };
    if grant.tokens.text("scope").is_some_and(|scope| scope_set(scope).contains("openid")) {
        return world.not_applicable("the server grants openid unasked");
    }
    let call = world.need(userinfo_request(&context))?;
    world.send(with_token(call, grant.tokens.access_token())).await
}

#[then("userinfo answers with claims")]
fn answers(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::claims(&answer))
}

#[then("the media type tells what the answer is")]
fn media_type(world: &mut World) -> Step {
    let (context, answer) = (world.context()?, world.answer()?);
    let client_id = &context.client(world.client).id;
    world.judge(expect::media_type(&answer, context.issuer(), client_id))
}

#[then("userinfo gives no claims")]
fn needs_openid(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::needs_openid(&answer))
}

#[then("userinfo names the subject of the ID Token")]
fn subject_of_id_token(world: &mut World) -> Step {
    let grant = world.granted()?;
    let id_token = grant.tokens.id_token().and_then(|token| Jws::read(token).ok());
    let Some(subject) = id_token.and_then(|jws| jws.text("sub").map(str::to_owned)) else {
        return world.not_applicable("no readable ID Token to compare with");
    };
    let answer = world.answer()?;
    if !resource::answers(&answer, 200).is_empty() {
        return world.not_applicable("userinfo does not answer; userinfo.get judges that");
    }
    if expect::is_encrypted(&answer) {
        return world.not_applicable("UserInfo answers with an encrypted JWT");
    }
    world.judge(expect::subject(&answer, &subject))
}

#[then("userinfo names the same subject as before")]
fn same_subject(world: &mut World) -> Step {
    let [.., before, answer] = &world.answers[..] else {
        return world.missing("pair of answers");
    };
    let (before, answer) = (before.clone(), answer.clone());
    let findings = match expect::subject_of(&before) {
        Some(subject) => expect::subject(&answer, &subject),
        // What GET left out or hid cannot be compared.
        None => expect::claims(&answer),
    };
    world.judge(findings)
}
