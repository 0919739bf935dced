//! Is a failed turn tried again by itself, and when? Only when its provider says that it may succeed later, when that sort of failure
//! passes, and when nothing was done yet, so that nothing is done twice.
//!
//! Pure: who asks performs the wait (`pod_state::retrying`).

use std::time::Duration;

use protocol::failure::FailureClass;
use protocol::limits::{RETRIES, RETRY_AFTER, RETRY_AFTER_AT_MOST};

use crate::exchange::Attached;

/// Each wait is so many times as long as the one before it.
const LONGER: u32 = 4;

/// A prompt on its way, and what came of it so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The prompt's id.
    pub prompt_id: String,
    /// The words.
    pub text: String,
    /// Images and files.
    pub attached: Vec<Attached>,
    /// What the pod that sent it is called; none when a person did.
    pub from: Option<String>,
    /// How often it was sent once more already.
    pub retries: u32,
    /// Why it must not be sent once more: work was begun, or somebody took a hand in the turn.
    pub settled: bool,
    /// What the turn's failure was, once it was told.
    pub failure: Option<Failure>,
}

/// What a runner's `agent_error` says of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// What sort of failure it is.
    pub class: FailureClass,
    /// Whether the provider says that the same may succeed later.
    pub retryable: bool,
    /// How long it asks to wait.
    pub after: Option<Duration>,
}

/// A retry that is going to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Which attempt it is; the first retry is 1.
    pub attempt: u32,
    /// How long it waits.
    pub after: Duration,
    /// What failed.
    pub class: FailureClass,
}

impl Attempt {
    /// The first attempt.
    #[must_use]
    pub fn first(prompt_id: String, text: String, attached: Vec<Attached>) -> Self {
        Self { prompt_id, text, attached, from: None, retries: 0, settled: false, failure: None }
    }

    /// The same from another pod, if there is one.
    #[must_use]
    pub fn from(self, from: Option<String>) -> Self {
        Self { from, ..self }
    }

    /// The retry that follows this attempt's failure, if one does.
    #[must_use]
    pub fn plan(&self) -> Option<Plan> {
        let Failure { class, retryable, after } = self.failure?;
        if self.settled || !retryable || !class.may_pass() || self.retries >= RETRIES {
            return None;
        }
        let after = after.unwrap_or_else(|| RETRY_AFTER * LONGER.pow(self.retries));
        (after <= RETRY_AFTER_AT_MOST).then_some(Plan { attempt: self.retries + 1, after, class })
    }
}
