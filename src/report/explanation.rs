//! One requirement explained to a person at a terminal.

use std::fmt::Write as _;

use super::terminal::Colour;
use crate::model::explanation::{Example, Explanation, Proof};
use crate::model::report::ExchangeReport;
use crate::model::verdict::Status;

/// Column at which texts begin.
const INDENT: usize = 12;

/// Characters shown of one body or header field.
const MOST: usize = 600;

/// The explanation, wrapped at `width` columns.
pub fn explanation(explanation: &Explanation, width: usize, colour: Colour) -> String {
    let mut page = Page { out: String::new(), width: width.max(40), colour };
    page.facts(explanation);
    page.probe(explanation);
    page.example(explanation);
    page.remedies(explanation);
    page.out
}

struct Page {
    out: String,
    width: usize,
    colour: Colour,
}

impl Page {
    /// A text under a label, wrapped and aligned; nothing for an empty text.
    fn entry(&mut self, label: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let first = format!("{label:<INDENT$}");
        let rest = " ".repeat(INDENT);
        let options =
            textwrap::Options::new(self.width).initial_indent(&first).subsequent_indent(&rest);
        for line in textwrap::wrap(&plain(text), options) {
            let _ = writeln!(self.out, "{}", line.trim_end());
        }
    }

    fn heading(&mut self, status: Status, text: &str) {
        let painted = self.colour.paint(status, text);
        let _ = writeln!(self.out, "\n{painted}");
    }

    fn facts(&mut self, of: &Explanation) {
        let _ = writeln!(self.out, "{}", self.colour.strong(&of.id));
        self.entry("duty", &of.duty);
        self.entry("level", of.level.as_str());
        self.entry("severity", of.severity.as_str());
        self.entry("impact", &format!("{}: {}", of.impact.as_str(), of.impact.meaning()));
        let cwe: Vec<String> = of.cwe.iter().map(|number| format!("CWE-{number}")).collect();
        self.entry("weakness", &cwe.join(", "));
        self.entry("sources", &of.sources.join(", "));
        self.entry("", of.url.as_deref().unwrap_or_default());
        self.entry("applies", &of.applies);
        self.entry("attack", &of.attack);
    }

    fn probe(&mut self, of: &Explanation) {
        self.entry("probe", &of.probe);
        if let Some(reason) = &of.untested {
            self.entry("untested", reason);
        }
        let Some(gherkin) = &of.gherkin else { return };
        let place = format!("{}:{}", gherkin.feature, gherkin.line);
        self.entry("scenarios", &place);
        for line in gherkin.text.lines() {
            // Tables keep their columns, so these lines are not wrapped.
            let _ = writeln!(self.out, "{}{line}", if line.is_empty() { "" } else { "  " });
        }
    }

    fn example(&mut self, of: &Explanation) {
        if let Some(reason) = &of.no_example {
            self.entry("example", &format!("none: {reason}"));
        }
        let Some(example) = &of.example else { return };
        self.heading(Status::Pass, "good exchange, of the conformant reference server");
        if let Some(good) = &example.good {
            self.exchange(good);
        }
        self.entry("note", example.note.as_deref().unwrap_or_default());
        let Example { defect, scenario, expected, actual, bad, .. } = example;
        self.heading(Status::Fail, &format!("bad exchange, of the reference server with {defect}"));
        self.exchange(bad);
        self.entry("scenario", scenario);
        self.entry("expected", expected);
        self.entry("actual", actual);
        self.out.push('\n');
    }

    fn exchange(&mut self, exchange: &ExchangeReport) {
        self.entry("request", &cut(&exchange.request_line));
        for (name, value) in exchange.request_headers.iter().filter(|(name, _)| tells(name)) {
            self.entry("", &cut(&format!("{name}: {value}")));
        }
        self.entry("", &cut(&exchange.request_body));
        match (exchange.status, &exchange.failure) {
            (Some(status), _) => self.entry("answer", &status.to_string()),
            (None, Some(failure)) => self.entry("answer", &format!("none: {failure}")),
            (None, None) => self.entry("answer", "none"),
        }
        for (name, value) in exchange.response_headers.iter().filter(|(name, _)| tells(name)) {
            self.entry("", &cut(&format!("{name}: {value}")));
        }
        self.entry("", &cut(&exchange.response_body));
    }

    fn remedies(&mut self, of: &Explanation) {
        self.entry("accepted", &of.accepts);
        self.entry("fix", &of.fix);
        for (index, hint) in of.servers.iter().enumerate() {
            let label = if index == 0 { "servers" } else { "" };
            self.entry(label, &format!("{}: {} ({})", hint.server, hint.hint, hint.source));
        }
        for (index, proof) in of.defects.iter().enumerate() {
            self.entry(if index == 0 { "proven by" } else { "" }, &line(proof));
        }
    }
}

fn line(proof: &Proof) -> String {
    let mut text = format!("{}: {}", proof.name, proof.description);
    if !proof.known_as.is_empty() {
        let _ = write!(text, "; {}", proof.known_as.join(", "));
    }
    for flaw in &proof.flaws {
        let _ = write!(text, "; known flaw: {flaw}");
    }
    text
}

/// Header fields that only carry the message, and never the duty.
fn tells(name: &str) -> bool {
    let dull = ["host", "content-length", "connection", "date", "user-agent", "accept"];
    !dull.iter().any(|n| name.eq_ignore_ascii_case(n))
}

/// One line without control characters: a server must not move the cursor or change colours.
fn plain(text: &str) -> String {
    let words = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    words.trim().to_owned()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text.to_owned(),
    }
}
