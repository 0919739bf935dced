//! The adapter `acp`: the messages of an agent that speaks the Agent Client Protocol, and the few events that its runner adds
//! (`runners/acp.mjs`).
//!
//! The protocol streams text in chunks and never sends the finished block, so the runner does: `text` and `thought`. A call that the
//! agent tells of without having told that it began is begun by the runner too, because folding may start anywhere. Prompts, turns,
//! usage and permissions come as lines of the runner's own; here they give no item.

mod call;
mod line;
mod own;
mod update;

use std::collections::{BTreeMap, BTreeSet};

use protocol::item::ToolStatus;
use protocol::record::NoticeLevel;
use serde_json::Value;

use crate::adapter::{Adapter, Weight, notice, parsed, readable, unknown};
use crate::sheet::Sheet;
use crate::tool_call::{change_call, tool_key};
use call::Parts;
use line::Streams;

/// What an agent asks of its client: the runner answers, and the agent's own updates tell what came of it.
const REQUESTS: [&str; 10] = [
    "session/request_permission",
    "fs/read_text_file",
    "fs/write_text_file",
    "terminal/create",
    "terminal/output",
    "terminal/wait_for_exit",
    "terminal/kill",
    "terminal/release",
    // qwen's own, which the runner refuses.
    "craft/drainMidTurnQueue",
    "craft/start_turn",
];

/// Notifications that say nothing to a person, or nothing that another message does not say.
const SILENT: [&str; 1] = ["qwen/notify/session/mode-update"];

/// What must be remembered of a session over ACP.
#[derive(Debug, Default)]
pub(crate) struct Acp {
    /// While weighing: what is being streamed.
    streams: Streams,
    /// While folding: what is known of the calls that run.
    running: BTreeMap<String, Parts>,
    /// While folding: calls that were not allowed, of whose end the agent may tell or not.
    denied: BTreeSet<String>,
}

impl Adapter for Acp {
    fn weigh(&mut self, event: &str) -> Weight {
        parsed(event, |text| self.streams.weigh(text)).unwrap_or_else(Weight::durable)
    }

    fn weigh_unread(&mut self, event: &str) -> Option<Weight> {
        self.streams.weigh(event)
    }

    fn fold(&mut self, event: &str, sheet: &mut Sheet) {
        let Some(event) = readable(event, sheet) else { return };
        let Some(method) = event["method"].as_str() else { return self.without_method(event, sheet) };
        match method {
            "session/update" => self.update(&event, sheet),
            "session/request_permission" => self.asked(&event["params"]["toolCall"], sheet),
            "auth/status_update" | "_auth/status_update" => signed_in(&event["params"]["authStatus"], sheet),
            _ if REQUESTS.contains(&method) || SILENT.contains(&method) => {}
            _ => {
                let label = method.to_owned();
                sheet.add(None, unknown(&label, event));
            }
        }
    }
}

impl Acp {
    /// An answer to a request of the runner, an event of the runner's own, or what nobody knows.
    fn without_method(&mut self, event: Value, sheet: &mut Sheet) {
        let answer = event.get("id").is_some() && (event.get("result").is_some() || event.get("error").is_some());
        if !answer {
            return self.own(event, sheet);
        }
        if event["result"]["stopReason"].is_string() {
            for id in std::mem::take(&mut self.denied) {
                self.running.remove(&id);
                sheet.close(&tool_key(&id));
            }
        }
        if event["result"]["stopReason"] == "cancelled" {
            for id in std::mem::take(&mut self.running).into_keys() {
                change_call(sheet, &id, |call| call.status = ToolStatus::Cancelled);
            }
        }
    }
}

/// The runner tells which kind of account the agent uses; that it has none stands here.
fn signed_in(status: &Value, sheet: &mut Sheet) {
    if status["kind"] == "none" {
        let label = status["label"].as_str().unwrap_or("not signed in");
        sheet.add(None, notice(NoticeLevel::Warning, "auth", format!("Account: {label}.")));
    }
}
