//! Pages of a transcript, by the items' place in it, folded from just that part of the journal.
//!
//! The item index says where each item stands. It reaches to the newest record after which nothing was open; what came later is
//! folded when the transcript is opened, and the index grows by what has settled since.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use journal::{Forward, IndexEntry, ItemIndex, JournalReader, SessionFolder};
use protocol::Item;
use protocol::view::ItemPage;

use crate::damage::{self, Damage};
use crate::error::TranscriptError;
use crate::fold::{Fold, maker};

/// A session's transcript as it stood when it was opened.
pub struct Transcript {
    folder: SessionFolder,
    adapter: String,
    /// Held open, so that a compressed journal is unpacked once.
    journal: Option<JournalReader>,
    index: ItemIndex,
    tail: Tail,
    last_seq: u64,
    damage: Vec<Damage>,
    /// What became damaged after the index was made, as far as it has been read since.
    late_damage: Mutex<Vec<Damage>>,
}

/// Items behind the index, which may still change.
#[derive(Default)]
struct Tail {
    items: Vec<Item>,
    offsets: Vec<u64>,
    places: HashMap<String, usize>,
}

impl Transcript {
    /// Opens a session's transcript and brings its index up to date. A session without a journal has an empty one.
    ///
    /// # Errors
    /// When the journal cannot be read. An index that cannot be written only costs time at the next opening.
    pub fn open(folder: &SessionFolder, adapter: &str) -> Result<Self, TranscriptError> {
        if !folder.has_journal() {
            return Ok(Self::empty(folder, adapter));
        }
        Self::of(JournalReader::open(&folder.journal())?, folder, adapter)
    }

    /// The transcript of what this reader of the session's journal reads. Its index grows by what stands in the file only.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of(reader: JournalReader, folder: &SessionFolder, adapter: &str) -> Result<Self, TranscriptError> {
        let mut transcript = Self::empty(folder, adapter);
        let index = ItemIndex::load(&folder.items(), maker(adapter))?;
        if index.covered_seq > 0 && index.covered_offset <= reader.length()? {
            transcript.last_seq = index.covered_seq;
            transcript.index = index;
            transcript.damage = damage::covered(folder);
        }
        let known = transcript.index.entries.len();
        let covered = transcript.index.covered_seq;
        transcript.extend(reader.forward(transcript.index.covered_offset)?)?;
        damage::number_lines(&reader, &mut transcript.damage)?;
        let is_all_written = reader.is_all_written();
        transcript.journal = Some(reader);
        if transcript.index.covered_seq > covered && is_all_written {
            // A folder that cannot be written still shows its transcript.
            let _ = transcript.index.save(&folder.items(), known);
            let _ = damage::note_covered(folder, &transcript.damage, transcript.index.covered_offset);
        }
        Ok(transcript)
    }

    fn empty(folder: &SessionFolder, adapter: &str) -> Self {
        Self {
            folder: folder.clone(),
            adapter: adapter.to_owned(),
            journal: None,
            index: ItemIndex::empty(maker(adapter)),
            tail: Tail::default(),
            last_seq: 0,
            damage: Vec::new(),
            late_damage: Mutex::default(),
        }
    }

    /// How many items there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.index.entries.len() + self.tail.items.len()
    }

    /// How many items, from the first on, can change no more.
    #[must_use]
    pub fn settled(&self) -> usize {
        self.index.entries.len()
    }

    /// The newest record that the transcript reflects.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// How many items were opened by records before `seq`.
    #[must_use]
    pub fn place_of(&self, seq: u64) -> usize {
        let indexed = self.index.entries.partition_point(|entry| entry.seq < seq);
        if indexed < self.index.entries.len() {
            return indexed;
        }
        indexed + self.tail.items.partition_point(|item| item.seq < seq)
    }

    /// Lines of the journal that could not be understood: those found when it was opened, and those in what was read since.
    #[must_use]
    pub fn damage(&self) -> Vec<Damage> {
        let late = self.late_damage.lock().unwrap_or_else(PoisonError::into_inner);
        let new = late.iter().filter(|one| !self.damage.iter().any(|known| known.is_in_the_line_of(one)));
        self.damage.iter().chain(new).cloned().collect()
    }

    /// The items from `from` on, at most `limit`.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn page(&self, from: usize, limit: usize) -> Result<ItemPage, TranscriptError> {
        let total = self.total();
        let from = from.min(total);
        let until = from.saturating_add(limit).min(total);
        let indexed = self.index.entries.len();
        let mut items = Vec::with_capacity(until - from);
        if from < indexed {
            items.extend(self.fold_rows(from, until.min(indexed))?);
        }
        if until > indexed {
            items.extend_from_slice(&self.tail.items[from.saturating_sub(indexed)..until - indexed]);
        }
        Ok(ItemPage { items, before: from as u64, total: total as u64, last_seq: self.last_seq })
    }

    /// The newest items, at most `limit`.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn newest(&self, limit: usize) -> Result<ItemPage, TranscriptError> {
        self.page(self.total().saturating_sub(limit), limit)
    }

    fn extend(&mut self, mut lines: Forward) -> Result<(), TranscriptError> {
        let mut fold = Fold::new(&self.folder, &self.adapter);
        let path = self.folder.journal().display().to_string();
        loop {
            let next = lines.next().map_err(|source| self.reading(source))?;
            let Some((offset, line)) = next else { return Ok(()) };
            let after = offset + line.len() as u64 + 1;
            let folded = fold.line(line);
            self.damage.extend(folded.damage.map(|damage| damage.at(&path, offset)));
            for change in folded.changes {
                self.tail.put(change.item, offset);
            }
            if folded.seq > 0 {
                self.last_seq = folded.seq;
                if fold.is_quiescent() {
                    self.index.entries.extend(self.tail.settle());
                    self.index.covered_seq = folded.seq;
                    self.index.covered_offset = after;
                }
            }
        }
    }

    /// Folds the part of the journal from the first row's record to the last change of any of the rows. All rows together make up
    /// all that the index covers, so that no damage in there goes unseen.
    fn fold_rows(&self, from: usize, until: usize) -> Result<Vec<Item>, TranscriptError> {
        let rows = &self.index.entries[from..until];
        let (Some(first), Some(journal)) = (rows.first(), &self.journal) else { return Ok(Vec::new()) };
        let last_seq = rows.iter().map(|row| row.last_seq).max().unwrap_or(first.seq);
        let end = self.index.entries.get(until).map_or(self.index.covered_offset, |next| next.offset);
        let mut lines = journal.forward(if from == 0 { 0 } else { first.offset })?;
        let mut damage = Vec::new();
        let mut fold = Fold::new(&self.folder, &self.adapter);
        let mut found: HashMap<String, Item> = HashMap::with_capacity(rows.len());
        loop {
            let next = lines.next().map_err(|source| self.reading(source))?;
            let Some((offset, line)) = next else { break };
            let folded = fold.line(line);
            if offset >= end && folded.seq > last_seq {
                break;
            }
            damage.extend(folded.damage.map(|damage| damage.at(&self.folder.journal().display().to_string(), offset)));
            for change in folded.changes {
                found.insert(change.item.id.clone(), change.item);
            }
        }
        self.note_late(journal, damage)?;
        Ok(rows.iter().filter_map(|row| found.remove(&format!("{}.{}", row.seq, row.place))).collect())
    }

    fn note_late(&self, journal: &JournalReader, mut damage: Vec<Damage>) -> Result<(), TranscriptError> {
        damage::number_lines(journal, &mut damage)?;
        let mut late = self.late_damage.lock().unwrap_or_else(PoisonError::into_inner);
        for one in damage {
            if !late.iter().any(|known| known.is_in_the_line_of(&one)) {
                late.push(one);
            }
        }
        Ok(())
    }

    fn reading(&self, source: std::io::Error) -> TranscriptError {
        TranscriptError::Read { path: self.folder.journal().display().to_string(), source }
    }
}

impl Tail {
    fn put(&mut self, item: Item, offset: u64) {
        if let Some(&place) = self.places.get(&item.id) {
            self.items[place] = item;
            return;
        }
        self.places.insert(item.id.clone(), self.items.len());
        self.items.push(item);
        self.offsets.push(offset);
    }

    /// Empties the tail into rows for the index.
    fn settle(&mut self) -> Vec<IndexEntry> {
        self.places.clear();
        let offsets = std::mem::take(&mut self.offsets);
        std::mem::take(&mut self.items)
            .into_iter()
            .zip(offsets)
            .filter_map(|(item, offset)| {
                let place = item.id.split_once('.')?.1.parse().ok()?;
                Some(IndexEntry { seq: item.seq, place, offset, last_seq: item.last_seq })
            })
            .collect()
    }
}
