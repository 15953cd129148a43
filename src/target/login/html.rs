//! Forms and links of an HTML page.

use crate::model::html::{StartTag, Token, tokens};

/// What a page offers to a user without script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its forms in order.
    pub forms: Vec<Form>,
    /// Its links: `href` and text.
    pub links: Vec<(String, String)>,
    /// The address of a `<meta http-equiv=refresh>`.
    pub refresh: Option<String>,
}

/// A form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// `id`, empty when absent.
    pub id: String,
    /// `action` as written, empty when absent.
    pub action: String,
    /// `POST` or `GET`.
    pub method: String,
    /// Controls that carry a value.
    pub fields: Vec<Field>,
    /// Controls that submit.
    pub buttons: Vec<Button>,
}

/// A control that carries a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// `name`, empty when absent.
    pub name: String,
    /// `type` in lower case; `select` and `textarea` for those elements.
    pub kind: String,
    /// Initial value.
    pub value: String,
    /// A checkbox or radio button that is on.
    pub checked: bool,
    /// The form is not sent without it.
    pub required: bool,
    /// `autocomplete`.
    pub autocomplete: String,
}

/// A control that submits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Button {
    /// `name`, empty when absent.
    pub name: String,
    /// `value`.
    pub value: String,
    /// What the user reads on it.
    pub label: String,
    /// `formaction`, empty when absent.
    pub action: String,
}

impl Form {
    /// The first field of that type.
    pub fn field_of(&self, kind: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.kind == kind)
    }
}

/// Reads a page. Never fails: broken markup is read as browsers read it.
pub fn parse(html: &str) -> Page {
    // Most pages of an audit are errors, which offer nothing.
    let lower = html.to_ascii_lowercase();
    if !["<form", "<a", "http-equiv"].iter().any(|mark| lower.contains(mark)) {
        return Page::default();
    }
    let mut reader = Reader::default();
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => reader.open(&tag),
            Token::EndTag(tag) => reader.close(&String::from_utf8_lossy(&tag.name)),
            Token::String(text) => reader.text.push_str(&String::from_utf8_lossy(&text)),
            _ => {}
        }
    }
    reader.close("form");
    for (owner, button) in std::mem::take(&mut reader.outside) {
        if let Some(form) = reader.page.forms.iter_mut().find(|form| form.id == owner) {
            form.buttons.push(button);
        }
    }
    reader.page
}

/// What a page says to its reader, on one line; scripts and styles say nothing.
pub fn words(html: &str) -> String {
    let (mut text, mut is_silent) = (String::new(), false);
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => {
                is_silent = matches!(&**tag.name, b"script" | b"style");
                text.push(' ');
            }
            Token::EndTag(_) => {
                is_silent = false;
                text.push(' ');
            }
            Token::String(part) if !is_silent => text.push_str(&String::from_utf8_lossy(&part)),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Default)]
struct Reader {
    page: Page,
    form: Option<Form>,
    /// Text since the last element that cares for it was opened.
    text: String,
    button: Option<Button>,
    /// The form that the open button names as its own.
    owner: Option<String>,
    /// Buttons that stand outside their form, with its id.
    outside: Vec<(String, Button)>,
    link: Option<String>,
    select: Option<Field>,
    textarea: Option<String>,
}

impl Reader {
    fn open(&mut self, tag: &StartTag<()>) {
        let get = |name: &str| attribute(tag, name).unwrap_or_default();
        match &*String::from_utf8_lossy(&tag.name) {
            "form" => {
                self.close("form");
                let method =
                    if get("method").eq_ignore_ascii_case("post") { "POST" } else { "GET" };
                self.form = Some(Form {
                    id: get("id"),
                    action: get("action"),
                    method: method.into(),
                    ..Form::default()
                });
            }
            "input" => self.input(tag),
            "button" => {
                self.text.clear();
                let submits =
                    !matches!(get("type").to_ascii_lowercase().as_str(), "button" | "reset");
                let button = Button {
                    name: get("name"),
                    value: get("value"),
                    label: String::new(),
                    action: get("formaction"),
                };
                self.button = submits.then_some(button);
                self.owner = attribute(tag, "form");
            }
            "select" => {
                self.select =
                    Some(Field { name: get("name"), kind: "select".into(), ..Field::default() })
            }
            "option" => {
                let is_chosen = attribute(tag, "selected").is_some();
                if let Some(select) =
                    self.select.as_mut().filter(|s| s.value.is_empty() || is_chosen)
                {
                    select.value = get("value");
                }
            }
            "textarea" => {
                self.text.clear();
                self.textarea = Some(get("name"));
            }
            "a" => {
                self.text.clear();
                self.link = attribute(tag, "href");
            }
            "meta" if get("http-equiv").eq_ignore_ascii_case("refresh") => {
                let content = get("content");
                let at = content.to_ascii_lowercase().find("url=").map(|at| at + 4);
                self.page.refresh =
                    at.map(|at| content[at..].trim().trim_matches(['\'', '"']).to_owned());
            }
            _ => {}
        }
    }

    fn input(&mut self, tag: &StartTag<()>) {
        let get = |name: &str| attribute(tag, name).unwrap_or_default();
        let kind =
            attribute(tag, "type").map_or_else(|| "text".into(), |kind| kind.to_ascii_lowercase());
        let Some(form) = &mut self.form else { return };
        if matches!(kind.as_str(), "submit" | "image") {
            let (name, value) = (get("name"), get("value"));
            form.buttons.push(Button {
                label: value.clone(),
                name,
                value,
                action: get("formaction"),
            });
        } else if !matches!(kind.as_str(), "button" | "reset") {
            form.fields.push(Field {
                name: get("name"),
                kind,
                value: get("value"),
                checked: attribute(tag, "checked").is_some(),
                required: attribute(tag, "required").is_some(),
                autocomplete: get("autocomplete").to_ascii_lowercase(),
            });
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "form" => self.page.forms.extend(self.form.take()),
            "button" => {
                let Some(mut button) = self.button.take() else { return };
                button.label = self.text.trim().to_owned();
                match (self.owner.take(), &mut self.form) {
                    (Some(owner), _) => self.outside.push((owner, button)),
                    (None, Some(form)) => form.buttons.push(button),
                    (None, None) => {}
                }
            }
            "select" => {
                if let (Some(select), Some(form)) = (self.select.take(), &mut self.form) {
                    form.fields.push(select);
                }
            }
            "textarea" => {
                if let (Some(name), Some(form)) = (self.textarea.take(), &mut self.form) {
                    let value = self.text.clone();
                    form.fields.push(Field {
                        name,
                        kind: "textarea".into(),
                        value,
                        ..Field::default()
                    });
                }
            }
            "a" => {
                if let Some(href) = self.link.take() {
                    self.page.links.push((href, self.text.trim().to_owned()));
                }
            }
            _ => {}
        }
    }
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes
        .iter()
        .find(|(n, _)| n.as_slice() == name.as_bytes())
        .map(|(_, value)| String::from_utf8_lossy(&value.value).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_login_page_is_read() {
        let page = parse(
            r#"<meta http-equiv="Refresh" content="5; url=/next">
            <FORM action="/login?a=1&amp;b=2" method=post><input type=hidden name=csrf value="x&quot;y">
            <input name=login><input type="password" name="password"><input type=checkbox name=stay checked>
            <select name=lang><option value=en><option value=es selected></select><textarea name=t>hello</textarea>
            <button type=submit name=go value=1> Sign <b>in</b> </button><button type=button>no</button></FORM>
            <a href="/abort">[ Cancel ]</a>"#,
        );
        let form = &page.forms[0];
        assert_eq!((form.action.as_str(), form.method.as_str()), ("/login?a=1&b=2", "POST"));
        let fields: Vec<_> = form
            .fields
            .iter()
            .map(|f| (f.name.as_str(), f.kind.as_str(), f.value.as_str()))
            .collect();
        assert_eq!(
            fields,
            [
                ("csrf", "hidden", "x\"y"),
                ("login", "text", ""),
                ("password", "password", ""),
                ("stay", "checkbox", ""),
                ("lang", "select", "es"),
                ("t", "textarea", "hello")
            ]
        );
        assert_eq!(form.buttons.len(), 1);
        assert_eq!(
            (form.buttons[0].name.as_str(), form.buttons[0].label.as_str()),
            ("go", "Sign in")
        );
        assert_eq!(page.links, [("/abort".to_owned(), "[ Cancel ]".to_owned())]);
        assert_eq!(page.refresh.as_deref(), Some("/next"));
    }

    #[test]
    fn a_button_may_stand_outside_its_form() {
        let page = parse(
            "<form id=a method=post></form><button form=a name=logout value=yes>Yes</button>\
             <button>stray</button>",
        );
        let names: Vec<_> = page.forms[0].buttons.iter().map(|b| b.name.as_str()).collect();
        assert_eq!(names, ["logout"]);
    }

    #[test]
    fn forms_do_not_nest_and_may_stay_open() {
        let page = parse("<form id=a><input name=x><form id=b><input name=y>");
        assert_eq!(page.forms.len(), 2);
    }

    proptest! {
        #[test]
        fn no_page_makes_the_reader_panic(html in "[<>/a-z \"'=&;!-]{0,200}") {
            let _ = parse(&html);
        }
    }
}
