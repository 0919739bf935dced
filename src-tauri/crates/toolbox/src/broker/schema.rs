//! How long may a call take, and how does a model say so?
//!
//! Each tool is offered with an optional integer `timeout_ms`, unless it has an argument of that name itself or its schema names no
//! arguments at all. Ours is taken out again before the tool sees the arguments.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// The argument's name.
pub const TIMEOUT: &str = "timeout_ms";

/// The schema as it is offered, and whether the argument was added.
#[must_use]
pub fn with_timeout(schema: &Map<String, Value>, usual: Duration, most: Duration) -> (Map<String, Value>, bool) {
    let mut schema = schema.clone();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return (schema, false) };
    if properties.contains_key(TIMEOUT) {
        return (schema, false);
    }
    let description = format!("Maximum milliseconds to wait for this call (default {}).", usual.as_millis());
    let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    properties.insert(
        TIMEOUT.to_owned(),
        json!({ "type": "integer", "minimum": 1, "maximum": most, "description": description }),
    );
    (schema, true)
}

/// Takes our argument out of the arguments; how long the call may take.
///
/// # Errors
/// In words, when it is there and is no number of milliseconds.
pub fn taken_out(arguments: &mut Map<String, Value>, usual: Duration, most: Duration) -> Result<Duration, String> {
    match arguments.remove(TIMEOUT) {
        None | Some(Value::Null) => Ok(usual.min(most)),
        Some(value) => match value.as_u64() {
            Some(ms) if ms > 0 => Ok(Duration::from_millis(ms).min(most)),
            Some(_) | None => Err(format!("`{TIMEOUT}` is {value}; it is a whole number of milliseconds, at least 1")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Duration = Duration::from_secs(300);
    const MOST: Duration = Duration::from_secs(3600);

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_argument_is_added_where_there_is_room_for_it() {
        let (schema, added) = with_timeout(
            &object(json!({ "type": "object", "properties": { "a": {} }, "required": ["a"] })),
            USUAL,
            MOST,
        );
        assert!(added);
        assert_eq!(schema["properties"][TIMEOUT]["type"], "integer");
        assert!(schema["properties"][TIMEOUT]["description"].as_str().unwrap().contains("default 300000"));
        assert_eq!(schema["required"], json!(["a"]), "it is optional");
        for own in [
            json!({ "type": "object", "properties": { "timeout_ms": { "type": "string" } } }),
            json!({ "type": "object" }),
        ] {
            let (schema, added) = with_timeout(&object(own.clone()), USUAL, MOST);
            assert!(!added);
            assert_eq!(Value::Object(schema), own);
        }
    }

    #[test]
    fn a_call_takes_as_long_as_it_says_up_to_the_limit() {
        let take = |value: Value| {
            let mut arguments = object(json!({ "a": 1, "timeout_ms": value }));
            let limit = taken_out(&mut arguments, USUAL, MOST);
            assert!(!arguments.contains_key(TIMEOUT), "the tool does not see it");
            limit
        };
        assert_eq!(take(json!(1500)), Ok(Duration::from_millis(1500)));
        assert_eq!(take(json!(999_999_999)), Ok(MOST));
        assert_eq!(take(Value::Null), Ok(USUAL));
        assert!(take(json!("soon")).is_err() && take(json!(0)).is_err() && take(json!(-5)).is_err());
    }
}
