//! Judges of the rows of attack tables: the class of a row decides which answers conform.

use super::authorization::{code_ok, front_reject, never_foreign, page_reject};
use super::{Findings, token};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::authorization::Landing;
use crate::oauth::vectors::{Class, Row};

/// The findings that count, given what is wrong with an answer as an acceptance and as a refusal.
pub fn by_class(row: &Row, accepted: Findings, refused: Findings) -> Findings {
    let findings = match row.class {
        Class::Valid => accepted,
        Class::Invalid => refused,
        Class::Acceptable if accepted.is_empty() && row.has("discouraged") => lighten(refused),
        Class::Acceptable if accepted.is_empty() => vec![],
        Class::Acceptable => refused,
    };
    named(&row.name, findings)
}

/// Findings that name their row.
pub fn named(row: &str, findings: Findings) -> Findings {
    let name = |d: Deviation| Deviation { actual: format!("row \"{row}\": {}", d.actual), ..d };
    findings.into_iter().map(name).collect()
}

/// Nothing weighs more than a warning.
pub fn lighten(findings: Findings) -> Findings {
    let lighter = |d: Deviation| {
        let weight = d.weight.min(Weight::Warning);
        d.weighing(weight)
    };
    findings.into_iter().map(lighter).collect()
}

/// A redirect URI: `uri` as sent, `registered` what the client registered. Where `is_same_place`,
/// the two are spellings of one loopback address, whose port servers have to take out before they
/// compare (RFC 8252 §7.3): acceptance is a warning.
pub fn redirect_uri(
    row: &Row,
    landing: &Landing,
    uri: &str,
    registered: &[String],
    is_same_place: bool,
) -> Findings {
    let places = registered.iter().map(String::as_str).chain([uri]);
    let accepted = places
        .map(|place| code_ok(landing, place))
        .find(Vec::is_empty)
        .unwrap_or_else(|| code_ok(landing, uri));
    let refused = page_reject(landing, registered);
    if is_same_place && row.class == Class::Invalid && accepted.is_empty() {
        return named(&row.name, lighten(refused));
    }
    by_class(row, accepted, refused)
}

/// A foreign redirect URI beside the registered one `own`: the user agent never goes there.
pub fn redirect_uri_beside(row: &Row, landing: &Landing, own: &str) -> Findings {
    let refused = never_foreign(landing, &[own.to_owned()], &["invalid_request"]);
    by_class(row, code_ok(landing, own), refused)
}

/// A state: a code comes with exactly the state that was sent. A refusal is a warning where the
/// value is valid, and a failure where it is as plain as base64url. What becomes of a value outside
/// VSCHAR is worth a note.
pub fn state(row: &Row, landing: &Landing, redirect_uri: &str, sent: &str) -> Findings {
    let came = landing.response.as_ref().and_then(|r| r.value("state"));
    let arrived = code_ok(landing, redirect_uri);
    if arrived.is_empty() {
        let unchanged = came == Some(sent);
        let actual = match came {
            Some(other) => format!("another state, of {} characters", other.chars().count()),
            None => "no state".to_owned(),
        };
        let expected = format!("the state of {} characters unchanged", sent.chars().count());
        let mut changed = Deviation::new(expected, actual).seen_in(&landing.exchange);
        // RFC 6749 §A.5 defines state for these characters alone; a page cannot even carry NUL.
        if !sent.bytes().all(|b| matches!(b, b' '..=b'~')) {
            changed = changed.weighing(Weight::Note);
        }
        return named(&row.name, if unchanged { vec![] } else { vec![changed] });
    }
    let refused = front_reject(landing, redirect_uri, &["invalid_request"]);
    if row.class == Class::Acceptable {
        return named(&row.name, refused);
    }
    let is_plain = sent.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    named(&row.name, if is_plain { arrived } else { lighten(arrived) })
}

/// A request under test that yields a code is redeemed with what belongs to it; `answer` is absent
/// where no code came. Refused is what is refused at either place with one of `codes`.
pub fn early_or_late(
    row: &Row,
    landing: &Landing,
    redirect_uri: &str,
    answer: Option<&Exchange>,
    codes: &[&str],
) -> Findings {
    match answer {
        None => by_class(
            row,
            code_ok(landing, redirect_uri),
            front_reject(landing, redirect_uri, codes),
        ),
        Some(answer) => by_class(row, token::token_ok(answer), token::token_reject(answer, codes)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::exchange::samples::{answered, json};
    use crate::oauth::authorization::samples::sent_to;
    use crate::oauth::vectors::tables;

    const URI: &str = "https://app.test/cb";

    fn row(class: Class, flags: &[&str]) -> Row {
        let sample = tables().unwrap()["state"].rows[0].clone();
        let flags = flags.iter().map(|f| (*f).to_owned()).collect();
        Row { name: "sample".into(), class, flags, ..sample }
    }

    fn page(status: u16) -> Landing {
        let exchange = Arc::new(answered(status, &[("Content-Type", "text/html")], "x"));
        Landing { exchange, response: None, asks_to_sign_in: false, endless: false, shown: None }
    }

    fn weight(findings: &Findings) -> Option<Weight> {
        assert!(findings.iter().all(|d| d.actual.starts_with("row \"sample\": ")));
        findings.iter().map(|d| d.weight).max()
    }

    #[test]
    fn the_class_decides() {
        let one = |text| vec![Deviation::new("x", text)];
        for (class, flags, accepted, refused, expected) in [
            (Class::Valid, &[][..], vec![], one("b"), None),
            (Class::Valid, &[], one("a"), vec![], Some(Weight::Failure)),
            (Class::Invalid, &[], vec![], one("b"), Some(Weight::Failure)),
            (Class::Invalid, &[], one("a"), vec![], None),
            (Class::Acceptable, &[], vec![], one("b"), None),
            (Class::Acceptable, &[], one("a"), vec![], None),
            (Class::Acceptable, &[], one("a"), one("b"), Some(Weight::Failure)),
            (Class::Acceptable, &["discouraged"], vec![], one("b"), Some(Weight::Warning)),
            (Class::Acceptable, &["discouraged"], one("a"), vec![], None),
        ] {
            assert_eq!(weight(&by_class(&row(class, flags), accepted, refused)), expected);
        }
    }

    #[test]
    fn a_redirect_uri_is_judged_by_where_the_code_goes() {
        let registered = [URI.to_owned()];
        let sent = "https://APP.test/cb";
        let judge = |class, location: &str, same| {
            weight(&redirect_uri(
                &row(class, &["discouraged"]),
                &sent_to(location),
                sent,
                &registered,
                same,
            ))
        };
        for (class, location, same, expected) in [
            (Class::Acceptable, "https://APP.test/cb?code=c", false, Some(Weight::Warning)),
            (Class::Acceptable, "https://app.test/cb?code=c", false, Some(Weight::Warning)),
            (Class::Acceptable, "https://evil.test/cb?code=c", false, Some(Weight::Failure)),
            (Class::Invalid, "https://APP.test/cb?code=c", false, Some(Weight::Failure)),
            (Class::Invalid, "https://APP.test/cb?code=c", true, Some(Weight::Warning)),
            (Class::Invalid, "https://evil.test/cb?code=c", true, Some(Weight::Failure)),
            (Class::Invalid, "https://APP.test/cb?error=x", false, Some(Weight::Failure)),
            (Class::Valid, "https://APP.test/cb?code=c", false, None),
        ] {
            assert_eq!(judge(class, location, same), expected, "{class:?} {location}");
        }
        let refused =
            |class| weight(&redirect_uri(&row(class, &[]), &page(400), sent, &registered, false));
        assert_eq!(refused(Class::Invalid), None);
        assert_eq!(refused(Class::Acceptable), None);
        assert_eq!(refused(Class::Valid), Some(Weight::Failure));
    }

    #[test]
    fn a_redirect_uri_beside_the_registered_one() {
        let judge =
            |class, landing: &Landing| weight(&redirect_uri_beside(&row(class, &[]), landing, URI));
        let (own, foreign) =
            (sent_to("https://app.test/cb?code=c"), sent_to("https://evil.test/cb?code=c"));
        assert_eq!(judge(Class::Acceptable, &own), None);
        assert_eq!(judge(Class::Acceptable, &foreign), Some(Weight::Failure));
        assert_eq!(judge(Class::Invalid, &own), Some(Weight::Warning));
        assert_eq!(judge(Class::Invalid, &page(400)), None);
    }

    #[test]
    fn a_state_comes_back_or_is_refused() {
        let judge =
            |class, landing: &Landing, sent| weight(&state(&row(class, &[]), landing, URI, sent));
        let back = sent_to("https://app.test/cb?code=c&state=a%2Bb");
        assert_eq!(judge(Class::Valid, &back, "a+b"), None);
        assert_eq!(judge(Class::Valid, &back, "a b"), Some(Weight::Failure));
        assert_eq!(judge(Class::Acceptable, &back, "a b"), Some(Weight::Failure));
        let refused = sent_to("https://app.test/cb?error=invalid_request");
        assert_eq!(judge(Class::Valid, &refused, "a+b"), Some(Weight::Warning));
        assert_eq!(judge(Class::Valid, &refused, "ab"), Some(Weight::Failure));
        assert_eq!(judge(Class::Acceptable, &refused, "a\n"), None);
        assert_eq!(judge(Class::Acceptable, &page(500), "a\n"), Some(Weight::Warning));
    }

    #[test]
    fn refused_early_or_late() {
        let codes = ["invalid_request"];
        let issued = sent_to("https://app.test/cb?code=c");
        let judge = |class, answer: &Exchange| {
            weight(&early_or_late(&row(class, &[]), &issued, URI, Some(answer), &codes))
        };
        let tokens = json(200, r#"{"access_token":"a","token_type":"Bearer"}"#);
        let error = json(400, r#"{"error":"invalid_request"}"#);
        assert_eq!(judge(Class::Invalid, &tokens), Some(Weight::Failure));
        assert_eq!(judge(Class::Invalid, &error), None);
        assert_eq!(judge(Class::Valid, &tokens), None);
        let early = |class| weight(&early_or_late(&row(class, &[]), &page(400), URI, None, &codes));
        assert_eq!(early(Class::Invalid), None);
        assert_eq!(early(Class::Acceptable), None);
    }
}
