//! What do the events of the runner itself mean, which it puts between the agent's (`runners/README.md`)?

use protocol::item::{ItemBody, ToolStatus};
use protocol::record::NoticeLevel;
use protocol::runner::ToolKind;
use serde_json::{Value, json};

use super::Acp;
use crate::adapter::{fold_text_line, notice, unknown};
use crate::sheet::Sheet;
use crate::tool_call::{change_call, running, text, title};

impl Acp {
    pub(super) fn own(&mut self, event: Value, sheet: &mut Sheet) {
        match event["type"].as_str().unwrap_or_default() {
            "text" if event["text"].is_string() => {
                say(&event, sheet, |text| ItemBody::AgentMessage { text, open: false })
            }
            "thought" if event["text"].is_string() => {
                say(&event, sheet, |text| ItemBody::Thought { text, open: false })
            }
            "unannounced_tool_call" if event["toolCallId"].is_string() => {
                let name = event["name"].as_str().unwrap_or("tool");
                self.begin_untold(word(&event, "toolCallId"), name, sheet);
            }
            "tool_call_denied" if event["toolCallId"].is_string() => self.deny(word(&event, "toolCallId"), sheet),
            "terminal_output" => {}
            "terminal_exit" => self.terminal(&event, sheet),
            "notice" => sheet.add(None, told(&event)),
            _ if fold_text_line(&event, sheet) => {}
            _ => {
                let label = event["type"].as_str().unwrap_or("message").to_owned();
                sheet.add(None, unknown(&label, event));
            }
        }
    }

    /// What the agent tells of the call after this may say more of it, and no longer how it ended.
    fn deny(&mut self, id: &str, sheet: &mut Sheet) {
        let at = sheet.at().to_owned();
        self.denied.insert(id.to_owned());
        change_call(sheet, id, |call| {
            call.status = ToolStatus::Denied;
            call.ended_at = Some(at);
        });
    }

    /// A terminal that no call shows, or whose call is over, is shown by itself. The runner says which.
    fn terminal(&mut self, event: &Value, sheet: &mut Sheet) {
        let output = event["output"].as_str().unwrap_or_default();
        let code = event["exitCode"].as_i64().unwrap_or_default();
        if let Some(id) = event["toolCallId"].as_str() {
            let parts = self.running.entry(id.to_owned()).or_default();
            change_call(sheet, id, |call| parts.printed(output, code, call));
            return;
        }
        let (id, command) = (word(event, "terminalId"), word(event, "command"));
        let input = json!({ "command": command });
        let mut call = running(id, "terminal", ToolKind::Execute, title("Run", command), input);
        call.content.extend(text(output));
        if code != 0 {
            call.content.extend(text(&format!("exit code {code}")));
        }
        call.status = match (event["signal"].is_string(), code) {
            (true, _) => ToolStatus::Cancelled,
            (false, 0) => ToolStatus::Completed,
            (false, _) => ToolStatus::Failed,
        };
        call.ended_at = Some(sheet.at().to_owned());
        sheet.add(None, ItemBody::ToolCall(call));
    }
}

fn word<'a>(event: &'a Value, field: &str) -> &'a str {
    event[field].as_str().unwrap_or_default()
}

fn say(event: &Value, sheet: &mut Sheet, body: impl FnOnce(String) -> ItemBody) {
    let text = word(event, "text");
    if !text.is_empty() {
        sheet.add(event["parent"].as_str(), body(text.to_owned()));
    }
}

fn told(event: &Value) -> ItemBody {
    let level = serde_json::from_value(event["level"].clone()).unwrap_or(NoticeLevel::Info);
    notice(level, word(event, "code"), word(event, "text").to_owned())
}
