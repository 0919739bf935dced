//! Processes in the ledger: which pod owns them, and what they are for.
//!
//! A process is its id and its start time together; numbers are used again.

use protocol::PodId;
use rusqlite::{Transaction, params};

use crate::error::LedgerError;
use crate::open::{Ledger, now};
use crate::rows::{self, ProcessNote, ProcessRow, word};

impl Ledger {
    /// Notes processes of a pod. One that another pod has noted stays that pod's: a keeper that an agent started is seen among
    /// the agent's descendants too.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn note_processes(&self, pod: PodId, processes: &[ProcessNote]) -> Result<(), LedgerError> {
        let query = "INSERT INTO processes VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (pid, started) DO UPDATE
                     SET purpose = excluded.purpose, command = excluded.command, seen_at = excluded.seen_at
                     WHERE pod = excluded.pod";
        self.change("note processes", |change| {
            processes.iter().try_for_each(|process| write(change, query, pod, process))
        })
    }

    /// Forgets processes of a pod, given by id and start time. Those of other pods stay. How many were forgotten.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn forget_processes(&self, pod: PodId, processes: &[(u32, u64)]) -> Result<usize, LedgerError> {
        let query = "DELETE FROM processes WHERE pid = ?1 AND started = ?2 AND pod = ?3";
        self.change("forget processes", |change| {
            let mut forget = change.prepare_cached(query)?;
            processes
                .iter()
                .try_fold(0, |sum, (pid, started)| Ok(sum + forget.execute(params![pid, started, pod.to_string()])?))
        })
    }

    /// The processes that a pod has noted, by their ids.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn processes_of(&self, pod: PodId) -> Result<Vec<ProcessRow>, LedgerError> {
        let query = "SELECT * FROM processes WHERE pod = ?1 ORDER BY pid, started";
        self.rows("list a pod's processes", query, [pod.to_string()], rows::process)
    }
}

/// Notes a process that is this pod's whatever stood there before: its keeper says so of itself and of its runner.
pub(crate) fn take(change: &Transaction<'_>, pod: PodId, process: &ProcessNote) -> rusqlite::Result<()> {
    write(change, "INSERT OR REPLACE INTO processes VALUES (?1, ?2, ?3, ?4, ?5, ?6)", pod, process)
}

fn write(change: &Transaction<'_>, query: &str, pod: PodId, process: &ProcessNote) -> rusqlite::Result<()> {
    let ProcessNote { pid, started, purpose, command } = process;
    change.prepare_cached(query)?.execute(params![pid, started, pod.to_string(), word(purpose)?, command, now()])?;
    Ok(())
}
