//! What an adapter is: how a provider's event is weighed before it is journaled, and folded into items after.
//!
//! Weighing and folding are separate because they happen in different processes at different times: a keeper weighs each live
//! event once, readers fold the durable ones, perhaps years later.

use protocol::record::BlockKind;

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
}

/// The adapter of this name, as a manifest gives it.
#[must_use]
pub fn adapter(name: &str) -> Option<Box<dyn Adapter>> {
    let _ = name;
    None
}
