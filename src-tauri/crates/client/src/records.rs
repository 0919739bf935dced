//! The records of a session, as its journal has them: for looking closer, whether the session is live or not.

use journal::JournalReader;
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::json::parse_tolerant;
use protocol::limits::READ_PAGE;
use protocol::pod::Direction;
use serde_json::Value;

use crate::machine::Machine;

/// At most `limit` records (and [`READ_PAGE`]) after `from_seq`, or before it; backwards from 0 are the newest. In journal order,
/// whichever way was read. A damaged line is left out.
///
/// # Errors
/// When the journal cannot be read. A session without a journal has no records.
pub fn page(
    machine: &Machine,
    session: SessionId,
    from_seq: u64,
    limit: usize,
    direction: Direction,
) -> Result<Vec<Value>, WireError> {
    let failed = |error: journal::JournalError| WireError::new(ErrorCode::DataFolder, error.to_string());
    let journal = machine.folder(session).journal();
    if !journal.exists() {
        return Ok(Vec::new());
    }
    let mut reader = JournalReader::open(&journal).map_err(failed)?;
    let limit = limit.min(READ_PAGE);
    let lines = match direction {
        Direction::Forwards => reader.page_after(from_seq, limit),
        Direction::Backwards => reader.page_before(from_seq, limit),
    };
    let lines = lines.map_err(failed)?;
    Ok(lines.iter().filter_map(|line| parse_tolerant(&String::from_utf8_lossy(line)).ok()).collect())
}
