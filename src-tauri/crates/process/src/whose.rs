//! Whose is a process? The part of a pod is told from what other pods have below it.
//!
//! An agent may start sessions of its own with the command line. Their keepers and all that these started stand below the first
//! agent's keeper in the process table, and they outlive it all the same. The nearest mark counts: a process without one belongs
//! to whom its parent belongs to.

use std::collections::{HashMap, HashSet};

use crate::tree::{self, Marked, ProcessEntry, ProcessRef, pids_below_except};

/// Everything below `root` that belongs to the pod with this mark: less what carries another mark, and what that has started.
#[must_use]
pub fn part_of_pod(mark: &str, root: u32) -> Vec<ProcessEntry> {
    let table = tree::table();
    let others = of_others(mark, &tree::all_marked(), &[], &table);
    tree::below(&[root], table).into_iter().filter(|entry| !others.contains(&entry.process.pid)).collect()
}

/// The numbers of this process and all above it, and those that never are anybody's.
#[must_use]
pub fn and_above(process: u32, table: &[ProcessEntry]) -> HashSet<u32> {
    let parents: HashMap<u32, u32> = table.iter().map(|entry| (entry.process.pid, entry.parent)).collect();
    let mut found = HashSet::from([0, 1]);
    let mut pid = process;
    while found.insert(pid) {
        let Some(parent) = parents.get(&pid) else { break };
        pid = *parent;
    }
    found
}

/// The numbers of those that carry another mark than this one, of `owners` that run, and of what either has started. Below them is
/// nothing of the pod but what carries its mark. This process and those above it don't count: all of the pod is below them.
pub(crate) fn of_others(mark: &str, marked: &[Marked], owners: &[ProcessRef], table: &[ProcessEntry]) -> HashSet<u32> {
    let above = and_above(std::process::id(), table);
    let own: HashSet<u32> = marked.iter().filter(|m| m.mark == mark).map(|m| m.entry.process.pid).collect();
    let others = marked.iter().filter(|m| m.mark != mark).map(|m| m.entry.process.pid);
    let owners = table.iter().filter(|entry| owners.contains(&entry.process)).map(|entry| entry.process.pid);
    let roots: Vec<u32> = others.chain(owners).filter(|pid| !above.contains(pid) && !own.contains(pid)).collect();
    let links: Vec<(u32, u32)> = table.iter().map(|entry| (entry.process.pid, entry.parent)).collect();
    let skipped = own.union(&above).copied().collect();
    let below = pids_below_except(&roots, &links, skipped);
    roots.into_iter().chain(below).collect()
}
