//! Why a scope, a spawn or a turn is refused, in words that an agent or a person can act on.

use std::io;
use std::path::PathBuf;

use ledger::LedgerError;
use protocol::SessionId;
use protocol::scope::BudgetLimit;
use thiserror::Error;

/// A rule that means nothing on this machine.
#[derive(Debug, Error)]
pub enum ScopeError {
    /// There is no path in it.
    #[error(
        "a scope rule has the path {said:?}, which names nothing; give a file or a folder, `.` for the whole workspace"
    )]
    NoPath {
        /// What the rule said.
        said: String,
    },
    /// What is to be written does not exist, and may become a file or a folder.
    #[error(
        "{said} does not exist, and patterns are not understood; for a new file add \"recursive\": false, for a new folder end \
         the path with /"
    )]
    Missing {
        /// What the rule said.
        said: String,
    },
    /// What is to be read does not exist.
    #[error("{said} does not exist, so there is nothing to read; leave the rule out or name what exists")]
    NothingToRead {
        /// What the rule said.
        said: String,
    },
    /// A file was said as if it were a folder.
    #[error("{said} is a file; leave the / at its end out")]
    NoFolder {
        /// What the rule said.
        said: String,
    },
    /// A link leads to something that does not exist.
    #[error("{said} goes through the link {link}, which leads nowhere; name the place that is meant")]
    Dangling {
        /// What the rule said.
        said: String,
        /// The link.
        link: PathBuf,
    },
    /// The system would not say what is there.
    #[error("failed to look at {said}: {source}; name a path that can be read")]
    Unreadable {
        /// What the rule said.
        said: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The path is no text, which neither the ledger nor the wire can carry.
    #[error("{said} leads to a name that is no UTF-8 text; use a folder above it")]
    NotText {
        /// What the rule said.
        said: String,
    },
    /// A folder that is Outrigger's own lies there.
    #[error("{said} would let a pod write in {folder}, which Outrigger keeps for itself; choose folders beside it")]
    Kept {
        /// What the rule said, with its path settled.
        said: String,
        /// The folder.
        folder: PathBuf,
    },
}

/// Why a pod may not be spawned, hosted or go on. Nothing has changed.
#[derive(Debug, Error)]
pub enum Refused {
    /// Another pod may write there.
    #[error(
        "{wanted} overlaps {held}, which pod `{holder}` (session {session}) holds; wait for it to end, stop it, or choose a \
         scope beside it"
    )]
    Conflict {
        /// The rule that was asked for.
        wanted: String,
        /// What the other one is called.
        holder: String,
        /// Its session.
        session: SessionId,
        /// Its rule.
        held: String,
    },
    /// The rule does not lie within the scope of the pod above.
    #[error("{wanted} is not within the scope of `{parent}`, which is {has}; ask for a part of that")]
    Outside {
        /// The rule that was asked for.
        wanted: String,
        /// The pod above.
        parent: String,
        /// What it holds.
        has: String,
    },
    /// A pod below one with a scope needs one too.
    #[error("`{parent}` works within a scope, so what it spawns needs one too; give at least one rule")]
    NoScope {
        /// The pod above.
        parent: String,
    },
    /// The spawner has a live child of that name.
    #[error("there is a pod named `{name}` already; choose another name, or stop that one first")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The tree has a pod with the same task.
    #[error("pod `{name}` {state} this very task; {advice}, or word the task anew if it is to be done again")]
    SameTask {
        /// The pod that has it.
        name: String,
        /// What it does with it.
        state: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A limit is reached.
    #[error("{what} of `{of}`: {used} of {allowed} used; {advice}")]
    Budget {
        /// Which limit.
        limit: BudgetLimit,
        /// The limit in words.
        what: &'static str,
        /// The pod whose budget it is.
        of: String,
        /// How much there is.
        allowed: String,
        /// How much is used.
        used: String,
        /// What to do.
        advice: &'static str,
    },
    /// The pod is being stopped.
    #[error("`{name}` is being stopped, so it can neither spawn nor begin a turn")]
    Closing {
        /// The pod.
        name: String,
    },
    /// The ledger does not know the pod.
    #[error("session {session} is not in the pod tree; its keeper has to begin it first")]
    Unknown {
        /// The session.
        session: SessionId,
    },
    /// The pod has ended.
    #[error("`{name}` has ended; resume its session first")]
    Ended {
        /// The pod.
        name: String,
    },
    /// The ledger could not do it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Refused {
    /// In one word that stays the same, for programs and tests.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "scopeConflict",
            Self::Outside { .. } => "outsideScope",
            Self::NoScope { .. } => "noScope",
            Self::NameTaken { .. } => "nameTaken",
            Self::SameTask { .. } => "sameTask",
            Self::Budget { .. } => "budget",
            Self::Closing { .. } => "closing",
            Self::Unknown { .. } => "unknownPod",
            Self::Ended { .. } => "ended",
            Self::Ledger(_) => "ledger",
        }
    }

    /// Whether waiting may help: another pod has to end first, or a minute to pass.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Conflict { .. } => true,
            Self::Budget { limit, .. } => match limit {
                BudgetLimit::Children | BudgetLimit::Pods | BudgetLimit::SpawnsPerMinute => true,
                BudgetLimit::Depth
                | BudgetLimit::Spawns
                | BudgetLimit::Turns
                | BudgetLimit::Cost
                | BudgetLimit::WallTime => false,
            },
            Self::Outside { .. }
            | Self::NoScope { .. }
            | Self::NameTaken { .. }
            | Self::SameTask { .. }
            | Self::Closing { .. }
            | Self::Unknown { .. }
            | Self::Ended { .. }
            | Self::Ledger(_) => false,
        }
    }
}
