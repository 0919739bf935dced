//! Which tables does the archive have, and is a file one of ours?
//!
//! There are no migrations: `user_version` is a mark of these tables and of the program's version, because another version may fold
//! other items from the same journals.

use std::fs;
use std::path::Path;
use std::time::Instant;

use protocol::limits::LEDGER_BUSY;
use rusqlite::{Connection, TransactionBehavior};

use crate::error::ArchiveError;

/// Pages that a connection keeps in memory, in KiB.
const CACHE_KIB: i64 = 8 * 1024;
/// The write-ahead log is cut back to this size when it is folded into the file, in bytes.
const LOG_BYTES: i64 = 16 * 1024 * 1024;

/// `items.id` grows with time, so that the newest matches are found without looking at all. What the full-text index holds in memory
/// until it writes is `hashsize`, in bytes.
const TABLES: &str = r"
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, session TEXT NOT NULL UNIQUE, provider TEXT NOT NULL, workspace TEXT NOT NULL, title TEXT NOT NULL,
    parent TEXT, meta_stamp TEXT NOT NULL, packed_size INTEGER, resume_at INTEGER NOT NULL, read_to INTEGER NOT NULL, model TEXT
) STRICT;
CREATE TABLE items (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL,
    kind INTEGER NOT NULL, UNIQUE (session, seq, place)
) STRICT;
CREATE TABLE turns (
    session INTEGER NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL, model TEXT,
    input INTEGER, output INTEGER, cache_read INTEGER, cache_write INTEGER, cost REAL,
    PRIMARY KEY (session, seq, place)
) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');
INSERT INTO texts(texts, rank) VALUES ('hashsize', 8388608);
";

/// Opens the archive, and makes its tables in a new file.
pub(crate) fn open(path: &Path) -> Result<Connection, ArchiveError> {
    let until = Instant::now() + LEDGER_BUSY;
    // SQLite's own waiting does not cover the moments in which it changes to the write-ahead log or recovers one.
    loop {
        match connect(path) {
            Err(error) if error.is_busy() && Instant::now() < until => std::thread::yield_now(),
            done => return done,
        }
    }
}

fn connect(path: &Path) -> Result<Connection, ArchiveError> {
    let mut connection = Connection::open(path).map_err(ArchiveError::sql("open the file", path))?;
    keep_private(path)?;
    settings(&connection).map_err(ArchiveError::sql("prepare the connection", path))?;
    if !is_ours(&connection, path)? {
        make(&mut connection, path)?;
    }
    Ok(connection)
}

/// Several processes may do so at once: one of them does, the others find it done.
fn make(connection: &mut Connection, path: &Path) -> Result<(), ArchiveError> {
    let failed = |error| ArchiveError::sql("make the tables", path)(error);
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    if is_ours(&change, path)? {
        return Ok(());
    }
    change.execute_batch(TABLES).map_err(failed)?;
    change.pragma_update(None, "user_version", mark()).map_err(failed)?;
    change.commit().map_err(failed)
}

/// False for a file without tables.
fn is_ours(connection: &Connection, path: &Path) -> Result<bool, ArchiveError> {
    let read = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let failed = |error| ArchiveError::sql("read the version", path)(error);
    match read("user_version").map_err(failed)? {
        0 if read("schema_version").map_err(failed)? == 0 => Ok(false),
        found if found == i64::from(mark()) => Ok(true),
        _ => Err(ArchiveError::OtherVersion { path: path.to_owned() }),
    }
}

/// Names these tables and this version of the program; never 0.
fn mark() -> i32 {
    // FNV-1a: short, and the same on every machine, which the standard library's hash does not promise.
    let bytes = env!("CARGO_PKG_VERSION").bytes().chain(TABLES.bytes());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    i32::try_from(hash >> 1).unwrap_or(0) | 1
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(LEDGER_BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)
}

/// The archive repeats what agents said: nobody else reads it. SQLite gives its other files the same mode.
fn keep_private(path: &Path) -> Result<(), ArchiveError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(ArchiveError::io("protect", path))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
