//! How is a live line of claude weighed? Reads only what that takes, without copying, because this sees every token.

use std::borrow::Cow;
use std::collections::BTreeMap;

use protocol::failure::FailureClass;
use protocol::record::BlockKind;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::adapter::{Delta, Hint, Weight};
use crate::failure_code;

/// How every line of the hot path begins.
const STREAM_EVENT: &str = r#"{"type":"stream_event""#;

/// Text that is borrowed where it has no escapes.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    subtype: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    parent_tool_use_id: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(default, alias = "isApiErrorMessage")]
    is_api_error_message: bool,
}

/// The line `system/api_retry`.
#[derive(Deserialize)]
struct ApiRetry<'a> {
    #[serde(default)]
    attempt: u32,
    #[serde(default)]
    max_retries: u32,
    retry_delay_ms: Option<f64>,
    error_status: Option<u64>,
    #[serde(borrow)]
    error: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct StreamLine<'a> {
    #[serde(borrow)]
    event: StreamEvent<'a>,
    #[serde(borrow)]
    parent_tool_use_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct StreamEvent<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(default)]
    index: u64,
    #[serde(borrow)]
    delta: Option<Piece<'a>>,
    #[serde(borrow)]
    message: Option<Identified<'a>>,
}

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    thinking: Option<Text<'a>>,
    #[serde(borrow)]
    partial_json: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Identified<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    tool_use_id: Option<Text<'a>>,
}

/// The message that one agent (the main one, or a sub-agent) is streaming.
#[derive(Debug, Default)]
struct Stream {
    message: String,
    /// Blocks with text, not finished yet, in order.
    open: Vec<(u64, BlockKind)>,
}

/// The messages that are being streamed, by the tool call that their agent belongs to.
#[derive(Debug, Default)]
pub(super) struct Streams {
    by_parent: BTreeMap<String, Stream>,
    compacting: bool,
}

impl Streams {
    /// None when the line cannot be read.
    pub(super) fn weigh(&mut self, text: &str) -> Option<Weight> {
        if text.starts_with(STREAM_EVENT) {
            return serde_json::from_str(text).ok().map(|line| self.streamed(&line));
        }
        let line: Line<'_> = serde_json::from_str(text).ok()?;
        Some(match line.r#type.as_ref() {
            "stream_event" => return serde_json::from_str(text).ok().map(|line| self.streamed(&line)),
            "assistant" => self.assistant(&line),
            "user" => Weight::Durable { closes: None, hints: ends(line.message) },
            "system" => self.system(&line, text),
            "keep_alive" => Weight::KeepAlive,
            "tool_progress" => Weight::Ephemeral,
            _ => Weight::durable(),
        })
    }

    fn streamed(&mut self, line: &StreamLine<'_>) -> Weight {
        let parent = line.parent_tool_use_id.as_ref().map(|Text(id)| id.as_ref());
        let event = &line.event;
        match event.r#type.as_ref() {
            "message_start" => {
                let message = event.message.as_ref().map(|message| message.id.0.to_string()).unwrap_or_default();
                self.by_parent.insert(parent.unwrap_or_default().to_owned(), Stream { message, open: Vec::new() });
                Weight::Ephemeral
            }
            "content_block_delta" => match event.delta.as_ref().and_then(piece) {
                Some((kind, text)) => self.delta(parent, event.index, kind, text),
                None => Weight::Ephemeral,
            },
            _ => Weight::Ephemeral,
        }
    }

    fn delta(&mut self, parent: Option<&str>, index: u64, kind: BlockKind, text: &str) -> Weight {
        let key = parent.unwrap_or_default();
        if !self.by_parent.contains_key(key) {
            self.by_parent.insert(key.to_owned(), Stream::default());
        }
        let mut block = String::new();
        if let Some(stream) = self.by_parent.get_mut(key) {
            if !stream.open.contains(&(index, kind)) {
                stream.open.push((index, kind));
            }
            block = block_key(key, &stream.message, index);
        }
        Weight::Delta(Delta { block, kind, parent: parent.map(str::to_owned), text: text.to_owned() })
    }

    /// A finished block. It stands for the first open block of its kind in the message that its agent is streaming.
    fn assistant(&mut self, line: &Line<'_>) -> Weight {
        let parent = line.parent_tool_use_id.as_ref().map(|Text(id)| id.as_ref()).unwrap_or_default();
        let Some(message) = line.message.and_then(|raw| serde_json::from_str::<Message<'_>>(raw.get()).ok()) else {
            return Weight::durable();
        };
        let blocks = blocks(message.content);
        let id = message.id.as_ref().map(|Text(id)| id.as_ref()).unwrap_or_default();
        let mut closes = None;
        for block in &blocks {
            let closed = block_kind(&block.r#type).and_then(|kind| self.close(parent, id, kind));
            closes = closes.or(closed);
        }
        let mut hints: Vec<Hint> = blocks.iter().filter_map(start).collect();
        // An API error is written as if the agent had said it.
        if !line.is_api_error_message && (blocks.is_empty() || blocks.iter().any(|block| block.r#type == "text")) {
            hints.push(Hint::Said);
        }
        Weight::Durable { closes, hints }
    }

    fn close(&mut self, parent: &str, message: &str, kind: BlockKind) -> Option<String> {
        let stream = self.by_parent.get_mut(parent).filter(|stream| stream.message == message)?;
        let at = stream.open.iter().position(|(_, open)| *open == kind)?;
        let (index, _) = stream.open.remove(at);
        Some(block_key(parent, message, index))
    }

    /// The block of the main agent that broke off; the retry streams a new message from its beginning.
    fn abandon(&mut self) -> Option<String> {
        let stream = self.by_parent.get_mut("")?;
        let (index, _) = stream.open.pop()?;
        Some(block_key("", &stream.message, index))
    }

    fn system(&mut self, line: &Line<'_>, text: &str) -> Weight {
        let subtype = line.subtype.as_ref().map(|Text(subtype)| subtype.as_ref()).unwrap_or_default();
        let status = line.status.map(RawValue::get).unwrap_or_default();
        match subtype {
            "thinking_tokens" | "ui_invalidate" | "hook_progress" => Weight::Ephemeral,
            "status" if status == r#""compacting""# => {
                self.compacting = true;
                Weight::Durable { closes: None, hints: vec![Hint::CompactingStarted] }
            }
            "status" if self.compacting => self.compacted(),
            "status" if status == r#""requesting""# => Weight::Ephemeral,
            "compact_boundary" => self.compacted(),
            "api_retry" => Weight::Durable { closes: self.abandon(), hints: retrying(text).into_iter().collect() },
            _ => Weight::durable(),
        }
    }

    fn compacted(&mut self) -> Weight {
        let hints = if std::mem::take(&mut self.compacting) { vec![Hint::CompactingEnded] } else { Vec::new() };
        Weight::Durable { closes: None, hints }
    }
}

fn retrying(text: &str) -> Option<Hint> {
    let line: ApiRetry<'_> = serde_json::from_str(text).ok()?;
    let kind = line.error.as_ref().map(|Text(error)| error.as_ref()).unwrap_or_default();
    Some(Hint::Retrying {
        attempt: line.attempt,
        of: line.max_retries,
        class: FailureClass::of(failure_code::claude(kind, line.error_status)),
        after_ms: line.retry_delay_ms.map(|wait| wait.max(0.0) as u64),
    })
}

fn block_key(parent: &str, message: &str, index: u64) -> String {
    format!("{parent}/{message}/{index}")
}

/// What a delta adds, unless it adds nothing to read.
fn piece<'a>(delta: &'a Piece<'_>) -> Option<(BlockKind, &'a str)> {
    let kinds = [
        (BlockKind::Message, &delta.text),
        (BlockKind::Thought, &delta.thinking),
        (BlockKind::ToolInput, &delta.partial_json),
    ];
    kinds.into_iter().find_map(|(kind, text)| {
        let text = text.as_ref()?.0.as_ref();
        (!text.is_empty()).then_some((kind, text))
    })
}

fn block_kind(kind: &str) -> Option<BlockKind> {
    match kind {
        "text" => Some(BlockKind::Message),
        "thinking" => Some(BlockKind::Thought),
        "tool_use" | "server_tool_use" | "mcp_tool_use" => Some(BlockKind::ToolInput),
        _ => None,
    }
}

/// The content's blocks; none when it is a plain string.
fn blocks(content: Option<&RawValue>) -> Vec<Block<'_>> {
    content.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

fn start(block: &Block<'_>) -> Option<Hint> {
    match block.r#type.as_ref() {
        "tool_use" => Some(Hint::ToolStarted {
            id: block.id.as_ref()?.0.to_string(),
            name: block.name.as_ref().map(|Text(name)| name.to_string()).unwrap_or_default(),
        }),
        _ => None,
    }
}

/// The tools that end with a `user` line.
fn ends(message: Option<&RawValue>) -> Vec<Hint> {
    let message = message.and_then(|raw| serde_json::from_str::<Message<'_>>(raw.get()).ok());
    let blocks = blocks(message.and_then(|message| message.content));
    let ids = blocks.iter().filter_map(|block| block.tool_use_id.as_ref());
    ids.map(|Text(id)| Hint::ToolEnded { id: id.to_string() }).collect()
}
