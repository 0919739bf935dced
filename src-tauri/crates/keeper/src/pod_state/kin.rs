//! What the pods below say to this one's agent: it is woken by it when it rests, and told of it at the end of its turn when it works.

use std::collections::VecDeque;

use protocol::limits::NOTIFICATIONS;
use protocol::pods::{ChildSpawned, Notify};
use protocol::record::{Delivery, HostRecord};

use super::{Phase, Pod};
use crate::exchange::{Answer, Effect, ToldOf};
use crate::retry::Attempt;
use crate::waiting::Ticket;

/// What waits to be told to the agent, oldest first.
#[derive(Debug, Default)]
pub(super) struct Messages {
    list: VecDeque<Message>,
    /// How many had to give way.
    dropped: usize,
    /// Children that the agent itself has stopped: it does not have to be told that they have ended.
    stopped: Vec<String>,
}

#[derive(Debug)]
struct Message {
    from: String,
    text: String,
}

impl Messages {
    fn add(&mut self, message: Message) {
        if self.list.len() >= NOTIFICATIONS {
            self.list.pop_front();
            self.dropped += 1;
        }
        self.list.push_back(message);
    }

    /// All of them as one, and from whom.
    fn take(&mut self) -> Option<(String, String)> {
        let list = std::mem::take(&mut self.list);
        let dropped = std::mem::take(&mut self.dropped);
        let mut names: Vec<&str> = Vec::new();
        for message in &list {
            if !names.contains(&message.from.as_str()) {
                names.push(&message.from);
            }
        }
        if names.is_empty() {
            return None;
        }
        let from = names.join(", ");
        let mut lines: Vec<String> = Vec::new();
        if dropped > 0 {
            lines.push(format!("({dropped} older messages of pods were dropped; list_pods tells how they are.)"));
        }
        lines.extend(list.into_iter().map(|message| message.text));
        Some((from, lines.join("\n")))
    }
}

impl Pod {
    /// It stands in the journal before the child's first word.
    pub(super) fn child_spawned(&mut self, ticket: Ticket, child: ChildSpawned) -> Vec<Effect> {
        let ChildSpawned { session, name, provider, task, rules } = child;
        // The one of that name that was stopped is another one.
        self.messages.stopped.retain(|stopped| *stopped != name);
        vec![
            Effect::Record(HostRecord::PodSpawned { session, name, provider, task, rules }),
            Effect::LookAtScope,
            Effect::Reply(ticket, Ok(Answer::Done)),
        ]
    }

    pub(super) fn notified(&mut self, ticket: Ticket, message: Notify, now: &str) -> Vec<Effect> {
        let Notify { session, from, text, outcome, quiet } = message;
        let record = HostRecord::PodTurn { session, name: from.clone(), outcome };
        let mut effects = vec![Effect::Record(record), Effect::Reply(ticket, Ok(Answer::Done))];
        if outcome.is_some() {
            effects.push(Effect::LookAtScope);
        }
        let stopped = self.messages.stopped.iter().position(|name| *name == from);
        let known = stopped.is_some();
        if let (Some(at), Some(_)) = (stopped, outcome) {
            self.messages.stopped.remove(at);
        }
        match &self.phase {
            Phase::Idle | Phase::Working { .. } | Phase::Retrying { .. } if quiet || known => {}
            Phase::Idle => {
                self.messages.add(Message { from, text });
                effects.extend(self.tell_messages(now));
            }
            Phase::Working { .. } | Phase::Retrying { .. } => self.messages.add(Message { from, text }),
            Phase::Stopping { .. } | Phase::Draining | Phase::Ended { .. } | Phase::Failed { .. } => {}
        }
        effects
    }

    /// What the agent has read by a tool it need not be told.
    pub(super) fn told_of(&mut self, ticket: Ticket, told: &ToldOf) -> Vec<Effect> {
        self.messages.list.retain(|message| !told.names.contains(&message.from));
        if told.stopped {
            self.messages.stopped.extend(told.names.iter().cloned());
            let over = self.messages.stopped.len().saturating_sub(NOTIFICATIONS);
            self.messages.stopped.drain(..over);
        }
        // Tools stop pods, and reclaim what dead ones held.
        vec![Effect::LookAtScope, Effect::Reply(ticket, Ok(Answer::Done))]
    }

    /// Begins a turn with what waits to be told, if anything does.
    pub(super) fn tell_messages(&mut self, now: &str) -> Vec<Effect> {
        let Some((from, text)) = self.messages.take() else { return Vec::new() };
        let prompt_id = self.new_prompt_id();
        self.send(Attempt::first(prompt_id, text, Vec::new()).from(Some(from)), Delivery::Notify, now)
    }
}
