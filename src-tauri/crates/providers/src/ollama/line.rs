//! How is a live event of Ollama weighed? Reads only what that takes, because this sees every token.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use protocol::record::BlockKind;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::adapter::{Delta, Hint, Weight};

/// Text that is borrowed where it has no escapes.
#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<BTreeMap<Text<'a>, &'a RawValue>>,
    #[serde(borrow)]
    created_at: Option<Text<'a>>,
    done: Option<bool>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
}

/// The blocks that are being streamed. The server gives them no names, so they are named by when they began.
#[derive(Debug, Default)]
pub(super) struct Streams {
    message: Option<String>,
    thought: Option<String>,
    /// Words of a message that came in one line with the end of a thought; the next piece brings them.
    held: String,
    /// Calls whose output is being streamed.
    outputs: BTreeSet<String>,
    count: u64,
}

/// Whether a field of a message says something that nobody here knows. `value` is JSON.
pub(super) fn is_strange(name: &str, value: &str) -> bool {
    let known = ["role", "content", "thinking", "tool_calls", "images", "tool_name", "tool_call_id"];
    !known.contains(&name) && !["null", "\"\"", "[]", "{}", "false", "0"].contains(&value.trim())
}

impl Streams {
    /// None when the event cannot be read.
    pub(super) fn weigh(&mut self, text: &str) -> Option<Weight> {
        let line: Line<'_> = serde_json::from_str(text).ok()?;
        let Some(Text(kind)) = &line.r#type else { return self.line(&line) };
        let id = line.id.as_ref().map(|Text(id)| id.to_string()).unwrap_or_default();
        Some(match kind.as_ref() {
            "text" => {
                self.held.clear();
                Weight::Durable { closes: self.message.take(), hints: vec![Hint::Said] }
            }
            "thought" => Weight::Durable { closes: self.thought.take(), hints: Vec::new() },
            "tool_call" => {
                let name = line.name.as_ref().map(|Text(name)| name.to_string()).unwrap_or_default();
                Weight::Durable { closes: None, hints: vec![Hint::ToolStarted { id, name }] }
            }
            "tool_output" => match &line.text {
                Some(Text(text)) if !text.is_empty() => self.output(id, text),
                Some(_) | None => Weight::Ephemeral,
            },
            "tool_result" => {
                let closes = self.outputs.remove(&id).then(|| output_block(&id));
                Weight::Durable { closes, hints: vec![Hint::ToolEnded { id }] }
            }
            _ => Weight::durable(),
        })
    }

    /// A line of the server. None when it cannot be read.
    fn line(&mut self, line: &Line<'_>) -> Option<Weight> {
        let Some(message) = &line.message else { return Some(Weight::durable()) };
        let is_strange = message.iter().any(|(Text(name), value)| is_strange(name, value.get()));
        if line.error.is_some() || is_strange {
            return Some(Weight::durable());
        }
        let words = |name: &'static str| -> Option<Cow<'_, str>> {
            let Some(value) = message.get(&Text(Cow::Borrowed(name))) else { return Some(Cow::Borrowed("")) };
            serde_json::from_str::<Option<Text<'_>>>(value.get())
                .ok()
                .map(|text| text.map(|Text(text)| text).unwrap_or_default())
        };
        let (thought, said) = (words("thinking")?, words("content")?);
        if !thought.is_empty() {
            self.held.push_str(&said);
            return Some(self.piece(BlockKind::Thought, line, thought.into_owned()));
        }
        if !said.is_empty() {
            let text = format!("{}{said}", std::mem::take(&mut self.held));
            return Some(self.piece(BlockKind::Message, line, text));
        }
        let calls = message.get(&Text(Cow::Borrowed("tool_calls"))).is_some_and(|calls| calls.get() != "[]");
        Some(if line.done == Some(true) || calls { Weight::durable() } else { Weight::Ephemeral })
    }

    fn piece(&mut self, kind: BlockKind, line: &Line<'_>, text: String) -> Weight {
        let open = if kind == BlockKind::Message { &mut self.message } else { &mut self.thought };
        let block = open.get_or_insert_with(|| {
            self.count += 1;
            let began = line.created_at.as_ref().map(|Text(at)| at.as_ref()).unwrap_or_default();
            format!("ollama/{began}/{}", self.count)
        });
        Weight::Delta(Delta { block: block.clone(), kind, parent: None, text })
    }

    fn output(&mut self, id: String, text: &str) -> Weight {
        let block = output_block(&id);
        self.outputs.insert(id.clone());
        Weight::Delta(Delta { block, kind: BlockKind::ToolOutput, parent: Some(id), text: text.to_owned() })
    }
}

fn output_block(id: &str) -> String {
    format!("ollama/output/{id}")
}
