//! Answers `session/read`: pages of records or items, in a thread of its own, from the journal and from what it could not take yet.

use journal::{JournalError, JournalReader, SessionFolder};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::READ_PAGE;
use protocol::pod::{Direction, ReadParams, ReadResult, Want};
use serde_json::Value;
use transcript::Transcript;

use crate::shared::Shared;

/// Reads a page.
pub(crate) async fn read(shared: &Shared, params: ReadParams) -> Result<ReadResult, WireError> {
    let folder = shared.folder.clone();
    let adapter = shared.adapter.clone();
    // Before the file is opened: what has been written by then stands behind the place that goes with them, and is not looked at.
    let unwritten = shared.feed.unwritten();
    let open = move |folder: &SessionFolder| {
        let reader = JournalReader::open(&folder.journal())?;
        Ok(match unwritten {
            Some((end, records)) => reader.with_unwritten(end, records),
            None => reader,
        })
    };
    let read = move || match params.want {
        Want::Items => items(&folder, &adapter, open(&folder).map_err(failed)?, &params),
        Want::Records => records(open(&folder).map_err(failed)?, &params),
        Want::Status => Ok(ReadResult { items: Vec::new(), records: Vec::new(), more: false }),
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|error| WireError::new(ErrorCode::Internal, format!("reading the session broke off: {error}")))?
}

fn failed(error: JournalError) -> WireError {
    WireError::new(ErrorCode::DataFolder, error.to_string())
}

fn items(
    folder: &SessionFolder,
    adapter: &str,
    reader: JournalReader,
    params: &ReadParams,
) -> Result<ReadResult, WireError> {
    let failed = |error: transcript::TranscriptError| WireError::new(ErrorCode::DataFolder, error.to_string());
    let limit = params.limit.min(READ_PAGE);
    let transcript = Transcript::of(reader, folder, adapter).map_err(failed)?;
    let (from, until) = match params.direction {
        Direction::Forwards => {
            let from = transcript.place_of(params.from_seq + 1);
            (from, from.saturating_add(limit).min(transcript.total()))
        }
        Direction::Backwards => {
            let until = if params.from_seq == 0 { transcript.total() } else { transcript.place_of(params.from_seq) };
            (until.saturating_sub(limit), until)
        }
    };
    let more = match params.direction {
        Direction::Forwards => until < transcript.total(),
        Direction::Backwards => from > 0,
    };
    let page = transcript.page(from, until - from).map_err(failed)?;
    Ok(ReadResult { items: page.items, records: Vec::new(), more })
}

fn records(mut reader: JournalReader, params: &ReadParams) -> Result<ReadResult, WireError> {
    let limit = params.limit.min(READ_PAGE);
    let lines = match params.direction {
        Direction::Forwards => reader.page_after(params.from_seq, limit + 1),
        Direction::Backwards => reader.page_before(params.from_seq, limit + 1),
    };
    let mut lines = lines.map_err(failed)?;
    let more = lines.len() > limit;
    if more {
        match params.direction {
            Direction::Forwards => lines.truncate(limit),
            Direction::Backwards => drop(lines.remove(0)),
        }
    }
    let records = lines.iter().filter_map(|line| parse(line)).collect();
    Ok(ReadResult { items: Vec::new(), records, more })
}

/// Damaged lines are passed over here; the transcript's reader reports them.
fn parse(line: &[u8]) -> Option<Value> {
    protocol::json::parse_tolerant(std::str::from_utf8(line).ok()?).ok()
}
