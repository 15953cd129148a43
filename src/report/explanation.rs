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
        let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
        for line in textwrap::wrap(&plain(text), options) {
            let _ = writeln!(self.out, "{}", line.trim_end());
        }
    }

    /// An address on a line of its own, in one piece.
    fn address(&mut self, address: &str) {
        if !address.is_empty() {
            let _ = writeln!(self.out, "{:INDENT$}{}", "", plain(address));
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
        self.address(of.url.as_deref().unwrap_or_default());
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
        self.heading(Status::Pass, "good: the conformant reference server");
        if let Some(good) = &example.good {
            self.exchange(good);
        }
        self.entry("note", example.note.as_deref().unwrap_or_default());
        let Example { defect, scenario, expected, actual, bad, .. } = example;
        self.heading(Status::Fail, &format!("bad: the reference server with {defect}"));
        self.exchange(bad);
        self.entry("scenario", scenario);
        self.entry("expected", expected);
        self.entry("actual", actual);
        self.out.push('\n');
    }

    fn exchange(&mut self, exchange: &ExchangeReport) {
        self.entry("exchange", &exchange.number.to_string());
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
            self.entry(label, &format!("{}: {}", hint.server, hint.hint));
            self.address(&hint.source);
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
    let dull = [
        "host",
        "content-length",
        "connection",
        "date",
        "user-agent",
        "accept",
        "traceparent",
        "x-request-id",
    ];
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::hint::Hint;
    use crate::model::requirement::{Impact, Level, Severity};

    fn sample() -> Explanation {
        Explanation {
            id: "token.code-single-use".into(),
            level: Level::Must,
            severity: Severity::Critical,
            impact: Impact::StateChanging,
            cwe: vec![294],
            step: "token".into(),
            duty: "A code buys tokens only once, whoever asks and however often he asks.".into(),
            sources: vec!["RFC 6749 §4.1.2".into()],
            url: Some("https://www.rfc-editor.org/rfc/rfc6749.html#section-4.1.2".into()),
            applies: "always".into(),
            attack: "A code from a log is redeemed again.".into(),
            probe: "Repeat the request.".into(),
            gherkin: None,
            accepts: "Any refusal.".into(),
            fix: "Mark the code as used.".into(),
            servers: vec![Hint {
                server: "Example".into(),
                requirements: vec!["token".into()],
                hint: "Set one_time = true.".into(),
                source: "https://example.test/docs".into(),
            }],
            defects: vec![Proof {
                name: "CodeReusable",
                description: "a code may be redeemed again",
                known_as: &["CVE-0000-0001"],
                flaws: vec![],
            }],
            untested: None,
            example: None,
            no_example: Some("nothing to show".into()),
        }
    }

    #[test]
    fn texts_are_wrapped_and_aligned() {
        let page = explanation(&sample(), 50, Colour::Off);
        let lines: Vec<&str> = page.lines().collect();
        assert_eq!(lines[0], "token.code-single-use");
        assert_eq!(lines[1], "duty        A code buys tokens only once, whoever");
        assert_eq!(lines[2], "            asks and however often he asks.");
        let is_address = |line: &&str| line.trim().starts_with("https://");
        let texts = lines.iter().filter(|line| !is_address(line));
        assert!(texts.clone().all(|line| line.chars().count() <= 50), "{page}");
        for told in ["weakness    CWE-294", "example     none: nothing to show", "CVE-0000-0001"] {
            assert!(page.contains(told), "{page}");
        }
    }

    #[test]
    fn what_a_server_sent_moves_no_cursor() {
        let mut hostile = sample();
        hostile.no_example = Some("\u{1b}[2Jgone\r\nnext".into());
        let page = explanation(&hostile, 80, Colour::Off);
        assert!(!page.contains('\u{1b}') && !page.contains('\r'), "{page}");
    }

    #[test]
    fn the_id_is_emphasised_where_colour_is_allowed() {
        assert!(explanation(&sample(), 80, Colour::On).starts_with("\u{1b}[1mtoken.code"));
    }
}
