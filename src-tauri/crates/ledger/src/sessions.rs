//! Sessions and workspaces in the ledger: a copy of what the session folders say, for those who want all of it at once.

use rusqlite::params;

use crate::error::LedgerError;
use crate::open::{Ledger, now};
use crate::rows::{self, SessionRow, word};

impl Ledger {
    /// Notes a session as it is now.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn note_session(&self, session: &SessionRow) -> Result<(), LedgerError> {
        let query = "INSERT OR REPLACE INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        self.change("note a session", |change| {
            let statistics = serde_json::to_string(&session.statistics)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            change.prepare_cached(query)?.execute(params![
                session.session.to_string(),
                session.provider,
                session.workspace,
                session.cwd,
                session.title,
                session.native_id,
                session.parent.map(|parent| parent.to_string()),
                session.created_at,
                session.updated_at,
                session.ended_at,
                session.outcome.as_ref().map(word).transpose()?,
                statistics,
            ])
        })?;
        Ok(())
    }

    /// All sessions, newest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn sessions(&self) -> Result<Vec<SessionRow>, LedgerError> {
        self.rows("list the sessions", "SELECT * FROM sessions ORDER BY id DESC", [], rows::session)
    }

    /// Notes that a workspace is in use.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn note_workspace(&self, path: &str) -> Result<(), LedgerError> {
        let query = "INSERT INTO workspaces VALUES (?1, ?2, ?2)
                     ON CONFLICT (path) DO UPDATE SET last_seen = max(last_seen, excluded.last_seen)";
        self.change("note a workspace", |change| change.execute(query, params![path, now()]))?;
        Ok(())
    }

    /// The workspaces that have been used, the newest use first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn workspaces(&self) -> Result<Vec<String>, LedgerError> {
        self.rows("list the workspaces", "SELECT path FROM workspaces ORDER BY last_seen DESC", [], |row| row.get(0))
    }
}
