//! Is the client registered, and its redirect URI? A request that is in order gets further than one
//! of a stranger and one that leads astray.

use std::collections::BTreeSet;

use crate::http::user_agent::UserAgent;
use crate::model::exchange::Exchange;
use crate::model::verdict::Obstacle;
use crate::oauth::authorization::{AuthorizationRequest, Landing};
use crate::oauth::random;
use crate::oauth::redirect_uri::FOREIGN_HOST;
use crate::target::login::driver::Decision;
use crate::world::context::{Context, usable};
use crate::world::front::Front;

/// Hundredths by which one page must be more like ours than another to mean something.
const MARGIN: usize = 5;

/// Hundredths from which on two pages are the same.
const ALIKE: usize = 90;

/// What is not registered.
pub(super) enum Unregistered {
    /// The client, as far as one can tell.
    Client(Obstacle),
    /// The redirect URI of a client that is known.
    RedirectUri(Obstacle),
}

impl From<Obstacle> for Unregistered {
    fn from(obstacle: Obstacle) -> Self {
        Self::Client(obstacle)
    }
}

/// Opens a request of the first client; where it gets nowhere, finds out why. `false` where the
/// server says nothing of either before somebody signed in.
pub(super) async fn registration(context: &Context) -> Result<bool, Unregistered> {
    let request = context.request(0);
    let own = open(context, &request).await?;
    let client = context.client(0);
    let mut stranger = request.clone();
    stranger.params.set("client_id", random(12));
    if gets_on(&own) {
        return Ok(!gets_on(&open(context, &stranger).await?));
    }
    let mut astray = request.clone();
    astray.params.set("redirect_uri", format!("https://{FOREIGN_HOST}/cb"));
    let as_stranger = likeness(&own, &open(context, &stranger).await?);
    let as_astray = likeness(&own, &open(context, &astray).await?);
    let (id, uri) = (&client.id, client.redirect_uri());
    let tried = format!("to open an authorization request of client {id} with {uri}");
    // To a stranger every address is alike, so that only the difference tells the two apart.
    if as_astray >= as_stranger + MARGIN {
        let came_back = format!("{}, as for an address that nobody registered", own.gist());
        let remedy = format!(
            "register {uri} for the client, character by character, or correct redirect_uris"
        );
        return Err(Unregistered::RedirectUri(Obstacle::new(tried, came_back, remedy)));
    }
    if as_stranger < ALIKE {
        let remedy = "see the page and the server's log; are client and redirect URI registered?";
        return Err(Obstacle::new(tried, own.gist(), remedy).into());
    }
    let came_back = format!("{}, as for a client that nobody knows", own.gist());
    let remedy = format!(
        "register the client, or correct id under [[clients]]; if the id is right, register {uri} for it, character by character"
    );
    Err(Obstacle::new(tried, came_back, remedy).into())
}

/// The request was not turned away.
fn gets_on(landing: &Landing) -> bool {
    let is_ill = landing.exchange.response().is_some_and(|r| r.status >= 400);
    landing.response.is_some() || landing.asks_to_sign_in || !is_ill
}

/// Where a request leads whose user does nothing.
async fn open(context: &Context, request: &AuthorizationRequest) -> Result<Landing, Obstacle> {
    let endpoint = context.endpoint("authorization_endpoint")?;
    let recorder = &context.shared;
    let sent = match context.front_channel(recorder, request).await? {
        Front::Request(sent) => sent.by_get(endpoint),
        Front::Refused(landing) => return Ok(landing),
    };
    let mut agent = UserAgent::default();
    let (landing, _) =
        context.drive(&mut agent, recorder, sent, &[], None, Decision::Approve).await;
    usable(landing.exchange.clone())?;
    Ok(landing)
}

/// How alike two pages are, in hundredths: the share of words that both have, but for those that
/// repeat a request.
fn likeness(one: &Landing, other: &Landing) -> usize {
    let status = |landing: &Landing| landing.exchange.response().map(|r| r.status);
    if other.response.is_some() || other.asks_to_sign_in || status(one) != status(other) {
        return 0;
    }
    let text = |e: &Exchange| e.response().map(|r| r.text()).unwrap_or_default();
    let echo: BTreeSet<String> =
        [one, other].iter().flat_map(|l| words(&l.exchange.request.url)).collect();
    let of = |l: &Landing| -> BTreeSet<String> {
        words(&text(&l.exchange)).difference(&echo).cloned().collect()
    };
    let (one, other) = (of(one), of(other));
    let all = one.union(&other).count();
    (one.intersection(&other).count() * 100).checked_div(all).unwrap_or(100)
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2);
    words.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::exchange::Request;
    use crate::model::exchange::samples::answered;

    fn page(url: &str, text: &str) -> Landing {
        let request = Request::get(url);
        let exchange = Arc::new(Exchange { request, ..answered(400, &[], text) });
        Landing { exchange, response: None, asks_to_sign_in: false, endless: false, shown: None }
    }

    #[test]
    fn pages_that_repeat_their_request_are_alike_all_the_same() {
        let own = page("https://as.test/a?client_id=spa", "client spa is not known");
        let stranger = page("https://as.test/a?client_id=q7x", "client q7x is not known");
        assert_eq!(likeness(&own, &stranger), 100);
        let astray = page("https://as.test/a?client_id=spa", "the address is not registered");
        assert!(likeness(&own, &astray) < ALIKE);
    }
}
