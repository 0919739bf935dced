//! A permission request waits for an answer, wherever it comes from, and the answer is what happens.

use std::process::Command;

use crate::stage::{self, demo, is_kind, is_pending, last_of, listed, words};

#[test]
fn a_policy_answers_in_the_users_place() {
    let home = stage::home();
    let denied = home.run(demo(&home, &["--permissions", "deny"], "hello"));
    denied.assert_code(0);
    assert!(!home.workspace().join("OUTRIGGER-DEMO.md").exists());
    let permission = &last_of(&denied.json(), "permission")[0];
    assert_eq!(permission["body"]["state"]["outcome"], "deny");
    assert_eq!(permission["body"]["state"]["by"], "policy");
    assert!(words(&denied.json()).contains("You denied it"));
    home.run(demo(&home, &["--permissions", "allow"], "hello")).assert_code(0);
    assert!(home.workspace().join("OUTRIGGER-DEMO.md").is_file());
}

#[test]
fn without_a_terminal_nobody_can_be_asked() {
    let home = stage::home();
    let ended = home.run(demo(&home, &[], "hello"));
    ended.assert_code(6);
    for part in ["Write OUTRIGGER-DEMO.md", "outrigger answer", "--permissions allow", "--mode"] {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
    assert!(!home.workspace().join("OUTRIGGER-DEMO.md").exists());
    home.assert_nobody_left();
}

#[test]
fn an_answer_from_elsewhere_lets_it_go_on() {
    let home = stage::home();
    let session = stage::detached(&home, "demo", &[], "hello");
    let mut items = stage::follow(&home, &session);
    let request = items.wait_for("a request", is_pending);
    let id = request["body"]["requestId"].as_str().unwrap();
    assert!(!home.workspace().join("OUTRIGGER-DEMO.md").exists(), "it waits");
    let summary = listed(&home, &session);
    assert_eq!(summary["liveness"]["state"]["on"]["type"], "permission", "{summary}");
    assert_eq!(summary["liveness"]["waiting"], 1);
    let ps = home.run(["ps"]);
    assert!(ps.stdout.iter().any(|line| line.contains("needs you")), "{:?}", ps.stdout);
    home.run(["answer", &session, "nonsense", "allow"]).assert_code(1);
    home.run(["answer", &session, &id[..8], "allow"]).assert_code(0);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert!(home.workspace().join("OUTRIGGER-DEMO.md").is_file());
    let late = home.run(["answer", &session, id, "deny"]);
    late.assert_code(1);
    assert!(late.stderr.contains("answered by someone else"), "{}", late.stderr);
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn always_is_asked_once() {
    let home = stage::home();
    let session = stage::detached(&home, "demo", &[], "demo:run=\"echo one > one.txt\" hello");
    let mut items = stage::follow(&home, &session);
    items.wait_for("the first request", is_pending);
    home.run(["answer", &session, "-", "allow-always"]).assert_code(0);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    home.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    assert_eq!(last_of(&all, "permission").len(), 1, "{all:?}");
    assert!(home.workspace().join("one.txt").is_file() && home.workspace().join("OUTRIGGER-DEMO.md").is_file());
}

#[test]
fn the_user_is_asked_on_the_terminal() {
    let home = stage::home();
    let mut args = demo(&home, &[], "hello");
    args.retain(|word| word != "--json");
    let outrigger = home.command(&args);
    let words: Vec<String> = std::iter::once(outrigger.get_program())
        .chain(outrigger.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    // `script` gives it a terminal.
    let mut command = Command::new("script");
    home.furnish(&mut command);
    command.args(["--quiet", "--return", "--echo", "never", "--command", &words.join(" "), "/dev/null"]);
    command.env("TERM", "xterm");
    let mut run = outrigger_tests::Program::start(command);
    while let Some(line) = run.next_line() {
        if line.contains("May it: Write OUTRIGGER-DEMO.md") {
            break;
        }
    }
    run.write_line("what");
    run.write_line("d not this one");
    let ended = run.finish();
    ended.assert_code(0);
    let text = ended.stdout.join("\n");
    assert!(text.contains("Please type a, l or d") && text.contains("denied by user: not this one"), "{text}");
    assert!(text.contains('\x1b'), "a terminal gets colours: {text}");
    assert!(!home.workspace().join("OUTRIGGER-DEMO.md").exists());
    home.assert_nobody_left();
}
