//! The real `claude`, driven by Outrigger itself on a machine without a JavaScript runtime: what is particular.

use serde_json::Value;

use crate::a_death_loses_no_conversation::{the_cli_is_killed, the_keeper_is_killed, the_runner_is_killed};
use crate::drivers::{CLAUDE, CLAUDE_DIRECT};
use crate::stage::{Stage, is_kind, is_pending, says};

#[test]
fn its_cli_is_killed() {
    the_cli_is_killed(&CLAUDE_DIRECT);
}

#[test]
fn its_driver_is_killed() {
    the_runner_is_killed(&CLAUDE_DIRECT);
}

#[test]
fn its_keeper_is_killed() {
    the_keeper_is_killed(&CLAUDE_DIRECT);
}

#[test]
fn claude_itself_is_driven_so_where_there_is_no_runtime_and_the_transcript_says_so() {
    let stage = Stage::set(&CLAUDE);
    stage.run(stage.args(&[], "SCENARIO:echo say=remember-this")).assert_code(0);
    stage.home.hide_runtimes();
    let session = stage.session();
    // A conversation that a runner began goes on without one.
    let mut resumed = stage.start(["run", "--json", "--resume", &session, "SCENARIO:echo say=again"]);
    resumed.wait_for("the reason", |item| {
        item["body"]["text"].as_str().is_some_and(|text| text.contains("No JavaScript runtime was found"))
    });
    resumed.wait_for("the answer", says("You said: again"));
    let ended = resumed.finish();
    ended.assert_code(0);
    let opened = ended.json().into_iter().rfind(is_kind("opened")).unwrap();
    assert_eq!(opened["body"]["provider"], "claude", "{opened}");
    assert_eq!(opened["body"]["resumes"], opened["body"]["nativeSessionId"], "{opened}");
    let newest = stage.requests().into_iter().rfind(|request| has_text(request, "say=again")).unwrap();
    assert!(newest["history"].to_string().contains("remember-this"), "{newest}");
    stage.home.assert_nobody_left();
}

#[test]
fn no_runtime_runs_beside_it() {
    let stage = Stage::set(&CLAUDE_DIRECT);
    let (session, mut items) = stage.detached(&["--mode", "bypass"], "SCENARIO:sleep s=300");
    items.wait_for("the command", |item| item["body"]["type"] == "toolCall" && item["body"]["status"] == "running");
    let commands: Vec<String> = stage.home.processes().into_iter().map(|process| process.command).collect();
    assert!(commands.iter().any(|command| command.contains(" drive ")), "{commands:#?}");
    let runtime = |command: &&String| {
        ["node", "deno", "bun"].iter().any(|name| command.split(['/', ' ']).any(|word| word == *name))
    };
    assert_eq!(commands.iter().find(runtime), None, "{commands:#?}");
    stage.run(["stop", &session]).assert_code(0);
    stage.home.assert_nobody_left();
}

#[test]
fn what_is_always_allowed_is_not_asked_again() {
    let stage = Stage::set(&CLAUDE_DIRECT);
    let command = "SCENARIO:bash cmd=touch+once.txt";
    let (session, mut items) = stage.detached(&[], command);
    let asked = items.wait_for("a request", is_pending);
    let outcomes = asked["body"]["options"].to_string();
    assert!(outcomes.contains("allowAlways"), "{asked}");
    stage.run(["answer", &session, "-", "allow-always"]).assert_code(0);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    stage.run(["send", &session, command]).assert_code(0);
    items.wait_for("the end of the second turn", is_kind("turnEnd"));
    stage.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    let asked: std::collections::BTreeSet<_> =
        all.iter().filter(|item| is_pending(item)).map(|item| item["id"].to_string()).collect();
    assert_eq!(asked.len(), 1, "{all:?}");
    stage.home.assert_nobody_left();
}

#[test]
fn an_interrupt_takes_the_question_back() {
    let stage = Stage::set(&CLAUDE_DIRECT);
    let file = stage.home.workspace().join("hello.txt");
    let (session, mut items) = stage.detached(&[], &format!("SCENARIO:write-file file={}", file.display()));
    items.wait_for("a request", is_pending);
    stage.run(["interrupt", &session]).assert_code(0);
    let end = items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert_eq!(end["body"]["stopReason"], "interrupted");
    stage.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    let last = all.iter().rfind(|item| is_kind("permission")(item)).unwrap();
    assert_ne!(last["body"]["state"]["type"], "pending", "{last}");
    assert!(!file.exists());
    stage.home.assert_nobody_left();
}

#[test]
fn a_turn_that_nobody_asked_for_is_a_turn() {
    let stage = Stage::set(&CLAUDE_DIRECT);
    let (session, mut items) = stage.detached(&["--mode", "bypass"], "SCENARIO:background s=2");
    items.wait_for("the first end", is_kind("turnEnd"));
    items.wait_for("the report of the background task", says("The background command has ended."));
    items.wait_for("the second end", is_kind("turnEnd"));
    stage.run(["stop", &session]).assert_code(0);
    stage.home.assert_nobody_left();
}

fn has_text(request: &Value, words: &str) -> bool {
    request["lastUser"].as_str().is_some_and(|text| text.contains(words))
}
