//! Judges of TLS, of cleartext, and of what answers say about transport.

use url::Url;

use super::{Findings, check};
use crate::model::address::{is_ip, is_loopback};
use crate::model::exchange::{Exchange, Response};
use crate::model::html::{Token, tokens};
use crate::model::tls::{HandshakeFailure, HelloReply, TlsVersion};
use crate::model::verdict::{Deviation, Weight};

/// A year in seconds.
const YEAR: u64 = 31_536_000;

/// What a host did in a handshake with a current client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// Host and port.
    pub host: String,
    /// The version agreed on, or why there is none.
    pub outcome: Result<TlsVersion, HandshakeFailure>,
}

/// What a host did with a hello for one version alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Host and port.
    pub host: String,
    /// Its reply.
    pub reply: HelloReply,
}

/// Chain, validity and name of the certificate.
pub fn certificate_valid(handshake: &Handshake) -> Findings {
    let Err(HandshakeFailure::Certificate(how)) = &handshake.outcome else { return vec![] };
    vec![Deviation::new(format!("a valid certificate of {}", handshake.host), how.clone())]
}

/// TLS 1.3 with a client that speaks it.
pub fn current_version(handshake: &Handshake) -> Findings {
    let Ok(version) = handshake.outcome else { return vec![] };
    check(version >= TlsVersion::V1_3, || {
        let actual = format!("{version} with {}", handshake.host);
        Deviation::new("TLS 1.3", actual).weighing(Weight::Warning)
    })
}

/// The host answers a client of TLS 1.2, or says that it speaks nothing but `current`, a newer one.
pub fn answers_tls12(offer: &Offer, current: Option<TlsVersion>) -> bool {
    match offer.reply {
        HelloReply::ServerHello(version) => version == TlsVersion::V1_2,
        reply => reply == HelloReply::PROTOCOL_VERSION && current == Some(TlsVersion::V1_3),
    }
}

/// An alert, a close or silence; no ServerHello with a version older than TLS 1.2.
pub fn refuses_obsolete(offer: &Offer) -> Findings {
    match offer.reply {
        HelloReply::ServerHello(version) if version < TlsVersion::V1_2 => {
            let actual = format!("{} from {}", offer.reply, offer.host);
            vec![Deviation::new("an alert, or the end of the connection", actual)]
        }
        _ => vec![],
    }
}

/// What a browser got for the authorization request in cleartext: nothing, a refusal, or the way
/// to https.
pub fn no_page_in_cleartext(exchange: &Exchange, redirect_uris: &[&str]) -> Findings {
    let Some(response) = exchange.response() else { return vec![] };
    let weight = match (response.status, response.location()) {
        (_, Some(location)) if redirect_uris.iter().any(|uri| location.starts_with(uri)) => {
            Weight::Failure
        }
        (_, Some(location)) if leads_to_https(&exchange.request.url, location) => return vec![],
        (200..300, None) if posts(response) => Weight::Failure,
        (400..500, _) => return vec![],
        _ => Weight::Warning,
    };
    let expected = "no connection, a redirect to https or a refusal";
    let actual = format!("{} over cleartext http", exchange.gist());
    vec![Deviation::new(expected, actual).weighing(weight).seen_in(exchange)]
}

/// The page has a form to fill in and send, as login pages do.
fn posts(response: &Response) -> bool {
    let page = response.text();
    response.is_html()
        && tokens(&page).any(|token| match token {
            Token::StartTag(tag) => tag.name.as_slice() == b"form",
            _ => false,
        })
}

fn leads_to_https(base: &str, location: &str) -> bool {
    Url::parse(base).and_then(|url| url.join(location)).is_ok_and(|url| url.scheme() == "https")
}

/// The answer in cleartext differs from the one over TLS: nothing looked at the code or token. An
/// error such as `invalid_grant` shows that something did.
pub fn not_processed(cleartext: &Exchange, over_tls: &Exchange) -> Findings {
    let Some(response) = cleartext.response() else { return vec![] };
    let said = error_of(response);
    let weight = match response.status {
        // Credentials were already on the wire when the redirect came.
        _ if response.location().is_some_and(|l| leads_to_https(&cleartext.request.url, l)) => {
            Weight::Note
        }
        200..300 if response.json_object().is_some_and(|o| o.contains_key("access_token")) => {
            Weight::Failure
        }
        _ if said.is_some() && said == over_tls.response().and_then(error_of) => Weight::Failure,
        400..500 => return vec![],
        _ => Weight::Warning,
    };
    let expected = "no connection, or a refusal without looking at the request";
    let actual = format!("{} over cleartext http", cleartext.gist());
    vec![Deviation::new(expected, actual).weighing(weight).seen_in(cleartext)]
}

/// The OAuth error that the answer names, in its body or in a challenge.
fn error_of(response: &Response) -> Option<String> {
    let in_body = response.json_object().and_then(|o| o.get("error")?.as_str().map(str::to_owned));
    let in_challenge = response.headers("www-authenticate").find_map(|challenge| {
        let rest = challenge.split("error=").nth(1)?;
        Some(rest.trim_start_matches('"').split(['"', ',', ' ']).next()?.to_owned())
    });
    in_challenge.or(in_body)
}

/// The host of that URL can be told to use TLS: it is a name, and not one of this machine.
pub fn can_be_strict(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default();
        url.scheme() == "https" && !is_ip(host) && !is_loopback(host)
    })
}

/// `Strict-Transport-Security` with a max-age of a year or more (RFC 6797 §6.1).
pub fn strict_for_a_year(exchange: &Exchange) -> Findings {
    let Some(response) = exchange.response() else { return vec![] };
    let value = response.header("strict-transport-security");
    let seconds = value.and_then(max_age);
    check(seconds.is_some_and(|seconds| seconds >= YEAR), || {
        let actual = value.map_or_else(|| "none".to_owned(), |value| format!("\"{value}\""));
        let actual = format!("{actual} (exchange {})", exchange.number);
        let expected = format!("Strict-Transport-Security with max-age={YEAR} or more");
        Deviation::new(expected, actual).weighing(Weight::Warning).seen_in(exchange)
    })
}

fn max_age(value: &str) -> Option<u64> {
    value.split(';').find_map(|directive| {
        let (name, seconds) = directive.split_once('=')?;
        let is_age = name.trim().eq_ignore_ascii_case("max-age");
        is_age.then(|| seconds.trim().trim_matches('"').parse().ok()).flatten()
    })
}

/// A redirect from https leads to https, to a private-use scheme or to a native client on loopback.
pub fn no_downgrade(exchange: &Exchange) -> Findings {
    let base = Url::parse(&exchange.request.url).ok().filter(|url| url.scheme() == "https");
    let location = exchange.response().and_then(Response::location);
    let target = base.zip(location).and_then(|(base, location)| base.join(location).ok());
    let is_cleartext = target
        .is_some_and(|url| url.scheme() == "http" && !url.host_str().is_some_and(is_loopback));
    check(!is_cleartext, || {
        Deviation::new("a redirect that stays with https", exchange.gist()).seen_in(exchange)
    })
}

/// Status 405 comes with `Allow`, which may be empty (RFC 9110 §15.5.6).
pub fn lists_allowed_methods(exchange: &Exchange) -> Findings {
    let lacks = |r: &Response| r.status == 405 && r.header("allow").is_none();
    check(!exchange.response().is_some_and(lacks), || {
        let path = exchange.request.url.split('?').next().unwrap_or_default();
        let actual =
            format!("none for {} {path} (exchange {})", exchange.request.method, exchange.number);
        Deviation::new("Allow beside status 405", actual)
            .weighing(Weight::Warning)
            .seen_in(exchange)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::{answered, json};

    fn weight(findings: &Findings) -> Option<Weight> {
        findings.iter().map(|d| d.weight).max()
    }

    fn from(url: &str, mut exchange: Exchange) -> Exchange {
        exchange.request.url = url.into();
        exchange
    }

    fn no_answer() -> Exchange {
        Exchange { outcome: Err("no connection".into()), ..answered(200, &[], "") }
    }

    #[test]
    fn only_faults_of_the_certificate_count() {
        let with = |outcome| certificate_valid(&Handshake { host: "as.test:443".into(), outcome });
        assert!(with(Ok(TlsVersion::V1_2)).is_empty());
        assert!(with(Err(HandshakeFailure::Other("refused".into()))).is_empty());
        let expired = with(Err(HandshakeFailure::Certificate("it has expired".into())));
        assert_eq!(weight(&expired), Some(Weight::Failure));
    }

    #[test]
    fn versions_are_ordered() {
        let with = |version| {
            current_version(&Handshake { host: "as.test:443".into(), outcome: Ok(version) })
        };
        assert!(with(TlsVersion::V1_3).is_empty());
        assert_eq!(weight(&with(TlsVersion::V1_2)), Some(Weight::Warning));
    }

    #[test]
    fn an_obsolete_version_must_not_be_taken_up() {
        let with = |reply| refuses_obsolete(&Offer { host: "as.test:443".into(), reply });
        for reply in [HelloReply::Nothing, HelloReply::Alert(40), HelloReply::NotTls] {
            assert!(with(reply).is_empty(), "{reply}");
        }
        for version in [TlsVersion(0x0300), TlsVersion::V1_0, TlsVersion::V1_1] {
            let findings = with(HelloReply::ServerHello(version));
            assert_eq!(weight(&findings), Some(Weight::Failure), "{version}");
        }
    }

    #[test]
    fn the_twin_speaks_tls_12_or_nothing_older_than_13() {
        let with =
            |reply, current| answers_tls12(&Offer { host: "as.test:443".into(), reply }, current);
        assert!(with(HelloReply::ServerHello(TlsVersion::V1_2), None));
        assert!(with(HelloReply::PROTOCOL_VERSION, Some(TlsVersion::V1_3)));
        assert!(!with(HelloReply::PROTOCOL_VERSION, Some(TlsVersion::V1_2)));
        assert!(!with(HelloReply::Nothing, Some(TlsVersion::V1_3)));
        assert!(!with(HelloReply::Alert(40), Some(TlsVersion::V1_3)));
    }

    #[test]
    fn a_browser_in_cleartext_is_sent_on_or_away() {
        let uris = ["https://app.test/cb"];
        let judge = |exchange: Exchange| {
            weight(&no_page_in_cleartext(&from("http://as.test/authorize", exchange), &uris))
        };
        let to = |location: &str| judge(answered(302, &[("Location", location)], ""));
        assert_eq!(judge(no_answer()), None);
        assert_eq!(to("https://as.test/authorize?x"), None);
        assert_eq!(judge(answered(403, &[], "")), None);
        assert_eq!(judge(answered(421, &[], "")), None);
        assert_eq!(to("https://app.test/cb?error=invalid_request"), Some(Weight::Failure));
        assert_eq!(to("http://other.test/"), Some(Weight::Warning));
        let html = |page| judge(answered(200, &[("Content-Type", "text/html")], page));
        assert_eq!(html("<form method=post><input type=password></form>"), Some(Weight::Failure));
        assert_eq!(html("<p>welcome</p>"), Some(Weight::Warning));
        assert_eq!(judge(answered(502, &[], "")), Some(Weight::Warning));
    }

    #[test]
    fn the_same_error_as_over_tls_shows_processing() {
        let twin = json(400, r#"{"error":"invalid_grant"}"#);
        let judge = |exchange: Exchange| {
            weight(&not_processed(&from("http://as.test/token", exchange), &twin))
        };
        assert_eq!(judge(no_answer()), None);
        assert_eq!(judge(json(403, r#"{"error":"invalid_request"}"#)), None);
        assert_eq!(judge(answered(404, &[], "")), None);
        assert_eq!(judge(json(400, r#"{"error":"invalid_grant"}"#)), Some(Weight::Failure));
        assert_eq!(judge(json(200, r#"{"access_token":"x"}"#)), Some(Weight::Failure));
        let https = answered(308, &[("Location", "https://as.test/token")], "");
        assert_eq!(judge(https), Some(Weight::Note));
        assert_eq!(judge(answered(200, &[], "welcome")), Some(Weight::Warning));
        let challenge = [("WWW-Authenticate", "Bearer realm=\"x\", error=\"invalid_token\"")];
        let denied = answered(401, &challenge, "");
        assert_eq!(weight(&not_processed(&denied, &denied)), Some(Weight::Failure));
    }

    #[test]
    fn strictness_lasts_a_year() {
        let judge = |value: &str| {
            weight(&strict_for_a_year(&answered(200, &[("Strict-Transport-Security", value)], "")))
        };
        assert_eq!(judge("max-age=31536000"), None);
        assert_eq!(judge("includeSubDomains; Max-Age=\"63072000\"; preload"), None);
        assert_eq!(judge("max-age=86400"), Some(Weight::Warning));
        assert_eq!(judge("max-age=0"), Some(Weight::Warning));
        assert_eq!(weight(&strict_for_a_year(&answered(200, &[], ""))), Some(Weight::Warning));
        for (url, can) in [
            ("https://as.test/", true),
            ("https://127.0.0.1/", false),
            ("https://10.0.0.1/", false),
            ("https://localhost/", false),
            ("http://as.test/", false),
        ] {
            assert_eq!(can_be_strict(url), can, "{url}");
        }
    }

    #[test]
    fn a_downgrade_is_a_redirect_from_https_to_http() {
        let judge = |url: &str, location: &str| {
            let exchange = answered(302, &[("Location", location)], "");
            weight(&no_downgrade(&from(url, exchange)))
        };
        let page = "https://as.test/authorize";
        for good in [
            "/login",
            "https://x.test/",
            "//x.test/",
            "com.example.app:/cb",
            "http://127.0.0.1:7/cb",
        ] {
            assert_eq!(judge(page, good), None, "{good}");
        }
        assert_eq!(judge(page, "http://as.test/login"), Some(Weight::Failure));
        assert_eq!(judge("http://as.test/authorize", "http://as.test/login"), None);
    }

    #[test]
    fn an_empty_allow_is_a_list_too() {
        assert!(lists_allowed_methods(&answered(405, &[("Allow", "")], "")).is_empty());
        assert!(lists_allowed_methods(&answered(404, &[], "")).is_empty());
        assert_eq!(lists_allowed_methods(&answered(405, &[], "")).len(), 1);
    }
}
