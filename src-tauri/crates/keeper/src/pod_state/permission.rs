//! How the agent's requests for permission come, wait and are answered: by the first who answers, once.

use protocol::error::ErrorCode;
use protocol::limits::PENDING_PERMISSIONS;
use protocol::pod::{AnswerParams, PendingPermission};
use protocol::record::{HostRecord, PermissionOutcome};
use protocol::runner::{HostLine, PermissionAsk};

use super::{Pod, refuse};
use crate::exchange::{Answer, Effect};
use crate::waiting::Ticket;

impl Pod {
    pub(super) fn answer(&mut self, ticket: Ticket, answer: AnswerParams) -> Vec<Effect> {
        let AnswerParams { request_id, outcome, updated_input, message, by } = answer;
        let before = self.permissions.len();
        self.permissions.retain(|pending| pending.ask.request_id != request_id);
        if self.permissions.len() == before {
            let message = "this request is not pending: it was answered by someone else, or withdrawn";
            return vec![refuse(ticket, ErrorCode::NotPending, message)];
        }
        let by = by.unwrap_or_else(|| "user".to_owned());
        let record =
            HostRecord::PermissionAnswered { request_id: request_id.clone(), outcome, message: message.clone(), by };
        vec![
            Effect::Record(record),
            Effect::Tell(HostLine::PermissionResponse { request_id, outcome, updated_input, message }),
            Effect::Reply(ticket, Ok(Answer::Done)),
        ]
    }

    pub(super) fn permission_asked(&mut self, ask: PermissionAsk, now: &str) -> Vec<Effect> {
        self.settle_attempt();
        if self.permissions.len() >= PENDING_PERMISSIONS {
            let message = format!("{PENDING_PERMISSIONS} requests are waiting already");
            let request_id = ask.request_id;
            let outcome = PermissionOutcome::Deny;
            let record = HostRecord::PermissionAnswered {
                request_id: request_id.clone(),
                outcome,
                message: Some(message.clone()),
                by: "limit".to_owned(),
            };
            let response =
                HostLine::PermissionResponse { request_id, outcome, updated_input: None, message: Some(message) };
            return vec![Effect::Record(record), Effect::Tell(response)];
        }
        self.permissions.push(PendingPermission { ask, since: now.to_owned() });
        Vec::new()
    }
}
