//! What the scenarios of tool sidecars share: sidecars that are the crate's own fixture, and an agent that calls their tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use outrigger_tests::{DEADLINE, Home, Program, project};
use serde_json::{Value, json};

use crate::stage::{self, own_provider};

/// A sidecar of the user's own, in this mode of the fixture and with more lines in its manifest.
pub(crate) fn own(home: &Home, name: &str, mode: &str, more: &str) -> PathBuf {
    sidecar(&home.path().join("config/sidecars"), name, mode, more)
}

/// One that comes with the workspace.
pub(crate) fn of_workspace(home: &Home, name: &str, mode: &str, more: &str) -> PathBuf {
    sidecar(&home.workspace().join(".outrigger/sidecars"), name, mode, more)
}

fn sidecar(root: &Path, name: &str, mode: &str, more: &str) -> PathBuf {
    let script = project().join("src-tauri/crates/toolbox/tests/fixtures/sidecar.mjs");
    let manifest = format!("run = [\"node\", {script:?}, {mode:?}]\n{more}\n[env.set]\nTOOL = \"of_{name}\"\n");
    stage::write(&root.join(name).join("sidecar.toml"), &manifest);
    root.join(name)
}

/// A live session whose agent does each line of its prompts, see `fixtures/runners/commanding.mjs`.
pub(crate) struct Agent<'a> {
    home: &'a Home,
    pub(crate) session: String,
    items: Program,
}

impl<'a> Agent<'a> {
    pub(crate) fn start(home: &'a Home, more: &[&str]) -> Self {
        own_provider(home, "commanding", "");
        let mut all = vec!["--mode", "bypass"];
        all.extend(more);
        let session = stage::detached(home, "own", &all, "hello");
        let mut items = stage::follow(home, &session);
        items.wait_for("its first answer", stage::says("heard"));
        Self { home, session, items }
    }

    /// What it answers to one line.
    pub(crate) fn does(&mut self, line: &str) -> Value {
        self.begin(line);
        self.answer(line)
    }

    pub(crate) fn begin(&self, line: &str) {
        self.home.run(["send", &self.session, line]).assert_code(0);
    }

    /// The answer to the line that it was told last.
    pub(crate) fn answer(&mut self, line: &str) -> Value {
        self.items.wait_for("the prompt", |item| item["body"]["type"] == "userMessage" && item["body"]["text"] == line);
        let done =
            |item: &Value| item["body"]["type"] == "agentMessage" && serde_json::from_str::<Value>(text(item)).is_ok();
        let item = self.items.wait_for("its answer", done);
        serde_json::from_str(text(&item)).unwrap()
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Answer {
        Answer::of(&self.does(&call(tool, arguments)))
    }

    /// The names of the tools that it is offered.
    pub(crate) fn tools(&mut self) -> Vec<String> {
        let listed = self.does("list");
        let tools = listed["tools"].as_array().unwrap_or_else(|| panic!("no list: {listed}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn call(tool: &str, arguments: &Value) -> String {
    format!("call {tool} {arguments}")
}

fn text(item: &Value) -> &str {
    item["body"]["text"].as_str().unwrap_or_default()
}

/// The answer of a tool.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) failed: bool,
    pub(crate) content: Vec<Value>,
}

impl Answer {
    pub(crate) fn of(answer: &Value) -> Self {
        let content = answer["content"].as_array().unwrap_or_else(|| panic!("no answer of a tool: {answer}")).clone();
        let text = content.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n");
        Self { text, failed: answer["isError"] == true, content }
    }

    #[track_caller]
    pub(crate) fn says(&self, part: &str) {
        assert!(!self.failed && self.text.contains(part), "{self:?}");
    }

    #[track_caller]
    pub(crate) fn fails(&self, part: &str) {
        assert!(self.failed && self.text.contains(part), "{self:?}");
    }
}

/// `outrigger sidecar ARGS` in the home's workspace.
pub(crate) fn sidecar_command(home: &Home, args: &[&str]) -> outrigger_tests::Ended {
    let workspace = home.workspace();
    let mut all = vec!["sidecar"];
    all.extend(args);
    all.extend(["--workspace", workspace.to_str().unwrap()]);
    home.run(all)
}

/// What `outrigger sidecar list` says of one.
pub(crate) fn view(home: &Home, name: &str) -> Value {
    let ended = sidecar_command(home, &["list", "--json"]);
    ended.assert_code(0);
    let found = ended.json().into_iter().find(|view| view["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not listed: {:?}", ended.stdout))
}

/// Waits until a sidecar is seen so.
pub(crate) fn until(home: &Home, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + DEADLINE;
    loop {
        let seen = view(home, name);
        if is(&seen) {
            return seen;
        }
        assert!(Instant::now() < end, "never {what}: {seen}");
    }
}

/// The owner's file, while there is one.
pub(crate) fn owner(home: &Home) -> Option<Value> {
    let text = fs::read_to_string(home.path().join("run/toolbox.json")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// Stops everything, as a person does who has enough; nothing is left then.
#[track_caller]
pub(crate) fn stop_everything(home: &Home) {
    home.run(["stop", "--all"]).assert_code(0);
    assert_eq!(owner(home), None, "the owner of the sidecars ends with the last session");
    home.assert_nobody_left();
}

/// The records of calls in a session's journal.
pub(crate) fn calls(home: &Home, session: &str) -> Vec<Value> {
    let journal = Home::journal(&home.path().join("data/sessions").join(session));
    let lines = journal.into_iter().map(|record| record["line"].clone());
    lines.filter(|line| line["type"] == "toolCalled").collect()
}

/// Arguments without anything.
pub(crate) fn none() -> Value {
    json!({})
}
