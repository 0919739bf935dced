//! How turns begin, end, and are refused.

use protocol::record::HostRecord;
use protocol::runner::{HostLine, StopReason, Usage};

use super::{Phase, Pod};
use crate::exchange::{Effect, TurnRefused};

impl Pod {
    pub(super) fn turn_started(&mut self, now: &str) -> Vec<Effect> {
        let mut effects = self.call_off_retry();
        if self.phase == Phase::Idle {
            // Some agents begin a turn unasked, when something in the background has come to its end.
            self.phase = Phase::Working { since: now.to_owned() };
            self.told_error = false;
            self.attempt = None;
            effects.push(Effect::CountTurn);
        }
        effects.extend(self.waiting.turn_started());
        effects
    }

    pub(super) fn turn_ended(&mut self, reason: StopReason, usage: Option<Usage>, now: &str) -> Vec<Effect> {
        self.facts.turns += 1;
        if let Some(usage) = usage {
            self.facts.usage = self.facts.usage.plus(usage);
        }
        self.tools.clear();
        self.permissions.clear();
        self.compacting = false;
        self.agent_retry = None;
        let mut effects = vec![Effect::SaveFacts, Effect::Sync];
        effects.extend(self.waiting.turn_ended());
        let cost_usd = usage.and_then(|usage| usage.cost_usd);
        let since = match &self.phase {
            Phase::Working { since } => since.clone(),
            Phase::Idle
            | Phase::Retrying { .. }
            | Phase::Stopping { .. }
            | Phase::Draining
            | Phase::Ended { .. }
            | Phase::Failed { .. } => {
                effects.push(Effect::TurnOver { cost_usd, rests: None });
                return effects;
            }
        };
        self.phase = Phase::Idle;
        self.last_turn = Some(reason);
        let follows = match reason {
            // What was queued was meant to follow this turn's work; when that did not happen, the user decides.
            StopReason::Interrupted => Vec::new(),
            StopReason::Error => self.plan_retry(since, now),
            StopReason::EndTurn | StopReason::MaxTurns | StopReason::Refused => self.next_of_queue_or_messages(now),
        };
        // It is counted before what follows asks for its turn.
        let rests = (self.phase == Phase::Idle).then_some(reason);
        effects.push(Effect::TurnOver { cost_usd, rests });
        effects.extend(follows);
        effects
    }

    fn next_of_queue_or_messages(&mut self, now: &str) -> Vec<Effect> {
        if self.queue.is_empty() { self.tell_messages(now) } else { self.next_of_queue(now) }
    }

    /// The budgets leave no turn. What waits stays where it is: the user may raise the budget.
    pub(super) fn turn_refused(&mut self, refused: TurnRefused) -> Vec<Effect> {
        let TurnRefused { limit, code, text } = refused;
        match &self.phase {
            Phase::Working { .. } => {}
            Phase::Idle
            | Phase::Retrying { .. }
            | Phase::Stopping { .. }
            | Phase::Draining
            | Phase::Ended { .. }
            | Phase::Failed { .. } => return Vec::new(),
        }
        let mut effects = vec![Effect::Record(HostRecord::BudgetUsed { limit, text: text.clone() })];
        if self.attempt.take().is_some() {
            self.phase = Phase::Idle;
            self.last_turn = Some(StopReason::Refused);
            effects.extend(self.waiting.turn_refused(code, &text));
        } else {
            // The agent has begun it by itself.
            effects.push(Effect::Tell(HostLine::Interrupt { session_id: self.session }));
        }
        effects
    }
}
