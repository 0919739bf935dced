//! What a child is started with, and what can go wrong when it is started.
//!
//! Responsible for turning a complete description into a running [`Child`] in a session and group of its own. Nothing
//! is inherited: the environment is exactly what the caller gives, plus the mark. Finding programs on PATH by the
//! platform's rules is not done here, the caller passes a path.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use thiserror::Error;

use crate::child::Child;
use crate::own_children;

/// The environment variable that proves a process to be a descendant of a pod, even when its parents are gone.
pub const MARK_VARIABLE: &str = "OUTRIGGER_POD";

/// The environment variable beside the mark that says which data folder the pod belongs to: several may be in use on one machine.
pub const HOME_VARIABLE: &str = "OUTRIGGER_POD_HOME";

/// The mark of those who own pods. Started by the tool of an agent they must not carry the mark of its pod, and what carries another
/// mark is never taken for a part of it.
pub const OWNER_MARK: &str = "owner";

/// A child before it is started.
#[derive(Debug, Clone)]
pub struct Command {
    /// The program's file. A name without a separator is searched on the PATH of `env`.
    pub program: PathBuf,
    /// Its arguments, without the program itself.
    pub args: Vec<OsString>,
    /// The folder that it starts in; must exist.
    pub cwd: PathBuf,
    /// The complete environment: nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// Put into the environment as [`MARK_VARIABLE`], so that leftovers can be proved ours.
    pub mark: Option<String>,
}

/// A child that could not be started. Each variant says what was attempted and what to do.
#[derive(Debug, Error)]
pub enum SpawnError {
    /// There is no such program, or its interpreter is missing.
    #[error("failed to start {program}: {detail}")]
    NotFound {
        /// What was to be started.
        program: PathBuf,
        /// What exactly is missing, and what to do.
        detail: String,
    },
    /// The file is there but the system refuses to execute it.
    #[error(
        "failed to start {program}: it can't be executed ({source}); check that it is a program for this system and \
         that you may run it (chmod +x)"
    )]
    NotExecutable {
        /// What was to be started.
        program: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The folder that it was to start in is missing or is no folder.
    #[error("failed to start {program}: the folder {cwd} is not there; create it or choose another one ({source})")]
    CwdMissing {
        /// What was to be started.
        program: PathBuf,
        /// Where it was to start.
        cwd: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Anything else, as the system said it.
    #[error("failed to start {program} in {cwd}: {source}; {advice}")]
    Other {
        /// What was to be started.
        program: PathBuf,
        /// Where it was to start.
        cwd: PathBuf,
        /// The system's answer.
        source: io::Error,
        /// What to do.
        advice: &'static str,
    },
}

impl Command {
    /// Starts the child with piped stdin, stdout and stderr, in its own session and group (Unix) or job (Windows).
    ///
    /// Must be called inside a tokio runtime. On Linux the pipe of stdout is enlarged, as far as the system allows.
    ///
    /// # Errors
    /// See [`SpawnError`]. When it fails, no process is left.
    pub fn spawn(&self) -> Result<Child, SpawnError> {
        if let Err(source) = folder(&self.cwd) {
            return Err(SpawnError::CwdMissing { program: self.program.clone(), cwd: self.cwd.clone(), source });
        }
        let mut wrap = self.wrap();
        let spawned = own_children::spawn(|| wrap.spawn());
        match spawned {
            Ok((inner, process)) => {
                tracing::debug!(
                    pid = process.pid,
                    program = %self.program.display(),
                    args = ?self.args,
                    cwd = %self.cwd.display(),
                    env = ?self.env.keys().collect::<Vec<_>>(),
                    "spawned"
                );
                Ok(Child::new(inner, process, self.mark.clone()))
            }
            Err(source) => Err(self.explain(source)),
        }
    }

    fn wrap(&self) -> CommandWrap {
        let mut wrap = CommandWrap::with_new(&self.program, |command| {
            command
                .args(&self.args)
                .current_dir(&self.cwd)
                .env_clear()
                .envs(&self.env)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            if let Some(mark) = &self.mark {
                command.env(MARK_VARIABLE, mark);
            }
        });
        own_group(&mut wrap);
        wrap
    }

    fn explain(&self, source: io::Error) -> SpawnError {
        let program = self.program.clone();
        match source.kind() {
            io::ErrorKind::NotFound => SpawnError::NotFound { detail: what_is_missing(&program), program },
            io::ErrorKind::PermissionDenied => SpawnError::NotExecutable { program, source },
            _ if is_no_program(&source) => SpawnError::NotExecutable { program, source },
            io::ErrorKind::ArgumentListTooLong => SpawnError::Other {
                program,
                cwd: self.cwd.clone(),
                source,
                advice: "its arguments and environment are too long together; shorten them",
            },
            _ => SpawnError::Other {
                program,
                cwd: self.cwd.clone(),
                source,
                advice: "check the limits on processes and open files (ulimit -u, ulimit -n) and try again",
            },
        }
    }
}

/// A spawned child as process-wrap hands it out, before we know it by our own type.
pub(crate) type Spawned = Box<dyn ChildWrapper>;

#[cfg(unix)]
fn own_group(wrap: &mut CommandWrap) {
    wrap.wrap(process_wrap::tokio::ProcessSession);
}

#[cfg(windows)]
fn own_group(wrap: &mut CommandWrap) {
    // Without this flag every child of the desktop app would open a console window.
    wrap.wrap(process_wrap::tokio::CreationFlags(windows::Win32::System::Threading::CREATE_NO_WINDOW));
    wrap.wrap(process_wrap::tokio::JobObject);
}

fn folder(path: &Path) -> io::Result<()> {
    if std::fs::metadata(path)?.is_dir() { Ok(()) } else { Err(io::Error::from(io::ErrorKind::NotADirectory)) }
}

fn what_is_missing(program: &Path) -> String {
    if program.is_file() {
        "the file is there, but the interpreter that it names in its first line (or its loader) is not; install that"
            .to_owned()
    } else if program.components().count() > 1 {
        "there is no such file; install the program or correct the path in the settings".to_owned()
    } else {
        "it is not on the PATH of the child's environment; install it or set its path in the settings".to_owned()
    }
}

#[cfg(unix)]
fn is_no_program(error: &io::Error) -> bool {
    let no_exec = rustix::io::Errno::NOEXEC.raw_os_error();
    error.raw_os_error() == Some(no_exec) || error.kind() == io::ErrorKind::IsADirectory
}

#[cfg(not(unix))]
fn is_no_program(error: &io::Error) -> bool {
    // ERROR_BAD_EXE_FORMAT.
    error.raw_os_error() == Some(193)
}
