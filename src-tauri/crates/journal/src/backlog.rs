//! Records that could not be written yet: kept in memory in their order, and written as soon as writing works again.
//!
//! Within its limit nothing is lost. Beyond it the oldest are dropped, and a notice in the journal names them. Their numbers are
//! noted beside the journal before anybody sees them, so that whoever comes after a crash does not use one twice. When it is tried
//! again is its owner's business.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use bytes::Buf;
use jiff::Timestamp;

use crate::encode::Entry;
use crate::error::JournalError;
use crate::missing;
use crate::writer::{Appended, JournalWriter};

/// See the module.
#[derive(Debug)]
pub struct Backlog {
    records: VecDeque<Appended>,
    bytes: usize,
    limit: usize,
    /// The first record that could not be written since the journal had all.
    since: Option<u64>,
    /// What was dropped and is not told in the journal yet.
    dropped: Vec<RangeInclusive<u64>>,
}

impl Backlog {
    /// An empty one that holds at most `limit` bytes of records.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { records: VecDeque::new(), bytes: 0, limit, since: None, dropped: Vec::new() }
    }

    /// Whether the journal has everything, or says what it lacks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.since.is_none()
    }

    /// The records that are only here.
    pub fn records(&self) -> impl Iterator<Item = &Appended> {
        self.records.iter()
    }

    /// How many records the journal lacks now, those that were dropped included.
    #[must_use]
    pub fn count(&self) -> u64 {
        let waiting = self.records.iter().map(|records| records.last - records.first + 1).sum::<u64>();
        waiting + self.dropped.iter().map(|range| range.end() - range.start() + 1).sum::<u64>()
    }

    /// Writes records that [`JournalWriter::encode`] has just made, or keeps them behind those that wait already.
    ///
    /// # Errors
    /// When they had to be kept because the file system refuses. While others wait it is not asked: that is
    /// [`Self::catch_up`]'s business.
    pub fn take(&mut self, writer: &mut JournalWriter, records: &Appended) -> Result<(), JournalError> {
        let written = if self.is_empty() { writer.write(records) } else { Ok(()) };
        if self.is_empty() && written.is_ok() {
            return Ok(());
        }
        let since = *self.since.get_or_insert(records.first);
        writer.note_shown(&(since..=records.last));
        self.bytes += records.bytes.len();
        self.records.push_back(records.clone());
        self.shrink();
        written
    }

    /// Writes what waits, oldest first, then a notice of what was dropped. The notice is a new record, for readers to be shown.
    ///
    /// # Errors
    /// When the file system still refuses; what has been written by then does not wait any more.
    pub fn catch_up(&mut self, writer: &mut JournalWriter, at: Timestamp) -> Result<Option<Appended>, JournalError> {
        while let Some(records) = self.records.front() {
            writer.write(records)?;
            self.bytes -= records.bytes.len();
            self.records.pop_front();
        }
        let mut notice = None;
        if !self.dropped.is_empty() {
            notice = Some(writer.append(at, &[Entry::Host(&missing::notice(&self.dropped))])?);
            self.dropped.clear();
        }
        self.since = None;
        Ok(notice)
    }

    fn shrink(&mut self) {
        while self.bytes > self.limit {
            let Some(oldest) = self.records.front_mut() else { return };
            let line = memchr::memchr(b'\n', &oldest.bytes).map_or(oldest.bytes.len(), |at| at + 1);
            let seq = oldest.first;
            oldest.bytes.advance(line);
            oldest.first += 1;
            self.bytes -= line;
            if oldest.bytes.is_empty() {
                self.records.pop_front();
            }
            match self.dropped.last_mut() {
                Some(range) if range.end() + 1 == seq => *range = *range.start()..=seq,
                Some(_) | None => self.dropped.push(seq..=seq),
            }
        }
    }
}
