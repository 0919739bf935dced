//! How do the pod trees look now? For the keeper's answers, the command line and the window; nothing is changed.

use std::path::{Path, PathBuf};

use ledger::{Ledger, LedgerError, TreePod};
use protocol::SessionId;
use protocol::scope::TreeEntry;

use crate::budget;
use crate::forest::{Forest, rules_of};
use crate::reach::Rule;
use crate::resolve::comparable;
use crate::scope::{Scope, Taken};

/// What a live pod may do now. `None` when the trees do not know it, or it has ended.
///
/// # Errors
/// When the ledger cannot be read.
pub fn scope_of(ledger: &Ledger, session: SessionId) -> Result<Option<Scope>, LedgerError> {
    let forest = Forest::new(ledger.tree_pods(session)?);
    let Some(pod) = forest.get(session).filter(|pod| pod.ended.is_none()) else { return Ok(None) };
    let taken = forest.children(session).into_iter().flat_map(|child| {
        let writes = rules_of(child).into_iter().filter(Rule::writes);
        writes.map(|rule| Taken { session: child.session, name: child.name.clone(), rule })
    });
    Ok(Some(Scope {
        rules: pod.scoped.then(|| rules_of(pod)),
        taken: taken.collect(),
        workspace: PathBuf::from(&pod.workspace),
    }))
}

/// The tree that this session is in, in the order in which its pods were spawned, at `now` in milliseconds since 1970.
///
/// # Errors
/// When the ledger cannot be read.
pub fn tree(ledger: &Ledger, session: SessionId, now: i64) -> Result<Vec<TreeEntry>, LedgerError> {
    let pods = ledger.tree_pods(session)?;
    let forest = Forest::new(pods.clone());
    Ok(pods.iter().map(|pod| entry(&forest, pod, now)).collect())
}

/// All pods of trees that have a live one.
///
/// # Errors
/// When the ledger cannot be read.
pub fn live_trees(ledger: &Ledger, now: i64) -> Result<Vec<TreeEntry>, LedgerError> {
    let pods = ledger.live_trees()?;
    let forest = Forest::new(pods.clone());
    Ok(pods.iter().map(|pod| entry(&forest, pod, now)).collect())
}

/// The pods whose rules let them write at this absolute path, the furthest below first: the first one is who may write there now,
/// the others have given it on.
///
/// # Errors
/// When the ledger cannot be read.
pub fn who_may_write(ledger: &Ledger, path: &Path) -> Result<Vec<(TreeEntry, Rule)>, LedgerError> {
    let forest = Forest::new(ledger.live_trees()?);
    let path = comparable(path);
    let mut found = Vec::new();
    for pod in forest.live() {
        let rule = rules_of(pod).into_iter().find(|rule| rule.writes() && rule.covers(&path));
        found.extend(rule.map(|rule| (entry(&forest, pod, pod.spawned_at), rule)));
    }
    found.sort_by_key(|(entry, _)| std::cmp::Reverse(forest.lineage(entry.session).len()));
    Ok(found)
}

fn entry(forest: &Forest, pod: &TreePod, now: i64) -> TreeEntry {
    TreeEntry {
        session: pod.session,
        name: pod.name.clone(),
        parent: forest.parent(pod.session).map(|parent| parent.session),
        spawned_by: pod.spawned_by,
        closing: pod.closing,
        outcome: pod.ended.as_ref().map(|(_, outcome)| *outcome),
        spawned_at: pod.spawned_at,
        ended_at: pod.ended.as_ref().map(|(at, _)| *at),
        workspace: pod.workspace.clone(),
        scope: pod.scoped.then(|| pod.rules.iter().map(|rule| rule.held.clone()).collect()),
        budget: pod.budget.as_ref().map(|(budget, _)| budget.clone()),
        used: budget::of(forest, pod.session, now),
    }
}
