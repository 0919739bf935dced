//! The lease: at most one keeper hosts a session.
//!
//! It is an exclusive lock on a file in the session's folder. The system takes it back when its holder dies, however it dies, so
//! a lease cannot be left behind. It says nothing about the holder's children.

use std::fs::{File, OpenOptions, TryLockError};

use crate::error::JournalError;
use crate::folder::SessionFolder;

const LOOKS: u32 = 10;
const BETWEEN_LOOKS: std::time::Duration = std::time::Duration::from_millis(10);

/// Held as long as the value lives.
#[derive(Debug)]
pub struct Lease {
    _file: File,
}

impl Lease {
    /// Takes the lease of a session.
    ///
    /// # Errors
    /// [`JournalError::Leased`] when another process holds it.
    pub fn take(folder: &SessionFolder) -> Result<Self, JournalError> {
        let file = open(folder)?;
        let mut looks = 0;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                // Whoever only looks whether the lease is held locks it for a moment too.
                Err(TryLockError::WouldBlock) if looks < LOOKS => {
                    looks += 1;
                    std::thread::sleep(BETWEEN_LOOKS);
                }
                Err(TryLockError::WouldBlock) => return Err(JournalError::Leased { session: folder.name() }),
                Err(TryLockError::Error(error)) => return Err(JournalError::io("lock", &folder.lease())(error)),
            }
        }
    }

    /// Whether somebody holds the lease now. True when it cannot be told.
    #[must_use]
    pub fn is_held(folder: &SessionFolder) -> bool {
        if !folder.lease().exists() {
            return false;
        }
        match open(folder) {
            Ok(file) => !matches!(file.try_lock_shared(), Ok(())),
            Err(_) => true,
        }
    }
}

fn open(folder: &SessionFolder) -> Result<File, JournalError> {
    let path = folder.lease();
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(JournalError::io("open", &path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::SessionId;

    #[test]
    fn a_second_keeper_is_refused_until_the_first_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let folder = SessionFolder::create(root.path(), SessionId::new()).unwrap();
        assert!(!Lease::is_held(&folder));
        let lease = Lease::take(&folder).unwrap();
        assert!(Lease::is_held(&folder));
        assert!(matches!(Lease::take(&folder), Err(JournalError::Leased { .. })));
        drop(lease);
        assert!(!Lease::is_held(&folder));
        Lease::take(&folder).unwrap();
    }
}
