//! What is a tool call of ACP, in words, kind, places and what came of it? The protocol tells it in parts: each update replaces the
//! fields that it has, and the output of a terminal comes beside them.

use protocol::item::{Location, ToolCall, ToolContent, ToolStatus};
use protocol::runner::ToolKind;
use serde_json::Value;

use crate::tool_call::{content as blocks, location, text};

/// What has been told of a call that runs.
#[derive(Debug, Default)]
pub(super) struct Parts {
    content: Vec<ToolContent>,
    /// What its terminals printed.
    output: String,
    /// What it gave back in the agent's own form.
    raw: Value,
    exit_code: i64,
}

impl Parts {
    /// Takes in the fields that an update has, and writes them to the call.
    pub(super) fn apply(&mut self, update: &Value, call: &mut ToolCall) {
        if let Some(title) = update["title"].as_str().filter(|title| !title.is_empty()) {
            call.title = title.lines().next().unwrap_or_default().to_owned();
        }
        if let Some(kind) = update["kind"].as_str() {
            call.kind = tool_kind(kind);
        }
        if let Some(name) = name(update) {
            call.name = name.to_owned();
        }
        if is_filled(&update["rawInput"]) {
            call.input = update["rawInput"].clone();
        }
        if let Some(places) = update["locations"].as_array() {
            call.locations = places.iter().filter_map(place).collect();
        }
        if let Some(pieces) = update["content"].as_array() {
            self.replace(pieces.iter().filter_map(piece).collect());
        }
        if is_filled(&update["rawOutput"]) {
            self.raw = update["rawOutput"].clone();
        }
        self.terminal(&update["_meta"]);
        call.content = self.whole();
        if let Some(status) = update["status"].as_str().filter(|_| call.status != ToolStatus::Denied) {
            call.status = tool_status(status);
        }
    }

    /// New content takes the place of the old; but where an edit ends with words only, its change is still what it did.
    fn replace(&mut self, pieces: Vec<ToolContent>) {
        let is_diff = |piece: &ToolContent| matches!(piece, ToolContent::Diff { .. });
        if pieces.iter().any(is_diff) {
            self.content = pieces;
        } else {
            self.content.retain(is_diff);
            self.content.extend(pieces);
        }
    }

    /// What a terminal of the runner printed.
    pub(super) fn printed(&mut self, output: &str, exit_code: i64, call: &mut ToolCall) {
        self.output.push_str(output);
        self.exit_code = exit_code;
        call.content = self.whole();
    }

    /// The output of a command that the agent runs in a terminal of its own: a common extension.
    fn terminal(&mut self, meta: &Value) {
        for key in ["terminal_output", "terminal_output_delta"] {
            self.output.push_str(meta[key]["data"].as_str().unwrap_or_default());
        }
        self.exit_code = meta["terminal_exit"]["exit_code"].as_i64().unwrap_or(self.exit_code);
    }

    fn whole(&self) -> Vec<ToolContent> {
        let mut whole = self.content.clone();
        whole.extend(text(&self.output));
        if whole.is_empty() {
            whole = given_back(&self.raw);
        }
        if self.exit_code != 0 {
            whole.extend(text(&format!("exit code {}", self.exit_code)));
        }
        whole
    }
}

/// The call that a message of a sub-agent belongs to.
pub(super) fn parent(update: &Value) -> Option<&str> {
    update["_meta"]["claudeCode"]["parentToolUseId"].as_str()
}

/// The tool's name where the agent tells it.
pub(super) fn name(update: &Value) -> Option<&str> {
    let meta = &update["_meta"];
    [&update["name"], &meta["claudeCode"]["toolName"], &meta["toolName"]].into_iter().find_map(Value::as_str)
}

pub(super) fn tool_kind(kind: &str) -> ToolKind {
    match kind {
        "read" => ToolKind::Read,
        "edit" => ToolKind::Edit,
        "delete" => ToolKind::Delete,
        "move" => ToolKind::Move,
        "search" => ToolKind::Search,
        "execute" => ToolKind::Execute,
        "think" => ToolKind::Think,
        "fetch" => ToolKind::Fetch,
        _ => ToolKind::Other,
    }
}

/// Some agents leave a call pending until it has ended; that it waits for an answer is shown by the question.
fn tool_status(status: &str) -> ToolStatus {
    match status {
        "completed" => ToolStatus::Completed,
        "failed" => ToolStatus::Failed,
        _ => ToolStatus::Running,
    }
}

/// Whether an update ends its call.
pub(super) fn is_end(update: &Value) -> bool {
    matches!(update["status"].as_str(), Some("completed" | "failed"))
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(fields) => !fields.is_empty(),
        Value::String(words) => !words.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => true,
    }
}

fn place(value: &Value) -> Option<Location> {
    Some(location(value["path"].as_str()?, value["line"].as_u64()))
}

/// A piece of content. A terminal shows through its output, which comes by itself.
fn piece(value: &Value) -> Option<ToolContent> {
    match value["type"].as_str().unwrap_or_default() {
        "content" => block(&value["content"]),
        "diff" => Some(diff(value)),
        "terminal" => None,
        _ => Some(ToolContent::Json { value: value.clone() }),
    }
}

fn diff(value: &Value) -> ToolContent {
    let words = |field: &str| value[field].as_str().map(str::to_owned);
    let is_new = value["_meta"]["kind"] == "add" || value["_meta"]["kind"] == "new";
    let old_text = words("oldText").filter(|old| !(is_new && old.is_empty()));
    let path = words("path").unwrap_or_default();
    ToolContent::Diff { path, old_text, new_text: words("newText"), patch: None }
}

/// A block of content as prompts and results hold it.
pub(super) fn block(value: &Value) -> Option<ToolContent> {
    match value["type"].as_str().unwrap_or_default() {
        "text" => text(unfenced(value["text"].as_str().unwrap_or_default())),
        "resource_link" => text(&link(value)),
        "resource" if value["resource"]["text"].is_string() => text(value["resource"]["text"].as_str()?),
        _ => blocks(&Value::Array(vec![value.clone()])).pop(),
    }
}

/// A link as people read it.
pub(super) fn link(value: &Value) -> String {
    let uri = value["uri"].as_str().unwrap_or_default();
    match value["title"].as_str().or_else(|| value["name"].as_str()).filter(|name| !name.is_empty()) {
        Some(name) => format!("[{name}]({uri})"),
        None => uri.to_owned(),
    }
}

/// Output that the agent dressed as a block of code: the output.
fn unfenced(words: &str) -> &str {
    let inner = words.strip_prefix("```").and_then(|rest| rest.strip_suffix("\n```"));
    match inner.and_then(|inner| inner.split_once('\n')) {
        Some((language, output)) if !language.contains('`') && !output.contains("```") => output,
        Some(_) | None => words,
    }
}

/// What a tool gave back, where nothing was told in the protocol's own form.
fn given_back(raw: &Value) -> Vec<ToolContent> {
    let inner = &raw["result"]["content"];
    match raw {
        Value::Null => Vec::new(),
        Value::Object(_) if inner.is_array() => blocks(inner),
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("exit_code") => Vec::new(),
        _ => blocks(raw),
    }
}
