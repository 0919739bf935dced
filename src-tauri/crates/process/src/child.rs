//! One running child: its pipes, its exit, its group.
//!
//! Responsible for the handle that one task owns. It never reads or writes the pipes itself, and it does not decide
//! when a child ends. The exit of the child is not the end of its output: pipes are drained by their reader.

use std::io;
use std::process::ExitStatus;

use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use crate::command::Spawned;
use crate::own_children;
use crate::stop::Group;
use crate::tree::ProcessRef;

/// How large the pipe of stdout is made on Linux, where the default is 64 KiB. Not larger: all pipes of a user share
/// 64 MiB there, and when those are used up every new pipe of any program shrinks to a page. More is not faster either.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 256 * 1024;

/// A running child in its own group. Dropping it before [`Child::wait`] returned kills the group.
#[derive(Debug)]
pub struct Child {
    inner: Spawned,
    process: ProcessRef,
    mark: Option<String>,
    exit: Option<Exit>,
}

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, when it exited by itself.
    pub code: Option<i32>,
    /// The signal's name (`SIGKILL`), when a signal ended it.
    pub signal: Option<String>,
}

impl Child {
    pub(crate) fn new(mut inner: Spawned, process: ProcessRef, mark: Option<String>) -> Child {
        enlarge(&mut inner);
        Child { inner, process, mark, exit: None }
    }

    /// Its process id and start time.
    #[must_use]
    pub fn process(&self) -> ProcessRef {
        self.process
    }

    /// The child's stdin; dropping it closes the pipe.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.inner.stdin().take()
    }

    /// The child's stdout.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.inner.stdout().take()
    }

    /// The child's stderr.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.inner.stderr().take()
    }

    /// Waits until the child itself has ended. Cancel-safe; answers again at once when asked again.
    ///
    /// It does not wait for other processes of the group. A stdin that was not taken is closed first.
    ///
    /// # Errors
    /// When the system cannot say, which does not mean that the child has ended.
    pub async fn wait(&mut self) -> io::Result<Exit> {
        if let Some(exit) = &self.exit {
            return Ok(exit.clone());
        }
        // The outermost layer would wait for the whole group; a background process of a tool may live for hours.
        let status = self.inner.inner_mut().wait().await?;
        let exit = Exit::from(status);
        self.exit = Some(exit.clone());
        own_children::forget(self.process);
        Ok(exit)
    }

    /// A handle on the child's group that outlives the child.
    #[must_use]
    pub fn group(&self) -> Group {
        Group::new(self.process, self.mark.clone())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.exit.is_none() {
            self.group().kill();
            // Where groups are job objects this ends the job; elsewhere it repeats the kill of the leader.
            let _ = self.inner.start_kill();
            own_children::forget(self.process);
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Exit {
        Exit { code: status.code(), signal: signal_of(status) }
    }
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<String> {
    use std::os::unix::process::ExitStatusExt;
    status.signal().map(signal_name)
}

#[cfg(not(unix))]
fn signal_of(_status: ExitStatus) -> Option<String> {
    None
}

#[cfg(unix)]
fn signal_name(number: i32) -> String {
    use rustix::process::Signal;
    let Some(signal) = Signal::from_named_raw(number) else {
        return format!("SIG{number}");
    };
    // rustix names the constants after the POSIX names, except for these three.
    if signal == Signal::ABORT {
        return "SIGABRT".to_owned();
    }
    if signal == Signal::ALARM {
        return "SIGALRM".to_owned();
    }
    if signal == Signal::CHILD {
        return "SIGCHLD".to_owned();
    }
    let named = format!("{signal:?}");
    let short = named.trim_matches('"').rsplit("::").next().map(str::to_owned).unwrap_or(named);
    format!("SIG{short}")
}

#[cfg(target_os = "linux")]
fn enlarge(inner: &mut Spawned) {
    if let Some(stdout) = inner.stdout() {
        // Best effort: the system limits the pipe memory of a user, and then the default size serves.
        let _ = rustix::pipe::fcntl_setpipe_size(&*stdout, PIPE_BYTES);
    }
}

#[cfg(not(target_os = "linux"))]
fn enlarge(_inner: &mut Spawned) {}

#[cfg(all(test, unix))]
mod tests {
    use super::signal_name;

    #[test]
    fn signals_have_their_posix_names() {
        for (number, name) in [(9, "SIGKILL"), (15, "SIGTERM"), (6, "SIGABRT"), (11, "SIGSEGV"), (13, "SIGPIPE")] {
            assert_eq!(signal_name(number), name);
        }
    }
}
