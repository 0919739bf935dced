//! What the tools are called with. What does not fit is told in words that let a model mend it.

use std::time::Duration;

use client::pods::ChildWish;
use protocol::limits::{POD_WAIT, POD_WAIT_AT_MOST};
use protocol::scope::{Budget, ScopePermission, ScopeRule};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::answer::Failed;

/// Longest name of a pod, in characters.
const NAME: usize = 64;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Spawn {
    name: String,
    task: String,
    provider: Option<String>,
    model: Option<String>,
    instructions: Option<String>,
    scope: Option<Vec<Rule>>,
    budget: Option<Limits>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rule {
    permission: ScopePermission,
    path: String,
    recursive: Option<bool>,
}

/// A budget without room for misspelt limits: those would not hold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Limits {
    depth: Option<u32>,
    children: Option<u32>,
    pods: Option<u32>,
    spawns: Option<u32>,
    spawns_per_minute: Option<u32>,
    turns: Option<u64>,
    cost_usd: Option<f64>,
    wall_seconds: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Named {
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Message {
    pub(crate) name: String,
    pub(crate) message: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Wait {
    #[serde(default)]
    pub(crate) names: Vec<String>,
    timeout_seconds: Option<u64>,
}

/// The arguments of a tool.
pub(crate) fn parsed<T: DeserializeOwned>(tool: &str, arguments: &Map<String, Value>) -> Result<T, Failed> {
    // Some models write null where they mean nothing.
    let given = arguments.iter().filter(|(_, value)| !value.is_null());
    let given = Value::Object(given.map(|(key, value)| (key.clone(), value.clone())).collect());
    serde_json::from_value(given).map_err(|error| Failed::new(format!("invalid arguments for {tool}: {error}")))
}

impl Spawn {
    pub(crate) fn wish(self) -> Result<ChildWish, Failed> {
        let name = self.name.trim().to_owned();
        check_name(&name)?;
        if self.task.trim().is_empty() {
            return Err(Failed::new("the task is empty; say what the pod shall do"));
        }
        Ok(ChildWish {
            name,
            task: self.task,
            provider: said(self.provider),
            model: said(self.model),
            instructions: said(self.instructions),
            scope: self.scope.map(|rules| rules.into_iter().map(Rule::into_protocol).collect()),
            budget: self.budget.map(Limits::into_protocol),
        })
    }
}

fn check_name(name: &str) -> Result<(), Failed> {
    let odd = |letter: char| letter == '/' || letter.is_control();
    if name.is_empty() || name.contains(odd) || name.chars().count() > NAME {
        let words = format!("`{}` is no name for a pod: give 1 to {NAME} characters without `/`", name.escape_debug());
        return Err(Failed::new(words));
    }
    Ok(())
}

/// A word that was really said: some models write "" where they mean nothing.
fn said(word: Option<String>) -> Option<String> {
    word.filter(|word| !word.trim().is_empty())
}

impl Rule {
    fn into_protocol(self) -> ScopeRule {
        ScopeRule { permission: self.permission, path: self.path, recursive: self.recursive.unwrap_or(true) }
    }
}

impl Limits {
    fn into_protocol(self) -> Budget {
        let Self { depth, children, pods, spawns, spawns_per_minute, turns, cost_usd, wall_seconds } = self;
        Budget { depth, children, pods, spawns, spawns_per_minute, turns, cost_usd, wall_seconds }
    }
}

impl Wait {
    pub(crate) fn limit(&self) -> Duration {
        self.timeout_seconds.map_or(POD_WAIT, Duration::from_secs).min(POD_WAIT_AT_MOST)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::definitions;

    /// A value that a schema describes, with all of its properties.
    fn example(schema: &Value) -> Value {
        match schema["type"].as_str().unwrap() {
            "object" => {
                let properties = schema["properties"].as_object().unwrap();
                Value::Object(properties.iter().map(|(name, inner)| (name.clone(), example(inner))).collect())
            }
            "array" => json!([example(&schema["items"])]),
            "string" => schema.get("enum").map_or(json!("x"), |words| words[0].clone()),
            "integer" => json!(1),
            "number" => json!(0.5),
            "boolean" => json!(true),
            other => panic!("{other} is not understood by every provider"),
        }
    }

    fn takes(tool: &str, arguments: &Map<String, Value>) -> Result<(), Failed> {
        match tool {
            "spawn_pod" => parsed::<Spawn>(tool, arguments)?.wish().map(drop),
            "send_to_pod" => parsed::<Message>(tool, arguments).map(drop),
            "read_pod_output" | "stop_pod" => parsed::<Named>(tool, arguments).map(drop),
            "list_pods" => parsed::<Nothing>(tool, arguments).map(drop),
            "wait_for_pods" => parsed::<Wait>(tool, arguments).map(drop),
            other => panic!("{other} takes what?"),
        }
    }

    #[test]
    fn what_a_schema_promises_is_taken_and_what_it_requires_is_needed() {
        for tool in definitions() {
            let Value::Object(all) = example(&Value::Object(tool.input_schema.clone())) else { panic!() };
            takes(&tool.name, &all).unwrap_or_else(|failed| panic!("{}: {}", tool.name, failed.words()));
            let required: Vec<&str> =
                tool.input_schema["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            for name in all.keys() {
                let mut fewer = all.clone();
                fewer.remove(name);
                assert_eq!(
                    takes(&tool.name, &fewer).is_err(),
                    required.contains(&name.as_str()),
                    "{} without {name}",
                    tool.name
                );
                fewer.insert(name.clone(), Value::Null);
                assert_eq!(
                    takes(&tool.name, &fewer).is_err(),
                    required.contains(&name.as_str()),
                    "{}: {name} null",
                    tool.name
                );
            }
            let mut more = all.clone();
            more.insert("strange".to_owned(), json!(1));
            assert!(takes(&tool.name, &more).is_err(), "{} takes what it does not know", tool.name);
            assert!(tool.description.len() > 100, "{} says too little", tool.name);
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let of = |arguments: Value| {
            let Value::Object(arguments) = arguments else { panic!() };
            takes("spawn_pod", &arguments).unwrap_err().words()
        };
        assert!(of(json!({ "name": "a" })).contains("missing field `task`"));
        assert!(of(json!({ "name": "a/b", "task": "x" })).contains("without `/`"));
        assert!(of(json!({ "name": "a", "task": " " })).contains("the task is empty"));
        assert!(of(json!({ "name": "a", "task": "x", "budget": { "turn": 1 } })).contains("unknown field `turn`"));
        let rule = json!({ "permission": "delete", "path": "x" });
        assert!(of(json!({ "name": "a", "task": "x", "scope": [rule] })).contains("expected `read` or `write`"));
    }
}
