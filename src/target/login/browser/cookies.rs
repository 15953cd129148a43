//! Cookies between our jar and the browser.

use serde_json::{Value, json};

use crate::http::cookies::{CookieJar, Imported};

/// What sets each cookie of the jar (`Network.setCookie`).
pub(super) fn commands(jar: &CookieJar) -> impl Iterator<Item = Value> {
    jar.export().map(|cookie| {
        let mut params = json!({
            "name": cookie.name, "value": cookie.value, "path": cookie.path, "secure": cookie.is_secure,
        });
        // A cookie for one host alone has an address in place of a domain.
        let scheme = if cookie.is_secure { "https" } else { "http" };
        match cookie.is_host_only {
            true => params["url"] = format!("{scheme}://{}{}", cookie.domain, cookie.path).into(),
            false => params["domain"] = format!(".{}", cookie.domain).into(),
        }
        if let Some(same_site) = cookie.same_site {
            params["sameSite"] = same_site.into();
        }
        if let Some(expires) = cookie.expires {
            params["expires"] = expires.into();
        }
        params
    })
}

/// The jar that the answer to `Storage.getCookies` describes.
pub(super) fn jar(answer: &Value) -> CookieJar {
    let mut jar = CookieJar::default();
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        let text = |name: &str| cookie[name].as_str().unwrap_or_default().to_owned();
        let domain = text("domain");
        jar.import(Imported {
            name: text("name"),
            value: text("value"),
            is_host_only: !domain.starts_with('.'),
            domain,
            path: text("path"),
            is_secure: cookie["secure"].as_bool().unwrap_or_default(),
            same_site: cookie["sameSite"].as_str().map(str::to_owned),
            expires: cookie["expires"].as_f64().filter(|at| *at > 0.0).map(|at| at as i64),
        });
    }
    jar
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use url::Url;

    use super::*;
    use crate::http::cookies::Initiator;

    #[test]
    fn cookies_go_to_the_browser_and_come_back() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let mut before = CookieJar::default();
        let url = Url::parse("https://as.test/in").unwrap();
        before.store(&url, "sid=1; Secure; SameSite=Lax; Path=/", now);
        before.store(&url, "all=2; Domain=as.test; Max-Age=60", now);
        let set: Vec<Value> = commands(&before).collect();
        assert_eq!(set[0]["url"], "https://as.test/");
        assert_eq!((&set[0]["sameSite"], &set[0]["domain"]), (&"Lax".into(), &Value::Null));
        assert_eq!(
            (&set[1]["domain"], &set[1]["expires"]),
            (&".as.test".into(), &1_700_000_060.into())
        );

        let after = jar(&json!({ "cookies": [
            { "name": "sid", "value": "1", "domain": "as.test", "path": "/", "expires": -1, "secure": true },
            { "name": "all", "value": "2", "domain": ".as.test", "path": "/", "expires": 1_700_000_060.5 },
        ] }));
        let sent = |url: &str| {
            after.header(&Url::parse(url).unwrap(), "GET", Initiator::SameSite, now).unwrap()
        };
        assert_eq!(sent("https://as.test/in"), "sid=1; all=2");
        assert_eq!(sent("http://www.as.test/in"), "all=2");
    }
}
