//! What goes into the pod's state and what comes out of it: asks, inputs, effects, answers.

use std::time::Duration;

use protocol::attachment::{AttachedFile, Attachment};
use protocol::error::{ErrorCode, WireError};
use protocol::offers::AgentOffers;
use protocol::permission::{PermissionPolicy, PermissionRule, RuleSubject};
use protocol::pod::{AnswerParams, EditParams, IfBusy, PromptResult, SetParams, StopResult};
use protocol::pods::{ChildSpawned, Notify};
use protocol::provider::{Capabilities, PermissionMode};
use protocol::record::{HostRecord, Outcome};
use protocol::runner::{HostLine, PermissionAsk, RunnerLine, StopReason, Usage};
use protocol::scope::BudgetLimit;
use providers::Hint;

use crate::waiting::Ticket;

/// What is known of the agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// What it can do.
    pub capabilities: Capabilities,
    /// The model in use.
    pub model: Option<String>,
    /// The mode in use.
    pub permission_mode: PermissionMode,
    /// The provider's own id of the conversation.
    pub native_session_id: Option<String>,
    /// The version of its CLI.
    pub cli_version: Option<String>,
    /// Which kind of account its CLI says it uses.
    pub auth: Option<String>,
    /// What a person can choose from.
    pub offers: AgentOffers,
    /// What the session used so far.
    pub usage: Usage,
    /// Turns that have ended.
    pub turns: u64,
    /// Who answers requests.
    pub policy: PermissionPolicy,
    /// What was allowed for good in this session, oldest first.
    pub rules: Vec<PermissionRule>,
}

/// An attachment that was taken in: what the runner is handed, and what is kept and shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// For the runner.
    pub sent: Attachment,
    /// For the journal and for people.
    pub shown: AttachedFile,
}

/// A prompt, with what goes with it taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What to do.
    pub text: String,
    /// Images and files.
    pub attached: Vec<Attached>,
    /// What to do with it while a turn runs.
    pub if_busy: IfBusy,
    /// What the pod that sends it is called; none when a person does.
    pub from: Option<String>,
}

/// What somebody asks of the pod.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// A prompt.
    Prompt(Prompt),
    /// Begin with the first of the queued prompts, which wait after an interrupt.
    GoOn,
    /// Give a queued prompt other words.
    Edit(EditParams),
    /// Take a rule of the session back.
    ForgetRule(String),
    /// Take a queued prompt back.
    Unqueue(String),
    /// A message into the running turn.
    Steer(String),
    /// End the turn.
    Interrupt,
    /// End the session.
    Stop {
        /// Skip to the next rung.
        force: bool,
    },
    /// Change the model or the mode.
    Set(SetParams),
    /// Answer a permission request.
    Answer(AnswerParams),
    /// A child is about to be started.
    ChildSpawned(ChildSpawned),
    /// A child has ended its turn, or has ended.
    Notify(Notify),
    /// The agent was told by a tool how these children are.
    ToldOf(ToldOf),
    /// Something that happened beside the agent, to be recorded.
    Note(HostRecord),
}

/// Children of which the agent has learned by a tool's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldOf {
    /// What they are called.
    pub names: Vec<String>,
    /// Whether they were stopped, so that their end is no news.
    pub stopped: bool,
}

/// What was found out about a request beside what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It would write where the pod may not. The words are for the agent.
    PastScope(String),
    /// It is a call of one of our own tools that looks after itself.
    OwnTool,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// Somebody asks.
    Asked(Ticket, Ask),
    /// The runner said something other than an event of its provider.
    Line(RunnerLine),
    /// The agent asks for permission.
    Permission {
        /// What.
        ask: PermissionAsk,
        /// What it is about, for rules; none where no rule can be made of it.
        about: Option<RuleSubject>,
        /// The rule of the workspace that allows it.
        rule: Option<PermissionRule>,
        /// What settles it before any rule.
        verdict: Option<Verdict>,
    },
    /// The agent said something: an event of its provider came.
    Output,
    /// An event of the provider says something of the agent's work.
    Hinted(Vec<Hint>),
    /// The time that [`Effect::RetryAfter`] named is over.
    RetryDue,
    /// The budgets leave no turn, or the pod is being stopped: the one of the last [`Effect::Query`] has not begun, the one of
    /// [`Effect::CountTurn`] must end.
    TurnRefused(TurnRefused),
    /// The runner's process has ended; its last output is being read.
    RunnerExited,
    /// Nothing more will come from the runner, and its processes have been ended.
    RunnerGone(Gone),
}

/// A turn that may not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnRefused {
    /// Which limit; none when it is not about a limit.
    pub limit: Option<BudgetLimit>,
    /// What whoever asked acts on.
    pub code: ErrorCode,
    /// For people and for the agent.
    pub text: String,
}

/// How the runner went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gone {
    /// Exit code, if it exited.
    pub code: Option<i32>,
    /// Signal, if one ended it.
    pub signal: Option<String>,
    /// The end of its stderr.
    pub stderr_tail: Vec<String>,
    /// Processes that could not be ended, as `pid command`.
    pub survivors: Vec<String>,
}

/// What is to be done, in order.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Say something to the runner.
    Tell(HostLine),
    /// Hand a prompt to the runner.
    Query {
        /// What to do.
        prompt: String,
        /// Images and files.
        attachments: Vec<Attachment>,
        /// Whether it was sent before and nothing came of it: then it is no further turn.
        again: bool,
    },
    /// The agent has begun a turn unasked: count it.
    CountTurn,
    /// A turn has ended.
    TurnOver {
        /// What it has cost, in US dollars, where that is told.
        cost_usd: Option<f64>,
        /// How it ended, when nothing follows on it by itself.
        rests: Option<StopReason>,
    },
    /// What the children hold may be another thing now.
    LookAtScope,
    /// Stop all pods below this one.
    StopBelow,
    /// Keep a rule for the whole workspace.
    KeepRule(PermissionRule),
    /// Come back with [`Input::RetryDue`] after this time. A later one replaces it.
    RetryAfter(Duration),
    /// Write a record.
    Record(HostRecord),
    /// Answer somebody.
    Reply(Ticket, Result<Answer, WireError>),
    /// Begin the stop ladder, or go one rung further.
    Stop,
    /// The session's facts have changed: write them down before anything else is shown.
    SaveFacts,
    /// A turn ended: make the disk safe.
    Sync,
    /// The session is over.
    Finish(Outcome),
}

/// What somebody is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// To a prompt or a steer.
    Prompt(PromptResult),
    /// To a stop.
    Stop(StopResult),
    /// It is done.
    Done,
}
