//! What is not in the archive yet, and how does it get there?
//!
//! One process feeds at a time, the newest sessions first; the others see how far it has come. A session that has not changed costs
//! a look at its files' sizes.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use journal::{JournalReader, SessionFolder};
use protocol::archive::ArchiveState;
use rusqlite::{Connection, params};

use crate::adapters::Adapters;
use crate::batch::{Mark, unsigned, whole};
use crate::error::ArchiveError;
use crate::session_feed::SessionFeed;

/// How to feed, and for how long.
#[derive(Debug)]
pub struct Feeding<'a> {
    /// Who folds what.
    pub adapters: &'a Adapters,
    /// When to stop, between two pieces of a journal; never when absent.
    pub until: Option<Instant>,
    /// Set by somebody who wants it to stop.
    pub stop: Option<&'a AtomicBool>,
}

impl Feeding<'_> {
    pub(crate) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
            || self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

/// What the archive knows of a session.
struct Known {
    id: i64,
    meta_stamp: String,
    packed_size: Option<u64>,
    resume_at: u64,
    read_to: u64,
    model: Option<String>,
}

/// A session of which something is not in the archive.
struct Behind {
    folder: SessionFolder,
    known: Option<Known>,
    meta_stamp: String,
    /// The size of the compressed journal, if that is what there is.
    packed_size: Option<u64>,
    /// Bytes that have not been read, as far as that can be known.
    bytes: u64,
    changed: SystemTime,
}

/// How far the archive is behind the journals.
pub(crate) fn state(
    connection: &Connection,
    path: &Path,
    sessions: &Path,
    fed_elsewhere: bool,
) -> Result<ArchiveState, ArchiveError> {
    let (behind, _) = compare(connection, path, sessions)?;
    Ok(sum(&behind, fed_elsewhere))
}

/// Feeds the archive. The caller holds the lock.
pub(crate) fn feed(
    connection: &mut Connection,
    path: &Path,
    sessions: &Path,
    feeding: &Feeding<'_>,
) -> Result<ArchiveState, ArchiveError> {
    let (mut behind, gone) = compare(connection, path, sessions)?;
    for session in gone {
        forget(connection, session).map_err(ArchiveError::sql("forget a session", path))?;
    }
    behind.sort_by_key(|session| std::cmp::Reverse(session.changed));
    for place in 0..behind.len() {
        if feeding.is_over() {
            return Ok(sum(&behind[place..], false));
        }
        match one(connection, path, &behind[place], feeding) {
            Ok(true) => {}
            // The time is over, or the next session can be read.
            Ok(false) => return state(connection, path, sessions, false),
            Err(error) if error.is_of_one_session() => {
                tracing::warn!(%error, session = behind[place].folder.name(), "a session cannot be searched");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(ArchiveState::default())
}

fn sum(behind: &[Behind], fed_elsewhere: bool) -> ArchiveState {
    ArchiveState {
        sessions_behind: behind.len() as u64,
        bytes_behind: behind.iter().map(|session| session.bytes).sum(),
        fed_elsewhere,
    }
}

/// Whether it came to the end of the session.
fn one(
    connection: &mut Connection,
    path: &Path,
    session: &Behind,
    feeding: &Feeding<'_>,
) -> Result<bool, ArchiveError> {
    let Some(meta) = session.folder.read_meta()? else { return Ok(true) };
    let failed = |error| ArchiveError::sql("note a session", path)(error);
    // A compressed journal is unpacked to be opened, so only when there is something to read in it.
    let journal = match session.bytes {
        0 => None,
        _ => Some(JournalReader::open(&session.folder.journal())?),
    };
    if let (Some(known), Some(journal)) = (&session.known, &journal)
        && journal.length()? < known.read_to
    {
        // Not the journal that was read: it only ever grows.
        forget(connection, known.id).map_err(failed)?;
    }
    let parent = meta.parent.map(|parent| parent.to_string());
    let values = params![session.folder.name(), meta.provider, meta.workspace, meta.title, session.meta_stamp, parent];
    let known = connection.query_row(NOTE, values, known_of).map_err(failed)?;
    let Some(journal) = journal else { return Ok(true) };
    let mark = Mark { session: known.id, resume_at: known.resume_at, read_to: known.read_to, model: known.model };
    let adapter = feeding.adapters.of(&meta.provider);
    let is_done = SessionFeed::new(connection, path, &session.folder, adapter, mark).run(&journal, feeding)?;
    if is_done && session.packed_size.is_some() {
        let query = "UPDATE sessions SET packed_size = ?2 WHERE id = ?1";
        connection.execute(query, params![known.id, session.packed_size.map(whole)]).map_err(failed)?;
    }
    Ok(is_done)
}

const NOTE: &str = "
INSERT INTO sessions (session, provider, workspace, title, meta_stamp, resume_at, read_to, parent) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6)
ON CONFLICT (session) DO UPDATE SET provider = ?2, workspace = ?3, title = ?4, meta_stamp = ?5, parent = ?6
RETURNING id, meta_stamp, packed_size, resume_at, read_to, model";

/// The sessions of which something is missing, and the rows of those that are no more.
fn compare(connection: &Connection, path: &Path, sessions: &Path) -> Result<(Vec<Behind>, Vec<i64>), ArchiveError> {
    let mut known = all_known(connection).map_err(ArchiveError::sql("list the sessions", path))?;
    let folders = SessionFolder::list(sessions)?;
    let behind = folders.into_iter().filter_map(|(_, folder)| missing(known.remove(&folder.name()), folder)).collect();
    Ok((behind, known.into_values().map(|session| session.id).collect()))
}

fn missing(known: Option<Known>, folder: SessionFolder) -> Option<Behind> {
    let meta_stamp = stamp(fs::metadata(folder.meta()).ok().as_ref());
    let plain = fs::metadata(folder.journal()).ok();
    let packed = if plain.is_none() { fs::metadata(folder.compressed()).ok() } else { None };
    let file = plain.as_ref().or(packed.as_ref())?;
    let packed_size = packed.as_ref().map(Metadata::len);
    let read_to = known.as_ref().map_or(0, |known| known.read_to);
    let bytes = match &known {
        Some(known) if packed_size.is_some() && known.packed_size == packed_size => 0,
        Some(_) | None => file.len().abs_diff(read_to),
    };
    let is_known = bytes == 0 && known.as_ref().is_some_and(|known| known.meta_stamp == meta_stamp);
    let changed = file.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    (!is_known).then_some(Behind { folder, known, meta_stamp, packed_size, bytes, changed })
}

/// Tells one state of a small file from another.
fn stamp(file: Option<&Metadata>) -> String {
    let Some(file) = file else { return String::new() };
    let changed = file.modified().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    format!("{}.{}", changed.unwrap_or_default().as_nanos(), file.len())
}

fn all_known(connection: &Connection) -> rusqlite::Result<HashMap<String, Known>> {
    let query = "SELECT id, meta_stamp, packed_size, resume_at, read_to, model, session FROM sessions";
    let mut statement = connection.prepare(query)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(6)?, known_of(row)?)))?;
    rows.collect()
}

fn known_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        id: row.get(0)?,
        meta_stamp: row.get(1)?,
        packed_size: row.get::<_, Option<i64>>(2)?.map(unsigned),
        resume_at: unsigned(row.get(3)?),
        read_to: unsigned(row.get(4)?),
        model: row.get(5)?,
    })
}

/// Removes a session from the archive.
fn forget(connection: &mut Connection, session: i64) -> rusqlite::Result<()> {
    let change = connection.transaction()?;
    change.execute("DELETE FROM texts WHERE rowid IN (SELECT id FROM items WHERE session = ?1)", [session])?;
    change.execute("DELETE FROM items WHERE session = ?1", [session])?;
    change.execute("DELETE FROM turns WHERE session = ?1", [session])?;
    change.execute("DELETE FROM sessions WHERE id = ?1", [session])?;
    change.commit()
}
