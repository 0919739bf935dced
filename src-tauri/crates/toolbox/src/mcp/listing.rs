//! Which of the tools that a server lists can be offered?
//!
//! Responsible for reading a list that may hold anything: each tool is judged by itself, so that one that is wrong does not take the
//! others with it. What is left out is named with its reason.

use std::collections::HashSet;

use protocol::tools::ToolDefinition;
use serde_json::{Map, Value};

use crate::limits::{TOOL_BYTES, TOOLS};

/// The tools of one server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    /// Those that can be offered.
    pub tools: Vec<ToolDefinition>,
    /// Those that cannot, each with the reason.
    pub refused: Vec<String>,
}

impl Listing {
    /// Adds the tools of one page of `tools/list`.
    ///
    /// # Errors
    /// In words, when the page is no list of tools at all.
    pub(crate) fn add(&mut self, page: &Value) -> Result<(), String> {
        let Some(tools) = page.get("tools").and_then(Value::as_array) else {
            return Err("its answer to tools/list holds no list `tools`".to_owned());
        };
        let mut names: HashSet<String> = self.tools.iter().map(|tool| tool.name.clone()).collect();
        for (index, tool) in tools.iter().enumerate() {
            if self.tools.len() >= TOOLS {
                self.refuse(format!("all after the first {TOOLS}"));
                return Ok(());
            }
            match read(tool) {
                Ok(tool) if names.insert(tool.name.clone()) => self.tools.push(tool),
                Ok(tool) => self.refuse(format!("{}: listed twice", tool.name)),
                Err(why) => {
                    let name = tool.get("name").and_then(Value::as_str).map(str::to_owned);
                    self.refuse(format!("{}: {why}", name.unwrap_or_else(|| format!("number {}", index + 1))));
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, what: String) {
        if self.refused.len() < TOOLS {
            self.refused.push(what.chars().take(200).collect());
        }
    }
}

fn read(tool: &Value) -> Result<ToolDefinition, String> {
    let text = |key: &str| tool.get(key).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").filter(|name| !name.is_empty()).ok_or("it has no name")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    if name.len() > 128 || !name.chars().all(plain) {
        return Err("its name has characters that agents do not take".to_owned());
    }
    if tool.pointer("/execution/taskSupport").is_some_and(|support| support == "required") {
        return Err("it can only be called as a task, which agents do not do".to_owned());
    }
    let input_schema = match tool.get("inputSchema") {
        Some(Value::Object(schema)) => schema.clone(),
        None | Some(Value::Null) => empty_schema(),
        Some(_) => return Err("its inputSchema is no object".to_owned()),
    };
    if input_schema.get("type").is_some_and(|kind| kind != "object") {
        return Err("its inputSchema is not of type object".to_owned());
    }
    if input_schema.get("properties").is_some_and(|properties| !properties.is_object()) {
        return Err("the properties of its inputSchema are no object".to_owned());
    }
    let description = text("description").unwrap_or_default();
    let size = description.len() + serde_json::to_string(&input_schema).map_or(usize::MAX, |text| text.len());
    if size > TOOL_BYTES {
        return Err(format!("its description and schema have {size} bytes; {TOOL_BYTES} is the most"));
    }
    let annotation = |key: &str| tool.get("annotations").and_then(|all| all.get(key));
    let title = text("title").or_else(|| annotation("title").and_then(Value::as_str).map(str::to_owned));
    let read_only = annotation("readOnlyHint").and_then(Value::as_bool).unwrap_or(false);
    Ok(ToolDefinition { name, title, description, input_schema, read_only, sidecar: None })
}

fn empty_schema() -> Map<String, Value> {
    [("type", Value::from("object")), ("properties", Value::Object(Map::new()))]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_tool_is_judged_by_itself() {
        let mut listing = Listing::default();
        listing
            .add(&json!({ "tools": [
                { "name": "good", "description": "d", "inputSchema": { "type": "object", "properties": {} },
                  "annotations": { "readOnlyHint": true, "title": "Good" } },
                { "name": "bare", "execution": { "taskSupport": "optional" } },
                { "name": "later", "execution": { "taskSupport": "required" } },
                { "name": "array", "inputSchema": [] },
                { "name": "string", "inputSchema": { "type": "string" } },
                { "name": "flat", "inputSchema": { "type": "object", "properties": [] } },
                { "name": "two words" },
                { "name": "good" },
                { "description": "nameless" },
                "text",
                { "name": "huge", "description": "x".repeat(TOOL_BYTES + 1) },
            ]}))
            .unwrap();
        let names: Vec<&str> = listing.tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["good", "bare"]);
        assert!(listing.tools[0].read_only);
        assert_eq!(listing.tools[0].title.as_deref(), Some("Good"));
        assert_eq!(listing.refused.len(), 9, "{:?}", listing.refused);
        assert!(listing.refused[0].starts_with("later: it can only be called as a task"), "{:?}", listing.refused);
        assert!(listing.refused[4].starts_with("two words: its name"), "{:?}", listing.refused);
        assert!(listing.refused.iter().any(|why| why == "good: listed twice"));
    }

    #[test]
    fn what_is_no_list_is_an_error_and_a_long_one_is_cut() {
        assert!(Listing::default().add(&json!({ "tool": [] })).is_err());
        let many: Vec<Value> = (0..TOOLS + 5).map(|n| json!({ "name": format!("t{n}") })).collect();
        let mut listing = Listing::default();
        listing.add(&json!({ "tools": many })).unwrap();
        assert_eq!(listing.tools.len(), TOOLS);
        assert_eq!(listing.refused.len(), 1);
    }
}
