//! What an adapter is: how a provider's event is weighed before it is journaled, and folded into items after.
//!
//! Weighing and folding are separate because they happen in different processes at different times: a keeper weighs each live
//! event once, readers fold the durable ones, perhaps years later.

use std::borrow::Cow;

use protocol::failure::FailureClass;
use protocol::item::ItemBody;
use protocol::json::{parse_tolerant, replace_lone_surrogates};
use protocol::record::{BlockKind, NoticeLevel};
use serde_json::Value;

use crate::acp::Acp;
use crate::claude::Claude;
use crate::codex::Codex;
use crate::demo::Demo;
use crate::ollama::Ollama;
use crate::opencode::Opencode;
use crate::plain::Plain;
use crate::raw::Raw;
use crate::sheet::Sheet;

/// Knows one provider's events. One instance sees the events of one session in order.
///
/// Rule for `fold`: how many items a record opens, and in which order, may depend only on that record, so that folding may begin
/// in the middle of a journal and still name the items alike. An item that an earlier record opened is changed with
/// [`Sheet::change`], which does nothing when that record was not seen.
pub trait Adapter: Send {
    /// What a keeper does with the event: journal it, or stream it, and what it says of the agent's work.
    /// Called for live events only. `event` is valid JSON; lone surrogates are possible (`protocol::json`).
    fn weigh(&mut self, event: &str) -> Weight;

    /// The same of an event that nobody has read yet, so that it need not be read twice. What this weighs is one whole JSON value. `None`
    /// when it is none, or takes more than this one look; then nothing has changed, and [`Self::weigh`] may be asked.
    fn weigh_unread(&mut self, _event: &str) -> Option<Weight> {
        None
    }

    /// Adds to the sheet what the event means for a person. An event that is not known becomes an `Unknown` item.
    fn fold(&mut self, event: &str, sheet: &mut Sheet);
}

/// What becomes of a live event.
#[derive(Debug, Clone, PartialEq)]
pub enum Weight {
    /// It is a record of the journal.
    Durable {
        /// The open block that it finishes.
        closes: Option<String>,
        /// What it says of the agent's work.
        hints: Vec<Hint>,
    },
    /// It is a piece of an open block: shown at once, not journaled.
    Delta(Delta),
    /// It carries nothing that the finished blocks do not carry too.
    Ephemeral,
    /// It says that the provider's program is there, and nothing of its work.
    KeepAlive,
}

impl Weight {
    /// A record that finishes no block and says nothing of the work.
    #[must_use]
    pub fn durable() -> Self {
        Self::Durable { closes: None, hints: Vec::new() }
    }
}

/// A piece of streamed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// Names the block within the session.
    pub block: String,
    /// What the block is.
    pub kind: BlockKind,
    /// The provider's id of the tool call that it belongs to.
    pub parent: Option<String>,
    /// What to append.
    pub text: String,
}

/// What an event says of the agent's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// A tool began.
    ToolStarted {
        /// The call.
        id: String,
        /// The tool.
        name: String,
    },
    /// A tool ended.
    ToolEnded {
        /// The call.
        id: String,
    },
    /// The agent makes its context smaller.
    CompactingStarted,
    /// It has done so.
    CompactingEnded,
    /// Something was done that must not be done twice: words of the agent are finished, or nobody knows what it was.
    Said,
    /// The provider failed for a time, and its own CLI tries again inside the turn.
    Retrying {
        /// Which attempt comes next; the first retry is 1.
        attempt: u32,
        /// How many there are at most.
        of: u32,
        /// What failed.
        class: FailureClass,
        /// How long it waits, in milliseconds, if it says so.
        after_ms: Option<u64>,
    },
}

/// The names that a manifest may give as its adapter.
pub const ADAPTERS: [&str; 8] = ["acp", "claude", "codex", "demo", "ollama", "opencode", "plain", "raw"];

/// The adapter of this name, as a manifest gives it. None when there is none of this name, see [`ADAPTERS`].
#[must_use]
pub fn adapter(name: &str) -> Option<Box<dyn Adapter>> {
    match name {
        "acp" => Some(Box::new(Acp::default())),
        "claude" => Some(Box::new(Claude::default())),
        "codex" => Some(Box::new(Codex::default())),
        "demo" => Some(Box::new(Demo)),
        "ollama" => Some(Box::new(Ollama::default())),
        "opencode" => Some(Box::new(Opencode::default())),
        "plain" => Some(Box::new(Plain)),
        "raw" => Some(Box::new(Raw)),
        _ => None,
    }
}

/// Reads `event` with `read`; when that gives nothing and the event holds half a surrogate pair, once more with that mended.
pub(crate) fn parsed<R>(event: &str, mut read: impl FnMut(&str) -> Option<R>) -> Option<R> {
    read(event).or_else(|| match replace_lone_surrogates(event) {
        Cow::Borrowed(_) => None,
        Cow::Owned(mended) => read(&mended),
    })
}

/// The event as a value. An event that cannot be read becomes an `Unknown` item and None.
pub(crate) fn readable(event: &str, sheet: &mut Sheet) -> Option<Value> {
    match parse_tolerant(event) {
        Ok(value) => Some(value),
        Err(_) => {
            sheet.add(None, unknown("unreadable", Value::String(event.to_owned())));
            None
        }
    }
}

/// An event that no adapter knows.
pub(crate) fn unknown(label: &str, raw: Value) -> ItemBody {
    ItemBody::Unknown { label: label.to_owned(), raw }
}

/// Something to know.
pub(crate) fn notice(level: NoticeLevel, code: &str, text: String) -> ItemBody {
    ItemBody::Notice { level, code: code.to_owned(), text }
}

/// Folds the event that every runner sends for a line of its CLI that was no JSON object. False when it is another event.
pub(crate) fn fold_text_line(event: &Value, sheet: &mut Sheet) -> bool {
    if event["type"] != "text_line" {
        return false;
    }
    let mut text = event["text"].as_str().unwrap_or_default().to_owned();
    if event["cut"] == true {
        let whole = event["bytes"].as_u64().map_or_else(|| "more".to_owned(), |n| format!("{n} bytes in all"));
        text = format!("{text}… (cut; {whole})");
    }
    sheet.add(None, notice(NoticeLevel::Info, "text_line", text));
    true
}
