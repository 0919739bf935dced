//! How is a live message of an ACP agent weighed? Reads only what that takes, without copying, because this sees every token.

use std::borrow::Cow;
use std::collections::BTreeSet;

use protocol::record::BlockKind;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::adapter::{Delta, Hint, Weight};

/// Text that is borrowed where it has no escapes.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow)]
    method: Option<Text<'a>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    terminal_id: Option<Text<'a>>,
    #[serde(borrow)]
    tool_call_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    update: Update<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update<'a> {
    #[serde(borrow)]
    session_update: Text<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_call_id: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    title: Option<Text<'a>>,
    #[serde(borrow, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Meta<'a> {
    #[serde(borrow)]
    claude_code: Option<Claude<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Claude<'a> {
    #[serde(borrow)]
    parent_tool_use_id: Option<Text<'a>>,
}

/// The open block, and the terminals whose output has been shown.
#[derive(Debug, Default)]
pub(super) struct Streams {
    blocks: u64,
    open: Option<(BlockKind, String)>,
    terminals: BTreeSet<String>,
}

impl Streams {
    /// None when the message cannot be read.
    pub(super) fn weigh(&mut self, text: &str) -> Option<Weight> {
        let line: Line<'_> = serde_json::from_str(text).ok()?;
        let Some(Text(method)) = &line.method else { return Some(self.own(&line)) };
        if method != "session/update" {
            return Some(Weight::durable());
        }
        let params: Params<'_> = serde_json::from_str(line.params?.get()).ok()?;
        self.update(&params.update)
    }

    fn own(&mut self, line: &Line<'_>) -> Weight {
        let word = |text: &Option<Text<'_>>| text.as_ref().map(|Text(text)| text.to_string());
        match line.r#type.as_ref().map(|Text(kind)| kind.as_ref()).unwrap_or_default() {
            "text" => Weight::Durable { closes: self.close(BlockKind::Message), hints: vec![Hint::Said] },
            "thought" => Weight::Durable { closes: self.close(BlockKind::Thought), hints: Vec::new() },
            "unannounced_tool_call" => {
                let hint = word(&line.tool_call_id).map(|id| Hint::ToolStarted { id, name: "tool".to_owned() });
                Weight::Durable { closes: None, hints: hint.into_iter().collect() }
            }
            "terminal_output" => match (word(&line.terminal_id), word(&line.tool_call_id), word(&line.text)) {
                (Some(terminal), Some(parent), Some(text)) if !text.is_empty() => {
                    let block = terminal_block(&terminal);
                    self.terminals.insert(terminal);
                    Weight::Delta(Delta { block, kind: BlockKind::ToolOutput, parent: Some(parent), text })
                }
                // Its end tells all of it.
                _ => Weight::Ephemeral,
            },
            "terminal_exit" => {
                let terminal = word(&line.terminal_id).unwrap_or_default();
                let closes = self.terminals.take(&terminal).map(|terminal| terminal_block(&terminal));
                Weight::Durable { closes, hints: Vec::new() }
            }
            _ => Weight::durable(),
        }
    }

    /// None when a part of it cannot be read.
    fn update(&mut self, update: &Update<'_>) -> Option<Weight> {
        Some(match update.session_update.0.as_ref() {
            "agent_message_chunk" => return self.chunk(update, BlockKind::Message),
            "agent_thought_chunk" => return self.chunk(update, BlockKind::Thought),
            "tool_call" => call(update, true),
            "tool_call_update" => call(update, false),
            "compaction_update" => {
                let going = update.status.as_ref().is_some_and(|Text(status)| status == "in_progress");
                let hint = if going { Hint::CompactingStarted } else { Hint::CompactingEnded };
                Weight::Durable { closes: None, hints: vec![hint] }
            }
            _ => Weight::durable(),
        })
    }

    fn chunk(&mut self, update: &Update<'_>, kind: BlockKind) -> Option<Weight> {
        // Half of a surrogate pair, if there is one, is in here: what cannot be read is read once more with that mended.
        let Content { r#type: Text(of), text } = serde_json::from_str(update.content?.get()).ok()?;
        let Some(Text(text)) = text.filter(|_| of == "text") else { return Some(Weight::durable()) };
        Some(match (text.is_empty(), update.meta) {
            (true, Some(_)) => Weight::durable(),
            (true, None) => Weight::Ephemeral,
            (false, _) => {
                let block = self.block(kind);
                Weight::Delta(Delta { block, kind, parent: parent(update), text: text.into_owned() })
            }
        })
    }

    /// The open block of this kind, or the next one. The runner finishes a block before it begins another.
    fn block(&mut self, kind: BlockKind) -> String {
        match &self.open {
            Some((open, block)) if *open == kind => block.clone(),
            Some(_) | None => {
                self.blocks += 1;
                let block = format!("acp/{}", self.blocks);
                self.open = Some((kind, block.clone()));
                block
            }
        }
    }

    fn close(&mut self, kind: BlockKind) -> Option<String> {
        self.open.take_if(|(open, _)| *open == kind).map(|(_, block)| block)
    }
}

fn parent(update: &Update<'_>) -> Option<String> {
    let meta: Meta<'_> = serde_json::from_str(update.meta?.get()).ok()?;
    meta.claude_code?.parent_tool_use_id.map(|Text(id)| id.into_owned())
}

fn call(update: &Update<'_>, begins: bool) -> Weight {
    let Some(Text(id)) = &update.tool_call_id else { return Weight::durable() };
    let id = id.to_string();
    let mut hints = Vec::new();
    if begins {
        let name = update.name.as_ref().or(update.title.as_ref()).map(|Text(name)| name.to_string());
        hints.push(Hint::ToolStarted { id: id.clone(), name: name.unwrap_or_default() });
    }
    if update.status.as_ref().is_some_and(|Text(status)| status == "completed" || status == "failed") {
        hints.push(Hint::ToolEnded { id });
    }
    Weight::Durable { closes: None, hints }
}

fn terminal_block(terminal: &str) -> String {
    format!("terminal/{terminal}")
}
