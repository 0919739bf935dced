//! Which pods have lost their keepers? Those that the ledger holds open, and those whose `pod.json` is still there.

use journal::SessionFolder;
use ledger::{Ledger, PodClaim};
use process::{Liveness, ProcessRef};
use protocol::{PodId, SessionId};

use crate::machine::Machine;

/// A pod whose keeper is gone.
#[derive(Debug, Clone)]
pub(super) struct Abandoned {
    pub(super) pod: PodId,
    pub(super) session: SessionId,
    pub(super) generation: u64,
    pub(super) keeper: ProcessRef,
    pub(super) socket: String,
}

impl Abandoned {
    /// The processes that the ledger has of it.
    pub(super) fn known(&self, ledger: Option<&Ledger>) -> Vec<ProcessRef> {
        let rows = ledger.map(|ledger| ledger.processes_of(self.pod)).transpose().unwrap_or_else(|error| {
            tracing::warn!(%error, "the processes of a pod are known by their mark only");
            None
        });
        let known = rows.unwrap_or_default();
        known.into_iter().map(|row| ProcessRef { pid: row.note.pid, started: row.note.started }).collect()
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// Their keepers are gone at the first look.
    pub(super) abandoned: Vec<Abandoned>,
    /// Keepers that live, or may: nobody touches them and what they started.
    pub(super) living: Vec<ProcessRef>,
}

/// Looks through the ledger and the session folders.
pub(super) fn find(machine: &Machine, ledger: Option<&Ledger>, problems: &mut Vec<String>) -> Candidates {
    let mut all = Vec::new();
    match ledger.map(Ledger::open_pods) {
        Some(Ok(rows)) => all.extend(rows.into_iter().map(|row| from_ledger(row.claim))),
        Some(Err(error)) => problems.push(error.to_string()),
        None => {}
    }
    match SessionFolder::list(&machine.places.sessions) {
        Ok(folders) => all.extend(folders.iter().filter_map(|(_, folder)| from_folder(folder, problems))),
        Err(error) => problems.push(error.to_string()),
    }
    let mut found = Candidates::default();
    for pod in all {
        if !is_gone(pod.keeper) {
            found.living.push(pod.keeper);
        } else if !found.abandoned.iter().any(|other| other.pod == pod.pod) {
            found.abandoned.push(pod);
        }
    }
    found
}

/// Whether the process table says that the keeper has ended. Not to be told is not to be gone.
pub(super) fn is_gone(keeper: ProcessRef) -> bool {
    match keeper.liveness() {
        Liveness::Dead | Liveness::Zombie => true,
        Liveness::Alive | Liveness::Unknown(_) => false,
    }
}

fn from_ledger(claim: PodClaim) -> Abandoned {
    let PodClaim { pod, session, generation, pid, started, socket, parent: _, state: _ } = claim;
    Abandoned { pod, session, generation, keeper: ProcessRef { pid, started }, socket }
}

fn from_folder(folder: &SessionFolder, problems: &mut Vec<String>) -> Option<Abandoned> {
    match folder.read_pod() {
        Ok(Some(file)) => Some(Abandoned {
            pod: file.pod,
            session: file.session,
            generation: file.generation,
            keeper: ProcessRef { pid: file.pid, started: file.pid_started },
            socket: file.socket,
        }),
        Ok(None) => None,
        Err(error) => {
            problems.push(error.to_string());
            None
        }
    }
}
