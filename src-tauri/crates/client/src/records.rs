//! The records of a session, as its journal has them: for looking closer, whether the session is live or not.

use journal::JournalReader;
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::json::parse_tolerant;
use protocol::limits::READ_PAGE;
use protocol::pod::Direction;
use serde::Deserialize;
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
    let folder = machine.folder(session);
    if !folder.has_journal() {
        return Ok(Vec::new());
    }
    let mut reader = JournalReader::open(&folder.journal()).map_err(failed)?;
    let limit = limit.min(READ_PAGE);
    let lines = match direction {
        Direction::Forwards => reader.page_after(from_seq, limit),
        Direction::Backwards => reader.page_before(from_seq, limit),
    };
    let lines = lines.map_err(failed)?;
    Ok(lines.iter().filter_map(|line| parse_tolerant(&String::from_utf8_lossy(line)).ok()).collect())
}

/// The number that a record begins with.
#[derive(Deserialize)]
struct Numbered {
    seq: u64,
}

/// Hands out the lines of all records after `from_seq` as they stand in the journal, without their newlines, until `take` has had
/// enough and says false. A line that is still being written is left out, and a damaged one too; what is wrong with those, with
/// their file and line, is the answer.
///
/// # Errors
/// When there is no journal or it cannot be read.
pub fn each_line(
    machine: &Machine,
    session: SessionId,
    from_seq: u64,
    mut take: impl FnMut(&[u8]) -> bool,
) -> Result<Vec<String>, WireError> {
    let path = machine.folder(session).journal();
    let failed = |why: String| WireError::new(ErrorCode::DataFolder, why);
    let opened = JournalReader::open(&path).and_then(|reader| reader.forward(0));
    let mut lines = opened.map_err(|error| failed(error.to_string()))?;
    let broken = |error| failed(format!("failed to read the journal {}: {error}", path.display()));
    let (mut number, mut damage) = (0_u64, Vec::new());
    while let Some((_, line)) = lines.next().map_err(broken)? {
        number += 1;
        match numbered(line) {
            Ok(seq) if seq > from_seq && !take(line) => break,
            Err(why) if number > 1 => damage.push(format!("{}, line {number}: {why}", path.display())),
            // The first line is the journal's header.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(damage)
}

fn numbered(line: &[u8]) -> Result<u64, String> {
    let text = std::str::from_utf8(line).map_err(|error| format!("not UTF-8: {error}"))?;
    serde_json::from_str(text).map(|Numbered { seq }| seq).map_err(|error| error.to_string())
}
