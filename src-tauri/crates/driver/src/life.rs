//! How does a driver live? It says ready, hands the host's commands and the CLI's lines to the conversation and does what follows, and
//! ends when it is told to, when its stdin ends, on a signal, when its parent is gone, or when its agent is gone.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use process::{Line, LineReader};
use protocol::limits::LINE_BYTES;
use providers::driver::Driver;
use providers::manifest::{Launch, Manifest};
use tokio::io::Stdin;
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use crate::cli::{Cli, CliEvent};
use crate::cli_failure::start_failure;
use crate::command_line::{command_line, id_before_output};
use crate::conversation::{Conversation, Effect};
use crate::host_line::{Command, Hearing, Query};
use crate::outbox::Outbox;
use crate::outcome::Resuming;
use crate::told::{Failure, Known, Told};
use crate::version::{Flags, ask, first_version, is_at_least};

/// How long a stop waits for the interrupted turn's end.
const TURN: Duration = Duration::from_secs(1);
/// How long it waits for the CLI after its stdin was closed.
const CLOSE: Duration = Duration::from_millis(1200);
/// The same while background tasks keep the CLI alive: the user asked for the end.
const CLOSE_WITH_TASKS: Duration = Duration::from_millis(200);
/// How long it waits after SIGTERM.
const TERM: Duration = Duration::from_millis(1800);
/// How long it waits after SIGKILL.
const KILL: Duration = Duration::from_secs(2);
/// How long a host that reads slowly may take for the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);
/// How often to look for the parent. The end of stdin tells of its end at once; this is for the rare rest.
const PARENT_LOOK: Duration = Duration::from_secs(10);

/// What is driven.
#[derive(Debug, Clone)]
pub struct Drive {
    /// The provider's manifest.
    pub manifest: PathBuf,
    /// Words for the transcript, before everything else.
    pub notice: Option<String>,
}

/// Drives until the end; the exit code is 0 when we were asked to stop.
#[must_use]
pub fn run(drive: &Drive) -> ExitCode {
    let (manifest, driver) = match manifest(&drive.manifest) {
        Ok(read) => read,
        Err(why) => return complain(&why),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("no async runtime: {error}")),
    };
    let code = runtime.block_on(async {
        let mut life = Life::new(&manifest, driver, drive.notice.clone());
        let code = life.live().await;
        life.part().await;
        code
    });
    // The thread that reads stdin cannot be ended otherwise.
    runtime.shutdown_background();
    ExitCode::from(code)
}

fn manifest(file: &Path) -> Result<(Manifest, Driver), String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("failed to read {}: {error}", file.display()))?;
    let manifest = Manifest::parse(&text, &file.display().to_string()).map_err(|error| error.to_string())?;
    match &manifest.launch {
        Launch::Driver(driver) => Ok((manifest.clone(), driver.clone())),
        Launch::Runner { script } => {
            Err(format!("{}: it names the runner {script}; a direct provider needs a `driver`", file.display()))
        }
    }
}

#[expect(clippy::print_stderr, reason = "stderr is for people, and the keeper keeps it")]
fn complain(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

/// Why it ends.
enum End {
    /// The agent ended by itself.
    Gone(u8),
    /// Somebody wants its end.
    Asked { why: String, code: u8 },
}

/// What happened.
enum Happened {
    Host(std::io::Result<Option<Vec<Line>>>),
    Cli(Option<CliEvent>),
    Signal(u8, &'static str),
    ParentLook,
}

/// A step of a stop.
enum Rung {
    CloseStdin,
    Terminate,
    Kill,
}

struct Life<'a> {
    manifest: &'a Manifest,
    driver: Driver,
    notice: Option<String>,
    conversation: Conversation,
    hearing: Hearing,
    outbox: Outbox,
    host: LineReader<Stdin>,
    cli: Option<Cli>,
    parent: Option<u32>,
    signals: Signals,
}

impl<'a> Life<'a> {
    fn new(manifest: &'a Manifest, driver: Driver, notice: Option<String>) -> Self {
        Self {
            manifest,
            notice,
            conversation: Conversation::new(&manifest.name, driver.clone()),
            driver,
            hearing: Hearing::default(),
            outbox: Outbox::to(tokio::io::stdout()),
            host: LineReader::new(tokio::io::stdin(), LINE_BYTES),
            cli: None,
            parent: parent(),
            signals: Signals::watch(),
        }
    }

    /// Until its end; the exit code.
    async fn live(&mut self) -> u8 {
        self.outbox.put(Told::ready(&self.manifest.id, self.manifest.capabilities).line());
        let mut look = tokio::time::interval(PARENT_LOOK);
        loop {
            let happened = tokio::select! {
                lines = self.host.next_batch() => Happened::Host(lines),
                event = next_event(&mut self.cli, &self.outbox) => Happened::Cli(event),
                (number, name) = self.signals.next() => Happened::Signal(number, name),
                _ = look.tick() => Happened::ParentLook,
            };
            match self.follow(happened).await {
                None => {}
                Some(End::Gone(code)) => return code,
                Some(End::Asked { why, code }) => {
                    self.conversation.log("info", format!("stopping: {why}"));
                    self.stop().await;
                    return code;
                }
            }
        }
    }

    async fn follow(&mut self, happened: Happened) -> Option<End> {
        let asked = |why: String, code| Some(End::Asked { why, code });
        match happened {
            Happened::Host(Ok(Some(lines))) => self.heard(lines).await,
            Happened::Host(Ok(None)) => asked("the host closed the driver's stdin".to_owned(), 0),
            Happened::Host(Err(error)) => asked(format!("reading the host's lines failed: {error}"), 1),
            Happened::Cli(event) => {
                self.cli_event(event);
                self.perform().await
            }
            Happened::Signal(number, name) => asked(format!("the driver got {name}"), 128 + number),
            Happened::ParentLook if parent() != self.parent => asked("the parent process is gone".to_owned(), 1),
            Happened::ParentLook => None,
        }
    }

    async fn heard(&mut self, lines: Vec<Line>) -> Option<End> {
        for line in lines {
            match self.hearing.hear(&line) {
                None => {}
                Some(Ok(Command::Stop)) => {
                    return Some(End::Asked { why: "the host asked to stop".to_owned(), code: 0 });
                }
                Some(Ok(command)) => self.conversation.obey(command),
                Some(Err(misheard)) => {
                    let told = Told::Error { message: misheard.message, command: misheard.command.as_deref() };
                    self.outbox.put(told.line());
                }
            }
            if let Some(end) = self.perform().await {
                return Some(end);
            }
        }
        None
    }

    fn cli_event(&mut self, event: Option<CliEvent>) {
        match event {
            Some(CliEvent::Lines(lines)) => lines.iter().for_each(|line| self.conversation.line(line)),
            Some(CliEvent::Ended(ended)) => {
                self.cli = None;
                self.conversation.ended(&ended);
            }
            None => self.cli = None,
        }
    }

    /// Does what the conversation wants.
    async fn perform(&mut self) -> Option<End> {
        loop {
            let effects = self.conversation.take();
            if effects.is_empty() {
                return None;
            }
            for effect in effects {
                match effect {
                    Effect::Tell(line) => self.outbox.put(line),
                    Effect::Send(line) => {
                        if let Some(cli) = &self.cli {
                            cli.send(&line);
                        }
                    }
                    Effect::Start(query) => match self.start(&query).await {
                        Ok(()) => {}
                        Err(failure) => self.conversation.not_started(failure),
                    },
                    Effect::Finish(code) => return Some(End::Gone(code)),
                }
            }
        }
    }

    async fn start(&mut self, query: &Query) -> Result<(), Failure> {
        let name = &self.manifest.name;
        let Some(cli) = query.cli.clone() else {
            let message = format!("no CLI of {name} was found. Install it, or set its path in the settings.");
            return Err(Failure::lasting("cli_missing", message));
        };
        let version = self.usable_version(&cli, query).await?;
        let since = &self.driver.since;
        let help = match Flags::need_help(since, version.as_deref()) {
            true => ask(&cli, &["--help".to_owned()]).await,
            false => String::new(),
        };
        let flags = Flags::of(since, version.as_deref(), &help);
        let chosen_id = Uuid::new_v4().to_string();
        let line = command_line(&self.driver, query, &chosen_id, &flags, name)?;
        let started = Cli::start(&cli, &line.args, &query.cwd);
        self.cli = Some(started.map_err(|error| start_failure(&cli, &query.cwd, &error))?);
        let native_session_id = id_before_output(&self.driver, query, &chosen_id);
        let resuming = Resuming { id: query.resume_session_id.clone(), cwd: query.cwd.clone() };
        let resuming = (query.resume_mode != protocol::runner::ResumeMode::New).then_some(resuming);
        let known = Known { native_session_id, cli_version: version, model: query.model.clone() };
        if let Some(notice) = self.notice.take() {
            self.conversation.remark(&notice);
        }
        if !line.left_out.is_empty() {
            let left_out = line.left_out.join(", ");
            self.conversation
                .remark(&format!("{name} was started without {left_out}: its manifest has no arguments for it."));
        }
        self.conversation.started(cli, query, known, resuming);
        Ok(())
    }

    /// The CLI's version, if it tells.
    async fn usable_version(&self, cli: &str, query: &Query) -> Result<Option<String>, Failure> {
        let spec = self.manifest.cli.as_ref();
        let version = match (&query.cli_version, spec) {
            (Some(version), _) => first_version(version),
            // Nothing depends on it, so it is not asked for.
            (None, Some(spec)) if spec.min_version.is_some() || !self.driver.since.is_empty() => {
                first_version(&ask(cli, &spec.version_args).await)
            }
            (None, Some(_) | None) => None,
        };
        let least = spec.and_then(|spec| spec.min_version.as_deref());
        match (&version, least) {
            (Some(version), Some(least)) if !is_at_least(version, least) => {
                let message = format!("{cli} is version {version}; {least} or newer is needed. Update it.");
                Err(Failure::lasting("cli_too_old", message))
            }
            (Some(_) | None, _) => Ok(version),
        }
    }

    /// Ends the CLI in good order: the turn, its stdin, SIGTERM, SIGKILL.
    async fn stop(&mut self) {
        self.conversation.stop();
        let _ = self.perform().await;
        if self.conversation.in_turn() && self.driver.control {
            self.follow_cli(TURN, |life| !life.conversation.in_turn()).await;
        }
        let close = if self.conversation.has_background_tasks() { CLOSE_WITH_TASKS } else { CLOSE };
        for (rung, patience) in [(Rung::CloseStdin, close), (Rung::Terminate, TERM), (Rung::Kill, KILL)] {
            let Some(cli) = &mut self.cli else { break };
            match rung {
                Rung::CloseStdin => cli.close_stdin(),
                Rung::Terminate => cli.terminate(),
                Rung::Kill => cli.kill(),
            }
            self.follow_cli(patience, |_| false).await;
        }
    }

    /// Follows the CLI until it is gone, or `done`, or the time is over.
    async fn follow_cli(&mut self, patience: Duration, done: impl Fn(&Self) -> bool) {
        let until = Instant::now() + patience;
        while self.cli.is_some() && !done(self) {
            let Ok(event) = timeout_at(until, next_event(&mut self.cli, &self.outbox)).await else { return };
            self.cli_event(event);
            let _ = self.perform().await;
        }
    }

    /// The last lines.
    async fn part(mut self) {
        let _ = self.perform().await;
        drop(self.cli.take());
        // A host that no longer reads must not keep us alive.
        let _ = timeout(LAST_LINES, self.outbox.finish()).await;
    }
}

/// The next thing that happens to the CLI, once there is room for its lines. Never, where there is none.
async fn next_event(cli: &mut Option<Cli>, outbox: &Outbox) -> Option<CliEvent> {
    outbox.room().await;
    match cli {
        Some(cli) => cli.events.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(unix)]
fn parent() -> Option<u32> {
    rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs())
}

#[cfg(not(unix))]
fn parent() -> Option<u32> {
    None
}

/// Signals that end us.
#[cfg(unix)]
struct Signals {
    watched: Vec<(u8, &'static str, tokio::signal::unix::Signal)>,
}

#[cfg(unix)]
impl Signals {
    fn watch() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            (15, "SIGTERM", SignalKind::terminate()),
            (2, "SIGINT", SignalKind::interrupt()),
            (1, "SIGHUP", SignalKind::hangup()),
        ];
        // A signal that cannot be watched ends us at once, as it would any program.
        let watched = kinds.into_iter().filter_map(|(number, name, kind)| Some((number, name, signal(kind).ok()?)));
        Self { watched: watched.collect() }
    }

    async fn next(&mut self) -> (u8, &'static str) {
        std::future::poll_fn(|context| {
            for (number, name, signal) in &mut self.watched {
                if signal.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready((*number, *name));
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn watch() -> Self {
        Self
    }

    async fn next(&mut self) -> (u8, &'static str) {
        let _ = tokio::signal::ctrl_c().await;
        (2, "SIGINT")
    }
}
