//! What a pod is doing, as data, and how it changes: a pure function from what happened to what is to be done about it.
//!
//! Responsible for turns, the queue, permission requests and who waits for which answer. It knows no process, file or socket; the
//! end of the runner's process is the stop ladder's business (`process::Ladder`), and comes here as [`Input::RunnerGone`].

mod ending;
mod kin;
mod permission;
mod queue;
mod retrying;
mod turns;

use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::failure::FailureClass;
use protocol::failure::Retry;
use protocol::limits::PROMPT_BYTES;
use protocol::pod::{IfBusy, PendingPermission, PodState, SetParams, Taken, Work};
use protocol::record::{Delivery, HostRecord, NoticeLevel, Outcome};
use protocol::runner::{HostLine, RunnerLine, StopReason};
use providers::Hint;

use crate::exchange::{Answer, Ask, Effect, Facts, Input, Prompt};
use crate::retry::Attempt;
use crate::waiting::{Ticket, Waiting, WaitsFor};
use kin::Messages;
use permission::Pending;
use queue::Queue;
use retrying::Waits;

/// See the module.
#[derive(Debug)]
pub struct Pod {
    session: SessionId,
    phase: Phase,
    queue: Queue,
    permissions: Vec<Pending>,
    tools: Vec<RunningTool>,
    compacting: bool,
    background_tasks: u32,
    waiting: Waiting,
    /// Whether the newest turn, or the time since, brought an error that the transcript shows.
    told_error: bool,
    /// How the newest turn ended.
    last_turn: Option<StopReason>,
    /// Whether the agent itself has gone in a way that it should not. Its runner is about to follow.
    agent_broke: bool,
    /// How many prompts this keeper has handed on; the first one carries the session's settings.
    next_prompt: u64,
    /// The prompt of the running turn; none while the agent works unasked.
    attempt: Option<Attempt>,
    /// What the provider's own CLI tries again, until the agent says something.
    agent_retry: Option<Retry>,
    /// Whether the agent said something since the newest prompt.
    said: bool,
    /// The conversation that this keeper was to go on with.
    resumes: Option<String>,
    /// What other pods said that the agent has not been told.
    messages: Messages,
    facts: Facts,
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Idle,
    Working {
        since: String,
    },
    /// The turn failed; its prompt waits to be sent once more. To others this is work.
    Retrying {
        since: String,
        waits: Box<Waits>,
    },
    Stopping {
        outcome: Outcome,
    },
    Draining,
    Ended {
        outcome: Outcome,
    },
    Failed {
        reason: String,
        stderr_tail: Vec<String>,
    },
}

#[derive(Debug)]
struct RunningTool {
    id: String,
    name: String,
    since: String,
}

impl Pod {
    /// A pod whose runner has just said ready.
    #[must_use]
    pub fn new(session: SessionId, facts: Facts) -> Self {
        Self {
            session,
            phase: Phase::Idle,
            queue: Queue::default(),
            permissions: Vec::new(),
            tools: Vec::new(),
            compacting: false,
            background_tasks: 0,
            waiting: Waiting::default(),
            told_error: false,
            last_turn: None,
            agent_broke: false,
            next_prompt: 1,
            attempt: None,
            agent_retry: None,
            said: false,
            resumes: facts.native_session_id.clone(),
            messages: Messages::default(),
            facts,
        }
    }

    /// Takes what happened at `now` (RFC 3339) and tells what to do about it.
    pub fn step(&mut self, input: Input, now: &str) -> Vec<Effect> {
        match input {
            Input::Asked(ticket, ask) => self.asked(ticket, ask, now),
            Input::Line(line) => self.line(line, now),
            Input::Permission { ask, about, rule, verdict } => self.permission_asked(ask, about, rule, verdict, now),
            Input::Output => {
                self.said = true;
                self.agent_retry = None;
                Vec::new()
            }
            Input::RetryDue => self.retry_due(now),
            Input::TurnRefused(refused) => self.turn_refused(refused),
            Input::Hinted(hints) => {
                hints.into_iter().for_each(|hint| self.hint(hint, now));
                Vec::new()
            }
            Input::RunnerExited => {
                self.phase = match std::mem::replace(&mut self.phase, Phase::Draining) {
                    // What the session came to is decided when everything has been read.
                    Phase::Working { since } => Phase::Working { since },
                    Phase::Retrying { since, waits } => Phase::Retrying { since, waits },
                    Phase::Stopping { outcome } => Phase::Stopping { outcome },
                    Phase::Idle | Phase::Draining => Phase::Draining,
                    Phase::Ended { outcome } => Phase::Ended { outcome },
                    Phase::Failed { reason, stderr_tail } => Phase::Failed { reason, stderr_tail },
                };
                Vec::new()
            }
            Input::RunnerGone(gone) => self.gone(gone),
        }
    }

    /// The state, for those who look.
    #[must_use]
    pub fn state(&self) -> PodState {
        match &self.phase {
            Phase::Idle => PodState::Idle,
            Phase::Working { since } => PodState::Working { on: self.work(), since: since.clone() },
            Phase::Retrying { since, .. } => PodState::Working { on: Work::Model, since: since.clone() },
            Phase::Stopping { .. } => PodState::Stopping,
            Phase::Draining => PodState::Draining,
            Phase::Ended { outcome } => PodState::Ended { outcome: *outcome },
            Phase::Failed { reason, stderr_tail } => {
                PodState::Failed { reason: reason.clone(), stderr_tail: stderr_tail.clone() }
            }
        }
    }

    /// What is known of the agent.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Requests that wait.
    #[must_use]
    pub fn permissions(&self) -> Vec<PendingPermission> {
        self.permissions.iter().map(|pending| pending.shown.clone()).collect()
    }

    /// How the newest turn ended; none while one runs, or waits to be tried again.
    #[must_use]
    pub fn last_turn(&self) -> Option<StopReason> {
        match &self.phase {
            Phase::Working { .. } | Phase::Retrying { .. } => None,
            Phase::Idle | Phase::Stopping { .. } | Phase::Draining | Phase::Ended { .. } | Phase::Failed { .. } => {
                self.last_turn
            }
        }
    }

    /// Tasks that run on in the background after the turn.
    #[must_use]
    pub fn background_tasks(&self) -> u32 {
        self.background_tasks
    }

    fn work(&self) -> Work {
        if let Some(pending) = self.permissions.first() {
            let PendingPermission { ask, since, .. } = &pending.shown;
            return Work::Permission { request_id: ask.request_id.clone(), since: since.clone() };
        }
        if self.compacting {
            return Work::Compacting;
        }
        match self.tools.last() {
            Some(tool) => Work::Tool { name: tool.name.clone(), since: tool.since.clone() },
            None => Work::Model,
        }
    }

    fn asked(&mut self, ticket: Ticket, ask: Ask, now: &str) -> Vec<Effect> {
        match ask {
            Ask::Stop { force } => self.stop(ticket, force),
            Ask::Unqueue(prompt_id) => self.unqueue(ticket, prompt_id),
            Ask::Edit(edit) => self.edit(ticket, edit),
            Ask::Answer(answer) => self.answer(ticket, answer),
            Ask::ForgetRule(rule) => self.forget_rule(ticket, &rule),
            Ask::ChildSpawned(child) => self.child_spawned(ticket, child),
            Ask::Notify(message) => self.notified(ticket, message, now),
            Ask::ToldOf(told) => self.told_of(ticket, &told),
            Ask::Note(record) => vec![Effect::Record(record), Effect::Reply(ticket, Ok(Answer::Done))],
            Ask::Prompt(_) | Ask::GoOn | Ask::Steer(_) | Ask::Interrupt | Ask::Set(_) => match self.phase {
                Phase::Idle => self.asked_while_idle(ticket, ask, now),
                Phase::Working { .. } => self.asked_while_working(ticket, ask),
                Phase::Retrying { .. } => self.asked_while_retrying(ticket, ask, now),
                Phase::Stopping { .. } | Phase::Draining | Phase::Ended { .. } | Phase::Failed { .. } => {
                    vec![refuse(ticket, ErrorCode::SessionEnded, self.over_message())]
                }
            },
        }
    }

    fn asked_while_idle(&mut self, ticket: Ticket, ask: Ask, now: &str) -> Vec<Effect> {
        match ask {
            Ask::Prompt(prompt) => match too_long(&prompt.text) {
                Some(message) => vec![refuse(ticket, ErrorCode::BadRequest, message)],
                None => {
                    let prompt_id = self.new_prompt_id();
                    self.waiting.add(ticket, WaitsFor::TurnStart { prompt_id: prompt_id.clone() });
                    let Prompt { text, attached, from, if_busy: _ } = prompt;
                    self.send(Attempt::first(prompt_id, text, attached).from(from), Delivery::Prompt, now)
                }
            },
            Ask::Steer(_) => {
                vec![refuse(ticket, ErrorCode::BadRequest, "no turn is running; send it as a prompt instead")]
            }
            Ask::GoOn => self.go_on(ticket, now),
            Ask::Interrupt => vec![Effect::Reply(ticket, Ok(Answer::Done))],
            Ask::Set(params) => self.set(ticket, params),
            Ask::Stop { .. }
            | Ask::Unqueue(_)
            | Ask::Edit(_)
            | Ask::Answer(_)
            | Ask::ForgetRule(_)
            | Ask::ChildSpawned(_)
            | Ask::Notify(_)
            | Ask::ToldOf(_)
            | Ask::Note(_) => Vec::new(),
        }
    }

    fn asked_while_working(&mut self, ticket: Ticket, ask: Ask) -> Vec<Effect> {
        match ask {
            Ask::Prompt(prompt) => match (too_long(&prompt.text), prompt.if_busy) {
                (Some(message), _) => vec![refuse(ticket, ErrorCode::BadRequest, message)],
                (None, IfBusy::Reject) => {
                    let message = "a turn is running; queue the prompt, steer the turn, or wait for its end";
                    vec![refuse(ticket, ErrorCode::AlreadyRunning, message)]
                }
                (None, IfBusy::Queue) => self.enqueue(ticket, prompt),
                (None, IfBusy::Steer) if !prompt.attached.is_empty() => {
                    let message = "images and files cannot go into a running turn; queue the prompt instead";
                    vec![refuse(ticket, ErrorCode::NotSupported, message)]
                }
                (None, IfBusy::Steer) => self.steer(ticket, prompt.text),
            },
            Ask::GoOn => vec![refuse(ticket, ErrorCode::AlreadyRunning, "a turn is running; the queue follows it")],
            Ask::Steer(text) => self.steer(ticket, text),
            Ask::Interrupt => {
                self.settle_attempt();
                self.waiting.add(ticket, WaitsFor::TurnEnd);
                let line = HostLine::Interrupt { session_id: self.session };
                vec![Effect::Record(HostRecord::InterruptAsked), Effect::Tell(line)]
            }
            Ask::Set(params) => self.set(ticket, params),
            Ask::Stop { .. }
            | Ask::Unqueue(_)
            | Ask::Edit(_)
            | Ask::Answer(_)
            | Ask::ForgetRule(_)
            | Ask::ChildSpawned(_)
            | Ask::Notify(_)
            | Ask::ToldOf(_)
            | Ask::Note(_) => Vec::new(),
        }
    }

    fn send(&mut self, attempt: Attempt, delivery: Delivery, now: &str) -> Vec<Effect> {
        self.phase = Phase::Working { since: now.to_owned() };
        self.told_error = false;
        self.said = false;
        let Attempt { prompt_id, text, attached, from, retries, .. } = attempt.clone();
        self.attempt = Some(attempt);
        let (sent, shown) = attached.into_iter().map(|attached| (attached.sent, attached.shown)).unzip();
        let record = HostRecord::Prompt { text: text.clone(), delivery, from, prompt_id, attachments: shown };
        let query = Effect::Query { prompt: text, attachments: sent, again: retries > 0 };
        vec![Effect::Record(record), Effect::SaveFacts, query]
    }

    fn steer(&mut self, ticket: Ticket, text: String) -> Vec<Effect> {
        if let Some(message) = too_long(&text) {
            return vec![refuse(ticket, ErrorCode::BadRequest, message)];
        }
        if !self.facts.capabilities.steer {
            let message = "this agent cannot be steered in mid-turn; queue the prompt instead";
            return vec![refuse(ticket, ErrorCode::NotSupported, message)];
        }
        self.settle_attempt();
        let prompt_id = self.new_prompt_id();
        self.waiting.add(ticket, WaitsFor::SteerAck { prompt_id: prompt_id.clone() });
        let (delivery, attachments) = (Delivery::Steer, Vec::new());
        let record = HostRecord::Prompt { text: text.clone(), delivery, from: None, prompt_id, attachments };
        vec![Effect::Record(record), Effect::Tell(HostLine::Steer { session_id: self.session, text })]
    }

    fn set(&mut self, ticket: Ticket, params: SetParams) -> Vec<Effect> {
        let SetParams { model, permission_mode, permissions } = params;
        if model.is_some() && !self.facts.capabilities.set_model {
            let message = "this agent cannot change its model in a session; start a new session with the other model";
            return vec![refuse(ticket, ErrorCode::NotSupported, message)];
        }
        if let Some(model) = &model {
            self.facts.model = Some(model.clone());
        }
        if let Some(mode) = permission_mode {
            self.facts.permission_mode = mode;
        }
        let told = model.is_some() || permission_mode.is_some();
        let tell = told.then(|| Effect::Tell(HostLine::Set { model: model.clone(), permission_mode }));
        let mut effects: Vec<Effect> = tell.into_iter().collect();
        effects.push(Effect::Record(HostRecord::Changed { model, permission_mode, permissions }));
        effects.extend(permissions.map(|policy| self.set_policy(policy)).unwrap_or_default());
        effects.extend([Effect::SaveFacts, Effect::Reply(ticket, Ok(Answer::Done))]);
        effects
    }

    fn line(&mut self, line: RunnerLine, now: &str) -> Vec<Effect> {
        if let (Some(attempt), Some(failure)) = (&mut self.attempt, retrying::failure(&line)) {
            attempt.failure = Some(failure);
        }
        match line {
            RunnerLine::Ready { capabilities, .. } => {
                self.facts.capabilities = capabilities;
                Vec::new()
            }
            RunnerLine::AgentOffers(offers) => {
                self.facts.offers = offers;
                Vec::new()
            }
            RunnerLine::AgentStarted { native_session_id, cli_version, model, permission_mode, auth } => {
                self.agent_broke = false;
                let facts = &mut self.facts;
                let known = facts.native_session_id.as_deref();
                let changed = conversation_changed(self.resumes.as_deref(), known, native_session_id.as_deref());
                facts.native_session_id = native_session_id.or(facts.native_session_id.take());
                facts.cli_version = cli_version.or(facts.cli_version.take());
                facts.model = model.or(facts.model.take());
                facts.permission_mode = permission_mode.unwrap_or(facts.permission_mode);
                facts.auth = auth.or(facts.auth.take());
                std::iter::once(Effect::SaveFacts).chain(changed.map(Effect::Record)).collect()
            }
            RunnerLine::TurnStarted { .. } => self.turn_started(now),
            RunnerLine::TurnEnded { stop_reason, usage, background_tasks, .. } => {
                self.background_tasks = background_tasks.unwrap_or(0);
                self.turn_ended(stop_reason, usage, now)
            }
            RunnerLine::PermissionRequest(ask) => self.permission_asked(ask, None, None, None, now),
            RunnerLine::PermissionCancelled { request_id } => {
                self.permissions.retain(|pending| pending.shown.ask.request_id != request_id);
                Vec::new()
            }
            RunnerLine::SteerAccepted { accepted } => {
                let taken = if accepted == "queued" { Taken::SteeredLater } else { Taken::Steered };
                self.waiting.steered(taken)
            }
            RunnerLine::AgentError { code, message, .. } => {
                self.told_error = true;
                self.agent_broke |= code.starts_with("cli_");
                let mut effects = self.waiting.turn_failed(&format!("{message} ({code})"));
                if FailureClass::of(&code) == FailureClass::ConversationUnknown {
                    // Resuming it once more would fail once more; the next prompt begins anew, and the transcript says so.
                    self.facts.native_session_id = None;
                    effects.push(Effect::SaveFacts);
                }
                effects
            }
            RunnerLine::AgentStopped { exit_code, signal } => {
                self.agent_broke |= exit_code.is_some_and(|code| code != 0) || signal.is_some();
                Vec::new()
            }
            RunnerLine::Pong | RunnerLine::Log { .. } | RunnerLine::Error { .. } | RunnerLine::Unknown => Vec::new(),
        }
    }

    fn hint(&mut self, hint: Hint, now: &str) {
        match hint {
            Hint::Said => self.settle_attempt(),
            Hint::Retrying { attempt, of, class, after_ms } => self.agent_retries((attempt, of, class, after_ms), now),
            Hint::ToolStarted { id, name } => {
                self.settle_attempt();
                self.tools.retain(|tool| tool.id != id);
                self.tools.push(RunningTool { id, name, since: now.to_owned() });
            }
            Hint::ToolEnded { id } => self.tools.retain(|tool| tool.id != id),
            Hint::CompactingStarted => self.compacting = true,
            Hint::CompactingEnded => self.compacting = false,
        }
    }

    fn over_message(&self) -> String {
        format!("session {0} has ended; resume it with `outrigger run --resume {0} PROMPT`", self.session)
    }

    fn new_prompt_id(&mut self) -> String {
        let id = format!("p{}", self.next_prompt);
        self.next_prompt += 1;
        id
    }
}

/// A conversation that goes on under another id may have been forked, or begun anew: the agent knows, the transcript tells what is
/// known.
fn conversation_changed(resumes: Option<&str>, known: Option<&str>, answered: Option<&str>) -> Option<HostRecord> {
    let (known, answered) = known.zip(answered).filter(|(known, answered)| known != answered)?;
    let was = if resumes == Some(known) { "was asked to resume" } else { "worked in" };
    let text = format!(
        "The agent {was} the conversation {known} and goes on as {answered}. It may not know all of what stands above."
    );
    Some(HostRecord::Notice { level: NoticeLevel::Warning, code: "conversation_changed".to_owned(), text })
}

fn refuse(ticket: Ticket, code: ErrorCode, message: impl Into<String>) -> Effect {
    Effect::Reply(ticket, Err(WireError::new(code, message)))
}

fn too_long(prompt: &str) -> Option<String> {
    let length = prompt.len();
    (length > PROMPT_BYTES).then(|| {
        format!("the prompt has {length} bytes, {PROMPT_BYTES} are allowed; put the text into a file and name the file")
    })
}
