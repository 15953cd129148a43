//! Judges of RP-initiated logout.

use super::authorization::front_reject;
use super::{Findings, check};
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::authorization::Landing;

/// What prompt=none brought back shows a live session: a code, or the wish to ask its user.
pub fn is_alive(landing: &Landing) -> bool {
    landing.code().is_some()
        || matches!(landing.error(), Some("consent_required" | "interaction_required"))
}

/// The session ended although nobody agreed.
pub fn ended(landing: &Landing) -> Deviation {
    Deviation::new("a session that lives on until the user agrees", landing.gist())
        .seen_in(&landing.exchange)
}

/// The browser was sent away on a hint that proves nothing.
pub fn redirected(landing: &Landing) -> Deviation {
    Deviation::new("an error or a question to the user, and no redirect", landing.gist())
        .seen_in(&landing.exchange)
}

/// prompt=none finds no session.
pub fn is_gone(landing: &Landing, redirect_uri: &str) -> Findings {
    let codes = ["login_required", "interaction_required", "account_selection_required"];
    front_reject(landing, redirect_uri, &codes)
}

/// The browser stays with the server or goes to exactly the registered address.
pub fn stays_or_returns(landing: &Landing, registered: Option<&str>) -> Findings {
    let Some(response) = &landing.response else { return vec![] };
    let is_home = registered.is_some_and(|uri| {
        response.went_to(uri) && response.address == uri.split(['?', '#']).next().unwrap_or(uri)
    });
    check(is_home, || {
        Deviation::new("no redirect to an unregistered address", landing.gist())
            .weighing(Weight::Failure)
            .seen_in(&landing.exchange)
    })
}

/// The token with another signature of the same length.
pub fn with_other_signature(token: &str) -> String {
    let Some((signed, signature)) = token.rsplit_once('.') else { return token.to_owned() };
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let rest: String = signature.chars().skip(1).collect();
    format!("{signed}.{first}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::authorization::samples::sent_to;

    const URI: &str = "https://app.test/out";

    #[test]
    fn a_live_session_is_told_from_a_dead_one() {
        for alive in ["code=c", "error=consent_required", "error=interaction_required"] {
            assert!(is_alive(&sent_to(&format!("https://app.test/cb?{alive}"))), "{alive}");
        }
        assert!(!is_alive(&sent_to("https://app.test/cb?error=login_required")));
        let weight = |location: &str| {
            is_gone(&sent_to(location), "https://app.test/cb").iter().map(|d| d.weight).max()
        };
        assert_eq!(weight("https://app.test/cb?error=login_required"), None);
        assert_eq!(weight("https://app.test/cb?error=consent_required"), Some(Weight::Warning));
        assert_eq!(weight("https://app.test/cb?code=c"), Some(Weight::Failure));
    }

    #[test]
    fn only_the_registered_address_is_home() {
        assert_eq!(stays_or_returns(&sent_to("https://app.test/out?state=s"), Some(URI)), vec![]);
        for bad in [
            "https://app.test/out/probe",
            "https://app.test.probe.invalid/out",
            "https://probe.invalid/",
        ] {
            assert!(!stays_or_returns(&sent_to(bad), Some(URI)).is_empty(), "{bad}");
            assert!(!stays_or_returns(&sent_to(bad), None).is_empty(), "{bad}");
        }
    }

    #[test]
    fn the_signature_changes_and_nothing_else() {
        assert_eq!(with_other_signature("a.b.cd"), "a.b.Ad");
        assert_eq!(with_other_signature("a.b.Ad"), "a.b.Bd");
    }
}
