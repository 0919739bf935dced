//! Opens the ledger: makes it when it is not there, sets it aside when it is damaged, waits while others write it.
//!
//! A damaged ledger is renamed, never deleted, and a note in the fresh one says that it is to be rebuilt, for whoever can do that.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use protocol::limits::LEDGER_BUSY;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::error::LedgerError;
use crate::migrations::{STEPS, migrate};

/// Pages that a connection keeps in memory, in KiB: a keeper is small.
const CACHE_KIB: i64 = 256;
/// The size of a page. Rows are short, and of what is written most is pages around a changed row.
const PAGE_BYTES: i64 = 1024;
/// Pages that the write-ahead log may have before it is folded into the ledger.
const CHECKPOINT_PAGES: i64 = 800;
/// Between two attempts while others write.
const BETWEEN: Duration = Duration::from_millis(15);

/// A connection to the ledger. One thread uses it at a time.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    path: PathBuf,
}

/// What opening the ledger gave.
#[derive(Debug)]
pub struct Opened {
    /// The ledger.
    pub ledger: Ledger,
    /// What had to be put out of the way for it.
    pub set_aside: Option<SetAside>,
}

/// A ledger that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it lies now.
    pub path: PathBuf,
    /// What was wrong with it.
    pub why: String,
}

impl Ledger {
    /// Opens the ledger at `path`. One that is damaged, or is no ledger at all, is renamed to `<path>.corrupt-<time>`, and a
    /// fresh one takes its place.
    ///
    /// # Errors
    /// When it cannot be made or written, stays busy for longer than the limit, or was written by a newer Outrigger.
    pub fn open(path: &Path) -> Result<Opened, LedgerError> {
        match patiently(|| Self::connect(path)) {
            Ok(ledger) => Ok(Opened { ledger, set_aside: None }),
            Err(error) if unusable(path, &error).is_some() => Self::open_afresh(path),
            Err(error) => Err(error),
        }
    }

    /// Sets the damaged file aside, unless somebody else has just done so.
    fn open_afresh(path: &Path) -> Result<Opened, LedgerError> {
        let lock_path = beside(path, ".lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(LedgerError::io("open", &lock_path))?;
        // The system gives the lock back when its holder dies.
        lock.lock().map_err(LedgerError::io("lock", &lock_path))?;
        let error = match patiently(|| Self::connect(path)) {
            Ok(ledger) => return Ok(Opened { ledger, set_aside: None }),
            Err(error) => error,
        };
        let Some(why) = unusable(path, &error) else { return Err(error) };
        let aside = set_aside(path)?;
        tracing::error!(%why, aside = %aside.display(), "the ledger was damaged and has been set aside");
        let ledger = patiently(|| Self::connect(path))?;
        ledger.note("rebuild", &aside.display().to_string())?;
        Ok(Opened { ledger, set_aside: Some(SetAside { path: aside, why }) })
    }

    fn connect(path: &Path) -> Result<Self, LedgerError> {
        let mut connection = Connection::open(path).map_err(LedgerError::sql("open the file", path))?;
        keep_private(path)?;
        settings(&connection).map_err(LedgerError::sql("prepare the connection", path))?;
        let found: String = connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(LedgerError::sql("check the file", path))?;
        if found != "ok" {
            return Err(LedgerError::sql("check the file", path)(damage(found)));
        }
        migrate(&mut connection, path, STEPS)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// Where the ledger is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the ledger has yet to be filled from the session folders, because it is new. The text is where its damaged
    /// predecessor lies, and empty when there was none.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn wants_rebuild(&self) -> Result<Option<String>, LedgerError> {
        self.connection
            .query_row("SELECT value FROM notes WHERE name = 'rebuild'", [], |row| row.get(0))
            .optional()
            .map_err(LedgerError::sql("read the notes", &self.path))
    }

    /// Notes that the ledger was filled.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn rebuilt(&self) -> Result<(), LedgerError> {
        self.change("note the rebuild", |change| change.execute("DELETE FROM notes WHERE name = 'rebuild'", []))?;
        Ok(())
    }

    fn note(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        self.change("write a note", |change| {
            change.execute("INSERT OR REPLACE INTO notes VALUES (?1, ?2)", [name, value])
        })?;
        Ok(())
    }

    /// One transaction that holds the write lock from its beginning, so that what it reads is still so when it writes.
    pub(crate) fn change<T>(
        &self,
        attempt: &'static str,
        work: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        patiently(|| {
            let once = || {
                let change = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
                let done = work(&change)?;
                change.commit()?;
                Ok(done)
            };
            once().map_err(LedgerError::sql(attempt, &self.path))
        })
    }

    /// Begins a transaction that holds the write lock from its beginning. Once it is held nobody else can be in its way.
    pub(crate) fn begin(&self, attempt: &'static str) -> Result<Transaction<'_>, LedgerError> {
        patiently(|| {
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
                .map_err(LedgerError::sql(attempt, &self.path))
        })
    }

    /// All rows of a query.
    pub(crate) fn rows<T>(
        &self,
        attempt: &'static str,
        query: &str,
        given: impl rusqlite::Params + Clone,
        read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        patiently(|| {
            let all = || {
                let mut statement = self.connection.prepare_cached(query)?;
                statement.query_map(given.clone(), &read)?.collect::<rusqlite::Result<Vec<T>>>()
            };
            all().map_err(LedgerError::sql(attempt, &self.path))
        })
    }
}

/// Now, RFC 3339 with milliseconds, in UTC.
pub(crate) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(LEDGER_BUSY)?;
    // Holds for a file that is new. Each note of a keeper writes the pages whole in which it changed a row.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)
}

/// The ledger names folders and commands of its user: nobody else reads it. SQLite gives its other files the same mode.
fn keep_private(path: &Path) -> Result<(), LedgerError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(LedgerError::io("protect", path))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// SQLite's own waiting does not cover the moments in which it changes to the write-ahead log or recovers one.
fn patiently<T>(mut attempt: impl FnMut() -> Result<T, LedgerError>) -> Result<T, LedgerError> {
    let until = Instant::now() + LEDGER_BUSY;
    loop {
        match attempt() {
            Err(error) if error.is_busy() && Instant::now() < until => std::thread::sleep(BETWEEN),
            done => return done,
        }
    }
}

fn damage(found: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), Some(found))
}

/// What is wrong with the file itself, if that is the reason. A full disk or too many open files are no such reasons.
fn unusable(path: &Path, error: &LedgerError) -> Option<String> {
    if error.is_damage() {
        return Some(error.to_string());
    }
    match fs::metadata(path) {
        Ok(file) if !file.is_file() => Some(format!("{} is no file", path.display())),
        Ok(_) => match File::options().read(true).write(true).open(path) {
            Err(refused) if refused.kind() == io::ErrorKind::PermissionDenied => Some(refused.to_string()),
            Ok(_) | Err(_) => None,
        },
        // A link that leads nowhere or in a circle.
        Err(_) if fs::symlink_metadata(path).is_ok() => Some(format!("{} is a link to nothing", path.display())),
        Err(_) => None,
    }
}

/// Renames the file and what SQLite keeps beside it; the new place. The log goes first: alone it means nothing.
fn set_aside(path: &Path) -> Result<PathBuf, LedgerError> {
    let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ").to_string();
    let aside = beside(path, &format!(".corrupt-{stamp}"));
    for suffix in ["-wal", "-shm", ""] {
        let (from, to) = (beside(path, suffix), beside(&aside, suffix));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(LedgerError::io("set aside", &from)(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(aside)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
