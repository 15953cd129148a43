//! Codes that nobody issued, made of what the server gave away.

use cucumber::{then, when};

use super::words;
use crate::expect::token as expect;
use crate::world::{Flow, Step, World};

/// Characters at which a structured code may fall into parts.
const SEPARATORS: [char; 6] = ['.', ':', '|', '~', '$', '_'];

/// Codes made of the head of one and the tail of the other: cut in the middle, and at the first and
/// last separator of each kind that both have. None is one of the two.
fn splices(first: &str, second: &str) -> Vec<String> {
    let middle = |code: &str| code.is_ascii().then_some(code.len() / 2);
    let mut cuts = vec![(middle(first), middle(second))];
    for separator in SEPARATORS {
        cuts.push((first.find(separator), second.find(separator)));
        cuts.push((first.rfind(separator), second.rfind(separator)));
    }
    let splice = |(head, tail): (Option<usize>, Option<usize>)| {
        Some(format!("{}{}", &first[..head?], &second[tail?..]))
    };
    let mut spliced: Vec<String> = cuts.into_iter().filter_map(splice).collect();
    spliced.sort();
    spliced.dedup();
    spliced.retain(|code| code != first && code != second);
    spliced
}

#[when("the client redeems codes made of the parts of two")]
async fn redeem_spliced(world: &mut World) -> Step {
    let context = world.context()?;
    // The code of another client where there is one: its part may name the client.
    let owner = world.client;
    let other = usize::from(context.target.clients.len() > 1 && owner == 0);
    let twin = context.twin(other).await;
    world.need(twin)?;
    let mut flows: Vec<Flow> = Vec::new();
    for client in [owner, other] {
        world.client = client;
        let request = world.request()?;
        world.obtain_code(request).await?;
        flows.push(world.flow()?);
    }
    let [first, second] = &flows[..] else { return world.missing("pair of codes") };
    let codes = [first, second].map(|flow| flow.landing.code().unwrap_or_default().to_owned());
    let id = &context.client(other).id;
    for code in splices(&codes[0], &codes[1]) {
        // The proof and the redirect URI of the first flow, in the name of the second client.
        let mut params = world.redemption(first)?;
        params.set("code", code);
        params.set("client_id", id.as_str());
        world.token_request(&params).await?;
    }
    if world.answers.is_empty() {
        return world.not_applicable("codes have no parts that could be exchanged");
    }
    Ok(())
}

#[when(
    regex = "^the client redeems (the state|the nonce|the code_challenge|the code without its last character|the code with a character more|the code twice over) in place of the code$"
)]
async fn redeem_identifier(world: &mut World, what: String) -> Step {
    let flow = world.flow()?;
    let mut params = world.redemption(&flow)?;
    let code = params.value("code").unwrap_or_default().to_owned();
    let of_request = |name: &str| flow.request.params.value(name).unwrap_or_default().to_owned();
    let forged = match what.as_str() {
        "the state" => of_request("state"),
        "the nonce" => of_request("nonce"),
        "the code_challenge" => of_request("code_challenge"),
        "the code without its last character" => {
            code.char_indices().last().map_or("", |(at, _)| &code[..at]).to_owned()
        }
        "the code with a character more" => format!("{code}A"),
        _ => format!("{code}{code}"),
    };
    params.set("code", forged);
    world.token_request(&params).await
}

#[then(regex = "^the token endpoint refuses each with (.+)$")]
fn refuses_each(world: &mut World, codes: String) -> Step {
    let codes = words(&codes);
    let findings = world.answers.iter().flat_map(|e| expect::token_reject(e, &codes)).collect();
    world.judge_refusal(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_spliced_where_they_fall_into_parts() {
        assert_eq!(splices("aaaa", "bbbb"), ["aabb"]);
        assert_eq!(splices("aa.1.x", "bb.2.y"), ["aa.1.y", "aa.2.y"]);
        assert_eq!(splices("same", "same"), Vec::<String>::new());
        assert_eq!(splices("\u{e9}a", "bbbb"), Vec::<String>::new());
    }
}
