//! How the agent's requests for permission come, wait and are answered: by the pod's policy, by a rule, or by the first who answers,
//! once.

use permissions::{allows, rule};
use protocol::error::ErrorCode;
use protocol::limits::{PENDING_PERMISSIONS, RULES};
use protocol::permission::{PermissionPolicy, PermissionRule, RuleReach, RuleSubject};
use protocol::pod::{AnswerParams, PendingPermission};
use protocol::record::{HostRecord, PermissionOutcome};
use protocol::runner::{HostLine, PermissionAsk};

use super::{Pod, refuse};
use crate::exchange::{Answer, Effect, Verdict};
use crate::waiting::Ticket;

/// A request that waits.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) shown: PendingPermission,
    about: Option<RuleSubject>,
}

/// An answer on its way to the agent and into the journal.
struct Given {
    request_id: String,
    outcome: PermissionOutcome,
    message: Option<String>,
    by: &'static str,
    rule: Option<PermissionRule>,
}

impl Pod {
    pub(super) fn answer(&mut self, ticket: Ticket, answer: AnswerParams) -> Vec<Effect> {
        let AnswerParams { request_id, outcome, updated_input, message, by, always } = answer;
        let Some(at) = self.permissions.iter().position(|pending| pending.shown.ask.request_id == request_id) else {
            let message = "this request is not pending: it was answered by someone else, or withdrawn";
            return vec![refuse(ticket, ErrorCode::NotPending, message)];
        };
        let made = match always.map(|reach| self.new_rule(at, outcome, reach)).transpose() {
            Ok(made) => made,
            Err(message) => return vec![refuse(ticket, ErrorCode::BadRequest, message)],
        };
        self.permissions.remove(at);
        let record = HostRecord::PermissionAnswered {
            request_id: request_id.clone(),
            outcome,
            message: message.clone(),
            by: by.unwrap_or_else(|| "user".to_owned()),
            rule: made.clone(),
        };
        let mut effects = vec![
            Effect::Record(record),
            Effect::Tell(HostLine::PermissionResponse { request_id, outcome, updated_input, message }),
            Effect::Reply(ticket, Ok(Answer::Done)),
        ];
        effects.extend(made.map(|made| self.keep(made)).unwrap_or_default());
        effects
    }

    /// The rule that an answer asks for.
    fn new_rule(&self, at: usize, outcome: PermissionOutcome, reach: RuleReach) -> Result<PermissionRule, String> {
        let Pending { shown, about } = &self.permissions[at];
        let about = about.clone().ok_or("no rule can be made of this request; allow it once, or deny it")?;
        if outcome != PermissionOutcome::Allow {
            return Err("a rule is made with the answer `allow`".to_owned());
        }
        if reach == RuleReach::Session && self.facts.rules.len() >= RULES {
            return Err(format!("this session has {RULES} rules already; take back some that are not needed"));
        }
        Ok(rule(reach, &shown.ask.tool_name, about))
    }

    /// The rule holds from now on, for what waits as well.
    fn keep(&mut self, made: PermissionRule) -> Vec<Effect> {
        let mut effects = Vec::new();
        match made.reach {
            RuleReach::Session => {
                self.facts.rules.push(made.clone());
                effects.push(Effect::SaveFacts);
            }
            RuleReach::Workspace => effects.push(Effect::KeepRule(made.clone())),
        }
        let allowed = |pending: &Pending| {
            pending.about.as_ref().is_some_and(|about| allows(&made, &pending.shown.ask.tool_name, about))
        };
        let (now_allowed, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.permissions).into_iter().partition(allowed);
        self.permissions = waiting;
        effects.extend(now_allowed.into_iter().flat_map(|pending| by_rule(pending.shown.ask, made.clone())));
        effects
    }

    pub(super) fn forget_rule(&mut self, ticket: Ticket, id: &str) -> Vec<Effect> {
        let Some(at) = self.facts.rules.iter().position(|rule| rule.id == id) else {
            return vec![refuse(ticket, ErrorCode::NotPending, "this session has no such rule any more")];
        };
        let rule = self.facts.rules.remove(at);
        vec![
            Effect::Record(HostRecord::RuleForgotten { rule }),
            Effect::SaveFacts,
            Effect::Reply(ticket, Ok(Answer::Done)),
        ]
    }

    pub(super) fn set_policy(&mut self, policy: PermissionPolicy) -> Vec<Effect> {
        self.facts.policy = policy;
        let Some(outcome) = outcome_of(policy) else { return Vec::new() };
        let waiting = std::mem::take(&mut self.permissions);
        waiting.into_iter().flat_map(|pending| by_policy(pending.shown.ask, outcome)).collect()
    }

    pub(super) fn permission_asked(
        &mut self,
        ask: PermissionAsk,
        about: Option<RuleSubject>,
        of_workspace: Option<PermissionRule>,
        verdict: Option<Verdict>,
        now: &str,
    ) -> Vec<Effect> {
        self.settle_attempt();
        let record = |sidecar| HostRecord::PermissionOfSidecar { request_id: ask.request_id.clone(), sidecar };
        let mut effects: Vec<Effect> = ask.sidecar.clone().map(record).map(Effect::Record).into_iter().collect();
        effects.extend(self.answered_or_put(ask, about, of_workspace, verdict, now));
        effects
    }

    /// Answers a request by itself, or puts it to people.
    fn answered_or_put(
        &mut self,
        ask: PermissionAsk,
        about: Option<RuleSubject>,
        of_workspace: Option<PermissionRule>,
        verdict: Option<Verdict>,
        now: &str,
    ) -> Vec<Effect> {
        let denies = self.facts.policy == PermissionPolicy::Deny;
        match verdict {
            Some(Verdict::PastScope(words)) => return past_scope(ask, words),
            Some(Verdict::OwnTool) if !denies => return by_policy(ask, PermissionOutcome::Allow),
            Some(Verdict::OwnTool) | None => {}
        }
        if let Some(outcome) = outcome_of(self.facts.policy) {
            return by_policy(ask, outcome);
        }
        let allowing = |rule: &&PermissionRule| about.as_ref().is_some_and(|about| allows(rule, &ask.tool_name, about));
        if let Some(rule) = self.facts.rules.iter().find(allowing).cloned().or(of_workspace) {
            return by_rule(ask, rule);
        }
        if self.permissions.len() >= PENDING_PERMISSIONS {
            let message = Some(format!("{PENDING_PERMISSIONS} requests are waiting already"));
            let (request_id, outcome) = (ask.request_id, PermissionOutcome::Deny);
            return given(Given { request_id, outcome, message, by: "limit", rule: None });
        }
        let always = about.as_ref().map(|about| about.words(&ask.tool_name));
        self.permissions.push(Pending { shown: PendingPermission { ask, since: now.to_owned(), always }, about });
        Vec::new()
    }
}

/// The answer that a policy gives; none where somebody is asked.
fn outcome_of(policy: PermissionPolicy) -> Option<PermissionOutcome> {
    match policy {
        PermissionPolicy::Ask => None,
        PermissionPolicy::Allow => Some(PermissionOutcome::Allow),
        PermissionPolicy::Deny => Some(PermissionOutcome::Deny),
    }
}

fn by_policy(ask: PermissionAsk, outcome: PermissionOutcome) -> Vec<Effect> {
    given(Given { request_id: ask.request_id, outcome, message: None, by: "policy", rule: None })
}

/// Whatever the mode, the rules and the people say: the files are somebody else's.
fn past_scope(ask: PermissionAsk, words: String) -> Vec<Effect> {
    let (request_id, outcome) = (ask.request_id, PermissionOutcome::Deny);
    given(Given { request_id, outcome, message: Some(words), by: "scope", rule: None })
}

fn by_rule(ask: PermissionAsk, rule: PermissionRule) -> Vec<Effect> {
    let outcome = PermissionOutcome::Allow;
    given(Given { request_id: ask.request_id, outcome, message: None, by: "rule", rule: Some(rule) })
}

fn given(given: Given) -> Vec<Effect> {
    let Given { request_id, outcome, message, by, rule } = given;
    let record = HostRecord::PermissionAnswered {
        request_id: request_id.clone(),
        outcome,
        message: message.clone(),
        by: by.to_owned(),
        rule,
    };
    vec![
        Effect::Record(record),
        Effect::Tell(HostLine::PermissionResponse { request_id, outcome, updated_input: None, message }),
    ]
}
