//! Fills a ledger that is new from the session folders, which stay the truth.

use journal::SessionFolder;
use ledger::{Ledger, LedgerError, PodClaim};

use crate::machine::Machine;

/// Fills the ledger if nobody has done so yet. Where its damaged predecessor lies, if there was one.
///
/// # Errors
/// When the ledger cannot be written; then the next one tries again.
pub(super) fn if_wanted(machine: &Machine, ledger: &Ledger) -> Result<Option<String>, LedgerError> {
    let Some(before) = ledger.wants_rebuild()? else { return Ok(None) };
    let folders = SessionFolder::list(&machine.places.sessions).unwrap_or_else(|error| {
        tracing::warn!(%error, "the ledger could not be filled from the session folders");
        Vec::new()
    });
    tracing::info!(sessions = folders.len(), before, "the ledger is filled from the session folders");
    for (_, folder) in &folders {
        take_over(folder, ledger)?;
    }
    ledger.rebuilt()?;
    Ok((!before.is_empty()).then_some(before))
}

/// What cannot be read is left out here; whoever lists the sessions tells of it.
fn take_over(folder: &SessionFolder, ledger: &Ledger) -> Result<(), LedgerError> {
    let Ok(Some(meta)) = folder.read_meta() else { return Ok(()) };
    ledger.note_session(&(&meta).into())?;
    ledger.note_workspace(&meta.workspace)?;
    let Ok(Some(pod)) = folder.read_pod() else { return Ok(()) };
    let claim = PodClaim {
        pod: pod.pod,
        session: pod.session,
        generation: pod.generation,
        pid: pod.pid,
        started: pod.pid_started,
        socket: pod.socket,
        parent: meta.parent,
        state: "unknown".to_owned(),
    };
    match ledger.claim_pod(&claim, &[]) {
        // Its keeper has noticed that the ledger is new, and was faster.
        Ok(()) | Err(LedgerError::Stale { .. }) => Ok(()),
        Err(error @ (LedgerError::Newer { .. } | LedgerError::Io { .. } | LedgerError::Sql { .. })) => Err(error),
    }
}
