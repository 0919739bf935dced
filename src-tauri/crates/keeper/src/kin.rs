//! What a pod says to those above and below it: how it goes to its parent, that they stop to all below.
//!
//! Who stands above whom now, the ledger knows; how another pod is reached stands in its session's folder. Nobody is taken for dead
//! because he does not answer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use journal::SessionFolder;
use protocol::SessionId;
use protocol::limits::{DRAIN, EXCHANGE, STOP_GRACE, TERM_GRACE};
use protocol::pod::StopParams;
use protocol::pods::Notify;
use protocol::record::Outcome;
use protocol::runner::StopReason;
use protocol::scope::{PodOutcome, TreeEntry};
use protocol::session::PodFile;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use crate::peer;
use crate::tree::{self, Tree};

/// How long the pods of one generation may take to stop: the ladder's rungs, a sweep, and something for a machine under load.
const STOPPING: Duration =
    Duration::from_secs(2 * (STOP_GRACE.as_secs() + TERM_GRACE.as_secs()) + DRAIN.as_secs() + 10);
/// Between two looks at a pod that is being started or does not answer.
const BETWEEN: Duration = Duration::from_millis(50);
/// Dead parents that one message goes past.
const UPWARDS: usize = 4;

/// How a session's end counts in the tree; what was asked to stop did not come to its end by itself.
pub(crate) fn outcome(outcome: Outcome, stop_asked: bool) -> PodOutcome {
    match outcome {
        Outcome::Done if stop_asked => PodOutcome::Cancelled,
        Outcome::Done => PodOutcome::Completed,
        Outcome::Failed => PodOutcome::Failed,
        Outcome::Stopped => PodOutcome::Cancelled,
        Outcome::Interrupted => PodOutcome::Disconnected,
    }
}

/// The line that wakes the parent at the end of a turn.
pub(crate) fn turn_words(name: &str, how: StopReason) -> String {
    let how = match how {
        StopReason::EndTurn => "has ended its turn",
        StopReason::MaxTurns => "has reached its own limit of turns",
        StopReason::Interrupted => "was interrupted",
        StopReason::Refused => "was refused by its model",
        StopReason::Error => "has failed in its turn",
    };
    format!("Pod `{name}` {how}; read_pod_output tells what it said.")
}

/// Tells the parent, or whoever has adopted the pod. Where nobody lives above it nobody is told.
pub(crate) async fn tell_parent(tree: Tree, sessions: PathBuf, text: String, outcome: Option<PodOutcome>) {
    let (session, from) = (tree.session(), tree.name().to_owned());
    let message = Notify { session, from, text, outcome, quiet: false };
    for _ in 0..UPWARDS {
        let Some(parent) = tree.parent().await else { return };
        match tell(&sessions, parent, &message).await {
            Ok(()) => return,
            Err(why) => {
                tracing::debug!(%parent, why, "the pod above could not be told");
                // If it is proved dead the one above it has adopted this pod.
                if !tree.reclaim().await {
                    return;
                }
            }
        }
    }
}

async fn tell(sessions: &Path, parent: SessionId, message: &Notify) -> Result<(), String> {
    let pod = pod_of(sessions, parent).ok_or_else(|| "it has no pod".to_owned())?;
    peer::ask(&pod, "pod/notify", message, EXCHANGE).await.map(drop).map_err(|error| error.to_string())
}

fn pod_of(sessions: &Path, session: SessionId) -> Option<PodFile> {
    SessionFolder::at(sessions, session).read_pod().ok().flatten()
}

/// Stops all pods below this one, those furthest below first. From its beginning none of them spawns, or begins a turn.
pub(crate) async fn stop_below(tree: Tree, sessions: PathBuf) {
    for generation in tree.close().await {
        let mut stopping = JoinSet::new();
        for session in generation {
            stopping.spawn(stop(tree.clone(), sessions.clone(), session));
        }
        while stopping.join_next().await.is_some() {}
    }
}

/// Stops one pod, wherever it stands: not hosted yet, being started, working, or ending by itself.
async fn stop(tree: Tree, sessions: PathBuf, session: SessionId) {
    let until = Instant::now() + STOPPING;
    while Instant::now() < until {
        if !tree.lives(session).await {
            return;
        }
        let asked = async {
            let pod = pod_of(&sessions, session)?;
            Some(peer::ask(&pod, "pod/stop", StopParams { force: false }, STOPPING).await)
        };
        match timeout_at(until, asked).await {
            Ok(Some(Ok(_))) => return,
            Ok(Some(Err(error))) => {
                tracing::debug!(%session, %error, "a pod below could not be stopped yet");
                tree.reclaim().await;
            }
            Ok(None) | Err(_) => {}
        }
        sleep(BETWEEN).await;
    }
    tracing::warn!(%session, "a pod below did not stop in time");
}

/// The live pods below a session, by generations, the furthest below first.
pub(crate) fn generations(entries: &[TreeEntry], session: SessionId) -> Vec<Vec<SessionId>> {
    let below = |of: &[SessionId]| -> Vec<SessionId> {
        let live = entries.iter().filter(|entry| entry.outcome.is_none());
        live.filter(|entry| entry.parent.is_some_and(|parent| of.contains(&parent)))
            .map(|entry| entry.session)
            .collect()
    };
    let mut found = Vec::new();
    let mut next = below(&[session]);
    // A circle can only stand in a damaged ledger.
    while !next.is_empty() && found.len() < entries.len() {
        let after = below(&next);
        found.push(next);
        next = after;
    }
    found.reverse();
    found
}

impl Tree {
    /// The live pod above this one now.
    pub(crate) async fn parent(&self) -> Option<SessionId> {
        self.entry(self.session()).await.and_then(|entry| entry.parent)
    }

    /// What the pod is called that this one was spawned by.
    pub(crate) async fn spawner(&self) -> Option<String> {
        let above = self.entry(self.session()).await?.spawned_by?;
        self.entry(above).await.map(|entry| entry.name)
    }

    /// Whether a pod of this tree has not ended.
    pub(crate) async fn lives(&self, session: SessionId) -> bool {
        self.entry(session).await.is_some_and(|entry| entry.outcome.is_none())
    }

    async fn entry(&self, session: SessionId) -> Option<TreeEntry> {
        self.entries().await.into_iter().find(|entry| entry.session == session)
    }

    async fn entries(&self) -> Vec<TreeEntry> {
        let session = self.session();
        match self.notes().ask(move |ledger| scopes::tree(ledger, session, tree::now())).await {
            Ok(Ok(entries)) => entries,
            Ok(Err(error)) => none_of(&error.to_string()),
            Err(error) => none_of(&error),
        }
    }

    /// Marks this pod and all below it as being stopped. Those below by generations, the furthest below first.
    pub(crate) async fn close(&self) -> Vec<Vec<SessionId>> {
        let session = self.session();
        let closed = self.notes().ask(move |ledger| scopes::close(ledger, session).map(|closed| closed.len()));
        match closed.await {
            // Nothing but itself.
            Ok(Ok(0 | 1)) => Vec::new(),
            Ok(Ok(_)) => generations(&self.entries().await, session),
            Ok(Err(error)) => none_of(&error.to_string()),
            Err(error) => none_of(&error),
        }
    }

    /// Ends what is proved dead. Whether anything was.
    pub(crate) async fn reclaim(&self) -> bool {
        let reclaimed = self.notes().ask(|ledger| scopes::reclaim(ledger, tree::now(), &tree::proved_dead));
        matches!(reclaimed.await, Ok(Ok(reclaimed)) if !reclaimed.is_empty())
    }
}

fn none_of<T>(why: &str) -> Vec<T> {
    tracing::warn!(why, "the pod tree could not be read");
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(session: SessionId, parent: Option<SessionId>, outcome: Option<PodOutcome>) -> TreeEntry {
        TreeEntry {
            session,
            name: String::new(),
            parent,
            spawned_by: parent,
            closing: false,
            outcome,
            spawned_at: 0,
            ended_at: None,
            workspace: String::new(),
            scope: None,
            budget: None,
            used: protocol::scope::BudgetUse::default(),
        }
    }

    #[test]
    fn the_furthest_below_stop_first() {
        let [root, child, other, grandchild, ended] = std::array::from_fn(|_| SessionId::new());
        let entries = [
            entry(root, None, None),
            entry(child, Some(root), None),
            entry(other, Some(root), None),
            entry(grandchild, Some(child), None),
            entry(ended, Some(child), Some(PodOutcome::Failed)),
        ];
        assert_eq!(generations(&entries, root), [vec![grandchild], vec![child, other]]);
        assert_eq!(generations(&entries, grandchild), Vec::<Vec<SessionId>>::new());
    }
}
