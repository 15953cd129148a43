//! Readers of a report. Each is a function of it alone and sees nothing else.

pub mod diff;
mod distinct;
mod escape;
pub mod explanation;
mod finding;
mod gitlab;
mod har;
mod html;
mod json;
mod junit;
mod latency;
mod markdown;
mod matrix;
mod messages;
mod moment;
mod otlp;
pub mod prometheus;
mod sarif;
pub mod store;
pub mod targets;
pub mod terminal;
mod wire;

use crate::model::report::Report;

/// A form in which a run is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The lossless one, from which all others are drawn.
    Json,
    /// One page for people, self-contained.
    Html,
    /// JUnit XML, a case a requirement.
    Junit,
    /// SARIF 2.1.0 for code scanning.
    Sarif,
    /// A summary in Markdown.
    Markdown,
    /// The matrix of requirements.
    Csv,
    /// The exchanges as an HTTP Archive.
    Har,
    /// Cucumber Messages, a line each.
    Messages,
    /// GitLab's security report for DAST.
    GitlabDast,
    /// Metrics for the textfile collector of Prometheus.
    Prometheus,
    /// Spans and metrics of OpenTelemetry (OTLP), a line of JSON each.
    Otlp,
}

impl Format {
    /// Every form.
    pub const ALL: &[Self] = &[
        Self::Json,
        Self::Html,
        Self::Junit,
        Self::Sarif,
        Self::Markdown,
        Self::Csv,
        Self::Har,
        Self::Messages,
        Self::GitlabDast,
        Self::Prometheus,
        Self::Otlp,
    ];

    /// The forms that a run writes where nothing else is asked for.
    pub const USUAL: &[Self] =
        &[Self::Json, Self::Html, Self::Junit, Self::Sarif, Self::Markdown, Self::Csv];

    /// Its name as an option value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
            Self::Har => "har",
            Self::Messages => "messages",
            Self::GitlabDast => "gitlab-dast",
            Self::Prometheus => "prometheus",
            Self::Otlp => "otlp",
        }
    }

    /// Its file in the folder of a run.
    pub fn file(self) -> &'static str {
        match self {
            Self::Json => "run.json",
            Self::Html => "report.html",
            Self::Junit => "junit.xml",
            Self::Sarif => "authspec.sarif",
            Self::Markdown => "summary.md",
            Self::Csv => "matrix.csv",
            Self::Har => "exchanges.har",
            Self::Messages => "messages.ndjson",
            Self::GitlabDast => "gl-dast-report.json",
            Self::Prometheus => "metrics.prom",
            Self::Otlp => "otlp.jsonl",
        }
    }

    /// The report in this form.
    ///
    /// The error says what cannot be written in it; it is our own fault.
    pub fn render(self, report: &Report) -> Result<String, String> {
        match self {
            Self::Json => json::render(report),
            Self::Html => Ok(html::render(report)),
            Self::Junit => junit::render(report),
            Self::Sarif => sarif::render(report),
            Self::Markdown => Ok(markdown::render(report)),
            Self::Csv => matrix::render(report),
            Self::Har => har::render(report),
            Self::Messages => messages::render(report),
            Self::GitlabDast => gitlab::render(report),
            Self::Prometheus => prometheus::render(report),
            Self::Otlp => otlp::render(report),
        }
    }
}
