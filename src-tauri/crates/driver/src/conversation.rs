//! What does a command of the host, a line of the CLI, or its end lead to? The state of one session, pure: it tells what to say to
//! whom and does nothing itself.
//!
//! Every `turn_started` has one `turn_ended`. A `result` ends a turn and not the conversation: while tasks run in the background the
//! CLI begins the next turn by itself, with an `init`.

use std::collections::{BTreeMap, VecDeque};

use process::Line;
use protocol::runner::{StopReason, Usage};
use providers::driver::Driver;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::asked::{Asked, asked, control_response};
use crate::cli::Ended;
use crate::cli_failure::exit_failure;
use crate::cli_line::{CliLine, Kind};
use crate::host_line::{Answer, Change, Command, Query};
use crate::outcome::{Resuming, failure, is_unknown_conversation, stop_reason, unknown_conversation};
use crate::told::{Failure, Known, Told, event, text_line};
use crate::usage::Meter;
use crate::user_message::user_message;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// A line for the host.
    Tell(Vec<u8>),
    /// A line for the CLI.
    Send(Value),
    /// Start the CLI, then call [`Conversation::started`] or [`Conversation::not_started`].
    Start(Box<Query>),
    /// The agent has ended by itself; so do we, with this exit code.
    Finish(u8),
}

/// Whether there is a CLI.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// For the first query.
    Waiting,
    Starting,
    /// It runs; its path.
    Running(String),
}

/// A request of ours that the CLI has not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wish {
    Interrupt,
    Model(String),
    Mode,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Conversation {
    name: String,
    driver: Driver,
    session: String,
    phase: Phase,
    turn: Option<String>,
    queue: VecDeque<Query>,
    known: Known,
    told_known: Option<Known>,
    asked: BTreeMap<String, Asked>,
    wishes: BTreeMap<String, Wish>,
    early: Change,
    resuming: Option<Resuming>,
    interrupt_asked: bool,
    stopping: bool,
    background_tasks: u32,
    meter: Meter,
    effects: Vec<Effect>,
}

impl Conversation {
    /// A conversation of the provider of this name.
    pub(crate) fn new(name: &str, driver: Driver) -> Self {
        Self {
            name: name.to_owned(),
            driver,
            session: String::new(),
            phase: Phase::Waiting,
            turn: None,
            queue: VecDeque::new(),
            known: Known::default(),
            told_known: None,
            asked: BTreeMap::new(),
            wishes: BTreeMap::new(),
            early: Change::default(),
            resuming: None,
            interrupt_asked: false,
            stopping: false,
            background_tasks: 0,
            meter: Meter::default(),
            effects: Vec::new(),
        }
    }

    /// What is to be done, in order.
    pub(crate) fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether a turn is open.
    pub(crate) fn in_turn(&self) -> bool {
        self.turn.is_some()
    }

    /// Whether tasks run in the background, which keep a CLI alive after the end of its stdin.
    pub(crate) fn has_background_tasks(&self) -> bool {
        self.background_tasks > 0
    }

    /// A command of the host. `Stop` is not for us: whoever owns the processes calls [`Self::stop`].
    pub(crate) fn obey(&mut self, command: Command) {
        match command {
            Command::Query(query) => self.query(*query),
            Command::Steer { text } => self.steer(&text),
            Command::Interrupt => self.interrupt(),
            Command::Answer(answer) => self.answer(answer),
            Command::Set(change) => self.set(change),
            Command::Ping => self.tell(&Told::Pong),
            Command::Stop => {}
        }
    }

    fn query(&mut self, query: Query) {
        match (&self.phase, &self.turn) {
            (Phase::Waiting, _) => {
                self.phase = Phase::Starting;
                self.session.clone_from(&query.session_id);
                let early = std::mem::take(&mut self.early);
                let mut query = query;
                query.model = early.model.or(query.model);
                query.permission_mode = early.permission_mode.unwrap_or(query.permission_mode);
                self.effects.push(Effect::Start(Box::new(query)));
            }
            (Phase::Starting, _) | (Phase::Running(_), Some(_)) => {
                self.queue.push_back(query);
                self.log("info", "a turn is running; the prompt waits for its end".to_owned());
            }
            (Phase::Running(_), None) => self.prompt(&query),
        }
    }

    /// The CLI runs. What it is known to lack is told in the transcript.
    pub(crate) fn started(&mut self, cli: String, query: &Query, known: Known, resuming: Option<Resuming>) {
        self.phase = Phase::Running(cli);
        self.resuming = resuming;
        self.know(known);
        self.prompt(query);
    }

    /// It could not be started.
    pub(crate) fn not_started(&mut self, why: Failure) {
        self.failed(why);
        self.effects.push(Effect::Finish(1));
    }

    /// Words for the transcript.
    pub(crate) fn remark(&mut self, text: &str) {
        self.effects.push(Effect::Tell(text_line(&self.session, text.as_bytes(), None)));
    }

    fn prompt(&mut self, query: &Query) {
        self.open_turn();
        self.effects.push(Effect::Send(user_message(&query.prompt, &query.attachments)));
    }

    fn steer(&mut self, text: &str) {
        if !matches!(self.phase, Phase::Running(_)) {
            return self.refuse("steer", "no agent is running yet");
        }
        let idle = self.turn.is_none();
        if idle || self.driver.control {
            self.open_turn();
            self.effects.push(Effect::Send(user_message(text, &[])));
        } else {
            // A CLI that reads one message at a time gets it at the boundary.
            self.queue.push_back(Query { prompt: text.to_owned(), ..Query::default() });
        }
        // Claude takes a message of a running turn after the running tool, or as the next turn when no tool follows.
        let accepted = if idle { "now" } else { "queued" };
        self.tell_session(|session_id| Told::SteerAccepted { session_id, accepted });
    }

    fn interrupt(&mut self) {
        if self.turn.is_none() {
            return self.log("info", "interrupt: no turn is running".to_owned());
        }
        if !self.driver.control {
            let why = format!("{} cannot be interrupted; stop the session instead", self.name);
            return self.refuse("interrupt", &why);
        }
        self.interrupt_asked = true;
        self.wish(Wish::Interrupt, json!({ "subtype": "interrupt" }));
    }

    fn answer(&mut self, answer: Answer) {
        match self.asked.remove(&answer.request_id) {
            Some(asked) => self.effects.push(Effect::Send(control_response(&asked, answer))),
            None => {
                let message = format!("no permission request \"{}\" is waiting", answer.request_id);
                self.tell(&Told::Error { message, command: Some("permissionResponse") });
            }
        }
    }

    fn set(&mut self, change: Change) {
        match self.phase {
            Phase::Waiting | Phase::Starting => {
                let early = &mut self.early;
                early.model = change.model.or(early.model.take());
                early.permission_mode = change.permission_mode.or(early.permission_mode);
            }
            Phase::Running(_) if !self.driver.control => {
                let why = format!("{} takes no changes while it runs; start a new session", self.name);
                self.refuse("set", &why);
            }
            Phase::Running(_) => {
                if let Some(model) = change.model {
                    self.wish(Wish::Model(model.clone()), json!({ "subtype": "set_model", "model": model }));
                }
                if let Some(mode) = change.permission_mode {
                    self.wish(Wish::Mode, json!({ "subtype": "set_permission_mode", "mode": claude_mode(mode) }));
                }
            }
        }
    }

    /// A line of the CLI.
    pub(crate) fn line(&mut self, line: &Line) {
        if line.bytes.is_empty() && line.cut_from.is_none() {
            return;
        }
        let whole = self.known.native_session_id.is_none();
        let read = if line.cut_from.is_some() { None } else { CliLine::read(&line.bytes, whole) };
        let Some(read) = read else {
            return self.effects.push(Effect::Tell(text_line(&self.session, &line.bytes, line.cut_from)));
        };
        // An answer to a request of ours says nothing about the conversation.
        if self.driver.control && read.kind == Kind::ControlResponse {
            return self.responded(read.field("response"));
        }
        self.learn(&read);
        self.effects.push(Effect::Tell(event(&self.session, &line.bytes)));
        self.follow(&read);
    }

    /// What it says of the session, before it is passed on.
    fn learn(&mut self, line: &CliLine) {
        let native = line.text_at(&self.driver.session_id_field);
        if line.is_init() {
            self.resuming = None;
            let text = |name: &str| line.field(name).as_str().map(str::to_owned);
            let (cli_version, model) = (text("claude_code_version"), text("model"));
            self.know(Known { native_session_id: native.map(str::to_owned), cli_version, model });
            self.open_turn();
        } else if let (Some(id), None) = (native, &self.known.native_session_id) {
            self.know(Known { native_session_id: Some(id.to_owned()), ..Known::default() });
        }
    }

    fn follow(&mut self, line: &CliLine) {
        match line.kind {
            Kind::StreamEvent => self.meter.note(line),
            Kind::Result => self.turn_ended(line),
            Kind::ControlRequest if self.driver.control => self.ask(line),
            Kind::ControlCancel if self.driver.control => {
                self.withdraw(line.field("request_id").as_str().unwrap_or_default());
            }
            Kind::System if line.field("subtype") == "background_tasks_changed" => {
                let tasks = line.field("tasks").as_array().map_or(0, Vec::len);
                self.background_tasks = u32::try_from(tasks).unwrap_or(u32::MAX);
            }
            Kind::System | Kind::ControlRequest | Kind::ControlCancel | Kind::ControlResponse | Kind::Event => {}
        }
    }

    fn turn_ended(&mut self, result: &CliLine) {
        let reason = stop_reason(result, self.interrupt_asked);
        let failed = reason == StopReason::Error || result.field("subtype") == "error_max_turns";
        if failed && !self.stopping {
            self.failed(failure(result, &self.name, self.resuming.as_ref()));
        }
        if !failed {
            self.resuming = None;
        }
        self.withdraw_all();
        self.interrupt_asked = false;
        let usage = self.meter.of_turn(result, self.known.model.as_deref());
        self.open_turn();
        self.close_turn(reason, Some(usage));
        if !self.stopping
            && let Some(next) = self.queue.pop_front()
        {
            self.prompt(&next);
        }
    }

    /// A question of the CLI.
    fn ask(&mut self, line: &CliLine) {
        let (request, id) = (line.field("request"), line.field("request_id").as_str().unwrap_or_default());
        let subtype = request["subtype"].as_str().unwrap_or_default();
        if subtype == "can_use_tool" {
            let (ask, question) = asked(id, request);
            self.asked.insert(id.to_owned(), question);
            return self.tell_session(|session_id| Told::PermissionRequest { session_id, ask: ask.clone() });
        }
        let error = format!("unsupported request {subtype}");
        let response = json!({ "subtype": "error", "request_id": id, "error": error });
        self.effects.push(Effect::Send(json!({ "type": "control_response", "response": response })));
    }

    fn wish(&mut self, wish: Wish, request: Value) {
        let id = Uuid::new_v4().to_string();
        self.effects.push(Effect::Send(json!({ "type": "control_request", "request_id": id, "request": request })));
        self.wishes.insert(id, wish);
    }

    fn responded(&mut self, response: &Value) {
        let Some(wish) = self.wishes.remove(response["request_id"].as_str().unwrap_or_default()) else { return };
        let refused = (response["subtype"] == "error").then(|| response["error"].to_string());
        match (wish, refused) {
            (Wish::Interrupt | Wish::Mode, None) => {}
            (Wish::Model(model), None) => self.know(Known { model: Some(model), ..Known::default() }),
            (Wish::Interrupt, Some(why)) => self.refuse("interrupt", &format!("{} refused it: {why}", self.name)),
            (Wish::Model(_) | Wish::Mode, Some(why)) => {
                self.refuse("set", &format!("{} refused it: {why}", self.name));
            }
        }
    }

    /// The session is to end: nothing more is prompted, and what fails now is no news. Asks for the end of an open turn.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
        self.queue.clear();
        if self.turn.is_some() && self.driver.control {
            self.interrupt();
        }
    }

    /// The CLI has ended, and its output was read to the end.
    pub(crate) fn ended(&mut self, ended: &Ended) {
        let unexpected = !self.stopping && (self.turn.is_some() || ended.exit.signal.is_some());
        if unexpected {
            self.failed(self.exit_failure(ended));
        }
        self.withdraw_all();
        self.close_turn(if self.stopping { StopReason::Interrupted } else { StopReason::Error }, None);
        let (exit_code, signal) = (ended.exit.code, ended.exit.signal.clone());
        self.tell_session(|session_id| Told::AgentStopped { session_id, exit_code, signal: signal.clone() });
        if !self.stopping {
            let well = exit_code == Some(0) && !unexpected;
            self.effects.push(Effect::Finish(u8::from(!well)));
        }
    }

    fn exit_failure(&self, ended: &Ended) -> Failure {
        let cli = match &self.phase {
            Phase::Running(cli) => cli.as_str(),
            Phase::Waiting | Phase::Starting => self.name.as_str(),
        };
        let failed = exit_failure(cli, ended);
        // Older versions say it on stderr only.
        match &self.resuming {
            Some(resuming) if is_unknown_conversation(&ended.stderr_tail.join("\n")) => {
                let Failure { code, message, .. } = unknown_conversation(&self.name, resuming);
                Failure { code, message, ..failed }
            }
            Some(_) | None => failed,
        }
    }

    fn know(&mut self, facts: Known) {
        let known = &mut self.known;
        known.native_session_id = facts.native_session_id.or(known.native_session_id.take());
        known.cli_version = facts.cli_version.or(known.cli_version.take());
        known.model = facts.model.or(known.model.take());
        if self.told_known.as_ref() != Some(&self.known) {
            let line = Told::AgentStarted { session_id: &self.session, known: &self.known }.line();
            self.effects.push(Effect::Tell(line));
            self.told_known = Some(self.known.clone());
        }
    }

    fn open_turn(&mut self) {
        if self.turn.is_none() {
            let turn_id = Uuid::new_v4().to_string();
            self.tell_session(|session_id| Told::TurnStarted { session_id, turn_id: &turn_id });
            self.turn = Some(turn_id);
        }
    }

    fn close_turn(&mut self, stop_reason: StopReason, usage: Option<Usage>) {
        let Some(turn_id) = self.turn.take() else { return };
        let background_tasks = Some(self.background_tasks).filter(|tasks| *tasks > 0 && usage.is_some());
        self.tell_session(|session_id| Told::TurnEnded {
            session_id,
            turn_id: &turn_id,
            stop_reason,
            usage,
            background_tasks,
        });
    }

    fn withdraw(&mut self, request_id: &str) {
        if self.asked.remove(request_id).is_some() {
            self.tell_session(|session_id| Told::PermissionCancelled { session_id, request_id });
        }
    }

    /// The turn or the agent ended: nobody waits for answers any more.
    fn withdraw_all(&mut self) {
        let waiting: Vec<String> = self.asked.keys().cloned().collect();
        waiting.iter().for_each(|id| self.withdraw(id));
    }

    /// A failure, told to the host.
    pub(crate) fn failed(&mut self, failure: Failure) {
        self.tell_session(|session_id| Told::AgentError { session_id, failure: failure.clone() });
    }

    /// A word for the debug log.
    pub(crate) fn log(&mut self, level: &'static str, message: String) {
        self.tell(&Told::Log { level, message });
    }

    fn refuse(&mut self, command: &'static str, why: &str) {
        self.tell(&Told::Error { message: format!("{command} failed: {why}"), command: Some(command) });
    }

    fn tell(&mut self, told: &Told<'_>) {
        self.effects.push(Effect::Tell(told.line()));
    }

    fn tell_session<'a>(&'a mut self, told: impl Fn(&'a str) -> Told<'a>) {
        let line = told(&self.session).line();
        self.effects.push(Effect::Tell(line));
    }
}

fn claude_mode(mode: protocol::provider::PermissionMode) -> &'static str {
    use protocol::provider::PermissionMode;
    match mode {
        PermissionMode::Ask => "default",
        PermissionMode::AcceptEdits => "acceptEdits",
        PermissionMode::Plan => "plan",
        PermissionMode::Bypass => "bypassPermissions",
    }
}

#[cfg(test)]
mod tests;
