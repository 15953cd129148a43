//! Somebody else's browser: a small client of its own that signs in at the reference server.

use std::collections::BTreeMap;

use regex::Regex;
use reqwest::redirect::Policy;
use url::Url;

/// What the browser carries to the client.
#[derive(Debug)]
pub(crate) struct Callback {
    /// The address to which it is sent.
    pub(crate) url: String,
    /// The form that it posts there, if any.
    pub(crate) form: Vec<(String, String)>,
}

/// A browser with cookies, which shares nothing with the harness.
pub(crate) struct Human {
    client: reqwest::Client,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Human {
    pub(crate) fn new() -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, cookies: BTreeMap::new() }
    }

    /// Signs in and answers the consent page with that button; where the browser is sent then.
    pub(crate) async fn sign_in(
        &mut self,
        url: &str,
        redirect_uri: &str,
        (user, password): (&str, &str),
        decision: &str,
    ) -> Result<Callback, String> {
        let (mut url, mut form) = (url.to_owned(), None);
        for _ in 0..10 {
            let request = match form.take() {
                Some(fields) => self.client.post(&url).form::<Vec<(String, String)>>(&fields),
                None => self.client.get(&url),
            };
            let cookies: Vec<String> =
                self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let response = request.header("Cookie", cookies.join("; ")).send().await;
            let response = response.map_err(|e| e.to_string())?;
            for cookie in response.headers().get_all("set-cookie") {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            if let Some(location) = response.headers().get("location") {
                let location = location.to_str().unwrap();
                if location.starts_with(redirect_uri) {
                    return Ok(Callback { url: location.to_owned(), form: vec![] });
                }
                url = Url::parse(&url).unwrap().join(location).unwrap().into();
                continue;
            }
            let status = response.status().as_u16();
            let page = response.text().await.map_err(|e| e.to_string())?;
            if status == 401 {
                return Err("wrong password".into());
            }
            if status >= 400 {
                return Err(format!("refused by the server: status {status}"));
            }
            let (action, fields) = fill(&page, user, password, decision)?;
            url = Url::parse(&url).unwrap().join(&action).unwrap().into();
            if url.starts_with(redirect_uri) {
                return Ok(Callback { url, form: fields });
            }
            form = Some(fields);
        }
        Err("callback not reached".into())
    }
}

/// The action of the only form of the page, and its fields filled in.
fn fill(
    page: &str,
    user: &str,
    password: &str,
    decision: &str,
) -> Result<(String, Vec<(String, String)>), String> {
    let find = |pattern: &str| Regex::new(pattern).unwrap();
    let action = find(r#"<form method="post" action="([^"]+)""#).captures(page);
    let action = action.ok_or("field not found: no form")?[1].to_owned();
    let hidden = find(r#"type="hidden" name="([^"]+)" value="([^"]*)""#);
    let mut fields: Vec<(String, String)> =
        hidden.captures_iter(page).map(|c| (c[1].to_owned(), unescape(&c[2]))).collect();
    if page.contains("type=\"password\"") {
        fields.push(("username".into(), user.to_owned()));
        fields.push(("password".into(), password.to_owned()));
    } else {
        fields.push(("decision".into(), decision.to_owned()));
    }
    Ok((action, fields))
}

fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&#39;", "'").replace("&#x27;", "'").replace("&amp;", "&")
}
