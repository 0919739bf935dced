//! What the scenarios share: runs of the demo agent, providers of the user's own, and looking at a session from outside.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use outrigger_tests::{DEADLINE, Ended, Home, Program, project};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A home in which the demo agent does not wait between its words.
pub(crate) fn home() -> Home {
    let home = Home::new();
    export(&home, "OUTRIGGER_DEMO_PACE", "0");
    home
}

/// Exports a variable in the start-up file of the home's login shell.
pub(crate) fn export(home: &Home, name: &str, value: &str) {
    let profile = home.user_home().join(".profile");
    let mut file = fs::OpenOptions::new().append(true).open(profile).unwrap();
    writeln!(file, "export {name}='{value}'").unwrap();
}

/// The arguments of a run of the demo agent in the home's workspace.
pub(crate) fn demo(home: &Home, more: &[&str], prompt: &str) -> Vec<String> {
    run_of(home, "demo", more, prompt)
}

pub(crate) fn run_of(home: &Home, provider: &str, more: &[&str], prompt: &str) -> Vec<String> {
    let workspace = home.workspace();
    let fixed = ["run", "--json", "--provider", provider, "--cwd", workspace.to_str().unwrap()];
    fixed.iter().chain(more).chain(&[prompt]).map(|word| (*word).to_owned()).collect()
}

/// Starts a session that goes on by itself; its id.
pub(crate) fn detached(home: &Home, provider: &str, more: &[&str], prompt: &str) -> String {
    let mut all = vec!["--detach"];
    all.extend(more);
    let ended = home.run(run_of(home, provider, &all, prompt));
    ended.assert_code(0);
    ended.json()[0]["session"].as_str().unwrap().to_owned()
}

/// Follows the items of a session.
pub(crate) fn follow(home: &Home, session: &str) -> Program {
    home.start(["logs", session, "--follow", "--json"])
}

/// Follows the records of a session.
pub(crate) fn follow_records(home: &Home, session: &str) -> Program {
    home.start(["logs", session, "--follow", "--records"])
}

pub(crate) fn is_kind<'a>(kind: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |item| item["body"]["type"] == kind
}

pub(crate) fn is_pending(item: &Value) -> bool {
    item["body"]["type"] == "permission" && item["body"]["state"]["type"] == "pending"
}

pub(crate) fn says<'a>(words: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |item| item["body"]["type"] == "agentMessage" && item["body"]["text"].as_str().unwrap_or("").contains(words)
}

/// The items of a kind, as they were last.
pub(crate) fn last_of(items: &[Value], kind: &str) -> Vec<Value> {
    let mut last: Vec<Value> = Vec::new();
    for item in items.iter().filter(|item| item["body"]["type"] == kind) {
        match last.iter_mut().find(|known| known["id"] == item["id"]) {
            Some(known) => *known = item.clone(),
            None => last.push(item.clone()),
        }
    }
    last
}

/// All that the agent said, one paragraph after the other.
pub(crate) fn words(items: &[Value]) -> String {
    let texts = last_of(items, "agentMessage");
    texts.iter().map(|item| item["body"]["text"].as_str().unwrap_or("").to_owned() + "\n").collect()
}

/// What `outrigger ps --all --json` says of a session.
pub(crate) fn listed(home: &Home, session: &str) -> Value {
    let ended = home.run(["ps", "--all", "--json"]);
    ended.assert_code(0);
    let found = ended.json().into_iter().find(|summary| summary["session"] == session);
    found.unwrap_or_else(|| panic!("{session} is not listed: {}", ended.stdout.join("\n")))
}

/// The processes of a live session, as `outrigger ps --processes` shows them: its keeper first.
pub(crate) fn processes_of(home: &Home, session: &str) -> Vec<Value> {
    let ended = home.run(["ps", "--processes", "--json"]);
    ended.assert_code(0);
    let pod = ended.json().into_iter().find(|pod| pod["session"] == session);
    pod.unwrap_or_else(|| panic!("{session} is not live: {:?}", ended.stdout))["processes"].as_array().unwrap().clone()
}

/// SIGKILL, and waits until it has been carried out: whoever looks next shall find the process dead.
pub(crate) fn kill(pid: &Value) {
    let number = i32::try_from(pid.as_i64().unwrap()).unwrap();
    kill_process(Pid::from_raw(number).unwrap(), Signal::KILL).unwrap();
    let until = Instant::now() + DEADLINE;
    while lives(number) {
        assert!(Instant::now() < until, "{number} outlives SIGKILL");
        std::thread::yield_now();
    }
}

/// Whether a process is there and is more than an entry that waits for its parent.
fn lives(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z')
}

/// Installs a provider of the user's own, whose runner is `tests/fixtures/runners/<runner>.mjs`.
pub(crate) fn own_provider(home: &Home, runner: &str, more: &str) {
    let script = project().join("tests/fixtures/runners").join(format!("{runner}.mjs"));
    let manifest =
        format!("id = \"own\"\nname = \"Own agent\"\nrunner = \"{}\"\nadapter = \"demo\"\n{more}\n", script.display());
    write(&home.path().join("config/providers/own.toml"), &manifest);
}

pub(crate) fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// A program that is a shell script.
pub(crate) fn script(file: &Path, body: &str) {
    use std::os::unix::fs::PermissionsExt;
    write(file, &format!("#!/bin/sh\n{body}\n"));
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Fails unless the error says all of this, the code is right, nobody is left, and there is no folder of a session.
pub(crate) fn assert_refused(home: &Home, ended: &Ended, code: i32, parts: &[&str]) {
    ended.assert_code(code);
    for part in parts {
        assert!(ended.stderr.contains(part), "the error does not say {part:?}: {}", ended.stderr);
    }
    assert!(ended.stdout.is_empty(), "{:?}", ended.stdout);
    home.assert_nobody_left();
    assert_eq!(home.sessions(), Vec::<std::path::PathBuf>::new(), "a half session was left");
}
