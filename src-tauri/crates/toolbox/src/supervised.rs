//! One process of a sidecar or of its build, from its start until nothing is left of it.
//!
//! Responsible for its pipes, its exit, the stop ladder and the sweep behind it: when this returns, no process with its mark runs, or
//! the survivors are named. What the process says is not understood here, only logged; a stdout that is a connection is read elsewhere.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use process::{
    Action, Child, ChildStderr, ChildStdout, EndedBy, Exit, Input, Ladder, Line, LineReader, ProcessRef, Sweep,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::limits::LOG_LINE_BYTES;
use crate::log::{Log, LogSource};

/// What was started and how it is told.
pub(crate) struct Supervised {
    child: Child,
    mark: String,
    stdout: Option<LineReader<ChildStdout>>,
    stderr: Option<LineReader<ChildStderr>>,
    stdout_is: LogSource,
    stderr_is: LogSource,
    log: Log,
    ladder: Ladder,
    timer: Option<Instant>,
    known: Vec<ProcessRef>,
    exit: Option<Exit>,
    sweeping: Option<JoinHandle<Sweep>>,
}

/// How it went.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// How the process itself ended; unknown when the system did not let go of it.
    pub(crate) exit: Option<Exit>,
    /// What could not be ended.
    pub(crate) survivors: Vec<String>,
}

enum Happened {
    Stdout(std::io::Result<Option<Vec<Line>>>),
    Stderr(std::io::Result<Option<Vec<Line>>>),
    Exited(std::io::Result<Exit>),
    Stop,
    NobodyStops,
    Elapsed,
    Swept(Sweep),
}

/// The command of these words, in `folder`. A program that is named by a relative path lies there; a bare name is searched on PATH.
pub(crate) fn command(
    words: &[String],
    folder: &Path,
    environment: &BTreeMap<String, String>,
    mark: &str,
) -> process::Command {
    let named = words.first().map(PathBuf::from).unwrap_or_default();
    let program = if named.components().count() > 1 && named.is_relative() { folder.join(named) } else { named };
    process::Command {
        program,
        args: words.iter().skip(1).map(OsString::from).collect(),
        cwd: folder.to_owned(),
        env: environment.clone(),
        mark: Some(mark.to_owned()),
    }
}

impl Supervised {
    /// Takes a child over. `stdout` is what of its output is logged; it is `None` where that is its connection.
    pub(crate) fn new(mut child: Child, mark: &str, stdout: Option<ChildStdout>, is: [LogSource; 2], log: Log) -> Self {
        let stderr = child.take_stderr().map(|stderr| LineReader::new(stderr, LOG_LINE_BYTES));
        let stdout = stdout.map(|stdout| LineReader::new(stdout, LOG_LINE_BYTES));
        let [stdout_is, stderr_is] = is;
        let (ladder, mark) = (Ladder::new(), mark.to_owned());
        Self {
            child,
            mark,
            stdout,
            stderr,
            stdout_is,
            stderr_is,
            log,
            ladder,
            timer: None,
            known: Vec::new(),
            exit: None,
            sweeping: None,
        }
    }

    /// Waits until everything has ended. Each message of `stop` is one more request to end it; `ask` tells the process in its own
    /// language (it closes its connection).
    pub(crate) async fn ended(mut self, mut stop: mpsc::Receiver<()>, mut ask: impl FnMut()) -> Outcome {
        let mut heard = true;
        loop {
            match self.next(&mut stop, heard).await {
                Happened::Stdout(batch) => self.read(batch, true, &mut ask),
                Happened::Stderr(batch) => self.read(batch, false, &mut ask),
                Happened::Exited(exit) => {
                    self.exit = Some(exit.unwrap_or(Exit { code: None, signal: None }));
                    self.climb(Input::Exited, &mut ask);
                }
                Happened::Stop => self.climb(Input::Stop, &mut ask),
                Happened::NobodyStops => heard = false,
                Happened::Elapsed => {
                    self.timer = None;
                    self.climb(Input::Elapsed, &mut ask);
                }
                Happened::Swept(sweep) => {
                    self.climb(Input::Swept, &mut ask);
                    return self.outcome(&sweep);
                }
            }
        }
    }

    async fn next(&mut self, stop: &mut mpsc::Receiver<()>, heard: bool) -> Happened {
        tokio::select! {
            biased;
            asked = stop.recv(), if heard => if asked.is_some() { Happened::Stop } else { Happened::NobodyStops },
            swept = swept(&mut self.sweeping) => Happened::Swept(swept),
            () = at(self.timer) => Happened::Elapsed,
            batch = next_batch(&mut self.stderr) => Happened::Stderr(batch),
            batch = next_batch(&mut self.stdout) => Happened::Stdout(batch),
            exit = self.child.wait(), if self.exit.is_none() => Happened::Exited(exit),
        }
    }

    fn read(&mut self, batch: std::io::Result<Option<Vec<Line>>>, is_stdout: bool, ask: &mut impl FnMut()) {
        let from = if is_stdout { self.stdout_is } else { self.stderr_is };
        if let Ok(Some(lines)) = batch {
            lines.iter().for_each(|line| self.log.push(from, &line.bytes));
            return;
        }
        if is_stdout {
            self.stdout = None;
        } else {
            self.stderr = None;
        }
        if self.stdout.is_none() && self.stderr.is_none() {
            self.climb(Input::PipesClosed, ask);
        }
    }

    fn climb(&mut self, input: Input, ask: &mut impl FnMut()) {
        for action in self.ladder.step(input) {
            match action {
                Action::ListDescendants => self.list_descendants(),
                Action::SendStop | Action::CloseStdin => ask(),
                Action::TerminateGroup => self.child.group().terminate(),
                Action::KillGroup => self.child.group().kill(),
                Action::KillDescendants => process::kill_processes(&self.known),
                Action::StartTimer(after) => self.timer = Some(Instant::now() + after),
                Action::ClosePipes => {
                    if self.stdout.take().is_some() | self.stderr.take().is_some() {
                        self.log.note("A process that it started still holds its output open; it is ended too.");
                    }
                }
                Action::Sweep => self.sweep(),
                // The end is told by what `ended` returns.
                Action::Report(EndedBy::Itself | EndedBy::Request | EndedBy::Terminate) => {}
                Action::Report(EndedBy::Kill) => self.log.note("It did not end when it was asked to, and was killed."),
                Action::Report(EndedBy::Nothing) => self.log.note("It could not be ended: the system holds it."),
            }
        }
    }

    fn list_descendants(&mut self) {
        for entry in process::descendants(self.child.process().pid) {
            if !self.known.contains(&entry.process) {
                self.known.push(entry.process);
            }
        }
    }

    fn sweep(&mut self) {
        self.list_descendants();
        let (mark, known) = (self.mark.clone(), self.known.clone());
        self.sweeping = Some(tokio::spawn(async move { process::sweep(&mark, &known).await }));
    }

    fn outcome(self, sweep: &Sweep) -> Outcome {
        let survivors: Vec<String> =
            sweep.survivors.iter().map(|entry| format!("{} {}", entry.process.pid, entry.command)).collect();
        for survivor in &survivors {
            self.log.note(&format!("still running: {survivor}"));
        }
        Outcome { exit: self.exit, survivors }
    }
}

impl Outcome {
    /// How it ended, in words that follow the name of what ended.
    pub(crate) fn words(&self) -> String {
        let ended = match &self.exit {
            Some(Exit { signal: Some(signal), .. }) => format!("was ended by {signal}"),
            Some(Exit { code: Some(code), .. }) => format!("exited with code {code}"),
            Some(Exit { code: None, signal: None }) | None => "could not be ended".to_owned(),
        };
        match self.survivors.len() {
            0 => ended,
            count => format!("{ended}, and {count} of its processes could not be ended"),
        }
    }

    /// Whether it ended by itself with code 0.
    pub(crate) fn is_clean(&self) -> bool {
        self.exit.as_ref().is_some_and(|exit| exit.code == Some(0))
    }
}

async fn next_batch<R: tokio::io::AsyncRead + Unpin>(
    reader: &mut Option<LineReader<R>>,
) -> std::io::Result<Option<Vec<Line>>> {
    match reader {
        Some(reader) => reader.next_batch().await,
        None => std::future::pending().await,
    }
}

async fn swept(sweeping: &mut Option<JoinHandle<Sweep>>) -> Sweep {
    match sweeping {
        Some(task) => task.await.unwrap_or_default(),
        None => std::future::pending().await,
    }
}

async fn at(timer: Option<Instant>) {
    match timer {
        Some(timer) => tokio::time::sleep_until(timer).await,
        None => std::future::pending().await,
    }
}
