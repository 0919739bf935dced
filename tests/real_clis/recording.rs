//! Sessions for people to look at: real CLIs at work in a small project, on what the stand-in's plays let the model say. Not a test: it
//! writes what it recorded into the page's replay host, from which the pictures of the documentation are taken. `./dev record` runs it.

use std::fs;
use std::path::Path;
use std::process::Command;

use outrigger_tests::{Program, project};
use serde_json::{Value, json};

use crate::drivers::{CLAUDE, CODEX, Driver};
use crate::stage::{Stage, is_kind, is_pending};

/// The project as the recordings name it.
const SHOWN: &str = "~/src/oars";

#[test]
#[ignore = "writes files of the project: ./dev record"]
fn the_sessions_of_the_pictures() {
    // The whole table runs all that is ignored.
    if std::env::var_os("OUTRIGGER_RECORD").is_none() {
        return;
    }
    let rename = Recording::begin(&CLAUDE, "Rename the package to harbour-tides, and everything that names it.");
    rename.go_on_until(is_kind("turnEnd"));
    rename.say("Now the tests, from a clean checkout.");
    rename.go_on_until(|item| is_pending(item) && item.to_string().contains("npm ci"));
    rename.keep("rename");

    let lexer =
        Recording::begin(&CLAUDE, "Let the lexer tell where a line is wrong. The parser's callers should not change.");
    lexer.go_on_until(|item| is_pending(item) && item.to_string().contains("npm run bench"));
    lexer.allow();
    lexer.keep("lexer");

    let ports = Recording::begin(&CODEX, "Add the southern ports, Sandhamn and Skär, and run the tests.");
    ports.go_on_until(is_kind("turnEnd"));
    ports.keep("ports");
}

struct Recording {
    stage: Stage,
    session: String,
}

impl Recording {
    fn begin(driver: &'static Driver, prompt: &str) -> Self {
        let plays = project().join("tests/fixtures/plays.json");
        let stage = Stage::set_for(driver, &["--plays", plays.to_str().unwrap()]);
        let mut copy = Command::new("cp");
        copy.arg("-rT").arg(project().join("tests/fixtures/tides")).arg(stage.home.workspace());
        assert!(copy.status().unwrap().success(), "the project could not be copied");
        let (session, _items) = stage.detached(&["--mode", "accept-edits"], prompt);
        Self { stage, session }
    }

    fn say(&self, prompt: &str) {
        self.stage.run(["send", &self.session, prompt]).assert_code(0);
    }

    /// Allows what is asked until an item comes that is waited for; that one is left as it is.
    fn go_on_until(&self, wanted: impl Fn(&Value) -> bool) {
        let mut items: Program = self.stage.start(["logs", &self.session, "--follow", "--json"]);
        let mut answered = Vec::new();
        loop {
            let item = items.wait_for("what is waited for, or a request", |item| wanted(item) || is_pending(item));
            if wanted(&item) {
                return;
            }
            let request = item["body"]["requestId"].as_str().unwrap().to_owned();
            if !answered.contains(&request)
                && self.stage.run(["answer", &self.session, &request, "allow"]).code == Some(0)
            {
                answered.push(request);
            }
        }
    }

    /// Allows what is asked now.
    fn allow(&self) {
        self.stage.run(["answer", &self.session, "-", "allow"]).assert_code(0);
    }

    /// Writes the items and what the list knew, with the folder's shown name, and ends the session.
    fn keep(self, name: &str) {
        let items = self.stage.run(["logs", &self.session, "--json"]).json();
        let sessions = self.stage.run(["ps", "--json"]).json();
        let summary = sessions.iter().find(|summary| summary["session"] == self.session.as_str()).unwrap();
        let text = format!("{:#}\n", json!({ "summary": summary, "items": items }));
        let shown = text.replace(self.stage.home.workspace().to_str().unwrap(), SHOWN);
        let home = self.stage.home.user_home();
        assert!(!shown.contains(home.to_str().unwrap()), "a path of this machine would be recorded");
        fs::write(project().join("ui/src/host/replay/recorded").join(Path::new(name).with_extension("json")), shown)
            .unwrap();
        self.stage.run(["stop", &self.session]).assert_code(0);
    }
}
