//! Agents get the environment of the user's login shell: started with a bare PATH, asked anew, and with profiles side by side.

use std::fs;
use std::process::Command;

use outrigger_tests::{Home, Program, program, project};
use serde_json::Value;

use crate::stage::{self, detached, follow, is_kind, run_of, script, write};

/// The lines that the scripted CLI has heard.
fn heard(home: &Home) -> Vec<Value> {
    let text = fs::read_to_string(home.workspace().join("heard.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn scripted(home: &Home, more: &str) {
    let cli = project().join("tests/fixtures/clis/scripted.mjs");
    let manifest = format!(
        "id = \"direct\"\nname = \"Direct agent\"\ndriver = \"stream-json\"\nadapter = \"plain\"\n\
         [cli]\ncandidates = [\"{}\"]\ntestedVersions = [\"1.0.0\"]\n{more}",
        cli.display()
    );
    write(&home.path().join("config/providers/direct.toml"), &manifest);
}

#[test]
fn a_start_from_a_desktop_file_finds_what_a_terminal_would() {
    let home = Home::new();
    let agent = "[ \"$1\" = --version ] && { echo agent 1.0.0; exit; }\nread -r line\necho '{\"type\":\"text\",\"text\":\"'\"$LIGHT\"'\"}'\necho '{\"type\":\"result\"}'";
    script(&home.user_home().join("tools/lamplighter"), agent);
    write(&home.user_home().join(".profile"), "export PATH=\"$HOME/tools:$PATH\"\nexport LIGHT='from the profile'\n");
    let manifest = "id = \"lamp\"\nname = \"Lamp\"\ndriver = \"stream-json\"\nadapter = \"plain\"\n[cli]\nnames = [\"lamplighter\"]\n";
    write(&home.path().join("config/providers/lamp.toml"), manifest);
    let mut command = Command::new(program("outrigger"));
    // No SHELL, no LANG, and the PATH that a session of systemd gives.
    command.args(run_of(&home, "lamp", &[], "hello")).current_dir("/").env_clear();
    command.env("PATH", "/usr/bin:/bin").env("HOME", home.user_home()).env("OUTRIGGER_HOME", home.path());
    let ended = Program::start(command).finish();
    ended.assert_code(0);
    assert_eq!(stage::words(&ended.json()), "from the profile\n");
    home.assert_nobody_left();
}

#[test]
fn what_the_shell_is_not_seen_to_change_is_seen_when_asked_for() {
    let home = stage::home();
    let extra = home.user_home().join("extra");
    write(&extra, "");
    let profile = home.user_home().join(".profile");
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, format!("{text}. \"$HOME/extra\"\n")).unwrap();
    let has = |arguments: &[&str]| {
        let report = home.run([&["doctor", "--json"], arguments].concat()).json().remove(0);
        report["environment"]["pathEntries"].to_string().contains("/added-later")
    };
    assert!(!has(&[]));
    write(&extra, "export PATH=\"$PATH:/added-later\"\n");
    assert!(!has(&[]), "the shell is not asked each time");
    assert!(has(&["--refresh"]));
    assert!(has(&[]), "and what it said is kept");
}

#[test]
fn profiles_live_side_by_side_and_are_kept_by_a_resume() {
    let home = stage::home();
    scripted(&home, "[env]\nconfigDir = \"SCRIPTED_HOME\"\n[options]\nresume = [\"--resume\", \"{}\"]\n");
    let sessions: Vec<String> = ["~/work", "~/private"]
        .iter()
        .map(|profile| detached(&home, "direct", &["--config-dir", profile], "hello"))
        .collect();
    for session in &sessions {
        follow(&home, session).wait_for("the answer", is_kind("turnEnd"));
    }
    assert_eq!(home.run(["ps", "--json"]).json().len(), 2, "both live");
    for session in &sessions {
        home.run(["stop", session]).assert_code(0);
    }
    home.run(["run", "--json", "--resume", &sessions[0], "again"]).assert_code(0);
    let profiles: Vec<String> =
        heard(&home).iter().filter_map(|said| said["profile"].as_str().map(str::to_owned)).collect();
    let in_home = |name: &str| home.user_home().join(name).display().to_string();
    assert_eq!(profiles, [in_home("work"), in_home("private"), in_home("work")]);
    home.assert_nobody_left();
}

#[test]
fn a_cli_that_is_newer_than_the_tested_ones_works_and_what_is_new_in_it_is_shown() {
    let home = stage::home();
    scripted(&home, "");
    let report = home.run(["doctor", "--json"]).json().remove(0);
    let found = report["providers"].as_array().unwrap().iter().find(|one| one["id"] == "direct").unwrap().clone();
    assert_eq!(found["usable"], true, "{found}");
    assert!(found["warnings"][0].as_str().unwrap().starts_with("2.0.0 is newer than 1.0.0,"), "{found}");
    let text = home.run(["doctor"]).stdout.join("\n");
    assert!(text.contains("note:    2.0.0 is newer than 1.0.0"), "{text}");
    let ended = home.run(run_of(&home, "direct", &[], "garbage"));
    ended.assert_code(0);
    let unknown = stage::last_of(&ended.json(), "unknown");
    assert_eq!(unknown[0]["body"]["label"], "odd", "{unknown:?}");
}
