//! A conversation that was held with a real CLI elsewhere: it is found in the CLI's own folder, shown as it was, and goes on where it ended.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::drivers::{CLAUDE, CODEX, Driver};
use crate::stage::{Stage, any, is_kind, says};

fn files_in(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    files
}

fn a_conversation_of_elsewhere_goes_on_here(driver: &'static Driver, folder: &str) {
    let stage = Stage::set(driver);
    let file = stage.home.workspace().join("hello.txt");
    let prompt = format!("SCENARIO:write-file file={}", file.display());
    let first = stage.run(stage.args(&["--permissions", "allow"], &prompt));
    first.assert_code(0);
    let resumed = stage.session();
    stage.run(["run", "--json", "--resume", &resumed, "SCENARIO:think"]).assert_code(0);
    // What Outrigger knows of it is forgotten, when its keeper has written its last words; the CLI's own folder stays.
    stage.home.assert_nobody_left();
    fs::remove_dir_all(stage.home.path().join("data")).unwrap();
    let kept = stage.home.user_home().join(folder);
    let before = files_in(&kept);
    if let Some(to) = std::env::var_os("OUTRIGGER_TEST_RECORDS") {
        for (path, text) in &before {
            fs::write(Path::new(&to).join(path.file_name().unwrap()), text).unwrap();
        }
    }

    let listed = stage.run(["import", driver.name, "--list", "--json"]).json();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["cwd"], stage.home.workspace().to_str().unwrap());
    assert!(listed[0]["title"].as_str().unwrap().starts_with("SCENARIO:write-file"), "{listed:?}");
    let imported = stage.run(["import", driver.name, "--json"]);
    imported.assert_code(0);
    let session = imported.json()[0]["session"].as_str().unwrap().to_owned();
    assert!(stage.run(["import", driver.name, "--list", "--json"]).json().is_empty());
    assert_eq!(files_in(&kept), before, "the CLI's folder is only read");

    let items = stage.run(["logs", &session, "--json"]).json();
    let prompts = items.iter().filter(|item| item["body"]["type"] == "userMessage").count();
    let unknown: Vec<_> = items.iter().filter(|item| item["body"]["type"] == "unknown").collect();
    assert!(prompts == 2 && unknown.is_empty(), "{items:#?}");
    assert!(any(&items, |item| item["body"]["type"] == "toolCall"
        && item["body"]["kind"] == "edit"
        && item["body"]["status"] == "completed"));
    assert!(any(&items, says("I thought about it: the answer is 42.")));
    let ends: Vec<_> = items.iter().filter(|item| item["body"]["type"] == "turnEnd").collect();
    assert_eq!(ends.len(), 2, "{ends:?}");
    assert!(ends[1]["body"]["usage"]["outputTokens"].as_u64() > Some(0), "{ends:?}");

    let more = stage.run(["run", "--resume", &session, "--json", "--permissions", "allow", "SCENARIO:echo say=later"]);
    more.assert_code(0);
    assert!(any(&more.json(), says("You said: later")) && any(&more.json(), is_kind("turnEnd")));
    let asked = stage.requests().iter().rfind(|request| request.to_string().contains("say=later")).unwrap().to_string();
    assert!(asked.contains("SCENARIO:write-file"), "the model is told what was said before");
    stage.home.assert_nobody_left();
}

#[test]
fn of_claude() {
    a_conversation_of_elsewhere_goes_on_here(&CLAUDE, ".claude/projects");
}

#[test]
fn of_codex() {
    a_conversation_of_elsewhere_goes_on_here(&CODEX, ".codex/sessions");
}
