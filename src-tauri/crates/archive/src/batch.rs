//! What a piece of a journal gave, and how it gets into the tables: as a whole, in one transaction.

use std::collections::HashMap;

use jiff::Timestamp;
use protocol::archive::SearchKind;
use protocol::item::{Item, ItemBody};
use protocol::limits::ARCHIVE_BATCH_BYTES;
use protocol::runner::Usage;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::item_text;

/// Items that are kept in memory, whatever their size.
const ITEMS: usize = 10_000;

/// Items and turns of one session that wait to be written, each as it is now.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    texts: HashMap<(u64, u32), Found>,
    /// In the order of their first appearance, which is the order of time.
    order: Vec<(u64, u32)>,
    turns: Vec<Turn>,
    bytes: usize,
}

#[derive(Debug)]
struct Found {
    at: i64,
    kind: SearchKind,
    text: String,
}

#[derive(Debug)]
struct Turn {
    place: (u64, u32),
    at: i64,
    model: Option<String>,
    usage: Option<Usage>,
}

/// How far a session has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The session's row.
    pub(crate) session: i64,
    /// Where folding begins the next time.
    pub(crate) resume_at: u64,
    /// Up to where the journal has been read.
    pub(crate) read_to: u64,
    /// The model in use there.
    pub(crate) model: Option<String>,
}

impl Batch {
    /// Takes an item as it is now.
    pub(crate) fn put(&mut self, item: &Item, model: Option<&str>) {
        let Some(place) = place_of(item) else { return };
        let at = milliseconds(&item.at);
        if let ItemBody::TurnEnd { usage, .. } = &item.body {
            self.turns.push(Turn { place, at, model: model.map(str::to_owned), usage: *usage });
            return;
        }
        let Some((kind, text)) = item_text::of(&item.body) else { return };
        self.bytes += text.len();
        match self.texts.insert(place, Found { at, kind, text }) {
            Some(before) => self.bytes -= before.text.len(),
            None => self.order.push(place),
        }
    }

    /// Whether it should be written before more is read.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= ARCHIVE_BATCH_BYTES || self.order.len() + self.turns.len() >= ITEMS
    }

    /// Writes everything with how far the session has been read, and is empty again.
    pub(crate) fn write(&mut self, connection: &mut Connection, mark: &Mark) -> rusqlite::Result<()> {
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut newest = 0;
        for place in &self.order {
            if let Some(found) = self.texts.get(place) {
                newest = write_text(&change, mark.session, *place, found, newest)?;
            }
        }
        for turn in &self.turns {
            write_turn(&change, mark.session, turn)?;
        }
        change
            .prepare_cached("UPDATE sessions SET resume_at = ?2, read_to = ?3, model = ?4 WHERE id = ?1")?
            .execute(params![mark.session, whole(mark.resume_at), whole(mark.read_to), mark.model])?;
        change.commit()?;
        *self = Self::default();
        Ok(())
    }
}

/// The id of the row, after which the next one of the session belongs.
fn write_text(
    change: &Transaction<'_>,
    session: i64,
    (seq, place): (u64, u32),
    found: &Found,
    newest: i64,
) -> rusqlite::Result<i64> {
    let known: Option<i64> = change
        .prepare_cached("SELECT id FROM items WHERE session = ?1 AND seq = ?2 AND place = ?3")?
        .query_row(params![session, whole(seq), place], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        change.prepare_cached("UPDATE texts SET text = ?2 WHERE rowid = ?1")?.execute(params![id, found.text])?;
        return Ok(newest.max(id));
    }
    // The time itself is the id, or the next free number: several items may come in one millisecond.
    let mut id = found.at.max(newest + 1);
    let mut taken = change.prepare_cached("SELECT 1 FROM items WHERE id = ?1")?;
    while taken.exists([id])? {
        id += 1;
    }
    change.prepare_cached("INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        id,
        session,
        whole(seq),
        place,
        found.at,
        number(found.kind)
    ])?;
    change.prepare_cached("INSERT INTO texts (rowid, text) VALUES (?1, ?2)")?.execute(params![id, found.text])?;
    Ok(id)
}

fn write_turn(change: &Transaction<'_>, session: i64, turn: &Turn) -> rusqlite::Result<()> {
    let usage = turn.usage.unwrap_or_default();
    let tokens = |count: Option<u64>| count.map(whole);
    let mut insert =
        change.prepare_cached("INSERT OR REPLACE INTO turns VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
    insert.execute(params![
        session,
        whole(turn.place.0),
        turn.place.1,
        turn.at,
        turn.model,
        tokens(usage.input_tokens),
        tokens(usage.output_tokens),
        tokens(usage.cache_read_tokens),
        tokens(usage.cache_write_tokens),
        usage.cost_usd,
    ])?;
    Ok(())
}

/// `17.0`: the record that opened it and its place among the items of that record.
fn place_of(item: &Item) -> Option<(u64, u32)> {
    let (seq, place) = item.id.split_once('.')?;
    Some((seq.parse().ok()?, place.parse().ok()?))
}

/// Since 1970; 0 for what is no moment or lies before that.
pub(crate) fn milliseconds(at: &str) -> i64 {
    at.parse::<Timestamp>().map_or(0, |at| at.as_millisecond().max(0))
}

/// SQLite's numbers have a sign.
pub(crate) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// How a kind is kept.
pub(crate) fn number(kind: SearchKind) -> i64 {
    match kind {
        SearchKind::Prompt => 0,
        SearchKind::Message => 1,
        SearchKind::Thought => 2,
        SearchKind::ToolCall => 3,
        SearchKind::Error => 4,
    }
}

/// Nothing for a number that is not one of ours.
pub(crate) fn kind_of(number: i64) -> Option<SearchKind> {
    match number {
        0 => Some(SearchKind::Prompt),
        1 => Some(SearchKind::Message),
        2 => Some(SearchKind::Thought),
        3 => Some(SearchKind::ToolCall),
        4 => Some(SearchKind::Error),
        _ => None,
    }
}
