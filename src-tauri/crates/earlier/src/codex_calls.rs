//! The calls of a Codex conversation: what the model wrote, and what it was told of it, as the items that its app server tells.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Calls that have begun, by the model's id of them.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    cwd: String,
    open: BTreeMap<String, Value>,
}

impl Calls {
    /// Commands run there from here on.
    pub(crate) fn cwd(&mut self, cwd: Option<&str>) {
        if let Some(cwd) = cwd {
            cwd.clone_into(&mut self.cwd);
        }
    }

    /// The events of a call that begins.
    pub(crate) fn begun(&mut self, call: &Value) -> Vec<Value> {
        let id = call["call_id"].as_str().or_else(|| call["id"].as_str()).unwrap_or_default().to_owned();
        let name = call["name"].as_str().unwrap_or_default();
        let kind = call["type"].as_str().unwrap_or_default();
        let arguments = arguments(call);
        let mut item = match (kind, name) {
            ("web_search_call", _) => {
                let action = &call["action"];
                json!({ "type": "webSearch", "query": action["query"], "action": action })
            }
            ("local_shell_call", _) => self.command(&call["action"]["command"]),
            (_, "apply_patch") => json!({ "type": "fileChange", "changes": changes(patch_of(call, &arguments)) }),
            (_, "update_plan") => {
                return vec![json!({ "method": "turn/plan/updated", "params": { "plan": arguments["plan"] } })];
            }
            (_, "shell" | "shell_command" | "exec_command" | "container.exec" | "local_shell") => {
                let command = ["command", "cmd"].into_iter().find(|field| !arguments[*field].is_null());
                match patch_in(&arguments["command"]) {
                    Some(patch) => json!({ "type": "fileChange", "changes": changes(patch) }),
                    None => self.command(&arguments[command.unwrap_or("command")]),
                }
            }
            _ => json!({ "type": "dynamicToolCall", "tool": name, "arguments": arguments }),
        };
        item["id"] = Value::from(id.clone());
        let started = event("item/started", &item);
        // Nothing comes after a search.
        if kind == "web_search_call" {
            return vec![started, event("item/completed", &item)];
        }
        self.open.insert(id, item);
        vec![started]
    }

    /// The events of a call's end.
    pub(crate) fn ended(&mut self, output: &Value) -> Vec<Value> {
        let Some(mut item) = output["call_id"].as_str().and_then(|id| self.open.remove(id)) else { return Vec::new() };
        let told = Told::of(&output["output"]);
        item["status"] = Value::from(if told.has_failed { "failed" } else { "completed" });
        match item["type"].as_str().unwrap_or_default() {
            "commandExecution" => {
                item["aggregatedOutput"] = Value::from(told.text);
                item["exitCode"] = told.exit_code.map_or(Value::Null, Value::from);
                item["durationMs"] = told.duration_ms.map_or(Value::Null, Value::from);
            }
            "dynamicToolCall" => item["contentItems"] = json!([{ "type": "inputText", "text": told.text }]),
            _ => {}
        }
        vec![event("item/completed", &item)]
    }

    fn command(&self, command: &Value) -> Value {
        let words = command.as_array().map(Vec::as_slice).unwrap_or_default();
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        let text = match (command.as_str(), words.as_slice()) {
            (Some(text), _) => text.to_owned(),
            // The shell that is put around it says nothing.
            (None, [shell, flag, script]) if flag.starts_with('-') && shell.ends_with("sh") => (*script).to_owned(),
            (None, words) => words.join(" "),
        };
        json!({ "type": "commandExecution", "command": text, "cwd": self.cwd })
    }
}

fn event(method: &str, item: &Value) -> Value {
    json!({ "method": method, "params": { "item": item } })
}

/// Of a function they are JSON in a string; of a custom tool they are whatever it likes.
fn arguments(call: &Value) -> Value {
    let text = call["arguments"].as_str().or_else(|| call["input"].as_str()).unwrap_or_default();
    serde_json::from_str(text).unwrap_or_else(|_| json!({ "input": text }))
}

fn patch_of<'a>(call: &'a Value, arguments: &'a Value) -> &'a str {
    call["input"].as_str().or_else(|| arguments["input"].as_str()).unwrap_or_default()
}

/// The patch of a command `apply_patch PATCH`.
fn patch_in(command: &Value) -> Option<&str> {
    let words = command.as_array()?;
    (words.first()? == "apply_patch").then(|| words.get(1)?.as_str()).flatten()
}

/// The files that a patch of Codex's own form changes.
fn changes(patch: &str) -> Vec<Value> {
    let mut changes: Vec<Value> = Vec::new();
    let (mut kind, mut lines): (&str, Vec<&str>) = ("", Vec::new());
    let close = |changes: &mut Vec<Value>, lines: &mut Vec<&str>, kind: &str| {
        if let Some(change) = changes.last_mut() {
            // A new file is told as its text, without the signs before its lines.
            let text =
                lines.iter().map(|line| if kind == "add" { line.strip_prefix('+').unwrap_or(line) } else { line });
            change["diff"] = Value::from(text.map(|line| format!("{line}\n")).collect::<String>());
        }
        lines.clear();
    };
    for line in patch.lines() {
        let head = [("*** Add File: ", "add"), ("*** Update File: ", "update"), ("*** Delete File: ", "delete")];
        let begun = head.iter().find_map(|(head, kind)| Some((line.strip_prefix(head)?, *kind)));
        if let Some((path, begun)) = begun {
            close(&mut changes, &mut lines, kind);
            kind = begun;
            changes.push(json!({ "path": path, "kind": { "type": kind }, "diff": "" }));
        } else if let (Some(to), Some(change)) = (line.strip_prefix("*** Move to: "), changes.last_mut()) {
            change["kind"]["move_path"] = Value::from(to);
        } else if !line.starts_with("*** ") {
            lines.push(line);
        }
    }
    close(&mut changes, &mut lines, kind);
    changes
}

/// What the model was told of a call's end.
#[derive(Debug, Default, PartialEq)]
struct Told {
    text: String,
    exit_code: Option<i64>,
    duration_ms: Option<u64>,
    has_failed: bool,
}

impl Told {
    /// Versions of Codex differ: an object, the same as JSON in a string, or a head of lines before the output.
    fn of(output: &Value) -> Self {
        let inside = output.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()).filter(Value::is_object);
        let object = inside.as_ref().unwrap_or(output);
        let text = match object {
            Value::Object(fields) => {
                let text = ["output", "content"].iter().find_map(|field| fields.get(*field));
                text.map(words).unwrap_or_default()
            }
            other => words(other),
        };
        let exit_code = object["metadata"]["exit_code"].as_i64();
        let duration_ms = object["metadata"]["duration_seconds"].as_f64().map(millis);
        let told = Self { text, exit_code, duration_ms, has_failed: object["success"] == false };
        let told = told.without_head();
        Self { has_failed: told.has_failed || told.exit_code.is_some_and(|code| code != 0), ..told }
    }

    fn without_head(self) -> Self {
        let Some((head, text)) = self.text.split_once("\nOutput:\n") else { return self };
        let after = |word: &str| head.lines().find_map(|line| line.strip_prefix(word)).map(str::trim);
        let code = after("Exit code:").or_else(|| after("Process exited with code"));
        let time = after("Wall time:").and_then(|time| time.split(' ').next()).and_then(|time| time.parse().ok());
        Self {
            text: text.to_owned(),
            exit_code: self.exit_code.or_else(|| code?.parse().ok()),
            duration_ms: self.duration_ms.or_else(|| time.map(millis)),
            ..self
        }
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => blocks.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n"),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

fn millis(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1000.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_model_was_told_is_read_in_all_its_forms() {
        let head = json!("Chunk ID: 1\nWall time: 0.250 seconds\nProcess exited with code 3\nOutput:\nno such file\n");
        let told = Told { text: "no such file\n".into(), exit_code: Some(3), duration_ms: Some(250), has_failed: true };
        assert_eq!(Told::of(&head), told);
        let inside = json!({ "output": "hi\n", "metadata": { "exit_code": 0, "duration_seconds": 0.5 } }).to_string();
        let told = Told { text: "hi\n".into(), exit_code: Some(0), duration_ms: Some(500), has_failed: false };
        assert_eq!(Told::of(&json!(inside)), told);
        assert_eq!(Told::of(&json!([{ "type": "input_text", "text": "a" }])).text, "a");
        assert!(Told::of(&json!({ "content": "no", "success": false })).has_failed);
    }

    #[test]
    fn a_patch_is_told_file_by_file() {
        let patch = "*** Begin Patch\n*** Add File: a.txt\n+one\n+two\n*** Update File: b.rs\n*** Move to: c.rs\n@@ fn main\n-old\n+new\n*** Delete File: d\n*** End Patch";
        let told = changes(patch);
        assert_eq!(told[0], json!({ "path": "a.txt", "kind": { "type": "add" }, "diff": "one\ntwo\n" }));
        assert_eq!(told[1]["kind"], json!({ "type": "update", "move_path": "c.rs" }));
        assert_eq!(told[1]["diff"], "@@ fn main\n-old\n+new\n");
        assert_eq!((told.len(), &told[2]["kind"]["type"]), (3, &json!("delete")));
    }

    #[test]
    fn a_command_is_shown_without_the_shell_around_it() {
        let mut calls = Calls::default();
        calls.cwd(Some("/w"));
        let arguments = json!({ "command": ["bash", "-lc", "ls -l"] }).to_string();
        let begun =
            calls.begun(&json!({ "type": "function_call", "name": "shell", "arguments": arguments, "call_id": "c" }));
        assert_eq!(begun[0]["params"]["item"]["command"], "ls -l");
        let ended = calls.ended(&json!({ "call_id": "c", "output": "a\nb" }));
        assert_eq!(
            (&ended[0]["params"]["item"]["aggregatedOutput"], &ended[0]["method"]),
            (&json!("a\nb"), &json!("item/completed"))
        );
        assert!(calls.ended(&json!({ "call_id": "c", "output": "" })).is_empty());
    }
}
