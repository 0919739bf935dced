//! The adapter `demo`: the events of the built-in demo agent (`runners/demo.mjs`).
//!
//! Its vocabulary: `text_delta`, `thought_delta`, `text`, `thought` (each with a block number), `tool_call`, `tool_result`, `plan`.

use std::borrow::Cow;

use protocol::item::{ItemBody, ToolCall, ToolContent, ToolStatus};
use protocol::record::BlockKind;
use protocol::runner::ToolKind;
use serde::Deserialize;
use serde_json::Value;

use crate::adapter::{Adapter, Delta, Hint, Weight, fold_text_line, parsed, readable, unknown};
use crate::plan::plan;
use crate::sheet::Sheet;
use crate::tool_call::{content, end_call, location, running, title, tool_key};

/// Knows the demo agent's events. They are complete in themselves, so it remembers nothing.
#[derive(Debug)]
pub(crate) struct Demo;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    block: Option<u64>,
    text: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
}

impl Adapter for Demo {
    fn weigh(&mut self, event: &str) -> Weight {
        parsed(event, |text| self.weigh_unread(text)).unwrap_or_else(Weight::durable)
    }

    fn weigh_unread(&mut self, event: &str) -> Option<Weight> {
        serde_json::from_str(event).ok().map(|line| weigh(&line))
    }

    fn fold(&mut self, event: &str, sheet: &mut Sheet) {
        let Some(event) = readable(event, sheet) else { return };
        match event["type"].as_str().unwrap_or_default() {
            "text_delta" | "thought_delta" => {}
            "text" => say(&event, sheet, |text| ItemBody::AgentMessage { text, open: false }),
            "thought" => say(&event, sheet, |text| ItemBody::Thought { text, open: false }),
            "tool_call" => begin_tool(event, sheet),
            "tool_result" => end_tool(&event, sheet),
            "plan" => sheet.add(None, ItemBody::Plan { entries: plan(&event["entries"]) }),
            _ if fold_text_line(&event, sheet) => {}
            label => {
                let label = label.to_owned();
                sheet.add(None, unknown(&label, event));
            }
        }
    }
}

fn weigh(line: &Line<'_>) -> Weight {
    let durable = |closes, hint: Option<Hint>| Weight::Durable { closes, hints: hint.into_iter().collect() };
    let delta = |kind| match (line.block, line.text.as_deref()) {
        (Some(block), Some(text)) if !text.is_empty() => {
            Weight::Delta(Delta { block: block_key(block), kind, parent: None, text: text.to_owned() })
        }
        _ => Weight::Ephemeral,
    };
    let id = || line.id.as_deref().unwrap_or_default().to_owned();
    match line.r#type.as_ref() {
        "text_delta" => delta(BlockKind::Message),
        "thought_delta" => delta(BlockKind::Thought),
        "text" => durable(line.block.map(block_key), Some(Hint::Said)),
        "thought" => durable(line.block.map(block_key), None),
        "tool_call" => {
            let name = line.name.as_deref().unwrap_or_default().to_owned();
            durable(None, Some(Hint::ToolStarted { id: id(), name }))
        }
        "tool_result" => durable(None, Some(Hint::ToolEnded { id: id() })),
        _ => Weight::durable(),
    }
}

/// Blocks are counted over the life of one runner.
fn block_key(block: u64) -> String {
    format!("demo/{block}")
}

fn say(event: &Value, sheet: &mut Sheet, body: impl FnOnce(String) -> ItemBody) {
    match event["text"].as_str() {
        Some("") => {}
        Some(text) => sheet.add(None, body(text.to_owned())),
        None => sheet.add(None, unknown("text", event.clone())),
    }
}

fn begin_tool(mut event: Value, sheet: &mut Sheet) {
    let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let (id, name, said) = (word("id"), word("name"), word("title"));
    if id.is_empty() {
        return sheet.add(None, unknown("tool_call", event));
    }
    let kind = serde_json::from_value(event["kind"].clone()).unwrap_or(ToolKind::Other);
    let input = event.get_mut("input").map(Value::take).unwrap_or_default();
    let path = input["path"].as_str().map(|path| location(path, None));
    let title = if said.is_empty() { title(&name, "") } else { said };
    let mut call = running(&id, &name, kind, title, input);
    call.content = change(&call).into_iter().collect();
    call.locations = path.into_iter().collect();
    sheet.open(&tool_key(&id), None, ItemBody::ToolCall(call));
}

/// The file that a call writes.
fn change(call: &ToolCall) -> Option<ToolContent> {
    let (path, text) = (call.input["path"].as_str()?, call.input["content"].as_str()?);
    let (path, new_text) = (path.to_owned(), Some(text.to_owned()));
    (call.kind == ToolKind::Edit).then_some(ToolContent::Diff { path, old_text: None, new_text, patch: None })
}

fn end_tool(event: &Value, sheet: &mut Sheet) {
    let id = event["id"].as_str().unwrap_or_default();
    let status = match event["ok"].as_bool() {
        Some(true) => ToolStatus::Completed,
        _ if event["denied"] == true => ToolStatus::Denied,
        Some(false) | None => ToolStatus::Failed,
    };
    end_call(sheet, id, |call| {
        call.status = status;
        // A change that was made says all; what came of a command, or of a change that failed, is in the output.
        if status != ToolStatus::Completed || call.content.is_empty() {
            call.content.append(&mut content(&event["output"]));
        }
        call.duration_ms = event["durationMs"].as_u64();
    });
}
