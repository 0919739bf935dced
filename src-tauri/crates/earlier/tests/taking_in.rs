//! Recorded conversations of the real CLIs, and made ones, become sessions that read like every other.
//!
//! `kept/` has the files as the CLIs wrote them, talking to a stand-in of their vendors.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use journal::SessionFolder;
use outrigger_earlier::{Cli, Earlier, TakenIn, find, list, take_in};
use protocol::item::{Item, ItemBody, ToolContent, ToolStatus};
use protocol::runner::StopReason;
use serde_json::json;
use tempfile::TempDir;
use transcript::Transcript;

const ID: &str = "0a1b2c3d-1111-4222-8333-444455556666";

/// A CLI's folder and ours.
struct Stage {
    cli: Cli,
    kept: TempDir,
    ours: TempDir,
}

impl Stage {
    fn new(cli: Cli) -> Self {
        Self { cli, kept: tempfile::tempdir().unwrap(), ours: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        match self.cli {
            Cli::Claude => self.kept.path().join(format!("-w/{ID}.jsonl")),
            Cli::Codex => self.kept.path().join(format!("2026/11/21/rollout-2026-11-21T08-05-23-{ID}.jsonl")),
        }
    }

    fn with(cli: Cli, text: &str) -> Self {
        let stage = Self::new(cli);
        fs::create_dir_all(stage.file().parent().unwrap()).unwrap();
        fs::write(stage.file(), text).unwrap();
        stage
    }

    fn recorded(cli: Cli, name: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kept").join(name);
        Self::with(cli, &fs::read_to_string(file).unwrap())
    }

    fn earlier(&self) -> Earlier {
        find(self.cli, self.kept.path(), ID).unwrap()
    }

    fn taken(&self) -> TakenIn {
        take_in(&self.earlier(), "/w", self.ours.path()).unwrap()
    }

    fn folder(&self) -> SessionFolder {
        SessionFolder::at(self.ours.path(), self.taken().session)
    }

    fn items(&self) -> Vec<Item> {
        let transcript = Transcript::open(&self.folder(), self.cli.provider()).unwrap();
        transcript.page(0, transcript.total()).unwrap().items
    }
}

fn words(items: &[Item]) -> Vec<String> {
    let word = |item: &Item| match &item.body {
        ItemBody::UserMessage { text, .. } => Some(format!("you: {text}")),
        ItemBody::AgentMessage { text, .. } => Some(format!("agent: {text}")),
        ItemBody::Thought { text, .. } => Some(format!("thought: {text}")),
        ItemBody::ToolCall(call) => Some(format!("{}: {:?}", call.title, call.status)),
        ItemBody::TurnEnd { stop_reason, .. } => Some(format!("end: {stop_reason:?}")),
        ItemBody::Unknown { label, .. } => Some(format!("unknown: {label}")),
        _ => None,
    };
    items.iter().filter_map(word).collect()
}

fn lines(values: &[serde_json::Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}

fn claude(kind: &str, content: serde_json::Value, more: serde_json::Value) -> serde_json::Value {
    let mut line = json!({ "type": kind, "cwd": "/w/sub", "timestamp": "2026-11-21T08:00:00.000Z", "uuid": "u", "sessionId": ID,
        "message": { "role": kind, "content": content } });
    for (name, value) in more.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

#[test]
fn what_claude_notes_to_itself_is_nobodys_prompt() {
    let none = json!({});
    let stage = Stage::with(
        Cli::Claude,
        &lines(&[
            json!({ "type": "file-history-snapshot", "snapshot": {} }),
            claude("user", json!("Caveat: do not answer"), json!({ "isMeta": true })),
            claude("user", json!("<command-name>/model</command-name><command-args>opus</command-args>"), none.clone()),
            claude("user", json!("<local-command-stdout>Set model to opus</local-command-stdout>"), none.clone()),
            claude(
                "user",
                json!([{ "type": "text", "text": "Mend the lamp." }, { "type": "image", "source": {} }]),
                none.clone(),
            ),
            claude(
                "assistant",
                json!([{ "type": "text", "text": "A sub-agent's words." }]),
                json!({ "isSidechain": true }),
            ),
            claude("assistant", json!([{ "type": "text", "text": "I will." }]), none.clone()),
            claude("user", json!([{ "type": "text", "text": "[Request interrupted by user]" }]), none.clone()),
            claude("user", json!("And now?"), none),
        ]),
    );
    let earlier = stage.earlier();
    assert_eq!((earlier.title.as_str(), earlier.cwd.as_str()), ("/model opus", "/w/sub"));
    let told = [
        "you: /model opus",
        "end: EndTurn",
        "you: Mend the lamp.",
        "agent: I will.",
        "end: Interrupted",
        "you: And now?",
        "end: EndTurn",
    ];
    assert_eq!(words(&stage.items()), told);
    assert!(
        stage.items().iter().any(|item| matches!(&item.body, ItemBody::Notice { text, .. } if text.contains("Images")))
    );
}

#[test]
fn a_session_is_made_once_anew_when_its_file_has_grown_and_never_when_it_went_on_here() {
    let first = lines(&[claude("user", json!("One."), json!({}))]);
    let stage = Stage::with(Cli::Claude, &first);
    let taken = stage.taken();
    assert!(taken.is_new && !stage.taken().is_new);
    let meta = stage.folder().read_meta().unwrap().unwrap();
    assert_eq!(
        (meta.workspace.as_str(), meta.cwd.as_str(), meta.native_session_id.as_deref()),
        ("/w", "/w/sub", Some(ID))
    );

    fs::write(stage.file(), format!("{first}{}", lines(&[claude("user", json!("Two."), json!({}))]))).unwrap();
    let again = stage.taken();
    assert_eq!(again, TakenIn { session: taken.session, is_new: true });
    assert!(words(&stage.items()).contains(&"you: Two.".to_owned()));

    let folder = stage.folder();
    folder.write_meta(&protocol::session::SessionMeta { generation: 1, ..meta }).unwrap();
    fs::write(stage.file(), &first).unwrap();
    assert!(!stage.taken().is_new && words(&stage.items()).contains(&"you: Two.".to_owned()));
    // Nothing of the making is left beside it.
    assert_eq!(fs::read_dir(stage.ours.path()).unwrap().count(), 1);
}

#[test]
fn a_file_without_a_word_of_anybody_is_no_conversation_and_a_damaged_one_is_read_as_far_as_it_goes() {
    let empty =
        Stage::with(Cli::Claude, &lines(&[json!({ "type": "summary", "summary": "Of another one", "leafUuid": "x" })]));
    assert!(list(Cli::Claude, empty.kept.path()).is_empty());
    let text = format!("{}\u{0}not json\n{{\"type\":\"assist", lines(&[claude("user", json!("Hello"), json!({}))]));
    let torn = Stage::with(Cli::Claude, &text);
    assert_eq!(words(&torn.items()), ["you: Hello", "end: EndTurn"]);
    let told = |item: &Item| matches!(&item.body, ItemBody::Notice { text, .. } if text.starts_with("2 lines"));
    assert!(torn.items().iter().any(told));
}

fn codex(kind: &str, payload: serde_json::Value) -> serde_json::Value {
    json!({ "timestamp": "2026-11-21T08:00:00.000Z", "type": kind, "payload": payload })
}

#[test]
fn an_older_codex_without_events_is_read_from_what_its_model_was_told() {
    let said = |role: &str, text: &str| {
        codex(
            "response_item",
            json!({ "type": "message", "role": role, "content": [{ "type": "input_text", "text": text }] }),
        )
    };
    let call = json!({ "type": "function_call", "name": "shell", "call_id": "c", "arguments": "{\"command\":[\"bash\",\"-lc\",\"ls\"]}" });
    let stage = Stage::with(
        Cli::Codex,
        &lines(&[
            codex("session_meta", json!({ "id": ID, "cwd": "/w" })),
            said("user", "<environment_context>x</environment_context>"),
            said("user", "List the files."),
            codex("response_item", call),
            codex(
                "response_item",
                json!({ "type": "function_call_output", "call_id": "c", "output": "{\"output\":\"a.txt\\n\",\"metadata\":{\"exit_code\":2,\"duration_seconds\":0.1}}" }),
            ),
            said("assistant", "There is one."),
        ]),
    );
    assert_eq!(stage.earlier().title, "List the files.");
    assert_eq!(
        words(&stage.items()),
        ["you: List the files.", "Run ls: Failed", "agent: There is one.", "end: EndTurn"]
    );
    let sub_agent = codex("session_meta", json!({ "id": ID, "cwd": "/w", "source": { "subagent": {} } }));
    let stage = Stage::with(Cli::Codex, &lines(&[sub_agent, said("user", "Do a part.")]));
    assert!(list(Cli::Codex, stage.kept.path()).is_empty());
}

fn reads_like_every_other(stage: &Stage) {
    let items = stage.items();
    let told = words(&items);
    assert!(!told.iter().any(|word| word.starts_with("unknown")), "{told:?}");
    assert_eq!(told.iter().filter(|word| word.starts_with("you: ")).count(), 2, "{told:?}");
    assert!(told.contains(&"agent: I thought about it: the answer is 42.".to_owned()), "{told:?}");
    assert!(told.iter().any(|word| word.starts_with("thought: ") && word.contains("consider")), "{told:?}");
    let edit = items.iter().find_map(|item| match &item.body {
        ItemBody::ToolCall(call) if call.title.ends_with("hello.txt") => Some(call),
        _ => None,
    });
    let edit = edit.unwrap_or_else(|| panic!("{told:?}"));
    assert_eq!(edit.status, ToolStatus::Completed);
    assert!(edit.content.iter().any(|content| matches!(content, ToolContent::Diff { .. })), "{edit:?}");
    let ends = items.iter().filter_map(|item| match &item.body {
        ItemBody::TurnEnd { stop_reason, usage, .. } => Some((*stop_reason, usage.unwrap_or_default().output_tokens)),
        _ => None,
    });
    let ends: Vec<_> = ends.collect();
    assert!(ends.len() == 2 && ends.iter().all(|(why, out)| *why == StopReason::EndTurn && *out > Some(0)), "{ends:?}");
    let meta = stage.folder().read_meta().unwrap().unwrap();
    assert!(meta.model.is_some() && meta.usage.output_tokens > Some(0) && meta.statistics.turns == 2, "{meta:?}");
}

#[test]
fn a_recorded_conversation_of_claude() {
    reads_like_every_other(&Stage::recorded(Cli::Claude, "claude.jsonl"));
}

#[test]
fn a_recorded_conversation_of_codex() {
    reads_like_every_other(&Stage::recorded(Cli::Codex, "codex.jsonl"));
}
