//! The page of a run in the system's Chromium: what script adds, what is there without it, and what a
//! hostile target cannot do. Needs Chromium by one of its usual names on `PATH` or named by `CHROMIUM`;
//! accessibility also axe-core, which `tests/browser_report/axe.sh` installs under `target/axe`, or the
//! file that `AUTHSPEC_AXE` names.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail at any line"
)]

mod chromium;
#[path = "../reports/hostile_server.rs"]
mod hostile_server;
#[path = "../reports/poisoned.rs"]
mod poisoned;
#[path = "../reports/sample.rs"]
mod sample;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use authspec::model::report::Report;
use authspec::report::Format;
use serde_json::{Value, json};

use self::chromium::Chromium;
use self::poisoned::{PAYLOADS, with};
use self::sample::sample;

/// One browser at a time: what is measured is the page, not the machine.
static TURN: Mutex<()> = Mutex::new(());

struct Opened {
    browser: Chromium,
    file: PathBuf,
    _folder: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Opened {
    /// A report as a file, with a browser that has not visited it.
    fn written(report: &Report) -> Self {
        let turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.html");
        std::fs::write(&file, Format::Html.render(report).unwrap()).unwrap();
        Self { browser: Chromium::start(), file, _folder: folder, _turn: turn }
    }

    fn at(report: &Report, fragment: &str) -> Self {
        let mut opened = Self::written(report);
        opened.visit(fragment);
        opened
    }

    fn visit(&mut self, fragment: &str) -> Duration {
        self.browser.visit(&self.file, fragment)
    }

    fn eval(&mut self, expression: &str) -> Value {
        self.browser.eval(expression)
    }

    /// Ids of the requirements that the list shows.
    fn shown(&mut self) -> Vec<String> {
        let listed = self.eval(
            "[...document.querySelectorAll('.req')].filter((e) => e.checkVisibility())\
             .map((e) => e.querySelector('summary code, .ref code').textContent)",
        );
        serde_json::from_value(listed).unwrap()
    }

    fn hash(&mut self) -> String {
        self.eval("location.hash").as_str().unwrap().to_owned()
    }
}

#[test]
fn filters_choose_and_stand_in_the_address() {
    let mut page = Opened::at(&sample(), "");
    assert_eq!(page.shown().len(), 7);
    assert_eq!(page.eval("document.getElementById('found').textContent"), "7 requirements");

    page.eval("document.querySelector('input[value=fail]').click()");
    assert_eq!(page.shown(), ["token.code-single-use"]);
    assert_eq!(page.hash(), "#?status=fail");
    assert_eq!(page.eval("document.getElementById('found').textContent"), "1 of 7 requirements");
    let lines =
        "[...document.querySelectorAll('#rows tr')].filter((e) => e.checkVisibility()).length";
    assert_eq!(page.eval(lines), 1);

    page.eval("document.querySelector('input[value=waived]').click()");
    assert_eq!(page.shown().len(), 2);

    page.eval("document.getElementById('clear').click()");
    assert_eq!((page.shown().len(), page.hash()), (7, String::new()));

    let choose = "const s = document.getElementById('by-level'); s.value = 'SHOULD'; \
                  s.dispatchEvent(new Event('input', { bubbles: true }))";
    page.eval(&format!("{{ {choose} }}"));
    assert_eq!(page.shown(), ["headers.hsts", "token.other"]);

    let search = "{ const s = document.getElementById('search'); s.value = ' HSTS '; \
                  s.dispatchEvent(new Event('input', { bubbles: true })) }";
    page.eval(search);
    assert_eq!(page.shown(), ["headers.hsts"]);
    assert_eq!(page.hash(), "#?level=SHOULD&q=HSTS");
    assert_eq!(page.eval("document.getElementById('found').getAttribute('role')"), "status");
}

#[test]
fn an_address_brings_filters_back() {
    let mut page = Opened::at(&sample(), "#?status=waived&status=pass&severity=high");
    assert_eq!(page.shown(), ["token.code-unknown"]);
    assert_eq!(page.eval("document.querySelectorAll('input:checked').length"), 2);
    assert_eq!(page.eval("document.getElementById('by-severity').value"), "high");
    // What it does not know is no reason to hide all.
    page.visit("#?severity=unheard-of&step=%3Cb%3E");
    assert_eq!(page.shown().len(), 7);
    // A link is followed while a filter is on, and keeps it.
    page.visit("#?status=pass");
    page.eval("document.querySelector('#rows a[href=\"#token.code-unknown\"]').click()");
    page.eval("new Promise((done) => setTimeout(done, 100))");
    assert_eq!(page.hash(), "#token.code-unknown?status=pass");
    assert_eq!(page.eval("document.getElementById('token.code-unknown').open"), true);
}

#[test]
fn links_open_what_they_lead_to() {
    let mut page = Opened::at(&sample(), "#token.code-unknown");
    assert_eq!(page.eval("document.getElementById('token.code-unknown').open"), true);
    let seen = "{ const r = document.getElementById('token.code-unknown').getBoundingClientRect(); r.top >= -1 && r.top < innerHeight }";
    assert_eq!(page.eval(seen), true);
    // A link to what a filter hides wins over the filter.
    page.visit("#token.code-unknown?status=fail");
    assert_eq!(page.shown().len(), 7);
    // From the finding to the exchange that shows it.
    page.visit("");
    let link = "document.querySelector('.finding .versus a')";
    page.eval(&format!(
        "document.querySelector('.finding .hit > details').open = false; {link}.click()"
    ));
    page.eval("new Promise((done) => setTimeout(done, 100))");
    assert_eq!(
        page.eval(&format!("document.getElementById({link}.hash.slice(1)).firstElementChild.open")),
        true
    );
    // From a step of the flow to its requirements.
    let step = page.eval("document.querySelector('svg.flow a').getAttribute('href')");
    assert_eq!(step, "#step-token");
}

#[test]
fn a_command_is_copied() {
    let mut page = Opened::at(&sample(), "#token.code-unknown");
    let open = "document.querySelectorAll('details').forEach((d) => { d.open = true })";
    page.eval(open);
    page.eval("new Promise((done) => setTimeout(done, 100))");
    let commands = page.eval("document.querySelectorAll('pre.c').length");
    assert_eq!(page.eval("document.querySelectorAll('button.copy + pre.c').length"), commands);
    page.eval("document.querySelector('button.copy').click()");
    page.eval("new Promise((done) => setTimeout(done, 200))");
    let said = page.eval("document.querySelector('button.copy').textContent");
    assert!(said == "Copied" || said == "Selected", "{said}");
}

#[test]
fn all_is_there_without_script() {
    let mut page = Opened::written(&sample());
    page.browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    page.visit("");
    assert_eq!(page.shown().len(), 7);
    assert_eq!(page.eval("document.getElementById('filter').checkVisibility()"), false);
    assert_eq!(page.eval("document.getElementById('theme').checkVisibility()"), false);
    // Things that open do so by themselves, and a fragment is found.
    page.eval("document.querySelector('.req summary').click()");
    assert_eq!(page.eval("document.querySelector('.req details').open"), true);
    for told in ["curl --include", "429 application/json", "identity team", "no scenario yet"] {
        let has = format!("document.body.textContent.includes({})", json!(told));
        assert_eq!(page.eval(&has), true, "{told}");
    }
    page.visit("#token.code-missing");
    assert_eq!(page.eval("document.querySelector(':target').id"), "token.code-missing");
}

const GROUND: &str = "getComputedStyle(document.body).backgroundColor";

#[test]
fn dark_by_preference_and_by_hand() {
    let mut page = Opened::written(&sample());
    page.browser.medium("", "dark");
    page.visit("");
    let dark = page.eval(GROUND);
    assert_eq!(dark, "rgb(15, 19, 24)");
    assert_eq!(page.eval("document.getElementById('theme').textContent"), "Light");
    page.eval("document.getElementById('theme').click()");
    assert_eq!(page.eval(GROUND), "rgb(255, 255, 255)");
    assert_eq!(page.hash(), "#?theme=light");
    page.browser.medium("", "light");
    page.visit("#?theme=dark");
    assert_eq!(page.eval(GROUND), dark);
}

#[test]
fn printed_findings_are_complete_and_controls_are_left_out() {
    let mut page = Opened::at(&sample(), "");
    page.eval("document.querySelectorAll('.finding > details').forEach((d) => { d.open = false })");
    page.browser.medium("print", "dark");
    for gone in ["#filter", "nav", "#theme", ".finding .link"] {
        assert_eq!(
            page.eval(&format!("document.querySelector('{gone}').checkVisibility()")),
            false,
            "{gone}"
        );
    }
    // An exchange of a failed scenario is printed though the scenario was closed.
    let steps = "document.querySelector('.finding .steps').getBoundingClientRect().height > 20";
    assert_eq!(page.eval(steps), true);
    assert_eq!(page.eval(GROUND), "rgb(255, 255, 255)");
    let printed = page.browser.call("Page.printToPDF", &json!({ "printBackground": true }));
    assert!(printed["data"].as_str().unwrap().len() > 10_000);
}

fn axe() -> String {
    #[expect(clippy::disallowed_methods, reason = "the library is whoever's runs the tests")]
    let named = std::env::var("AUTHSPEC_AXE").ok();
    let path = named.unwrap_or_else(|| "target/axe/node_modules/axe-core/axe.min.js".into());
    std::fs::read_to_string(&path).unwrap_or_else(|e| {
        panic!("axe-core is missing ({path}: {e}): run tests/browser_report/axe.sh, or name its file in AUTHSPEC_AXE")
    })
}

#[test]
fn axe_finds_no_violation() {
    let axe = axe();
    let mut page = Opened::written(&with(""));
    // The library is not ours: the policy of the page would keep it out.
    page.browser.call("Page.setBypassCSP", &json!({ "enabled": true }));
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")] {
        page.browser.window(width, 900);
        page.browser.medium("", scheme);
        page.visit("");
        for state in ["closed", "open"] {
            if state == "open" {
                // What is off the screen has no layout, and would seem to lie over its neighbours.
                page.eval(
                    "document.querySelectorAll('.req, main > section').forEach((e) => { e.style.contentVisibility = 'visible' })",
                );
                page.eval("document.querySelectorAll('details').forEach((d) => { d.open = true })");
                page.eval("new Promise((done) => setTimeout(done, 200))");
            }
            page.eval(&format!("{axe}; 0"));
            let run = "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })\
                       .then((r) => ({ passes: r.passes.length, found: r.violations.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target + ' ' + n.failureSummary).join(' | ')) }))";
            let result = page.eval(run);
            assert!(result["passes"].as_u64().unwrap() > 20, "{result}");
            assert_eq!(result["found"], json!([]), "{width} {scheme} {state}");
        }
        let overflow = page.eval("document.documentElement.scrollWidth - innerWidth");
        assert!(overflow.as_i64().unwrap() <= 0, "{width}: {overflow} pixels beyond the window");
    }
}

/// A report with so many exchanges of the usual size, none like another.
fn large(exchanges: usize) -> Report {
    let mut report = sample();
    let template =
        report.requirements.iter().find(|r| r.id == "token.code-unknown").unwrap().clone();
    let field = |n: usize| {
        (format!("x-header-of-some-length-{n}"), "a value of the usual length".repeat(2))
    };
    let mut made = 0;
    for number in 0.. {
        let mut requirement = template.clone();
        requirement.id = format!("load.number-{number}");
        let mut scenario = requirement.scenarios.remove(0);
        for part in 0..2 {
            scenario.name = format!("part {part}");
            for n in 1..=5 {
                let mut exchange = scenario.exchanges[n % 2].clone();
                (exchange.number, exchange.at_us) = (n, made as u64 * 1000);
                exchange.request_headers = (0..4).map(field).collect();
                exchange.response_headers = (0..8).map(field).collect();
                exchange.curl = format!("{} {}", exchange.curl, "--header 'x: y' ".repeat(20));
                scenario.exchanges.push(exchange);
                made += 1;
            }
            scenario.exchanges.drain(..scenario.exchanges.len() - 5);
            requirement.scenarios.push(scenario.clone());
        }
        report.requirements.push(requirement);
        if made >= exchanges {
            break;
        }
    }
    report
}

#[test]
fn five_thousand_exchanges_open_within_two_seconds() {
    let report = large(5000);
    let scenarios = report.requirements.iter().flat_map(|r| &r.scenarios);
    assert!(scenarios.map(|s| s.exchanges.len()).sum::<usize>() >= 5000);
    let mut page = Opened::written(&report);
    let size = std::fs::metadata(&page.file).unwrap().len();
    page.browser.call("Performance.enable", &json!({ "timeDomain": "threadTicks" }));
    // The best of some: others may use the machine.
    let took = (0..5).map(|_| page.visit("")).min().unwrap();
    let metrics = page.browser.call("Performance.getMetrics", &json!({}));
    let named = |m: &&Value| m["name"] == "TaskDuration";
    let cpu = metrics["metrics"].as_array().unwrap().iter().find(named).unwrap()["value"].clone();
    let told = format!(
        "5000 exchanges, {} kB: {} ms until all is loaded, of one visit {cpu} s of the page's own thread",
        size / 1024,
        took.as_millis()
    );
    println!("{told}");
    assert!(took < Duration::from_secs(2), "{told}; is the machine idle?");
    assert!(
        page.eval("document.querySelectorAll('pre.q, pre.w').length").as_u64().unwrap() >= 5000
    );
    // .. and a filter answers at once.
    let filter = "{ const t = performance.now(); document.querySelector('input[value=fail]').click(); \
                  document.body.offsetHeight; performance.now() - t }";
    let filtered = page.eval(filter).as_f64().unwrap();
    println!("a filter: {filtered:.0} ms");
    assert!(filtered < 1000.0, "{filtered} ms");
}

/// Opens all that can be opened, and fails where anything but the page itself did something.
fn assert_harmless(report: &Report, told: &str) {
    let mut page = Opened::at(report, "");
    page.eval("document.querySelectorAll('details').forEach((d) => { d.open = true })");
    page.eval("{ const s = document.getElementById('search'); s.value = 'a'; s.dispatchEvent(new Event('input', { bubbles: true })) }");
    page.eval("new Promise((done) => setTimeout(done, 100))");
    let injected = "document.querySelectorAll('img, iframe, object, embed, base, form, link, x-evil, [evil], [onerror], [onload], [onmouseover], a[href^=javascript]').length";
    assert_eq!(page.eval(injected), 0, "{told}");
    let assets = "document.scripts.length + document.querySelectorAll('style').length";
    assert_eq!(page.eval(assets), 2, "{told}");
    assert_eq!(page.browser.reported("Page.javascriptDialogOpening").len(), 0, "{told}");
    // Nothing was refused by the policy, for nothing was tried; nothing but the file was fetched.
    assert!(page.browser.reported("Page.loadEventFired").len() == 1, "{told}");
    for name in ["Log.entryAdded", "Runtime.exceptionThrown"] {
        assert_eq!(page.browser.reported(name), Vec::<&Value>::new(), "{told}");
    }
    assert_eq!(page.browser.reported("Network.requestWillBeSent").len(), 1, "{told}");
    assert_eq!(page.eval("typeof evil"), "undefined", "{told}");
    let title = page.eval("document.title");
    assert!(title.as_str().unwrap().starts_with("authspec: http"), "{title}");
}

#[test]
fn what_a_hostile_target_says_does_nothing() {
    for payload in PAYLOADS {
        assert_harmless(&with(payload), payload);
    }
}

#[test]
fn what_a_hostile_server_answered_does_nothing() {
    let (_, hostile) = hostile_server::audited();
    let text = Format::Html.render(&hostile).unwrap();
    assert!(text.matches("&lt;x-evil").count() > 100);
    assert_harmless(&hostile, "a hostile server");
}

#[test]
fn the_policy_keeps_foreign_script_out() {
    let mut page = Opened::at(&sample(), "");
    page.eval("{ const s = document.createElement('style'); s.textContent = 'body { display: none }'; document.head.append(s) }");
    assert_eq!(page.eval("document.body.checkVisibility()"), true);
    let blocked = "(() => { try { document.body.innerHTML = '<b>x</b>'; return false } catch { return true } })()";
    assert_eq!(page.eval(blocked), true);
}
