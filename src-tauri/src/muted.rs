//! Sessions about which the user does not want to be notified, kept over a restart.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use protocol::SessionId;
use protocol::limits::MUTED_SESSIONS;

/// See the module.
pub(crate) struct Muted {
    file: PathBuf,
    sessions: Mutex<Vec<SessionId>>,
}

impl Muted {
    /// Reads them. A file that cannot be read is told and counts as empty: at worst too much is notified.
    pub(crate) fn read(data: &Path) -> Self {
        let file = data.join("muted-sessions.json");
        let sessions = match std::fs::read(&file).map(|bytes| serde_json::from_slice(&bytes)) {
            Ok(Ok(sessions)) => sessions,
            Ok(Err(error)) => {
                tracing::warn!(%error, file = %file.display(), "which sessions are muted is not known any more");
                Vec::new()
            }
            Err(_) => Vec::new(),
        };
        Self { file, sessions: Mutex::new(sessions) }
    }

    /// Whether a session is muted.
    pub(crate) fn contains(&self, session: SessionId) -> bool {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).contains(&session)
    }

    /// Mutes a session, or not any more. Blocks for the disk.
    ///
    /// # Errors
    /// When it cannot be written; it is so until the app ends all the same.
    pub(crate) fn set(&self, session: SessionId, muted: bool) -> std::io::Result<()> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|other| *other != session);
        if muted {
            let over = (sessions.len() + 1).saturating_sub(MUTED_SESSIONS);
            sessions.drain(..over);
            sessions.push(session);
        }
        let new = self.file.with_extension("new");
        std::fs::write(&new, serde_json::to_vec(&*sessions).map_err(std::io::Error::other)?)?;
        std::fs::rename(&new, &self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_muted_session_stays_muted_over_a_restart() {
        let data = tempfile::tempdir().unwrap();
        let ids: Vec<SessionId> = (0..MUTED_SESSIONS + 1).map(|_| SessionId::new()).collect();
        let muted = Muted::read(data.path());
        ids.iter().for_each(|id| muted.set(*id, true).unwrap());
        let again = Muted::read(data.path());
        assert!(again.contains(ids[MUTED_SESSIONS]) && !again.contains(ids[0]), "the oldest is forgotten");
        again.set(ids[1], false).unwrap();
        assert!(!Muted::read(data.path()).contains(ids[1]));
        std::fs::write(data.path().join("muted-sessions.json"), "[").unwrap();
        assert!(!Muted::read(data.path()).contains(ids[2]));
    }
}
