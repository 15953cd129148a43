//! Values in the JSON form of Protocol Buffers: 64-bit integers are strings.

use jiff::Timestamp;
use serde_json::{Value, json};

/// Nanoseconds since 1970.
pub(super) fn nanos(at: Timestamp) -> Value {
    json!(at.as_nanosecond().max(0).to_string())
}

/// Attributes of these names; those without a value (`null`) are left out.
pub(super) fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Vec<Value> {
    let valued = pairs.into_iter().filter(|(_, value)| !value.is_null());
    valued.map(|(key, value)| json!({ "key": key, "value": any(value) })).collect()
}

/// `AnyValue`.
fn any(value: Value) -> Value {
    match value {
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => json!({ "intValue": integer.to_string() }),
            None => json!({ "doubleValue": number }),
        },
        Value::Array(list) => {
            json!({ "arrayValue": { "values": list.into_iter().map(any).collect::<Vec<_>>() } })
        }
        Value::String(text) => json!({ "stringValue": text }),
        other => json!({ "stringValue": other.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_type() {
        let found = attributes([
            ("a", json!("x")),
            ("b", json!(7)),
            ("c", json!(true)),
            ("d", json!(["y", 1])),
            ("e", Value::Null),
            ("f", json!(1.5)),
        ]);
        let expected = json!([
            { "key": "a", "value": { "stringValue": "x" } },
            { "key": "b", "value": { "intValue": "7" } },
            { "key": "c", "value": { "boolValue": true } },
            { "key": "d", "value": { "arrayValue": { "values": [{ "stringValue": "y" }, { "intValue": "1" }] } } },
            { "key": "f", "value": { "doubleValue": 1.5 } },
        ]);
        assert_eq!(Value::Array(found), expected);
    }

    #[test]
    fn time_is_counted_in_nanoseconds_as_text() {
        let at: Timestamp = "1970-01-01T00:00:01.5Z".parse().unwrap();
        assert_eq!(nanos(at), json!("1500000000"));
    }
}
