//! No defect spoils the flow of the web client, so that each can be attributed.

use crate::support::{Browser, start, text};
use reference_server::{Defect, Policy, seeds};

#[tokio::test]
async fn the_web_flow_works_with_every_defect() {
    let mut spoilt = Vec::new();
    for defect in Defect::ALL {
        let server = start(Policy::with(*defect));
        let mut browser = Browser::new(&server);
        let response = browser.flow(seeds::WEB, seeds::WEB_REDIRECT_URI).await;
        let (status, tokens) = match response.get("code") {
            Some(code) => browser.redeem(seeds::WEB, seeds::WEB_REDIRECT_URI, code).await,
            None => (0, serde_json::Value::Null),
        };
        if status != 200 || response.get("state").map(String::as_str) != Some("a-State_value") {
            spoilt.push(defect.name());
            continue;
        }
        if !matches!(defect, Defect::ValidTokenRefused) {
            assert_eq!(
                browser.get("/api/profile", text(&tokens, "access_token")).await,
                200,
                "{defect}"
            );
        }
    }
    assert_eq!(spoilt, Vec::<&str>::new());
}

/// The policy names every defect beyond its import, and nobody else names any.
#[test]
fn only_the_policy_names_defects() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |folder: &str| -> String {
        let files =
            std::fs::read_dir(source.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        files
            .filter(|path| path.is_file())
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect()
    };
    let words = |text: String| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect()
    };
    let (policy, handlers) = (words(read("policy")), words(read("endpoints")));
    for defect in Defect::ALL {
        assert!(
            policy.iter().filter(|word| *word == defect.name()).count() >= 2,
            "{defect} does nothing"
        );
        assert!(!handlers.iter().any(|word| word == defect.name()), "a handler knows {defect}");
    }
}
