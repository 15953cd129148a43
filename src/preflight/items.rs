//! What an audit rests on, one item after another, each with its cure.

use super::client::{Unregistered, registration};
use super::{fetch_keys, learn, look_around};
use crate::expect::operation::date_of;
use crate::http::reach::Found;
use crate::model::requirement::Impact;
use crate::model::verdict::Obstacle;
use crate::oauth::authorization::{AuthorizationRequest, Landing};
use crate::target::login::driver::Way;
use crate::world::access::{introspection_request, resource_request, with_token};
use crate::world::context::{Context, Grant, usable};

/// Seconds by which the clocks may differ unnoticed.
const MOST_SKEW: i64 = 5;

/// What was found out about one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// As it should be; what was seen.
    Good(String),
    /// An audit makes sense, and could be better: what was seen, and what to change.
    Advice(String, String),
    /// An audit makes no sense before this is changed.
    Bad(Obstacle),
    /// Not looked at, with the reason.
    Skipped(String),
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: &'static str,
    /// What was found out.
    pub finding: Finding,
    /// The exchanges that the finding cites, line by line; filled in where they are shown.
    pub evidence: Vec<String>,
}

/// Every item, in the order in which one rests on the other.
pub const ITEMS: [&str; 11] = [
    "name",
    "connection",
    "metadata",
    "clock",
    "keys",
    "client",
    "redirect_uri",
    "login",
    "token",
    "resource",
    "introspection",
];

/// Looks at everything that an audit of the target rests on; signs in once. The items that were
/// looked at come back, the last one [`Finding::Bad`] where it stands in the way.
pub async fn examine(context: &mut Context) -> Vec<Item> {
    let mut visit = Visit { context, items: Vec::new() };
    if let Err(obstacle) = visit.walk().await {
        visit.note(Finding::Bad(obstacle));
    }
    visit.items
}

struct Visit<'a> {
    context: &'a mut Context,
    items: Vec<Item>,
}

impl Visit<'_> {
    /// Notes what was found out about the next item.
    fn note(&mut self, finding: Finding) {
        if let Some(name) = ITEMS.get(self.items.len()) {
            self.items.push(Item { name, finding, evidence: vec![] });
        }
    }

    fn good(&mut self, text: impl Into<String>) {
        self.note(Finding::Good(text.into()));
    }

    async fn walk(&mut self) -> Result<(), Obstacle> {
        self.name().await?;
        self.connection().await?;
        self.metadata().await?;
        self.clock();
        self.keys().await;
        self.client().await?;
        let (request, landing, way) = self.login().await?;
        self.token(request, &landing, &way).await?;
        self.resource().await?;
        self.introspection().await
    }

    /// Where the first request goes.
    fn first_url(&self) -> String {
        self.context.target.issuer.clone()
    }

    async fn name(&mut self) -> Result<(), Obstacle> {
        let url = self.first_url();
        let found = self.context.http.look_up(&url).await.map_err(|e| {
            let remedy =
                "check the host of the issuer, or give its address under resolve in [network]";
            Obstacle::new(format!("to look up the host of {url}"), e, remedy)
        })?;
        self.good(match found {
            Found::Resolved(addresses) => {
                let all: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                all.join(", ")
            }
            Found::Given(address) => format!("{address}, given in the profile"),
            Found::LeftToProxy => "left to the proxy".to_owned(),
        });
        Ok(())
    }

    async fn connection(&mut self) -> Result<(), Obstacle> {
        let url = self.first_url();
        let version = self.context.http.connect_to(&url).await.map_err(|e| {
            let remedy = if e.contains("proxy") {
                "check proxy and proxy_credentials under [network]"
            } else if e.contains("corrupt message") {
                "no TLS is spoken there: check scheme and port of the issuer"
            } else if e.contains("certificate") || e.contains("TLS") {
                "renew the certificate, name its authority as ca_file under [network], or audit with --insecure, which the report will say"
            } else {
                "check that the server is up, that host and port of the issuer are right and that no firewall stands between"
            };
            Obstacle::new(format!("to connect to {url}"), e, remedy)
        })?;
        let insecure = self.context.target.network.insecure;
        match version {
            Some(version) if insecure => self.note(Finding::Advice(
                format!("{version}, certificate not verified"),
                "drop --insecure as soon as the certificate is valid".into(),
            )),
            Some(version) => self.good(format!("{version}, certificate valid")),
            None => self.good("without TLS"),
        }
        Ok(())
    }

    async fn metadata(&mut self) -> Result<(), Obstacle> {
        look_around(self.context).await?;
        let facts = &self.context.facts;
        let places: Vec<&str> = facts.documents.iter().map(|d| d.location.as_str()).collect();
        let named = facts.metadata.text("issuer");
        let finding = match (places.is_empty(), named) {
            (true, _) => Finding::Good("none; endpoints from the profile".into()),
            (false, Some(named)) if named != self.context.issuer() => Finding::Advice(
                format!("{}: its issuer is {named}", places.join(" and ")),
                format!("set issuer to {named}, if that is the server that you mean"),
            ),
            (false, _) => Finding::Good(places.join(" and ")),
        };
        self.note(finding);
        Ok(())
    }

    fn clock(&mut self) {
        let now = jiff::Timestamp::now().as_second();
        let exchanges = self.context.shared.exchanges();
        let date = exchanges.iter().rev().find_map(|e| e.response().and_then(date_of));
        self.note(match date {
            None => Finding::Skipped("no answer had a Date so far".into()),
            Some(date) if (date - now).abs() <= MOST_SKEW => {
                Finding::Good(format!("{:+} s against this machine", date - now))
            }
            Some(date) => Finding::Advice(
                format!("{:+} s against this machine", date - now),
                "synchronise both clocks (NTP): tokens are judged by their times".into(),
            ),
        });
    }

    async fn keys(&mut self) {
        fetch_keys(self.context).await;
        let facts = &self.context.facts;
        let count = facts.jwks.as_ref().and_then(|jwks| jwks["keys"].as_array().map(Vec::len));
        let finding = match (&facts.jwks_exchange, count) {
            (None, _) => Finding::Skipped("no jwks_uri is published".into()),
            (Some(_), Some(count)) if count > 0 => Finding::Good(format!("{count} published")),
            (Some(exchange), _) => Finding::Advice(
                format!("no key set: {}", exchange.gist()),
                "make jwks_uri answer with the keys that sign: tokens cannot be verified".into(),
            ),
        };
        self.note(finding);
    }

    async fn client(&mut self) -> Result<(), Obstacle> {
        let client = self.context.client(0).clone();
        let (id, uri) = (&client.id, client.redirect_uri());
        if self.context.target.safety.permits(Impact::Active).is_err() {
            // The proof takes a request of a client that nobody knows.
            let why = "not asked in production; the sign-in will tell";
            self.note(Finding::Skipped(why.into()));
            self.note(Finding::Skipped(why.into()));
            return Ok(());
        }
        match registration(self.context).await {
            Ok(true) => {
                self.good(format!("{id} is known"));
                self.good(format!("{uri} is registered"));
            }
            Ok(false) => {
                let why = "the server turns nobody away before the sign-in, which will tell";
                self.note(Finding::Skipped(why.into()));
                self.note(Finding::Skipped(why.into()));
            }
            Err(Unregistered::Client(why)) => return Err(why),
            Err(Unregistered::RedirectUri(why)) => {
                self.good(format!("{id} is known"));
                return Err(why);
            }
        }
        Ok(())
    }

    async fn login(&mut self) -> Result<(AuthorizationRequest, Landing, Way), Obstacle> {
        let request = self.context.request(0);
        let mut agent = self.context.borrow_session();
        let attempt = self.context.attempt(&mut agent, &self.context.shared, &request).await?;
        let (landing, way) = attempt.map_err(|trouble| trouble.obstacle())?;
        self.context.remember(0, &way);
        self.context.return_session(agent);
        let login = &self.context.target.login;
        let text = seen(login.driver(), login.jar().is_some(), &way);
        self.told_by_the_login();
        self.good(text);
        Ok((request, landing, way))
    }

    /// A code at the redirect URI proves what nothing before the sign-in did.
    fn told_by_the_login(&mut self) {
        let client = self.context.client(0);
        let proven = [
            ("client", format!("{} is known: it got a code", client.id)),
            (
                "redirect_uri",
                format!("{} is registered: the code went there", client.redirect_uri()),
            ),
        ];
        for (name, text) in proven {
            let open = self.items.iter_mut().find(|item| item.name == name);
            if let Some(item) = open.filter(|i| matches!(i.finding, Finding::Skipped(_))) {
                item.finding = Finding::Good(text);
            }
        }
    }

    async fn token(
        &mut self,
        request: AuthorizationRequest,
        landing: &Landing,
        way: &Way,
    ) -> Result<(), Obstacle> {
        let code = landing.code().unwrap_or_default();
        let redemption = self.context.redemption(0, &request, code);
        let grant = self.context.redeem(&self.context.shared, 0, request, redemption).await?;
        learn(self.context, landing, way, grant);
        let facts = &self.context.facts;
        let kinds = [
            (true, if facts.jwt_access_token { "access token (JWT)" } else { "access token" }),
            (facts.id_token, "ID Token"),
            (facts.refresh_token, "refresh token"),
        ];
        let got: Vec<&str> = kinds.into_iter().filter(|(is, _)| *is).map(|(_, k)| k).collect();
        let unexpected = self.unexpected_lifetimes();
        self.note(match unexpected.is_empty() {
            true => Finding::Good(got.join(", ")),
            false => Finding::Advice(
                unexpected.join("; "),
                "correct the configuration of the server, or [lifetimes] in the profile".into(),
            ),
        });
        Ok(())
    }

    /// Lifetimes that are not those of the profile.
    fn unexpected_lifetimes(&self) -> Vec<String> {
        let expected = &self.context.target.lifetimes;
        let differs = |(place, seconds): &(&'static str, i64)| {
            let wanted = match *place {
                place if place.contains("ID Token") => expected.id_token_seconds,
                _ => expected.access_token_seconds,
            };
            let wanted = i64::try_from(wanted?).ok().filter(|wanted| wanted != seconds)?;
            Some(format!("{place} is {seconds} s; the profile expects {wanted} s"))
        };
        self.context.facts.lifetimes.iter().filter_map(differs).collect()
    }

    fn access_token(&self) -> Option<&str> {
        self.context.baseline.as_ref().and_then(|grant: &Grant| grant.tokens.access_token())
    }

    async fn resource(&mut self) -> Result<(), Obstacle> {
        let Some(resource) = self.context.target.resource.clone() else {
            self.note(Finding::Skipped(
                "none is configured; [resource] adds the checks of rs".into(),
            ));
            return Ok(());
        };
        let request = with_token(resource_request(self.context)?, self.access_token());
        let answer = usable(self.context.http.send(&self.context.shared, request).await);
        let answer = answer.map_err(|obstacle| Obstacle {
            remedy: format!("check url under [resource]: {}", obstacle.remedy),
            ..obstacle
        })?;
        let status = answer.response().map_or(0, |r| r.status);
        if status == resource.status {
            self.good(format!("{} {} answers {status}", resource.method, resource.url));
            return Ok(());
        }
        let tried = format!("to call {} with a fresh access token", resource.url);
        let cure = match status {
            404 | 405 => {
                let remedy = "correct url and method under [resource]";
                return Err(Obstacle::new(tried, answer.gist(), remedy));
            }
            401 => "check that the resource accepts tokens of this issuer and audience",
            403 => "add the scope that the resource wants to scope of the first client",
            _ => "correct url, method and status under [resource]",
        };
        self.note(Finding::Advice(answer.gist(), format!("{cure}; rs.valid-token judges it")));
        Ok(())
    }

    async fn introspection(&mut self) -> Result<(), Obstacle> {
        if self.context.target.introspection.is_none() {
            self.note(Finding::Skipped(
                "no credentials are configured; [introspection] adds its checks".into(),
            ));
            return Ok(());
        }
        let token = self.access_token().unwrap_or_default();
        let request = match introspection_request(self.context, token) {
            Ok(request) => request,
            Err(obstacle) => {
                let seen = format!("{}: {}", obstacle.tried, obstacle.came_back);
                self.note(Finding::Advice(seen, obstacle.remedy));
                return Ok(());
            }
        };
        let answer = usable(self.context.http.send(&self.context.shared, request).await)?;
        let members = answer.response().and_then(|r| r.json_object());
        if members.is_some_and(|m| m.get("active").is_some_and(|active| active == true)) {
            self.good("the access token is active");
            return Ok(());
        }
        let cure = "check client_id and client_secret under [introspection], and that this client may see tokens of others";
        self.note(Finding::Advice(answer.gist(), cure.into()));
        Ok(())
    }
}

/// How the first login went.
fn seen(driver: &str, has_session: bool, way: &Way) -> String {
    let consent = if way.consented { ", with a consent page" } else { "" };
    match way.signed_in || way.presented || way.unseen || has_session {
        true => format!("by {driver}{consent}; a code arrived"),
        false => format!("nobody had to sign in{consent}; a code arrived all the same"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_without_a_sign_in_is_told_as_such() {
        let mut way = Way::default();
        assert_eq!(seen("form", false, &way), "nobody had to sign in; a code arrived all the same");
        assert_eq!(seen("session", true, &way), "by session; a code arrived");
        (way.signed_in, way.consented) = (true, true);
        assert_eq!(seen("form", false, &way), "by form, with a consent page; a code arrived");
    }
}
