//! Pods in the ledger: who hosts which session, and in which generation.
//!
//! A row is changed only by who can name the keeper's process, so that somebody who comes late changes nothing.

use protocol::{PodId, SessionId};
use rusqlite::{Transaction, params};

use crate::error::LedgerError;
use crate::open::{Ledger, now};
use crate::processes;
use crate::rows::{self, PodClaim, PodRow, ProcessNote};

impl Ledger {
    /// Notes a pod with its first processes. A keeper that claims its own pod again, because the ledger was set aside in the
    /// meantime, only renews the row. The session's earlier pods that have ended are forgotten.
    ///
    /// # Errors
    /// [`LedgerError::Stale`] when the session has had this generation or a newer one; otherwise when the ledger cannot be
    /// written.
    pub fn claim_pod(&self, claim: &PodClaim, processes: &[ProcessNote]) -> Result<(), LedgerError> {
        let newest = self.change("claim a pod", |change| {
            if let Some(newest) = newer_than(change, claim)? {
                return Ok(Some(newest));
            }
            insert(change, claim)?;
            for process in processes {
                processes::take(change, claim.pod, process)?;
            }
            Ok(None)
        })?;
        match newest {
            Some(newest) => Err(LedgerError::Stale { session: claim.session, generation: claim.generation, newest }),
            None => Ok(()),
        }
    }

    /// Notes the pod's state in a word. Whether the pod was there and had not ended.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn set_pod_state(&self, pod: PodId, state: &str) -> Result<bool, LedgerError> {
        let changed = self.change("note a pod's state", |change| {
            let query = "UPDATE pods SET state = ?2, since = ?3 WHERE id = ?1 AND ended_at IS NULL";
            change.prepare_cached(query)?.execute(params![pod.to_string(), state, now()])
        })?;
        Ok(changed > 0)
    }

    /// Notes that the pod has ended and forgets its processes, if its keeper is still this very process. Whether it was.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn end_pod(&self, pod: PodId, pid: u32, started: u64) -> Result<bool, LedgerError> {
        let pod = pod.to_string();
        self.change("end a pod", |change| {
            let query = "UPDATE pods SET ended_at = ?4, state = 'ended', since = ?4
                         WHERE id = ?1 AND pid = ?2 AND started = ?3 AND ended_at IS NULL";
            let ended = change.execute(query, params![pod, pid, started, now()])? > 0;
            if ended {
                change.execute("DELETE FROM processes WHERE pod = ?1", [&pod])?;
            }
            Ok(ended)
        })
    }

    /// The pods that have not ended, oldest first: they live, or their keepers were killed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn open_pods(&self) -> Result<Vec<PodRow>, LedgerError> {
        self.rows("list the open pods", "SELECT * FROM pods WHERE ended_at IS NULL ORDER BY id", [], rows::pod)
    }

    /// The pods that are known, oldest first; of those that have ended only each session's newest.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn pods(&self) -> Result<Vec<PodRow>, LedgerError> {
        self.rows("list the pods", "SELECT * FROM pods ORDER BY id", [], rows::pod)
    }

    /// The newest generation that a session has had, if it is known.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn newest_generation(&self, session: SessionId) -> Result<Option<u64>, LedgerError> {
        let query = "SELECT max(generation) FROM pods WHERE session = ?1";
        let found: Vec<Option<u64>> =
            self.rows("read a session's generation", query, [session.to_string()], |row| row.get(0))?;
        Ok(found.into_iter().flatten().next())
    }
}

/// The generation that stands in the way of a claim.
fn newer_than(change: &Transaction<'_>, claim: &PodClaim) -> rusqlite::Result<Option<u64>> {
    let query = "SELECT max(generation) FROM pods
                 WHERE session = ?1 AND NOT (id = ?2 AND pid = ?3 AND started = ?4)";
    let given = params![claim.session.to_string(), claim.pod.to_string(), claim.pid, claim.started];
    let newest: Option<u64> = change.query_row(query, given, |row| row.get(0))?;
    Ok(newest.filter(|newest| *newest >= claim.generation))
}

fn insert(change: &Transaction<'_>, claim: &PodClaim) -> rusqlite::Result<()> {
    let session = claim.session.to_string();
    change.execute("DELETE FROM pods WHERE session = ?1 AND ended_at IS NOT NULL", [&session])?;
    let query = "INSERT OR REPLACE INTO pods VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL)";
    let parent = claim.parent.map(|parent| parent.to_string());
    change.execute(
        query,
        params![
            claim.pod.to_string(),
            session,
            claim.generation,
            claim.pid,
            claim.started,
            claim.socket,
            parent,
            claim.state,
            now()
        ],
    )?;
    Ok(())
}
