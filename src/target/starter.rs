//! The first profile of a target: what its metadata says, and what the operator has to fill in.

use std::fmt::Write as _;

use super::capabilities::Facts;
use super::profile::Target;

/// Stands for what the operator has to fill in.
pub const PLACEHOLDER: &str = "CHANGE-ME";

/// Stands for the redirect URI where none is given.
pub const REDIRECT_URI: &str = "https://change-me.example/callback";

/// The value holds what nobody filled in yet.
pub(super) fn is_unfinished(value: &str) -> bool {
    value.to_ascii_uppercase().contains(PLACEHOLDER)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A commented profile in TOML.
pub fn profile(target: &Target, facts: &Facts) -> String {
    let mut out = String::new();
    head(&mut out, target, facts);
    client(&mut out, target, facts);
    user(&mut out);
    rest(&mut out, target, facts);
    out
}

fn head(out: &mut String, target: &Target, facts: &Facts) {
    let issuer = facts.metadata.text("issuer").unwrap_or(&target.issuer);
    let _ = writeln!(
        out,
        "# Target profile of authspec. `authspec doctor --target FILE` says what is still missing.\n\
         # Every key: `authspec config keys`. No secret stands here, only references: env:NAME, file:PATH,\n\
         # exec:COMMAND.\n"
    );
    for document in &facts.documents {
        let _ = writeln!(out, "# Found: {}", document.location);
    }
    let _ = writeln!(out, "issuer = {}\n", quoted(issuer));
    let _ = writeln!(
        out,
        "# What the server is to others: development (every check runs), staging (none that may lock\n\
         # accounts or that sends bursts), production (nothing but what conforming clients send).\n\
         environment = {}\n",
        quoted(target.safety.environment.as_str())
    );
    let _ = writeln!(
        out,
        "# Least interval between two requests. A test server of your own may take more: 0.\n\
         pace_ms = {}\n",
        target.pace.as_millis()
    );
    if facts.metadata.text("end_session_endpoint").is_some() {
        let _ = writeln!(
            out,
            "# Registered for the client; adds the check of the return from logout.\n\
             # post_logout_redirect_uri = \"https://change-me.example/signed-out\"\n"
        );
    }
    let _ = writeln!(
        out,
        "# A browser origin from which the client may call; adds the checks of CORS.\n\
         # allowed_origin = \"https://change-me.example\"\n\n\
         # A scope that the client must not get; adds the check that it does not.\n\
         # forbidden_scope = \"CHANGE-ME\"\n"
    );
    let network = &target.network;
    if network.insecure || network.ca_file.is_some() {
        out.push_str("[network]\n");
        if let Some(path) = &network.ca_file {
            let _ = writeln!(out, "ca_file = {}", quoted(path));
        }
        if network.insecure {
            out.push_str("# Certificates are not verified; the report says so.\ninsecure = true\n");
        }
        out.push('\n');
    }
}

/// The beginning of a profile for a server that publishes no metadata.
pub fn without_metadata(issuer: &str) -> String {
    let base = issuer.trim_end_matches('/');
    let endpoint = |path: &str| quoted(&format!("{base}/{path}"));
    format!(
        "issuer = {}\n\n[endpoints]\nauthorization_endpoint = {}\ntoken_endpoint = {}\n# jwks_uri, userinfo_endpoint, revocation_endpoint, ..\n\n[[clients]]\nid = \"CHANGE-ME\"\nredirect_uris = [{}]",
        quoted(issuer),
        endpoint("authorize"),
        endpoint("token"),
        quoted(REDIRECT_URI)
    )
}

/// The kinds of login, as far as this build has them.
const LOGINS: &str = if cfg!(feature = "browser") {
    "# How it signs in. form: HTML forms, found by themselves. Others: http, session, exec, manual,\n\
     # wallet, browser. `authspec login test --target FILE` shows each page."
} else {
    "# How it signs in. form: HTML forms, found by themselves. Others: http, session, exec, manual,\n\
     # wallet; and browser in a build that has it (cargo build --features browser), as this one has\n\
     # not. `authspec login test --target FILE` shows each page."
};

fn client(out: &mut String, target: &Target, facts: &Facts) {
    let client = &target.clients[0];
    let offered = facts.metadata.list("scopes_supported").unwrap_or_default();
    let wanted = ["openid", "profile", "email", "offline_access"];
    let scope: Vec<&str> = wanted.into_iter().filter(|s| offered.contains(s)).collect();
    let scope = if scope.is_empty() { vec!["openid"] } else { scope };
    let uris: Vec<String> = client.redirect_uris.iter().map(|uri| quoted(uri)).collect();
    let todo = if client.id == PLACEHOLDER { "  # a public client, without a secret" } else { "" };
    let _ = writeln!(out, "[[clients]]\nid = {}{todo}", quoted(&client.id));
    let _ = writeln!(
        out,
        "# All redirect URIs that are registered, character by character, the main one first.\n\
         redirect_uris = [{}]",
        uris.join(", ")
    );
    if !offered.is_empty() {
        let _ = writeln!(out, "# The server offers: {}", offered.join(" "));
    }
    let _ = writeln!(
        out,
        "scope = {}\n# Where it runs: browser, native or server.\n# kind = \"browser\"\n\n\
         # A second public client adds the checks that mix two clients up.\n\
         # [[clients]]\n# id = \"CHANGE-ME\"\n# redirect_uris = [\"http://127.0.0.1/callback\"]\n",
        quoted(&scope.join(" "))
    );
}

fn user(out: &mut String) {
    let _ = writeln!(
        out,
        "# A test account without anything of value.\n[user]\nusername = \"CHANGE-ME\"\n\
         password = \"env:AUTHSPEC_PASSWORD\"\n\n{LOGINS}\n[login]\ndriver = \"form\"\n"
    );
}

fn rest(out: &mut String, target: &Target, facts: &Facts) {
    let resource = facts.metadata.text("userinfo_endpoint").unwrap_or(&target.issuer);
    let _ = writeln!(
        out,
        "# An API that the access token opens; adds the checks of the resource server.\n\
         # [resource]\n# url = {}\n# status = 200\n",
        quoted(resource)
    );
    if facts.metadata.text("introspection_endpoint").is_some() {
        let _ = writeln!(
            out,
            "# A resource server's credentials; adds the checks of introspection.\n\
             # [introspection]\n# client_id = \"CHANGE-ME\"\n\
             # client_secret = \"env:AUTHSPEC_INTROSPECTION_SECRET\"\n"
        );
    }
    let _ = writeln!(
        out,
        "# What you expect; doctor compares.\n# [lifetimes]\n# access_token_seconds = 900"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::profile::Client;

    #[test]
    fn a_server_without_metadata_has_a_profile_too() {
        let text = without_metadata("https://as.test/").replace("CHANGE-ME", "spa");
        let text = text.replace("change-me", "app");
        let target = Target::parse("p.toml", &text, &|_| None).unwrap();
        assert_eq!(target.endpoints["token_endpoint"], "https://as.test/token");
    }

    #[test]
    fn what_is_written_is_a_profile() {
        let client = Client::new("spa", &["https://app.test/cb"], "openid");
        let target = Target::new("https://as.test", client);
        let mut facts = Facts::default();
        facts.metadata.set("issuer", "https://as.test/\"quoted\"");
        facts.metadata.set("scopes_supported", serde_json::json!(["openid", "email", "x"]));
        facts.metadata.set("end_session_endpoint", "https://as.test/logout");
        facts.metadata.set("introspection_endpoint", "https://as.test/introspect");
        let text = profile(&target, &facts);
        let unfinished = Target::parse("p.toml", &text, &|_| Some("x".into())).unwrap_err();
        assert!(unfinished.ends_with("CHANGE-ME is left to fill in"), "{unfinished}");
        let text = text.replace("CHANGE-ME", "filled-in").replace("change-me", "filled-in");
        let read = |text: &str| Target::parse("p.toml", text, &|_| Some("x".into())).unwrap();
        let target = read(&text);
        assert_eq!(target.issuer, "https://as.test/\"quoted\"");
        assert_eq!(
            (target.clients[0].id.as_str(), target.clients[0].scope.as_str()),
            ("spa", "openid email")
        );
        // Every suggestion is one that a profile may follow.
        let followed: String = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") || rest.starts_with('[') => rest,
                _ => line,
            })
            .fold(String::new(), |all, line| all + line + "\n");
        let target = read(&followed);
        assert!(target.resource.is_some() && target.introspection.is_some());
        assert_eq!(target.clients.len(), 2);
    }
}
