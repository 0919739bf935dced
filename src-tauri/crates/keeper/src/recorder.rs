//! Writes what happens into the session's journal, and says so when it cannot.
//!
//! A full or dead disk ends the recording, never the agent: records still reach live readers, and wait in memory until they can be
//! written. Their numbers are noted beside the journal, so that they are not given out again should the keeper die meanwhile.

use jiff::Timestamp;
use journal::{Appended, Backlog, Entry, JournalError, JournalWriter, Syncer};
use protocol::limits::UNWRITTEN_BYTES;
use protocol::pod::Recording;
use protocol::record::HostRecord;
use tokio::task::JoinHandle;

/// See the module.
#[derive(Debug)]
pub(crate) struct Recorder {
    writer: JournalWriter,
    backlog: Backlog,
    recording: Recording,
    told_unnoted: bool,
    dirty: bool,
    syncing: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Takes over a writer.
    #[must_use]
    pub(crate) fn new(writer: JournalWriter) -> Self {
        Self {
            writer,
            backlog: Backlog::new(UNWRITTEN_BYTES),
            recording: Recording::On,
            told_unnoted: false,
            // What was written when the journal was opened.
            dirty: true,
            syncing: None,
        }
    }

    /// Whether what happens is being kept.
    #[must_use]
    pub(crate) fn recording(&self) -> &Recording {
        &self.recording
    }

    /// The newest record's number.
    #[must_use]
    pub(crate) fn last_seq(&self) -> u64 {
        self.writer.next_seq() - 1
    }

    /// Whether something was written that the disk may not have yet.
    #[must_use]
    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Whether the journal lacks records, so that [`Self::catch_up`] is to be called again.
    #[must_use]
    pub(crate) fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// The records that are only in memory, oldest first.
    pub(crate) fn unwritten(&self) -> impl Iterator<Item = &Appended> {
        self.backlog.records()
    }

    /// Where the written part of the journal's file ends, in bytes.
    #[must_use]
    pub(crate) fn written_bytes(&self) -> u64 {
        self.writer.end()
    }

    /// Records the entries. They are in the file when this returns, unless [`Self::recording`] says otherwise. What it returns is
    /// to be shown to readers.
    pub(crate) fn record(&mut self, entries: &[Entry<'_>]) -> Option<Appended> {
        if entries.is_empty() {
            return None;
        }
        let notice = self.catch_up();
        let records = self.writer.encode(Timestamp::now(), entries);
        if let Err(error) = self.backlog.take(&mut self.writer, &records) {
            self.is_off(&error);
        }
        self.tell_unnoted();
        self.dirty = true;
        Some(match notice {
            Some(notice) => notice.with(&records),
            None => records,
        })
    }

    /// Records one thing that Outrigger did.
    pub(crate) fn host(&mut self, record: &HostRecord) -> Option<Appended> {
        self.record(&[Entry::Host(record)])
    }

    /// Writes what could not be written before. Does nothing when there is nothing. What it returns is to be shown to readers.
    pub(crate) fn catch_up(&mut self) -> Option<Appended> {
        if !self.is_behind() {
            return None;
        }
        let waited = self.backlog.count();
        match self.backlog.catch_up(&mut self.writer, Timestamp::now()) {
            Ok(notice) => {
                tracing::info!(records = waited, lost = notice.is_some(), "the session is being recorded again");
                self.recording = Recording::On;
                self.dirty = true;
                notice
            }
            Err(error) => {
                self.is_off(&error);
                None
            }
        }
    }

    /// Puts what was written on the disk, in another thread. Does nothing while the sync before is still under way.
    pub(crate) fn sync(&mut self) {
        if !self.dirty || self.syncing.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        match self.writer.syncer() {
            Ok(syncer) => {
                self.dirty = false;
                self.syncing = Some(tokio::task::spawn_blocking(move || sync(&syncer)));
            }
            Err(error) => tracing::warn!(%error, "failed to duplicate the journal's handle for fsync"),
        }
    }

    /// Puts everything on the disk before it returns. What could not be written by now will not be.
    pub(crate) async fn finish(&mut self) {
        if self.is_behind() {
            let records = self.backlog.count();
            tracing::error!(records, "the session has ended and these records could not be written");
        }
        if let Some(task) = self.syncing.take() {
            let _ = task.await;
        }
        self.sync();
        if let Some(task) = self.syncing.take() {
            let _ = task.await;
        }
    }

    fn is_off(&mut self, error: &JournalError) {
        if self.recording == Recording::On {
            tracing::error!(%error, "the session is not being recorded");
        }
        self.recording = Recording::Off { reason: error.to_string() };
    }

    fn tell_unnoted(&mut self) {
        if let Some(error) = self.writer.note_failure()
            && !std::mem::replace(&mut self.told_unnoted, true)
        {
            tracing::warn!(%error, "should this keeper be killed while its disk is full, numbers of records may be used again");
        }
    }
}

fn sync(syncer: &Syncer) {
    if let Err(error) = syncer.sync_data() {
        tracing::warn!(%error, "fsync of the journal failed");
    }
}
