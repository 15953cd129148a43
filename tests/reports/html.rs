//! The page for people: what it may contain, and what a hostile target cannot make of it.

use std::collections::{BTreeMap, BTreeSet};

use authspec::model::report::{Part, Report};
use authspec::report::Format;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::page::{Page, parse};
use super::poisoned::{FOREIGN, PAYLOADS, with};
use super::sample::sample;

fn page(report: &Report) -> Page {
    parse(&Format::Html.render(report).unwrap())
}

/// Tags and names of attributes in order. A label of a picture has a second part where there is room.
fn shape(page: &Page) -> Vec<String> {
    page.tags.iter().filter(|tag| tag.name != "tspan").map(|tag| tag.shape()).collect()
}

#[test]
fn nothing_that_a_target_says_is_markup() {
    let expected = shape(&page(&sample()));
    for payload in PAYLOADS {
        let found = page(&with(payload));
        assert_eq!(shape(&found), expected, "{payload}");
        assert_eq!(found.comments, 0);
        if !payload.contains('\0') {
            assert!(found.text.matches(payload).count() > FOREIGN.len(), "{payload} is not shown");
        }
    }
}

#[test]
fn what_hides_in_an_answer_is_seen() {
    let html = Format::Html.render(&with("\u{202e}\u{200b}\u{1b}[31m\r\u{85}\0")).unwrap();
    assert!(html.contains("\\u{202e}\\u{200b}␛[31m␍\\u{85}␀"));
    let hidden = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
    assert!(!html.contains(hidden));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_text_becomes_markup(payload in "[<>\"'&=/!a-z \\-\\]\\[#;\u{0}\u{202e}\u{1b}\n]{1,40}|\\PC{1,20}") {
        // What is empty after all leaves a part of the page out.
        let found = page(&with(&payload));
        prop_assert_eq!(shape(&found), shape(&page(&sample())));
        prop_assert_eq!(found.comments, 0);
    }
}

#[test]
fn ids_and_steps_of_a_strange_run_stay_text_too() {
    let mut report = sample();
    for requirement in &mut report.requirements {
        requirement.id = "\"><b> x".into();
        requirement.step = "\"><i>\u{202e}".into();
        requirement.url = Some("javascript:alert(1)".into());
    }
    let found = page(&report);
    assert!(
        !found
            .tags
            .iter()
            .any(|tag| tag.name == "i" || tag.attribute("href") == Some("javascript:alert(1)"))
    );
    anchors_resolve(&found);
}

fn anchors_resolve(page: &Page) {
    let mut ids = BTreeSet::new();
    for id in page.tags.iter().filter_map(|tag| tag.attribute("id")) {
        assert!(ids.insert(id), "{id} stands twice");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/~".contains(c);
        assert!(id.chars().all(is_plain), "{id}");
    }
    for tag in &page.tags {
        for name in ["href", "for", "aria-labelledby"] {
            for word in tag.attribute(name).unwrap_or_default().split(' ').filter(|w| !w.is_empty())
            {
                let target = match name {
                    "href" => word.strip_prefix('#'),
                    _ => Some(word),
                };
                assert!(target.is_none_or(|t| ids.contains(t)), "{word} leads nowhere");
            }
        }
    }
}

#[test]
fn anchors_are_unique_and_lead_somewhere() {
    let found = page(&sample());
    anchors_resolve(&found);
    let links: Vec<&str> = found.tags.iter().filter_map(|tag| tag.attribute("href")).collect();
    assert!(links.contains(&"#token.code-single-use"));
    for link in links {
        assert!(link.starts_with('#') || link.starts_with("https://"), "{link}");
    }
}

#[test]
fn an_anchor_outlives_the_run() {
    let ids = |report: &Report| -> Vec<String> {
        let found = page(report);
        found.tags.iter().filter_map(|tag| tag.attribute("id")).map(str::to_owned).collect()
    };
    let mut later = sample();
    later.requirements.reverse();
    for scenario in later.requirements.iter_mut().flat_map(|r| &mut r.scenarios) {
        scenario.line += 7;
        scenario.at_us += 99;
    }
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(ids(&later)), sorted(ids(&sample())));
}

#[test]
fn the_policy_names_our_style_and_script_and_forbids_all_else() {
    let found = page(&sample());
    let policy = found
        .tags
        .iter()
        .find(|tag| tag.attribute("http-equiv") == Some("Content-Security-Policy"));
    let policy = policy.unwrap().attribute("content").unwrap();
    let directives: BTreeMap<&str, &str> =
        policy.split("; ").filter_map(|directive| directive.split_once(' ')).collect();
    let digest =
        |asset: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(&found.assets[asset])));
    let expected = BTreeMap::from([
        ("default-src", "'none'".to_owned()),
        ("style-src", digest("style")),
        ("script-src", digest("script")),
        ("base-uri", "'none'".to_owned()),
        ("form-action", "'none'".to_owned()),
        ("require-trusted-types-for", "'script'".to_owned()),
        ("trusted-types", "'none'".to_owned()),
    ]);
    assert_eq!(directives.len(), expected.len());
    for (name, value) in &expected {
        assert_eq!(directives.get(name), Some(&value.as_str()), "{name}");
    }
    // It stands before all that it governs.
    let at = |wanted: &str| found.tags.iter().position(|tag| tag.name == wanted).unwrap();
    assert!(
        found.tags.iter().position(|tag| tag.attribute("http-equiv").is_some()).unwrap()
            < at("style")
    );
}

#[test]
fn the_page_needs_nobody_else() {
    let found = page(&sample());
    for tag in &found.tags {
        let is_foreign =
            ["link", "img", "iframe", "object", "embed", "base", "form", "audio", "video", "use"];
        assert!(!is_foreign.contains(&tag.name.as_str()), "{tag:?}");
        for (name, value) in &tag.attributes {
            assert!(!name.starts_with("on"), "{tag:?}");
            assert!(
                !["src", "srcset", "style", "action", "xlink:href"].contains(&name.as_str()),
                "{tag:?}"
            );
            assert!(!value.contains("javascript:"), "{tag:?}");
        }
    }
    for name in ["style", "script"] {
        let asset = &found.assets[name];
        assert_eq!(found.tags.iter().filter(|tag| tag.name == name).count(), 1);
        for word in ["http:", "https:", "url(", "@import", "innerHTML", "eval(", "</", "<!--", "\r"]
        {
            assert!(!asset.contains(word), "{name} has {word}");
        }
    }
}

#[test]
fn the_page_shows_every_status_with_a_word_and_every_finding_first() {
    let html = Format::Html.render(&sample()).unwrap();
    let place = |word: &str| html.find(word).unwrap_or_else(|| panic!("{word} is missing"));
    let order = [
        "<h2 id=\"findings-title\"",
        "id=\"token.code-single-use\"",
        "id=\"headers.hsts\"",
        "id=\"token.code-missing\"",
        "<h2 id=\"coverage-title\"",
        "id=\"cors.preflight\"",
        "<h2 id=\"matrix-title\"",
        "<h2 id=\"unjudged-title\"",
        "<h2 id=\"latency-title\"",
        "<h2 id=\"target-title\"",
    ];
    assert!(order.windows(2).all(|pair| place(pair[0]) < place(pair[1])));
    let text = parse(&html).text;
    for word in ["fail", "waived", "warn", "inconclusive", "pass", "not applicable", "untested"] {
        assert!(text.contains(word), "{word}");
    }
    for told in ["identity team", "no scenario yet", "lower concurrency", "winners of 8", "CWE-294"]
    {
        assert!(text.contains(told), "{told}");
    }
}

#[test]
fn a_run_that_is_not_whole_says_so() {
    let text = |report: &Report| page(report).text;
    assert!(!text(&sample()).contains("Interrupted"));
    let part = Part { index: 2, of: 3, plan: "a".repeat(64) };
    let broken = Report { interrupted: true, part: Some(part), ..sample() };
    assert!(text(&broken).contains("Interrupted: what had not begun is inconclusive"));
    assert!(text(&broken).contains("Part 2 of 3: no verdict on the whole run"));
}

#[test]
fn headings_descend_by_one() {
    let found = page(&sample());
    let levels = found.tags.iter().filter_map(|tag| {
        let digit = tag.name.strip_prefix('h')?;
        digit.parse::<u8>().ok()
    });
    let levels: Vec<u8> = levels.collect();
    assert_eq!((levels[0], levels.iter().filter(|level| **level == 1).count()), (1, 1));
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
}

#[test]
fn tables_pictures_and_controls_have_names() {
    let found = page(&sample());
    let count = |name: &str| found.tags.iter().filter(|tag| tag.name == name).count();
    assert_eq!(count("caption"), count("table"));
    assert!(
        found
            .tags
            .iter()
            .filter(|tag| tag.name == "th")
            .all(|tag| tag.attribute("scope").is_some())
    );
    for tag in found.tags.iter().filter(|tag| tag.name == "svg") {
        let named = ["aria-label", "aria-labelledby", "aria-hidden"];
        assert!(named.iter().any(|name| tag.attribute(name).is_some()), "{tag:?}");
    }
    let html = found.tags.iter().find(|tag| tag.name == "html").unwrap();
    assert_eq!(html.attribute("lang"), Some("en"));
}

#[test]
fn an_empty_run_is_a_page_too() {
    let report = Report {
        requirements: vec![],
        preflight: vec![],
        snapshots: vec![],
        facts: vec![],
        counts: BTreeMap::new(),
        ..sample()
    };
    let found = page(&report);
    anchors_resolve(&found);
    assert!(found.text.contains("0 requirements"));
}
