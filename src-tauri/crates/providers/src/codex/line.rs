//! How is a live message of codex weighed? Reads only what that takes, without copying, because this sees every token.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use protocol::failure::FailureClass;
use protocol::record::BlockKind;
use serde::Deserialize;

use super::news;
use crate::adapter::{Delta, Hint, Weight};

/// Text that is borrowed where it has no escapes.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    method: Option<Text<'a>>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params<'a> {
    #[serde(borrow)]
    thread_id: Option<Text<'a>>,
    #[serde(borrow)]
    item_id: Option<Text<'a>>,
    #[serde(borrow)]
    delta: Option<Text<'a>>,
    summary_index: Option<u64>,
    #[serde(borrow)]
    item: Option<Item<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    tool: Option<Text<'a>>,
    #[serde(borrow)]
    receiver_thread_ids: Option<Vec<Text<'a>>>,
}

/// Open blocks, and the calls that began the threads of sub-agents.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: BTreeSet<String>,
    spawned: BTreeMap<String, String>,
}

/// Whether the method carries pieces of something that comes whole later.
pub(super) fn is_piece(method: &str) -> bool {
    method.ends_with("/delta") || method.ends_with("Delta")
}

impl Streams {
    /// None when the message cannot be read.
    pub(super) fn weigh(&mut self, text: &str) -> Option<Weight> {
        let line: Line<'_> = serde_json::from_str(text).ok()?;
        let method = line.method.as_ref().map(|Text(method)| method.as_ref()).unwrap_or_default();
        let Some(params) = &line.params else { return Some(Weight::durable()) };
        Some(match method {
            "item/agentMessage/delta" | "item/plan/delta" => self.delta(params, BlockKind::Message),
            "item/reasoning/summaryTextDelta" | "item/reasoning/textDelta" => self.delta(params, BlockKind::Thought),
            "item/reasoning/summaryPartAdded" => self.next_part(params),
            "item/commandExecution/outputDelta" => self.delta(params, BlockKind::ToolOutput),
            "item/started" => params.item.as_ref().map_or_else(Weight::durable, started),
            "error" => Weight::Durable { closes: None, hints: retrying(text).into_iter().collect() },
            "item/completed" => params.item.as_ref().map_or_else(Weight::durable, |item| self.completed(item)),
            "turn/diff/updated" | "item/mcpToolCall/progress" | "item/fileChange/patchUpdated" => Weight::Ephemeral,
            _ if is_piece(method) => Weight::Ephemeral,
            _ => Weight::durable(),
        })
    }

    fn delta(&mut self, params: &Params<'_>, kind: BlockKind) -> Weight {
        let (Some(Text(item)), Some(Text(text))) = (&params.item_id, &params.delta) else { return Weight::durable() };
        if text.is_empty() {
            return Weight::Ephemeral;
        }
        if !self.open.contains(item.as_ref()) {
            self.open.insert(item.to_string());
        }
        let parent = match kind {
            BlockKind::ToolOutput => Some(item.to_string()),
            BlockKind::Message | BlockKind::Thought | BlockKind::ToolInput => self.parent(params),
        };
        Weight::Delta(Delta { block: item.to_string(), kind, parent, text: text.to_string() })
    }

    /// The parts of a summary are paragraphs, here and in the finished item.
    fn next_part(&mut self, params: &Params<'_>) -> Weight {
        match (&params.item_id, params.summary_index) {
            (Some(Text(item)), Some(1..)) if self.open.contains(item.as_ref()) => Weight::Delta(Delta {
                block: item.to_string(),
                kind: BlockKind::Thought,
                parent: self.parent(params),
                text: "\n\n".to_owned(),
            }),
            _ => Weight::Ephemeral,
        }
    }

    fn parent(&self, params: &Params<'_>) -> Option<String> {
        let Text(thread) = params.thread_id.as_ref()?;
        self.spawned.get(thread.as_ref()).cloned()
    }

    fn completed(&mut self, item: &Item<'_>) -> Weight {
        if item.tool.as_ref().is_some_and(|Text(tool)| tool == "spawnAgent") {
            for Text(thread) in item.receiver_thread_ids.iter().flatten() {
                self.spawned.insert(thread.to_string(), item.id.to_string());
            }
        }
        let hint = match item.r#type.as_ref() {
            "contextCompaction" => Some(Hint::CompactingEnded),
            "agentMessage" | "plan" => Some(Hint::Said),
            _ => tool_name(item).map(|_| Hint::ToolEnded { id: item.id.to_string() }),
        };
        Weight::Durable { closes: self.open.take(item.id.as_ref()), hints: hint.into_iter().collect() }
    }
}

/// The notification `error`.
#[derive(Deserialize)]
struct ErrorLine<'a> {
    #[serde(borrow)]
    params: ErrorParams<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorParams<'a> {
    #[serde(default)]
    will_retry: bool,
    #[serde(borrow)]
    error: ErrorTold<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorTold<'a> {
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(default)]
    codex_error_info: serde_json::Value,
}

/// What an error says that codex itself gets over.
fn retrying(text: &str) -> Option<Hint> {
    let ErrorLine { params } = serde_json::from_str(text).ok()?;
    let (attempt, of) = count(&params.error.message.0);
    let class = FailureClass::of(news::code(&params.error.codex_error_info));
    params.will_retry.then_some(Hint::Retrying { attempt, of, class, after_ms: None })
}

/// It counts at the end of its sentence: `Reconnecting... 2/5`. Without a count it is the only attempt known of.
fn count(message: &str) -> (u32, u32) {
    let counted = message.rsplit_once(' ').and_then(|(_, last)| last.split_once('/'));
    let read = |(attempt, of): (&str, &str)| Some((attempt.parse().ok()?, of.parse().ok()?));
    counted.and_then(read).unwrap_or((1, 1))
}

/// What begins without an end worth waiting for, or comes whole when it is finished, is not a record.
fn started(item: &Item<'_>) -> Weight {
    let hint = match item.r#type.as_ref() {
        "agentMessage" | "reasoning" | "plan" | "userMessage" | "hookPrompt" => return Weight::Ephemeral,
        "contextCompaction" => Some(Hint::CompactingStarted),
        _ => tool_name(item).map(|name| Hint::ToolStarted { id: item.id.to_string(), name }),
    };
    Weight::Durable { closes: None, hints: hint.into_iter().collect() }
}

/// The name of the tool that an item of this type is a call of.
fn tool_name(item: &Item<'_>) -> Option<String> {
    let tool = || item.tool.as_ref().map(|Text(tool)| tool.to_string());
    match item.r#type.as_ref() {
        "mcpToolCall" | "dynamicToolCall" | "collabAgentToolCall" => Some(tool().unwrap_or_default()),
        other => super::item::name(other).map(str::to_owned),
    }
}
