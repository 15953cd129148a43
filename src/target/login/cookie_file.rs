//! Cookie files: Playwright's storage state (JSON) and Netscape's cookies.txt, told apart by content.

use serde::Deserialize;

use crate::http::cookies::{CookieJar, Imported};

#[derive(Deserialize)]
struct StorageState {
    cookies: Vec<StoredCookie>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredCookie {
    name: String,
    value: String,
    domain: String,
    #[serde(default = "root")]
    path: String,
    /// Seconds since the epoch, -1 for the life of the browser.
    #[serde(default = "never")]
    expires: f64,
    #[serde(default)]
    secure: bool,
    #[serde(default)]
    same_site: Option<String>,
}

fn root() -> String {
    "/".into()
}

fn never() -> f64 {
    -1.0
}

/// Reads a cookie file. The error says what is wrong, and repeats no value.
pub fn parse(text: &str) -> Result<CookieJar, String> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let cookies = if text.starts_with(['{', '[']) { stored(text)? } else { netscape(text)? };
    let mut jar = CookieJar::default();
    cookies.into_iter().for_each(|cookie| jar.import(cookie));
    if jar.is_empty() {
        return Err("it holds no cookie".into());
    }
    Ok(jar)
}

fn stored(text: &str) -> Result<Vec<Imported>, String> {
    // The message of the parser would quote what it found.
    let wrong = |e: serde_json::Error| {
        format!(
            "line {}: no storage state with a list of cookies as Playwright writes it",
            e.line()
        )
    };
    let state: StorageState = match text.starts_with('[') {
        true => StorageState { cookies: serde_json::from_str(text).map_err(wrong)? },
        false => serde_json::from_str(text).map_err(wrong)?,
    };
    Ok(state
        .cookies
        .into_iter()
        .map(|cookie| Imported {
            is_host_only: !cookie.domain.starts_with('.'),
            name: cookie.name,
            value: cookie.value,
            domain: cookie.domain,
            path: cookie.path,
            is_secure: cookie.secure,
            same_site: cookie.same_site,
            expires: (cookie.expires > 0.0).then_some(cookie.expires as i64),
        })
        .collect())
}

fn netscape(text: &str) -> Result<Vec<Imported>, String> {
    let mut cookies = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.strip_prefix("#HttpOnly_").unwrap_or(line);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let [domain, subdomains, path, secure, expires, name, value] = fields[..] else {
            return Err(format!(
                "line {}: neither JSON nor seven fields with tabs between them, as cookies.txt has",
                at + 1
            ));
        };
        let expires: i64 = expires
            .trim()
            .parse()
            .map_err(|_| format!("line {}: the fifth field is a time in seconds", at + 1))?;
        cookies.push(Imported {
            name: name.to_owned(),
            value: value.trim_end_matches('\r').to_owned(),
            domain: domain.to_owned(),
            is_host_only: !subdomains.eq_ignore_ascii_case("true"),
            path: path.to_owned(),
            is_secure: secure.eq_ignore_ascii_case("true"),
            same_site: None,
            expires: (expires > 0).then_some(expires),
        });
    }
    Ok(cookies)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::http::cookies::Initiator;

    fn sent(jar: &CookieJar, url: &str, initiator: Initiator) -> String {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        jar.header(&Url::parse(url).unwrap(), "POST", initiator, now).unwrap_or_default()
    }

    #[test]
    fn a_storage_state_is_read() {
        let jar = parse(
            r#"{"cookies":[
            {"name":"sid","value":"a=b","domain":"as.test","path":"/","expires":-1,"httpOnly":true,"secure":true,"sameSite":"Lax"},
            {"name":"all","value":"1","domain":".as.test","path":"/in","expires":1800000000.5,"secure":false,"sameSite":"None"},
            {"name":"old","value":"2","domain":"as.test","path":"/","expires":1600000000,"sameSite":"Strict"}
            ],"origins":[]}"#,
        )
        .unwrap();
        assert_eq!(sent(&jar, "https://as.test/in/x", Initiator::SameSite), "all=1; sid=a=b");
        assert_eq!(sent(&jar, "https://as.test/in/x", Initiator::CrossSite), "all=1");
        assert_eq!(sent(&jar, "http://www.as.test/in", Initiator::SameSite), "all=1");
    }

    #[test]
    fn a_netscape_file_is_read() {
        let jar = parse(
            "# Netscape HTTP Cookie File\n\n#HttpOnly_127.0.0.1\tFALSE\t/\tTRUE\t0\tsid\tx\r\n.as.test\tTRUE\t/\tFALSE\t1800000000\tall\t1\nas.test\tFALSE\t/\tFALSE\t1600000000\told\t2\n",
        )
        .unwrap();
        assert_eq!(sent(&jar, "http://127.0.0.1:8080/", Initiator::SameSite), "sid=x");
        assert_eq!(sent(&jar, "https://www.as.test/", Initiator::SameSite), "all=1");
    }

    #[test]
    fn what_is_no_cookie_file_is_named_by_its_line_and_not_repeated() {
        for (text, part) in [
            ("{\"cookies\":\n\"hunter2\"}", "line 2: no storage state"),
            ("# Netscape\nhunter2", "line 2: neither JSON nor seven fields"),
            ("a\tTRUE\t/\tTRUE\thunter2\tb\tc", "fifth field"),
            ("", "holds no cookie"),
            ("{\"cookies\":[]}", "holds no cookie"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part) && !error.contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(text in "[\\t\\n\\[{}\":,a-z0-9#_.-]{0,120}") {
            let _ = parse(&text);
        }
    }
}
