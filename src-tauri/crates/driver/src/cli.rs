//! How is the CLI started, heard, told things and ended?
//!
//! One task owns the child; it stays in our process group, so that the keeper's stop ladder reaches both. Its stdout is handed over
//! as batches of lines, and not read further until they are taken; its stderr goes on to our own stderr, and its end is kept for
//! error reports. What the lines mean is not known here.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use process::{Exit, Line, LineReader, ProcessRef, StderrTail};
use protocol::limits::{LINE_BYTES, STDERR_LINE_BYTES};
use tokio::io::{AsyncRead, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long the pipes of a CLI that has exited may be silent before they are given up: somebody else may hold them.
const DRAIN: Duration = Duration::from_secs(1);

/// What happens to the CLI.
#[derive(Debug)]
pub(crate) enum CliEvent {
    /// It printed lines.
    Lines(Vec<Line>),
    /// It has ended, and its output was read to the end.
    Ended(Ended),
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    /// The last lines of stderr.
    pub(crate) stderr_tail: Vec<String>,
    /// It printed nothing at all.
    pub(crate) said_nothing: bool,
}

/// A running CLI. Dropping it asks the process to end.
#[derive(Debug)]
pub(crate) struct Cli {
    process: Option<ProcessRef>,
    stdin: Option<mpsc::UnboundedSender<Vec<u8>>>,
    /// What happens to it. Batches that are not taken hold up the reading of its stdout.
    pub(crate) events: mpsc::Receiver<CliEvent>,
}

impl Cli {
    /// Starts it in our own process group, with our own environment.
    ///
    /// # Errors
    /// When the system cannot start it.
    pub(crate) fn start(program: &str, args: &[String], cwd: &str) -> io::Result<Self> {
        if !Path::new(cwd).is_dir() {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        let mut command = Command::new(program);
        command.args(args).current_dir(cwd);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let process = child.id().and_then(ProcessRef::of);
        let (lines, stdin_lines) = mpsc::unbounded_channel();
        // One batch is on its way at a time, so that a fast CLI waits for a slow host.
        let (sender, events) = mpsc::channel(1);
        if let Some(stdin) = child.stdin.take() {
            tokio::spawn(write(stdin, stdin_lines));
        }
        tokio::spawn(own(child, sender));
        Ok(Self { process, stdin: Some(lines), events })
    }

    /// Writes one line to its stdin. A CLI that no longer reads is on its way out, which its end tells.
    pub(crate) fn send(&self, line: &serde_json::Value) {
        if let Some(stdin) = &self.stdin {
            let _ = stdin.send(format!("{line}\n").into_bytes());
        }
    }

    /// Closes its stdin after what was sent.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        process::terminate_processes(self.process.as_slice());
    }

    /// Ends it.
    pub(crate) fn kill(&self) {
        process::kill_processes(self.process.as_slice());
    }
}

impl Drop for Cli {
    fn drop(&mut self) {
        self.terminate();
    }
}

async fn write(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        if stdin.write_all(&line).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

/// What its readers have seen, for its owner.
#[derive(Debug, Default)]
struct Seen {
    batches: AtomicU64,
    stdout_batches: AtomicU64,
    tail: Mutex<StderrTail>,
}

async fn own(mut child: Child, events: mpsc::Sender<CliEvent>) {
    let seen = Arc::new(Seen::default());
    let stdout = child.stdout.take().map(|stdout| tokio::spawn(read_stdout(stdout, events.clone(), Arc::clone(&seen))));
    let stderr = child.stderr.take().map(|stderr| tokio::spawn(read_stderr(stderr, Arc::clone(&seen))));
    // An error means that the system cannot say how it ended, and it has.
    let exit = child.wait().await.map_or(Exit { code: None, signal: None }, Exit::from);
    let readers = [stdout, stderr];
    drain(readers, &seen, &events).await;
    let stderr_tail = seen.tail.lock().unwrap_or_else(PoisonError::into_inner).lines();
    let silent = seen.stdout_batches.load(Ordering::Relaxed) == 0;
    let said_nothing = silent && stderr_tail.iter().all(|line| line.trim().is_empty());
    let _ = events.send(CliEvent::Ended(Ended { exit, stderr_tail, said_nothing })).await;
}

/// Exit is not end of output: reads on while something comes or the host is slow, but a grandchild that inherited a pipe and says
/// nothing must not hold us up.
async fn drain(readers: [Option<JoinHandle<()>>; 2], seen: &Seen, events: &mpsc::Sender<CliEvent>) {
    for mut reader in readers.into_iter().flatten() {
        let mut before = None;
        loop {
            if tokio::time::timeout(DRAIN, &mut reader).await.is_ok() {
                break;
            }
            let now = Some(seen.batches.load(Ordering::Relaxed));
            if now == before && events.capacity() > 0 {
                reader.abort();
                break;
            }
            before = now;
        }
    }
}

async fn read_stdout(stdout: impl AsyncRead + Unpin, events: mpsc::Sender<CliEvent>, seen: Arc<Seen>) {
    let mut reader = LineReader::new(stdout, LINE_BYTES);
    // A killed child's pipe may end with an error; what was read before still counts.
    while let Ok(Some(lines)) = reader.next_batch().await {
        seen.batches.fetch_add(1, Ordering::Relaxed);
        seen.stdout_batches.fetch_add(1, Ordering::Relaxed);
        if events.send(CliEvent::Lines(lines)).await.is_err() {
            return;
        }
    }
}

async fn read_stderr(stderr: impl AsyncRead + Unpin, seen: Arc<Seen>) {
    let mut reader = LineReader::new(stderr, STDERR_LINE_BYTES);
    let mut ours = tokio::io::stderr();
    while let Ok(Some(lines)) = reader.next_batch().await {
        seen.batches.fetch_add(1, Ordering::Relaxed);
        for line in lines {
            seen.tail.lock().unwrap_or_else(PoisonError::into_inner).push(&line.bytes);
            let whole = [&line.bytes[..], b"\n"].concat();
            let _ = ours.write_all(&whole).await;
        }
        let _ = ours.flush().await;
    }
}
