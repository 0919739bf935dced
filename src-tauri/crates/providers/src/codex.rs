//! The adapter `codex`: the messages of `codex app-server` (JSON-RPC without its version field).
//!
//! Knows the notifications and items of 0.169. Prompts, the ends of turns, usage and permission requests come as lines of the
//! runner's own; here they give no item.

mod item;
mod line;
mod news;
mod outcome;

use std::collections::BTreeMap;

use protocol::item::{ItemBody, ToolStatus};
use serde_json::Value;

use crate::adapter::{Adapter, Weight, fold_text_line, parsed, readable, unknown};
use crate::plan::plan_entry;
use crate::sheet::Sheet;
use crate::tool_call::change_call;
use line::Streams;

/// Methods that say nothing to a person, or nothing that another message does not say.
const SILENT: [&str; 52] = [
    "thread/started",
    "thread/status/changed",
    "thread/readState/changed",
    "thread/archived",
    "thread/deleted",
    "thread/unarchived",
    "thread/closed",
    "thread/reverted",
    "skills/changed",
    "thread/name/updated",
    "thread/section/changed",
    "thread/attachment/updated",
    "thread/goal/updated",
    "thread/prediction/updated",
    "thread/goal/cleared",
    "thread/queue/changed",
    "project/changed",
    "thread/project/updated",
    "thread/environment/connected",
    "thread/environment/disconnected",
    "thread/settings/updated",
    "thread/tokenUsage/updated",
    "turn/started",
    "hook/started",
    "turn/diff/updated",
    "item/autoApprovalReview/started",
    "rawResponseItem/completed",
    "rawResponse/completed",
    "process/exited",
    "item/commandExecution/terminalInteraction",
    "item/fileChange/patchUpdated",
    "serverRequest/resolved",
    "item/mcpToolCall/progress",
    "account/updated",
    "account/rateLimits/updated",
    "app/list/updated",
    "remoteControl/status/changed",
    "fs/changed",
    "item/reasoning/summaryPartAdded",
    // The item `contextCompaction` says the same.
    "thread/compacted",
    "model/verification",
    "turn/moderationMetadata",
    "model/safetyBuffering/updated",
    "account/login/completed",
    "account/gatewayOAuth/changed",
    "mcpServer/oauthLogin/completed",
    "mcpServer/event/stream/notification",
    "externalAgentConfig/import/progress",
    "externalAgentConfig/import/completed",
    "modelProvider/authRecoveryStarted",
    "modelProvider/authRecoveryCompleted",
    "windowsSandbox/setupCompleted",
];

/// What codex asks of its client; the runner answers, or asks the user.
const REQUESTS: [&str; 10] = [
    "item/commandExecution/requestApproval",
    "item/fileChange/requestApproval",
    "item/tool/requestUserInput",
    "mcpServer/elicitation/request",
    "item/permissions/requestApproval",
    "item/tool/call",
    "account/chatgptAuthTokens/refresh",
    "attestation/generate",
    "applyPatchApproval",
    "execCommandApproval",
];

/// What must be remembered of a session of codex.
#[derive(Debug, Default)]
pub(crate) struct Codex {
    /// While weighing: the blocks that are being streamed.
    streams: Streams,
    /// While folding: threads of sub-agents, and the call that began each.
    spawned: BTreeMap<String, String>,
    /// While folding: calls that run, and the thread of each.
    running: BTreeMap<String, String>,
}

impl Adapter for Codex {
    fn weigh(&mut self, event: &str) -> Weight {
        parsed(event, |text| self.streams.weigh(text)).unwrap_or_else(Weight::durable)
    }

    fn weigh_unread(&mut self, event: &str) -> Option<Weight> {
        self.streams.weigh(event)
    }

    fn fold(&mut self, event: &str, sheet: &mut Sheet) {
        let Some(event) = readable(event, sheet) else { return };
        let Some(method) = event["method"].as_str() else {
            let response = event.get("id").is_some() && (event.get("result").is_some() || event.get("error").is_some());
            if !response && !fold_text_line(&event, sheet) {
                let label = event["type"].as_str().unwrap_or("message").to_owned();
                sheet.add(None, unknown(&label, event));
            }
            return;
        };
        let params = &event["params"];
        let parent = self.parent(params);
        match method {
            "item/started" => self.started(params, &event, sheet),
            "item/completed" => self.completed(params, &event, sheet),
            "turn/completed" => self.turn_ended(params, sheet),
            "turn/plan/updated" => {
                let steps = params["plan"].as_array().into_iter().flatten();
                let entries = steps.map(|step| plan_entry(step["step"].as_str().unwrap_or_default(), &step["status"]));
                sheet.add(parent.as_deref(), ItemBody::Plan { entries: entries.collect() });
            }
            _ if line::is_piece(method) || SILENT.contains(&method) || REQUESTS.contains(&method) => {}
            _ => match news::news(method, params) {
                Some(bodies) => bodies.into_iter().for_each(|body| sheet.add(parent.as_deref(), body)),
                None => sheet.add(parent.as_deref(), unknown(method, event.clone())),
            },
        }
    }
}

impl Codex {
    /// The call that began the thread which the message belongs to, when it is a sub-agent's.
    fn parent(&self, params: &Value) -> Option<String> {
        self.spawned.get(params["threadId"].as_str()?).cloned()
    }

    /// A turn that was cut off leaves calls without an end. Their processes may run on, and may tell of it later.
    fn turn_ended(&mut self, params: &Value, sheet: &mut Sheet) {
        if !matches!(params["turn"]["status"].as_str(), Some("interrupted" | "failed")) {
            return;
        }
        let thread = params["threadId"].as_str().unwrap_or_default();
        for (id, _) in self.running.iter().filter(|(_, of)| of.as_str() == thread) {
            change_call(sheet, id, |call| call.status = ToolStatus::Cancelled);
        }
    }
}
