//! What ran, as Gherkin documents and pickles.

use serde_json::{Value, json};

use crate::model::report::{Report, RequirementReport, ScenarioReport, StepReport};
use crate::report::finding::{absence, one_line};

/// The document of duties that no scenario stands for.
const WITHOUT_SCENARIO: &str = "features/requirements";

/// Numbers that are used once.
#[derive(Default)]
pub(super) struct Ids(usize);

impl Ids {
    fn next(&mut self) -> String {
        self.0 += 1;
        self.0.to_string()
    }
}

/// One feature.
pub(super) struct Document<'a> {
    /// Path of its file.
    pub uri: String,
    rules: Vec<Rule<'a>>,
}

struct Rule<'a> {
    id: String,
    tag: String,
    requirement: &'a RequirementReport,
    cases: Vec<Case<'a>>,
}

/// One scenario.
pub(super) struct Case<'a> {
    /// Id of its pickle, from which the others follow.
    pub id: String,
    tag: String,
    /// The duty that it bears on.
    pub requirement: &'a RequirementReport,
    /// Absent for a duty without one.
    pub scenario: Option<&'a ScenarioReport>,
    /// Its steps, at least one.
    pub steps: Vec<Step<'a>>,
}

/// One step.
pub(super) struct Step<'a> {
    id: String,
    keyword: String,
    text: String,
    line: usize,
    /// Absent where the report has none and the text is the reason.
    pub report: Option<&'a StepReport>,
}

impl Step<'_> {
    pub(super) fn pickle_step(&self) -> String {
        format!("{}-pickle", self.id)
    }

    pub(super) fn test_step(&self) -> String {
        format!("{}-test", self.id)
    }
}

/// The documents of a report, by file.
pub(super) fn documents<'a>(report: &'a Report, ids: &mut Ids) -> Vec<Document<'a>> {
    let mut documents: Vec<Document<'a>> = Vec::new();
    for requirement in &report.requirements {
        if requirement.scenarios.is_empty() {
            add(&mut documents, WITHOUT_SCENARIO, requirement, None, ids);
        }
        for scenario in &requirement.scenarios {
            add(&mut documents, &scenario.feature, requirement, Some(scenario), ids);
        }
    }
    documents
}

fn add<'a>(
    documents: &mut Vec<Document<'a>>,
    uri: &str,
    requirement: &'a RequirementReport,
    scenario: Option<&'a ScenarioReport>,
    ids: &mut Ids,
) {
    let at = documents.iter().position(|d| d.uri == uri).unwrap_or_else(|| {
        documents.push(Document { uri: uri.to_owned(), rules: Vec::new() });
        documents.len() - 1
    });
    let rules = &mut documents[at].rules;
    let at = rules.iter().position(|r| r.requirement.id == requirement.id).unwrap_or_else(|| {
        rules.push(Rule { id: ids.next(), tag: ids.next(), requirement, cases: Vec::new() });
        rules.len() - 1
    });
    let rule = &mut rules[at];
    let steps = steps(requirement, scenario, ids);
    rule.cases.push(Case { id: ids.next(), tag: rule.tag.clone(), requirement, scenario, steps });
}

fn steps<'a>(
    requirement: &RequirementReport,
    scenario: Option<&'a ScenarioReport>,
    ids: &mut Ids,
) -> Vec<Step<'a>> {
    let recorded = scenario.map(|s| s.steps.as_slice()).unwrap_or_default();
    let mut steps: Vec<Step<'a>> = recorded
        .iter()
        .map(|step| Step {
            id: ids.next(),
            keyword: format!("{} ", step.keyword),
            text: one_line(&step.text),
            line: step.line,
            report: Some(step),
        })
        .collect();
    if steps.is_empty() {
        let reason = scenario.and_then(|s| s.reason.clone());
        let text = one_line(&reason.unwrap_or_else(|| absence(requirement)));
        let (id, keyword) = (ids.next(), "* ".to_owned());
        steps.push(Step { id, keyword, text, line: 1, report: None });
    }
    steps
}

impl Document<'_> {
    /// Its scenarios.
    pub(super) fn cases(&self) -> impl Iterator<Item = &Case<'_>> {
        self.rules.iter().flat_map(|rule| &rule.cases)
    }

    /// It as Gherkin's syntax tree.
    pub(super) fn gherkin(&self) -> Value {
        let topic = self.uri.rsplit('/').next().unwrap_or_default();
        let name = match self.uri.as_str() {
            WITHOUT_SCENARIO => "Duties without a scenario in this run".to_owned(),
            _ => topic.trim_end_matches(".feature").replace('_', " "),
        };
        json!({
            "uri": self.uri,
            "comments": [],
            "feature": {
                "location": line(1),
                "tags": [],
                "language": "en",
                "keyword": "Feature",
                "name": name,
                "description": "",
                "children": self.rules.iter().map(Rule::gherkin).collect::<Value>(),
            },
        })
    }
}

impl Rule<'_> {
    fn gherkin(&self) -> Value {
        let requirement = self.requirement;
        let first = self.cases.iter().filter_map(|c| c.scenario).map(|s| s.line).min();
        let cases = self.cases.iter().map(|case| json!({ "scenario": case.gherkin() }));
        json!({ "rule": {
            "id": self.id,
            "location": line(first.map_or(1, |line| line.saturating_sub(1).max(1))),
            "tags": [{ "id": self.tag, "location": line(1), "name": format!("@{}", requirement.id) }],
            "keyword": "Rule",
            "name": requirement.duty,
            "description": format!(
                "{}, {}, {}",
                requirement.level.as_str(),
                requirement.severity.as_str(),
                requirement.sources.join(", ")
            ),
            "children": cases.collect::<Value>(),
        }})
    }
}

impl Case<'_> {
    /// Name of the scenario, or of the duty without one.
    fn name(&self) -> String {
        let id = &self.requirement.id;
        self.scenario.map_or_else(|| format!("{id} is not judged"), |s| one_line(&s.name))
    }

    fn line(&self) -> usize {
        self.scenario.map_or(1, |s| s.line)
    }

    fn node(&self) -> String {
        format!("{}-node", self.id)
    }

    /// Id of its test case.
    pub(super) fn test_case(&self) -> String {
        format!("{}-case", self.id)
    }

    fn gherkin(&self) -> Value {
        let steps = self.steps.iter().map(|step| {
            json!({
                "id": step.id,
                "location": line(step.line),
                "keyword": step.keyword,
                "text": step.text,
            })
        });
        json!({
            "id": self.node(),
            "location": line(self.line()),
            "tags": [],
            "keyword": "Scenario",
            "name": self.name(),
            "description": "",
            "steps": steps.collect::<Value>(),
            "examples": [],
        })
    }

    /// It as the pickle that ran.
    pub(super) fn pickle(&self, uri: &str) -> Value {
        let steps = self.steps.iter().map(
            |step| json!({ "id": step.pickle_step(), "astNodeIds": [step.id], "text": step.text }),
        );
        json!({
            "id": self.id,
            "uri": uri,
            "location": line(self.line()),
            "name": self.name(),
            "language": "en",
            "steps": steps.collect::<Value>(),
            "tags": [{ "name": format!("@{}", self.requirement.id), "astNodeId": self.tag }],
            "astNodeIds": [self.node()],
        })
    }
}

fn line(line: usize) -> Value {
    json!({ "line": line.max(1) })
}
