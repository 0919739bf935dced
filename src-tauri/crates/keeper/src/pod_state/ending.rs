//! How a pod's session comes to its end: asked for, or because its runner has gone.

use protocol::pod::StopResult;
use protocol::record::{HostRecord, Outcome};

use super::{Phase, Pod};
use crate::exchange::{Answer, Effect, Gone};
use crate::waiting::{Ticket, WaitsFor};

impl Pod {
    pub(super) fn stop(&mut self, ticket: Ticket, force: bool) -> Vec<Effect> {
        let outcome = match self.phase {
            // Whoever stops a session whose agent has just broken must not make it look well ended.
            Phase::Idle if self.agent_broke => Outcome::Failed,
            Phase::Idle => Outcome::Done,
            Phase::Working { .. } | Phase::Retrying { .. } => Outcome::Stopped,
            Phase::Stopping { .. } => {
                self.waiting.add(ticket, WaitsFor::End);
                return vec![Effect::Record(HostRecord::StopAsked { force: true }), Effect::Stop];
            }
            Phase::Draining => {
                self.waiting.add(ticket, WaitsFor::End);
                return Vec::new();
            }
            Phase::Ended { outcome } => {
                let answer = Answer::Stop(StopResult { outcome, survivors: Vec::new() });
                return vec![Effect::Reply(ticket, Ok(answer))];
            }
            Phase::Failed { .. } => {
                let answer = Answer::Stop(StopResult { outcome: Outcome::Failed, survivors: Vec::new() });
                return vec![Effect::Reply(ticket, Ok(answer))];
            }
        };
        self.phase = Phase::Stopping { outcome };
        self.waiting.add(ticket, WaitsFor::End);
        let mut effects = vec![Effect::Record(HostRecord::StopAsked { force }), Effect::StopBelow, Effect::Stop];
        if force {
            effects.push(Effect::Stop);
        }
        effects
    }

    pub(super) fn gone(&mut self, gone: Gone) -> Vec<Effect> {
        let Gone { code, signal, stderr_tail, survivors } = gone;
        let clean = code == Some(0);
        let how = how_it_went(code, signal.as_deref());
        let mut effects = Vec::new();
        let outcome = match &self.phase {
            Phase::Stopping { outcome } => *outcome,
            Phase::Idle | Phase::Draining if clean => Outcome::Done,
            Phase::Idle | Phase::Draining | Phase::Working { .. } | Phase::Retrying { .. } => {
                if !self.told_error {
                    let message = format!("The agent's runner {how}. Send a prompt to resume the session.");
                    let tail = stderr_tail.clone();
                    let code_word = self.code_of_end(signal.as_deref());
                    effects.push(Effect::Record(HostRecord::RunnerFailed {
                        code: code_word.to_owned(),
                        message,
                        exit_code: code,
                        signal,
                        stderr_tail: tail,
                    }));
                }
                Outcome::Failed
            }
            Phase::Ended { .. } | Phase::Failed { .. } => return Vec::new(),
        };
        self.phase = match outcome {
            Outcome::Failed => Phase::Failed { reason: format!("the agent's runner {how}"), stderr_tail },
            Outcome::Done | Outcome::Stopped | Outcome::Interrupted => Phase::Ended { outcome },
        };
        self.tools.clear();
        self.permissions.clear();
        effects.push(Effect::Record(HostRecord::Ended { outcome, survivors: survivors.clone() }));
        effects.extend([Effect::SaveFacts, Effect::Sync]);
        effects.extend(self.waiting.ended(outcome, &survivors, &self.over_message()));
        effects.push(Effect::Finish(outcome));
        effects
    }

    /// The word that says what sort of failure the runner's end was.
    fn code_of_end(&self, signal: Option<&str>) -> &'static str {
        match (signal, &self.phase) {
            (Some(_), _) => "runner_killed",
            (None, Phase::Working { .. }) if !self.said => "no_output",
            (None, _) => "runner_exited",
        }
    }
}

fn how_it_went(code: Option<i32>, signal: Option<&str>) -> String {
    match (code, signal) {
        (_, Some(signal)) => format!("was ended by {signal}"),
        (Some(code), None) => format!("exited with code {code}"),
        (None, None) => "ended in a way that the system does not tell".to_owned(),
    }
}
