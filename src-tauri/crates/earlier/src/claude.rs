//! How Claude Code keeps a conversation: one line for each message, nearly as its stream has it, among notes to itself.

use std::collections::BTreeSet;

use protocol::runner::Usage;
use serde_json::{Value, json};

use crate::conversation::{Reader, Step};
use crate::files::Found;
use crate::{Cli, Earlier, lines};

/// So much of a file tells what the conversation is about.
const HEAD_BYTES: u64 = 512 * 1024;
/// Characters of a title.
const TITLE: usize = 80;

/// What the beginning of a file tells. None when nobody has said anything in it.
pub(crate) fn look(found: &Found) -> Option<Earlier> {
    let mut lines = lines::of(&found.file, HEAD_BYTES).ok()?;
    let (mut title, mut prompt, mut cwd, mut began) = (None, None, None, None);
    while let Ok(Some(line)) = lines.next() {
        let word = |field: &str| line[field].as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        title = match line["type"].as_str().unwrap_or_default() {
            "custom-title" => word("customTitle").or(title),
            "ai-title" => title.or(word("aiTitle")),
            "summary" => title.or(word("summary")),
            _ => title,
        };
        cwd = cwd.or_else(|| word("cwd"));
        began = began.or_else(|| word("timestamp"));
        prompt = prompt.or_else(|| said(&line));
        if title.is_some() && prompt.is_some() && cwd.is_some() {
            break;
        }
    }
    let (prompt, cwd) = (prompt?, cwd?);
    Some(Earlier {
        cli: Cli::Claude,
        file: found.file.clone(),
        native_id: found.native_id.clone(),
        title: short(&title.unwrap_or(prompt)),
        cwd,
        began: began.unwrap_or_else(|| found.changed()),
        changed: found.changed(),
        bytes: found.bytes,
    })
}

/// The first line of a text, as long as a title is.
pub(crate) fn short(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(TITLE) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

/// The words of a prompt: what a person wrote, and none of what claude notes as if a person had said it.
fn said(line: &Value) -> Option<String> {
    let marks = ["isMeta", "isSidechain", "isCompactSummary", "isVisibleInTranscriptOnly"];
    if line["type"] != "user" || marks.iter().any(|mark| line[*mark] == true) {
        return None;
    }
    let text = match &line["message"]["content"] {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            let texts =
                blocks.iter().filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    let text = text.trim();
    if let Some(command) = between(text, "command-name") {
        let arguments = between(text, "command-args").unwrap_or_default();
        return Some(format!("{} {arguments}", command.trim()).trim().to_owned());
    }
    let is_note = ["<local-command-", "<bash-stdout>", "<bash-stderr>", "<task-notification>", INTERRUPTED];
    (!text.is_empty() && !is_note.iter().any(|note| text.starts_with(note))).then(|| text.to_owned())
}

/// How claude notes that the user broke off a turn.
const INTERRUPTED: &str = "[Request interrupted by user";

fn between<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let rest = text.split_once(&format!("<{tag}>"))?.1;
    Some(rest.split_once(&format!("</{tag}>"))?.0)
}

/// Reads the lines of a file.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// Messages whose use has been counted: it stands in every line of a message.
    counted: BTreeSet<String>,
    /// US dollars that are in turns already.
    paid: f64,
    told_images: bool,
}

impl Reader for Lines {
    fn read(&mut self, line: &Value, steps: &mut Vec<Step>) {
        // Sub-agents have files of their own; where older versions put them here, nothing says which call they belong to.
        if line["isSidechain"] == true {
            return;
        }
        match line["type"].as_str().unwrap_or_default() {
            "assistant" => self.assistant(line, steps),
            "user" => self.user(line, steps),
            "cost-state" => steps.extend(self.cost(line["totalCostUSD"].as_f64())),
            "system" if line["subtype"] == "compact_boundary" => {
                let meta = &line["compactMetadata"];
                let told = json!({ "trigger": meta["trigger"], "pre_tokens": meta["preTokens"] });
                let event = json!({ "type": "system", "subtype": "compact_boundary", "compact_metadata": told });
                steps.push(Step::Event(event));
            }
            _ => {}
        }
    }
}

impl Lines {
    fn assistant(&mut self, line: &Value, steps: &mut Vec<Step>) {
        let message = &line["message"];
        // An API error is written as a message of no model.
        if let Some(model) = message["model"].as_str().filter(|model| !model.starts_with('<')) {
            steps.push(Step::Model(model.to_owned()));
        }
        let mut event = json!({ "type": "assistant", "message": message, "parent_tool_use_id": null });
        for field in ["isApiErrorMessage", "error"] {
            if !line[field].is_null() {
                event[field] = line[field].clone();
            }
        }
        steps.push(Step::Event(event));
        let id = message["id"].as_str().unwrap_or_default();
        if !id.is_empty() && self.counted.insert(id.to_owned()) {
            steps.push(Step::Used(used(&message["usage"])));
        }
    }

    /// It is told from the beginning of the conversation, each time that the program ends.
    fn cost(&mut self, total: Option<f64>) -> Option<Step> {
        let more = total? - self.paid;
        self.paid = total?;
        (more > 0.0).then(|| Step::Used(Usage { cost_usd: Some(more), ..Usage::default() }))
    }

    fn user(&mut self, line: &Value, steps: &mut Vec<Step>) {
        let blocks = line["message"]["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        let has = |kind: &str| blocks.iter().any(|block| block["type"] == kind);
        if has("tool_result") {
            let mut event = json!({ "type": "user", "message": line["message"], "parent_tool_use_id": null });
            // In the stream it is called so.
            event["tool_use_result"] = line["toolUseResult"].clone();
            steps.push(Step::Event(event));
        }
        if let Some(text) = said(line) {
            steps.push(Step::Prompt { text, id: line["uuid"].as_str().unwrap_or_default().to_owned() });
            if (has("image") || has("document")) && !std::mem::replace(&mut self.told_images, true) {
                steps.push(Step::Left(
                    "Images and documents that went with prompts are not copied; the agent still knows them.",
                ));
            }
            return;
        }
        let text =
            line["message"]["content"].as_str().or_else(|| blocks.iter().find_map(|block| block["text"].as_str()));
        match text.map(str::trim_start) {
            Some(text) if text.starts_with(INTERRUPTED) => steps.push(Step::Interrupted),
            // What a slash command printed.
            Some(text) if text.starts_with("<local-command-std") => {
                steps.push(Step::Event(json!({ "type": "user", "message": { "role": "user", "content": text } })));
            }
            Some(_) | None => {}
        }
    }
}

fn used(usage: &Value) -> Usage {
    let number = |field: &str| usage[field].as_u64();
    Usage {
        input_tokens: number("input_tokens"),
        output_tokens: number("output_tokens"),
        cache_read_tokens: number("cache_read_input_tokens"),
        cache_write_tokens: number("cache_creation_input_tokens"),
        ..Usage::default()
    }
}
