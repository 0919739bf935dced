//! How is a live event of opencode weighed? Reads only what that takes, because this sees every token.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use protocol::failure::FailureClass;
use protocol::record::BlockKind;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{SECOND_ACCOUNT, SILENT};
use crate::adapter::{Delta, Hint, Weight};

/// Text that is borrowed where it has no escapes.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    #[serde(borrow)]
    properties: Option<Properties<'a>>,
}

#[derive(Deserialize)]
struct Properties<'a> {
    #[serde(borrow, rename = "sessionID")]
    session: Option<Text<'a>>,
    #[serde(borrow, rename = "partID")]
    part_id: Option<Text<'a>>,
    #[serde(borrow)]
    field: Option<Text<'a>>,
    #[serde(borrow)]
    delta: Option<Text<'a>>,
    #[serde(borrow)]
    part: Option<&'a RawValue>,
    #[serde(borrow)]
    info: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    r#type: Text<'a>,
    time: Option<End>,
    #[serde(borrow, rename = "callID")]
    call: Option<Text<'a>>,
    #[serde(borrow)]
    tool: Option<Text<'a>>,
    #[serde(borrow)]
    state: Option<State<'a>>,
}

#[derive(Deserialize)]
struct End {
    #[serde(alias = "completed")]
    end: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct State<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

/// Of the metadata of a running call, what is known of its form; each tool has its own.
#[derive(Deserialize, Default)]
struct Metadata<'a> {
    #[serde(borrow)]
    output: Option<Text<'a>>,
    #[serde(borrow, rename = "sessionId")]
    session: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow)]
    role: Option<Text<'a>>,
    time: Option<End>,
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
    attempt: Option<u32>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
}

/// What is being streamed.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Parts that are open, and what each is.
    kinds: BTreeMap<String, BlockKind>,
    /// Those of them that text was streamed of.
    open: BTreeSet<String>,
    /// Calls that run, and how much of the output of each was streamed, in bytes.
    running: BTreeMap<String, usize>,
    /// Sessions of sub-agents, and the call that began each.
    tasks: BTreeMap<String, String>,
}

impl Streams {
    /// None when the event cannot be read.
    pub(super) fn weigh(&mut self, text: &str) -> Option<Weight> {
        let line: Line<'_> = serde_json::from_str(text).ok()?;
        let kind = line.r#type.0.as_ref();
        let Some(properties) = &line.properties else { return Some(Weight::durable()) };
        Some(match kind {
            "message.part.delta" => self.delta(properties),
            "message.part.updated" => self.part(properties)?,
            "message.updated" => message(properties)?,
            "session.status" => status(properties)?,
            "session.compacted" => Weight::Durable { closes: None, hints: vec![Hint::CompactingEnded] },
            "permission.asked" | "question.asked" => Weight::durable(),
            "server.heartbeat" => Weight::KeepAlive,
            _ if SILENT.contains(&kind) || kind.starts_with(SECOND_ACCOUNT) => Weight::Ephemeral,
            _ => Weight::durable(),
        })
    }

    fn parent(&self, properties: &Properties<'_>) -> Option<String> {
        let Text(session) = properties.session.as_ref()?;
        self.tasks.get(session.as_ref()).cloned()
    }

    fn delta(&mut self, properties: &Properties<'_>) -> Weight {
        let (Some(Text(part)), Some(Text(text))) = (&properties.part_id, &properties.delta) else {
            return Weight::durable();
        };
        let is_text = properties.field.as_ref().is_none_or(|Text(field)| field == "text");
        // A part that was not told of is not finished by anybody either.
        let Some(kind) = self.kinds.get(part.as_ref()).copied().filter(|_| is_text && !text.is_empty()) else {
            return Weight::Ephemeral;
        };
        self.open.insert(part.to_string());
        Weight::Delta(Delta { block: part.to_string(), kind, parent: self.parent(properties), text: text.to_string() })
    }

    fn part(&mut self, properties: &Properties<'_>) -> Option<Weight> {
        let part: Part<'_> = serde_json::from_str(properties.part?.get()).ok()?;
        let is_whole = part.time.as_ref().is_some_and(|time| time.end.is_some());
        Some(match part.r#type.0.as_ref() {
            "text" if part.time.is_some() => self.words(part.id.0.as_ref(), BlockKind::Message, is_whole),
            "reasoning" => self.words(part.id.0.as_ref(), BlockKind::Thought, is_whole),
            "tool" => self.tool(&part),
            "compaction" => Weight::Durable { closes: None, hints: vec![Hint::CompactingStarted] },
            "text" | "step-start" | "step-finish" | "snapshot" | "patch" | "file" | "agent" | "subtask" | "retry" => {
                Weight::Ephemeral
            }
            _ => Weight::durable(),
        })
    }

    fn words(&mut self, id: &str, kind: BlockKind, is_whole: bool) -> Weight {
        if !is_whole {
            self.kinds.insert(id.to_owned(), kind);
            return Weight::Ephemeral;
        }
        self.kinds.remove(id);
        let hint = (kind == BlockKind::Message).then_some(Hint::Said);
        Weight::Durable { closes: self.open.take(id), hints: hint.into_iter().collect() }
    }

    fn tool(&mut self, part: &Part<'_>) -> Weight {
        let (Some(Text(id)), Some(state)) = (&part.call, &part.state) else { return Weight::durable() };
        let metadata = state.metadata.and_then(|raw| serde_json::from_str::<Metadata<'_>>(raw.get()).ok());
        let metadata = metadata.unwrap_or_default();
        match state.status.0.as_ref() {
            "pending" => Weight::Ephemeral,
            "running" => self.runs(id, part, &metadata),
            "completed" | "error" => {
                let streamed = self.running.remove(id.as_ref()).is_some_and(|streamed| streamed > 0);
                let closes = streamed.then(|| output_block(id));
                Weight::Durable { closes, hints: vec![Hint::ToolEnded { id: id.to_string() }] }
            }
            _ => Weight::durable(),
        }
    }

    /// A running call is told again and again, each time with all of its output so far.
    fn runs(&mut self, id: &str, part: &Part<'_>, metadata: &Metadata<'_>) -> Weight {
        let name = part.tool.as_ref().map(|Text(tool)| tool.to_string()).unwrap_or_default();
        let Some(streamed) = self.running.get_mut(id) else {
            match (&metadata.session, name.as_str()) {
                (None, "task") => return Weight::Ephemeral,
                (Some(Text(child)), "task") => {
                    self.tasks.insert(child.to_string(), id.to_owned());
                }
                _ => {}
            }
            self.running.insert(id.to_owned(), 0);
            return Weight::Durable { closes: None, hints: vec![Hint::ToolStarted { id: id.to_owned(), name }] };
        };
        let output = metadata.output.as_ref().map(|Text(output)| output.as_ref()).unwrap_or_default();
        // Long output is cut at its beginning; then what is new cannot be told apart.
        let Some(new) = output.get(*streamed..).filter(|new| !new.is_empty()) else { return Weight::Ephemeral };
        *streamed = output.len();
        let parent = Some(id.to_owned());
        Weight::Delta(Delta { block: output_block(id), kind: BlockKind::ToolOutput, parent, text: new.to_owned() })
    }
}

fn output_block(id: &str) -> String {
    format!("output/{id}")
}

/// Only what is finished is a record: the same message is told again and again while it grows.
fn message(properties: &Properties<'_>) -> Option<Weight> {
    let info: Info<'_> = serde_json::from_str(properties.info?.get()).ok()?;
    let is_agents = info.role.is_some_and(|Text(role)| role == "assistant");
    let is_done = info.time.is_some_and(|time| time.end.is_some());
    Some(if is_agents && is_done { Weight::durable() } else { Weight::Ephemeral })
}

fn status(properties: &Properties<'_>) -> Option<Weight> {
    let status: Status<'_> = serde_json::from_str(properties.status?.get()).ok()?;
    Some(match status.r#type.0.as_ref() {
        "busy" | "idle" => Weight::Ephemeral,
        "retry" => {
            let said = status.message.map(|Text(message)| message.to_lowercase()).unwrap_or_default();
            // It tries for as long as it takes.
            let attempt = status.attempt.unwrap_or(1);
            Weight::Durable {
                closes: None,
                hints: vec![Hint::Retrying { attempt, of: attempt, class: class(&said), after_ms: None }],
            }
        }
        _ => Weight::durable(),
    })
}

/// opencode tells why it waits by a sentence only.
fn class(said: &str) -> FailureClass {
    if said.contains("rate limit") || said.contains("too many requests") || said.contains("rate increased") {
        FailureClass::RateLimited
    } else if said.contains("overloaded") || said.contains("capacity") {
        FailureClass::Overloaded
    } else {
        FailureClass::Unknown
    }
}
