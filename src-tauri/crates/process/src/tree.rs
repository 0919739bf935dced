//! The process table: who descends from whom, who carries a mark, who still lives.
//!
//! Responsible for identity (a number alone is not one: numbers are used again) and for lists. It sends no signals.
//! On Linux it reads /proc. Elsewhere it asks the `sysinfo` crate: start times are whole seconds there, environments
//! of other processes may be hidden (then [`marked`] finds fewer), and there is no subreaper.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

use std::collections::{HashMap, HashSet};
use std::io;

use serde::{Deserialize, Serialize};

#[cfg(not(target_os = "linux"))]
use elsewhere as platform;
#[cfg(target_os = "linux")]
use linux as platform;

/// Longest command line that an entry carries, in bytes.
const COMMAND_BYTES: usize = 1024;

/// A process, told apart from any other that ever had or will have its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessRef {
    /// The process id.
    pub pid: u32,
    /// When it started, in the platform's unit. Opaque: compare for equality only. On Linux it holds clock ticks since
    /// boot and some bits of the boot's id, so that it tells processes apart across reboots. Below 2^53 (safe in JSON).
    pub started: u64,
}

/// Whether a process lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Liveness {
    /// It runs, sleeps or is stopped.
    Alive,
    /// It has ended and waits for its parent to notice.
    Zombie,
    /// There is no such process, or another one has its number now.
    Dead,
    /// The system would not say, for this reason. Never take it for dead.
    Unknown(String),
}

/// One row of the process table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessEntry {
    /// Which process.
    pub process: ProcessRef,
    /// The parent's process id.
    pub parent: u32,
    /// The process group's id; 0 where the platform has none.
    pub group: u32,
    /// The command line with spaces between its arguments, at most 1 KiB of it.
    pub command: String,
    /// Resident memory in bytes.
    pub rss: u64,
    /// CPU time used so far, in milliseconds.
    pub cpu_ms: u64,
    /// Bytes that it has read and written so far, on disks, pipes and sockets; 0 where the system does not say.
    pub io_bytes: u64,
    /// How long it has been running, in milliseconds; unknown where the system does not say.
    pub age_ms: Option<u64>,
}

impl ProcessRef {
    /// The process that has this number now; `None` when there is none or the system would not say.
    #[must_use]
    pub fn of(pid: u32) -> Option<ProcessRef> {
        platform::started(pid).ok().flatten().map(|started| ProcessRef { pid, started })
    }

    /// This very process.
    #[must_use]
    pub fn current() -> ProcessRef {
        let pid = std::process::id();
        ProcessRef::of(pid).unwrap_or(ProcessRef { pid, started: 0 })
    }

    /// Whether this process, and not another one of the same number, lives.
    #[must_use]
    pub fn liveness(&self) -> Liveness {
        platform::liveness(*self)
    }

    /// True unless it is proved to have ended: the unknown counts as running.
    pub(crate) fn may_run(&self) -> bool {
        matches!(self.liveness(), Liveness::Alive | Liveness::Unknown(_))
    }

    /// Its row, while it runs.
    pub(crate) fn entry(&self) -> Option<ProcessEntry> {
        platform::entry(self.pid).filter(|entry| entry.process == *self)
    }
}

/// All processes below `root` (which is not in the list), parents before their children. Zombies are left out.
#[must_use]
pub fn descendants(root: u32) -> Vec<ProcessEntry> {
    platform::descendants(root)
}

/// The row of the process that has this number now; `None` for zombies, and when there is none.
#[must_use]
pub fn entry(pid: u32) -> Option<ProcessEntry> {
    platform::entry(pid)
}

/// All processes whose environment was started with `OUTRIGGER_POD=<mark>`, wherever their parents went.
///
/// Only processes of the same user can be seen. A process that was started with a cleaned environment is not found.
#[must_use]
pub fn marked(mark: &str) -> Vec<ProcessEntry> {
    platform::marked(mark)
}

/// A process that carries a mark in its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Its pod, or [`crate::OWNER_MARK`].
    pub mark: String,
    /// The data folder that the pod belongs to, if it says so.
    pub home: Option<String>,
    /// The process.
    pub entry: ProcessEntry,
}

/// All processes that carry any mark in their environment, each with that mark. The limits of [`marked`] hold.
#[must_use]
pub fn all_marked() -> Vec<Marked> {
    platform::all_marked()
}

/// Makes this process the parent of descendants that lose theirs, so that they stay in [`descendants`].
///
/// Whoever calls this must call [`reap_orphans`] now and then.
///
/// # Errors
/// `Unsupported` outside Linux.
pub fn become_subreaper() -> io::Result<()> {
    platform::become_subreaper()
}

/// Collects ended processes that were adopted through [`become_subreaper`]. Never blocks.
///
/// Children that were started by [`crate::Command::spawn`] and not waited for yet are left to their owner. Children
/// started by other means are collected too, so a subreaper must start all of its children through this crate.
pub fn reap_orphans() {
    platform::reap_orphans();
}

/// The rows of `table` below any of `roots`, parents before their children.
#[must_use]
pub fn below(roots: &[u32], table: Vec<ProcessEntry>) -> Vec<ProcessEntry> {
    let links: Vec<(u32, u32)> = table.iter().map(|entry| (entry.process.pid, entry.parent)).collect();
    let mut rows: HashMap<u32, ProcessEntry> = table.into_iter().map(|entry| (entry.process.pid, entry)).collect();
    pids_below(roots, &links).into_iter().filter_map(|pid| rows.remove(&pid)).collect()
}

/// The numbers below any of `roots` among `(pid, parent)`, parents before their children.
pub(crate) fn pids_below(roots: &[u32], links: &[(u32, u32)]) -> Vec<u32> {
    pids_below_except(roots, links, HashSet::new())
}

/// The same, without those of `skipped` and what stands below them only.
pub(crate) fn pids_below_except(roots: &[u32], links: &[(u32, u32)], skipped: HashSet<u32>) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (pid, parent) in links {
        children.entry(*parent).or_default().push(*pid);
    }
    let mut seen = skipped;
    seen.extend(roots);
    let mut found = Vec::new();
    let mut next: Vec<u32> = roots.to_vec();
    while let Some(parent) = next.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            if seen.insert(child) {
                next.push(child);
                found.push(child);
            }
        }
    }
    found
}

/// All processes that run and can be seen, of one moment as nearly as the system allows. Zombies are left out.
#[must_use]
pub fn table() -> Vec<ProcessEntry> {
    platform::table()
}

fn shortened(mut command: String) -> String {
    if command.len() > COMMAND_BYTES {
        let end = (0..=COMMAND_BYTES).rev().find(|at| command.is_char_boundary(*at));
        command.truncate(end.unwrap_or(0));
        command.push('…');
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(pid: u32, parent: u32) -> ProcessEntry {
        let process = ProcessRef { pid, started: u64::from(pid) };
        ProcessEntry {
            process,
            parent,
            group: pid,
            command: String::new(),
            rss: 0,
            cpu_ms: 0,
            io_bytes: 0,
            age_ms: None,
        }
    }

    #[test]
    fn below_survives_a_loop_in_a_table_that_changed_while_it_was_read() {
        let table = vec![entry(2, 1), entry(3, 2), entry(1, 3), entry(9, 8)];
        let pids: Vec<u32> = below(&[1], table).iter().map(|e| e.process.pid).collect();
        assert_eq!(pids, [2, 3]);
    }

    #[test]
    fn a_number_that_another_process_has_is_dead() {
        let me = ProcessRef::current();
        assert_eq!(me.liveness(), Liveness::Alive);
        let earlier = ProcessRef { pid: me.pid, started: me.started - 1 };
        assert_eq!(earlier.liveness(), Liveness::Dead);
    }

    #[test]
    fn a_number_that_nobody_has_is_dead() {
        assert_eq!(ProcessRef { pid: u32::MAX - 5, started: 1 }.liveness(), Liveness::Dead);
        assert_eq!(ProcessRef::of(u32::MAX - 5), None);
        assert_eq!(ProcessRef { pid: 0, started: 1 }.liveness(), Liveness::Dead);
    }

    #[test]
    fn start_times_fit_into_a_json_number() {
        assert!(ProcessRef::current().started < 1 << 53);
        assert!(ProcessRef::current().started > 0);
    }
}
