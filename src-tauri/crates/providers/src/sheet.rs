//! The sheet on which a fold writes: items that may still change, and what changed with the current record.
//!
//! Finished items leave at once, so a fold over a journal of any length stays small. The sheet names items: `<seq>.<n>`, the record
//! that opened the item and its place among the items of that record.

use std::collections::BTreeMap;

use protocol::item::{Item, ItemBody};

/// An item that is new or has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemChange {
    /// The item as it is now.
    pub item: Item,
    /// The live item whose place it takes.
    pub replaces: Option<String>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Sheet {
    seq: u64,
    at: String,
    closes: Option<String>,
    next: u32,
    open: BTreeMap<String, Item>,
    changes: Vec<ItemChange>,
}

impl Sheet {
    /// An empty sheet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Turns to a record: its number, its time, and the open block that it finishes.
    pub fn begin(&mut self, seq: u64, at: &str, closes: Option<&str>) {
        self.settle();
        self.seq = seq;
        self.at.clear();
        self.at.push_str(at);
        self.closes = closes.map(str::to_owned);
        self.next = 0;
    }

    /// When the current record was written.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.at
    }

    /// Adds an item that will not change. `parent` is the provider's id of the tool call that it belongs to.
    ///
    /// The first message, thought or tool call of a record that finishes a block takes the place of that block's text.
    pub fn add(&mut self, parent: Option<&str>, body: ItemBody) {
        let item = self.make(parent, body);
        self.emit(item);
    }

    /// Adds an item that later records may change under `key`. An item already open under this key is forgotten, not removed.
    pub fn open(&mut self, key: &str, parent: Option<&str>, body: ItemBody) {
        let item = self.make(parent, body);
        let item = self.emit(item);
        self.open.insert(key.to_owned(), item);
    }

    /// Changes an open item. False when none is open under this key.
    ///
    /// When the record finishes a block and the item is a tool call, the block was that call's output: its live text gives way.
    pub fn change(&mut self, key: &str, edit: impl FnOnce(&mut ItemBody)) -> bool {
        let Some(item) = self.open.get_mut(key) else { return false };
        edit(&mut item.body);
        item.last_seq = self.seq;
        let item = item.clone();
        let finished = if is_block(&item.body) { self.closes.take() } else { None };
        if let Some(block) = &finished {
            self.open.remove(&partial_key(block));
        }
        self.push(item, finished.as_deref().map(live_id));
        true
    }

    /// Changes an open item if `edit` says that it did.
    pub fn change_if(&mut self, key: &str, edit: impl FnOnce(&mut ItemBody) -> bool) {
        let Some(item) = self.open.get_mut(key) else { return };
        if edit(&mut item.body) {
            item.last_seq = self.seq;
            let item = item.clone();
            self.push(item, None);
        }
    }

    /// Says that the current record finishes a block, for records that are themselves the joined block.
    pub fn finish(&mut self, block: &str) {
        self.closes = Some(block.to_owned());
    }

    /// The id of an open item.
    #[must_use]
    pub fn id_of(&self, key: &str) -> Option<String> {
        self.open.get(key).map(|item| item.id.clone())
    }

    /// The body of an open item.
    #[must_use]
    pub fn peek(&self, key: &str) -> Option<&ItemBody> {
        self.open.get(key).map(|item| &item.body)
    }

    /// Forgets an open item: it will not change any more.
    pub fn close(&mut self, key: &str) {
        self.open.remove(key);
    }

    /// The keys of the open items that begin with `prefix`, in order.
    #[must_use]
    pub fn open_keys(&self, prefix: &str) -> Vec<String> {
        self.open.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    /// The items that may still change, in no order that means anything.
    pub fn open_items(&self) -> impl Iterator<Item = &Item> {
        self.open.values()
    }

    /// What changed since the last call, in order; each item once, as it is now.
    pub fn take(&mut self) -> Vec<ItemChange> {
        self.settle();
        std::mem::take(&mut self.changes)
    }

    /// A record that finished a block but gave no item for it leaves what was streamed as it is: broken off.
    fn settle(&mut self) {
        let Some(block) = self.closes.take() else { return };
        let Some(mut item) = self.open.remove(&partial_key(&block)) else { return };
        if let ItemBody::AgentMessage { open, .. } | ItemBody::Thought { open, .. } = &mut item.body {
            *open = false;
        }
        item.last_seq = self.seq;
        self.push(item, Some(live_id(&block)));
    }

    fn make(&mut self, parent: Option<&str>, body: ItemBody) -> Item {
        let id = format!("{}.{}", self.seq, self.next);
        self.next += 1;
        Item { id, seq: self.seq, last_seq: self.seq, at: self.at.clone(), parent: parent.map(str::to_owned), body }
    }

    /// Emits a new item; when it finishes a block, it takes over from the block's live text and from its partial record.
    fn emit(&mut self, mut item: Item) -> Item {
        let mut replaces = None;
        if is_block(&item.body)
            && let Some(block) = self.closes.take()
        {
            if let Some(partial) = self.open.remove(&partial_key(&block)) {
                item.id = partial.id;
                item.seq = partial.seq;
                item.at = partial.at;
            }
            replaces = Some(live_id(&block));
        }
        self.push(item.clone(), replaces);
        item
    }

    fn push(&mut self, item: Item, replaces: Option<String>) {
        match self.changes.iter_mut().find(|change| change.item.id == item.id) {
            Some(change) => {
                change.item = item;
                change.replaces = change.replaces.take().or(replaces);
            }
            None => self.changes.push(ItemChange { item, replaces }),
        }
    }
}

/// The key under which the item of a `partial` record is open.
#[must_use]
pub fn partial_key(block: &str) -> String {
    format!("partial:{block}")
}

/// The id of the live item that shows an open block.
#[must_use]
pub fn live_id(block: &str) -> String {
    format!("live:{block}")
}

fn is_block(body: &ItemBody) -> bool {
    match body {
        ItemBody::AgentMessage { .. } | ItemBody::Thought { .. } | ItemBody::ToolCall(_) => true,
        ItemBody::UserMessage { .. }
        | ItemBody::Plan { .. }
        | ItemBody::Permission(_)
        | ItemBody::Opened { .. }
        | ItemBody::TurnEnd { .. }
        | ItemBody::Notice { .. }
        | ItemBody::Error { .. }
        | ItemBody::Pod { .. }
        | ItemBody::Ended { .. }
        | ItemBody::Unknown { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use protocol::record::NoticeLevel;

    use super::*;

    fn message(text: &str, open: bool) -> ItemBody {
        ItemBody::AgentMessage { text: text.into(), open }
    }

    #[test]
    fn a_finished_block_takes_the_place_of_its_partial() {
        let mut sheet = Sheet::new();
        sheet.begin(4, "t4", None);
        sheet.open(&partial_key("m/0"), None, message("so f", true));
        assert_eq!(sheet.take()[0].item.id, "4.0");
        sheet.begin(5, "t5", Some("m/0"));
        sheet.add(None, message("so far so good", false));
        let changes = sheet.take();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].item.id, "4.0");
        assert_eq!(changes[0].item.last_seq, 5);
        assert_eq!(changes[0].replaces.as_deref(), Some("live:m/0"));
        assert!(sheet.open_keys("partial:").is_empty());
    }

    #[test]
    fn several_changes_of_one_item_by_one_record_are_one_change() {
        let mut sheet = Sheet::new();
        sheet.begin(1, "t", None);
        sheet.open("a", None, message("x", true));
        sheet.change("a", |body| *body = message("xy", false));
        let changes = sheet.take();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].item.body, message("xy", false));
        assert!(!sheet.change("b", |_| ()));
    }

    #[test]
    fn a_block_that_broke_off_stays_as_far_as_it_came() {
        let mut sheet = Sheet::new();
        sheet.begin(4, "t4", None);
        sheet.open(&partial_key("m/0"), None, message("so f", true));
        sheet.begin(5, "t5", Some("m/0"));
        sheet.add(None, ItemBody::Notice { level: NoticeLevel::Warning, code: "retry".into(), text: String::new() });
        let bodies: Vec<_> = sheet.take().into_iter().map(|change| (change.item.id, change.item.body)).collect();
        assert_eq!(bodies[0], ("4.0".into(), message("so f", false)));
        assert!(sheet.open_keys("partial:").is_empty());
    }

    #[test]
    fn what_follows_a_finished_block_in_its_record_has_the_same_id_with_and_without_the_partial() {
        let after = |with_partial: bool| {
            let mut sheet = Sheet::new();
            sheet.begin(4, "t4", None);
            if with_partial {
                sheet.open(&partial_key("m/0"), None, message("so f", true));
            }
            sheet.begin(5, "t5", Some("m/0"));
            sheet.add(None, message("so far", false));
            sheet.add(None, ItemBody::Plan { entries: Vec::new() });
            sheet.take().pop().map(|change| change.item.id)
        };
        assert_eq!(after(true).as_deref(), Some("5.1"));
        assert_eq!(after(false).as_deref(), Some("5.1"));
    }
}
