//! What crashes left behind: processes that are provably Outrigger's and whose pod has no living keeper.
//!
//! Ours is what carries a pod's mark in its environment, what stands in the ledger with its pid and start time, and what descends from
//! such. Without an owner it is when the pod's keeper is gone by pid and start time in two looks. What lives below a living keeper,
//! and we ourselves and whoever started us, are never taken for orphans and never touched.

use std::collections::{HashMap, HashSet};

use journal::SessionFolder;
use ledger::Ledger;
use process::{Liveness, ProcessEntry, ProcessRef};
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
    let first = look(&records(machine)?);
    if first.is_empty() {
        return Ok(first);
    }
    tokio::time::sleep(SECOND_LOOK).await;
    let seen: HashSet<ProcessRef> = first.iter().map(as_ref).collect();
    let second = look(&records(machine)?);
    Ok(second.into_iter().filter(|orphan| seen.contains(&as_ref(orphan))).collect())
}

/// Ends these orphans with what descends from them, and looks whether anything is left. Each one is verified once more before its
/// signal.
///
/// # Errors
/// When the folder of sessions cannot be listed.
pub async fn end(machine: &Machine, orphans: &[Orphan]) -> Result<Ended, WireError> {
    let mut by_pod: HashMap<PodId, Vec<ProcessRef>> = HashMap::new();
    for orphan in orphans {
        by_pod.entry(orphan.pod).or_default().push(as_ref(orphan));
    }
    let mut ended = 0;
    for (pod, known) in by_pod {
        let spare = living_keepers(&records(machine)?, &process::table());
        ended += process::sweep_except(&pod.to_string(), &known, &spare).await.ended.len();
    }
    let meant: HashSet<ProcessRef> = orphans.iter().map(as_ref).collect();
    let pods: HashSet<PodId> = orphans.iter().map(|orphan| orphan.pod).collect();
    let left = look(&records(machine)?);
    let survivors = left.into_iter().filter(|orphan| meant.contains(&as_ref(orphan)) || pods.contains(&orphan.pod));
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
        let process = ProcessRef { pid: row.pid, started: row.started };
        records.keepers.insert(row.pod, Keeper { process, session: row.session });
        for process in ledger.processes_of(row.pod)? {
            records.processes.insert(ProcessRef { pid: process.pid, started: process.started }, row.pod);
        }
    }
    Ok(())
}

/// One look at the process table.
fn look(records: &Records) -> Vec<Orphan> {
    let table = process::table();
    let spared = spared(records, &table);
    let marks: HashMap<ProcessRef, PodId> = process::all_marked()
        .into_iter()
        .filter_map(|(mark, entry)| Some((entry.process, mark.parse::<PodId>().ok()?)))
        .collect();
    // A pod lives when any of its processes lives below a keeper, even one that nobody has on record: it may belong to another home.
    let living: HashSet<PodId> =
        marks.iter().filter(|(process, _)| spared.contains(&process.pid)).map(|(_, pod)| *pod).collect();
    let mut found: Vec<Orphan> = Vec::new();
    for entry in table.iter().filter(|entry| !spared.contains(&entry.process.pid)) {
        let proof = match (marks.get(&entry.process), records.processes.get(&entry.process)) {
            (Some(pod), _) => Some((*pod, "it carries the mark of the pod".to_owned())),
            (None, Some(pod)) => {
                Some((*pod, "the ledger has it, by pid and start time, as a process of the pod".to_owned()))
            }
            (None, None) => None,
        };
        if let Some((pod, proof)) = proof.filter(|(pod, _)| !living.contains(pod))
            && let Some(orphan) = orphan(entry, pod, &proof, records)
        {
            found.push(orphan);
        }
    }
    with_descendants(found, table, &spared, &marks)
}

/// The orphan, unless its keeper may live.
fn orphan(entry: &ProcessEntry, pod: PodId, ours: &str, records: &Records) -> Option<Orphan> {
    let keeper = records.keepers.get(&pod);
    let gone = match keeper {
        Some(keeper) if may_live(keeper.process) => return None,
        Some(keeper) => format!("whose keeper (pid {}) is gone", keeper.process.pid),
        None => "which nobody has on record and no keeper keeps".to_owned(),
    };
    let process = entry.process;
    Some(Orphan {
        pid: process.pid,
        started: process.started,
        command: entry.command.clone(),
        rss: entry.rss,
        cpu_ms: entry.cpu_ms,
        age_ms: entry.age_ms,
        pod,
        session: keeper.map(|keeper| keeper.session),
        proof: format!("{ours}, {gone}"),
    })
}

/// Adds what an orphan has started and what carries no mark of its own.
fn with_descendants(
    orphans: Vec<Orphan>,
    table: Vec<ProcessEntry>,
    spared: &HashSet<u32>,
    marks: &HashMap<ProcessRef, PodId>,
) -> Vec<Orphan> {
    let mut seen: HashSet<ProcessRef> = orphans.iter().map(as_ref).collect();
    let mut all = Vec::new();
    for root in orphans {
        let below = process::below(&[root.pid], table.clone());
        let new = below.into_iter().filter(|entry| {
            !spared.contains(&entry.process.pid) && !marks.contains_key(&entry.process) && seen.insert(entry.process)
        });
        let children: Vec<Orphan> = new
            .map(|entry| Orphan {
                pid: entry.process.pid,
                started: entry.process.started,
                command: entry.command,
                rss: entry.rss,
                cpu_ms: entry.cpu_ms,
                age_ms: entry.age_ms,
                pod: root.pod,
                session: root.session,
                proof: format!("it descends from {}, which is an orphan", root.pid),
            })
            .collect();
        all.push(root);
        all.extend(children);
    }
    all
}

/// Numbers that are nobody's orphans: living keepers and all below them, we ourselves and all above us.
fn spared(records: &Records, table: &[ProcessEntry]) -> HashSet<u32> {
    let keepers: Vec<u32> = living_keepers(records, table).iter().map(|keeper| keeper.pid).collect();
    let below = process::below(&keepers, table.to_vec()).into_iter().map(|entry| entry.process.pid);
    let mut spared: HashSet<u32> = keepers.iter().copied().chain(below).chain([0, 1]).collect();
    let parents: HashMap<u32, u32> = table.iter().map(|entry| (entry.process.pid, entry.parent)).collect();
    let mut own = HashSet::new();
    let mut pid = std::process::id();
    while own.insert(pid) {
        let Some(parent) = parents.get(&pid) else { break };
        pid = *parent;
    }
    spared.extend(own);
    spared
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
