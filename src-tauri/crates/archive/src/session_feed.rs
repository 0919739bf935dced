//! How does one session get into the archive, from where it was left the last time?
//!
//! Folding begins again at the oldest item that was unfinished, so that what came of it since is found; what stands between there
//! and the end of what was read is folded twice and written in the place of what it was. Items keep their ids over that.

use std::collections::BTreeMap;
use std::path::Path;

use journal::{JournalReader, SessionFolder};
use memchr::memmem;
use protocol::item::{Item, ItemBody, ToolStatus};
use protocol::limits::ARCHIVE_LOOK_BACK_BYTES;
use protocol::record::{HostRecord, Record};
use rusqlite::Connection;
use transcript::Fold;

use crate::batch::{Batch, Mark};
use crate::error::ArchiveError;
use crate::feeding::Feeding;

/// Bytes of a journal between two looks at the clock.
const BETWEEN_LOOKS: u64 = 1024 * 1024;
/// Bytes of a journal after which the mark is written, even if nothing was found in them.
const BETWEEN_MARKS: u64 = 32 * 1024 * 1024;

/// One session that is being read.
pub(crate) struct SessionFeed<'a> {
    fold: Fold,
    mark: Mark,
    /// Where the records are that opened items which are not finished.
    opened: BTreeMap<u64, u64>,
    batch: Batch,
    /// Up to where the tables have it.
    written: u64,
    session: String,
    connection: &'a mut Connection,
    path: &'a Path,
}

impl<'a> SessionFeed<'a> {
    /// Of a session that was read up to the mark.
    pub(crate) fn new(
        connection: &'a mut Connection,
        path: &'a Path,
        folder: &SessionFolder,
        adapter: &str,
        mark: Mark,
    ) -> Self {
        let (written, batch, session) = (mark.read_to, Batch::default(), folder.name());
        let fold = Fold::new(folder, adapter);
        Self { fold, opened: BTreeMap::new(), batch, written, session, connection, path, mark }
    }

    /// Reads on until the end or until it is time to stop; whether it came to the end.
    ///
    /// # Errors
    /// When the journal cannot be read or the archive cannot be written. What was written stays.
    pub(crate) fn run(mut self, journal: &JournalReader, feeding: &Feeding<'_>) -> Result<bool, ArchiveError> {
        let mut lines = journal.forward(self.mark.resume_at)?;
        let session = self.session.clone();
        let failed = |source| ArchiveError::Reading { session: session.clone(), source };
        let mut looked = self.mark.read_to;
        while let Some((offset, line)) = lines.next().map_err(failed)? {
            let after = offset + line.len() as u64 + 1;
            self.mark.model = changed_model(line).or(self.mark.model.take());
            let folded = self.fold.line(line);
            for change in &folded.changes {
                self.take(&change.item, offset, folded.seq);
            }
            // What is folded for the second time moves no mark.
            self.mark.read_to = self.mark.read_to.max(after);
            if self.batch.is_full() || self.mark.read_to - self.written >= BETWEEN_MARKS {
                self.write()?;
            }
            if self.mark.read_to - looked >= BETWEEN_LOOKS {
                looked = self.mark.read_to;
                if feeding.is_over() {
                    self.write()?;
                    return Ok(false);
                }
            }
        }
        self.write()?;
        Ok(true)
    }

    fn take(&mut self, item: &Item, offset: u64, seq: u64) {
        if let ItemBody::Opened { model: Some(model), .. } = &item.body {
            self.mark.model = Some(model.clone());
        }
        if item.seq == seq && is_unfinished(&item.body) {
            self.opened.insert(seq, offset);
        }
        self.batch.put(item, self.mark.model.as_deref());
    }

    fn write(&mut self) -> Result<(), ArchiveError> {
        let open: Vec<u64> =
            self.fold.open_items().filter(|item| is_unfinished(&item.body)).map(|item| item.seq).collect();
        self.opened.retain(|seq, _| open.contains(seq));
        let bound = self.mark.read_to.saturating_sub(ARCHIVE_LOOK_BACK_BYTES);
        self.mark.resume_at =
            self.opened.values().copied().find(|offset| *offset >= bound).unwrap_or(self.mark.read_to);
        self.batch.write(self.connection, &self.mark).map_err(ArchiveError::sql("write", self.path))?;
        self.written = self.mark.read_to;
        Ok(())
    }
}

/// Whether more may come that is worth finding.
fn is_unfinished(body: &ItemBody) -> bool {
    match body {
        ItemBody::AgentMessage { open, .. } | ItemBody::Thought { open, .. } => *open,
        ItemBody::ToolCall(call) => match call.status {
            ToolStatus::Pending | ToolStatus::Running => true,
            ToolStatus::Completed | ToolStatus::Failed | ToolStatus::Denied | ToolStatus::Cancelled => false,
        },
        // The agent has yet to say which model it uses.
        ItemBody::Opened { native_session_id, .. } => native_session_id.is_none(),
        ItemBody::UserMessage { .. }
        | ItemBody::Plan { .. }
        | ItemBody::Permission(_)
        | ItemBody::TurnEnd { .. }
        | ItemBody::Notice { .. }
        | ItemBody::Error { .. }
        | ItemBody::Pod { .. }
        | ItemBody::Ended { .. }
        | ItemBody::Unknown { .. } => false,
    }
}

/// The model that a record of the host changes to. The transcript has it as words only.
fn changed_model(line: &[u8]) -> Option<String> {
    memmem::find(line, b"\"src\":\"host\"")?;
    memmem::find(line, b"\"changed\"")?;
    let record: Record<'_> = serde_json::from_slice(line).ok()?;
    let event: HostRecord = serde_json::from_str(record.line?.get()).ok()?;
    if let HostRecord::Changed { model, .. } = event { model } else { None }
}
