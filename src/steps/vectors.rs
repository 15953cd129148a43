//! Rows of the attack tables: each is one request, and all are tried before they are judged.

use std::sync::Arc;

use cucumber::{then, when};
use sha2::{Digest as _, Sha256};

use super::token_response::{finish_flow, need_told_scope};
use super::words;
use crate::expect::authorization::{code_ok, front_reject, front_reject_or_warn};
use crate::expect::{Findings, token as token_expect, token_response, vectors as expect};
use crate::model::exchange::Exchange;
use crate::model::verdict::Obstacle;
use crate::oauth::authorization::AuthorizationRequest;
use crate::oauth::pkce;
use crate::oauth::token::{self, TokenResponse};
use crate::oauth::vectors::{Row, fill, rows};
use crate::world::{Step, Tried, World};

/// Rows without an answer, one after the other, after which the rest of the table is left alone.
const MOST_SILENT: usize = 3;

/// Why a refusal of the token endpoint may name a repeated or misplaced parameter.
const MISPLACED: [&str; 5] = [
    "invalid_request",
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "unsupported_grant_type",
];

/// The rows of a table with that flag, or the end of the scenario.
pub(super) fn flagged(world: &mut World, table: &str, flag: &str) -> Step<Vec<&'static Row>> {
    match rows(table, flag) {
        Ok(rows) if !rows.is_empty() => Ok(rows),
        Ok(_) => world.missing(&format!("row flagged {flag} in fixtures/vectors/{table}.toml")),
        Err(fault) => world.missing(&fault),
    }
}

/// Tries every row. `send` pushes a flow, and yields the answer of the token endpoint where one was
/// asked; a row that does not apply pushes none. A row that meets an obstacle leaves it on record,
/// and the others are tried all the same.
pub(super) async fn each(
    world: &mut World,
    rows: impl IntoIterator<Item = (String, &'static Row)>,
    send: impl AsyncFn(&mut World, &'static Row) -> Step<Option<Arc<Exchange>>>,
) -> Step {
    let mut silent = 0;
    for (name, row) in rows {
        let before = world.flows.len();
        match send(world, row).await {
            Ok(answer) => {
                silent = 0;
                if let Some(flow) = world.flows.get(before..).and_then(<[_]>::last).cloned() {
                    world.tried.push(Tried { row: Row { name, ..row.clone() }, flow, answer });
                }
            }
            Err(stop) => {
                silent += 1;
                if !world.met_obstacle() || silent == MOST_SILENT {
                    return Err(stop);
                }
            }
        }
    }
    if world.tried.is_empty() && !world.met_obstacle() {
        return world.not_applicable("no row of the table fits what the profile registers");
    }
    Ok(())
}

/// [`each`] under the names of the table.
async fn each_row(
    world: &mut World,
    table: &str,
    flag: &str,
    send: impl AsyncFn(&mut World, &'static Row) -> Step<Option<Arc<Exchange>>>,
) -> Step {
    let rows = flagged(world, table, flag)?;
    each(world, rows.into_iter().map(|row| (row.name.clone(), row)), send).await
}

/// Judges every row that was tried; those that deviate are named.
pub(super) fn judge_rows(world: &mut World, judge: impl Fn(&Tried) -> Findings) -> Step {
    let findings: Findings = world.tried.iter().flat_map(judge).collect();
    world.judge_refusal(findings)
}

/// The answer to the redemption, if the request yields a code.
async fn to_the_end(
    world: &mut World,
    request: AuthorizationRequest,
) -> Step<Option<Arc<Exchange>>> {
    let before = world.answers.len();
    finish_flow(world, request).await?;
    Ok(world.answers.get(before).cloned())
}

fn of_pkce(value: &str, verifier: &str) -> String {
    fill(value, |part| {
        Some(match part {
            "challenge" => pkce::s256(verifier),
            "hex" => Sha256::digest(verifier).iter().map(|b| format!("{b:02x}")).collect(),
            "verifier" => verifier.to_owned(),
            "verifier.altered" => pkce::altered(verifier),
            "verifier.upper" => verifier.to_ascii_uppercase(),
            "verifier.lower" => verifier.to_ascii_lowercase(),
            "verifier.reversed" => verifier.chars().rev().collect(),
            "verifier.cut" => verifier[..verifier.len() - 1].to_owned(),
            _ => return None,
        })
    })
}

#[when(regex = "^the client sends each code_challenge flagged (\\S+)$")]
async fn challenges(world: &mut World, flag: String) -> Step {
    each_row(world, "pkce", &flag, async |world, row| {
        let mut request = world.request()?;
        request.params.set("code_challenge", of_pkce(&row.value, &request.code_verifier));
        world.authorize(request).await.map(|()| None)
    })
    .await
}

#[when(regex = "^the client sends each code_challenge_method flagged (\\S+)$")]
async fn methods(world: &mut World, flag: String) -> Step {
    each_row(world, "pkce", &flag, async |world, row| {
        let mut request = world.request()?;
        request.params.set("code_challenge_method", of_pkce(&row.value, ""));
        to_the_end(world, request).await
    })
    .await
}

#[when(regex = "^the client redeems a code with each code_verifier flagged (\\S+)$")]
async fn verifiers(world: &mut World, flag: String) -> Step {
    each_row(world, "pkce", &flag, async |world, row| {
        let request = world.request()?;
        world.obtain_code(request).await?;
        let flow = world.flow()?;
        let mut params = world.redemption(&flow)?;
        params.set("code_verifier", of_pkce(&row.value, &flow.request.code_verifier));
        world.token_request(&params).await?;
        world.answer().map(Some)
    })
    .await
}

#[when(regex = "^the client runs the flow with each code_verifier flagged (\\S+)$")]
async fn own_verifiers(world: &mut World, flag: String) -> Step {
    each_row(world, "pkce", &flag, async |world, row| {
        let request = world.request()?.with_verifier(of_pkce(&row.value, ""));
        to_the_end(world, request).await
    })
    .await
}

#[then(regex = "^each challenge is answered as its row says, a refusal being (.+)$")]
fn challenges_judged(world: &mut World, codes: String) -> Step {
    let codes = words(&codes);
    judge_rows(world, |Tried { row, flow, .. }| {
        let uri = flow.redirect_uri();
        expect::by_class(row, code_ok(&flow.landing, uri), front_reject(&flow.landing, uri, &codes))
    })
}

#[then(regex = "^each method is refused with (.+), or means S256 where its row says so$")]
fn methods_judged(world: &mut World, codes: String) -> Step {
    let codes = words(&codes);
    judge_rows(world, |Tried { row, flow, answer }| {
        // A code is no refusal: what the token endpoint does with it tells the method alone.
        let uri = flow.redirect_uri();
        let refused = front_reject(&flow.landing, uri, &codes);
        let accepted = answer.as_ref().map(|answer| token_expect::token_ok(answer));
        expect::by_class(row, accepted.unwrap_or_else(|| refused.clone()), refused)
    })
}

#[then(regex = "^each flow ends as its row says, a refusal being (.+)$")]
fn flows_judged(world: &mut World, codes: String) -> Step {
    let codes = words(&codes);
    judge_rows(world, |Tried { row, flow, answer }| {
        let uri = flow.redirect_uri();
        expect::early_or_late(row, &flow.landing, uri, answer.as_deref(), &codes)
    })
}

#[when(regex = "^the client sends each state flagged (\\S+)$")]
async fn states(world: &mut World, flag: String) -> Step {
    each_row(world, "state", &flag, async |world, row| {
        let mut request = world.request()?;
        request.params.set("state", fill(&row.value, |_| None));
        world.authorize(request).await.map(|()| None)
    })
    .await
}

#[then("each state comes back unchanged, or is refused where its row says so")]
fn states_judged(world: &mut World) -> Step {
    judge_rows(world, |Tried { row, flow, .. }| {
        let sent = flow.request.params.value("state").unwrap_or_default();
        expect::state(row, &flow.landing, flow.redirect_uri(), sent)
    })
}

#[when(regex = "^the client asks for each scope flagged (\\S+)$")]
async fn scopes(world: &mut World, flag: String) -> Step {
    let context = world.context()?;
    let usual = context.client(world.client).scope.clone();
    let forbidden = context.target.forbidden_scope.clone().unwrap_or_default();
    if flag == "forbidden" && forbidden.is_empty() {
        return world.not_applicable("no forbidden_scope is configured");
    }
    world.noted.clone_from(&forbidden);
    let values: Vec<&str> = usual.split(' ').collect();
    let (first, last) =
        (values.first().copied().unwrap_or_default(), values.last().copied().unwrap_or_default());
    each_row(world, "scope", &flag, async |world, row| {
        let mut request = world.request()?;
        let scope = fill(&row.value, |part| {
            Some(match part {
                "scope" => usual.clone(),
                "scope.upper" => usual.to_uppercase(),
                "scope.spaced" => usual.replace(' ', "  "),
                "scope.reversed" => values.iter().rev().copied().collect::<Vec<_>>().join(" "),
                "first" => first.to_owned(),
                "last" => last.to_owned(),
                "last.cut" => last[..last.len().saturating_sub(1)].to_owned(),
                "forbidden" => forbidden.clone(),
                "forbidden.upper" => forbidden.to_uppercase(),
                _ => return None,
            })
        });
        request.params.set("scope", scope);
        to_the_end(world, request).await
    })
    .await
}

/// Judges the tokens of every row; a row without tokens must be refused with one of `codes`.
fn scopes_judged(
    world: &mut World,
    codes: &[&str],
    judge: impl Fn(&str, &TokenResponse) -> Findings,
) -> Step {
    judge_rows(world, |Tried { row, flow, answer }| {
        let tokens = answer.as_deref().and_then(|a| a.response().and_then(TokenResponse::read));
        let findings = match (answer, tokens) {
            (Some(answer), Some(tokens)) => {
                let requested = flow.request.params.value("scope").unwrap_or_default();
                judge(requested, &tokens).into_iter().map(|d| d.seen_in(answer)).collect()
            }
            (Some(answer), None) => token_expect::token_reject(answer, codes),
            (None, _) => front_reject(&flow.landing, flow.redirect_uri(), codes),
        };
        expect::named(&row.name, findings)
    })
}

#[then(regex = "^no scope is broader than its request, a refusal being (.+)$")]
fn no_broader_scope(world: &mut World, codes: String) -> Step {
    let context = world.context()?;
    // RFC 6749 §3.3: a default in place of what was asked for is no escalation.
    let usual = context.client(world.client).scope.clone();
    scopes_judged(world, &words(&codes), |requested, tokens| {
        token_response::scope_not_widened(tokens, &format!("{requested} {usual}"))
    })
}

#[then(regex = "^no disguise yields the forbidden scope, a refusal being (.+)$")]
fn no_forbidden_scope(world: &mut World, codes: String) -> Step {
    let forbidden = world.noted.clone();
    scopes_judged(world, &words(&codes), |_, tokens| {
        token_response::scope_withheld(tokens, None, &forbidden)
    })?;
    // Where the forbidden value stands in disguise, silence grants one value that nobody knows.
    let is_plain = |tried: &&Tried| {
        let requested = tried.flow.request.params.value("scope").unwrap_or_default();
        token::scope_set(requested).contains(forbidden.as_str())
    };
    let plain: Vec<TokenResponse> = world
        .tried
        .iter()
        .filter(is_plain)
        .filter_map(|tried| TokenResponse::read(tried.answer.as_deref()?.response()?))
        .collect();
    plain.iter().try_for_each(|tokens| need_told_scope(world, tokens))
}

#[when(regex = "^the client bends the authorization request by each row flagged (\\S+)$")]
async fn bent_requests(world: &mut World, flag: String) -> Step {
    each_row(world, "pollution", &flag, async |world, row| {
        let mut request = world.request()?;
        row.bend(&mut request.params);
        world.authorize(request).await.map(|()| None)
    })
    .await
}

#[then(regex = "^each repetition should be refused with (.+)$")]
fn repetitions_judged(world: &mut World, codes: String) -> Step {
    let codes = words(&codes);
    judge_rows(world, |Tried { row, flow, .. }| {
        let uri = flow.redirect_uri();
        let refused = front_reject_or_warn(&flow.landing, uri, &codes);
        expect::by_class(row, code_ok(&flow.landing, uri), refused)
    })
}

#[then("the browser is sent to the registered redirect_uri or nowhere")]
fn foreign_judged(world: &mut World) -> Step {
    let own = world.context()?.client(world.client).redirect_uri().to_owned();
    judge_rows(world, |Tried { row, flow, .. }| {
        expect::redirect_uri_beside(row, &flow.landing, &own)
    })
}

#[then(regex = "^each name changes nothing, a refusal being (.+)$")]
fn names_judged(world: &mut World, codes: String) -> Step {
    let codes = words(&codes);
    judge_rows(world, |Tried { row, flow, .. }| {
        let (uri, landing) = (flow.redirect_uri(), &flow.landing);
        let sent = flow.request.params.value("state").unwrap_or_default();
        let mut accepted = code_ok(landing, uri);
        accepted.extend(expect::state(row, landing, uri, sent));
        expect::by_class(row, accepted, front_reject(landing, uri, &codes))
    })
}

#[when(regex = "^the client bends the token request by each row flagged (\\S+)$")]
async fn bent_redemptions(world: &mut World, flag: String) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    each_row(world, "pollution", &flag, async |world, row| {
        let request = world.request()?;
        world.obtain_code(request).await?;
        let flow = world.flow()?;
        let mut params = world.redemption(&flow)?;
        let query = row.bend(&mut params);
        let address = if query.is_empty() { endpoint.clone() } else { query.on(&endpoint) };
        world.send(token::post(&address, &params)).await?;
        world.answer().map(Some)
    })
    .await
}

/// Judges the answers of the token endpoint by `refused`.
fn answers_judged(world: &mut World, refused: impl Fn(&Exchange) -> Findings) -> Step {
    if world.tried.iter().any(|tried| tried.answer.is_none()) {
        let remedy = "check that the token endpoint answers";
        return world.need(Err(Obstacle::new("to redeem a code", "no answer", remedy)));
    }
    judge_rows(world, |Tried { row, answer, .. }| match answer {
        Some(answer) => expect::by_class(row, token_expect::token_ok(answer), refused(answer)),
        None => vec![],
    })
}

#[then("each token request is refused or changes nothing, as its row says")]
fn redemptions_judged(world: &mut World) -> Step {
    answers_judged(world, |answer| token_expect::token_reject(answer, &MISPLACED))
}

#[then("no row yields tokens")]
fn no_row_yields_tokens(world: &mut World) -> Step {
    answers_judged(world, token_expect::no_tokens)
}
