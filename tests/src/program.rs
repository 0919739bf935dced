//! A started program: its lines as they come, its exit, and a deadline on each wait.
//!
//! Responsible for one child and its pipes. It judges nothing; a wait that runs out panics with everything that was seen,
//! because that is what one needs to read when a test fails on another machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use shared_child::SharedChild;

/// The longest wait for one thing. Generous, because a loaded machine with two cores is slow and a passing test never waits it out.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A started program. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    title: String,
    child: Arc<SharedChild>,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    seen: Vec<String>,
    stderr: Arc<Mutex<String>>,
    stderr_ended: Receiver<()>,
    exit: Receiver<ExitStatus>,
    patience: Duration,
}

/// A program that has ended, with everything that it printed.
#[derive(Debug)]
pub struct Ended {
    /// The command line, for messages.
    pub title: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The lines of stdout, without their ends.
    pub stdout: Vec<String>,
    /// All of stderr.
    pub stderr: String,
}

impl Program {
    /// Starts `command` with pipes on all three streams.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let title = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = SharedChild::spawn(&mut command).unwrap_or_else(|error| panic!("cannot start {title}: {error}"));
        let child = Arc::new(child);
        let (stdin, stdout, stderr) = (child.take_stdin(), child.take_stdout(), child.take_stderr());
        let (stderr, stderr_ended) = text_of(stderr);
        Self {
            title,
            stdin,
            lines: lines_of(stdout),
            seen: Vec::new(),
            stderr,
            stderr_ended,
            exit: exit_of(&child),
            child,
            patience: DEADLINE,
        }
    }

    /// The same program, with another limit than [`DEADLINE`] to each wait.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it has written to stderr so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes one line to its stdin.
    ///
    /// # Panics
    /// When its stdin is closed.
    pub fn write_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap_or_else(|| panic!("stdin of {} was closed before", self.title));
        writeln!(stdin, "{line}").unwrap_or_else(|error| panic!("cannot write to {}: {error}", self.title));
    }

    /// Closes its stdin.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// The next line of stdout, or `None` when stdout has ended.
    ///
    /// # Panics
    /// When nothing comes within [`DEADLINE`].
    pub fn next_line(&mut self) -> Option<String> {
        self.line_before(Instant::now() + self.patience, "a line")
    }

    /// The first line, from where reading stands, that is JSON and `wanted`. Lines on the way are kept for [`Ended::stdout`].
    ///
    /// # Panics
    /// When stdout ends or [`DEADLINE`] passes first; the message carries `what` and everything that was seen.
    pub fn wait_for(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + self.patience;
        while let Some(line) = self.line_before(until, what) {
            match serde_json::from_str::<Value>(&line) {
                Ok(value) if wanted(&value) => return value,
                Ok(_) | Err(_) => {}
            }
        }
        panic!("{} ended its output without {what}.\n{}", self.title, self.report())
    }

    /// Waits for the end of its output and for its exit.
    ///
    /// # Panics
    /// When it has not ended within [`DEADLINE`], or somebody else holds its stdout open.
    #[must_use]
    pub fn finish(mut self) -> Ended {
        self.stdin = None;
        let until = Instant::now() + self.patience;
        while self.line_before(until, "the end of its output").is_some() {}
        let status = match self.exit.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(status) => status,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                panic!("{} closed its output and did not exit.\n{}", self.title, self.report())
            }
        };
        // It has exited, but what it said last may still be in the pipe.
        let _ = self.stderr_ended.recv_timeout(until.saturating_duration_since(Instant::now()));
        let stderr = self.stderr();
        Ended { title: self.title.clone(), code: status.code(), stdout: std::mem::take(&mut self.seen), stderr }
    }

    /// Kills it at once, as a crash would (SIGKILL).
    pub fn kill(&self) {
        // An error means that it has ended already, which is what was asked for.
        let _ = self.child.kill();
    }

    /// Sends it a signal by number, e.g. 2 for Ctrl-C.
    ///
    /// # Panics
    /// When the signal cannot be sent.
    #[cfg(unix)]
    pub fn signal(&self, number: i32) {
        use shared_child::unix::SharedChildExt;
        self.child
            .send_signal(number)
            .unwrap_or_else(|error| panic!("cannot send signal {number} to {}: {error}", self.title));
    }

    /// Sends it a signal as soon as it takes that into its own hands; before, the signal would simply end it.
    ///
    /// # Panics
    /// When it does not do so in time, or the signal cannot be sent.
    #[cfg(target_os = "linux")]
    pub fn signal_when_handled(&self, number: i32) {
        let status = format!("/proc/{}/status", self.child.id());
        let until = Instant::now() + DEADLINE;
        let handles = || {
            let status = std::fs::read_to_string(&status).unwrap_or_default();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            caught.is_some_and(|mask| mask & (1 << (number - 1)) != 0)
        };
        while !handles() {
            assert!(Instant::now() < until, "{} does not handle signal {number}", self.title);
            std::thread::yield_now();
        }
        self.signal(number);
    }

    fn line_before(&mut self, until: Instant, what: &str) -> Option<String> {
        match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                self.seen.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("{}: waited {} s for {what} in vain.\n{}", self.title, self.patience.as_secs(), self.report())
            }
        }
    }

    fn report(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.seen.join("\n"), self.stderr())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Ended {
    /// The lines of stdout as JSON.
    ///
    /// # Panics
    /// When a line is not JSON: `--json` promises nothing else on stdout.
    #[must_use]
    pub fn json(&self) -> Vec<Value> {
        let parse = |line: &String| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{} printed a line that is no JSON ({error}): {line}", self.title))
        };
        self.stdout.iter().map(parse).collect()
    }

    /// Fails the test unless it exited with `code`.
    ///
    /// # Panics
    /// When it exited otherwise; the message carries everything that it printed.
    pub fn assert_code(&self, code: i32) {
        assert!(
            self.code == Some(code),
            "{} exited with {:?} where {code} was expected.\n--- stdout\n{}\n--- stderr\n{}",
            self.title,
            self.code,
            self.stdout.join("\n"),
            self.stderr
        );
    }
}

/// Lines end at `\n` only and are shown lossily: a test that is after single bytes reads the journal.
fn lines_of(stream: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stream?);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).ok()? > 0 {
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            sender.send(String::from_utf8_lossy(&line).into_owned()).ok()?;
            line.clear();
        }
        Some(())
    });
    lines
}

/// The text so far, and what tells its end: the receiver is disconnected then.
fn text_of(stream: Option<impl Read + Send + 'static>) -> (Arc<Mutex<String>>, Receiver<()>) {
    let text = Arc::new(Mutex::new(String::new()));
    let shared = Arc::clone(&text);
    let (reading, ended) = channel();
    thread::spawn(move || {
        let _reading = reading;
        let mut reader = BufReader::new(stream?);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).ok()? > 0 {
            shared.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
        Some(())
    });
    (text, ended)
}

fn exit_of(child: &Arc<SharedChild>) -> Receiver<ExitStatus> {
    let (sender, exit) = channel();
    let child = Arc::clone(child);
    thread::spawn(move || sender.send(child.wait().ok()?).ok());
    exit
}
