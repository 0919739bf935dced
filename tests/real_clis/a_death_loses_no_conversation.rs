//! Whatever is killed, in the middle of a turn with a running command: what became of the session is shown, nobody is left, and the
//! next prompt goes on with the same conversation, which the vendor's side sees in the request.

use std::fs;

use outrigger_tests::{Program, Survivor};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::drivers::Driver;
use crate::stage::{Stage, any, is_kind, says};

macro_rules! for_both {
    ($($death:ident)*) => {
        mod claude { $(#[test] fn $death() { super::$death(&crate::drivers::CLAUDE); })* }
        mod codex { $(#[test] fn $death() { super::$death(&crate::drivers::CODEX); })* }
    };
}

for_both!(the_app_is_killed the_keeper_is_killed the_cli_is_killed the_runner_is_killed the_machine_is_rebooted);

fn the_app_is_killed(driver: &'static Driver) {
    let stage = Stage::set(driver);
    let mut app = stage.start(stage.args(&["--mode", "bypass"], "SCENARIO:sleep s=4"));
    app.wait_for("the command", running_command);
    app.kill();
    drop(app);
    let session = stage.session();
    let mut items = stage.start(["logs", &session, "--follow", "--json"]);
    items.wait_for("the answer that nobody was there for", says("The long command is done."));
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert_eq!(listed(&stage, &session)["liveness"]["type"], "live");
    stage.run(["send", &session, "SCENARIO:echo say=again"]).assert_code(0);
    items.wait_for("the next answer", says("You said: again"));
    assert_remembered(&stage, "The long command is done.");
    stage.run(["stop", &session]).assert_code(0);
    let native: std::collections::BTreeSet<_> = items.finish().json().iter().filter_map(native_id).collect();
    assert_eq!(native.len(), 1, "one conversation");
    stage.home.assert_nobody_left();
}

pub(crate) fn the_keeper_is_killed(driver: &'static Driver) {
    let stage = Stage::set(driver);
    let (session, _items) = in_mid_turn(&stage);
    kill(keeper(&stage));
    assert_interrupted_and_resumed(&stage, &session);
}

fn the_machine_is_rebooted(driver: &'static Driver) {
    let stage = Stage::set(driver);
    let (session, items) = in_mid_turn(&stage);
    drop(items);
    loop {
        let all = stage.home.processes();
        if all.is_empty() {
            break;
        }
        all.into_iter().for_each(|process| kill(process.pid));
    }
    // A reboot empties the folder of the sockets.
    fs::remove_dir_all(stage.home.path().join("run")).unwrap();
    assert_interrupted_and_resumed(&stage, &session);
}

pub(crate) fn the_cli_is_killed(driver: &'static Driver) {
    let stage = Stage::set(driver);
    let (session, items) = in_mid_turn(&stage);
    kill(the_one(&stage, |command| !command.starts_with("node") && is_cli(driver.name, command)));
    assert_failed_and_resumed(&stage, &session, items, "cli_killed");
}

pub(crate) fn the_runner_is_killed(driver: &'static Driver) {
    let stage = Stage::set(driver);
    let (session, items) = in_mid_turn(&stage);
    let runner = if driver.name.ends_with("-direct") { " drive ".to_owned() } else { format!("{}.mjs", driver.name) };
    kill(the_one(&stage, |command| command.contains(&runner)));
    assert_failed_and_resumed(&stage, &session, items, "runner_killed");
}

/// A session with one answered prompt and, in its second turn, a command that runs for five minutes.
fn in_mid_turn(stage: &Stage) -> (String, Program) {
    let (session, mut items) = stage.detached(&["--mode", "bypass"], "SCENARIO:echo say=remember-this");
    items.wait_for("the end of the first turn", is_kind("turnEnd"));
    stage.run(["send", &session, "SCENARIO:sleep s=300"]).assert_code(0);
    items.wait_for("the command", running_command);
    wait_for_sleep(stage);
    (session, items)
}

/// The call is told before its process is there.
fn wait_for_sleep(stage: &Stage) {
    let began = std::time::Instant::now();
    while !stage.home.processes().iter().any(|process| process.command == "sleep 300") {
        assert!(began.elapsed() < outrigger_tests::DEADLINE, "{:?}", stage.home.processes());
        std::thread::yield_now();
    }
}

fn assert_interrupted_and_resumed(stage: &Stage, session: &str) {
    assert_eq!(listed(stage, session)["liveness"]["type"], "interrupted");
    stage.home.assert_nobody_left();
    assert_resumed(stage, session);
}

fn assert_failed_and_resumed(stage: &Stage, session: &str, items: Program, code: &str) {
    let items = items.finish().json();
    let error = items.iter().find(|item| is_kind("error")(item)).unwrap_or_else(|| panic!("no error: {items:?}"));
    assert_eq!(error["body"]["code"], code, "{error}");
    assert_eq!((&error["body"]["class"], &error["body"]["signal"]), (&"killed".into(), &"SIGKILL".into()), "{error}");
    stage.home.assert_nobody_left();
    let liveness = &listed(stage, session)["liveness"];
    assert_eq!((&liveness["type"], &liveness["outcome"]), (&"ended".into(), &"failed".into()), "{liveness}");
    assert_resumed(stage, session);
}

fn assert_resumed(stage: &Stage, session: &str) {
    let before = native_of(stage);
    let resumed = stage.run(["run", "--json", "--resume", session, "SCENARIO:echo say=again"]);
    resumed.assert_code(0);
    let items = resumed.json();
    assert!(any(&items, says("You said: again")), "{items:?}");
    let opened = items.iter().rfind(|item| is_kind("opened")(item)).unwrap();
    assert_eq!(opened["body"]["resumes"], before, "{opened}");
    assert_eq!(opened["body"]["nativeSessionId"], before, "the same conversation: {opened}");
    assert!(!any(&items, |item| item["body"]["code"] == "not_resumed"), "{items:?}");
    assert_remembered(stage, "You said: remember-this");
    stage.home.assert_nobody_left();
}

/// The newest request of the resumed conversation carries what was said before.
fn assert_remembered(stage: &Stage, words: &str) {
    let requests = stage.requests();
    let newest =
        requests.iter().rfind(|request| request["lastUser"].as_str().is_some_and(|text| text.contains("say=again")));
    let history = newest.unwrap()["history"].as_array().unwrap();
    let said =
        history.iter().any(|entry| entry["role"] == "assistant" && entry["text"].as_str().unwrap().contains(words));
    assert!(said, "the conversation that was sent does not hold “{words}”: {history:?}");
}

fn running_command(item: &Value) -> bool {
    item["body"]["type"] == "toolCall" && item["body"]["status"] == "running"
}

fn is_cli(provider: &str, command: &str) -> bool {
    command.contains(match provider {
        "codex" => "app-server",
        "opencode" => " serve ",
        _ => "stream-json",
    })
}

fn the_one(stage: &Stage, wanted: impl Fn(&str) -> bool) -> u32 {
    let all = stage.home.processes();
    let found: Vec<&Survivor> = all.iter().filter(|process| wanted(&process.command)).collect();
    let [one] = found[..] else { panic!("{} processes fit: {all:#?}", found.len()) };
    one.pid
}

fn keeper(stage: &Stage) -> u32 {
    let pod: Value = serde_json::from_slice(&fs::read(stage.home.sessions()[0].join("pod.json")).unwrap()).unwrap();
    u32::try_from(pod["pid"].as_u64().unwrap()).unwrap()
}

fn kill(pid: u32) {
    // An error means that it ended in between.
    let _ = kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL);
}

fn native_of(stage: &Stage) -> Value {
    let meta: Value = serde_json::from_slice(&fs::read(stage.home.sessions()[0].join("meta.json")).unwrap()).unwrap();
    assert!(meta["nativeSessionId"].is_string(), "{meta}");
    meta["nativeSessionId"].clone()
}

fn native_id(item: &Value) -> Option<String> {
    item["body"]["nativeSessionId"].as_str().map(str::to_owned)
}

fn listed(stage: &Stage, session: &str) -> Value {
    let ended = stage.run(["ps", "--all", "--json"]);
    ended.assert_code(0);
    ended.json().into_iter().find(|summary| summary["session"] == session).unwrap()
}
