//! Sends one reader what it has not seen: records or items, text as it streams, and the pod's status.
//!
//! A reader that falls behind reads from the journal at its own pace; it never skips, never repeats, and never slows the agent.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bytes::Bytes;
use journal::reader::seq_of;
use journal::{Forward, JournalReader, SessionFolder};
use protocol::item::{Item, ItemBody};
use protocol::limits::EVENT_BYTES;
use protocol::pod::{SessionEvent, SubscribeParams, Want};
use protocol::record::BlockKind;
use providers::sheet::live_id;
use serde::de::IgnoredAny;
use transcript::Fold;

use crate::events::Events;
use crate::feed::{Cursor, Feed, Look, OpenBlock, Records};
use crate::outbox::{HungUp, Outbox};

/// Follows the feed until the session is over or the reader is gone.
pub(crate) async fn follow(
    feed: Arc<Feed>,
    folder: SessionFolder,
    adapter: &str,
    params: SubscribeParams,
    outbox: Outbox,
) {
    let subscription = match Subscription::begin(&folder, adapter, &params) {
        Ok(subscription) => subscription,
        Err(error) => {
            tracing::error!(%error, "failed to follow the session");
            return;
        }
    };
    // A reader that has hung up has all it wanted.
    let _ = subscription.run(&feed, &outbox).await;
}

struct Subscription {
    folder: SessionFolder,
    from_seq: u64,
    deltas: bool,
    shape: Shape,
    cursor: Cursor,
    behind: Option<Forward>,
    events: Events,
    told_caught_up: bool,
}

enum Shape {
    Records,
    Items(Box<Items>),
    Status,
}

struct Items {
    fold: Fold,
    /// Live items on the reader's screen, by the block's instance.
    shown: HashMap<u64, String>,
    /// Open blocks that are a tool's output, by the tool call.
    outputs: HashMap<String, u64>,
}

impl Subscription {
    fn begin(
        folder: &SessionFolder,
        adapter: &str,
        params: &SubscribeParams,
    ) -> Result<Self, transcript::TranscriptError> {
        let reader = JournalReader::open(&folder.journal())?;
        let (shape, offset) = match params.want {
            Want::Records => (Shape::Records, None),
            Want::Status => (Shape::Status, None),
            Want::Items => {
                let items = Items { fold: Fold::new(folder, adapter), shown: HashMap::new(), outputs: HashMap::new() };
                (Shape::Items(Box::new(items)), Some(transcript::resume_at(folder, adapter, params.from_seq)?))
            }
        };
        // A fold begins before `from_seq`; what it gives up to there is not sent.
        let behind = offset.map(|offset| reader.forward(offset)).transpose()?;
        let seq = if behind.is_some() { 0 } else { params.from_seq };
        Ok(Self {
            folder: folder.clone(),
            from_seq: params.from_seq,
            deltas: params.deltas,
            shape,
            cursor: Cursor { seq, ..Cursor::default() },
            behind,
            events: Events::default(),
            told_caught_up: false,
        })
    }

    async fn run(mut self, feed: &Feed, outbox: &Outbox) -> Result<(), HungUp> {
        let mut changes = feed.changes();
        loop {
            changes.borrow_and_update();
            let look = feed.look(&self.cursor, self.deltas);
            let caught_up = self.records(&look, outbox).await?;
            if caught_up {
                self.blocks(&look);
                self.status(&look);
                self.tell_caught_up();
            }
            self.flush(outbox).await?;
            if !caught_up {
                self.told_caught_up = false;
                continue;
            }
            if look.over || changes.changed().await.is_err() {
                outbox.flushed().await;
                return Ok(());
            }
        }
    }

    /// Sends records. True when the reader has all that the look saw.
    async fn records(&mut self, look: &Look, outbox: &Outbox) -> Result<bool, HungUp> {
        if matches!(self.shape, Shape::Status) {
            self.cursor.seq = look.last_seq;
            return Ok(true);
        }
        if let Some(forward) = self.behind.take() {
            return self.take_journal(forward, look.last_seq, outbox).await;
        }
        match &look.records {
            Records::None => Ok(true),
            Records::Recent(pieces) => {
                self.take_recent(pieces, outbox).await?;
                Ok(true)
            }
            Records::InJournal { oldest_recent } => match self.open_journal() {
                Some(forward) => {
                    let before = self.cursor.seq;
                    let caught_up = self.take_journal(forward, look.last_seq, outbox).await?;
                    if self.cursor.seq == before {
                        // What a full disk and a full backlog have cost is gone once it has left memory; go on with what there is.
                        self.cursor.seq = oldest_recent.map_or(look.last_seq, |oldest| oldest.saturating_sub(1));
                    }
                    Ok(caught_up)
                }
                None => Err(HungUp),
            },
        }
    }

    async fn take_recent(&mut self, pieces: &[Bytes], outbox: &Outbox) -> Result<(), HungUp> {
        for piece in pieces {
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', piece) {
                let line = &piece[start..end];
                start = end + 1;
                if seq_of(line).is_some_and(|seq| seq > self.cursor.seq) {
                    self.line(line);
                    self.flush_if_large(outbox).await?;
                }
            }
        }
        Ok(())
    }

    /// Reads on until the newest record that the look saw, or the end of the file.
    async fn take_journal(&mut self, mut forward: Forward, last_seq: u64, outbox: &Outbox) -> Result<bool, HungUp> {
        loop {
            let line = match forward.next() {
                Ok(Some((_, line))) => line,
                Ok(None) => return Ok(self.cursor.seq >= last_seq),
                Err(error) => {
                    tracing::error!(%error, "failed to read the journal for a reader");
                    return Err(HungUp);
                }
            };
            if seq_of(line).is_none_or(|seq| seq > self.cursor.seq) && self.can_take(line) {
                self.line(line);
            }
            if self.events.size() > EVENT_BYTES {
                self.flush(outbox).await?;
                tokio::task::yield_now().await;
            }
            if self.cursor.seq >= last_seq {
                return Ok(true);
            }
        }
    }

    /// Records are sent as they stand, so one that was damaged since it was written would make the whole event unreadable. A fold
    /// tells of damage itself.
    fn can_take(&self, line: &[u8]) -> bool {
        match self.shape {
            Shape::Records => {
                let text = std::str::from_utf8(line).ok();
                let whole = text.is_some_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
                if !whole {
                    tracing::warn!(after = self.cursor.seq, "a damaged line of the journal was passed over");
                }
                whole
            }
            Shape::Items(_) | Shape::Status => true,
        }
    }

    fn open_journal(&self) -> Option<Forward> {
        let opened = JournalReader::open(&self.folder.journal()).and_then(|mut reader| {
            let offset = reader.offset_after(self.cursor.seq)?;
            reader.forward(offset)
        });
        opened.inspect_err(|error| tracing::error!(%error, "failed to read the journal for a reader")).ok()
    }

    fn line(&mut self, line: &[u8]) {
        let seq = seq_of(line);
        match &mut self.shape {
            Shape::Records => {
                if seq.is_some() {
                    self.events.push_record(line);
                }
            }
            Shape::Status => {}
            Shape::Items(items) => {
                let folded = items.fold.line(line);
                if let Some(damage) = folded.damage {
                    tracing::warn!(why = damage.why, "a damaged line of the journal was passed over");
                }
                if folded.seq > self.from_seq {
                    for change in folded.changes {
                        items.send(change, &mut self.cursor, &mut self.events);
                    }
                }
            }
        }
        if let Some(seq) = seq {
            self.cursor.seq = self.cursor.seq.max(seq);
        }
    }

    fn blocks(&mut self, look: &Look) {
        if let (true, Shape::Items(items)) = (self.deltas, &mut self.shape) {
            items.blocks(look, &mut self.cursor, &mut self.events);
        }
    }

    fn status(&mut self, look: &Look) {
        if let Some((status, version)) = &look.status {
            self.cursor.status_version = *version;
            self.events.push(&SessionEvent::Status { status: (**status).clone() });
        }
    }

    fn tell_caught_up(&mut self) {
        if !self.told_caught_up {
            self.told_caught_up = true;
            self.events.push(&SessionEvent::CaughtUp { seq: self.cursor.seq });
        }
    }

    async fn flush_if_large(&mut self, outbox: &Outbox) -> Result<(), HungUp> {
        if self.events.size() > EVENT_BYTES { self.flush(outbox).await } else { Ok(()) }
    }

    async fn flush(&mut self, outbox: &Outbox) -> Result<(), HungUp> {
        match self.events.take() {
            Some(line) => outbox.send(line).await,
            None => Ok(()),
        }
    }
}

impl Items {
    fn send(&mut self, change: providers::ItemChange, cursor: &mut Cursor, events: &mut Events) {
        let providers::ItemChange { item, replaces } = change;
        let shown = replaces.filter(|id| {
            let instance = self.shown.iter().find(|(_, shown)| *shown == id).map(|(instance, _)| *instance);
            instance.is_some_and(|instance| self.shown.remove(&instance).is_some())
        });
        if let ItemBody::ToolCall(call) = &item.body
            && let Some(instance) = self.outputs.get(&call.tool_call_id)
        {
            // The item replaces what the reader shows of it, so the output so far is sent again.
            cursor.blocks.insert(*instance, 0);
        }
        events.push(&SessionEvent::Item { item, replaces: shown });
    }

    fn blocks(&mut self, look: &Look, cursor: &mut Cursor, events: &mut Events) {
        let open = |instance: &u64| look.blocks.iter().any(|(block, _)| block.instance == *instance);
        self.shown.retain(|instance, id| {
            let stays = open(instance);
            if !stays {
                events.push(&SessionEvent::Remove { id: id.clone() });
            }
            stays
        });
        self.outputs.retain(|_, instance| open(instance));
        cursor.blocks.retain(|instance, _| open(instance));
        for (block, has) in &look.blocks {
            self.block(block, *has, cursor, events);
        }
    }

    fn block(&mut self, block: &OpenBlock, has: usize, cursor: &mut Cursor, events: &mut Events) {
        let has_all = has + block.text.len();
        match block.kind {
            BlockKind::Message | BlockKind::Thought => {
                let id = live_id(&block.key);
                match self.shown.entry(block.instance) {
                    Entry::Vacant(place) => {
                        events.push(&SessionEvent::Item { item: live_item(&id, block), replaces: None });
                        place.insert(id);
                    }
                    Entry::Occupied(_) if block.text.is_empty() => {}
                    Entry::Occupied(_) => events.push(&SessionEvent::Append { id, text: block.text.clone() }),
                }
                cursor.blocks.insert(block.instance, has_all);
            }
            BlockKind::ToolOutput => {
                self.outputs.insert(block.key.clone(), block.instance);
                // Without its tool call there is nothing to show it in yet.
                if let Some(id) = self.fold.tool_item(&block.key) {
                    if !block.text.is_empty() {
                        events.push(&SessionEvent::Append { id, text: block.text.clone() });
                    }
                    cursor.blocks.insert(block.instance, has_all);
                }
            }
            // The finished call shows its input; half of a JSON object shows nothing.
            BlockKind::ToolInput => {
                cursor.blocks.insert(block.instance, has_all);
            }
        }
    }
}

fn live_item(id: &str, block: &OpenBlock) -> Item {
    let text = block.text.clone();
    let body = match block.kind {
        BlockKind::Thought => ItemBody::Thought { text, open: true },
        BlockKind::Message | BlockKind::ToolInput | BlockKind::ToolOutput => {
            ItemBody::AgentMessage { text, open: true }
        }
    };
    Item { id: id.to_owned(), seq: 0, last_seq: 0, at: block.at.clone(), parent: block.parent.clone(), body }
}
