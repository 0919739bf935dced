//! What goes into the pod's state and what comes out of it: asks, inputs, effects, answers.

use std::time::Duration;

use protocol::error::WireError;
use protocol::offers::AgentOffers;
use protocol::pod::{AnswerParams, PromptParams, PromptResult, SetParams, StopResult};
use protocol::provider::{Capabilities, PermissionMode};
use protocol::record::{HostRecord, Outcome};
use protocol::runner::{HostLine, RunnerLine, Usage};
use providers::Hint;
use serde_json::Value;

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
}

/// What somebody asks of the pod.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// A prompt.
    Prompt(PromptParams),
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
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// Somebody asks.
    Asked(Ticket, Ask),
    /// The runner said something other than an event of its provider.
    Line(RunnerLine),
    /// The agent said something: an event of its provider came.
    Output,
    /// An event of the provider says something of the agent's work.
    Hinted(Vec<Hint>),
    /// The time that [`Effect::RetryAfter`] named is over.
    RetryDue,
    /// The runner's process has ended; its last output is being read.
    RunnerExited,
    /// Nothing more will come from the runner, and its processes have been ended.
    RunnerGone(Gone),
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
        attachments: Vec<Value>,
    },
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
