//! Where a fold has to begin so that it knows every item which may change after a given record.

use journal::{ItemIndex, JournalReader, SessionFolder};

use crate::error::TranscriptError;
use crate::fold::maker;

/// The offset in the journal at which a reader who has seen everything up to `from_seq` begins to fold. What changes with records up
/// to `from_seq` it has seen already.
///
/// # Errors
/// When the journal or its index cannot be read.
pub fn resume_at(folder: &SessionFolder, adapter: &str, from_seq: u64) -> Result<u64, TranscriptError> {
    if from_seq == 0 {
        return Ok(0);
    }
    let index = ItemIndex::load(&folder.items(), maker(adapter))?;
    if index.covered_seq <= from_seq {
        return Ok(index.covered_offset);
    }
    let changed_later = index.entries.iter().filter(|entry| entry.last_seq > from_seq).map(|entry| entry.offset).min();
    let next = JournalReader::open(&folder.journal())?.offset_after(from_seq)?;
    Ok(changed_later.map_or(next, |offset| offset.min(next)))
}
