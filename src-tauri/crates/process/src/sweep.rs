//! Ends everything that is provably ours.
//!
//! Responsible for leftovers: processes that a pod knew by pid and start time, what descends from them, and whatever
//! carries the pod's mark. Processes without such a proof are not touched, neither is the caller or its parents, nor
//! what is of another pod, nor what the caller spares.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::stop::{kill_processes, terminate_processes, wait_gone};
use crate::tree::{self, ProcessEntry, ProcessRef};
use crate::whose::{and_above, of_others};

/// From SIGTERM to SIGKILL. Short: whoever is swept has been asked before, or has nobody left to work for.
const TERM_WAIT: Duration = Duration::from_millis(500);
/// How long the system gets to carry out SIGKILL.
const KILL_WAIT: Duration = Duration::from_secs(2);
/// A process may start another one between the list and the signal; then the list is made again.
const ROUNDS: usize = 4;

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Processes that ran before and do not run any more.
    pub ended: Vec<ProcessEntry>,
    /// Processes that are still there after SIGKILL.
    pub survivors: Vec<ProcessEntry>,
}

/// What a sweep does not touch.
#[derive(Debug, Clone, Copy, Default)]
struct Spared<'a> {
    /// These and all below them.
    whole: &'a [ProcessRef],
    /// These, and below them what does not carry the mark that is swept.
    owners: &'a [ProcessRef],
}

/// Ends all processes of `known` that still live (pid and start time), their descendants, and all that carry `mark`:
/// SIGTERM, a short wait, SIGKILL, a wait. Takes at most a few seconds; returns at once when nothing is left.
///
/// What carries another mark, and what that has started, is of another pod and is not touched.
pub async fn sweep(mark: &str, known: &[ProcessRef]) -> Sweep {
    sweep_sparing(mark, known, Spared::default()).await
}

/// The same, except for the processes of `spare` that still live (pid and start time) and what descends from them.
pub async fn sweep_except(mark: &str, known: &[ProcessRef], spare: &[ProcessRef]) -> Sweep {
    sweep_sparing(mark, known, Spared { whole: spare, owners: &[] }).await
}

/// The same, beside pods of others: their `owners` are spared with what descends from them, unless it carries `mark`. An owner
/// adopts what the death of another one below it leaves behind.
pub async fn sweep_beside(mark: &str, known: &[ProcessRef], owners: &[ProcessRef]) -> Sweep {
    sweep_sparing(mark, known, Spared { whole: &[], owners }).await
}

async fn sweep_sparing(mark: &str, known: &[ProcessRef], spare: Spared<'_>) -> Sweep {
    let mut targets: HashMap<ProcessRef, ProcessEntry> = HashMap::new();
    let mut left = ours(mark, known, spare, &targets);
    add(&mut targets, &left);
    if left.is_empty() {
        tree::reap_orphans();
        return Sweep::default();
    }
    terminate_processes(&refs(&left));
    wait_gone(&refs(&left), TERM_WAIT).await;
    for _ in 0..ROUNDS {
        left = ours(mark, known, spare, &targets);
        add(&mut targets, &left);
        if left.is_empty() {
            break;
        }
        kill_processes(&refs(&left));
        wait_gone(&refs(&left), KILL_WAIT).await;
    }
    let survivors = ours(mark, known, spare, &targets);
    let alive: HashSet<ProcessRef> = survivors.iter().map(|entry| entry.process).collect();
    let mut ended: Vec<ProcessEntry> = targets.into_values().filter(|e| !alive.contains(&e.process)).collect();
    ended.sort_by_key(|entry| entry.process.pid);
    tree::reap_orphans();
    tracing::debug!(mark, ended = ended.len(), survivors = survivors.len(), "swept leftovers");
    Sweep { ended, survivors }
}

/// What runs now and is ours by proof. What was a target before stays one: its descendants may have lost it as parent.
fn ours(
    mark: &str,
    known: &[ProcessRef],
    spare: Spared<'_>,
    before: &HashMap<ProcessRef, ProcessEntry>,
) -> Vec<ProcessEntry> {
    let table = tree::table();
    let marked = tree::all_marked();
    let mut spared = and_above(std::process::id(), &table);
    spared.extend(with_descendants(spare.whole, &table));
    let others = of_others(mark, &marked, spare.owners, &table);
    let wanted: HashSet<ProcessRef> = known.iter().chain(before.keys()).copied().collect();
    spared.extend(&others);
    let carries_it = marked.into_iter().filter(|carried| carried.mark == mark).map(|carried| carried.entry);
    let mut found: Vec<ProcessEntry> = carries_it.collect();
    found.extend(table.iter().filter(|entry| wanted.contains(&entry.process)).cloned());
    found.retain(|entry| !spared.contains(&entry.process.pid));
    let roots: Vec<u32> = found.iter().map(|entry| entry.process.pid).collect();
    found.extend(tree::below(&roots, table));
    let mut seen = HashSet::new();
    found.retain(|entry| !spared.contains(&entry.process.pid) && seen.insert(entry.process));
    found
}

/// Those of `roots` that live, and all below them.
fn with_descendants(roots: &[ProcessRef], table: &[ProcessEntry]) -> Vec<u32> {
    let alive = |root: &&ProcessRef| table.iter().any(|entry| entry.process == **root);
    let mut pids: Vec<u32> = roots.iter().filter(alive).map(|root| root.pid).collect();
    if !pids.is_empty() {
        let links: Vec<(u32, u32)> = table.iter().map(|entry| (entry.process.pid, entry.parent)).collect();
        pids.extend(tree::pids_below(&pids.clone(), &links));
    }
    pids
}

fn add(targets: &mut HashMap<ProcessRef, ProcessEntry>, found: &[ProcessEntry]) {
    for entry in found {
        targets.entry(entry.process).or_insert_with(|| entry.clone());
    }
}

fn refs(entries: &[ProcessEntry]) -> Vec<ProcessRef> {
    entries.iter().map(|entry| entry.process).collect()
}
