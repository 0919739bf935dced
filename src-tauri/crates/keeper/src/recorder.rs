//! Writes what happens into the session's journal, and says so when it cannot.
//!
//! A full or dead disk ends the recording, never the agent: records still reach live readers, and wait in memory until they can be
//! written. Their numbers are noted beside the journal, so that they are not given out again should the keeper die meanwhile.

use std::time::Duration;

use jiff::Timestamp;
use journal::{Appended, Backlog, Entry, JournalError, JournalWriter, Syncer};
use protocol::limits::{FSYNC_EVERY, FSYNC_PARTIALS_EVERY, UNWRITTEN_BYTES};
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
    unsynced: Unsynced,
    syncing: Option<JoinHandle<()>>,
}

/// What was written that the disk may not have yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unsynced {
    Nothing,
    /// Parts of blocks that are still open.
    Partials,
    Records,
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
            unsynced: Unsynced::Records,
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

    /// How soon what was written is to be put on the disk, if the disk may lack any. Each time costs the file's last page once more, and
    /// parts are small and are written often: they wait for what comes after them, but not for long.
    #[must_use]
    pub(crate) fn sync_within(&self) -> Option<Duration> {
        match self.unsynced {
            Unsynced::Nothing => None,
            Unsynced::Partials => Some(FSYNC_PARTIALS_EVERY),
            Unsynced::Records => Some(FSYNC_EVERY),
        }
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
        self.unsynced = self.unsynced.max(Unsynced::by(entries));
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
                self.unsynced = Unsynced::Records;
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
        if self.unsynced == Unsynced::Nothing || self.syncing.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        match self.writer.syncer() {
            Ok(syncer) => {
                self.unsynced = Unsynced::Nothing;
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

impl Unsynced {
    /// What writing these leaves.
    fn by(entries: &[Entry<'_>]) -> Self {
        let is_partial = |entry: &Entry<'_>| matches!(entry, Entry::Host(HostRecord::Partial { .. }));
        if entries.iter().all(is_partial) { Self::Partials } else { Self::Records }
    }
}

fn sync(syncer: &Syncer) {
    if let Err(error) = syncer.sync_data() {
        tracing::warn!(%error, "fsync of the journal failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::SessionFolder;
    use protocol::SessionId;
    use protocol::record::BlockKind;

    fn recorder(folder: &tempfile::TempDir) -> Recorder {
        let session = SessionId::new();
        let folder = SessionFolder::create(folder.path(), session).unwrap();
        let (writer, _) = JournalWriter::open(&folder, session, 1).unwrap();
        Recorder::new(writer)
    }

    fn part() -> HostRecord {
        let (block, text) = ("m/0".to_owned(), "so far".to_owned());
        HostRecord::Partial { block, kind: BlockKind::Message, parent: None, from: 0, text }
    }

    #[tokio::test]
    async fn parts_of_a_block_are_put_on_the_disk_later_than_records_and_not_instead_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut recorder = recorder(&folder);
        recorder.finish().await;
        assert_eq!(recorder.sync_within(), None);
        recorder.host(&part());
        assert_eq!(recorder.sync_within(), Some(FSYNC_PARTIALS_EVERY));
        recorder.host(&HostRecord::InterruptAsked);
        recorder.host(&part());
        assert_eq!(recorder.sync_within(), Some(FSYNC_EVERY));
        recorder.sync();
        assert_eq!(recorder.sync_within(), None);
    }

    #[tokio::test]
    async fn what_comes_while_the_disk_is_busy_is_put_on_it_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let mut recorder = recorder(&folder);
        recorder.finish().await;
        recorder.syncing = Some(tokio::spawn(std::future::pending()));
        recorder.host(&HostRecord::InterruptAsked);
        recorder.sync();
        assert_eq!(recorder.sync_within(), Some(FSYNC_EVERY), "it is still to be done");
        recorder.syncing.take().unwrap().abort();
        recorder.sync();
        assert_eq!(recorder.sync_within(), None);
    }
}
