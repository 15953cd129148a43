//! Bundles: what was made verifies, and whatever is changed is found.

use std::process::{Command, Output};

use authspec::bundle::{Contents, PublicKey, Signer, SigningKey, Verification, make, verify};
use authspec::report::Format;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::sample::sample;

/// P-256 in PKCS #8; a throw-away.
const P256: &str = include_str!("../../fixtures/keys/attacker-ec.pem");

/// Ed25519 in PKCS #8 version 1, as openssl writes it (RFC 8410 §7).
fn ed25519(seed: u8) -> String {
    let der =
        [&b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20"[..], &[seed; 32]]
            .concat();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
}

fn bundle(key: Option<&SigningKey>) -> Vec<u8> {
    let report = sample();
    let contents = Contents {
        report: &report,
        run: Format::Json.render(&report).unwrap().into_bytes(),
        rendered: vec![("report.html".into(), b"<p>a page</p>".repeat(900))],
        waivers: Some(b"# none\n".to_vec()),
    };
    make(contents, key).unwrap()
}

fn findings(bundle: &[u8]) -> String {
    verify(bundle, None).findings.join("\n")
}

#[test]
fn a_bundle_verifies_by_either_kind_of_key_and_by_no_other() {
    let other = SigningKey::read(&ed25519(9)).unwrap().public();
    for pem in [ed25519(7), P256.to_owned()] {
        let key = SigningKey::read(&pem).unwrap();
        let bundle = bundle(Some(&key));
        let found = verify(&bundle, Some(&key.public()));
        assert_eq!((found.is_intact(), &found.signer), (true, &Signer::Given(key.public().id())));
        assert!(found.exchanges > 0 && found.files >= 7, "{found:?}");
        assert_eq!(verify(&bundle, None).signer, Signer::Embedded(key.public().id()));
        let wrong = verify(&bundle, Some(&other));
        assert!(wrong.findings[0].contains("no signature of the key"), "{wrong:?}");
        // The key itself is nowhere, neither as it was given nor as octets.
        let secret: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
        let der = STANDARD.decode(&secret).unwrap();
        for part in [secret.as_bytes(), &der[16..48]] {
            assert!(!bundle.windows(part.len()).any(|octets| octets == part));
        }
    }
}

#[test]
fn an_unsigned_bundle_is_intact_and_signed_by_nobody() {
    let found = verify(&bundle(None), None);
    assert_eq!((found.is_intact(), found.signer), (true, Signer::Nobody));
    assert_eq!(bundle(None), bundle(None), "the same run makes the same bundle");
    let key = SigningKey::read(&ed25519(7)).unwrap().public();
    assert!(!verify(&bundle(None), Some(&key)).is_intact());
}

#[test]
fn what_is_no_key_is_refused_and_not_repeated() {
    for pem in
        ["", "hunter2", "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----"]
    {
        let why = SigningKey::read(pem).err().unwrap();
        assert!(
            why.contains("openssl genpkey")
                && !why.contains("aHVudGVy")
                && !why.contains("hunter2")
        );
        assert!(PublicKey::read(pem).is_err());
    }
}

#[test]
fn a_private_key_among_the_files_is_refused() {
    let report = sample();
    let waivers = Some(ed25519(1).into_bytes());
    let contents = Contents { report: &report, run: vec![], rendered: vec![], waivers };
    assert!(make(contents, None).unwrap_err().contains("waivers.toml holds a private key"));
}

#[test]
fn a_bundle_of_another_run_under_the_same_names_is_found() {
    let key = SigningKey::read(&ed25519(7)).unwrap();
    let mut report = sample();
    report.gate.passed = !report.gate.passed;
    let run = Format::Json.render(&sample()).unwrap().into_bytes();
    let contents = Contents { report: &report, run, rendered: vec![], waivers: None };
    let found = verify(&make(contents, Some(&key)).unwrap(), Some(&key.public()));
    assert!(
        found.findings.join("\n").contains("attestation.json does not say what run.json says"),
        "{found:?}"
    );
}

#[test]
fn where_a_file_was_changed_is_told() {
    let whole = bundle(None);
    let name = b"rendered/report.html";
    // The manifest names it, too; its own header begins 30 octets before.
    let mut named = (30..whole.len()).filter(|at| whole[*at..].starts_with(name));
    let header = named.find(|at| whole[at - 30..].starts_with(b"PK\x03\x04")).unwrap();
    let mut changed = whole.clone();
    changed[header + name.len() + 20] ^= 0x10;
    let text = findings(&changed);
    assert!(
        text.contains("report.html was changed")
            || text.contains("packing of rendered/report.html"),
        "{text}"
    );
    let place = format!("octets {} to", header + name.len());
    assert!(text.contains(&place), "{text} {place}");
}

#[test]
fn cut_and_lengthened_bundles_are_found() {
    let whole = bundle(None);
    for length in [1, 10, whole.len() / 2, whole.len() - 1] {
        assert!(findings(&whole[..length]).contains("of the bundle"), "{length}");
    }
    assert!(findings(&[&whole[..], b"\n"].concat()).contains("after the end"));
    assert!(findings(&[b"x", &whole[..]].concat()).contains("at octet 0"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_changed_octet_is_found_wherever_it_is(position in any::<prop::sample::Index>(), bits in 1u8.., is_signed: bool) {
        thread_local! {
            static BUNDLES: [Vec<u8>; 2] = [bundle(None), bundle(Some(&SigningKey::read(&ed25519(7)).unwrap()))];
        }
        let mut changed = BUNDLES.with(|bundles| bundles[usize::from(is_signed)].clone());
        let at = position.index(changed.len());
        changed[at] ^= bits;
        let Verification { findings, .. } = verify(&changed, None);
        prop_assert!(!findings.is_empty(), "octet {at}");
    }

    #[test]
    fn no_octets_make_it_panic(octets: Vec<u8>, position in any::<prop::sample::Index>()) {
        let mut whole = bundle(None);
        let at = position.index(whole.len());
        whole.splice(at.., octets.clone());
        let _ = verify(&whole, None);
        prop_assert!(!verify(&octets, None).is_intact());
    }
}

fn authspec(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_authspec")).args(arguments).output().unwrap()
}

#[test]
fn the_commands_make_and_check_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let key = SigningKey::read(&ed25519(7)).unwrap();
    std::fs::write(at("run.json"), Format::Json.render(&sample()).unwrap()).unwrap();
    std::fs::write(at("key.pem"), ed25519(7)).unwrap();
    let made =
        authspec(&["bundle", &at("run.json"), "--key", &at("key.pem"), "--output", &at("b.zip")]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert!(String::from_utf8_lossy(&made.stdout).contains(&key.public().id()));
    let checked = authspec(&["verify", &at("b.zip")]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    assert!(said.contains("CAME WITH THE BUNDLE") && said.contains("verdict   intact"), "{said}");
    let mut octets = std::fs::read(at("b.zip")).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    std::fs::write(at("c.zip"), octets).unwrap();
    let checked = authspec(&["verify", &at("c.zip")]);
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    assert!(String::from_utf8_lossy(&checked.stdout).contains("changed   "));
    for unreadable in [&at("none.zip"), &at("run.json")] {
        assert_eq!(authspec(&["verify", unreadable]).status.code(), Some(2));
    }
}
