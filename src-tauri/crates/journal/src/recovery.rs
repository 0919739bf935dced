//! What is found when a journal is opened: where it ends, and whether a crash tore its last line.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::RangeInclusive;
use std::path::Path;

use protocol::SessionId;
use protocol::record::{JOURNAL_FORMAT, JournalHeader};

use crate::error::JournalError;
use crate::reader::{JournalReader, seq_of};

/// The state of a journal file that is about to be continued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The newest whole record; 0 when there is none.
    pub last_seq: u64,
    /// Where the next record goes. What stands behind it is the torn part of a record that was never whole.
    pub end: u64,
    /// Bytes of a torn last line that are to be cut off.
    pub torn: u64,
    /// Numbers of records that readers were shown and that could not be kept. The journal's first new record tells of them.
    pub missing: Vec<RangeInclusive<u64>>,
}

/// Looks at the header and at the end of a journal. The file is not changed.
///
/// # Errors
/// When the file cannot be read, is no journal, or has a newer format.
pub(crate) fn inspect(path: &Path, file: &mut File, session: SessionId) -> Result<Option<Recovery>, JournalError> {
    let length = file.seek(SeekFrom::End(0)).map_err(JournalError::io("read", path))?;
    let Some(header_end) = check_header(path, file, session)? else {
        return Ok(None);
    };
    let end = whole_until(file, length).map_err(JournalError::io("read", path))?.max(header_end);
    let last_seq = newest_seq(path, end)?;
    Ok(Some(Recovery { last_seq, end, torn: length - end, missing: Vec::new() }))
}

/// The end of the header line, or nothing when the file has no whole line yet.
pub(crate) fn check_header(path: &Path, file: &mut File, session: SessionId) -> Result<Option<u64>, JournalError> {
    let mut head = vec![0; 4096];
    file.seek(SeekFrom::Start(0)).map_err(JournalError::io("read", path))?;
    let got = read_up_to(file, &mut head).map_err(JournalError::io("read", path))?;
    let Some(newline) = memchr::memchr(b'\n', &head[..got]) else {
        return Ok(None);
    };
    let malformed = |why: String| JournalError::Malformed { path: path.to_owned(), why };
    let header: JournalHeader = serde_json::from_slice(&head[..newline])
        .map_err(|error| malformed(format!("its first line is no journal header ({error})")))?;
    if header.format > JOURNAL_FORMAT {
        return Err(JournalError::NewerFormat { path: path.to_owned(), found: header.format, known: JOURNAL_FORMAT });
    }
    if header.session != session {
        return Err(malformed(format!("it belongs to session {}", header.session)));
    }
    Ok(Some(newline as u64 + 1))
}

/// The end of the last whole line, looking backwards from `length`.
fn whole_until(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    let mut chunk = vec![0; 64 * 1024];
    while end > 0 {
        let start = end.saturating_sub(chunk.len() as u64);
        let size = usize::try_from(end - start).unwrap_or(chunk.len());
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut chunk[..size])?;
        if let Some(at) = memchr::memrchr(b'\n', &chunk[..size]) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The newest record's number. Damaged lines at the end are passed over, so that numbers are never used twice.
fn newest_seq(path: &Path, end: u64) -> Result<u64, JournalError> {
    let mut reader = JournalReader::open(path)?;
    let mut before = end;
    while before > 0 {
        let lines = reader.back(before, 64).map_err(JournalError::io("read", path))?;
        let Some((offset, _)) = lines.first() else { return Ok(0) };
        if let Some(seq) = lines.iter().rev().find_map(|(_, line)| seq_of(line)) {
            return Ok(seq);
        }
        before = *offset;
    }
    Ok(0)
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
