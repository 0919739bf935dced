//! The process table of Linux, read from /proc.
//!
//! Responsible for parsing `stat`, `cmdline`, `io` and `environ`; rows that vanish while they are read are left out.

use std::fs;
use std::io::{self, ErrorKind};
use std::sync::LazyLock;

use rustix::process::{Pid, WaitOptions};

use super::{Liveness, Marked, ProcessEntry, ProcessRef, pids_below, shortened};
use crate::command::{HOME_VARIABLE, MARK_VARIABLE};
use crate::own_children;

/// Ticks take the lower bits: 2^40 of them are three centuries.
const TICK_BITS: u32 = 40;

static TICKS_PER_SECOND: LazyLock<u64> = LazyLock::new(|| rustix::param::clock_ticks_per_second().max(1));

/// 13 bits of the boot's id above the ticks; zero where it can't be read, which only weakens the proof over a reboot.
static BOOT: LazyLock<u64> = LazyLock::new(|| {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(4).collect();
    (u64::from_str_radix(&digits, 16).unwrap_or(0) & 0x1fff) << TICK_BITS
});

/// What we use of /proc/PID/stat.
struct Stat {
    state: u8,
    parent: u32,
    group: u32,
    cpu_ticks: u64,
    started: u64,
    rss_pages: u64,
}

pub(super) fn started(pid: u32) -> io::Result<Option<u64>> {
    Ok(stat(pid)?.map(|stat| stat.started))
}

pub(super) fn liveness(process: ProcessRef) -> Liveness {
    match stat(process.pid) {
        Ok(Some(stat)) if stat.started != process.started => Liveness::Dead,
        Ok(Some(stat)) if stat.state == b'Z' => Liveness::Zombie,
        Ok(Some(stat)) if stat.state == b'X' => Liveness::Dead,
        Ok(Some(_)) => Liveness::Alive,
        // With /proc mounted hidepid=2 a process of another user is there and can't be seen.
        Ok(None) if answers(process.pid) => Liveness::Unknown("the process is hidden in /proc".to_owned()),
        Ok(None) => Liveness::Dead,
        Err(error) => Liveness::Unknown(format!("/proc/{}/stat: {error}", process.pid)),
    }
}

fn answers(pid: u32) -> bool {
    let Some(pid) = as_pid(pid) else { return false };
    match rustix::process::test_kill_process(pid) {
        Ok(()) => true,
        Err(errno) => errno == rustix::io::Errno::PERM,
    }
}

fn as_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().filter(|pid| *pid > 0).and_then(Pid::from_raw)
}

pub(super) fn table() -> Vec<ProcessEntry> {
    pids().into_iter().filter_map(entry).collect()
}

/// Reads the links of all processes and the rows of those that are asked for only: a keeper looks every few seconds.
pub(super) fn descendants(root: u32) -> Vec<ProcessEntry> {
    let parent = |pid| Some((pid, stat(pid).ok().flatten()?.parent));
    let links: Vec<(u32, u32)> = pids().into_iter().filter_map(parent).collect();
    pids_below(&[root], &links).into_iter().filter_map(entry).collect()
}

fn pids() -> Vec<u32> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    folder.flatten().filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok())).collect()
}

/// The row of a process that runs; `None` for zombies.
pub(super) fn entry(pid: u32) -> Option<ProcessEntry> {
    let stat = stat(pid).ok().flatten()?;
    if matches!(stat.state, b'Z' | b'X') {
        return None;
    }
    Some(ProcessEntry {
        process: ProcessRef { pid, started: stat.started },
        parent: stat.parent,
        group: stat.group,
        command: command(pid),
        rss: stat.rss_pages.saturating_mul(rustix::param::page_size() as u64),
        cpu_ms: milliseconds(stat.cpu_ticks),
        io_bytes: io_bytes(pid),
        age_ms: Some(since_boot_ms().saturating_sub(milliseconds(stat.started & ((1 << TICK_BITS) - 1)))),
    })
}

fn milliseconds(ticks: u64) -> u64 {
    ticks.saturating_mul(1000) / *TICKS_PER_SECOND
}

/// On the clock of the start times, which goes on while the machine sleeps.
fn since_boot_ms() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    part(now.tv_sec).saturating_mul(1000) + part(now.tv_nsec) / 1_000_000
}

/// What went through its read and write calls, pipes and sockets included: an agent that waits for its provider's
/// answer byte by byte shows here and not on a disk.
fn io_bytes(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let count = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    count("rchar:").unwrap_or(0).saturating_add(count("wchar:").unwrap_or(0))
}

pub(super) fn marked(mark: &str) -> Vec<ProcessEntry> {
    with_mark(|carried| carried == mark.as_bytes()).into_iter().map(|marked| marked.entry).collect()
}

pub(super) fn all_marked() -> Vec<Marked> {
    with_mark(|_| true)
}

fn with_mark(wanted: impl Fn(&[u8]) -> bool) -> Vec<Marked> {
    // The row is read after the environment, so that a number that was used again in between is not taken for ours.
    let marked = |pid: u32| {
        let before = ProcessRef::of(pid)?;
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let mark = value_in(&environment, MARK_VARIABLE).filter(|mark| wanted(mark))?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let home = value_in(&environment, HOME_VARIABLE).map(text);
        let entry = entry(pid).filter(|entry| entry.process == before)?;
        Some(Marked { mark: text(mark), home, entry })
    };
    pids().into_iter().filter_map(marked).collect()
}

/// What the variable holds; the first one counts, as for the process itself.
fn value_in<'a>(environment: &'a [u8], name: &str) -> Option<&'a [u8]> {
    environment.split(|byte| *byte == 0).find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

pub(super) fn become_subreaper() -> io::Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(io::Error::from)
}

pub(super) fn reap_orphans() {
    let me = std::process::id();
    own_children::with_spawning_paused(|is_own| {
        for pid in pids() {
            let Ok(Some(stat)) = stat(pid) else { continue };
            let process = ProcessRef { pid, started: stat.started };
            if stat.parent != me || stat.state != b'Z' || is_own(process) {
                continue;
            }
            // It is a zombie of ours, so its number can't be taken by another process before this line.
            let _ = rustix::process::waitpid(as_pid(pid), WaitOptions::NOHANG);
            tracing::debug!(pid, "collected an adopted process");
        }
    });
}

fn stat(pid: u32) -> io::Result<Option<Stat>> {
    match fs::read(format!("/proc/{pid}/stat")) {
        Ok(line) => match parse(&line) {
            Some(stat) => Ok(Some(stat)),
            None => Err(io::Error::new(ErrorKind::InvalidData, "not in the known form")),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(line: &[u8]) -> Option<Stat> {
    // The name stands in parentheses and may hold anything, closing parentheses included.
    let after_name = line.get(memchr::memrchr(b')', line)? + 1..)?;
    let text = std::str::from_utf8(after_name).ok()?;
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    // Indexes count from the state, which is field 3 in proc_pid_stat(5).
    Some(Stat {
        state: *fields.first()?.as_bytes().first()?,
        parent: u32::try_from(number(1)?).ok()?,
        group: u32::try_from(number(2)?).ok()?,
        cpu_ticks: number(11)?.saturating_add(number(12)?),
        started: *BOOT | (number(19)? & ((1 << TICK_BITS) - 1)),
        rss_pages: number(21)?,
    })
}

fn command(pid: u32) -> String {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments = raw.strip_suffix(b"\0").unwrap_or(&raw);
    if arguments.is_empty() {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        return format!("[{}]", name.trim_end());
    }
    let joined: Vec<u8> = arguments.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect();
    shortened(String::from_utf8_lossy(&joined).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_parentheses_and_spaces_are_parsed() {
        let line = b"42 (a ) b) (c) S 7 8 9 0 -1 4194304 1 2 3 4 10 20 0 0 20 0 1 0 5555 1000 33 18446744073709551615";
        let stat = parse(line).unwrap();
        assert_eq!((stat.state, stat.parent, stat.group), (b'S', 7, 8));
        assert_eq!((stat.cpu_ticks, stat.rss_pages), (30, 33));
        assert_eq!(stat.started & ((1 << TICK_BITS) - 1), 5555);
    }

    #[test]
    fn a_line_in_another_form_is_not_guessed() {
        assert!(parse(b"42 (sh) S 1").is_none());
        assert!(parse(b"").is_none());
    }

    #[test]
    fn our_own_row_is_plausible() {
        let me = entry(std::process::id()).unwrap();
        assert!(me.rss > 0 && me.parent > 0 && !me.command.is_empty());
        assert!(me.age_ms.unwrap() < 60 * 60 * 1000, "a test runs for less than an hour: {:?}", me.age_ms);
    }

    #[test]
    fn what_a_process_reads_and_writes_is_counted() {
        let before = io_bytes(std::process::id());
        fs::read("/proc/self/stat").unwrap();
        assert!(io_bytes(std::process::id()) > before);
        assert_eq!(io_bytes(u32::MAX - 5), 0);
    }

    #[test]
    fn a_mark_is_a_whole_variable() {
        let mark = format!("A=1\0X{MARK_VARIABLE}=no\0{MARK_VARIABLE}=yes\0{MARK_VARIABLE}=later\0");
        assert_eq!(value_in(mark.as_bytes(), MARK_VARIABLE), Some(&b"yes"[..]));
        assert_eq!(value_in(format!("{MARK_VARIABLE}_HOME=no\0").as_bytes(), MARK_VARIABLE), None);
    }
}
