//! The folder of a session: where its files are, and how the small ones are replaced as a whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use protocol::SessionId;
use protocol::session::{PodFile, SessionMeta};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::JournalError;

/// `sessions/<session id>/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFolder {
    path: PathBuf,
}

impl SessionFolder {
    /// The folder of a session below `sessions`, whether it is there or not.
    #[must_use]
    pub fn at(sessions: &Path, session: SessionId) -> Self {
        Self { path: sessions.join(session.to_string()) }
    }

    /// Makes the folder, readable for its user only.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn create(sessions: &Path, session: SessionId) -> Result<Self, JournalError> {
        let folder = Self::at(sessions, session);
        fs::create_dir_all(&folder.path).map_err(JournalError::io("create the session folder", &folder.path))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&folder.path, fs::Permissions::from_mode(0o700))
                .map_err(JournalError::io("protect the session folder", &folder.path))?;
        }
        Ok(folder)
    }

    /// All sessions below `sessions`, newest first. Other files and folders are passed over.
    ///
    /// # Errors
    /// When the folder cannot be listed. A folder that is not there has no sessions.
    pub fn list(sessions: &Path) -> Result<Vec<(SessionId, Self)>, JournalError> {
        let entries = match fs::read_dir(sessions) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(JournalError::io("list", sessions)(error)),
        };
        let mut found: Vec<_> = entries
            .filter_map(Result::ok)
            .filter_map(|entry| entry.file_name().to_str()?.parse::<SessionId>().ok())
            .map(|session| (session, Self::at(sessions, session)))
            .collect();
        found.sort_by_key(|(session, _)| std::cmp::Reverse(*session));
        Ok(found)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The session's id as the folder's name.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The journal file.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.ndjson")
    }

    /// The journal of a session that nobody has used for long, in place of the journal file.
    #[must_use]
    pub fn compressed(&self) -> PathBuf {
        crate::compressed::beside(&self.journal())
    }

    /// Whether there is a journal, as it was written or compressed.
    #[must_use]
    pub fn has_journal(&self) -> bool {
        self.journal().exists() || self.compressed().exists()
    }

    /// The item index.
    #[must_use]
    pub fn items(&self) -> PathBuf {
        self.path.join("items.idx")
    }

    /// The lease.
    #[must_use]
    pub fn lease(&self) -> PathBuf {
        self.path.join("lease")
    }

    /// Numbers that were shown while the journal could not be written.
    #[must_use]
    pub fn shown(&self) -> PathBuf {
        self.path.join("shown.json")
    }

    /// What can be known without reading the journal.
    #[must_use]
    pub fn meta(&self) -> PathBuf {
        self.path.join("meta.json")
    }

    /// How to reach the pod, while there is one.
    #[must_use]
    pub fn pod(&self) -> PathBuf {
        self.path.join("pod.json")
    }

    /// Reads `meta.json`.
    ///
    /// # Errors
    /// When it is there and cannot be read or understood.
    pub fn read_meta(&self) -> Result<Option<SessionMeta>, JournalError> {
        read_json(&self.meta())
    }

    /// Replaces `meta.json`.
    ///
    /// # Errors
    /// When the file system refuses; the old file stays.
    pub fn write_meta(&self, meta: &SessionMeta) -> Result<(), JournalError> {
        replace_json(&self.meta(), meta)
    }

    /// Reads `pod.json`.
    ///
    /// # Errors
    /// When it is there and cannot be read or understood.
    pub fn read_pod(&self) -> Result<Option<PodFile>, JournalError> {
        read_json(&self.pod())
    }

    /// Replaces `pod.json`. It holds the pod's token: only its user can read it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write_pod(&self, pod: &PodFile) -> Result<(), JournalError> {
        replace_json(&self.pod(), pod)
    }

    /// Puts a new `meta.json` on the disk, to replace the old one when that is wanted.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn prepare_meta(&self, meta: &SessionMeta) -> Result<Replacement, JournalError> {
        Replacement::of(self.meta(), meta)
    }

    /// Puts a new `pod.json` on the disk, to replace the old one when that is wanted.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn prepare_pod(&self, pod: &PodFile) -> Result<Replacement, JournalError> {
        Replacement::of(self.pod(), pod)
    }

    /// Removes `pod.json`, if it is there and still this pod's: a later generation's file is left alone.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn remove_pod(&self, generation: u64) -> Result<(), JournalError> {
        match self.read_pod() {
            Ok(Some(pod)) if pod.generation == generation => {
                fs::remove_file(self.pod()).map_err(JournalError::io("remove", &self.pod()))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes a session that never began. Refuses when it has a journal with records: those are never deleted.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn discard_unused(&self) -> Result<(), JournalError> {
        let used = self.compressed().exists() || fs::metadata(self.journal()).is_ok_and(|file| file.len() > 0);
        if used {
            return Ok(());
        }
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(JournalError::io("remove", &self.path)(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, JournalError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(JournalError::io("read", path)(error)),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| JournalError::Malformed { path: path.to_owned(), why: error.to_string() })
}

/// Writes beside the file and renames over it: readers see the old or the new one, never half of one.
fn replace_json<T: Serialize>(path: &Path, value: &T) -> Result<(), JournalError> {
    Replacement::of(path.to_owned(), value)?.put()
}

/// What a small file is to say, on the disk beside it and seen by nobody. Given up without [`Self::put`] it is gone again.
#[derive(Debug)]
#[must_use = "the file stays as it is until this is put in its place"]
pub struct Replacement {
    path: PathBuf,
    beside: Option<PathBuf>,
}

impl Replacement {
    fn of<T: Serialize>(path: PathBuf, value: &T) -> Result<Self, JournalError> {
        let text = serde_json::to_vec_pretty(value)
            .map_err(|error| JournalError::Malformed { path: path.clone(), why: error.to_string() })?;
        let beside = path.with_extension(format!("json.{}", std::process::id()));
        let written = write_private(&beside, &text);
        let ready = Self { path, beside: Some(beside) };
        written.map_err(JournalError::io("write", &ready.path))?;
        Ok(ready)
    }

    /// Renames it over the file.
    ///
    /// # Errors
    /// When the file system refuses; the old file stays.
    pub fn put(mut self) -> Result<(), JournalError> {
        if let Some(beside) = &self.beside {
            fs::rename(beside, &self.path).map_err(JournalError::io("write", &self.path))?;
        }
        self.beside = None;
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = fs::remove_file(beside);
        }
    }
}

fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::PodId;

    fn pod(session: SessionId, generation: u64) -> PodFile {
        PodFile {
            pod: PodId::new(),
            session,
            generation,
            pid: 1,
            pid_started: 2,
            socket: "s".into(),
            token: "t".into(),
        }
    }

    #[test]
    fn a_late_keeper_does_not_remove_the_file_of_a_newer_one() {
        let root = tempfile::tempdir().unwrap();
        let session = SessionId::new();
        let folder = SessionFolder::create(root.path(), session).unwrap();
        folder.write_pod(&pod(session, 2)).unwrap();
        folder.remove_pod(1).unwrap();
        assert_eq!(folder.read_pod().unwrap().unwrap().generation, 2);
        folder.remove_pod(2).unwrap();
        assert!(folder.read_pod().unwrap().is_none());
    }

    #[test]
    fn what_is_prepared_and_given_up_was_never_there() {
        let root = tempfile::tempdir().unwrap();
        let session = SessionId::new();
        let folder = SessionFolder::create(root.path(), session).unwrap();
        folder.prepare_pod(&pod(session, 1)).unwrap().put().unwrap();
        let given_up = folder.prepare_pod(&pod(session, 2)).unwrap();
        assert_eq!(folder.read_pod().unwrap().unwrap().generation, 1);
        drop(given_up);
        assert_eq!(folder.read_pod().unwrap().unwrap().generation, 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_session_with_records_is_never_discarded() {
        let root = tempfile::tempdir().unwrap();
        let folder = SessionFolder::create(root.path(), SessionId::new()).unwrap();
        fs::write(folder.journal(), b"x").unwrap();
        folder.discard_unused().unwrap();
        assert!(folder.path().exists());
        fs::write(folder.journal(), b"").unwrap();
        fs::write(folder.compressed(), b"x").unwrap();
        folder.discard_unused().unwrap();
        assert!(folder.path().exists());
        fs::remove_file(folder.compressed()).unwrap();
        folder.discard_unused().unwrap();
        assert!(!folder.path().exists());
    }

    #[test]
    fn malformed_files_are_errors_that_name_the_file() {
        let root = tempfile::tempdir().unwrap();
        let folder = SessionFolder::create(root.path(), SessionId::new()).unwrap();
        fs::write(folder.meta(), b"{").unwrap();
        let message = folder.read_meta().unwrap_err().to_string();
        assert!(message.contains("meta.json"), "{message}");
    }
}
