//! How records come from the task into the journal and to readers, and when the disk is asked again.
//!
//! Journal first: what is shown is in the file, or waits for it in memory, where readers find it.

use std::time::Duration;

use journal::Appended;
use protocol::limits::UNWRITTEN_AGAIN;
use protocol::record::HostRecord;
use tokio::time::Instant;

use super::PodTask;
use crate::feed::{BlockChange, Unwritten, Update};
use crate::session_meta;

/// A session that is over waits so long for a disk that is full, for its last records and for the word how it ended.
const LINGERS: Duration = Duration::from_secs(3);
/// Between two tries meanwhile.
const TRIES_EVERY: Duration = Duration::from_millis(200);

impl PodTask {
    /// Puts everything on the disk. A disk that is full for a moment costs neither the last records nor how the session ended.
    pub(super) async fn put_down(&mut self) {
        let until = Instant::now() + LINGERS;
        while (self.recorder.is_behind() || self.meta_is_behind) && Instant::now() < until {
            tokio::time::sleep(TRIES_EVERY).await;
            let notice = self.recorder.catch_up();
            self.publish(notice);
            if self.meta_is_behind {
                self.save_meta();
            }
        }
        self.recorder.finish().await;
    }

    pub(super) fn save_meta(&mut self) {
        self.said.add_to(&mut self.meta);
        self.notes.session(&self.meta);
        let written = self.folder.write_meta(&self.meta);
        if let Err(error) = &written {
            tracing::error!(%error, "the session's meta could not be written");
        }
        self.meta_is_behind = written.is_err();
    }

    /// Records that were made before there was a feed and could not be written are shown from memory as any others.
    pub(super) fn show_unwritten(&self) {
        self.hold_unwritten();
        for records in self.recorder.unwritten() {
            let update = Update { records: Some(records.clone()), ..Update::default() };
            self.feed.publish(update, &session_meta::now());
        }
    }

    pub(super) fn record(&mut self, record: &HostRecord) {
        if let HostRecord::Prompt { text, .. } = record {
            session_meta::name(&mut self.meta, text);
        }
        tracing::debug!(source = "host", record = record.name(), "host record");
        let records = self.recorder.host(record);
        self.publish(records);
    }

    /// Records what happened beside the agent.
    pub(super) fn told(&mut self, record: &HostRecord) {
        self.record(record);
        self.schedule_sync();
    }

    pub(super) fn publish(&self, records: Option<Appended>) {
        self.publish_with(records, Vec::new());
    }

    /// Shows records together with what became of open blocks: a reader is woken once, and never sees a block gone without the record
    /// that it has become.
    pub(super) fn publish_with(&self, records: Option<Appended>, blocks: Vec<BlockChange>) {
        let status = self.status();
        if self.feed.status().state != status.state {
            tracing::info!(state = status.state.name(), "the pod's state");
            self.notes.state(&status.state);
        }
        self.show(Update { records, blocks, status: Some(status), over: false });
    }

    /// Shows what changed. Readers keep what the journal does not have.
    pub(super) fn show(&self, update: Update) {
        self.hold_unwritten();
        self.feed.publish(update, &session_meta::now());
    }

    /// Writes what could not be written before, if the disk takes it now.
    pub(super) fn write_again(&mut self) {
        self.unwritten_timer = None;
        let notice = self.recorder.catch_up();
        self.publish(notice);
        self.schedule_sync();
    }

    pub(super) fn schedule_sync(&mut self) {
        if let Some(within) = self.recorder.sync_within() {
            let due = Instant::now() + within;
            self.sync_timer = Some(self.sync_timer.map_or(due, |before| before.min(due)));
        }
        if self.recorder.is_behind() && self.unwritten_timer.is_none() {
            self.unwritten_timer = Some(Instant::now() + UNWRITTEN_AGAIN);
        }
    }

    fn hold_unwritten(&self) {
        let first = self.recorder.unwritten().next().map(|records| records.first);
        self.feed.hold(first.map(|first| Unwritten { first, written_bytes: self.recorder.written_bytes() }));
    }
}
