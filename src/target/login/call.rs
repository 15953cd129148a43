//! What a step of a login sends by itself.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::template::Template;

/// Method and address of a call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Call {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The address.
    pub url: Template,
}

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

impl TryFrom<String> for Call {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (method, url) = text.split_once(' ').unwrap_or(("", &text));
        if !METHODS.contains(&method) {
            return Err(format!(
                "a request is a method and an address, \"POST {{issuer}}/sign-in\"; methods are {}; got \"{text}\"",
                METHODS.join(", ")
            ));
        }
        Ok(Self { method: method.to_owned(), url: Template::parse(url.trim())? })
    }
}

/// A JSON value whose texts are templates.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Value")]
#[schemars(with = "Value")]
pub struct Json(Value);

impl TryFrom<Value> for Json {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let json = Self(value);
        json.templates().into_iter().try_for_each(|t| Template::parse(t).map(drop))?;
        Ok(json)
    }
}

impl Json {
    /// The texts.
    pub(super) fn templates(&self) -> Vec<&str> {
        fn walk<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::String(text) => found.push(text),
                Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
                Value::Object(members) => members.values().for_each(|member| walk(member, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        walk(&self.0, &mut found);
        found
    }

    /// The value with every name replaced. The error is the name that `value` does not know.
    pub fn render(&self, value: &dyn Fn(&str) -> Option<String>) -> Result<Value, String> {
        fn walk(json: &Value, value: &dyn Fn(&str) -> Option<String>) -> Result<Value, String> {
            Ok(match json {
                Value::String(text) => Value::String(Template::parse(text)?.render(value)?),
                Value::Array(items) => {
                    items.iter().map(|item| walk(item, value)).collect::<Result<_, _>>()?
                }
                Value::Object(members) => members
                    .iter()
                    .map(|(name, member)| Ok((name.clone(), walk(member, value)?)))
                    .collect::<Result<serde_json::Map<_, _>, String>>()?
                    .into(),
                other => other.clone(),
            })
        }
        walk(&self.0, value)
    }
}
