//! Which form to fill in and which button to press.

use super::LoginHints;
use super::html::{Button, Field, Form};

pub(super) fn is_visible(kind: &str) -> bool {
    matches!(kind, "text" | "email" | "tel" | "search" | "")
}

/// A form that asks for a decision: it posts, has a way to submit, and nothing to fill in.
pub(super) fn is_decision(form: &Form) -> bool {
    let leads_away = |word: String| {
        SIGN_OUT.iter().chain(&["language", "locale", "setlang"]).any(|w| word.contains(w))
            || ["search", "lang", "i18n"].contains(&word.as_str())
    };
    is_form_without_questions(form)
        && !form.buttons.is_empty()
        && !words_of(&form.action).any(leads_away)
}

/// Parts of words that speak of signing out, too long to stand in an identifier by chance.
const SIGN_OUT: [&str; 4] = ["logout", "logoff", "signout", "signoff"];

/// The words of the path of an address: an identifier among them holds others by chance.
fn words_of(action: &str) -> impl Iterator<Item = String> {
    let path = action.split(['?', '#']).next().unwrap_or_default();
    path.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase)
}

/// A form that posts and has nothing to fill in.
pub(super) fn is_form_without_questions(form: &Form) -> bool {
    form.method == "POST"
        && !form.fields.iter().any(|f| is_visible(&f.kind) || f.kind == "password")
}

/// The address of a form speaks of signing out.
pub(super) fn is_about_logout(action: &str) -> bool {
    words_of(action).any(|word| {
        SIGN_OUT.iter().any(|w| word.contains(w)) || ["end", "endsession"].contains(&word.as_str())
    })
}

pub(super) fn denies(button: &Button) -> bool {
    [&button.name, &button.value, &button.label].into_iter().any(|text| is_denial_word(text))
}

pub(super) fn is_denial_word(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words =
        ["deny", "denied", "cancel", "reject", "abort", "decline", "refuse", "no", "disallow"];
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| words.contains(&word))
}

/// The field takes the password.
pub(super) fn is_password(form: &Form, hints: &LoginHints, name: &str, kind: &str) -> bool {
    match hints.password_field.as_deref() {
        Some(hint) if form.fields.iter().any(|f| f.name == hint) => name == hint,
        _ => kind == "password" && otp_field(form, hints).is_none_or(|f| f.name != name),
    }
}

/// Words of names that speak of a one-time code.
const ONE_TIME: [&str; 5] = ["otp", "totp", "2fa", "mfa", "tfa"];

/// The field that takes a one-time code: the one that the profile names, one that announces it
/// (`one-time-code`, HTML §4.10.18.7.1), one with a name that says so, or a lonely `code`.
pub(super) fn otp_field<'a>(form: &'a Form, hints: &LoginHints) -> Option<&'a Field> {
    let takes_text = |f: &&Field| is_visible(&f.kind) || f.kind == "number";
    let hinted = form.fields.iter().find(|f| hints.otp_field.as_deref() == Some(&f.name));
    let announced = || {
        let is_code = |token: &str| token.eq_ignore_ascii_case("one-time-code");
        form.fields.iter().find(|f| f.autocomplete.split_ascii_whitespace().any(is_code))
    };
    let named = || {
        form.fields.iter().filter(takes_text).find(|f| {
            let name = f.name.to_ascii_lowercase();
            let plain = name.replace(['_', '-'], "");
            name.split(|c: char| !c.is_ascii_alphanumeric()).any(|w| ONE_TIME.contains(&w))
                || ["onetimecode", "onetimepassword", "passcode", "verificationcode", "otpcode"]
                    .contains(&plain.as_str())
        })
    };
    let lonely = || {
        let mut visible = form.fields.iter().filter(|f| takes_text(f) || f.kind == "password");
        let only = visible.next().filter(takes_text)?;
        let is_code = ["code", "token"].contains(&only.name.to_ascii_lowercase().as_str());
        (is_code && visible.next().is_none() && form.method == "POST").then_some(only)
    };
    hinted.or_else(announced).or_else(named).or_else(lonely)
}

/// The field announces that it takes the user name: one token of several, as in
/// `section-login username` or `username webauthn` (HTML §4.10.18.7.1).
pub(super) fn announces_username(field: &Field) -> bool {
    let mut tokens = field.autocomplete.split_ascii_whitespace();
    tokens.any(|token| token.eq_ignore_ascii_case("username"))
}

/// The name of the field that takes the user name.
pub(super) fn username_field(form: &Form, hints: &LoginHints) -> Option<String> {
    let visible = || form.fields.iter().filter(|f| is_visible(&f.kind));
    let hinted = visible().find(|f| hints.username_field.as_deref() == Some(&f.name));
    let announced = || visible().find(|f| announces_username(f));
    let named = || {
        visible().find(|f| {
            let name = f.name.to_ascii_lowercase();
            ["username", "login", "email", "user", "account", "identifier"]
                .iter()
                .any(|w| name.contains(w))
        })
    };
    hinted.or_else(announced).or_else(named).or_else(|| visible().next()).map(|f| f.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_away_by_a_word_of_its_path_and_not_by_an_identifier() {
        let form = |action: &str| Form {
            action: action.into(),
            method: "POST".into(),
            buttons: vec![Button::default()],
            ..Form::default()
        };
        for action in ["", "/interaction/aLangQ7x/confirm", "/consent?hint=logout", "/endorse"] {
            assert!(is_decision(&form(action)) && !is_about_logout(action), "{action}");
        }
        for action in ["/i18n/setlang/", "/accounts/logout/", "/Home/SetLanguage", "/doLogout"] {
            assert!(!is_decision(&form(action)), "{action}");
        }
        assert!(is_about_logout("/session/end/confirm") && is_about_logout("/EndSession"));
    }

    #[test]
    fn the_field_of_a_one_time_code_is_known_by_its_name_or_by_what_it_announces() {
        let field = |name: &str, kind: &str, autocomplete: &str| Field {
            name: name.into(),
            kind: kind.into(),
            autocomplete: autocomplete.into(),
            ..Field::default()
        };
        let found = |fields: Vec<Field>| {
            let form = Form { method: "POST".into(), fields, ..Form::default() };
            otp_field(&form, &LoginHints::default()).map(|f| f.name.clone())
        };
        for name in ["otp", "user[otp_attempt]", "totp-code", "verification_code", "code"] {
            assert_eq!(found(vec![field(name, "text", "")]).as_deref(), Some(name));
        }
        let announced = field("x", "password", "one-time-code");
        assert_eq!(found(vec![announced]).as_deref(), Some("x"));
        for (name, kind) in [("option", "text"), ("code", "hidden"), ("postcode", "text")] {
            assert_eq!(found(vec![field(name, kind, "")]), None, "{name}");
        }
        assert_eq!(found(vec![field("login", "text", ""), field("code", "text", "")]), None);
    }

    #[test]
    fn denial_words_are_whole_words() {
        assert!(
            is_denial_word("No, thanks")
                && is_denial_word("/interaction/abort")
                && is_denial_word("DENY")
        );
        assert!(
            !is_denial_word("Continue")
                && !is_denial_word("notify")
                && !is_denial_word("Allow now")
        );
    }
}
