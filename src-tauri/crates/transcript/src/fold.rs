//! Folds records into items, one line of a journal after the other.
//!
//! A line that is damaged is passed over and reported; it never ends the fold.

use journal::{SessionFolder, blobs};
use protocol::item::{Item, ItemBody};
use protocol::record::{HostRecord, NoticeLevel, Record, Source};
use protocol::runner::{RunnerHead, RunnerLine};
use providers::{Adapter, ItemChange, Sheet};

use crate::damage::Damage;
use crate::{host, runner};

/// How much of a line that was no JSON is shown.
const TEXT_SHOWN: usize = 2000;

/// The state of a fold. Small: finished items leave it.
pub struct Fold {
    folder: SessionFolder,
    sheet: Sheet,
    adapter: Box<dyn Adapter>,
    turn_began: Option<String>,
}

/// What one line gave.
#[derive(Debug, Default)]
pub struct Folded {
    /// The record's number; 0 for the header and damaged lines.
    pub seq: u64,
    /// New and changed items, in order.
    pub changes: Vec<ItemChange>,
    /// Set when the line could not be understood, or a long text of it is gone.
    pub damage: Option<Damage>,
}

impl Fold {
    /// A fold of the session in this folder, with the adapter of this name. Unknown names fold with `raw`: every event stays
    /// visible as JSON.
    #[must_use]
    pub fn new(folder: &SessionFolder, adapter: &str) -> Self {
        Self { folder: folder.clone(), sheet: Sheet::new(), adapter: adapter_or_plain(adapter), turn_began: None }
    }

    /// Folds one line of a journal, without its newline. Its long texts are fetched from the files that have them.
    pub fn line(&mut self, line: &[u8]) -> Folded {
        let blobs::Expanded { line, lost } = blobs::expand(self.folder.path(), line);
        let folded = self.whole_line(&line);
        if lost.is_empty() {
            return folded;
        }
        Folded { damage: Some(Damage::new(lost.join("; "))), ..folded }
    }

    fn whole_line(&mut self, line: &[u8]) -> Folded {
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            Err(error) => return damaged(format!("not UTF-8: {error}")),
        };
        let record: Record<'_> = match serde_json::from_str(text) {
            Ok(record) => record,
            Err(_) if text.starts_with("{\"type\":\"journal\"") => return Folded::default(),
            Err(error) => return damaged(error.to_string()),
        };
        self.sheet.begin(record.seq, record.at, record.closes.as_deref());
        match record.src {
            Source::Host => self.host(&record),
            Source::Runner => self.runner(&record),
        }
        Folded { seq: record.seq, changes: self.sheet.take(), damage: None }
    }

    /// Whether no item can still change: folding may begin after this record as if nothing had come before.
    #[must_use]
    pub fn is_quiescent(&self) -> bool {
        self.sheet.open_keys("").is_empty()
    }

    /// The items that may still change, in no order that means anything.
    pub fn open_items(&self) -> impl Iterator<Item = &Item> {
        self.sheet.open_items()
    }

    /// The id of the item that shows a tool call which has not ended.
    #[must_use]
    pub fn tool_item(&self, tool_call_id: &str) -> Option<String> {
        self.sheet.id_of(&format!("tool:{tool_call_id}"))
    }

    fn host(&mut self, record: &Record<'_>) {
        let Some(line) = record.line else { return };
        match serde_json::from_str::<HostRecord>(line.get()) {
            Ok(event) => host::fold(&mut self.sheet, event),
            Err(_) => self.unknown("host", line.get()),
        }
    }

    fn runner(&mut self, record: &Record<'_>) {
        let Some(line) = record.line else {
            self.text(record);
            return;
        };
        let text = line.get();
        match serde_json::from_str::<RunnerHead<'_>>(text) {
            Ok(RunnerHead { r#type, event: Some(event) }) if r#type == "agent_event" => {
                self.adapter.fold(event.get(), &mut self.sheet);
            }
            Ok(head) => match protocol::json::parse_tolerant::<RunnerLine>(text) {
                Ok(RunnerLine::Unknown) | Err(_) => self.unknown(&head.r#type, text),
                Ok(line) => runner::fold(&mut self.sheet, &mut self.turn_began, line),
            },
            // An object without a type may be a bare event of the provider.
            Err(_) => self.adapter.fold(text, &mut self.sheet),
        }
    }

    fn text(&mut self, record: &Record<'_>) {
        let text = record.text.as_deref().unwrap_or_default();
        let shown = text.char_indices().nth(TEXT_SHOWN).map_or(text, |(at, _)| &text[..at]);
        let (level, code, text) = match record.cut_from {
            Some(whole) => {
                let text = format!("A line of {whole} bytes was longer than the limit and was cut. It begins: {shown}");
                (NoticeLevel::Error, "line_cut", text)
            }
            None => (NoticeLevel::Info, "text_line", shown.to_owned()),
        };
        self.sheet.add(None, ItemBody::Notice { level, code: code.to_owned(), text });
    }

    fn unknown(&mut self, label: &str, json: &str) {
        let raw = protocol::json::parse_tolerant(json).unwrap_or_else(|_| serde_json::Value::String(json.to_owned()));
        self.sheet.add(None, ItemBody::Unknown { label: label.to_owned(), raw });
    }
}

fn damaged(why: String) -> Folded {
    Folded { damage: Some(Damage::new(why)), ..Folded::default() }
}

/// The adapter of this name. In place of one that this program does not know comes one that shows every event as JSON.
#[must_use]
pub fn adapter_or_plain(name: &str) -> Box<dyn Adapter> {
    providers::adapter(name).unwrap_or_else(|| Box::new(Plain))
}

/// The mark of this fold on an index: another adapter or another version of Outrigger may find other items.
pub(crate) fn maker(adapter: &str) -> u64 {
    // FNV-1a: short, and the same on every machine, which the standard library's hash does not promise.
    let words = [env!("CARGO_PKG_VERSION"), "/", adapter];
    words
        .iter()
        .flat_map(|word| word.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Stands in for an adapter that this program does not know.
struct Plain;

impl Adapter for Plain {
    fn weigh(&mut self, _event: &str) -> providers::Weight {
        providers::Weight::durable()
    }

    fn fold(&mut self, event: &str, sheet: &mut Sheet) {
        let raw = protocol::json::parse_tolerant(event).unwrap_or_else(|_| serde_json::Value::String(event.to_owned()));
        sheet.add(None, ItemBody::Unknown { label: "event".to_owned(), raw });
    }
}
