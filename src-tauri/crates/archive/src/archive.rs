//! Where the archive is, who may write it now, and what happens when it cannot be used.
//!
//! A lock beside the file says who feeds; the system gives it back when its holder dies. Questions need no lock: they are answered
//! from what is there, with how far that reaches.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::archive::{ArchiveState, SearchAnswer, SearchRequest, UsageReport, UsageRequest};
use protocol::limits::LEDGER_BUSY;
use rusqlite::Connection;

use crate::error::ArchiveError;
use crate::feeding::{self, Feeding};
use crate::{search, tables, usage};

/// Between two looks at an archive that somebody else is making anew.
const BETWEEN: Duration = Duration::from_millis(15);

/// See the module. Cheap to clone; holds no file open.
#[derive(Debug, Clone)]
pub struct Archive {
    path: PathBuf,
    sessions: PathBuf,
}

impl Archive {
    /// The archive in the file `path`, whether it is there or not, over the session folders below `sessions`.
    #[must_use]
    pub fn at(path: &Path, sessions: &Path) -> Self {
        Self { path: path.to_owned(), sessions: sessions.to_owned() }
    }

    /// Takes in what is new in the journals, until it is done or the time is over. Does nothing while another process feeds.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn feed(&self, feeding: &Feeding<'_>) -> Result<ArchiveState, ArchiveError> {
        self.on_a_sound_file(|| {
            let lock = self.lock()?;
            let mut connection = tables::open(&self.path)?;
            match lock {
                Some(_lock) => feeding::feed(&mut connection, &self.path, &self.sessions, feeding),
                None => feeding::state(&connection, &self.path, &self.sessions, true),
            }
        })
    }

    /// Feeds, and then searches. What cannot be fed is said by the answer's state.
    ///
    /// # Errors
    /// When the archive cannot be read, or the request's moment is none. No text is an error.
    pub fn search(&self, request: &SearchRequest, feeding: &Feeding<'_>) -> Result<SearchAnswer, ArchiveError> {
        self.on_a_sound_file(|| {
            let (connection, state) = self.fed(feeding)?;
            let found = search::search(&connection, &self.path, request)?;
            Ok(SearchAnswer { hits: found.hits, more: found.more, newest_first: found.newest_first, state })
        })
    }

    /// Feeds, and then sums up what was used.
    ///
    /// # Errors
    /// When the archive cannot be read, or the request's moment is none.
    pub fn usage(&self, request: &UsageRequest, feeding: &Feeding<'_>) -> Result<UsageReport, ArchiveError> {
        self.on_a_sound_file(|| {
            let (connection, state) = self.fed(feeding)?;
            Ok(UsageReport { state, ..usage::usage(&connection, &self.path, request)? })
        })
    }

    fn fed(&self, feeding: &Feeding<'_>) -> Result<(Connection, ArchiveState), ArchiveError> {
        let lock = self.lock()?;
        let mut connection = tables::open(&self.path)?;
        let fed_elsewhere = lock.is_none();
        if lock.is_some() {
            match feeding::feed(&mut connection, &self.path, &self.sessions, feeding) {
                Ok(state) => return Ok((connection, state)),
                Err(error) if error.is_unusable() => return Err(error),
                // What is there can be read all the same.
                Err(error) => tracing::warn!(%error, "the archive could not be fed"),
            }
        }
        let state = feeding::state(&connection, &self.path, &self.sessions, fed_elsewhere)?;
        Ok((connection, state))
    }

    /// Does the work; on a file that cannot be used once more, on a new one.
    fn on_a_sound_file<T>(&self, work: impl Fn() -> Result<T, ArchiveError>) -> Result<T, ArchiveError> {
        let until = Instant::now() + LEDGER_BUSY;
        loop {
            match work() {
                Err(error) if error.is_unusable() && Instant::now() < until => match self.lock()? {
                    Some(_lock) => {
                        tracing::warn!(%error, "the archive is thrown away and made anew");
                        self.discard()?;
                    }
                    // Whoever feeds finds the same.
                    None => std::thread::sleep(BETWEEN),
                },
                done => return done,
            }
        }
    }

    /// Removes the file and what SQLite keeps beside it. The log goes first: alone it means nothing.
    fn discard(&self) -> Result<(), ArchiveError> {
        for suffix in ["-wal", "-shm", ""] {
            let path = self.beside(suffix);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(ArchiveError::io("remove the damaged", &path)(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Nothing while another process, or another part of this one, has it.
    fn lock(&self) -> Result<Option<File>, ArchiveError> {
        let path = self.beside(".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(ArchiveError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(ArchiveError::io("lock", &path)(error)),
        }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    }
}
