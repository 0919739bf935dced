//! Follows a session until the turn that it was asked for is over: shows it, has permission requests answered, and hears Ctrl-C.

use std::time::Duration;

use anyhow::Result;
use client::{Machine, PodConnection, Subscription, sessions};
use protocol::error::WireError;
use protocol::item::{ItemBody, PermissionState};
use protocol::pod::{PodState, PodStatus, SessionEvent, SubscribeParams, Want};
use protocol::record::Outcome;
use protocol::runner::StopReason;
use protocol::session::{Liveness, PodFile};
use protocol::{Item, SessionId};
use tokio::time::{Instant, sleep_until};

use crate::exit::Exit;
use crate::permissions::{Answers, Decision};
use crate::run_options::Policy;
use crate::view::View;
use crate::{home, output};

/// What to follow, and how.
pub(crate) struct Plan {
    pub(crate) session: SessionId,
    /// What came up to this record is not shown.
    pub(crate) from_seq: u64,
    pub(crate) policy: Policy,
    /// Whether the pod itself answers by the policy, so that nobody is asked here.
    pub(crate) pod_answers: bool,
    pub(crate) json: bool,
    /// Whether the session ends with the turn.
    pub(crate) ends_session: bool,
}

/// See the module.
pub(crate) struct Follow {
    machine: Machine,
    plan: Plan,
    pod: PodFile,
    events: Subscription,
    view: View,
    answers: Answers,
    progress: Progress,
    signals: Signals,
    /// How often Ctrl-C was pressed.
    interrupts: u32,
}

/// How far the turn is, as far as the events tell.
#[derive(Debug, Default)]
struct Progress {
    /// How the newest turn ended.
    turn: Option<StopReason>,
    /// The newest error that tells more than a failure.
    error: Option<Exit>,
    ended: Option<Outcome>,
    status: Option<PodStatus>,
}

impl Progress {
    fn item(&mut self, item: &Item) {
        match &item.body {
            ItemBody::TurnEnd { stop_reason, .. } => self.turn = Some(*stop_reason),
            ItemBody::Error { code, .. } => self.error = Some(Exit::of_agent_error(code)),
            ItemBody::Ended { outcome, .. } => self.ended = Some(*outcome),
            ItemBody::UserMessage { .. }
            | ItemBody::AgentMessage { .. }
            | ItemBody::Thought { .. }
            | ItemBody::ToolCall(_)
            | ItemBody::Plan { .. }
            | ItemBody::Permission(_)
            | ItemBody::Opened { .. }
            | ItemBody::Notice { .. }
            | ItemBody::Pod { .. }
            | ItemBody::Unknown { .. } => {}
        }
    }

    /// Whether the turn is over and nothing comes after it by itself.
    fn is_over(&self) -> bool {
        let Some(status) = &self.status else { return false };
        match (&status.state, self.turn) {
            (state, _) if state.is_over() => true,
            (PodState::Idle, Some(StopReason::Interrupted | StopReason::Error)) => true,
            (PodState::Idle, Some(_)) => status.queue.is_empty() && status.background_tasks == 0,
            (_, _) => false,
        }
    }

    fn exit(&self) -> Exit {
        match (self.ended, self.turn) {
            (Some(Outcome::Failed), _) => self.error.unwrap_or(Exit::Failed),
            (Some(outcome @ (Outcome::Stopped | Outcome::Interrupted)), _) => Exit::of_outcome(outcome),
            (Some(Outcome::Done) | None, Some(StopReason::Error)) => self.error.unwrap_or(Exit::Failed),
            (Some(Outcome::Done) | None, Some(reason)) => Exit::of_turn(reason),
            (Some(Outcome::Done), None) => Exit::Done,
            (None, None) => Exit::Failed,
        }
    }
}

/// What ended the following.
enum End {
    /// The turn, or the session.
    Over,
    /// Nobody could answer a request.
    NoAnswer,
    /// The terminal is gone.
    Detached,
}

impl Follow {
    /// Connects to the session's pod.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub(crate) async fn begin(machine: &Machine, plan: Plan) -> Result<Self> {
        let pod = pod_file(machine, plan.session)?;
        let short_id = home::short_ids(machine, &[plan.session]).pop().unwrap_or_default();
        let view = View::new(plan.json, short_id);
        let answers = Answers::new(plan.policy);
        let signals = Signals::listen()?;
        let params = SubscribeParams { from_seq: plan.from_seq, want: Want::Items, deltas: view.wants_deltas() };
        let (_, events) = PodConnection::open(&pod, "cli").await?.subscribe(params).await?;
        let progress = Progress::default();
        Ok(Self { machine: machine.clone(), plan, pod, events, view, answers, progress, signals, interrupts: 0 })
    }

    /// Shows the turn, and ends with its outcome.
    ///
    /// # Errors
    /// When the session is lost from sight.
    pub(crate) async fn run(mut self) -> Result<Exit> {
        let end = self.until_over().await?;
        self.view.pause();
        match end {
            End::Over => {
                self.end_session().await;
                Ok(self.progress.exit())
            }
            End::NoAnswer => {
                self.end_session().await;
                Ok(Exit::NoPermission)
            }
            End::Detached => {
                tracing::info!(session = %self.plan.session, "the terminal is gone; the session goes on");
                Ok(Exit::Done)
            }
        }
    }

    async fn until_over(&mut self) -> Result<End> {
        loop {
            let wakes_at = self.view.wakes_at();
            tokio::select! {
                batch = self.events.next() => match batch? {
                    Some(batch) => {
                        if let Some(end) = self.take(batch).await? {
                            return Ok(end);
                        }
                    }
                    None => return self.lost().await,
                },
                decision = self.answers.decided() => self.decide(decision).await?,
                signal = self.signals.next() => match signal {
                    Signal::Interrupt => self.interrupt(),
                    Signal::Terminate => self.stop(false),
                    Signal::HangUp => return Ok(End::Detached),
                },
                () = at(wakes_at), if wakes_at.is_some() => self.view.wake(),
            }
        }
    }

    async fn take(&mut self, batch: Vec<SessionEvent>) -> Result<Option<End>> {
        for event in batch {
            match &event {
                SessionEvent::Item { item, .. } => self.progress.item(item),
                SessionEvent::Status { status } => self.progress.status = Some(status.clone()),
                SessionEvent::Append { .. }
                | SessionEvent::Remove { .. }
                | SessionEvent::Record { .. }
                | SessionEvent::CaughtUp { .. } => {}
            }
            self.view.event(&event);
            if let SessionEvent::Item { item, .. } = &event
                && let Some(end) = self.permission(item).await?
            {
                return Ok(Some(end));
            }
        }
        Ok(self.progress.is_over().then_some(End::Over))
    }

    async fn permission(&mut self, item: &Item) -> Result<Option<End>> {
        let ItemBody::Permission(permission) = &item.body else { return Ok(None) };
        match permission.state {
            PermissionState::Pending if self.plan.pod_answers => return Ok(None),
            PermissionState::Pending => {}
            PermissionState::Answered { .. } | PermissionState::Withdrawn => {
                self.answers.settled(&permission.request_id);
                return Ok(None);
            }
        }
        // A request that a rule answers is shown as it came; it does not wait.
        let waits =
            |status: &PodStatus| status.permissions.iter().any(|one| one.ask.request_id == permission.request_id);
        if self.control().await?.status().await.is_ok_and(|status| !waits(&status)) {
            return Ok(None);
        }
        self.view.pause();
        if self.answers.ask(permission) {
            return Ok(None);
        }
        output::to_stderr(&nobody_answers(self.plan.session, &permission.title, &permission.request_id));
        let _ = self.control().await?.interrupt().await;
        Ok(Some(End::NoAnswer))
    }

    async fn decide(&mut self, decision: Decision) -> Result<()> {
        let answered = self.control().await?.answer(decision.params).await;
        // Somebody was faster, or the turn ended; the transcript shows which.
        if let Err(error) = answered {
            tracing::info!(%error, "an answer came too late");
        }
        Ok(())
    }

    fn interrupt(&mut self) {
        self.interrupts += 1;
        self.view.pause();
        match self.interrupts {
            1 => {
                output::to_stderr("Interrupting the turn; Ctrl-C once more stops the session.");
                let pod = self.pod.clone();
                tokio::spawn(async move { PodConnection::open(&pod, "cli").await?.interrupt().await });
            }
            2 => {
                output::to_stderr("Stopping the session.");
                self.stop(false);
            }
            _ => self.stop(true),
        }
    }

    fn stop(&self, force: bool) {
        let pod = self.pod.clone();
        tokio::spawn(async move { PodConnection::open(&pod, "cli").await?.stop(force).await });
    }

    /// Ends the session, if that is up to us, and tells which processes survived.
    async fn end_session(&mut self) {
        let over = self.progress.status.as_ref().is_some_and(|status| status.state.is_over());
        if over || !self.plan.ends_session {
            return;
        }
        let pod = self.pod.clone();
        let to_stop = pod.clone();
        let stopping = async move { PodConnection::open(&to_stop, "cli").await?.stop(false).await };
        tokio::pin!(stopping);
        let stopped = loop {
            tokio::select! {
                stopped = &mut stopping => break stopped,
                _ = self.signals.next() => {
                    let pod = pod.clone();
                    tokio::spawn(async move { PodConnection::open(&pod, "cli").await?.stop(true).await });
                }
            }
        };
        match stopped {
            Ok(result) => {
                for survivor in result.survivors {
                    output::to_stderr(&format!("outrigger: still running: {survivor}"));
                }
            }
            // It ended by itself in between.
            Err(error) => tracing::info!(%error, "the session could not be stopped"),
        }
    }

    async fn control(&self) -> Result<PodConnection, WireError> {
        PodConnection::open(&self.pod, "cli").await
    }

    /// The pod hung up: the session is over, or its keeper is gone.
    async fn lost(&mut self) -> Result<End> {
        if self.progress.ended.is_some() || self.progress.is_over() {
            return Ok(End::Over);
        }
        match sessions::summary(&self.machine, self.plan.session).await?.liveness {
            Liveness::Ended { outcome, .. } => {
                self.progress.ended = Some(outcome);
                Ok(End::Over)
            }
            Liveness::Live { .. } | Liveness::Unknown { .. } | Liveness::Interrupted => {
                let session = self.plan.session;
                let message = format!(
                    "session {session} was lost from sight: its keeper hung up. `outrigger ps --all` shows what is known of \
                     it, `outrigger run --resume {session} PROMPT` goes on with it"
                );
                Err(WireError::new(protocol::error::ErrorCode::Unreachable, message).into())
            }
        }
    }
}

fn pod_file(machine: &Machine, session: SessionId) -> Result<PodFile> {
    let read = machine.folder(session).read_pod();
    let read = read.map_err(|error| WireError::new(protocol::error::ErrorCode::DataFolder, error.to_string()))?;
    let gone = || {
        let message = format!("session {session} has ended already; `outrigger logs {session}` shows how");
        WireError::new(protocol::error::ErrorCode::SessionEnded, message)
    };
    Ok(read.ok_or_else(gone)?)
}

fn nobody_answers(session: SessionId, title: &str, request: &str) -> String {
    let title = output::visible_line(title, 160);
    format!(
        "outrigger: the agent asks for permission ({title}), and there is no terminal to ask you on. The session was stopped.\n  \
         Start it with `--detach` and answer with `outrigger answer {session} REQUEST allow` (this request was {request}),\n  \
         let every request have the same answer with `--permissions allow` or `deny`,\n  \
         or let the agent go further by itself with `--mode accept-edits` or `--mode bypass`."
    )
}

async fn at(instant: Option<std::time::Instant>) {
    match instant {
        Some(instant) => sleep_until(Instant::from_std(instant)).await,
        None => tokio::time::sleep(Duration::MAX).await,
    }
}

enum Signal {
    Interrupt,
    Terminate,
    HangUp,
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.hang_up.recv() => Signal::HangUp,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[allow(clippy::unnecessary_wraps, reason = "the same form as on Unix")]
    fn listen() -> Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        // Closing the console ends this process at once; the keeper does not belong to it.
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
