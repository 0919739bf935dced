//! How does a pod tree look now, with what the keepers of its pods say about their confinement?
//!
//! The ledger is asked each time. A keeper is asked once, and again when its scope is another one: how a pod is held to its scope
//! changes with nothing else.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use protocol::SessionId;
use protocol::error::WireError;
use protocol::pods_view::{PodTree, TreePod};
use protocol::scope::{BudgetUse, Confinement, HeldRule, TreeEntry};

use crate::session_access::OwnSession;

/// The tree is shown without what a keeper does not say within this time.
const ANSWER: Duration = Duration::from_millis(800);

/// Somebody looks at the tree of a session, again and again.
pub(crate) struct TreeLook {
    own: OwnSession,
    known: HashMap<SessionId, Known>,
}

/// What a keeper said, and for which scope.
struct Known {
    scope: Vec<HeldRule>,
    confinement: Confinement,
}

impl TreeLook {
    /// Begins to look.
    pub(crate) fn at(own: OwnSession) -> Self {
        Self { own, known: HashMap::new() }
    }

    /// The tree as it stands now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(crate) async fn look(&mut self) -> Result<PodTree, WireError> {
        let entries = client::pods::tree(&self.own.machine, self.own.session).await?;
        self.ask(&entries).await;
        let at = Timestamp::now().as_millisecond();
        let pods = entries.into_iter().map(|entry| TreePod { confinement: self.confinement(&entry).cloned(), entry });
        Ok(PodTree { pods: pods.collect(), at })
    }

    fn confinement(&self, entry: &TreeEntry) -> Option<&Confinement> {
        let known = self.known.get(&entry.session)?;
        (entry.scope.as_ref() == Some(&known.scope)).then_some(&known.confinement)
    }

    /// Asks all keepers at once that have something new to say. One that does not answer is asked again at the next look.
    async fn ask(&mut self, entries: &[TreeEntry]) {
        let asked: Vec<_> = entries
            .iter()
            .filter(|entry| entry.outcome.is_none() && self.confinement(entry).is_none())
            .filter_map(|entry| Some((entry.session, entry.scope.clone()?)))
            .map(|(session, scope)| {
                let machine = self.own.machine.clone();
                let asked = async move {
                    let mut pod = client::sessions::connect(&machine, session, "desktop").await.ok()?;
                    let confinement = pod.status().await.ok()?.confinement?;
                    Some((session, Known { scope, confinement }))
                };
                tokio::spawn(async move { tokio::time::timeout(ANSWER, asked).await.ok().flatten() })
            })
            .collect();
        for answer in asked {
            if let Ok(Some((session, known))) = answer.await {
                self.known.insert(session, known);
            }
        }
    }
}

/// Whether a page has to be told: time that only passes is no change.
pub(crate) fn is_other(shown: &PodTree, now: &PodTree) -> bool {
    let still = |pod: &TreePod| {
        let mut pod = pod.clone();
        pod.entry.used = BudgetUse { wall_seconds: 0, ..pod.entry.used };
        pod
    };
    !shown.pods.iter().map(still).eq(now.pods.iter().map(still))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(turns: u64, wall_seconds: u64) -> PodTree {
        let entry = TreeEntry {
            session: SessionId::new(),
            name: "one".to_owned(),
            parent: None,
            spawned_by: None,
            closing: false,
            outcome: None,
            spawned_at: 0,
            ended_at: None,
            workspace: "/w".to_owned(),
            scope: None,
            budget: None,
            used: BudgetUse { turns, wall_seconds, ..BudgetUse::default() },
        };
        PodTree { pods: vec![TreePod { entry, confinement: None }], at: 0 }
    }

    #[test]
    fn passing_time_is_no_news_and_a_turn_is() {
        let shown = tree(1, 5);
        let mut later = shown.clone();
        later.at = 9000;
        later.pods[0].entry.used.wall_seconds = 14;
        assert!(!is_other(&shown, &later));
        later.pods[0].entry.used.turns = 2;
        assert!(is_other(&shown, &later));
        assert!(is_other(&shown, &PodTree::default()));
    }
}
