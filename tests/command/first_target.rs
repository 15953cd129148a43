//! From nothing to an audit, as a newcomer goes: `init`, `doctor`, `login test`, `run`; and what the
//! configuration says of itself.

use std::path::Path;

use authspec::embedded;
use reference_server::{Config, Defect, Login, Policy, Server, seeds};

use super::call::{self, Item, authspec};

fn server(login: Login) -> Server {
    embedded::start(Config { login, ..Config::default() }).unwrap()
}

/// The profile that `init` writes, filled in.
fn filled_in(folder: &Path, server: &Server, login: &str) -> String {
    let begun = authspec(
        folder,
        &[
            "init",
            server.issuer(),
            "--client-id",
            seeds::WEB,
            "--redirect-uri",
            seeds::WEB_REDIRECT_URI,
        ],
        &[],
    );
    assert_eq!(begun.code, 0, "{}", begun.stderr);
    let path = folder.join("authspec.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, after) = text.split_once("[user]").unwrap();
    let (_, after) = after.split_once("driver = \"form\"").unwrap();
    let before = before.replace("offline_access", "api:read");
    std::fs::write(&path, format!("{before}{login}{after}")).unwrap();
    path.to_str().unwrap().to_owned()
}

const FORM: &str = "[user]\nusername = \"alice\"\npassword = \"env:AUTHSPEC_PASSWORD\"\n[login]\ndriver = \"form\"";
const PASSWORD: &[(&str, &str)] = &[("AUTHSPEC_PASSWORD", seeds::ALICE_PASSWORD)];

/// All four commands, in order; the run is a small one.
fn walk(folder: &Path, profile: &str, variables: &[(&str, &str)]) {
    let doctor = authspec(folder, &["doctor", "--target", profile], variables);
    assert_eq!(doctor.code, 0, "{}{}", doctor.stdout, doctor.stderr);
    assert!(doctor.stdout.contains("\nready: "), "{}", doctor.stdout);
    let items = call::items(&doctor.stdout);
    let is_fine = |item: &Item<'_>| matches!(item.mark, "ok" | "-");
    assert!(items.len() == 11 && items.iter().all(is_fine), "{}", doctor.stdout);
    let login = authspec(folder, &["login", "test", "--target", profile], variables);
    assert_eq!(login.code, 0, "{}{}", login.stdout, login.stderr);
    let seen = call::login(&login.stdout);
    assert_eq!(seen.arrived, Some(seeds::WEB_REDIRECT_URI), "{}", login.stdout);
    assert!(seen.steps.len() > 2, "{}", login.stdout);
    let has_password = variables == PASSWORD;
    assert_eq!(seen.sent.contains(&"password"), has_password, "{}", login.stdout);
    let run = ["run", "--target", profile, "--tags", "@tokenresp or @pkce"];
    let run = authspec(folder, &run, variables);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(!run.stdout.contains(seeds::ALICE_PASSWORD));
}

#[test]
fn a_newcomer_gets_to_an_audit_by_form() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server(Login::Password));
    let profile = filled_in(folder.path(), &server, FORM);
    walk(folder.path(), &profile, PASSWORD);
}

#[test]
fn a_newcomer_gets_to_an_audit_by_wallet() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server(Login::Wallet));
    let login = format!(
        "[login]\ndriver = \"wallet\"\n[login.wallet]\nissuer_key = \"env:ISSUER_KEY\"\nclaims = {{ email = {:?} }}",
        seeds::ALICE_EMAIL
    );
    let profile = filled_in(folder.path(), &server, &login);
    walk(folder.path(), &profile, &[("ISSUER_KEY", seeds::CREDENTIAL_ISSUER_KEY)]);
}

#[test]
fn a_login_that_failed_shows_its_steps_and_arrives_nowhere() {
    let text = "driver    form\nuser      a: password\n\n  1  GET http://as.test/ -> 302 to http://as.test/x\n  \
                3  GET http://as.test/y -> 200\n       form  POST this page: user (text)\n       sent  a: b: one-time \
                code\n\nfailed    wrong password\n  tried     2  x -> y\n";
    let login = call::login(text);
    assert_eq!(login.steps, ["GET http://as.test/ -> 302 to http://as.test/x"]);
    assert_eq!((login.sent, login.arrived), (vec!["one-time code"], None));
    assert_eq!(
        call::items("ok      name           127.0.0.1\n        to change      x\nready: y").len(),
        1
    );
}

#[test]
fn init_overwrites_nothing() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server(Login::Password));
    filled_in(folder.path(), &server, FORM);
    let again = authspec(folder.path(), &["init", server.issuer()], &[]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);
    let forced = authspec(folder.path(), &["init", server.issuer(), "--force"], &[]);
    assert_eq!(forced.code, 0, "{}", forced.stderr);
}

#[test]
fn init_says_what_to_do_about_missing_metadata_and_shows_what_was_asked() {
    let policy = Policy::with(Defect::MetadataMissing);
    let server = embedded::start(Config { policy, ..Config::default() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let init = authspec(folder.path(), &["init", server.issuer()], &[]);
    assert_eq!(init.code, 3, "{}", init.stderr);
    let issuer = server.issuer();
    let endpoints = format!(
        "[endpoints]\nauthorization_endpoint = \"{issuer}/authorize\"\ntoken_endpoint = \"{issuer}/token\""
    );
    assert!(init.stderr.contains(&endpoints), "{}", init.stderr);
    let asked = format!("exchange 1: GET {issuer}/.well-known/");
    assert!(init.stderr.contains(&asked), "{}", init.stderr);
    assert!(init.stderr.contains("answer    404"), "{}", init.stderr);
}

#[test]
fn init_names_its_own_options_where_a_certificate_is_not_trusted() {
    let server = embedded::start(Config { tls: true, ..Config::default() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // By its address: nobody resolves its name, and either way the certificate is not trusted.
    let issuer = server.issuer().replace(seeds::HOST, "127.0.0.1");
    let init = |more: &[&str]| {
        let arguments = [&["init", &issuer], more].concat();
        authspec(folder.path(), &arguments, &[])
    };
    let untrusted = init(&[]);
    assert_eq!(untrusted.code, 3, "{}", untrusted.stderr);
    for cure in ["--ca-file FILE", "--insecure"] {
        assert!(untrusted.stderr.contains(cure), "{}", untrusted.stderr);
    }
    assert_eq!(init(&["--ca-file", "nowhere.pem"]).code, 2);
    // The way to the server is that of the environment, as for every other command.
    let by_name = |resolve: &str| {
        let variables =
            [("AUTHSPEC_NETWORK__RESOLVE", resolve), ("AUTHSPEC_NETWORK__INSECURE", "true")];
        authspec(folder.path(), &["init", server.issuer(), "--output", "named.toml"], &variables)
    };
    assert!(by_name("{").stderr.contains("AUTHSPEC_NETWORK__RESOLVE"));
    let named = by_name(&format!("{{ '{}' = '127.0.0.1' }}", seeds::HOST));
    assert_eq!(named.code, 0, "{}", named.stderr);
    let written = std::fs::read_to_string(folder.path().join("named.toml")).unwrap();
    assert!(written.contains("resolve = { "), "{written}");
    let insecure = init(&["--insecure"]);
    assert_eq!(insecure.code, 0, "{}", insecure.stderr);
    let written = std::fs::read_to_string(folder.path().join("authspec.toml")).unwrap();
    assert!(written.contains("insecure = true"), "{written}");
}

#[test]
fn init_says_that_the_metadata_name_another_issuer() {
    let policy = Policy::with(Defect::MetadataIssuerOfAnotherHost);
    let server = embedded::start(Config { policy, ..Config::default() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let init = authspec(folder.path(), &["init", server.issuer()], &[]);
    assert_eq!(init.code, 0, "{}", init.stderr);
    assert!(init.stderr.contains("name another issuer, "), "{}", init.stderr);
}

#[test]
fn a_table_that_stands_twice_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "issuer = \"http://127.0.0.1:1\"\n[login]\ndriver = \"form\"\n\n[login]\nbudget = 3\n";
    std::fs::write(folder.path().join("twice.toml"), text).unwrap();
    let doctor = authspec(folder.path(), &["doctor", "--target", "twice.toml"], &[]);
    assert_eq!(doctor.code, 2, "{}", doctor.stderr);
    let said = "twice.toml:5: login stands here for the second time";
    assert!(doctor.stderr.contains(said), "{}", doctor.stderr);
}

#[test]
fn the_starter_offers_no_driver_that_the_build_lacks() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server(Login::Password));
    let init = authspec(folder.path(), &["init", server.issuer()], &[]);
    assert_eq!(init.code, 0, "{}", init.stderr);
    let written = std::fs::read_to_string(folder.path().join("authspec.toml")).unwrap();
    assert_eq!(written.contains("--features browser"), cfg!(not(feature = "browser")), "{written}");
}

/// Which item the doctor finds bad, and a part of what it says.
fn is_bad(profile: &str, folder: &Path, variables: &[(&str, &str)], item: &str, said: &str) {
    let doctor = authspec(folder, &["doctor", "--target", profile], variables);
    assert_eq!(doctor.code, 3, "{}{}", doctor.stdout, doctor.stderr);
    let items = call::items(&doctor.stdout);
    let bad = items.iter().find(|item| item.mark == "bad").unwrap();
    assert!(bad.name == item && doctor.stdout.contains(said), "{}", doctor.stdout);
    assert!(!doctor.stdout.contains(seeds::ALICE_PASSWORD));
    // The run stops there, too, before the first scenario.
    let run = authspec(folder, &["run", "--target", profile], variables);
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
}

/// No label of a name has 64 characters (RFC 1035 §2.3.4): no resolver is asked.
const UNRESOLVABLE: &str =
    "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid";

#[test]
fn the_doctor_names_what_is_wrong_and_its_cure() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server(Login::Password));
    let (folder, profile) = (folder.path(), filled_in(folder.path(), &server, FORM));
    let with = |name: &'static str, value: &'static str| [PASSWORD[0], (name, value)];
    let cases: [(&str, &str, &str, &str); 8] = [
        ("AUTHSPEC_ISSUER", UNRESOLVABLE, "name", "check the host of the issuer"),
        ("AUTHSPEC_ISSUER", "http://127.0.0.1:9", "connection", "check that the server is up"),
        ("AUTHSPEC_CLIENT_ID", "stranger", "client", "register the client, or correct id"),
        (
            "AUTHSPEC_REDIRECT_URI",
            "https://app.example.test/other",
            "redirect_uri",
            "register https://app.example.test/other",
        ),
        ("AUTHSPEC_USERNAME", "mallory", "login", "wrong password"),
        ("AUTHSPEC_SCOPE", "nonsense", "login", "set a scope that the client may ask for"),
        ("AUTHSPEC_RESOURCE__URL", "http://127.0.0.1:9/api", "resource", "no connection"),
        (
            "AUTHSPEC_ENDPOINTS__TOKEN_ENDPOINT",
            "http://127.0.0.1:9/token",
            "token",
            "no connection",
        ),
    ];
    for (name, value, item, said) in cases {
        is_bad(&profile, folder, &with(name, value), item, said);
    }
}

#[test]
fn a_server_without_metadata_needs_no_issuer() {
    let policy = Policy::with(Defect::MetadataMissing);
    let server = embedded::start(Config { policy, ..Config::default() }).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let issuer = server.issuer();
    let profile = format!(
        "[[clients]]\nid = {:?}\nredirect_uris = [{:?}]\nscope = \"openid profile\"\n{FORM}\n[endpoints]\nauthorization_endpoint = \"{issuer}/authorize\"\ntoken_endpoint = \"{issuer}/token\"\njwks_uri = \"{issuer}/jwks\"\n",
        seeds::WEB,
        seeds::WEB_REDIRECT_URI
    );
    std::fs::write(folder.path().join("p.toml"), profile).unwrap();
    walk(folder.path(), "p.toml", PASSWORD);
    let more = [
        PASSWORD[0],
        ("AUTHSPEC_INTROSPECTION__CLIENT_ID", "api"),
        ("AUTHSPEC_INTROSPECTION__CLIENT_SECRET", "env:AUTHSPEC_PASSWORD"),
    ];
    let doctor = authspec(folder.path(), &["doctor", "--target", "p.toml"], &more);
    let last = call::items(&doctor.stdout).pop().unwrap();
    let advice = "to find the introspection_endpoint: neither metadata nor profile names one";
    assert_eq!((doctor.code, last.mark, last.text), (0, "advice", advice), "{}", doctor.stdout);
    let run = ["run", "--target", "p.toml", "--tags", "@idtoken or @at or @authzresp"];
    let run = authspec(folder.path(), &run, PASSWORD);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("pass           authzresp.iss-identical"), "{}", run.stdout);
}

#[test]
fn every_value_tells_where_it_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let profile = "issuer = \"https://as.test\"\n[[clients]]\nid = \"web\"\nredirect_uris = [\"https://app.test/cb\"]\n";
    std::fs::write(folder.path().join("p.toml"), profile).unwrap();
    let arguments = ["config", "show", "--origin", "--target", "p.toml", "--scope", "openid email"];
    let variables = [("AUTHSPEC_PACE_MS", "7"), ("AUTHSPEC_PASSWORD", "hunter2hunter2")];
    let shown = authspec(folder.path(), &arguments, &variables);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    for (value, origin) in [
        ("issuer = \"https://as.test\"", "p.toml:1"),
        ("clients[0].id = \"web\"", "p.toml:3"),
        ("clients[0].scope = \"openid email\"", "option --scope"),
        ("pace_ms = 7", "environment AUTHSPEC_PACE_MS"),
        ("concurrency = 2", "default"),
    ] {
        let line = shown.stdout.lines().find(|line| line.starts_with(value)).unwrap_or(value);
        assert!(line.ends_with(&format!("# {origin}")), "{}", shown.stdout);
    }
    assert!(!shown.stdout.contains("hunter2"));
}

#[test]
fn the_published_schema_is_that_of_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let schema = authspec(folder.path(), &["config", "schema"], &[]);
    let published = std::fs::read_to_string("fixtures/targets/profile.schema.json").unwrap();
    assert_eq!(
        published, schema.stdout,
        "write it anew: authspec config schema > fixtures/targets/profile.schema.json"
    );
}

#[test]
fn every_key_is_listed_with_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let keys = authspec(folder.path(), &["config", "keys"], &[]);
    for (key, variable) in [
        ("clients[0].redirect_uris", "AUTHSPEC_CLIENTS__0__REDIRECT_URIS (words, or a TOML array)"),
        ("network.ca_file", "AUTHSPEC_NETWORK__CA_FILE (text)"),
        ("login.wallet.issuer_key", "AUTHSPEC_LOGIN__WALLET__ISSUER_KEY (text)"),
        ("pace_ms", "AUTHSPEC_PACE_MS (TOML value)"),
    ] {
        assert!(keys.stdout.contains(&format!("{key}\n    {variable}\n")), "{key}");
    }
    // A key without a description would be a riddle.
    assert!(!keys.stdout.contains("\n    \n"), "{}", keys.stdout);
}
