//! Which processes of a test's home are alive: the proof that nothing is orphaned.
//!
//! Responsible for finding them from outside, without asking the product: every process below a test carries the home's path in
//! its environment or works inside it. It is written for Linux, where `/proc` tells both; elsewhere nobody is found.

use std::path::Path;
use std::time::Duration;

/// A process that is alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survivor {
    /// Its process id.
    pub pid: u32,
    /// Its command line.
    pub command: String,
}

/// The processes that carry `home` in their environment or work inside it. Ended ones that nobody has waited for don't count.
#[must_use]
pub fn survivors(home: &Path) -> Vec<Survivor> {
    platform::survivors(home)
}

/// Waits until nobody of `home` is left, and returns who still is when `limit` has passed.
pub(crate) fn wait_for_end_of_all(home: &Path, limit: Duration) -> Vec<Survivor> {
    platform::wait_for_end_of_all(home, limit)
}

/// Kills everybody of `home`, again and again until nobody is found, since a dying process may have started another one.
pub(crate) fn kill_survivors(home: &Path) {
    platform::kill_survivors(home);
}

#[cfg(target_os = "linux")]
mod platform {
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    use super::Survivor;

    /// A killed process is gone within this time, unless the kernel itself is stuck.
    const KILLED: Duration = Duration::from_secs(5);

    pub(super) fn survivors(home: &Path) -> Vec<Survivor> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| *pid != std::process::id() && belongs_to(*pid, home)).map(named).collect()
    }

    pub(super) fn wait_for_end_of_all(home: &Path, limit: Duration) -> Vec<Survivor> {
        let until = Instant::now() + limit;
        loop {
            let left = survivors(home);
            let Some(first) = left.first() else { return left };
            if !ends_before(first.pid, until) {
                return survivors(home);
            }
        }
    }

    pub(super) fn kill_survivors(home: &Path) {
        let until = Instant::now() + KILLED;
        while Instant::now() < until {
            let left = survivors(home);
            if left.is_empty() {
                return;
            }
            for survivor in &left {
                // An error means that it ended in between.
                let _ = open(survivor.pid).map(|process| pidfd_send_signal(process, Signal::KILL));
            }
            for survivor in left {
                ends_before(survivor.pid, until);
            }
        }
    }

    fn belongs_to(pid: u32, home: &Path) -> bool {
        let works_inside = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder.starts_with(home));
        works_inside || carries(pid, home)
    }

    fn carries(pid: u32, home: &Path) -> bool {
        let wanted = home.as_os_str().as_bytes();
        let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
        environment.windows(wanted.len()).any(|window| window == wanted)
    }

    fn named(pid: u32) -> Survivor {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ").trim_end().to_owned();
        Survivor { pid, command }
    }

    /// True when the process has ended, or ends before `until`.
    fn ends_before(pid: u32, until: Instant) -> bool {
        let Some(process) = open(pid) else { return true };
        let left = until.saturating_duration_since(Instant::now());
        let Ok(timeout) = Timespec::try_from(left) else { return false };
        let mut watched = [PollFd::new(&process, PollFlags::IN)];
        poll(&mut watched, Some(&timeout)).is_ok_and(|ready| ready > 0)
    }

    fn open(pid: u32) -> Option<std::os::fd::OwnedFd> {
        pidfd_open(Pid::from_raw(pid.cast_signed())?, PidfdFlags::empty()).ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::path::Path;
    use std::time::Duration;

    use super::Survivor;

    pub(super) fn survivors(_home: &Path) -> Vec<Survivor> {
        Vec::new()
    }

    pub(super) fn wait_for_end_of_all(_home: &Path, _limit: Duration) -> Vec<Survivor> {
        Vec::new()
    }

    pub(super) fn kill_survivors(_home: &Path) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{kill_survivors, survivors, wait_for_end_of_all};
    use crate::Program;

    fn cat(in_home: &std::path::Path) -> Program {
        let mut command = Command::new("cat");
        command.env("SOMETHING", in_home);
        Program::start(command)
    }

    #[test]
    fn a_process_with_the_mark_is_found_until_it_ends() {
        let home = tempfile::tempdir().unwrap();
        let mut program = cat(home.path());
        program.write_line("started");
        assert_eq!(program.next_line().as_deref(), Some("started"));
        assert_eq!(survivors(home.path()).iter().map(|s| s.pid).collect::<Vec<_>>(), [program.pid()]);
        assert_eq!(wait_for_end_of_all(home.path(), Duration::from_millis(10)).len(), 1);
        program.close_stdin();
        assert_eq!(wait_for_end_of_all(home.path(), Duration::from_secs(20)), []);
    }

    #[test]
    fn what_is_left_is_killed() {
        let home = tempfile::tempdir().unwrap();
        let program = cat(home.path());
        kill_survivors(home.path());
        assert_eq!(survivors(home.path()), []);
        assert_eq!(program.finish().code, None);
    }
}
