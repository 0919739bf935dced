//! What crashes left behind: processes that are provably Outrigger's and whose pod has no living keeper.
//!
//! Ours is what carries a pod's mark in its environment, what stands in the ledger with its pid and start time, and what descends from
//! such. Without an owner it is when the pod's keeper is gone by pid and start time in two looks. What a living keeper keeps,
//! and we ourselves and whoever started us, are never taken for orphans and never touched. What belongs to another data folder
//! is shown and never ended: who keeps it may be on record there only.

use std::collections::{HashMap, HashSet};

use journal::SessionFolder;
use ledger::{Ledger, PodClaim, ProcessNote};
use process::{Liveness, Marked, ProcessEntry, ProcessRef};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::SECOND_LOOK;
use protocol::processes::Orphan;
use protocol::{PodId, SessionId};

use crate::machine::Machine;

/// What became of orphans that were to be ended.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    /// How many processes were ended.
    pub ended: usize,
    /// Those that are still there.
    pub survivors: Vec<Orphan>,
}

/// A keeper of a pod that is on record.
#[derive(Debug, Clone, Copy)]
struct Keeper {
    process: ProcessRef,
    session: SessionId,
}

/// Everything that is on record about pods.
#[derive(Debug, Default)]
struct Records {
    keepers: HashMap<PodId, Keeper>,
    /// Processes of pods, by the ledger.
    processes: HashMap<ProcessRef, PodId>,
}

/// Looks twice, with a moment between; only what is an orphan both times is one. Parents stand before their children.
///
/// # Errors
/// When the folder of sessions cannot be listed.
pub async fn find(machine: &Machine) -> Result<Vec<Orphan>, WireError> {
    let first = look(machine, &records(machine)?);
    if first.is_empty() {
        return Ok(first);
    }
    tokio::time::sleep(SECOND_LOOK).await;
    let seen: HashSet<ProcessRef> = first.iter().map(as_ref).collect();
    let second = look(machine, &records(machine)?);
    Ok(second.into_iter().filter(|orphan| seen.contains(&as_ref(orphan))).collect())
}

/// Ends these orphans with what descends from them, and looks whether anything is left. Each one is verified once more before its
/// signal. Those of another home are left alone.
///
/// # Errors
/// When the folder of sessions cannot be listed.
pub async fn end(machine: &Machine, orphans: &[Orphan]) -> Result<Ended, WireError> {
    let mut by_pod: HashMap<PodId, Vec<ProcessRef>> = HashMap::new();
    for orphan in orphans.iter().filter(|orphan| orphan.other_home.is_none()) {
        by_pod.entry(orphan.pod).or_default().push(as_ref(orphan));
    }
    let pods: HashSet<PodId> = by_pod.keys().copied().collect();
    let mut ended = 0;
    for (pod, known) in by_pod {
        let spare = living_keepers(&records(machine)?, &process::table());
        ended += process::sweep_beside(&pod.to_string(), &known, &spare).await.ended.len();
    }
    let meant: HashSet<ProcessRef> = orphans.iter().map(as_ref).collect();
    let left = look(machine, &records(machine)?).into_iter().filter(|orphan| orphan.other_home.is_none());
    let survivors = left.filter(|orphan| meant.contains(&as_ref(orphan)) || pods.contains(&orphan.pod));
    Ok(Ended { ended, survivors: survivors.collect() })
}

fn as_ref(orphan: &Orphan) -> ProcessRef {
    ProcessRef { pid: orphan.pid, started: orphan.started }
}

fn records(machine: &Machine) -> Result<Records, WireError> {
    let mut records = Records::default();
    if let Err(error) = from_the_ledger(machine, &mut records) {
        // The marks and the sessions' own files prove enough; the ledger only knows of more.
        tracing::warn!(%error, "orphans are looked for without the ledger");
    }
    let folders = SessionFolder::list(&machine.places.sessions)
        .map_err(|error| WireError::new(ErrorCode::DataFolder, error.to_string()))?;
    for (session, folder) in folders {
        if let Ok(Some(pod)) = folder.read_pod() {
            let process = ProcessRef { pid: pod.pid, started: pod.pid_started };
            records.keepers.insert(pod.pod, Keeper { process, session });
        }
    }
    Ok(records)
}

fn from_the_ledger(machine: &Machine, records: &mut Records) -> Result<(), ledger::LedgerError> {
    let file = &machine.places.ledger;
    if !file.exists() {
        return Ok(());
    }
    let ledger = Ledger::open(file)?.ledger;
    for row in ledger.pods()? {
        let PodClaim { pod, session, pid, started, .. } = row.claim;
        records.keepers.insert(pod, Keeper { process: ProcessRef { pid, started }, session });
        for process in ledger.processes_of(pod)? {
            let ProcessNote { pid, started, .. } = process.note;
            records.processes.insert(ProcessRef { pid, started }, pod);
        }
    }
    Ok(())
}

/// One look at the process table.
struct Look<'a> {
    records: &'a Records,
    /// The mark of our own data folder.
    home: String,
    marks: HashMap<ProcessRef, Marked>,
    /// We ourselves and all above us.
    us: HashSet<u32>,
    /// Keepers that live or may, and all below them.
    kept: HashSet<u32>,
    /// Pods of which a process lives below a keeper. It may be one that nobody has on record: of another home, or just starting.
    living: HashSet<PodId>,
}

fn look(machine: &Machine, records: &Records) -> Vec<Orphan> {
    let table = process::table();
    let marks: HashMap<ProcessRef, Marked> =
        process::all_marked().into_iter().map(|marked| (marked.entry.process, marked)).collect();
    let keepers: Vec<u32> = living_keepers(records, &table).iter().map(|keeper| keeper.pid).collect();
    let below = process::below(&keepers, table.clone()).into_iter().map(|entry| entry.process.pid);
    let kept: HashSet<u32> = keepers.iter().copied().chain(below).collect();
    let is_kept = |marked: &&Marked| kept.contains(&marked.entry.process.pid);
    let living = marks.values().filter(is_kept).filter_map(|marked| marked.mark.parse().ok()).collect();
    let us = process::and_above(std::process::id(), &table);
    let look = Look { records, home: machine.home(), marks, us, kept, living };
    let found = table.iter().filter_map(|entry| look.orphan(entry)).collect();
    look.with_descendants(found, &table)
}

impl Look<'_> {
    /// The process as an orphan, if it is one by itself.
    fn orphan(&self, entry: &ProcessEntry) -> Option<Orphan> {
        if self.us.contains(&entry.process.pid) {
            return None;
        }
        let marked = self.marks.get(&entry.process);
        let kept = self.kept.contains(&entry.process.pid);
        let (pod, ours) = match (marked, self.records.processes.get(&entry.process)) {
            (Some(marked), _) => (marked.mark.parse::<PodId>().ok()?, "it carries the mark of the pod"),
            (None, Some(pod)) if !kept => (*pod, "the ledger has it, by pid and start time, as a process of the pod"),
            (None, _) => return None,
        };
        let keeper = self.records.keepers.get(&pod);
        let gone = match keeper {
            Some(keeper) if may_live(keeper.process) => return None,
            // A keeper that lives further up has adopted it; it is not its own.
            Some(keeper) => format!("whose keeper (pid {}) is gone", keeper.process.pid),
            None if kept || self.living.contains(&pod) => return None,
            None => "which nobody has on record and no keeper keeps".to_owned(),
        };
        let home = marked.and_then(|marked| marked.home.clone());
        let known = keeper.is_some() || self.records.processes.contains_key(&entry.process);
        let other_home = (!known && home.as_ref() != Some(&self.home)).then(|| home.unwrap_or_else(|| "?".to_owned()));
        Some(orphan(entry.clone(), pod, keeper.map(|keeper| keeper.session), other_home, format!("{ours}, {gone}")))
    }

    /// Adds what an orphan has started and what carries no mark of its own.
    fn with_descendants(&self, orphans: Vec<Orphan>, table: &[ProcessEntry]) -> Vec<Orphan> {
        let mut seen: HashSet<ProcessRef> = orphans.iter().map(as_ref).collect();
        let mut all = Vec::new();
        for root in orphans {
            let below = process::below(&[root.pid], table.to_vec()).into_iter();
            let new = below.filter(|entry| {
                let pid = entry.process.pid;
                let others = self.us.contains(&pid) || self.marks.contains_key(&entry.process);
                // What a keeper below the orphan keeps is nobody's orphan; what is below one that is above both, may be one.
                let kept = self.kept.contains(&pid) && !self.kept.contains(&root.pid);
                !others && !kept && seen.insert(entry.process)
            });
            let proof = format!("it descends from {}, which is an orphan", root.pid);
            let of_root = |entry| orphan(entry, root.pod, root.session, root.other_home.clone(), proof.clone());
            let children: Vec<Orphan> = new.map(of_root).collect();
            all.push(root);
            all.extend(children);
        }
        all
    }
}

fn orphan(
    entry: ProcessEntry,
    pod: PodId,
    session: Option<SessionId>,
    other_home: Option<String>,
    proof: String,
) -> Orphan {
    let ProcessEntry { process: ProcessRef { pid, started }, command, rss, cpu_ms, age_ms, .. } = entry;
    Orphan { pid, started, command, rss, cpu_ms, age_ms, pod, session, other_home, proof }
}

/// Keepers on record that are not proved dead, and whatever looks like a keeper: one that is just starting is not on record yet.
fn living_keepers(records: &Records, table: &[ProcessEntry]) -> Vec<ProcessRef> {
    let recorded: HashSet<ProcessRef> = records.keepers.values().map(|keeper| keeper.process).collect();
    let is_keeper = |entry: &&ProcessEntry| recorded.contains(&entry.process) || looks_like_a_keeper(&entry.command);
    table.iter().filter(is_keeper).map(|entry| entry.process).collect()
}

fn looks_like_a_keeper(command: &str) -> bool {
    command.ends_with(" keep")
}

fn may_live(keeper: ProcessRef) -> bool {
    match keeper.liveness() {
        Liveness::Alive | Liveness::Unknown(_) => true,
        Liveness::Zombie | Liveness::Dead => false,
    }
}
