//! Which words of an item can be found?
//!
//! Pure. What a person would look for: words, commands, paths, the beginning of an output; not the JSON around them. Cleared of
//! escape sequences and control characters, and bounded.

use protocol::archive::SearchKind;
use protocol::item::{ItemBody, ToolCall, ToolContent};
use protocol::limits::{ARCHIVE_CALL_BYTES, ARCHIVE_TEXT_BYTES};
use serde_json::Value;

/// The most of one string of a tool's input, so that a long one leaves room for the others.
const INPUT_BYTES: usize = 2 * 1024;
/// How deep the input is looked into.
const INPUT_DEPTH: u8 = 4;

/// What an item is and its words; nothing when it has none that are worth finding.
pub(crate) fn of(body: &ItemBody) -> Option<(SearchKind, String)> {
    let (kind, text) = match body {
        ItemBody::UserMessage { text, .. } => (SearchKind::Prompt, cleared(text, ARCHIVE_TEXT_BYTES)),
        ItemBody::AgentMessage { text, .. } => (SearchKind::Message, cleared(text, ARCHIVE_TEXT_BYTES)),
        ItemBody::Thought { text, .. } => (SearchKind::Thought, cleared(text, ARCHIVE_TEXT_BYTES)),
        ItemBody::ToolCall(call) => (SearchKind::ToolCall, words_of(call)),
        ItemBody::Error { message, .. } => (SearchKind::Error, cleared(message, ARCHIVE_TEXT_BYTES)),
        ItemBody::Plan { .. }
        | ItemBody::Permission(_)
        | ItemBody::Opened { .. }
        | ItemBody::TurnEnd { .. }
        | ItemBody::Notice { .. }
        | ItemBody::Pod { .. }
        | ItemBody::Ended { .. }
        | ItemBody::Unknown { .. } => return None,
    };
    (!text.trim().is_empty()).then_some((kind, text))
}

fn words_of(call: &ToolCall) -> String {
    let mut words = Words::default();
    words.add(&call.title);
    words.add(&call.name);
    inputs(&call.input, INPUT_DEPTH, &mut words);
    call.locations.iter().for_each(|location| words.add(&location.path));
    for content in &call.content {
        match content {
            ToolContent::Text { text } => words.add(text),
            ToolContent::Diff { path, new_text, patch, .. } => {
                words.add(path);
                new_text.iter().chain(patch).for_each(|text| words.add(text));
            }
            ToolContent::Image { .. } | ToolContent::Json { .. } => {}
        }
    }
    words.text
}

fn inputs(value: &Value, depth: u8, words: &mut Words) {
    match value {
        Value::String(text) => words.add(&cleared(text, INPUT_BYTES)),
        Value::Array(values) if depth > 0 => values.iter().for_each(|value| inputs(value, depth - 1, words)),
        Value::Object(fields) if depth > 0 => fields.values().for_each(|value| inputs(value, depth - 1, words)),
        Value::Array(_) | Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Lines, up to a limit. What stands in them already (a title repeats its command as a rule) is left out.
#[derive(Default)]
struct Words {
    text: String,
}

impl Words {
    fn add(&mut self, text: &str) {
        let room = ARCHIVE_CALL_BYTES.saturating_sub(self.text.len());
        let text = cleared(text, room);
        let text = text.trim();
        if text.is_empty() || self.text.contains(text) {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }
}

/// At most so many bytes of a text, without what is not meant to be read.
fn cleared(text: &str, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let cut = &text[..end];
    let plain = anstream::adapter::strip_str(cut).to_string();
    plain.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use protocol::item::{Location, ToolStatus};
    use protocol::runner::ToolKind;
    use serde_json::json;

    use super::*;

    fn call(input: Value, content: Vec<ToolContent>) -> ItemBody {
        ItemBody::ToolCall(ToolCall {
            tool_call_id: "1".into(),
            name: "Bash".into(),
            title: "Run cargo test".into(),
            kind: ToolKind::Execute,
            status: ToolStatus::Completed,
            input,
            content,
            locations: vec![Location { path: "src/lamp.rs".into(), line: None }],
            ended_at: None,
            duration_ms: None,
            sidecar: None,
        })
    }

    #[test]
    fn a_tool_call_is_found_by_its_command_paths_and_output() {
        let output = ToolContent::Text { text: "\u{1b}[31mtest lamp::turns ... FAILED\u{1b}[0m".into() };
        let diff = ToolContent::Diff {
            path: "src/lens.rs".into(),
            old_text: None,
            new_text: Some("glass".into()),
            patch: None,
        };
        let (kind, text) =
            of(&call(json!({"command": "cargo test", "env": {"A": "verbose"}}), vec![output, diff])).unwrap();
        assert_eq!(kind, SearchKind::ToolCall);
        assert_eq!(text, "Run cargo test\nBash\nverbose\nsrc/lamp.rs\ntest lamp::turns ... FAILED\nsrc/lens.rs\nglass");
    }

    #[test]
    fn texts_are_bounded_and_say_nothing_to_a_terminal() {
        let long = "ü".repeat(ARCHIVE_TEXT_BYTES);
        let (_, text) = of(&ItemBody::AgentMessage { text: long.clone(), open: false }).unwrap();
        assert_eq!(text.len(), ARCHIVE_TEXT_BYTES);
        let (_, text) = of(&call(json!({"a": long, "b": "seen"}), vec![ToolContent::Text { text: long }])).unwrap();
        assert!(text.len() <= ARCHIVE_CALL_BYTES + 1 && text.contains("seen"), "{}", text.len());
        assert!(of(&ItemBody::Thought { text: "\u{2}\u{1b}[2J \n".into(), open: false }).is_none());
    }
}
