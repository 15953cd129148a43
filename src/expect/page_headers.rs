//! Judges of what pages say about themselves: framing, referrer, third parties, cookies, redirects.

use url::Url;

use super::pages::frame_ancestors_closed;
use super::{Findings, check};
use crate::model::exchange::{Exchange, Response};
use crate::model::html::{StartTag, Token, tokens};
use crate::model::verdict::{Deviation, Weight};

/// A Content-Security-Policy header closes `frame-ancestors`.
pub fn names_frame_ancestors(exchange: &Exchange) -> Findings {
    let Some(response) = exchange.response() else { return vec![] };
    check(response.headers("content-security-policy").any(frame_ancestors_closed), || {
        let expected = "a Content-Security-Policy header with frame-ancestors that is no wildcard";
        Deviation::new(expected, format!("none (exchange {})", exchange.number))
            .weighing(Weight::Warning)
            .seen_in(exchange)
    })
}

/// The page keeps its address from other sites: what its last word in `Referrer-Policy`, header or
/// meta element, says. Silence is a note, as browsers then send the origin alone.
pub fn keeps_its_address(exchange: &Exchange) -> Findings {
    let Some(response) = exchange.response() else { return vec![] };
    let deviation = |weight, actual: String| {
        let expected = "a Referrer-Policy that keeps path and query from other sites";
        vec![Deviation::new(expected, actual).weighing(weight).seen_in(exchange)]
    };
    let policies = response.headers("referrer-policy").map(str::to_owned);
    let policies: Vec<String> = policies.chain(metas(response)).collect();
    // The last token that browsers know counts (Referrer Policy §8.1).
    let mut known =
        policies.iter().flat_map(|p| p.split(',')).map(|p| p.trim().to_ascii_lowercase());
    match known.rfind(|p| POLICIES.iter().any(|(name, _)| name == p)) {
        None => deviation(Weight::Note, format!("none (exchange {})", exchange.number)),
        Some(policy) if POLICIES.contains(&(policy.as_str(), false)) => {
            deviation(Weight::Warning, format!("{policy} (exchange {})", exchange.number))
        }
        Some(_) => vec![],
    }
}

/// Every policy, and whether other sites learn the origin at most.
const POLICIES: [(&str, bool); 8] = [
    ("no-referrer", true),
    ("same-origin", true),
    ("origin", true),
    ("strict-origin", true),
    ("origin-when-cross-origin", true),
    ("strict-origin-when-cross-origin", true),
    ("no-referrer-when-downgrade", false),
    ("unsafe-url", false),
];

fn metas(response: &Response) -> Vec<String> {
    let is_referrer = |tag: &StartTag<()>| {
        tag.name.as_slice() == b"meta"
            && attribute(tag, "name").is_some_and(|n| n.eq_ignore_ascii_case("referrer"))
    };
    elements(&response.text())
        .filter(is_referrer)
        .filter_map(|tag| attribute(&tag, "content"))
        .collect()
}

fn elements(page: &str) -> impl Iterator<Item = StartTag<()>> {
    tokens(page).filter_map(|token| match token {
        Token::StartTag(tag) => Some(tag),
        _ => None,
    })
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes
        .iter()
        .find(|(n, _)| n.as_slice() == name.as_bytes())
        .map(|(_, value)| String::from_utf8_lossy(&value.value).into_owned())
}

/// What a browser fetches by itself for this element.
fn fetched(tag: &StartTag<()>) -> Option<String> {
    const RELATIONS: [&str; 7] = [
        "stylesheet",
        "icon",
        "preload",
        "modulepreload",
        "prefetch",
        "manifest",
        "apple-touch-icon",
    ];
    match tag.name.as_slice() {
        b"script" | b"img" | b"iframe" | b"frame" | b"embed" | b"source" | b"audio" | b"video" => {
            attribute(tag, "src").or_else(|| attribute(tag, "srcset"))
        }
        b"object" => attribute(tag, "data"),
        b"link" => {
            let rel = attribute(tag, "rel")?.to_ascii_lowercase();
            rel.split_ascii_whitespace()
                .any(|r| RELATIONS.contains(&r))
                .then(|| attribute(tag, "href"))
                .flatten()
        }
        _ => None,
    }
}

/// The page loads nothing from other sites.
pub fn loads_nothing_foreign(exchange: &Exchange) -> Findings {
    let (Some(response), Ok(base)) = (exchange.response(), Url::parse(&exchange.request.url))
    else {
        return vec![];
    };
    let mut hosts: Vec<String> = elements(&response.text())
        .filter_map(|tag| base.join(fetched(&tag)?.trim()).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .filter_map(|url| url.host_str().map(str::to_owned))
        .filter(|host| !is_same_site(host, base.host_str().unwrap_or_default()))
        .collect();
    hosts.sort();
    hosts.dedup();
    check(hosts.is_empty(), || {
        let actual = format!("content of {} (exchange {})", hosts.join(", "), exchange.number);
        Deviation::new("no third-party script, style, image or frame", actual)
            .weighing(Weight::Warning)
            .seen_in(exchange)
    })
}

/// Both hosts end with the same two labels: a server may spread over names of its own.
fn is_same_site(host: &str, other: &str) -> bool {
    let site = |host: &str| {
        let labels: Vec<&str> = host.rsplitn(3, '.').take(2).collect();
        labels.join(".").to_ascii_lowercase()
    };
    let is_address = |host: &str| host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    host.eq_ignore_ascii_case(other)
        || (!is_address(host) && host.contains('.') && site(host) == site(other))
}

/// The last `Set-Cookie` of that name that does not delete it has the flags of a session cookie.
/// `Secure` is not asked of a development server on loopback.
pub fn guards_cookie<'a>(
    exchanges: impl IntoIterator<Item = &'a Exchange>,
    name: &str,
    is_local: bool,
) -> Findings {
    let set = exchanges.into_iter().filter_map(|exchange| {
        let sets = |line: &&str| {
            line.split_once('=').is_some_and(|(n, rest)| {
                n.trim() == name && !rest.starts_with(';') && !rest.is_empty()
            })
        };
        Some((exchange, exchange.response()?.headers("set-cookie").filter(sets).last()?.to_owned()))
    });
    let Some((exchange, line)) = set.last() else { return vec![] };
    let attributes: Vec<(String, String)> = line
        .split(';')
        .skip(1)
        .map(|a| a.split_once('=').unwrap_or((a, "")))
        .map(|(n, v)| (n.trim().to_ascii_lowercase(), v.trim().to_ascii_lowercase()))
        .collect();
    let has = |wanted: &str| attributes.iter().any(|(n, _)| n == wanted);
    let same_site = attributes.iter().find(|(n, _)| n == "samesite").map(|(_, v)| v.as_str());
    let is_secure = is_local || has("secure");
    let mut missing = Vec::new();
    if !is_secure {
        missing.push("Secure");
    }
    if !has("httponly") {
        missing.push("HttpOnly");
    }
    match same_site {
        Some("strict" | "lax") => {}
        Some("none") if is_secure => {}
        _ => missing.push("SameSite"),
    }
    check(missing.is_empty(), || {
        Deviation::new(
            "a session cookie with Secure, HttpOnly and SameSite",
            format!("{name} without {}", missing.join(", ")),
        )
        .weighing(Weight::Warning)
        .seen_in(exchange)
    })
}

/// No redirect makes the browser repeat a POST elsewhere: 307 fails and 308 is a warning. A 307
/// that leads a GET to the client repeats no credentials; only the draft forbids it.
pub fn repeats_no_post(exchange: &Exchange, leads_away: bool) -> Findings {
    let Some(response) = exchange.response().filter(|r| r.location().is_some()) else {
        return vec![];
    };
    let weight = match (response.status, exchange.request.method.as_str()) {
        (307, "POST") => Weight::Failure,
        (308, "POST") => Weight::Warning,
        (307, _) if leads_away => Weight::Draft,
        _ => return vec![],
    };
    vec![
        Deviation::new("a redirect with status 303 or 302", exchange.gist())
            .weighing(weight)
            .seen_in(exchange),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;

    fn weight(findings: &Findings) -> Option<Weight> {
        findings.iter().map(|d| d.weight).max()
    }

    fn page(headers: &[(&str, &str)], body: &str) -> Exchange {
        let mut exchange = answered(200, headers, body);
        exchange.request.url = "https://login.as.test/authorize".into();
        exchange
    }

    #[test]
    fn frame_ancestors_stand_in_an_enforced_header() {
        let csp = "Content-Security-Policy";
        for good in ["frame-ancestors 'none'", "default-src 'self'; frame-ancestors https://a.test"]
        {
            assert_eq!(names_frame_ancestors(&page(&[(csp, good)], "")), vec![], "{good}");
        }
        for (name, value) in [
            (csp, "default-src 'self'"),
            (csp, "frame-ancestors *"),
            ("Content-Security-Policy-Report-Only", "frame-ancestors 'none'"),
            ("X-Frame-Options", "DENY"),
        ] {
            assert_eq!(
                weight(&names_frame_ancestors(&page(&[(name, value)], ""))),
                Some(Weight::Warning)
            );
        }
    }

    #[test]
    fn the_last_known_referrer_policy_counts() {
        let judge =
            |value: &str| weight(&keeps_its_address(&page(&[("Referrer-Policy", value)], "")));
        for good in ["no-referrer", "same-origin", "unsafe-url, strict-origin", "Origin"] {
            assert_eq!(judge(good), None, "{good}");
        }
        for bad in ["unsafe-url", "no-referrer-when-downgrade", "origin, unsafe-url, nonsense"] {
            assert_eq!(judge(bad), Some(Weight::Warning), "{bad}");
        }
        assert_eq!(weight(&keeps_its_address(&page(&[], ""))), Some(Weight::Note));
        let meta = "<meta name=referrer content=unsafe-url>";
        let both = page(&[("Referrer-Policy", "no-referrer")], meta);
        assert_eq!(weight(&keeps_its_address(&both)), Some(Weight::Warning));
        assert_eq!(
            weight(&keeps_its_address(&page(&[], "<meta name=referrer content=no-referrer>"))),
            None
        );
    }

    #[test]
    fn third_parties_are_other_sites() {
        for good in [
            "<script src=/a.js></script><img src=data:x>",
            "<link rel=stylesheet href=https://static.as.test/x.css>",
            "<a href=https://idp.test/>other</a><link rel=canonical href=https://x.test/>",
        ] {
            assert_eq!(loads_nothing_foreign(&page(&[], good)), vec![], "{good}");
        }
        for bad in [
            "<script src=//cdn.test/a.js></script>",
            "<link rel='icon shortcut' href=https://cdn.test/i>",
            "<img srcset='https://cdn.test/i 2x'>",
            "<iframe src=https://notas.test/></iframe>",
        ] {
            assert_eq!(
                weight(&loads_nothing_foreign(&page(&[], bad))),
                Some(Weight::Warning),
                "{bad}"
            );
        }
    }

    #[test]
    fn session_cookies_have_their_flags() {
        let judge =
            |line: &str, local| guards_cookie([&page(&[("Set-Cookie", line)], "")], "s", local);
        assert_eq!(judge("s=1; Secure; HttpOnly; SameSite=Lax", false), vec![]);
        assert_eq!(judge("s=1; secure; httponly; samesite=NONE", false), vec![]);
        assert_eq!(judge("s=1; HttpOnly; SameSite=Strict", true), vec![]);
        assert_eq!(judge("t=1", true), vec![]);
        for bad in
            ["s=1; Secure; SameSite=Lax", "s=1; HttpOnly; SameSite=Lax", "s=1; Secure; HttpOnly"]
        {
            assert_eq!(weight(&judge(bad, false)), Some(Weight::Warning), "{bad}");
        }
        let deleted = page(
            &[("Set-Cookie", "s=1; HttpOnly; SameSite=Lax"), ("Set-Cookie", "s=; Path=/")],
            "",
        );
        assert_eq!(guards_cookie([&deleted], "s", true), vec![]);
    }

    #[test]
    fn a_post_is_not_repeated() {
        let redirect = |method: &str, status| {
            let mut exchange = answered(status, &[("Location", "https://app.test/cb")], "");
            exchange.request.method = method.into();
            exchange
        };
        for (method, status, expected) in [
            ("POST", 303, None),
            ("POST", 302, None),
            ("POST", 307, Some(Weight::Failure)),
            ("POST", 308, Some(Weight::Warning)),
            ("GET", 307, Some(Weight::Draft)),
            ("GET", 302, None),
        ] {
            assert_eq!(weight(&repeats_no_post(&redirect(method, status), true)), expected);
        }
        assert_eq!(repeats_no_post(&redirect("GET", 307), false), vec![]);
    }
}
