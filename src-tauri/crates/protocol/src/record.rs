//! The records of a journal, format 1. One JSON object per line; the first line is the [`JournalHeader`].
//!
//! A record is never rewritten. What the runner said stands in `line` as it came, byte for byte.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::attachment::AttachedFile;
use crate::failure::FailureClass;
use crate::health::HealthVerdict;
use crate::ids::SessionId;
use crate::permission::{PermissionPolicy, PermissionRule};
use crate::provider::PermissionMode;
use crate::scope::{Budget, BudgetLimit, Confinement, ForeignWrite, HeldRule, PodOutcome};

/// The journal format that this program writes. It reads this one and older ones, and newer ones as far as it can.
pub const JOURNAL_FORMAT: u32 = 1;

/// The first line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalHeader {
    /// Always `journal`.
    pub r#type: String,
    /// See [`JOURNAL_FORMAT`].
    pub format: u32,
    /// The session that the journal belongs to.
    pub session: SessionId,
}

/// Who said what a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Source {
    /// The runner, on its stdout.
    Runner,
    /// Outrigger itself: prompts, answers, stops, resumes, notices.
    Host,
}

/// One record, borrowed from a journal's line. Unknown fields are ignored here and kept in the line.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    /// Counts up by one within a session, over all generations. The header has none; the first record has 1.
    pub seq: u64,
    /// When it was written, RFC 3339 with milliseconds, in UTC.
    pub at: &'a str,
    /// Who said it.
    pub src: Source,
    /// The generation of the keeper that wrote it.
    #[serde(rename = "gen")]
    pub generation: u64,
    /// The runner's line or the host's event, verbatim. Absent when it was no JSON object.
    #[serde(borrow, default)]
    pub line: Option<&'a RawValue>,
    /// The open block that this record finishes. Text streamed so far, and `partial` records of the block, give way to it.
    #[serde(default)]
    pub closes: Option<std::borrow::Cow<'a, str>>,
    /// What came instead of JSON. Invalid UTF-8 is written as `\xNN` (and a backslash as `\\`) when `escaped` is set.
    #[serde(default)]
    pub text: Option<std::borrow::Cow<'a, str>>,
    /// See `text`.
    #[serde(default)]
    pub escaped: bool,
    /// Set when the line was longer than the limit: its whole length in bytes; `text` has what was kept.
    #[serde(default)]
    pub cut_from: Option<u64>,
}

/// What the host writes into a journal (`src: host`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HostRecord {
    /// A keeper took the session: the start, or a resume.
    Opened {
        /// The provider's id.
        provider: String,
        /// Where the agent works.
        cwd: String,
        /// The model asked for.
        model: Option<String>,
        /// The mode asked for.
        permission_mode: PermissionMode,
        /// Native id that is being resumed, when it is a resume.
        resumes: Option<String>,
        /// Who answers requests.
        #[serde(default)]
        permissions: PermissionPolicy,
    },
    /// A prompt was handed to the runner.
    Prompt {
        /// What the user wrote.
        text: String,
        /// `prompt`, `steer`, `queued`, or `notify`.
        delivery: Delivery,
        /// Another pod's name, when it was not the user.
        from: Option<String>,
        /// The prompt's own id, so that a queued one can be told from a sent one.
        prompt_id: String,
        /// What went with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<AttachedFile>,
    },
    /// A prompt waits behind the running turn.
    PromptQueued {
        /// What the user wrote.
        text: String,
        /// The id that the later `prompt` record carries.
        prompt_id: String,
        /// What goes with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<AttachedFile>,
    },
    /// A queued prompt got other words.
    PromptEdited {
        /// Which one.
        prompt_id: String,
        /// The words.
        text: String,
    },
    /// A queued prompt was taken back.
    PromptRemoved {
        /// Which one.
        prompt_id: String,
    },
    /// A permission request was answered.
    PermissionAnswered {
        /// Which one.
        request_id: String,
        /// With what.
        outcome: PermissionOutcome,
        /// A word to the agent.
        message: Option<String>,
        /// Who answered: `user`, `policy`, `scope`, `rule`, `stop`.
        by: String,
        /// The rule that answered, or that was made with this answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<PermissionRule>,
    },
    /// A rule of the session was taken back.
    RuleForgotten {
        /// The rule.
        rule: PermissionRule,
    },
    /// The user asked to end the turn.
    InterruptAsked,
    /// Someone asked to end the session.
    StopAsked {
        /// Whether the ladder was skipped.
        force: bool,
    },
    /// More text of an open block, so that a crash loses seconds of it. The finished block replaces all its partials.
    Partial {
        /// The block's key.
        block: String,
        /// What kind of block.
        kind: BlockKind,
        /// The tool call it belongs to, for a sub-agent's text.
        parent: Option<String>,
        /// How many bytes of the block the partials before this one hold.
        from: u64,
        /// The text since then.
        text: String,
    },
    /// The joined text of a block for which the provider has no finished event of its own.
    Block {
        /// The block's key.
        block: String,
        /// What kind of block.
        kind: BlockKind,
        /// The tool call it belongs to.
        parent: Option<String>,
        /// The whole text.
        text: String,
    },
    /// Something that the user should see: a repaired journal, a leaked pipe, a cut line, survivors of a stop.
    Notice {
        /// How bad.
        level: NoticeLevel,
        /// A stable word for programs.
        code: String,
        /// For people.
        text: String,
    },
    /// The model or the mode was changed.
    Changed {
        /// The new model.
        model: Option<String>,
        /// The new mode.
        permission_mode: Option<PermissionMode>,
        /// Who answers requests from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        permissions: Option<PermissionPolicy>,
    },
    /// The runner failed or ended without being asked.
    RunnerFailed {
        /// A stable word for programs.
        code: String,
        /// For people.
        message: String,
        /// Exit code, if it exited.
        exit_code: Option<i32>,
        /// Signal, if one ended it.
        signal: Option<String>,
        /// The end of its stderr.
        stderr_tail: Vec<String>,
    },
    /// The prompt will be sent once more, because the provider said that it may succeed later.
    Retrying {
        /// The prompt.
        prompt_id: String,
        /// Which attempt this is; the first retry is 1.
        attempt: u32,
        /// How many there are at most.
        of: u32,
        /// How long it waits, in milliseconds.
        after_ms: u64,
        /// What failed.
        class: FailureClass,
    },
    /// The agent's health has another verdict than before.
    Health {
        /// The verdict now.
        verdict: HealthVerdict,
        /// The one before.
        was: HealthVerdict,
        /// What the verdict rests on, in words; nothing when all is well.
        reasons: Vec<String>,
    },
    /// The agent's scope, as it holds from here on.
    Scoped {
        /// What it may use; absent when it works without a scope.
        rules: Option<Vec<HeldRule>>,
        /// What its children hold for writing, and it may not write meanwhile.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        taken: Vec<HeldRule>,
        /// How far the kernel holds it to that.
        confinement: Confinement,
    },
    /// Somebody changed what the pod and all below it may use.
    BudgetChanged {
        /// The budget now.
        budget: Budget,
    },
    /// A turn was not begun, or the next one cannot be, because of a budget.
    BudgetUsed {
        /// Which limit; none when the pod is being stopped.
        limit: Option<BudgetLimit>,
        /// For people and for the agent.
        text: String,
    },
    /// The agent called a tool that Outrigger offers.
    ToolCalled {
        /// Which tool.
        name: String,
        /// With what, shortened.
        arguments: String,
        /// The beginning of the answer.
        answer: String,
        /// Whether it failed.
        is_error: bool,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// The tool sidecar that served it; none for the tools of pods.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sidecar: Option<String>,
    },
    /// A permission request is about a tool of a tool sidecar.
    PermissionOfSidecar {
        /// Which request.
        request_id: String,
        /// The sidecar.
        sidecar: String,
    },
    /// A child was spawned below this pod. It stands here before the child's first event.
    PodSpawned {
        /// The child's session.
        session: SessionId,
        /// What it is called.
        name: String,
        /// Its provider.
        provider: String,
        /// What it is to do.
        task: String,
        /// What it may use; absent when it works without a scope.
        rules: Option<Vec<HeldRule>>,
    },
    /// A child ended its turn, or ended.
    PodTurn {
        /// The child's session.
        session: SessionId,
        /// What it is called.
        name: String,
        /// How it ended; absent while it lives and waits for a message.
        outcome: Option<PodOutcome>,
    },
    /// Somebody wrote where they may not, and nothing refused it.
    ForeignWrite {
        /// What was seen.
        write: ForeignWrite,
    },
    /// The session ended.
    Ended {
        /// How.
        outcome: Outcome,
        /// Processes that survived the stop ladder, as `pid command`.
        survivors: Vec<String>,
    },
}

impl HostRecord {
    /// The record's `type`, for logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Prompt { .. } => "prompt",
            Self::PromptQueued { .. } => "promptQueued",
            Self::PromptEdited { .. } => "promptEdited",
            Self::PromptRemoved { .. } => "promptRemoved",
            Self::PermissionAnswered { .. } => "permissionAnswered",
            Self::RuleForgotten { .. } => "ruleForgotten",
            Self::InterruptAsked => "interruptAsked",
            Self::StopAsked { .. } => "stopAsked",
            Self::Partial { .. } => "partial",
            Self::Block { .. } => "block",
            Self::Notice { .. } => "notice",
            Self::Changed { .. } => "changed",
            Self::RunnerFailed { .. } => "runnerFailed",
            Self::Retrying { .. } => "retrying",
            Self::Health { .. } => "health",
            Self::Scoped { .. } => "scoped",
            Self::BudgetChanged { .. } => "budgetChanged",
            Self::BudgetUsed { .. } => "budgetUsed",
            Self::ToolCalled { .. } => "toolCalled",
            Self::PermissionOfSidecar { .. } => "permissionOfSidecar",
            Self::PodSpawned { .. } => "podSpawned",
            Self::PodTurn { .. } => "podTurn",
            Self::ForeignWrite { .. } => "foreignWrite",
            Self::Ended { .. } => "ended",
        }
    }
}

/// How a prompt reached the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Delivery {
    /// It started a turn.
    Prompt,
    /// It went into the running turn.
    Steer,
    /// It waited for the turn before it to end.
    Queued,
    /// Another pod sent it.
    Notify,
    /// It failed before and was sent once more.
    Retry,
}

/// What a block of streamed text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum BlockKind {
    /// The agent speaks.
    Message,
    /// The agent thinks.
    Thought,
    /// The agent writes the input of a tool call.
    ToolInput,
    /// A tool's output as it comes.
    ToolOutput,
}

/// How bad a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Something was repaired or left out.
    Warning,
    /// Something was lost or is not being kept.
    Error,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Outcome {
    /// Ended by itself or stopped while idle, nothing failed.
    Done,
    /// The agent or its runner failed.
    Failed,
    /// Stopped while working.
    Stopped,
    /// The keeper was killed; found out later.
    Interrupted,
}

/// The answer to a permission request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PermissionOutcome {
    /// This once.
    Allow,
    /// This and its like, by the provider's own rules.
    AllowAlways,
    /// Not this.
    Deny,
    /// Neither this nor its like.
    DenyAlways,
}

impl PermissionOutcome {
    /// Whether the tool may run.
    #[must_use]
    pub fn allows(self) -> bool {
        match self {
            Self::Allow | Self::AllowAlways => true,
            Self::Deny | Self::DenyAlways => false,
        }
    }
}
