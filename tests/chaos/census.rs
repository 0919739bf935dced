//! The process table, read from outside: who belongs to the home, and who is below which live keeper.
//!
//! It asks the kernel only. A keeper is what a session's `pod.json` names and the table has, with that start time.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::Value;

/// The product's start times carry the boot above these bits; the table's own are below.
const TICK_BITS: u32 = 40;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    /// In ticks since the boot: tells it from a later process of the same number.
    pub(crate) started: u64,
    pub(crate) command: String,
}

/// The table at one moment, with those of one home marked. Ended processes that nobody has waited for are left out.
#[derive(Debug)]
pub(crate) struct Census {
    all: HashMap<u32, Process>,
    ours: Vec<u32>,
}

/// What a session's `pod.json` says.
#[derive(Debug, Clone)]
pub(crate) struct PodFile {
    pub(crate) pod: String,
    pub(crate) session: String,
    pub(crate) generation: u64,
    pub(crate) socket: String,
    /// The keeper's start, in the product's own unit.
    pub(crate) started: u64,
    pub(crate) keeper: Keeper,
}

/// What a `pod.json` says of its keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Keeper {
    pub(crate) pid: u32,
    pub(crate) started: u64,
}

impl PodFile {
    /// The pod that a session's folder names, whether it lives or not.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        let pod: Value = serde_json::from_slice(&fs::read(folder.join("pod.json")).ok()?).ok()?;
        let text = |name: &str| pod[name].as_str().map(str::to_owned);
        let started = pod["pidStarted"].as_u64()?;
        Some(Self {
            pod: text("pod")?,
            session: text("session")?,
            generation: pod["generation"].as_u64()?,
            socket: text("socket")?,
            started,
            keeper: Keeper { pid: u32::try_from(pod["pid"].as_u64()?).ok()?, started: ticks(started) },
        })
    }
}

impl Keeper {
    /// The keeper that a session's folder names, whether it lives or not.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        PodFile::of(folder).map(|pod| pod.keeper)
    }

    /// Whether it is in the table now.
    pub(crate) fn lives(self) -> bool {
        read(self.pid).is_some_and(|process| process.started == self.started)
    }
}

impl Census {
    /// Reads the table. A process belongs to `home` when its environment names it or it works inside.
    pub(crate) fn take(home: &Path) -> Self {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let all: HashMap<u32, Process> = pids.filter_map(|pid| Some((pid, read(pid)?))).collect();
        let own = std::process::id();
        let mut ours: Vec<u32> = all.keys().copied().filter(|pid| *pid != own && belongs(*pid, home)).collect();
        ours.sort_unstable();
        Self { all, ours }
    }

    /// The process that has this number.
    pub(crate) fn get(&self, pid: u32) -> Option<&Process> {
        self.all.get(&pid)
    }

    pub(crate) fn has(&self, keeper: Keeper) -> bool {
        self.all.get(&keeper.pid).is_some_and(|process| process.started == keeper.started)
    }

    pub(crate) fn ours(&self) -> impl Iterator<Item = &Process> {
        self.ours.iter().filter_map(|pid| self.all.get(pid))
    }

    /// Everybody below a process, nearest first.
    pub(crate) fn below(&self, pid: u32) -> Vec<&Process> {
        let mut found: Vec<&Process> = Vec::new();
        let mut parents = vec![pid];
        while let Some(parent) = parents.pop() {
            let mut children: Vec<&Process> = self.all.values().filter(|process| process.parent == parent).collect();
            children.sort_unstable_by_key(|process| process.pid);
            parents.extend(children.iter().map(|process| process.pid));
            found.extend(children);
        }
        found
    }

    /// Those of the home that are neither a live keeper, nor below one, nor commands that this harness runs now.
    pub(crate) fn strays(&self, keepers: &[Keeper]) -> Vec<Process> {
        let owners: HashSet<u32> = keepers
            .iter()
            .filter(|keeper| self.has(**keeper))
            .map(|keeper| keeper.pid)
            .chain([std::process::id()])
            .collect();
        self.ours().filter(|process| !self.is_below(process.pid, &owners)).cloned().collect()
    }

    /// Whether a process is another one or descends from it.
    pub(crate) fn is_at_or_below(&self, pid: u32, owner: u32) -> bool {
        self.is_below(pid, &HashSet::from([owner]))
    }

    /// Whether a process was started with the mark of a pod.
    pub(crate) fn carries_mark(pid: u32, pod: &str) -> bool {
        let mark = format!("OUTRIGGER_POD={pod}");
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == mark.as_bytes()))
    }

    fn is_below(&self, pid: u32, owners: &HashSet<u32>) -> bool {
        let mut at = pid;
        // As deep as any tree here, so that a table that changed while it was read cannot hold us.
        for _ in 0..64 {
            if owners.contains(&at) {
                return true;
            }
            match self.all.get(&at) {
                Some(process) => at = process.parent,
                None => return false,
            }
        }
        false
    }
}

/// A start time of the product in ticks since the boot.
pub(crate) fn ticks(started: u64) -> u64 {
    started & ((1 << TICK_BITS) - 1)
}

/// Sends a signal to exactly this process. False when it has ended.
pub(crate) fn signal(pid: u32, started: u64, signal: Signal) -> bool {
    let Some(process) = Pid::from_raw(pid.cast_signed()).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
    else {
        return false;
    };
    // Looked at after it was opened: what is open cannot be replaced by another process of the same number.
    read(pid).is_some_and(|now| now.started == started) && pidfd_send_signal(process, signal).is_ok()
}

fn read(pid: u32) -> Option<Process> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name stands in parentheses and may hold anything.
    let fields: Vec<&str> = stat.get(stat.rfind(')')? + 2..)?.split_ascii_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).replace('\0', " ").trim_end().to_owned();
    Some(Process { pid, parent: fields.get(1)?.parse().ok()?, started: fields.get(19)?.parse().ok()?, command })
}

fn belongs(pid: u32, home: &Path) -> bool {
    let works_inside = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder.starts_with(home));
    let wanted = home.as_os_str().as_bytes();
    let carries = || {
        fs::read(format!("/proc/{pid}/environ")).is_ok_and(|all| all.windows(wanted.len()).any(|part| part == wanted))
    };
    works_inside || carries()
}
