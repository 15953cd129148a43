//! Words of others that may be secrets which the harness never saw: what a program says of its own
//! browser holds addresses, and these hold identifiers of sessions.

use std::borrow::Cow;

/// Characters from which on a word may be an identifier that nobody chose.
const LONG: usize = 16;

/// The text with the length of each long word that looks random in the place of the word.
pub(super) fn masked(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '~');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(is_part) {
        let (between, from) = rest.split_at(begin);
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (word, behind) = from.split_at(end);
        out.push_str(between);
        out.push_str(&shown(word));
        rest = behind;
    }
    out + rest
}

fn shown(word: &str) -> Cow<'_, str> {
    match is_random(word) {
        true => format!("<{} characters>", word.len()).into(),
        false => word.into(),
    }
}

/// Figures and letters change often within the word, or case does within a very long one.
fn is_random(word: &str) -> bool {
    let class = |c: char| (c.is_ascii_digit(), c.is_ascii_uppercase());
    let kinds: Vec<_> = word.chars().filter(char::is_ascii_alphanumeric).map(class).collect();
    let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let has_figure = kinds.iter().any(|(is_digit, _)| *is_digit);
    let least = if has_figure { word.len() / 8 } else { word.len() / 3 };
    word.len() >= LONG && changes > least.max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_chose_is_masked() {
        for random in [
            "Jq3vVd0aXk7Zp1mWm2yHfTn9bC4eLsRuGoKiQxE8AwD",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "7765933e-6fe4-4876-9ddb-73a410579898",
            "eyJhbGciOiJSUzI1NiJ9",
            "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeF",
        ] {
            let text = format!("no form at http://127.0.0.1:7710/interaction/{random}?a={random}.");
            let masked = masked(&text);
            assert!(!masked.contains(random), "{masked}");
            let place = format!("/interaction/<{} characters>?a=", random.len());
            assert!(masked.contains(&place) && masked.ends_with("characters>."), "{masked}");
        }
    }

    #[test]
    fn what_is_said_is_kept() {
        for said in [
            "no such request",
            "selenium.common.exceptions.NoSuchElementException: Unable to locate #username",
            "/usr/lib/python3.12/site-packages/login_of_the_test_user.py:42",
            "https://login.example.test:7730/oauth2/authorization_endpoint",
            "oauth2_authorization_code_flow",
            "net::ERR_CONNECTION_REFUSED",
            "2026-11-26T10:10:44Z",
            "",
        ] {
            assert_eq!(masked(said), said);
        }
    }
}
