//! How Codex keeps a conversation (a "rollout"): what went to and came from the model, and some of what its own programs were told.
//!
//! Its app server, whose messages the adapter knows, tells the same in other words: they are put into those here.

use std::path::Path;

use protocol::runner::Usage;
use serde_json::{Value, json};

use crate::claude::short;
use crate::codex_calls::Calls;
use crate::conversation::{Reader, Step};
use crate::error::EarlierError;
use crate::files::Found;
use crate::{Cli, Earlier, lines};

/// So much of a file tells what the conversation is about. Its first line has the instructions of the model in it.
const HEAD_BYTES: u64 = 1024 * 1024;

/// What the beginning of a file tells. None when nobody has said anything in it, or it is a sub-agent's.
pub(crate) fn look(found: &Found) -> Option<Earlier> {
    let mut lines = lines::of(&found.file, HEAD_BYTES).ok()?;
    let (mut cwd, mut began, mut prompt) = (None, None, None);
    while let Ok(Some(line)) = lines.next() {
        let payload = &line["payload"];
        match line["type"].as_str().unwrap_or_default() {
            "session_meta" => {
                // Sub-agents belong to the conversation that began them.
                if payload["source"].is_object() {
                    return None;
                }
                cwd = cwd.or_else(|| payload["cwd"].as_str().map(str::to_owned));
                began = began.or_else(|| line["timestamp"].as_str().map(str::to_owned));
            }
            "event_msg" => prompt = Prompts::of(payload).and_then(|form| form.words(payload)).or(prompt),
            "response_item" => prompt = prompt.or_else(|| said_to_model(payload)),
            _ => {}
        }
        if cwd.is_some() && prompt.is_some() {
            break;
        }
    }
    Some(Earlier {
        cli: Cli::Codex,
        file: found.file.clone(),
        native_id: found.native_id.clone(),
        title: short(&prompt?),
        cwd: cwd?,
        began: began.unwrap_or_else(|| found.changed()),
        changed: found.changed(),
        bytes: found.bytes,
    })
}

/// What a person said, where it stands only as the model got it: among notes in tags and the project's own instructions.
fn said_to_model(item: &Value) -> Option<String> {
    if item["type"] != "message" || item["role"] != "user" {
        return None;
    }
    let text = words(&item["content"]);
    let is_note = text.trim_start().starts_with('<') || text.starts_with("# AGENTS.md instructions");
    (!text.trim().is_empty() && !is_note).then_some(text)
}

/// The texts of a message's content.
fn words(content: &Value) -> String {
    let blocks = content.as_array().map(Vec::as_slice).unwrap_or_default();
    blocks.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n")
}

/// How a file tells prompts. Versions of Codex differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Prompts {
    /// Only as the model got them.
    #[default]
    ToModel,
    /// As events of their own.
    Events,
    /// As items that were completed, like the agent's.
    Items,
}

impl Prompts {
    /// The form of an event that is a prompt; None for other events.
    fn of(payload: &Value) -> Option<Self> {
        match payload["type"].as_str()? {
            "user_message" => Some(Self::Events),
            "item_completed" if payload["item"]["type"] == "UserMessage" => Some(Self::Items),
            _ => None,
        }
    }

    /// The words of an event that is a prompt in this form.
    fn words(self, payload: &Value) -> Option<String> {
        match (self, Self::of(payload)?) {
            (Self::Events, Self::Events) => payload["message"].as_str().map(str::to_owned),
            (Self::Items, Self::Items) => Some(words(&payload["item"]["content"])),
            (Self::ToModel | Self::Events | Self::Items, _) => None,
        }
    }
}

/// Reads the lines of a file.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    prompts: Prompts,
    calls: Calls,
    items: u64,
    /// What the conversation had used when the last turn ended.
    counted: Usage,
}

impl Lines {
    /// For this file, whose form is found out first.
    pub(crate) fn of(file: &Path) -> Result<Self, EarlierError> {
        let mut lines = lines::of(file, u64::MAX)?;
        while let Ok(Some(line)) = lines.next() {
            if let Some(prompts) = Some(&line["payload"]).filter(|_| line["type"] == "event_msg").and_then(Prompts::of)
            {
                return Ok(Self { prompts, ..Self::default() });
            }
        }
        Ok(Self::default())
    }

    fn event(&mut self, payload: &Value, steps: &mut Vec<Step>) {
        if let Some(text) = self.prompts.words(payload) {
            steps.push(self.prompt(&text));
        }
        match payload["type"].as_str().unwrap_or_default() {
            "user_message" => {
                let images = ["images", "local_images"].iter().filter_map(|field| payload[*field].as_array());
                if images.map(Vec::len).sum::<usize>() > 0 {
                    steps.push(Step::Left(
                        "The images that went with this prompt are not copied; the agent still knows them.",
                    ));
                }
            }
            "token_count" => steps.extend(self.used(&payload["info"]["total_token_usage"])),
            "turn_aborted" => steps.push(Step::Interrupted),
            "task_complete" | "turn_complete" => steps.push(Step::Over),
            "context_compacted" => steps.push(self.completed(json!({ "type": "contextCompaction" }))),
            "error" => {
                let text = payload["message"].as_str().unwrap_or("The turn failed.");
                steps.push(Step::Event(json!({ "method": "error", "params": { "error": { "message": text } } })));
            }
            _ => {}
        }
    }

    fn item(&mut self, payload: &Value, steps: &mut Vec<Step>) {
        match payload["type"].as_str().unwrap_or_default() {
            "message" if payload["role"] == "assistant" => {
                let text = words(&payload["content"]);
                steps.push(self.completed(json!({ "type": "agentMessage", "text": text })));
            }
            "message" if self.prompts == Prompts::ToModel => {
                if let Some(text) = said_to_model(payload) {
                    steps.push(self.prompt(&text));
                }
            }
            "reasoning" => {
                let parts = payload["summary"].as_array().map(Vec::as_slice).unwrap_or_default();
                let parts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
                if !parts.is_empty() {
                    steps.push(self.completed(json!({ "type": "reasoning", "summary": parts })));
                }
            }
            "function_call" | "custom_tool_call" | "local_shell_call" | "web_search_call" => {
                steps.extend(self.calls.begun(payload).into_iter().map(Step::Event));
            }
            "function_call_output" | "custom_tool_call_output" => {
                steps.extend(self.calls.ended(payload).into_iter().map(Step::Event));
            }
            _ => {}
        }
    }

    fn prompt(&mut self, text: &str) -> Step {
        self.items += 1;
        Step::Prompt { text: text.to_owned(), id: format!("earlier-{}", self.items) }
    }

    /// An item that is finished when it is told.
    fn completed(&mut self, mut item: Value) -> Step {
        self.items += 1;
        item["id"] = Value::from(format!("earlier-{}", self.items));
        Step::Event(json!({ "method": "item/completed", "params": { "item": item } }))
    }

    /// What was used since the last such line: they count from the beginning.
    fn used(&mut self, total: &Value) -> Option<Step> {
        let number = |field: &str| total[field].as_u64();
        let cached = number("cached_input_tokens");
        let now = Usage {
            // Tokens from the cache are counted among those that were sent.
            input_tokens: number("input_tokens").map(|all| all.saturating_sub(cached.unwrap_or(0))),
            output_tokens: number("output_tokens"),
            cache_read_tokens: cached,
            ..Usage::default()
        };
        now.output_tokens?;
        let before = std::mem::replace(&mut self.counted, now);
        let more = |now: Option<u64>, before: Option<u64>| now.map(|now| now.saturating_sub(before.unwrap_or(0)));
        Some(Step::Used(Usage {
            input_tokens: more(now.input_tokens, before.input_tokens),
            output_tokens: more(now.output_tokens, before.output_tokens),
            cache_read_tokens: more(now.cache_read_tokens, before.cache_read_tokens),
            ..Usage::default()
        }))
    }
}

impl Reader for Lines {
    fn read(&mut self, line: &Value, steps: &mut Vec<Step>) {
        let payload = &line["payload"];
        match line["type"].as_str().unwrap_or_default() {
            "turn_context" => {
                self.calls.cwd(payload["cwd"].as_str());
                steps.extend(payload["model"].as_str().map(|model| Step::Model(model.to_owned())));
            }
            "event_msg" => self.event(payload, steps),
            "response_item" => self.item(payload, steps),
            "compacted" => steps.push(self.completed(json!({ "type": "contextCompaction" }))),
            _ => {}
        }
    }
}
