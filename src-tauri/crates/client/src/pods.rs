//! Pod trees: how does one start a pod below another, look at a tree, change its budget, and stop it?
//!
//! The same for people (command line, window) and for agents (the crate `pods`). What is allowed is decided by the crate `scopes` in
//! the ledger, what a live pod does by its keeper; here the two are brought together.

mod proof;
mod spawn;
mod stop;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ledger::{Ledger, LedgerError};
use protocol::error::{ErrorCode, WireError};
use protocol::pods::{NoteBudget, Notify, end_words};
use protocol::scope::{Budget, PodOutcome, ScopeRule, TreeEntry};
use protocol::{PodId, SessionId};
use scopes::{Area, Reclaimed, Refused, Rule};

use crate::machine::Machine;
use crate::sessions;

pub use spawn::{ChildWish, spawn};
pub use stop::{StoppedPod, stop_everything, stop_trees};

/// The tree that a session is in, ended pods too, in the order in which they were spawned. Empty when it is in none.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn tree(machine: &Machine, session: SessionId) -> Result<Vec<TreeEntry>, WireError> {
    in_ledger(machine, move |ledger| Ok(scopes::tree(ledger, session, now())?)).await
}

/// All pods of trees that have a live one, in the order in which they were spawned.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn live_trees(machine: &Machine) -> Result<Vec<TreeEntry>, WireError> {
    in_ledger(machine, |ledger| Ok(scopes::live_trees(ledger, now())?)).await
}

/// The pods whose scopes cover this absolute path: the first one is who may write there now, the others have given it on.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn who_may_write(machine: &Machine, path: &Path) -> Result<Vec<(TreeEntry, Rule)>, WireError> {
    let path = path.to_owned();
    in_ledger(machine, move |ledger| Ok(scopes::who_may_write(ledger, &path)?)).await
}

/// Changes what a pod and all below it may use; answers with the budget as it is then. `change` gets the one that holds until then.
///
/// # Errors
/// When the trees do not know the session, or the ledger cannot be written.
pub async fn set_budget(
    machine: &Machine,
    session: SessionId,
    change: impl FnOnce(Budget) -> Budget + Send + 'static,
) -> Result<Budget, WireError> {
    let budget = in_ledger(machine, move |ledger| {
        let entries = scopes::tree(ledger, session, now())?;
        let entry = entries.into_iter().find(|entry| entry.session == session);
        let before = entry.ok_or(Refused::Unknown { session })?.budget.unwrap_or_default();
        let budget = change(before);
        scopes::set_budget(ledger, session, budget.clone(), now())?;
        Ok(budget)
    });
    let budget = budget.await?;
    // Its transcript says so. A session that is not live has no keeper to write that, and a busy one may be too late.
    if let Ok(mut pod) = sessions::connect(machine, session, "client").await
        && let Err(error) = pod.note_budget(NoteBudget { budget: budget.clone() }).await
    {
        tracing::warn!(%error, %session, "a pod did not note its new budget");
    }
    Ok(budget)
}

/// Ends, as disconnected, the pods that are proved dead; their scopes go back to their parents.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn reclaim(machine: &Machine) -> Result<Vec<Reclaimed>, WireError> {
    in_ledger(machine, |ledger| Ok(scopes::reclaim(ledger, now(), &proof::is_dead)?)).await
}

/// Takes a pod that is gone, with all that it had started, out of its tree. Somebody else may have done that already.
pub(crate) fn lost(ledger: &Ledger, session: SessionId, pod: PodId) {
    if let Err(error) = scopes::end(ledger, session, Some(pod), PodOutcome::Disconnected, now()) {
        tracing::warn!(%error, %session, "a pod that is gone still stands in its tree");
    }
}

/// Tells the pod above one that was lost, which has its scope again. For whoever has closed the session: there is one, so it is told once.
pub(crate) async fn tell_of_loss(machine: &Machine, ledger: &Ledger, session: SessionId) {
    let entry = match scopes::tree(ledger, session, now()) {
        Ok(tree) => tree.into_iter().find(|entry| entry.session == session),
        Err(error) => return tracing::warn!(%error, %session, "nobody could be told of a pod that is gone"),
    };
    let Some((parent, from)) = entry.and_then(|entry| Some((entry.parent?, entry.name))) else { return };
    let outcome = PodOutcome::Disconnected;
    let text = end_words(&from, outcome);
    let news = Notify { session, from, text, outcome: Some(outcome), quiet: false };
    let told = async { sessions::connect(machine, parent, "client").await?.notify(news).await };
    if let Err(error) = told.await {
        tracing::info!(%error, %parent, %session, "the pod above one that is gone could not be told");
    }
}

/// The rules as a pod of this workspace would hold them.
///
/// # Errors
/// When one names nothing that there is, or a folder that Outrigger keeps for itself.
pub fn resolved(machine: &Machine, workspace: &Path, rules: &[ScopeRule]) -> Result<Vec<Rule>, WireError> {
    let kept = kept(machine);
    scopes::resolve(rules, Area { workspace, kept: &kept })
        .map_err(|error| WireError::new(ErrorCode::ScopeRefused, error.to_string()))
}

/// The folders in which no pod may write: sockets, journals, settings and the ledger are there.
fn kept(machine: &Machine) -> [PathBuf; 4] {
    let places = &machine.places;
    [places.data.clone(), places.config.clone(), places.run.clone(), places.cache.clone()]
}

/// Milliseconds since 1970.
fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Does something with the ledger, which blocks.
async fn in_ledger<T: Send + 'static>(
    machine: &Machine,
    work: impl FnOnce(&Ledger) -> Result<T, Refused> + Send + 'static,
) -> Result<T, WireError> {
    let path = machine.places.ledger.clone();
    let task = tokio::task::spawn_blocking(move || {
        let opened = Ledger::open(&path).map_err(unreadable)?;
        work(&opened.ledger).map_err(refusal)
    });
    let broke = |error| WireError::new(ErrorCode::Internal, format!("looking into the ledger broke off: {error}"));
    task.await.map_err(broke)?
}

fn unreadable(error: LedgerError) -> WireError {
    WireError::new(ErrorCode::DataFolder, error.to_string())
}

/// What was refused, as it crosses a boundary.
fn refusal(refused: Refused) -> WireError {
    let code = match &refused {
        Refused::Conflict { .. } | Refused::Outside { .. } | Refused::NoScope { .. } => ErrorCode::ScopeRefused,
        Refused::Budget { .. } => ErrorCode::BudgetUsed,
        Refused::NameTaken { .. } | Refused::SameTask { .. } => ErrorCode::BadRequest,
        Refused::Closing { .. } | Refused::Ended { .. } => ErrorCode::SessionEnded,
        Refused::Unknown { .. } => ErrorCode::NoSuchSession,
        Refused::Ledger(_) => ErrorCode::DataFolder,
    };
    WireError::new(code, refused.to_string())
}

/// How far `reader` has read what `pod` said: the number of a record. Blocks.
///
/// # Errors
/// When the ledger cannot be read.
pub fn read_cursor(machine: &Machine, reader: SessionId, pod: SessionId) -> Result<u64, WireError> {
    let opened = Ledger::open(&machine.places.ledger).map_err(unreadable)?;
    opened.ledger.read_cursor(reader, pod).map_err(unreadable)
}

/// Notes that `reader` has read what `pod` said up to this record.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn set_read_cursor(machine: &Machine, reader: SessionId, pod: SessionId, seq: u64) -> Result<(), WireError> {
    in_ledger(machine, move |ledger| Ok(ledger.set_read_cursor(reader, pod, seq)?)).await
}
