//! How a prompt that failed is tried again, and how that is called off: by any prompt, steer, interrupt or stop.

use jiff::{SignedDuration, Timestamp};
use protocol::failure::{FailureClass, Retry, RetryBy};
use protocol::limits::RETRIES;
use protocol::record::{Delivery, HostRecord, NoticeLevel};
use protocol::runner::{RunnerLine, StopReason};

use super::{Phase, Pod};
use crate::exchange::{Answer, Ask, Effect, Prompt};
use crate::retry::{Attempt, Failure};
use crate::waiting::Ticket;

/// A retry that waits for its time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Waits {
    pub(super) attempt: Attempt,
    pub(super) shown: Retry,
}

/// What a runner's error says for a retry. None for every other line.
pub(super) fn failure(line: &RunnerLine) -> Option<Failure> {
    let RunnerLine::AgentError { code, retryable, retry_after_ms, .. } = line else { return None };
    let after = retry_after_ms.map(std::time::Duration::from_millis);
    Some(Failure { class: FailureClass::of(code), retryable: *retryable, after })
}

impl Pod {
    /// The retry that waits, or the one that the provider's own CLI makes.
    #[must_use]
    pub fn retry(&self) -> Option<Retry> {
        match &self.phase {
            Phase::Retrying { waits, .. } => Some(waits.shown.clone()),
            Phase::Working { .. } => self.agent_retry.clone(),
            Phase::Idle | Phase::Stopping { .. } | Phase::Draining | Phase::Ended { .. } | Phase::Failed { .. } => None,
        }
    }

    /// The turn has failed: whether its prompt is tried again.
    pub(super) fn plan_retry(&mut self, since: String, now: &str) -> Vec<Effect> {
        let Some(attempt) = self.attempt.take() else { return Vec::new() };
        let Some(plan) = attempt.plan() else { return Vec::new() };
        let record = HostRecord::Retrying {
            prompt_id: attempt.prompt_id.clone(),
            attempt: plan.attempt,
            of: RETRIES,
            after_ms: u64::try_from(plan.after.as_millis()).unwrap_or(u64::MAX),
            class: plan.class,
        };
        let at = later(now, plan.after);
        let shown = Retry { attempt: plan.attempt, of: RETRIES, at, class: plan.class, by: RetryBy::Outrigger };
        self.phase = Phase::Retrying { since, waits: Box::new(Waits { attempt, shown }) };
        // What comes from here on is another failure than the one that was told.
        self.told_error = false;
        vec![Effect::Record(record), Effect::RetryAfter(plan.after)]
    }

    /// The wait is over. Without effect when the retry was called off in the meantime.
    pub(super) fn retry_due(&mut self, now: &str) -> Vec<Effect> {
        let Phase::Retrying { waits, .. } = &self.phase else { return Vec::new() };
        let earlier = waits.attempt.clone();
        let retries = earlier.retries + 1;
        let attempt = Attempt { retries, settled: false, failure: None, ..earlier };
        self.send(attempt, Delivery::Retry, now)
    }

    /// Whoever speaks while a retry waits calls it off, and is heard as if nothing ran.
    pub(super) fn asked_while_retrying(&mut self, ticket: Ticket, ask: Ask, now: &str) -> Vec<Effect> {
        let ask = match ask {
            // No turn runs into which it could go; the agent knows the prompt that failed, so this adds to it.
            Ask::Steer(text) => {
                let if_busy = protocol::pod::IfBusy::Reject;
                Ask::Prompt(Prompt { text, attached: Vec::new(), if_busy, from: None })
            }
            Ask::Set(params) => return self.set(ticket, params),
            Ask::Interrupt => {
                let mut effects = vec![Effect::Record(HostRecord::InterruptAsked)];
                effects.extend(self.call_off_retry());
                effects.push(Effect::Reply(ticket, Ok(Answer::Done)));
                return effects;
            }
            Ask::Prompt(_)
            | Ask::GoOn
            | Ask::Unqueue(_)
            | Ask::Edit(_)
            | Ask::Answer(_)
            | Ask::ForgetRule(_)
            | Ask::ChildSpawned(_)
            | Ask::Notify(_)
            | Ask::ToldOf(_)
            | Ask::Note(_)
            | Ask::Stop { .. } => ask,
        };
        if let Ask::Prompt(prompt) = &ask
            && let Some(message) = super::too_long(&prompt.text)
        {
            return vec![super::refuse(ticket, protocol::error::ErrorCode::BadRequest, message)];
        }
        let mut effects = self.call_off_retry();
        effects.extend(self.asked_while_idle(ticket, ask, now));
        effects
    }

    /// The session is idle afterwards.
    pub(super) fn call_off_retry(&mut self) -> Vec<Effect> {
        let Phase::Retrying { .. } = &self.phase else { return Vec::new() };
        self.phase = Phase::Idle;
        self.last_turn = Some(StopReason::Interrupted);
        let text = "The retry was called off; the prompt was not sent again.".to_owned();
        let code = "retry_called_off".to_owned();
        vec![Effect::Record(HostRecord::Notice { level: NoticeLevel::Info, code, text })]
    }

    /// Something was done in this turn, or somebody took a hand in it: its prompt is not sent a second time.
    pub(super) fn settle_attempt(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.settled = true;
        }
    }

    /// The provider's CLI tries again by itself.
    pub(super) fn agent_retries(&mut self, hint: (u32, u32, FailureClass, Option<u64>), now: &str) {
        let (attempt, of, class, after_ms) = hint;
        let at = later(now, std::time::Duration::from_millis(after_ms.unwrap_or(0)));
        self.agent_retry = Some(Retry { attempt, of, at, class, by: RetryBy::Agent });
    }
}

/// The moment so long after `now`; `now` itself where it cannot be told.
fn later(now: &str, after: std::time::Duration) -> String {
    let sum = || -> Option<String> {
        let at: Timestamp = now.parse().ok()?;
        let at = at.checked_add(SignedDuration::try_from(after).ok()?).ok()?;
        Some(format!("{at:.3}"))
    };
    sum().unwrap_or_else(|| now.to_owned())
}
