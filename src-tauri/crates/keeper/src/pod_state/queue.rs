//! The prompts that wait for the end of the turn: how they come, are changed, are taken back, and are sent.

use std::collections::VecDeque;

use protocol::error::ErrorCode;
use protocol::limits::QUEUED_PROMPTS;
use protocol::pod::{EditParams, PromptResult, QueuedPrompt, Taken};
use protocol::record::{Delivery, HostRecord};

use super::{Pod, refuse, too_long};
use crate::exchange::{Answer, Attached, Effect, Prompt};
use crate::retry::Attempt;
use crate::waiting::{Ticket, WaitsFor};

/// In the order in which they will be sent.
pub(super) type Queue = VecDeque<Queued>;

/// A prompt that waits.
#[derive(Debug)]
pub(super) struct Queued {
    prompt_id: String,
    text: String,
    attached: Vec<Attached>,
    from: Option<String>,
}

const GONE: &str = "this prompt is not waiting any more";

impl Pod {
    /// Prompts that wait.
    #[must_use]
    pub fn queue(&self) -> Vec<QueuedPrompt> {
        let shown = |Queued { prompt_id, text, attached, from: _ }: &Queued| QueuedPrompt {
            prompt_id: prompt_id.clone(),
            text: text.clone(),
            attachments: attached.iter().map(|attached| attached.shown.clone()).collect(),
        };
        self.queue.iter().map(shown).collect()
    }

    pub(super) fn enqueue(&mut self, ticket: Ticket, prompt: Prompt) -> Vec<Effect> {
        if self.queue.len() >= QUEUED_PROMPTS {
            let message = format!("{QUEUED_PROMPTS} prompts are waiting already; wait for one to be taken");
            return vec![refuse(ticket, ErrorCode::BadRequest, message)];
        }
        let prompt_id = self.new_prompt_id();
        let Prompt { text, attached, if_busy: _, from } = prompt;
        let attachments = attached.iter().map(|attached| attached.shown.clone()).collect();
        let record = HostRecord::PromptQueued { text: text.clone(), prompt_id: prompt_id.clone(), attachments };
        self.queue.push_back(Queued { prompt_id: prompt_id.clone(), text, attached, from });
        let answer = Answer::Prompt(PromptResult { taken: Taken::Queued, prompt_id });
        vec![Effect::Record(record), Effect::Reply(ticket, Ok(answer))]
    }

    pub(super) fn unqueue(&mut self, ticket: Ticket, prompt_id: String) -> Vec<Effect> {
        let before = self.queue.len();
        self.queue.retain(|queued| queued.prompt_id != prompt_id);
        if self.queue.len() == before {
            return vec![refuse(ticket, ErrorCode::NotPending, GONE)];
        }
        vec![Effect::Record(HostRecord::PromptRemoved { prompt_id }), Effect::Reply(ticket, Ok(Answer::Done))]
    }

    pub(super) fn edit(&mut self, ticket: Ticket, edit: EditParams) -> Vec<Effect> {
        let EditParams { prompt_id, text } = edit;
        if let Some(message) = too_long(&text) {
            return vec![refuse(ticket, ErrorCode::BadRequest, message)];
        }
        let Some(queued) = self.queue.iter_mut().find(|queued| queued.prompt_id == prompt_id) else {
            return vec![refuse(ticket, ErrorCode::NotPending, GONE)];
        };
        queued.text.clone_from(&text);
        vec![Effect::Record(HostRecord::PromptEdited { prompt_id, text }), Effect::Reply(ticket, Ok(Answer::Done))]
    }

    /// What waited after an interrupt goes on.
    pub(super) fn go_on(&mut self, ticket: Ticket, now: &str) -> Vec<Effect> {
        let Some(first) = self.queue.front() else {
            return vec![refuse(ticket, ErrorCode::NotPending, "no prompt is waiting")];
        };
        self.waiting.add(ticket, WaitsFor::TurnStart { prompt_id: first.prompt_id.clone() });
        self.next_of_queue(now)
    }

    pub(super) fn next_of_queue(&mut self, now: &str) -> Vec<Effect> {
        let Some(Queued { prompt_id, text, attached, from }) = self.queue.pop_front() else { return Vec::new() };
        self.send(Attempt::first(prompt_id, text, attached).from(from), Delivery::Queued, now)
    }
}
