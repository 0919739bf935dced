//! Who ends what a killed keeper left? Whoever comes next: the command line at its start, the desktop when it sees it.
//!
//! Responsible for pods whose keepers are proved dead: what they left running is ended, their sessions are closed as interrupted
//! with a word in the journal, and a ledger that is new is filled from the session folders. A keeper is dead when its pid and
//! start time say so in two looks and its session's lease is free; no answer never means dead. It resumes nothing.

mod candidates;
mod closing;
mod rebuild;

use journal::{JournalError, Lease};
use ledger::Ledger;
use process::{ProcessEntry, ProcessRef};
use protocol::SessionId;
use protocol::limits::SECOND_LOOK;

use crate::machine::Machine;
use candidates::{Abandoned, Candidates};

/// What was done about pods whose keepers were killed.
#[derive(Debug, Default)]
pub struct Settled {
    /// The sessions that were closed, or that had left something running.
    pub sessions: Vec<SettledSession>,
    /// Processes that a killed owner of the tool sidecars had left, and that were ended.
    pub sidecars: usize,
    /// Where the damaged ledger lies whose successor was filled just now.
    pub ledger_set_aside: Option<String>,
    /// What could not be done, for the debug log.
    pub problems: Vec<String>,
}

/// One of them.
#[derive(Debug)]
pub struct SettledSession {
    /// The session.
    pub session: SessionId,
    /// Whether it was closed as interrupted now. Otherwise it had ended before, or lives again.
    pub interrupted: bool,
    /// What it had left running and was ended.
    pub ended: Vec<ProcessEntry>,
    /// What is still there after SIGKILL.
    pub survivors: Vec<ProcessEntry>,
}

/// Ends what killed keepers left, and closes their sessions. Takes milliseconds when there is nothing to do. Several programs may
/// do this at once.
pub async fn settle(machine: &Machine) -> Settled {
    let machine = machine.clone();
    let runtime = tokio::runtime::Handle::current();
    // The ledger, the leases and the journals block.
    let settled = tokio::task::spawn_blocking(move || runtime.block_on(settle_here(&machine))).await;
    let settled = settled.unwrap_or_else(|error| Settled {
        problems: vec![format!("looking for what killed keepers left broke off: {error}")],
        ..Settled::default()
    });
    for problem in &settled.problems {
        tracing::warn!(problem, "a killed keeper's pod could not be settled");
    }
    settled
}

async fn settle_here(machine: &Machine) -> Settled {
    let mut settled = Settled { sidecars: crate::sidecars::settle(machine).await, ..Settled::default() };
    if !machine.places.sessions.is_dir() {
        return settled;
    }
    let ledger = open_ledger(machine, &mut settled);
    let Candidates { abandoned, living } = candidates::find(machine, ledger.as_ref(), &mut settled.problems);
    if abandoned.is_empty() {
        return settled;
    }
    tokio::time::sleep(SECOND_LOOK).await;
    for pod in abandoned.into_iter().filter(|pod| candidates::is_gone(pod.keeper)) {
        match settle_pod(machine, ledger.as_ref(), &pod, &living).await {
            Ok(Some(session)) => settled.sessions.push(session),
            Ok(None) => {}
            Err(problem) => settled.problems.push(problem),
        }
    }
    settled
}

/// The ledger, filled if it is new. Without one the session folders have to do.
fn open_ledger(machine: &Machine, settled: &mut Settled) -> Option<Ledger> {
    let ledger = match Ledger::open(&machine.places.ledger) {
        Ok(opened) => opened.ledger,
        Err(error) => {
            settled.problems.push(error.to_string());
            return None;
        }
    };
    match rebuild::if_wanted(machine, &ledger) {
        Ok(before) => settled.ledger_set_aside = before,
        Err(error) => settled.problems.push(error.to_string()),
    }
    Some(ledger)
}

/// Nothing when somebody else is at it.
async fn settle_pod(
    machine: &Machine,
    ledger: Option<&Ledger>,
    pod: &Abandoned,
    living: &[ProcessRef],
) -> Result<Option<SettledSession>, String> {
    let folder = machine.folder(pod.session);
    let there = folder.read_pod();
    let superseded = there.as_ref().is_ok_and(|file| file.as_ref().is_some_and(|file| file.pod != pod.pod));
    let lease = match folder.path().is_dir().then(|| Lease::take(&folder)) {
        Some(Ok(lease)) => Some(lease),
        // A later keeper hosts the session, and what this one left has still to be ended.
        Some(Err(JournalError::Leased { .. })) if superseded => None,
        Some(Err(JournalError::Leased { .. })) => return Ok(None),
        Some(Err(error)) => return Err(error.to_string()),
        None => None,
    };
    let sweep = process::sweep_beside(&pod.pod.to_string(), &pod.known(ledger), living).await;
    let interrupted = match &lease {
        Some(_) => closing::close(&folder, pod, &sweep).map_err(|error| error.to_string())?,
        None => false,
    };
    closing::remove_socket(machine, pod);
    if let Some(ledger) = ledger {
        note(ledger, &folder, pod)?;
        // What could not be ended may still write: its scope is nobody else's yet.
        if sweep.survivors.is_empty() {
            crate::pods::lost(ledger, pod.session, pod.pod);
        }
        if interrupted {
            crate::pods::tell_of_loss(machine, ledger, pod.session).await;
        }
    }
    let process::Sweep { ended, survivors } = sweep;
    let nothing_to_tell = !interrupted && ended.is_empty() && survivors.is_empty();
    tracing::info!(session = %pod.session, interrupted, ended = ended.len(), "a killed keeper's pod was settled");
    Ok((!nothing_to_tell).then_some(SettledSession { session: pod.session, interrupted, ended, survivors }))
}

fn note(ledger: &Ledger, folder: &journal::SessionFolder, pod: &Abandoned) -> Result<(), String> {
    if let Ok(Some(meta)) = folder.read_meta() {
        ledger.note_session(&(&meta).into()).map_err(|error| error.to_string())?;
    }
    let ProcessRef { pid, started } = pod.keeper;
    ledger.end_pod(pod.pod, pid, started).map_err(|error| error.to_string())?;
    Ok(())
}
