//! A CLI that needs no runner: what it prints is passed on byte by byte, what it does badly is told, and it leaves nobody behind.

use std::fs;

use outrigger_tests::{Home, project};
use serde_json::Value;

use crate::stage::{self, detached, follow, is_kind, last_of, run_of, says, words, write};

/// A home with the scripted CLI as a provider.
fn home_with(more: &str) -> Home {
    let home = stage::home();
    let cli = project().join("tests/fixtures/clis/scripted.mjs");
    let manifest = format!(
        "id = \"direct\"\nname = \"Direct agent\"\ndriver = \"stream-json\"\nadapter = \"plain\"\n{more}\n\
         [cli]\ncandidates = [\"{}\"]\n",
        cli.display()
    );
    write(&home.path().join("config/providers/direct.toml"), &manifest);
    home
}

fn run(home: &Home, more: &[&str], prompt: &str) -> outrigger_tests::Ended {
    let ended = home.run(run_of(home, "direct", more, prompt));
    home.assert_nobody_left();
    ended
}

fn heard(home: &Home) -> Vec<Value> {
    let text = fs::read_to_string(home.workspace().join("heard.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn error_of(ended: &outrigger_tests::Ended) -> Value {
    last_of(&ended.json(), "error").pop().unwrap_or_else(|| panic!("no error: {:?}", ended.stdout))
}

#[test]
fn a_turn_with_its_usage() {
    let home = home_with("");
    let ended = run(&home, &[], "hello");
    ended.assert_code(0);
    let items = ended.json();
    assert_eq!(words(&items), "You said: hello\n");
    let end = items.iter().rfind(|item| is_kind("turnEnd")(item)).unwrap();
    assert_eq!(end["body"]["usage"]["outputTokens"], 4, "{end}");
    assert_eq!(end["body"]["usage"]["costUsd"], 0.5, "{end}");
    let native = items.iter().filter_map(|item| item["body"]["nativeSessionId"].as_str()).next_back();
    assert_eq!(native, Some("native-1"));
    assert!(items.iter().all(|item| item["body"]["type"] != "unknown"), "{items:?}");
}

#[test]
fn hostile_lines_cost_at_most_themselves() {
    let home = home_with("");
    let ended = run(&home, &[], "garbage");
    ended.assert_code(0);
    let items = ended.json();
    assert_eq!(words(&items), "before\ncut emoji \u{fffd}\nafter\n");
    let notices: Vec<String> =
        last_of(&items, "notice").iter().map(|item| item["body"]["text"].as_str().unwrap().to_owned()).collect();
    for part in ["this is no JSON at all {{{", "ok\\xff\\xfe", "[1,2]", "12582937 bytes in all"] {
        assert!(
            notices.iter().any(|notice| notice.contains(part)),
            "{part}: {:?}",
            notices.iter().map(|n| n.chars().take(80).collect::<String>()).collect::<Vec<_>>()
        );
    }
    assert_eq!(last_of(&items, "unknown").len(), 1, "the odd one, and nothing else");
    let journal = fs::read_to_string(home.sessions()[0].join("journal.ndjson")).unwrap();
    let odd = "\"event\":{ \"type\" : \"odd\", \"order\":1, \"number\":1.00,  \"raw\":\"\u{2028}\" }}";
    assert!(journal.contains(odd), "it is kept byte by byte");
}

#[test]
fn many_events_are_all_there() {
    let home = home_with("");
    let ended = run(&home, &[], "much");
    ended.assert_code(0);
    assert!(words(&ended.json()).ends_with("all words\n"));
}

#[test]
fn a_last_line_without_its_end_is_read_and_a_turn_without_result_has_failed() {
    let home = home_with("");
    let ended = run(&home, &[], "unfinished");
    ended.assert_code(1);
    assert_eq!(words(&ended.json()), "the last words\n");
    assert_eq!(error_of(&ended)["body"]["code"], "cli_exited");
}

#[test]
fn a_cli_that_dies_is_told_with_its_last_words() {
    let home = home_with("");
    let ended = run(&home, &[], "die");
    ended.assert_code(1);
    let error = error_of(&ended);
    assert_eq!((&error["body"]["code"], &error["body"]["exitCode"]), (&"cli_exited".into(), &3.into()), "{error}");
    assert!(error["body"]["message"].as_str().unwrap().contains("last complaint"), "{error}");
    assert!(error["body"]["stderrTail"].to_string().contains("first complaint"), "{error}");
}

#[test]
fn a_killed_cli_is_told_as_killed_and_the_next_prompt_resumes() {
    let home = home_with("[options]\nresume = [\"--resume\", \"{}\"]");
    let ended = run(&home, &[], "killed");
    let error = error_of(&ended);
    assert_eq!(
        (&error["body"]["code"], &error["body"]["signal"]),
        (&"cli_killed".into(), &"SIGKILL".into()),
        "{error}"
    );
    assert!(error["body"]["stderrTail"].to_string().contains("about to die"), "{error}");
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let resumed = home.run(["run", "--json", "--resume", &session, "again"]);
    resumed.assert_code(0);
    assert_eq!(heard(&home)[2]["args"], serde_json::json!(["--resume", "native-1"]));
    home.assert_nobody_left();
}

#[test]
fn a_cli_that_says_nothing_is_told_so() {
    let home = home_with("args = [\"--silent\"]");
    let ended = run(&home, &[], "hello");
    ended.assert_code(1);
    assert_eq!(error_of(&ended)["body"]["code"], "no_output");
}

#[test]
fn a_forgotten_conversation_is_disclosed() {
    let home = home_with("[options]\nresume = [\"--resume\", \"{}\"]");
    run(&home, &[], "hello").assert_code(0);
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let resumed = home.run(["run", "--json", "--resume", &session, "forgetful"]);
    resumed.assert_code(1);
    assert_eq!(error_of(&resumed)["body"]["code"], "conversation_unknown");
    let anew = home.run(["run", "--json", "--resume", &session, "hello"]);
    anew.assert_code(0);
    assert!(
        last_of(&anew.json(), "notice").iter().any(|item| item["body"]["code"] == "not_resumed"),
        "{:?}",
        anew.stdout
    );
    home.assert_nobody_left();
}

#[test]
fn what_cannot_be_passed_on_is_told_and_what_can_is_passed_on() {
    let home = home_with(
        "args = [\"go\"]\n[options]\nmodel = [\"--model={}\"]\n[options.permissionMode]\nplan = [\"--plan\"]",
    );
    let ended = run(&home, &["--model", "big", "--mode", "plan", "--system-prompt", "Be brief."], "hello");
    ended.assert_code(0);
    assert_eq!(heard(&home)[0]["args"], serde_json::json!(["go", "--plan", "--model=big"]));
    let workspace = fs::canonicalize(home.workspace()).unwrap();
    assert_eq!(heard(&home)[0]["directory"], workspace.to_str().unwrap());
    let notices = last_of(&ended.json(), "notice");
    assert!(
        notices.iter().any(|item| item["body"]["text"].as_str().unwrap().contains("without the system prompt")),
        "{notices:?}"
    );
}

#[test]
fn a_prompt_in_mid_turn_waits_for_its_end() {
    let home = home_with("");
    let session = detached(&home, "direct", &[], "much");
    let mut items = follow(&home, &session);
    home.run(["send", &session, "--queue", "second"]).assert_code(0);
    items.wait_for("the answer to the second", says("You said: second"));
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
    let prompts: Vec<_> = heard(&home).iter().filter_map(|said| said["content"].as_str().map(str::to_owned)).collect();
    assert_eq!(prompts, ["much", "second"]);
}

#[test]
fn an_open_pipe_of_a_grandchild_does_not_hold_up_the_end() {
    let home = home_with("");
    let ended = run(&home, &[], "leave");
    ended.assert_code(0);
    assert_eq!(words(&ended.json()), "gone with an open pipe\n");
}

#[test]
fn a_cli_that_does_not_want_to_end_is_ended() {
    let home = home_with("");
    let session = detached(&home, "direct", &[], "stubborn");
    follow(&home, &session).wait_for("a word", says("I stay"));
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn no_runtime_is_needed() {
    let home = home_with("");
    // A CLI that is no script of a runtime: the first provider that comes with nothing.
    stage::script(
        &home.user_home().join("bin/agent"),
        "[ \"$1\" = --version ] && { echo agent 1.0.0; exit; }\nwhile read -r line; do\n  echo '{\"type\":\"text\",\"text\":\"from a shell\"}'\n  echo '{\"type\":\"result\"}'\ndone",
    );
    let manifest = "id = \"direct\"\nname = \"Shell agent\"\ndriver = \"stream-json\"\nadapter = \"plain\"\n[cli]\ncandidates = [\"~/bin/agent\"]\n";
    write(&home.path().join("config/providers/direct.toml"), manifest);
    home.hide_runtimes();
    let ended = run(&home, &[], "hello");
    ended.assert_code(0);
    assert_eq!(words(&ended.json()), "from a shell\n");
    let demo = home.run(run_of(&home, "demo", &[], "hello"));
    demo.assert_code(3);
    assert!(demo.stderr.contains("JavaScript runtime"), "{}", demo.stderr);
}
