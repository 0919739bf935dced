//! Who waits for which answer. Answers are given when a thing is done, not when it was sent.

use protocol::error::{ErrorCode, WireError};
use protocol::pod::{PromptResult, StopResult, Taken};
use protocol::record::Outcome;

use crate::exchange::{Answer, Effect};

/// Names somebody who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// What somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitsFor {
    /// The turn of this prompt has really begun.
    TurnStart {
        /// The prompt.
        prompt_id: String,
    },
    /// The agent has taken the message.
    SteerAck {
        /// The message.
        prompt_id: String,
    },
    /// The turn has ended.
    TurnEnd,
    /// The session has ended.
    End,
}

/// All who wait, in the order in which they came.
#[derive(Debug, Default)]
pub struct Waiting {
    list: Vec<(Ticket, WaitsFor)>,
}

impl Waiting {
    /// Adds one.
    pub fn add(&mut self, ticket: Ticket, waits_for: WaitsFor) {
        self.list.push((ticket, waits_for));
    }

    /// A turn has begun.
    pub fn turn_started(&mut self) -> Vec<Effect> {
        self.settle(|waits_for| match waits_for {
            WaitsFor::TurnStart { prompt_id } => {
                let prompt_id = prompt_id.clone();
                Some(Ok(Answer::Prompt(PromptResult { taken: Taken::Started, prompt_id })))
            }
            WaitsFor::SteerAck { .. } | WaitsFor::TurnEnd | WaitsFor::End => None,
        })
    }

    /// The agent took the oldest message that it had not taken yet.
    pub fn steered(&mut self, taken: Taken) -> Vec<Effect> {
        let oldest = self.list.iter().position(|(_, waits_for)| matches!(waits_for, WaitsFor::SteerAck { .. }));
        let Some(at) = oldest else { return Vec::new() };
        match self.list.remove(at) {
            (ticket, WaitsFor::SteerAck { prompt_id }) => {
                vec![Effect::Reply(ticket, Ok(Answer::Prompt(PromptResult { taken, prompt_id })))]
            }
            (_, WaitsFor::TurnStart { .. } | WaitsFor::TurnEnd | WaitsFor::End) => Vec::new(),
        }
    }

    /// The agent failed before the turn began.
    pub fn turn_failed(&mut self, why: &str) -> Vec<Effect> {
        self.settle(|waits_for| match waits_for {
            WaitsFor::TurnStart { .. } => Some(Err(WireError::new(ErrorCode::AgentFailed, why))),
            WaitsFor::SteerAck { .. } | WaitsFor::TurnEnd | WaitsFor::End => None,
        })
    }

    /// The turn was not allowed to begin.
    pub fn turn_refused(&mut self, code: ErrorCode, why: &str) -> Vec<Effect> {
        self.settle(|waits_for| match waits_for {
            WaitsFor::TurnStart { .. } | WaitsFor::SteerAck { .. } => Some(Err(WireError::new(code, why))),
            WaitsFor::TurnEnd => Some(Ok(Answer::Done)),
            WaitsFor::End => None,
        })
    }

    /// The turn has ended, whether or not its beginning was told.
    pub fn turn_ended(&mut self) -> Vec<Effect> {
        self.settle(|waits_for| match waits_for {
            WaitsFor::TurnStart { prompt_id } => {
                let prompt_id = prompt_id.clone();
                Some(Ok(Answer::Prompt(PromptResult { taken: Taken::Started, prompt_id })))
            }
            WaitsFor::SteerAck { prompt_id } => {
                let prompt_id = prompt_id.clone();
                Some(Ok(Answer::Prompt(PromptResult { taken: Taken::SteeredLater, prompt_id })))
            }
            WaitsFor::TurnEnd => Some(Ok(Answer::Done)),
            WaitsFor::End => None,
        })
    }

    /// The session has ended.
    pub fn ended(&mut self, outcome: Outcome, survivors: &[String], message: &str) -> Vec<Effect> {
        self.settle(|waits_for| match waits_for {
            WaitsFor::TurnStart { .. } | WaitsFor::SteerAck { .. } => {
                Some(Err(WireError::new(ErrorCode::SessionEnded, message)))
            }
            WaitsFor::TurnEnd => Some(Ok(Answer::Done)),
            WaitsFor::End => Some(Ok(Answer::Stop(StopResult { outcome, survivors: survivors.to_vec() }))),
        })
    }

    fn settle(&mut self, answer: impl Fn(&WaitsFor) -> Option<Result<Answer, WireError>>) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.list.retain(|(ticket, waits_for)| match answer(waits_for) {
            Some(answer) => {
                effects.push(Effect::Reply(*ticket, answer));
                false
            }
            None => true,
        });
        effects
    }
}
