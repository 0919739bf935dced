//! When a session ends, all that it started has ended.

use crate::stage::{self, demo, detached, follow, listed, own_provider, says};

#[test]
fn a_runner_that_hears_nothing_and_its_lost_descendants_are_ended() {
    let home = stage::home();
    own_provider(&home, "stubborn", "");
    let session = detached(&home, "own", &[], "x");
    follow(&home, &session).wait_for("the turn", says("stubborn"));
    assert!(home.processes().iter().filter(|process| process.command.starts_with("sleep 600")).count() >= 2);
    let began = std::time::Instant::now();
    let stopped = home.run(["stop", &session, "--json"]);
    stopped.assert_code(0);
    let took = began.elapsed();
    assert_eq!(stopped.json()[0]["survivors"], serde_json::json!([]));
    assert_eq!(stopped.json()[0]["outcome"], "stopped");
    assert!(took.as_secs() >= 3, "it has its grace first: {took:?}");
    home.assert_nobody_left();
    assert_eq!(listed(&home, &session)["liveness"]["outcome"], "stopped");
}

#[test]
fn force_skips_the_grace() {
    let home = stage::home();
    own_provider(&home, "stubborn", "");
    let session = detached(&home, "own", &[], "x");
    follow(&home, &session).wait_for("the turn", says("stubborn"));
    home.run(["stop", &session, "--force"]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_stop_in_the_middle_of_a_command_ends_the_command() {
    let home = stage::home();
    let prompt = "demo:run=\"sleep 601\" hello";
    let session = detached(&home, "demo", &["--mode", "bypass"], prompt);
    follow(&home, &session)
        .wait_for("the command", |item| item["body"]["type"] == "toolCall" && item["body"]["name"] == "shell");
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_command_that_ends_as_soon_as_nobody_reads_it() {
    let home = stage::home();
    home.run(demo(&home, &["--mode", "accept-edits"], "hello")).assert_code(0);
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let mut command = std::process::Command::new("sh");
    home.furnish(&mut command);
    let program = outrigger_tests::program("outrigger");
    command.args(["-c", &format!("'{}' logs {session} --json | head -1", program.display())]);
    let ended = outrigger_tests::Program::start(command).finish();
    ended.assert_code(0);
    assert_eq!(ended.stdout.len(), 1);
    assert_eq!(ended.stderr, "", "no complaint about the pipe");
}
