//! How is a session shown: as text for people, or as lines of JSON?

use std::time::Instant;

use protocol::Item;
use protocol::item::ItemBody;
use protocol::pod::SessionEvent;

use crate::live_text::LiveText;
use crate::output;

/// See the module.
pub(crate) enum View {
    Text(Box<LiveText>),
    Json,
}

impl View {
    pub(crate) fn new(json: bool, short_id: String) -> Self {
        if json { Self::Json } else { Self::Text(Box::new(LiveText::new(short_id))) }
    }

    /// Whether text is wanted while it streams.
    pub(crate) fn wants_deltas(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    pub(crate) fn event(&mut self, event: &SessionEvent) {
        match (self, event) {
            (Self::Json, SessionEvent::Item { item, .. }) => json_item(item),
            (Self::Text(text), event) => text.event(event),
            (Self::Json, _) => {}
        }
    }

    /// When something is to be shown although nothing happens.
    pub(crate) fn wakes_at(&self) -> Option<Instant> {
        match self {
            Self::Text(text) => text.wakes_at(),
            Self::Json => None,
        }
    }

    /// Shows what has waited long enough.
    pub(crate) fn wake(&mut self) {
        if let Self::Text(text) = self {
            text.wake(Instant::now());
        }
    }

    /// Ends a line that is still open, for words on stderr.
    pub(crate) fn pause(&mut self) {
        if let Self::Text(text) = self {
            text.pause();
        }
    }
}

/// Prints an item of the journal. Text that is still being written comes when it is whole.
pub(crate) fn json_item(item: &Item) {
    let unfinished =
        matches!(item.body, ItemBody::AgentMessage { open: true, .. } | ItemBody::Thought { open: true, .. });
    if item.seq > 0 && !unfinished {
        output::json(item);
    }
}
