//! What a page offers, as the forms that the form rung knows, and what is done on it.

use serde::Deserialize;
use serde_json::json;

use super::tab::Tab;
use crate::target::login::html::{Button, Field, Form, Page};

/// A page as it is shown.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sight {
    pub(super) url: String,
    pub(super) is_ready: bool,
    /// When the document began, which tells it from others.
    pub(super) document: f64,
    /// Its length, which changes with it.
    pub(super) size: u64,
    /// Something in it may change it.
    pub(super) is_lively: bool,
    forms: Vec<Group>,
    links: Vec<Link>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    /// No form holds its controls together.
    is_loose: bool,
    action: String,
    method: String,
    fields: Vec<Control>,
    buttons: Vec<Press>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Control {
    at: usize,
    name: String,
    kind: String,
    is_shown: bool,
    checked: bool,
    required: bool,
    autocomplete: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Press {
    at: usize,
    name: String,
    value: String,
    label: String,
    is_submit: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Link {
    at: usize,
    href: String,
    text: String,
}

impl Sight {
    /// The page as the form rung reads it.
    pub(super) fn page(&self) -> Page {
        let links = self.links.iter().map(|link| (link.href.clone(), link.text.clone()));
        Page {
            forms: self.forms.iter().map(Group::form).collect(),
            links: links.collect(),
            refresh: None,
        }
    }

    /// No form of the page holds these controls together.
    pub(super) fn is_loose(&self, form: usize) -> bool {
        self.forms.get(form).is_some_and(|group| group.is_loose)
    }

    /// The place of the first field of that name and kind.
    pub(super) fn field(&self, form: usize, field: &Field) -> Option<usize> {
        let fields = &self.forms.get(form)?.fields;
        fields.iter().find(|f| f.name == field.name && f.kind == field.kind).map(|f| f.at)
    }

    /// The place of a button, by its position in the form that was read.
    pub(super) fn button(&self, form: usize, button: usize) -> Option<usize> {
        self.forms.get(form)?.sorted().get(button).map(|b| b.at)
    }

    /// The button that sends a form off whose last field is at that place: the first that submits,
    /// or the first one behind the field.
    pub(super) fn sender(&self, form: usize, after: usize) -> Option<usize> {
        let group = self.forms.get(form)?;
        let submitting = group.buttons.iter().find(|b| b.is_submit);
        let behind = || group.buttons.iter().find(|b| b.at > after);
        submitting.or_else(behind).map(|b| b.at)
    }

    /// The place of a link.
    pub(super) fn link(&self, href: &str) -> Option<usize> {
        self.links.iter().find(|link| link.href == href).map(|link| link.at)
    }

    /// Boxes that are not ticked.
    pub(super) fn open_boxes(&self, form: usize) -> Vec<usize> {
        let fields = self.forms.get(form).into_iter().flat_map(|group| &group.fields);
        let open = fields.filter(|f| f.kind == "checkbox" && f.is_shown && !f.checked);
        open.map(|f| f.at).collect()
    }
}

impl Group {
    /// Buttons that submit before all others.
    fn sorted(&self) -> Vec<&Press> {
        let (submitting, others): (Vec<_>, Vec<_>) = self.buttons.iter().partition(|b| b.is_submit);
        [submitting, others].concat()
    }

    fn form(&self) -> Form {
        let fields = self.fields.iter().map(|control| Field {
            name: control.name.clone(),
            kind: control.kind.clone(),
            value: String::new(),
            checked: control.checked,
            required: control.required,
            autocomplete: control.autocomplete.clone(),
        });
        let buttons = self.sorted().into_iter().map(|press| Button {
            name: press.name.clone(),
            value: press.value.clone(),
            label: press.label.clone(),
            action: String::new(),
        });
        Form {
            id: String::new(),
            action: self.action.clone(),
            method: self.method.clone(),
            fields: fields.collect(),
            buttons: buttons.collect(),
        }
    }
}

impl Tab<'_> {
    /// What the page offers now.
    pub(super) async fn look(&mut self) -> Result<Sight, String> {
        let seen = self.ask("read()").await?;
        serde_json::from_value(seen).map_err(|e| format!("the page could not be read: {e}"))
    }

    /// Types into the control at that place, in place of what it holds. Says whether it could.
    pub(super) async fn fill(&mut self, at: usize, text: &str) -> Result<bool, String> {
        if self.ask(&format!("focus({at})")).await? != true {
            return Ok(false);
        }
        self.enter(text).await?;
        self.ask(&format!("changed({at})")).await.map(|_| true)
    }

    /// Clicks the control at that place. Says whether it could.
    pub(super) async fn click(&mut self, at: usize) -> Result<bool, String> {
        // A click may take the page away before it answers.
        Ok(self.evaluate(&format!("click({at})")).await.map_or(true, |done| done == true))
    }

    /// The place of a control, by one of the ways of our script to look for it.
    pub(super) async fn find(&mut self, way: &str, what: &str) -> Result<Option<usize>, String> {
        let found = self.ask(&format!("{way}({})", json!(what))).await?;
        Ok(found.as_u64().and_then(|at| usize::try_from(at).ok()))
    }

    /// Something of that CSS selector is shown.
    pub(super) async fn shows(&mut self, selector: &str) -> Result<bool, String> {
        Ok(self.ask(&format!("present({})", json!(selector))).await? == true)
    }
}
