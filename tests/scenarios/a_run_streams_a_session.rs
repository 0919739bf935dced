//! `outrigger run` shows a session while it runs and ends with its outcome.

use outrigger_tests::Home;

use crate::stage::{self, demo, is_kind, last_of, says, words};

#[test]
fn items_come_as_json_while_the_agent_works() {
    let home = stage::home();
    let mut run = home.start(demo(&home, &["--mode", "accept-edits"], "look around"));
    run.wait_for("the opening", is_kind("opened"));
    run.wait_for("the prompt", |item| item["body"]["type"] == "userMessage" && item["body"]["text"] == "look around");
    run.wait_for("a tool that is done", |item| {
        item["body"]["type"] == "toolCall" && item["body"]["status"] == "completed"
    });
    run.wait_for("the answer", says("You asked: “look around”"));
    let ended = run.finish();
    ended.assert_code(0);
    let items = ended.json();
    assert_eq!(last_of(&items, "turnEnd").len(), 1);
    assert_eq!(last_of(&items, "turnEnd")[0]["body"]["stopReason"], "endTurn");
    assert!(items.iter().all(|item| item["seq"].as_u64() > Some(0)), "deltas have no place in --json");
    assert!(home.workspace().join("OUTRIGGER-DEMO.md").is_file());
    home.assert_nobody_left();
}

#[test]
fn text_for_people_has_no_colours_in_a_pipe() {
    let home = stage::home();
    let mut args = demo(&home, &["--mode", "accept-edits"], "hello");
    args.retain(|word| word != "--json");
    let ended = home.run(args);
    ended.assert_code(0);
    let text = ended.stdout.join("\n");
    assert!(!text.contains('\x1b'), "{text}");
    assert!(text.contains("> hello") && text.contains("✓ Read README.md") && text.contains("tokens in"), "{text}");
    assert_eq!(text.matches("You asked").count(), 1, "nothing is said twice: {text}");
}

#[test]
fn the_transcript_is_what_was_shown() {
    let home = stage::home();
    let shown = home.run(demo(&home, &["--mode", "accept-edits"], "hello"));
    shown.assert_code(0);
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let kept = home.run(["logs", &session, "--json"]);
    kept.assert_code(0);
    assert_eq!(words(&kept.json()), words(&shown.json()));
    let records = home.run(["logs", &session, "--records"]).json();
    assert_eq!(records, Home::journal(&home.sessions()[0])[1..]);
    let text = home.run(["logs", &session]);
    assert!(text.stdout.iter().any(|line| line.contains("✓ Write OUTRIGGER-DEMO.md")), "{:?}", text.stdout);
}

#[test]
fn the_prompt_can_come_from_stdin() {
    let home = stage::home();
    let mut run = home.start(demo(&home, &["--mode", "plan"], "-"));
    run.write_line("from a pipe");
    run.close_stdin();
    let ended = run.finish();
    ended.assert_code(0);
    assert!(words(&ended.json()).contains("You asked: “from a pipe”"));
}

#[test]
fn a_failed_turn_and_a_crash_end_with_1() {
    let home = stage::home();
    let failed = home.run(demo(&home, &[], "demo:fail"));
    failed.assert_code(1);
    assert_eq!(last_of(&failed.json(), "error").len(), 1);
    let crashed = home.run(demo(&home, &[], "demo:crash"));
    crashed.assert_code(1);
    let errors = last_of(&crashed.json(), "error");
    assert!(errors[0]["body"]["message"].as_str().unwrap().contains("exited with code 7"), "{errors:?}");
    assert!(errors[0]["body"]["stderrTail"].to_string().contains("something terrible happened"), "{errors:?}");
    let at_once = home.run(demo(&home, &[], "demo:exit-at-once"));
    at_once.assert_code(1);
    home.assert_nobody_left();
}

#[test]
fn wrong_usage_ends_with_2() {
    let home = stage::home();
    home.run(["run"]).assert_code(2);
    home.run(["run", "--no-such-option", "x"]).assert_code(2);
    home.run(demo(&home, &[], "  ")).assert_code(2);
    home.run(demo(&home, &["--permissions", "perhaps"], "x")).assert_code(2);
}

#[test]
fn ctrl_c_interrupts_the_turn() {
    let home = stage::home();
    let mut run = home.start(demo(&home, &[], "demo:slow=100 hello"));
    run.wait_for("the prompt", is_kind("userMessage"));
    run.wait_for("a tool call", is_kind("toolCall"));
    run.signal(2);
    let ended = run.finish();
    ended.assert_code(5);
    assert_eq!(last_of(&ended.json(), "turnEnd")[0]["body"]["stopReason"], "interrupted");
    home.assert_nobody_left();
}

#[test]
fn a_second_ctrl_c_stops_the_session() {
    let home = stage::home();
    stage::own_provider(&home, "stubborn", "");
    let mut run = home.start(stage::run_of(&home, "own", &[], "x"));
    run.wait_for("the turn", says("stubborn"));
    run.signal(2);
    // A runner that does not hear it leaves the turn running.
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let mut records = stage::follow_records(&home, &session);
    records.wait_for("the interrupt", |record| record["line"]["type"] == "interruptAsked");
    run.signal(2);
    records.wait_for("the stop", |record| record["line"]["type"] == "stopAsked");
    run.signal(2);
    run.finish().assert_code(5);
    home.assert_nobody_left();
}

#[test]
fn a_terminal_that_goes_leaves_the_session() {
    let home = stage::home();
    let mut run = home.start(demo(&home, &["--mode", "accept-edits"], "demo:slow=40 hello"));
    run.wait_for("a tool call", is_kind("toolCall"));
    run.signal(1);
    let _ = run.finish();
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(stage::listed(&home, &session)["liveness"]["type"], "live");
    stage::follow(&home, &session).wait_for("the end of the turn", is_kind("turnEnd"));
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}
