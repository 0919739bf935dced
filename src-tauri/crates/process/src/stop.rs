//! Ending processes: signals to a group and to single processes, and waiting until they are gone.
//!
//! Responsible for sending a signal only to the process that was meant: each is verified by pid and start time first,
//! on Linux through a pidfd, so that not even a number that is used again in that very moment is hit. When to send
//! what is the ladder's question, not this module's.

use std::time::Duration;

use tokio::time::Instant;

use crate::tree::{Liveness, ProcessEntry, ProcessRef};

/// Between two looks at processes that are to end.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A child's process group (Unix) or the processes below it (Windows). Outlives the child.
#[derive(Debug, Clone)]
pub struct Group {
    leader: ProcessRef,
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "groups without a leader are proved on Linux only")
    )]
    mark: Option<String>,
}

/// What a process is asked or made to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Ask,
    Force,
}

impl Group {
    pub(crate) fn new(leader: ProcessRef, mark: Option<String>) -> Group {
        Group { leader, mark }
    }

    /// The process that the group was made for, whether it still runs or not.
    #[must_use]
    pub fn leader(&self) -> ProcessRef {
        self.leader
    }

    /// SIGTERM to the group; on Windows, which knows no such request, nothing but what closing stdin does.
    pub fn terminate(&self) {
        tracing::debug!(group = self.leader.pid, "SIGTERM to the group");
        self.end(Ending::Ask);
    }

    /// SIGKILL to the group; on Windows the leader and its descendants are terminated.
    pub fn kill(&self) {
        tracing::debug!(group = self.leader.pid, "SIGKILL to the group");
        self.end(Ending::Force);
    }

    #[cfg(unix)]
    fn end(&self, ending: Ending) {
        match self.leader.liveness() {
            // While the leader is in the table, even as a zombie, its number names our group and no other.
            Liveness::Alive | Liveness::Zombie => {
                if let Some(group) = unix::as_pid(self.leader.pid) {
                    let _ = rustix::process::kill_process_group(group, unix::signal(ending));
                }
            }
            Liveness::Dead => self.end_members(ending),
            Liveness::Unknown(why) => {
                tracing::warn!(
                    group = self.leader.pid,
                    why,
                    "no signal was sent: the group's leader can't be verified"
                );
            }
        }
    }

    /// The leader is gone, so the group's number proves nothing any more; the members' marks do.
    #[cfg(target_os = "linux")]
    fn end_members(&self, ending: Ending) {
        let Some(mark) = &self.mark else { return };
        for member in crate::tree::marked(mark).iter().filter(|member| member.group == self.leader.pid) {
            end(member.process, ending);
        }
    }

    #[cfg(all(unix, not(target_os = "linux")))]
    fn end_members(&self, _ending: Ending) {
        // Groups of other processes can't be read here; `sweep` ends what carries the mark.
    }

    #[cfg(not(unix))]
    fn end(&self, ending: Ending) {
        let below = crate::tree::descendants(self.leader.pid);
        if self.leader.may_run() {
            end(self.leader, ending);
            for process in below {
                end(process.process, ending);
            }
        }
    }
}

/// SIGKILL to each of these processes that still is the one that was meant.
pub fn kill_processes(processes: &[ProcessRef]) {
    for process in processes {
        end(*process, Ending::Force);
    }
}

/// SIGTERM to each of these processes that still is the one that was meant.
pub fn terminate_processes(processes: &[ProcessRef]) {
    for process in processes {
        end(*process, Ending::Ask);
    }
}

/// Waits until all have ended, at most `limit`. The survivors, as far as they can be read. Zombies count as ended.
pub async fn wait_gone(processes: &[ProcessRef], limit: Duration) -> Vec<ProcessEntry> {
    let deadline = Instant::now() + limit;
    let mut left: Vec<ProcessRef> = processes.to_vec();
    loop {
        left.retain(ProcessRef::may_run);
        if left.is_empty() || Instant::now() >= deadline {
            return left.iter().filter_map(ProcessRef::entry).collect();
        }
        tokio::time::sleep_until(deadline.min(Instant::now() + LOOK_EVERY)).await;
    }
}

#[cfg(target_os = "linux")]
fn end(process: ProcessRef, ending: Ending) {
    use rustix::process::{PidfdFlags, kill_process, pidfd_open, pidfd_send_signal};
    let Some(pid) = unix::as_pid(process.pid) else { return };
    match pidfd_open(pid, PidfdFlags::empty()) {
        // Opened first and verified then: from here on the handle means this process, whatever its number does.
        Ok(handle) => {
            if process.liveness() == Liveness::Alive {
                let _ = pidfd_send_signal(handle, unix::signal(ending));
            }
        }
        Err(rustix::io::Errno::SRCH) => {}
        // Kernels before 5.3, and sandboxes that forbid the call.
        Err(_) => {
            if process.liveness() == Liveness::Alive {
                let _ = kill_process(pid, unix::signal(ending));
            }
        }
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn end(process: ProcessRef, ending: Ending) {
    if let Some(pid) = unix::as_pid(process.pid) {
        if process.liveness() == Liveness::Alive {
            let _ = rustix::process::kill_process(pid, unix::signal(ending));
        }
    }
}

#[cfg(not(unix))]
fn end(process: ProcessRef, ending: Ending) {
    use sysinfo::{Pid, ProcessesToUpdate, System};
    if ending == Ending::Ask || process.liveness() != Liveness::Alive {
        return;
    }
    let pid = Pid::from_u32(process.pid);
    let mut system = System::new();
    system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
    if let Some(found) = system.process(pid).filter(|found| found.start_time() == process.started) {
        let _ = found.kill();
    }
}

#[cfg(unix)]
mod unix {
    use rustix::process::{Pid, Signal};

    use super::Ending;

    pub(super) fn as_pid(pid: u32) -> Option<Pid> {
        i32::try_from(pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw)
    }

    pub(super) fn signal(ending: Ending) -> Signal {
        match ending {
            Ending::Ask => Signal::TERM,
            Ending::Force => Signal::KILL,
        }
    }
}
