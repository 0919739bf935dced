//! A provider that the user adds: the examples of `runners/README.md` as they are printed there, changes seen without a restart, and
//! mistakes told with what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use outrigger_tests::{Home, project};
use serde_json::Value;

use crate::stage::{self, detached, follow, is_kind, is_pending, last_of, run_of, says, words, write};

/// The text of `runners/README.md`.
fn readme() -> String {
    fs::read_to_string(project().join("runners/README.md")).unwrap()
}

/// The block of code that stands behind the first mention of a file.
fn printed(readme: &str, file: &str) -> String {
    let (_, rest) = readme.split_once(&format!("\n`{file}` ")).unwrap_or_else(|| panic!("{file} is not introduced"));
    let (_, block) = rest.split_once("```").unwrap();
    let (_, code) = block.split_once('\n').unwrap();
    code.split_once("```").unwrap().0.to_owned()
}

fn providers(home: &Home) -> PathBuf {
    home.path().join("config/providers")
}

fn put(home: &Home, file: &str, text: &str, executable: bool) {
    let path = providers(home).join(file);
    write(&path, text);
    fs::set_permissions(&path, fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 })).unwrap();
}

fn example(home: &Home, name: &str) {
    for (ending, executable) in [("toml", false), ("py", true)] {
        let file = format!("{name}.{ending}");
        let text = fs::read_to_string(project().join("runners/examples").join(&file)).unwrap();
        put(home, &file, &text, executable);
    }
}

fn doctor(home: &Home) -> Value {
    home.run(["doctor", "--json"]).json().remove(0)
}

fn of_doctor(report: &Value, id: &str) -> Value {
    let providers = report["providers"].as_array().unwrap();
    providers.iter().find(|provider| provider["id"] == id).cloned().unwrap_or_default()
}

#[test]
fn the_agent_of_the_readme_works_as_it_is_printed() {
    let home = stage::home();
    let readme = readme();
    for (file, executable) in [("counter.toml", false), ("counter.py", true)] {
        let code = printed(&readme, file);
        let shipped = fs::read_to_string(project().join("runners/examples").join(file)).unwrap();
        assert_eq!(code, shipped, "runners/README.md and runners/examples/{file} differ");
        put(&home, file, &code, executable);
    }
    assert_eq!(of_doctor(&doctor(&home), "counter")["usable"], true);
    let ended = home.run(run_of(&home, "counter", &[], "Hello."));
    ended.assert_code(0);
    let items = ended.json();
    assert_eq!(words(&items), "You said: Hello. I found 2 files.\n");
    let call = &last_of(&items, "toolCall")[0]["body"];
    assert_eq!((&call["title"], &call["status"]), (&"List the folder".into(), &"completed".into()), "{call}");
    assert_eq!(last_of(&items, "unknown"), Vec::<Value>::new());
    home.assert_nobody_left();
}

#[test]
fn the_example_that_asks_is_allowed_denied_and_interrupted() {
    let home = stage::home();
    example(&home, "asking");
    let note = home.workspace().join("note.txt");
    let denied = home.run(run_of(&home, "asking", &["--permissions", "deny"], "buy milk"));
    assert_eq!(words(&denied.json()), "Then I leave it.\n");
    assert!(!note.exists());
    let session = detached(&home, "asking", &[], "buy milk");
    let mut items = follow(&home, &session);
    let asked = items.wait_for("a request", is_pending);
    assert_eq!((&asked["body"]["kind"], &asked["body"]["title"]), (&"edit".into(), &"Write: a note".into()));
    home.run(["interrupt", &session]).assert_code(0);
    let end = items.wait_for("the end", is_kind("turnEnd"));
    assert_eq!(end["body"]["stopReason"], "interrupted", "{end}");
    home.run(["send", &session, "buy bread"]).assert_code(0);
    items.wait_for("a second request", is_pending);
    home.run(["answer", &session, "-", "allow"]).assert_code(0);
    items.wait_for("the answer", says("The note is written."));
    assert_eq!(fs::read_to_string(&note).unwrap(), "buy bread");
    home.run(["stop", &session]).assert_code(0);
    assert_eq!(last_of(&items.finish().json(), "unknown"), Vec::<Value>::new());
    home.assert_nobody_left();
}

#[test]
fn a_change_is_seen_by_the_next_command() {
    let home = stage::home();
    let unknown = home.run(run_of(&home, "counter", &[], "Hello."));
    unknown.assert_code(3);
    assert!(unknown.stderr.contains("there is no provider `counter`; there are:"), "{}", unknown.stderr);
    example(&home, "counter");
    home.run(run_of(&home, "counter", &[], "Hello.")).assert_code(0);
    let script = fs::read_to_string(providers(&home).join("counter.py")).unwrap();
    put(&home, "counter.py", &script.replace("I found", "There are"), true);
    let manifest = fs::read_to_string(providers(&home).join("counter.toml")).unwrap();
    put(&home, "counter.toml", &manifest.replace("File counter", "Counter of files"), false);
    let changed = home.run(run_of(&home, "counter", &[], "Hello."));
    assert!(words(&changed.json()).contains("There are 2 files."), "{:?}", changed.stdout);
    assert_eq!(of_doctor(&doctor(&home), "counter")["name"], "Counter of files");
    fs::remove_file(providers(&home).join("counter.toml")).unwrap();
    home.run(run_of(&home, "counter", &[], "Hello.")).assert_code(3);
}

#[test]
fn a_broken_manifest_is_told_with_file_line_and_key_and_the_others_go_on() {
    let home = stage::home();
    example(&home, "counter");
    let good = fs::read_to_string(providers(&home).join("counter.toml")).unwrap();
    for (bad, parts) in [
        (good.replace("\"plain\"", "\"pain\""), ["line 4: adapter", "there is no adapter `pain`", "use one of"]),
        (
            good.replace("stream-json", "steam-json"),
            ["line 3: driver", "there is no driver `steam-json`", "write a runner"],
        ),
        (
            good.replace("partials = true", "partials = \"yes\""),
            ["line 11: partials", "invalid type", "runners/README.md"],
        ),
        (good.replace("name =", "name"), ["line 2", "counter.toml", "correct the line"]),
    ] {
        put(&home, "counter.toml", &bad, false);
        let refused = home.run(run_of(&home, "counter", &[], "Hello."));
        refused.assert_code(3);
        let report = doctor(&home);
        let told = report["manifestErrors"][0]["message"].as_str().unwrap();
        for part in parts.iter().chain(&["counter.toml"]) {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(report["ok"], false);
    }
    home.run(stage::demo(&home, &["--permissions", "deny"], "hello")).assert_code(0);
    put(&home, "counter.toml", &good, false);
    home.run(run_of(&home, "counter", &[], "Hello.")).assert_code(0);
}

#[test]
fn a_script_that_cannot_be_started_is_told_with_what_to_do() {
    let home = stage::home();
    example(&home, "counter");
    let script = fs::read_to_string(providers(&home).join("counter.py")).unwrap();
    put(&home, "counter.py", &script, false);
    let refused = home.run(run_of(&home, "counter", &[], "Hello."));
    refused.assert_code(3);
    let file = providers(&home).join("counter.py");
    assert!(refused.stderr.contains(file.to_str().unwrap()), "{}", refused.stderr);
    assert!(refused.stderr.contains("chmod"), "{}", refused.stderr);
    put(&home, "counter.py", &script.replace("env python3", "env no-such-python"), true);
    let refused = home.run(run_of(&home, "counter", &[], "Hello."));
    assert!(refused.stderr.contains("no-such-python"), "{}", refused.stderr);
    fs::remove_file(&file).unwrap();
    let refused = home.run(run_of(&home, "counter", &[], "Hello."));
    assert!(refused.stderr.contains("was not found") || refused.stderr.contains("not found"), "{}", refused.stderr);
    assert_eq!(home.sessions().len(), 0);
}
