//! What a run was issued, as its exchanges show it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::exchange::Exchange;
use crate::oauth::params::Params;
use crate::oauth::token::TokenResponse;

/// An access token and when it expires, as exchanges count time.
struct Access {
    value: String,
    expires: Option<Duration>,
}

/// What one approval of the user led to.
pub(super) struct Grant {
    pub(super) client_id: String,
    /// The newest refresh token.
    pub(super) refresh: Option<String>,
    access: Vec<Access>,
    is_ended: bool,
}

/// Everything that a run was issued.
#[derive(Default)]
pub(crate) struct Issued {
    grants: Vec<Grant>,
    /// The grant of each token.
    by_token: HashMap<String, usize>,
}

impl Issued {
    /// Reads the exchanges of a run, in any order; copies count once. Revocations are recognised by
    /// their endpoint.
    pub(crate) fn by(mut exchanges: Vec<Arc<Exchange>>, revocation: Option<&str>) -> Self {
        exchanges.sort_by_key(|exchange| exchange.at);
        let mut issued = Self::default();
        for exchange in &exchanges {
            let form = Params::decode(&exchange.request.text());
            let Some(response) = exchange.response() else { continue };
            if let Some(tokens) = TokenResponse::read(response)
                && form.value("grant_type").is_some()
            {
                issued.take(exchange, &form, &tokens);
            } else if Some(exchange.request.url.as_str()) == revocation && response.status == 200 {
                issued.end(form.value("token").unwrap_or_default());
            }
        }
        issued
    }

    fn take(&mut self, exchange: &Exchange, form: &Params, tokens: &TokenResponse) {
        let Some(value) = tokens.access_token().filter(|t| !self.by_token.contains_key(*t)) else {
            return;
        };
        let lifetime = tokens.member("expires_in").and_then(serde_json::Value::as_u64);
        let expires = lifetime.and_then(|s| exchange.at.checked_add(Duration::from_secs(s)));
        let access = Access { value: value.to_owned(), expires };
        let presented = form.value("refresh_token").and_then(|t| self.by_token.get(t)).copied();
        let at = presented.unwrap_or_else(|| {
            let client_id = form.value("client_id").unwrap_or_default().to_owned();
            self.grants.push(Grant { client_id, refresh: None, access: vec![], is_ended: false });
            self.grants.len() - 1
        });
        self.by_token.insert(access.value.clone(), at);
        self.grants[at].access.push(access);
        if let Some(refresh) = tokens.refresh_token() {
            self.by_token.insert(refresh.to_owned(), at);
            self.grants[at].refresh = Some(refresh.to_owned());
        }
    }

    /// That token was revoked.
    fn end(&mut self, token: &str) {
        let Some(grant) = self.by_token.get(token).map(|at| &mut self.grants[*at]) else { return };
        let before = grant.access.len();
        grant.access.retain(|access| access.value != token);
        // Any refresh token of a chain stands for its grant (RFC 7009 §2.1).
        grant.is_ended |= before == grant.access.len();
    }

    /// Number of grants.
    pub(crate) fn grants(&self) -> usize {
        self.grants.len()
    }

    /// Grants that may still be alive `now`.
    pub(super) fn living(&self, now: Duration) -> impl Iterator<Item = &Grant> {
        let is_fresh = move |access: &Access| access.expires.is_none_or(|end| end > now);
        let lives = move |grant: &&Grant| {
            !grant.is_ended && (grant.refresh.is_some() || grant.access.iter().any(is_fresh))
        };
        self.grants.iter().filter(lives)
    }
}

impl Grant {
    /// What is revoked to end the grant: its refresh token, or each access token.
    pub(super) fn keys(&self, now: Duration) -> Vec<(&'static str, &str)> {
        match &self.refresh {
            Some(refresh) => vec![("refresh_token", refresh)],
            None => {
                let fresh = self.access.iter().filter(|a| a.expires.is_none_or(|end| end > now));
                fresh.map(|access| ("access_token", access.value.as_str())).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::json;

    const REVOKE: &str = "https://as.test/revoke";

    fn exchange(at: u64, url: &str, form: &str, answer: &str) -> Arc<Exchange> {
        let mut exchange = json(200, answer);
        exchange.at = Duration::from_secs(at);
        exchange.request.method = "POST".into();
        exchange.request.url = url.into();
        exchange.request.body = form.as_bytes().to_vec();
        Arc::new(exchange)
    }

    fn token(at: u64, form: &str, answer: &str) -> Arc<Exchange> {
        exchange(at, "https://as.test/token", form, answer)
    }

    fn code(at: u64, answer: &str) -> Arc<Exchange> {
        token(at, "grant_type=authorization_code&client_id=web&code=x", answer)
    }

    fn keys(issued: &Issued, now: u64) -> Vec<String> {
        let now = Duration::from_secs(now);
        let living = issued.living(now).flat_map(|g| g.keys(now)).map(|(_, key)| key.to_owned());
        living.collect()
    }

    #[test]
    fn a_chain_of_refreshes_is_one_grant_and_its_newest_token_ends_it() {
        let first = code(1, r#"{"access_token":"a1","refresh_token":"r1","expires_in":60}"#);
        let form = "grant_type=refresh_token&client_id=web&refresh_token=r1";
        let second = token(2, form, r#"{"access_token":"a2","refresh_token":"r2"}"#);
        let issued = Issued::by(vec![second.clone(), first.clone(), first, second], Some(REVOKE));
        assert_eq!((issued.grants(), keys(&issued, 3)), (1, vec!["r2".to_owned()]));
        assert_eq!(issued.grants[0].client_id, "web");
    }

    #[test]
    fn a_refresh_token_that_stays_is_revoked_once() {
        let first = code(1, r#"{"access_token":"a1","refresh_token":"r1"}"#);
        let form = "grant_type=refresh_token&client_id=web&refresh_token=r1";
        let second = token(2, form, r#"{"access_token":"a2"}"#);
        let issued = Issued::by(vec![first, second], None);
        assert_eq!(keys(&issued, 3), ["r1"]);
    }

    #[test]
    fn what_expired_or_was_revoked_is_over() {
        let short = code(1, r#"{"access_token":"a1","expires_in":10}"#);
        let long = code(2, r#"{"access_token":"a2","expires_in":100}"#);
        let refreshed = code(3, r#"{"access_token":"a3","refresh_token":"r3"}"#);
        let revoked = exchange(4, REVOKE, "token=r3&client_id=web", "{}");
        let all = vec![short, long, refreshed, revoked];
        assert_eq!(keys(&Issued::by(all.clone(), Some(REVOKE)), 5), ["a1", "a2"]);
        assert_eq!(keys(&Issued::by(all.clone(), Some(REVOKE)), 20), ["a2"]);
        assert_eq!(keys(&Issued::by(all, None), 200), ["r3"]);
    }

    #[test]
    fn refusals_and_other_answers_issue_nothing() {
        let refusal = token(1, "grant_type=authorization_code", r#"{"error":"invalid_grant"}"#);
        let echo = exchange(2, "https://as.test/x", "", r#"{"access_token":"a"}"#);
        assert_eq!(Issued::by(vec![refusal, echo], None).grants(), 0);
    }
}
