//! Writes what happens into the session's journal, and says so when it cannot.
//!
//! A full or dead disk ends the recording, never the agent: records still reach live readers, their numbers stay used, and when
//! writing works again a notice in the journal tells how many are missing.

use jiff::Timestamp;
use journal::{Appended, Entry, JournalWriter, Syncer};
use protocol::pod::Recording;
use protocol::record::{HostRecord, NoticeLevel};
use tokio::task::JoinHandle;

/// See the module.
#[derive(Debug)]
pub(crate) struct Recorder {
    writer: JournalWriter,
    recording: Recording,
    missing: u64,
    dirty: bool,
    syncing: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Takes over a writer.
    #[must_use]
    pub(crate) fn new(writer: JournalWriter) -> Self {
        Self { writer, recording: Recording::On, missing: 0, dirty: false, syncing: None }
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

    /// Records the entries. They are in the file when this returns, unless [`Self::recording`] says otherwise.
    pub(crate) fn record(&mut self, entries: &[Entry<'_>]) -> Option<Appended> {
        if entries.is_empty() {
            return None;
        }
        let records = if self.missing == 0 {
            self.writer.encode(Timestamp::now(), entries)
        } else {
            // Written and shown together with what comes next, so that no live reader passes it over.
            let notice = self.notice_of_missing();
            let with_notice: Vec<_> = std::iter::once(Entry::Host(&notice)).chain(entries.iter().cloned()).collect();
            self.writer.encode(Timestamp::now(), &with_notice)
        };
        match self.writer.write(&records) {
            Ok(()) => {
                if self.missing > 0 {
                    tracing::info!(missing = self.missing, "the session is being recorded again");
                }
                self.missing = 0;
                self.dirty = true;
                self.recording = Recording::On;
            }
            Err(error) => {
                if self.recording == Recording::On {
                    tracing::error!(%error, "the session is not being recorded");
                }
                // The notice took a number too, and is as little in the journal as what it tells of.
                self.missing += records.last - records.first + 1;
                self.recording = Recording::Off { reason: error.to_string() };
            }
        }
        Some(records)
    }

    /// Records one thing that Outrigger did.
    pub(crate) fn host(&mut self, record: &HostRecord) -> Option<Appended> {
        self.record(&[Entry::Host(record)])
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

    /// Puts everything on the disk before it returns.
    pub(crate) async fn finish(&mut self) {
        if let Some(task) = self.syncing.take() {
            let _ = task.await;
        }
        self.sync();
        if let Some(task) = self.syncing.take() {
            let _ = task.await;
        }
    }

    /// What the journal says in the place of the records that could not be written.
    fn notice_of_missing(&self) -> HostRecord {
        let text = format!("{} records before this one could not be written and are not in the journal.", self.missing);
        HostRecord::Notice { level: NoticeLevel::Error, code: "records_missing".to_owned(), text }
    }
}

fn sync(syncer: &Syncer) {
    if let Err(error) = syncer.sync_data() {
        tracing::warn!(%error, "fsync of the journal failed");
    }
}
