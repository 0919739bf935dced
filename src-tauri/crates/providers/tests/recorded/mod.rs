//! Reads the recorded streams, and passes them through an adapter as a keeper and a reader would.

#![allow(dead_code, reason = "each test file uses what it needs")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use outrigger_providers::{Sheet, Weight, adapter};
use protocol::Item;
use protocol::item::{ItemBody, ToolContent};
use serde_json::Value;

/// What one CLI printed in one scenario.
pub(crate) struct Recording {
    /// `claude` or `codex`.
    pub(crate) provider: String,
    /// The scenario.
    pub(crate) name: String,
    /// Its lines.
    pub(crate) lines: Vec<String>,
}

/// A durable record.
pub(crate) struct Record {
    pub(crate) seq: u64,
    pub(crate) closes: Option<String>,
    pub(crate) event: String,
}

/// What came of a recording.
#[derive(Default)]
pub(crate) struct Folded {
    pub(crate) records: Vec<Record>,
    /// In the order in which they were opened.
    pub(crate) items: BTreeMap<(u64, u32), Item>,
    /// The item that took the place of each live item.
    pub(crate) replaced: BTreeMap<String, (u64, u32)>,
    /// The text of each block that was streamed and finished.
    pub(crate) closed: Vec<(String, String)>,
    pub(crate) open_blocks: BTreeMap<String, String>,
}

pub(crate) fn recordings(provider: &str) -> Vec<Recording> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/streams").join(provider);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: PathBuf| Recording {
        provider: provider.to_owned(),
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        lines: std::fs::read_to_string(&path)
            .unwrap()
            .split('\n')
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    files.into_iter().map(read).collect()
}

impl Recording {
    /// Whether the agent came to the end of its last turn.
    pub(crate) fn is_finished(&self) -> bool {
        let has = |line: &String, mark: &str| line.contains(mark);
        match self.provider.as_str() {
            "demo" | "ollama" => true,
            "opencode" => self.lines.iter().any(|line| has(line, r#""type":"session.idle""#)),
            "acp" => self.lines.iter().any(|line| has(line, r#""stopReason""#)),
            "claude" => self.lines.last().is_some_and(|line| has(line, r#""type":"result""#)),
            _ => {
                let ends = self.lines.iter().filter(|line| has(line, r#""method":"turn/completed""#)).count();
                let starts = self.lines.iter().filter(|line| has(line, r#""method":"turn/started""#)).count();
                ends > 0 && ends == starts
            }
        }
    }
}

/// Weighs each line and folds the durable ones.
pub(crate) fn run(recording: &Recording) -> Folded {
    let mut folded = Folded::default();
    let (mut live, mut reader) = (adapter(&recording.provider).unwrap(), adapter(&recording.provider).unwrap());
    let mut sheet = Sheet::new();
    for line in &recording.lines {
        match live.weigh(line) {
            Weight::Ephemeral | Weight::KeepAlive => {}
            Weight::Delta(delta) => folded.open_blocks.entry(delta.block).or_default().push_str(&delta.text),
            Weight::Durable { closes, .. } => {
                let seq = folded.records.len() as u64 + 1;
                if let Some(block) = &closes {
                    let text = folded.open_blocks.remove(block).unwrap_or_else(|| panic!("{block} was not open"));
                    folded.closed.push((block.clone(), text));
                }
                let record = Record { seq, closes, event: line.clone() };
                fold(reader.as_mut(), &mut sheet, &record, &mut folded.items, &mut folded.replaced);
                folded.records.push(record);
            }
        }
    }
    folded
}

/// Folds records with a fresh adapter.
pub(crate) fn fold_from(provider: &str, records: &[Record]) -> BTreeMap<(u64, u32), Item> {
    let mut reader = adapter(provider).unwrap();
    let (mut sheet, mut items, mut replaced) = (Sheet::new(), BTreeMap::new(), BTreeMap::new());
    for record in records {
        fold(reader.as_mut(), &mut sheet, record, &mut items, &mut replaced);
    }
    items
}

fn fold(
    reader: &mut dyn outrigger_providers::Adapter,
    sheet: &mut Sheet,
    record: &Record,
    items: &mut BTreeMap<(u64, u32), Item>,
    replaced: &mut BTreeMap<String, (u64, u32)>,
) {
    sheet.begin(
        record.seq,
        &format!("2026-11-21T08:{:02}:{:02}.000Z", record.seq / 60, record.seq % 60),
        record.closes.as_deref(),
    );
    reader.fold(&record.event, sheet);
    for change in sheet.take() {
        let (seq, n) = change.item.id.split_once('.').unwrap();
        let key = (seq.parse().unwrap(), n.parse().unwrap());
        if let Some(live) = change.replaces {
            replaced.insert(live, key);
        }
        items.insert(key, change.item);
    }
}

/// The items as a page of text, one line each.
pub(crate) fn page(folded: &Folded) -> String {
    folded.items.values().map(line).collect::<Vec<_>>().join("\n")
}

fn line(item: &Item) -> String {
    let parent = item.parent.as_deref().map(|parent| format!(" <{parent}>")).unwrap_or_default();
    let id = format!("{}→{}{parent}", item.id, item.last_seq);
    match &item.body {
        ItemBody::AgentMessage { text, .. } => format!("{id} says {}", short(text)),
        ItemBody::Thought { text, .. } => format!("{id} thinks {}", short(text)),
        ItemBody::ToolCall(call) => {
            let content: Vec<_> = call.content.iter().map(piece).collect();
            let took = call.duration_ms.map(|_| " timed").unwrap_or_default();
            format!(
                "{id} {:?}/{} [{}] {:?}{took} at {:?} => {}",
                call.kind,
                call.name,
                call.title,
                call.status,
                call.locations.iter().map(|location| &location.path).collect::<Vec<_>>(),
                content.join(" | ")
            )
        }
        other => format!("{id} {}", short(&serde_json::to_string(other).unwrap())),
    }
}

fn piece(content: &ToolContent) -> String {
    match content {
        ToolContent::Text { text } => short(text),
        ToolContent::Diff { path, old_text, new_text, patch } => {
            let part = |name: &str, text: &Option<String>| text.as_ref().map(|text| format!(" {name}={}", short(text)));
            let parts = [part("old", old_text), part("new", new_text), part("patch", patch)];
            format!("diff {path}{}", parts.into_iter().flatten().collect::<String>())
        }
        ToolContent::Image { mime_type, data } => format!("{mime_type} of {}", data.len()),
        ToolContent::Json { value } => short(&Value::to_string(value)),
    }
}

fn short(text: &str) -> String {
    let cut: String = text.chars().take(160).collect();
    format!("{:?}{}", cut, if cut.len() < text.len() { "…" } else { "" })
}
