//! The process table of macOS and Windows, asked from the `sysinfo` crate.
//!
//! Weaker than Linux: start times are whole seconds, so a number that is used again within its second can't be told
//! apart; process groups are not known; environments are readable for processes of the same user only, if at all.

use std::io;

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use super::{Liveness, Marked, ProcessEntry, ProcessRef, below, shortened};
use crate::command::{HOME_VARIABLE, MARK_VARIABLE};

fn refreshed(which: ProcessesToUpdate<'_>, environment: bool) -> System {
    let mut system = System::new();
    let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().with_disk_usage().with_cmd(UpdateKind::Always);
    let kind = if environment { kind.with_environ(UpdateKind::Always) } else { kind };
    system.refresh_processes_specifics(which, true, kind);
    system
}

pub(super) fn started(pid: u32) -> io::Result<Option<u64>> {
    let pid = Pid::from_u32(pid);
    let system = refreshed(ProcessesToUpdate::Some(&[pid]), false);
    Ok(system.process(pid).map(Process::start_time))
}

pub(super) fn liveness(process: ProcessRef) -> Liveness {
    let pid = Pid::from_u32(process.pid);
    let system = refreshed(ProcessesToUpdate::Some(&[pid]), false);
    match system.process(pid) {
        None => Liveness::Dead,
        Some(found) if found.start_time() != process.started => Liveness::Dead,
        Some(found) if is_over(found) => Liveness::Zombie,
        Some(_) => Liveness::Alive,
    }
}

fn is_over(process: &Process) -> bool {
    matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead)
}

pub(super) fn table() -> Vec<ProcessEntry> {
    let system = refreshed(ProcessesToUpdate::All, false);
    system.processes().values().filter(|process| !is_over(process)).map(row).collect()
}

pub(super) fn descendants(root: u32) -> Vec<ProcessEntry> {
    below(&[root], table())
}

pub(super) fn entry(pid: u32) -> Option<ProcessEntry> {
    let pid = Pid::from_u32(pid);
    let system = refreshed(ProcessesToUpdate::Some(&[pid]), false);
    system.process(pid).filter(|process| !is_over(process)).map(row)
}

pub(super) fn marked(mark: &str) -> Vec<ProcessEntry> {
    all_marked().into_iter().filter(|carried| carried.mark == mark).map(|carried| carried.entry).collect()
}

pub(super) fn all_marked() -> Vec<Marked> {
    let system = refreshed(ProcessesToUpdate::All, true);
    let running = system.processes().values().filter(|process| !is_over(process));
    let marked = |process| {
        let home = value_of(process, HOME_VARIABLE);
        Some(Marked { mark: value_of(process, MARK_VARIABLE)?, home, entry: row(process) })
    };
    running.filter_map(marked).collect()
}

fn value_of(process: &Process, name: &str) -> Option<String> {
    let variable = |text: &std::ffi::OsString| text.to_str()?.strip_prefix(name)?.strip_prefix('=').map(str::to_owned);
    process.environ().iter().find_map(variable)
}

pub(super) fn become_subreaper() -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system can't adopt orphaned processes"))
}

pub(super) fn reap_orphans() {
    // Nothing is adopted here, so there is nothing to collect.
}

fn row(process: &Process) -> ProcessEntry {
    let arguments: Vec<_> = process.cmd().iter().map(|argument| argument.to_string_lossy()).collect();
    let command = if arguments.is_empty() {
        format!("[{}]", process.name().to_string_lossy())
    } else {
        shortened(arguments.join(" "))
    };
    ProcessEntry {
        process: ProcessRef { pid: process.pid().as_u32(), started: process.start_time() },
        parent: process.parent().map_or(0, Pid::as_u32),
        group: 0,
        command,
        rss: process.memory(),
        cpu_ms: process.accumulated_cpu_time(),
        io_bytes: io_bytes(process),
        age_ms: Some(process.run_time().saturating_mul(1000)),
    }
}

fn io_bytes(process: &Process) -> u64 {
    let usage = process.disk_usage();
    usage.total_read_bytes.saturating_add(usage.total_written_bytes)
}
