//! Starts the runner and waits until it says ready. What fails here leaves no process behind.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Exit, Line, LineReader, SpawnError, StderrTail};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{DRAIN, LINE_BYTES, READY, STDERR_LINE_BYTES};
use protocol::provider::Capabilities;
use protocol::runner::{RUNNER_PROTOCOL, RunnerLine};
use protocol::session::KeeperOrder;
use tokio::time::{Instant, timeout_at};

use crate::confinement::Confined;

/// A runner that has said ready.
pub(crate) struct Launched {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: LineReader<ChildStdout>,
    pub(crate) stderr: LineReader<ChildStderr>,
    pub(crate) stderr_tail: StderrTail,
    pub(crate) capabilities: Capabilities,
    /// Lines that came with the ready line, and that line itself.
    pub(crate) first_lines: Vec<Line>,
}

/// Starts the runner that the order names, confined where it is to be.
pub(crate) async fn launch(
    order: &KeeperOrder,
    mark: &str,
    confined: Option<&Confined>,
) -> Result<Launched, WireError> {
    let command = command(order, mark, confined)?;
    let mut child = command.spawn().map_err(|error| spawn_error(order, &error))?;
    let pid = child.process().pid;
    tracing::info!(pid, runner = order.runner, "the runner was started");
    let pipes = (child.take_stdin(), child.take_stdout(), child.take_stderr());
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(WireError::new(ErrorCode::Internal, "the runner was started without pipes"));
    };
    let mut launched = Launched {
        child,
        stdin: Some(stdin),
        stdout: LineReader::new(stdout, LINE_BYTES),
        stderr: LineReader::new(stderr, STDERR_LINE_BYTES),
        stderr_tail: StderrTail::default(),
        capabilities: Capabilities::default(),
        first_lines: Vec::new(),
    };
    match launched.wait_ready().await {
        Ok(()) => Ok(launched),
        Err(why) => Err(launched.give_up(order, mark, why).await),
    }
}

/// Why a runner is not ready.
enum NotReady {
    Silent,
    Exited(Exit),
    WrongProtocol(u32),
    OutputFailed(std::io::Error),
}

impl Launched {
    async fn wait_ready(&mut self) -> Result<(), NotReady> {
        let deadline = Instant::now() + READY;
        let mut stderr_open = true;
        loop {
            let step = async {
                tokio::select! {
                    batch = self.stdout.next_batch() => Step::Out(batch),
                    batch = self.stderr.next_batch(), if stderr_open => Step::Err(batch),
                }
            };
            match timeout_at(deadline, step).await {
                Err(_) => return Err(NotReady::Silent),
                Ok(Step::Out(Ok(Some(lines)))) => {
                    if self.is_ready(lines)? {
                        return Ok(());
                    }
                }
                Ok(Step::Out(Ok(None))) => return Err(self.exited(deadline).await),
                Ok(Step::Out(Err(error))) => return Err(NotReady::OutputFailed(error)),
                Ok(Step::Err(Ok(Some(lines)))) => self.note_stderr(&lines),
                Ok(Step::Err(Ok(None) | Err(_))) => stderr_open = false,
            }
        }
    }

    fn is_ready(&mut self, lines: Vec<Line>) -> Result<bool, NotReady> {
        let ready = lines.iter().find_map(|line| match serde_json::from_slice::<RunnerLine>(&line.bytes) {
            Ok(RunnerLine::Ready { protocol, capabilities, .. }) => Some((protocol, capabilities)),
            Ok(_) | Err(_) => None,
        });
        self.first_lines.extend(lines);
        match ready {
            None => Ok(false),
            Some((RUNNER_PROTOCOL, capabilities)) => {
                self.capabilities = capabilities;
                Ok(true)
            }
            Some((other, _)) => Err(NotReady::WrongProtocol(other)),
        }
    }

    /// Its stdout has ended; in a moment the rest has too.
    async fn exited(&mut self, deadline: Instant) -> NotReady {
        let exit = match timeout_at(deadline, self.child.wait()).await {
            Ok(Ok(exit)) => exit,
            Ok(Err(error)) => return NotReady::OutputFailed(error),
            Err(_) => return NotReady::Silent,
        };
        let drained = Instant::now() + DRAIN;
        while let Ok(Ok(Some(lines))) = timeout_at(drained, self.stderr.next_batch()).await {
            self.note_stderr(&lines);
        }
        NotReady::Exited(exit)
    }

    fn note_stderr(&mut self, lines: &[Line]) {
        for line in lines {
            tracing::info!(source = "runner stderr", "{}", String::from_utf8_lossy(&line.bytes));
            self.stderr_tail.push(&line.bytes);
        }
    }

    /// Ends what was started, and says why.
    async fn give_up(mut self, order: &KeeperOrder, mark: &str, why: NotReady) -> WireError {
        let known: Vec<_> = process::descendants(self.child.process().pid).iter().map(|entry| entry.process).collect();
        drop(self.stdin.take());
        self.child.group().kill();
        let _ = self.child.wait().await;
        let swept = process::sweep(mark, &known).await;
        let runner = format!("the runner of {} ({})", order.provider_name, order.runner);
        let message = match why {
            NotReady::Silent => format!("{runner} did not say ready within {} s and was ended", READY.as_secs()),
            NotReady::Exited(Exit { code: _, signal: Some(signal) }) => {
                format!("{runner} was ended by {signal} before it said ready")
            }
            NotReady::Exited(Exit { code, signal: None }) => {
                format!("{runner} exited with code {} before it said ready", code.unwrap_or(-1))
            }
            NotReady::WrongProtocol(other) => {
                format!(
                    "{runner} speaks runner protocol {other}; this Outrigger speaks {RUNNER_PROTOCOL}. Update the runner"
                )
            }
            NotReady::OutputFailed(error) => format!("the output of {runner} could not be read: {error}"),
        };
        let mut detail = self.stderr_tail.lines();
        detail.extend(
            swept.survivors.iter().map(|entry| format!("still running: {} {}", entry.process.pid, entry.command)),
        );
        let error =
            WireError::new(ErrorCode::RunnerFailed, format!("{message}. `outrigger doctor` shows what was found"));
        if detail.is_empty() { error } else { error.with_detail(detail.join("\n")) }
    }
}

enum Step {
    Out(std::io::Result<Option<Vec<Line>>>),
    Err(std::io::Result<Option<Vec<Line>>>),
}

fn command(order: &KeeperOrder, mark: &str, confined: Option<&Confined>) -> Result<Command, WireError> {
    let mut words: VecDeque<String> = confined.map(Confined::words).into_iter().flatten().collect();
    words.extend(order.runtime.iter().cloned());
    words.push_back(order.runner.clone());
    let program = words.pop_front().map(PathBuf::from).unwrap_or_default();
    let cwd = PathBuf::from(&order.start.cwd);
    if !Path::new(&cwd).is_dir() {
        let message = format!(
            "the working directory {} does not exist or is no folder; create it or choose another",
            cwd.display()
        );
        return Err(WireError::new(ErrorCode::BadWorkingDirectory, message));
    }
    let args = words.into_iter().map(Into::into).collect();
    Ok(Command { program, args, cwd, env: order.environment.clone(), mark: Some(mark.to_owned()) })
}

fn spawn_error(order: &KeeperOrder, error: &SpawnError) -> WireError {
    let message = format!("failed to start the runner of {}: {error}", order.provider_name);
    WireError::new(ErrorCode::RuntimeUnavailable, message)
}
