use ::base64::Engine as _;
use ::base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::exchange::samples::answered;

fn sealed(learn: impl FnOnce(&mut Redactor)) -> Redactor {
    let mut redactor = Redactor::new();
    learn(&mut redactor);
    redactor.seal();
    redactor
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The encodings in which a value may appear, by name.
fn encodings(value: &str) -> Vec<(&'static str, String)> {
    let json = |text: &str| {
        let quoted = Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let each = |write: &dyn Fn(char) -> String| value.chars().map(write).collect::<String>();
    let bytes = |write: &dyn Fn(u8) -> String| value.bytes().map(write).collect::<String>();
    let form: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let html = value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    let jwt = |claims: &str| {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims))
    };
    vec![
        ("plain", value.to_owned()),
        ("percent", percent(value)),
        (
            "percent lower",
            bytes(&|b| match b.is_ascii_alphanumeric() {
                true => char::from(b).to_string(),
                false => format!("%{b:02x}"),
            }),
        ),
        ("every octet in percent", bytes(&|b| format!("%{b:02x}"))),
        ("percent twice", percent(&percent(value))),
        ("percent thrice", percent(&percent(&percent(value)))),
        ("form", form.clone()),
        ("form in percent", percent(&form)),
        ("json", json(value)),
        ("json twice", json(&json(value))),
        ("json with solidus", json(value).replace('/', r"\/")),
        ("json in units", each(&|c| format!("\\u{:04x}", u32::from(c)))),
        ("json in units, upper", each(&|c| format!("\\u{:04X}", u32::from(c)))),
        ("json in percent", percent(&json(value))),
        ("html", html.clone()),
        ("html decimal", each(&|c| format!("&#{};", u32::from(c)))),
        ("html hex", each(&|c| format!("&#x{:x};", u32::from(c)))),
        ("html in json", json(&html)),
        ("percent in html", percent(value).replace('%', "&#37;")),
        ("base64", STANDARD.encode(value)),
        ("base64 bare", STANDARD_NO_PAD.encode(value)),
        ("base64url", URL_SAFE_NO_PAD.encode(value)),
        ("base64url padded", URL_SAFE.encode(value)),
        ("base64 after one", STANDARD.encode(format!("x{value}"))),
        ("base64 after two", STANDARD.encode(format!("xy{value}"))),
        ("base64 amid", URL_SAFE_NO_PAD.encode(format!("xyz1{value}+rest"))),
        ("base64 of basic", STANDARD.encode(format!("client:{value}"))),
        ("base64 of basic, form", STANDARD.encode(format!("client:{form}"))),
        ("base64 in percent", percent(&STANDARD.encode(value))),
        ("base64 twice", STANDARD.encode(STANDARD.encode(value))),
        ("base64 glued", format!("/x-{}", URL_SAFE_NO_PAD.encode(value))),
        ("jwt claim", jwt(&json!({"iss": "https://as.test", "x": value}).to_string())),
        ("jwt in a jwt", jwt(&json!({"t": jwt(&json!({"x": value}).to_string())}).to_string())),
        ("hex", bytes(&|b| format!("{b:02x}"))),
        ("hex upper", bytes(&|b| format!("{b:02X}"))),
    ]
}

#[test]
fn octets_that_are_no_text_are_no_secret() {
    let redactor = sealed(|r| r.learn("code", "\u{fffd}\u{fffd}(\u{fffd}"));
    let text = "state \u{fffd}\u{fffd}(\u{fffd}";
    assert_eq!(redactor.redact(text), text);
    assert_eq!(redactor.canary().scan(text.as_bytes()), Ok(()));
}

#[test]
fn words_of_the_harness_are_no_secrets_and_what_holds_them_is() {
    let redactor = sealed(|r| {
        r.learn("code", "probe");
        r.learn("code_verifier", "null");
        r.learn("code", "probe-4711");
    });
    assert_eq!(redactor.redact("probe.invalid null probe-4711"), "probe.invalid null <code#1>");
}

#[test]
fn nothing_is_shown_before_seal() {
    assert_eq!(Redactor::new().redact("anything"), "<not sealed>");
}

#[test]
fn equal_values_look_equal_and_others_differ() {
    let r = sealed(|r| {
        r.learn("code", "abcdef");
        r.learn("code", "ghijkl");
    });
    assert_eq!(r.redact("code=abcdef&x=ghijkl&y=abcdef"), "code=<code#1>&x=<code#2>&y=<code#1>");
}

#[test]
fn short_secrets_are_replaced_where_the_protocol_puts_them() {
    let r = sealed(|_| {});
    assert_eq!(
        r.redact("https://app.test/cb?code=ab&state=xy"),
        "https://app.test/cb?code=<code>&state=xy"
    );
    assert_eq!(
        r.redact("next=https%3A%2F%2Fapp.test%2Fcb%3Fcode%3Dab%26state%3Dxy"),
        "next=https%3A%2F%2Fapp.test%2Fcb%3Fcode%3D<code>%26state%3Dxy"
    );
    assert_eq!(
        r.redact(r#"{"access_token":"a","x":"a"}"#),
        r#"{"access_token":"<access_token>","x":"a"}"#
    );
}

#[test]
fn a_short_password_is_replaced_where_it_is_a_whole_value() {
    let r = sealed(|r| r.learn_password("x"));
    assert_eq!(
        r.redact("user=alice&pwd=x&next=x1 text/html"),
        "user=alice&pwd=<password>&next=x1 text/html"
    );
}

#[test]
fn ordinary_words_stay_readable_and_are_hidden_where_they_are_secrets() {
    let r = sealed(|r| {
        r.learn_password("test");
        r.learn("cookie", "https://as.example.test");
        r.learn("code", "invalid_grant");
        r.know_ordinary("https://as.example.test/authorize");
    });
    for text in [
        "https://as.example.test/authorize?x=1",
        "400 with error=invalid_grant; test",
        "username=test",
    ] {
        assert_eq!(r.redact(text), text);
        assert_eq!(r.canary().scan(text.as_bytes()), Ok(()));
    }
    for (text, shown) in [
        ("username=test&pw=test", "username=test&pw=<password>"),
        (r#"{"pin":"test"}"#, r#"{"pin":"<password>"}"#),
        ("Basic YTp0ZXN0", "Basic <password>"),
    ] {
        assert_eq!(r.redact(text), shown);
        assert!(r.canary().scan(text.as_bytes()).is_err(), "{text}");
        assert_eq!(r.canary().scan(shown.as_bytes()), Ok(()));
    }
    assert_eq!(
        r.redact_header("set-cookie", "next=https://as.example.test; Path=/"),
        "next=<cookie>; Path=/"
    );
}

#[test]
fn a_number_counts_where_it_stands_alone() {
    let r = sealed(|r| r.learn("otp", "123456"));
    assert_eq!(r.redact("at 1234567 or 123456."), "at 1234567 or <otp#1>.");
    // Durations of the report's own are no leak.
    assert_eq!(r.canary().scan(br#""at_us": 123456,"#), Ok(()));
}

#[test]
fn secrets_within_secrets_are_told_by_the_longest() {
    let r = sealed(|r| {
        r.learn("code", "abcdefgh");
        r.learn("token", "abcdefgh-ijklmnop");
        r.learn("token", "mnopqrst");
    });
    assert_eq!(r.redact("abcdefgh-ijklmnop"), "<token#1>");
    assert_eq!(r.redact("abcdefgh-ijklmnopqrst"), "<token#1>");
    assert_eq!(r.redact("xabcdefghx"), "x<code#1>x");
    assert_eq!(r.redact("abcdefghmnopqrst"), "<code#1><token#2>");
}

#[test]
fn what_is_left_of_a_tampered_token_is_hidden() {
    let token = format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"4711"}"#),
        URL_SAFE_NO_PAD.encode(r#"{"iss":"https://as.test","sub":"alice","aud":"api"}"#),
        "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWeJ"
    );
    let r = sealed(|r| {
        r.learn("access_token", &token);
        r.learn("code", "SplxlOBeZQQYbYS6WxSbIA7bKq");
    });
    let signature = token.rsplit('.').next().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    for (text, is_kept) in [
        (format!("signature {signature}!"), "signature <part of access_token#1>!"),
        (format!("claims {claims}!"), "claims <part of access_token#1>!"),
        (format!("tail {}!", &signature[20..]), "tail <part of access_token#1>!"),
        (format!("of {}!", &claims[9..40]), "of <part of access_token#1>!"),
        ("cut SplxlOBeZQQYbYS6Wx!".into(), "cut <part of code#1>!"),
        ("end QQYbYS6WxSbIA7bKq!".into(), "end <part of code#1>!"),
    ] {
        assert_eq!(r.redact(&text), is_kept);
        assert!(r.canary().scan(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_secret_within_a_jwt_is_learned() {
    let inner = "s3cr3t-refresh-token-in-a-jwt";
    let claims = json!({"rt": {"refresh_token": inner}});
    let header = json!({"jwk": {"kty": "EC", "d": "qIVsUEHGUfKzNyeWtzBGnPFDKPGzAbPYIGQUFg-Qa38"}});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.c2lnbmF0dXJl", encode(&header), encode(&claims));
    let r = sealed(|r| r.learn("access_token", &token));
    assert_eq!(r.redact(&format!("got {inner}")), "got <refresh_token#1>");
    let key = r.redact("d=qIVsUEHGUfKzNyeWtzBGnPFDKPGzAbPYIGQUFg-Qa38");
    assert_eq!(key, "d=<private_key#1>");
}

#[test]
fn cookies_authorization_and_unknown_tokens_disappear() {
    let r = sealed(|_| {});
    assert_eq!(r.redact_header("Cookie", "a=1; b=<b>2"), "a=<cookie>; b=<cookie>");
    assert_eq!(
        r.redact_header("set-cookie", "a=1; Path=/; HttpOnly"),
        "a=<cookie>; Path=/; HttpOnly"
    );
    assert_eq!(r.redact_header("Authorization", "Bearer xyz"), "Bearer <authorization>");
    assert_eq!(r.redact_header("X-CSRF-Token", "1"), "<authorization>");
    assert_eq!(r.redact("token: eyJhbGciOiJ9.eyJzdWIi.c2ln!"), "token: <jwt>!");
}

#[test]
fn hidden_fields_of_html_pages_are_learned() {
    let page = r#"<script>for(i=0;i<n;i++)t='<input type=hidden name=code value="w1th1n-4-scr1pt">'</script><form><input type=hidden name="code" value="s3cr3t-code&amp;more"><input name=csrf_token value="0123456789abcdef0123"><input type=hidden name=x value="uD7xKq2LmQ0pWz4R"><meta name="csrf-token" content="m3ta-t0ken"></form>"#;
    let exchange = answered(200, &[("content-type", "text/html")], page);
    let r = sealed(|r| r.learn_from(&exchange));
    let shown = r.redact(page);
    for secret in ["w1th1n", "s3cr3t", "0123456789abcdef", "uD7xKq", "m3ta"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn what_a_page_is_told_is_learned() {
    let url = "https://app.test/cb?code=s3cr3t-0f-th3-ev3nt&state=st4te-0f-th3-cl1ent";
    let json = format!(r#"{{"type":"authenticated","redirectUrl":"{url}"}}"#);
    let events = ("text/event-stream", 200);
    for ((media_type, status), body) in [
        (events, format!("event: redirect\ndata: {url}\n\n")),
        (events, format!("data: {json}\n\n")),
        (("", 101), format!("{url}\n")),
        (("", 101), format!("hello\n{json}\n")),
        (("", 101), format!("CONNECTED\nversion:1.2\n\n\0\nMESSAGE\nid:1\n\n{url}\0\n")),
    ] {
        let exchange = answered(status, &[("content-type", media_type)], &body);
        let shown = sealed(|r| r.learn_from(&exchange)).redact(&body);
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
}

#[test]
fn a_plain_challenge_is_a_verifier_and_one_of_s256_is_public() {
    let of = |query: &str| {
        let mut exchange = answered(200, &[], "");
        exchange.request.url = format!("https://as.test/authorize?{query}");
        let r = sealed(|r| r.learn_from(&exchange));
        r.redact(&exchange.request.url)
    };
    assert!(of("code_challenge=E9Melhoa2Owv&code_challenge_method=S256").contains("E9Melhoa2Owv"));
    assert!(
        !of("code_challenge=E9Melhoa2Owv&code_challenge_method=plain").contains("E9Melhoa2Owv")
    );
    assert!(!of("code_challenge=E9Melhoa2Owv").contains("E9Melhoa2Owv"));
}

#[test]
fn a_form_is_read_under_any_media_type_in_both_directions() {
    let mut exchange =
        answered(200, &[("Content-Type", "text/plain")], "access_token=f0rm-t0ken&x=y");
    exchange.request.headers.push(("Content-Type".into(), "application/json".into()));
    exchange.request.body = b"code=abc&code_verifier=misplaced-verifier".to_vec();
    let r = sealed(|r| r.learn_from(&exchange));
    assert_eq!(r.redact("f0rm-t0ken misplaced-verifier"), "<access_token#1> <code_verifier#1>");
}

#[test]
fn the_secret_of_basic_is_learned() {
    let mut exchange = answered(200, &[], "");
    let credential = STANDARD.encode("web%20app:s3cr%2Bt-value");
    exchange.request.headers.push(("Authorization".into(), format!("Basic {credential}")));
    let r = sealed(|r| r.learn_from(&exchange));
    assert_eq!(r.redact("echo s3cr+t-value"), "echo <client_secret#1>");
    assert!(!r.redact(&credential).contains(&credential[4..]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_secret_survives_in_any_encoding(
        secret in "[ -~]{8,40}", before in "[a-z ]{0,10}", after in "[ .,][a-z ]{0,10}"
    ) {
        prop_assume!(secret.bytes().any(|octet| octet.is_ascii_alphanumeric()));
        let r = sealed(|r| r.learn("code", &secret));
        for (name, form) in encodings(&secret) {
            let text = format!("{before} {form}{after}");
            let shown = r.redact(&text);
            prop_assert!(!shown.contains(&form) || "<code#1>".contains(&form), "{name}: {shown}");
            prop_assert!(!shown.contains(&secret) || "<code#1>".contains(&secret), "{name}: {shown}");
            let found = r.canary().scan(text.as_bytes());
            prop_assert!(found.is_err(), "{name}: {text}");
            prop_assert_eq!(r.canary().scan(shown.as_bytes()), Ok(()), "{}: {}", name, shown);
            prop_assert_eq!(r.redact(&shown), shown.clone(), "{}: not idempotent", name);
            prop_assert!(shown.starts_with(&before), "{name}: {shown}");
        }
    }

    #[test]
    fn no_token_survives_alone_or_next_to_others(
        tokens in prop::collection::vec("[A-Za-z0-9_-]{20,60}", 1..6), glue in "[ .,~:/|]{0,2}"
    ) {
        let r = sealed(|r| tokens.iter().for_each(|token| r.learn("token", token)));
        let all = tokens.join(&glue);
        for (name, form) in encodings(&all) {
            let shown = r.redact(&form);
            for token in &tokens {
                prop_assert!(!shown.contains(token.as_str()), "{name}: {shown}");
            }
            prop_assert!(r.canary().scan(form.as_bytes()).is_err(), "{name}");
            prop_assert_eq!(r.canary().scan(shown.as_bytes()), Ok(()), "{}: {}", name, shown);
        }
    }

    #[test]
    fn a_piece_of_a_token_does_not_survive(token in "[A-Za-z0-9]{40,80}", from in 0usize..20, length in 16usize..20) {
        prop_assume!(token.bytes().any(|b| b.is_ascii_digit()));
        let r = sealed(|r| r.learn("token", &token));
        let piece = &token[from..from + length];
        prop_assert_eq!(r.redact(&format!("({piece})")), "(<part of token#1>)");
    }

    #[test]
    fn a_text_without_secrets_is_unchanged(text in "[ -~\\n]{0,200}", secret in "Q[A-Z0-9]{12,40}Q") {
        prop_assume!(!text.contains("eyJ"));
        let r = sealed(|r| r.learn("token", &secret));
        let names = ["code", "token", "secret", "passw", "otp", "request_uri", "assertion", "csrf", "xsrf"];
        prop_assume!(!names.iter().any(|name| text.to_lowercase().contains(name)));
        prop_assert_eq!(r.redact(&text), text);
    }

    #[test]
    fn hostile_text_makes_nothing_panic(text: String, secret in "\\PC{4,30}") {
        let r = sealed(|r| r.learn("code", &secret));
        let shown = r.redact(&format!("{text}{secret}{text}"));
        prop_assert_eq!(r.redact(&shown), shown.clone());
    }

    #[test]
    fn no_secret_survives_an_exchange(
        code in "[A-Za-z0-9_-]{8,43}", token in "[A-Za-z0-9._~+/-]{8,60}", cookie in "[A-Za-z0-9]{8,30}", password in "[!-~]{5,20}"
    ) {
        let mut exchange = answered(
            302,
            &[("Location", &format!("https://app.test/cb?code={code}&state=s")), ("Set-Cookie", &format!("sid={cookie}; Path=/"))],
            &format!(r#"{{"access_token":{}}}"#, Value::String(token.clone())),
        );
        exchange.request.headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".into()));
        let form: String = url::form_urlencoded::byte_serialize(password.as_bytes()).collect();
        exchange.request.body = format!("username=alice&password={form}").into_bytes();
        let r = sealed(|r| r.learn_from(&exchange));
        let response = exchange.response().unwrap();
        let mut shown = format!("{} {}", r.redact(&exchange.request.text()), r.redact(&response.text()));
        for (name, value) in &response.headers {
            shown.push_str(&r.redact_header(name, value));
        }
        for secret in [&code, &token, &cookie, &form] {
            prop_assert!(!shown.contains(secret.as_str()), "{secret} in {shown}");
        }
    }
}
