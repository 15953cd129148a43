//! A login as it went, page by page and without a value: what `authspec login test` shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use url::Url;

use super::User;
use super::form::read;
use crate::model::exchange::{Exchange, Request, Response};
use crate::oauth::params::Params;

/// One request with what was filled into it, and what came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Method, address without values, and outcome.
    pub head: String,
    /// What was sent, by name and kind: `username: user name`, `csrf: from the page`.
    pub sent: Vec<String>,
    /// The forms of the page, each with method, address and fields by name and kind.
    pub forms: Vec<String>,
    /// What was done with the answer.
    pub notes: Vec<String>,
}

/// The exchanges of a login, in order; values are compared with those of `user` and never shown.
pub fn steps<'a>(
    exchanges: impl Iterator<Item = &'a Arc<Exchange>>,
    user: Option<&User>,
    codes: &[String],
) -> Vec<Step> {
    exchanges
        .map(|exchange| Step {
            head: head(exchange),
            sent: sent(&exchange.request, user, codes),
            forms: forms(exchange),
            notes: vec![],
        })
        .collect()
}

/// The address with the names of its parameters alone.
pub fn without_values(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else {
        return url.split(['?', '#']).next().unwrap_or_default().to_owned();
    };
    let address = url.split(['?', '#']).next().unwrap_or(url);
    let mut names: Vec<String> = Vec::new();
    for (name, _) in parsed.query_pairs() {
        let name = name.into_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let names = if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) };
    format!("{address}{names}")
}

fn head(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let outcome = match &exchange.outcome {
        Err(reason) => format!("no answer ({reason})"),
        Ok(response) => outcome(&request.url, response),
    };
    format!("{} {} -> {outcome}", request.method, without_values(&request.url))
}

fn outcome(base: &str, response: &Response) -> String {
    let status = response.status;
    match (response.location(), response.media_type()) {
        (Some(location), _) => {
            let to = Url::parse(base).and_then(|base| base.join(location));
            let to = to.map_or_else(|_| location.to_owned(), String::from);
            format!("{status} to {}", without_values(&to))
        }
        (None, Some(media_type)) => format!("{status} {media_type}"),
        (None, None) => status.to_string(),
    }
}

/// Names and kinds of what a body carries.
fn sent(request: &Request, user: Option<&User>, codes: &[String]) -> Vec<String> {
    let kind = |value: &str| match user {
        Some(user) if !value.is_empty() && value == user.password.expose() => "password",
        Some(user) if !value.is_empty() && value == user.username => "user name",
        _ if codes.iter().any(|code| code == value) => "one-time code",
        _ if value.is_empty() => "empty",
        _ => "from the page",
    };
    if request.body.is_empty() {
        return vec![];
    }
    if let Ok(json) = serde_json::from_slice::<Value>(&request.body) {
        let mut members = BTreeMap::new();
        walk(&json, "", &mut members);
        return members.iter().map(|(name, value)| format!("{name}: {}", kind(value))).collect();
    }
    let fields = Params::decode(&request.text());
    let kind = |name: &str, value: &str| match name {
        "vp_token" | "presentation_submission" => "presentation",
        _ => kind(value),
    };
    fields.iter().map(|(name, value)| format!("{name}: {}", kind(name, value))).collect()
}

fn walk(json: &Value, path: &str, found: &mut BTreeMap<String, String>) {
    match json {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| walk(value, &format!("{path}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| walk(v, &format!("{path}/{i}"), found));
        }
        Value::String(text) => drop(found.insert(path.to_owned(), text.clone())),
        other => drop(found.insert(path.to_owned(), other.to_string())),
    }
}

fn forms(exchange: &Arc<Exchange>) -> Vec<String> {
    let page = read(exchange);
    let form = |form: &super::html::Form| {
        let fields = form.fields.iter().map(|f| format!("{} ({})", f.name, f.kind));
        let buttons = form.buttons.iter().map(|b| match b.name.as_str() {
            "" => format!("[{}]", b.label),
            name => format!("[{name}={}]", b.label),
        });
        let controls: Vec<String> = fields.chain(buttons).collect();
        let action = without_values(&form.action);
        let action = if action.is_empty() { "this page" } else { &action };
        format!("{} {action}: {}", form.method, controls.join(", "))
    };
    page.forms.iter().map(form).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;
    use crate::target::secret::Secret;

    #[test]
    fn names_and_kinds_are_shown_and_no_value() {
        let page = "<form method=post action='/do?t=s3cr3t'><input type=hidden name=csrf value=s3cr3t><input name=user>
            <input type=password name=pw><button name=go value=s3cr3t>Sign in</button></form>";
        let mut exchange = answered(200, &[("content-type", "text/html")], page);
        exchange.request.method = "POST".into();
        exchange.request.url = "http://as.test/in?state=s3cr3t&x=s3cr3t".into();
        exchange.request.body = b"user=alice&pw=s3cr3t&otp=123456&t=s3cr3t1&empty=&vp_token=s3cr3t2&presentation_submission=s3cr3t3".to_vec();
        let user = User::new("alice", Secret::new("s3cr3t"));
        let steps = steps([Arc::new(exchange)].iter(), Some(&user), &["123456".to_owned()]);
        assert_eq!(steps[0].head, "POST http://as.test/in?state&x -> 200 text/html");
        assert_eq!(
            steps[0].sent,
            [
                "user: user name",
                "pw: password",
                "otp: one-time code",
                "t: from the page",
                "empty: empty",
                "vp_token: presentation",
                "presentation_submission: presentation"
            ]
        );
        assert_eq!(
            steps[0].forms,
            ["POST /do: csrf (hidden), user (text), pw (password), [go=Sign in]"]
        );
        assert!(!format!("{steps:?}").contains("s3cr3t"));
    }

    #[test]
    fn members_of_json_are_shown_by_their_pointers() {
        let mut exchange = answered(302, &[("location", "/next?code=c")], "");
        exchange.request.body = br#"{"user":{"email":"alice"},"remember":true}"#.to_vec();
        let user = User::new("alice", Secret::new("pw"));
        let steps = steps([Arc::new(exchange)].iter(), Some(&user), &[]);
        assert_eq!(steps[0].sent, ["/remember: from the page", "/user/email: user name"]);
        assert!(steps[0].head.ends_with("302 to http://127.0.0.1:1/next?code"));
    }
}
