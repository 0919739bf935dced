//! The adapter `opencode`: the events of `opencode serve` (`{id, type, properties}`), those of its sub-agents too.
//!
//! Knows the events of 1.18. Prompts, the ends of turns, usage, errors of the session and permission requests come as lines of the
//! runner's own; here they give no item.

mod call;
mod line;

use std::collections::BTreeMap;

use protocol::item::ItemBody;
use protocol::record::NoticeLevel;
use serde_json::Value;

use crate::adapter::{Adapter, Weight, fold_text_line, notice, parsed, readable, unknown};
use crate::plan::plan;
use crate::sheet::Sheet;
use crate::tool_call::{end_call, tool_key};
use line::Streams;

/// Events that say nothing to a person, or nothing that another event or a line of the runner does not say.
const SILENT: [&str; 54] = [
    "server.connected",
    "server.heartbeat",
    "server.instance.disposed",
    "global.disposed",
    "models-dev.refreshed",
    "integration.updated",
    "integration.connection.updated",
    "catalog.updated",
    "reference.updated",
    "plugin.added",
    "session.created",
    "session.updated",
    "session.deleted",
    "session.diff",
    "session.idle",
    "message.updated",
    "message.removed",
    "message.part.removed",
    "message.part.delta",
    "installation.updated",
    "installation.update-available",
    "file.edited",
    "file.watcher.updated",
    "permission.asked",
    "permission.replied",
    "permission.v2.asked",
    "permission.v2.replied",
    "question.asked",
    "question.replied",
    "question.rejected",
    "question.v2.asked",
    "question.v2.replied",
    "question.v2.rejected",
    "project.updated",
    "project.directories.updated",
    "pty.created",
    "pty.updated",
    "pty.exited",
    "pty.deleted",
    "lsp.updated",
    "lsp.client.diagnostics",
    "tui.prompt.append",
    "tui.command.execute",
    "tui.toast.show",
    "tui.session.select",
    "mcp.tools.changed",
    "command.executed",
    "vcs.branch.updated",
    "workspace.ready",
    "workspace.failed",
    "workspace.status",
    "worktree.ready",
    "worktree.failed",
    "ide.installed",
];

/// A second account of the same work, for clients of a newer interface.
const SECOND_ACCOUNT: &str = "session.next.";

/// What must be remembered of a session of opencode.
#[derive(Debug, Default)]
pub(crate) struct Opencode {
    /// While weighing: the blocks that are being streamed.
    streams: Streams,
    /// While folding: sessions of sub-agents, and the call that began each.
    tasks: BTreeMap<String, String>,
}

impl Adapter for Opencode {
    fn weigh(&mut self, event: &str) -> Weight {
        parsed(event, |text| self.streams.weigh(text)).unwrap_or_else(Weight::durable)
    }

    fn weigh_unread(&mut self, event: &str) -> Option<Weight> {
        self.streams.weigh(event)
    }

    fn fold(&mut self, event: &str, sheet: &mut Sheet) {
        let Some(event) = readable(event, sheet) else { return };
        let kind = event["type"].as_str().unwrap_or("event").to_owned();
        let properties = &event["properties"];
        let parent = self.tasks.get(properties["sessionID"].as_str().unwrap_or_default()).cloned();
        let parent = parent.as_deref();
        match kind.as_str() {
            "message.part.updated" => self.part(&event, parent, sheet),
            "todo.updated" => sheet.add(parent, ItemBody::Plan { entries: plan(&properties["todos"]) }),
            "session.status" => status(&properties["status"], parent, sheet),
            "session.error" => session_error(&properties["error"], parent, sheet),
            "session.compacted" => {
                let text = "The conversation was compacted.".to_owned();
                sheet.add(parent, notice(NoticeLevel::Info, "compacted", text));
            }
            "mcp.browser.open.failed" => {
                let word = |field: &str| properties[field].as_str().unwrap_or_default();
                let text = format!("The MCP server {} wants to be logged in to at {}", word("mcpName"), word("url"));
                sheet.add(parent, notice(NoticeLevel::Warning, "mcp", text));
            }
            _ if SILENT.contains(&kind.as_str()) || kind.starts_with(SECOND_ACCOUNT) => {}
            _ if fold_text_line(&event, sheet) => {}
            _ => sheet.add(parent, unknown(&kind, event)),
        }
    }
}

impl Opencode {
    fn part(&mut self, event: &Value, parent: Option<&str>, sheet: &mut Sheet) {
        let part = &event["properties"]["part"];
        let text = || part["text"].as_str().unwrap_or_default().to_owned();
        // What the user wrote has no time; what the agent writes has an end when it is whole.
        let is_whole = !part["time"]["end"].is_null() && part["synthetic"] != true && part["ignored"] != true;
        match part["type"].as_str().unwrap_or_default() {
            "text" if is_whole && !text().is_empty() => {
                sheet.add(parent, ItemBody::AgentMessage { text: text(), open: false });
            }
            "reasoning" if is_whole && !text().is_empty() => {
                sheet.add(parent, ItemBody::Thought { text: text(), open: false });
            }
            "tool" => self.tool(part, event, parent, sheet),
            "text" | "reasoning" | "step-start" | "step-finish" | "snapshot" | "patch" | "file" | "agent"
            | "subtask" | "retry" | "compaction" => {}
            other => sheet.add(parent, unknown(&format!("part/{other}"), event.clone())),
        }
    }

    fn tool(&mut self, part: &Value, event: &Value, parent: Option<&str>, sheet: &mut Sheet) {
        let Some(id) = part["callID"].as_str() else {
            return sheet.add(parent, unknown("part/tool", event.clone()));
        };
        let state = &part["state"];
        let child = state["metadata"]["sessionId"].as_str();
        let is_task = part["tool"] == "task";
        if let (true, Some(child)) = (is_task, child) {
            self.tasks.insert(child.to_owned(), id.to_owned());
        }
        match state["status"].as_str().unwrap_or_default() {
            "pending" => {}
            // A delegation is told when the session of its sub-agent is known.
            "running" if is_task && child.is_none() => {}
            "running" => sheet.open(&tool_key(id), parent, ItemBody::ToolCall(call::call(part, id))),
            "completed" | "error" => {
                // One that ended without a session was not told before.
                if is_task && child.is_none() {
                    sheet.open(&tool_key(id), parent, ItemBody::ToolCall(call::call(part, id)));
                }
                end_call(sheet, id, |open| call::finish(open, part));
            }
            other => sheet.add(parent, unknown(&format!("part/tool/{other}"), event.clone())),
        }
    }
}

/// opencode tries again by itself, for as long as it takes.
fn status(status: &Value, parent: Option<&str>, sheet: &mut Sheet) {
    if status["type"] != "retry" {
        return;
    }
    let (attempt, message) = (status["attempt"].as_u64().unwrap_or(1), status["message"].as_str().unwrap_or_default());
    let text = format!("The provider failed: {message}. opencode tries again (attempt {attempt}).");
    sheet.add(parent, notice(NoticeLevel::Warning, "retry", text));
}

/// What went wrong in the session itself is told by the runner; a sub-agent's trouble is told here.
fn session_error(error: &Value, parent: Option<&str>, sheet: &mut Sheet) {
    if parent.is_none() || error["name"] == "MessageAbortedError" {
        return;
    }
    let said = error["data"]["message"].as_str().or_else(|| error["name"].as_str()).unwrap_or("an error");
    sheet.add(parent, notice(NoticeLevel::Warning, "sub_agent", format!("The sub-agent failed: {said}")));
}
