//! Requests for permission that a policy or a rule answers, with nobody attached; what was allowed for good, and how it is taken back.

use std::fs;

use outrigger_tests::{Home, Program};
use serde_json::Value;

use crate::stage::{self, demo, detached, follow, is_kind, is_pending, last_of, listed, words};

const SUMMARY: &str = "OUTRIGGER-DEMO.md";
const RUN: &str = "demo:run=\"echo one >> one.txt\" hello";

fn answers(items: &[Value]) -> Vec<Value> {
    last_of(items, "permission").iter().map(|item| item["body"]["state"].clone()).collect()
}

fn by(items: &[Value]) -> Vec<String> {
    answers(items).iter().map(|state| state["by"].as_str().unwrap_or("nobody").to_owned()).collect()
}

fn is_resumed(item: &Value) -> bool {
    item["body"]["type"] == "opened" && item["body"]["resumes"].is_string()
}

fn stopped(home: &Home, session: &str, items: Program) -> Vec<Value> {
    home.run(["stop", session]).assert_code(0);
    items.finish().json()
}

fn opened(home: &Home) -> Vec<Value> {
    let records = Home::journal(home.sessions().last().unwrap());
    records
        .into_iter()
        .filter(|record| record["line"]["type"] == "opened")
        .map(|record| record["line"].clone())
        .collect()
}

#[test]
fn a_detached_run_is_allowed_or_denied_everything_by_its_own_pod() {
    let home = stage::home();
    let session = detached(&home, "demo", &["--permissions", "deny"], RUN);
    follow(&home, &session).wait_for("the end of the turn", is_kind("turnEnd"));
    assert!(!home.workspace().join(SUMMARY).exists() && !home.workspace().join("one.txt").exists());
    home.run(["stop", &session]).assert_code(0);

    let session = detached(&home, "demo", &["--permissions", "allow"], RUN);
    let mut items = follow(&home, &session);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert!(home.workspace().join(SUMMARY).is_file() && home.workspace().join("one.txt").is_file());
    assert_eq!(listed(&home, &session)["permissionPolicy"], "allow");
    let ps = home.run(["ps"]);
    assert!(ps.stdout.iter().any(|line| line.contains("allows every request")), "{:?}", ps.stdout);
    assert_eq!(opened(&home)[0]["permissions"], "allow", "it stands in the journal");
    assert_eq!(by(&stopped(&home, &session, items)), ["policy", "policy"]);
    let text = home.run(["logs", &session]).stdout.join("\n");
    assert!(text.contains("allows every request") && text.contains("allowed by policy"), "{text}");
    home.assert_nobody_left();
}

#[test]
fn a_policy_ends_with_its_session() {
    let home = stage::home();
    let session = detached(&home, "demo", &["--permissions", "allow"], "hello");
    follow(&home, &session).wait_for("the end of the turn", is_kind("turnEnd"));
    home.run(["stop", &session]).assert_code(0);
    home.run(["run", "--resume", &session, "--detach", "again"]).assert_code(0);
    let mut items = follow(&home, &session);
    items.wait_for("the resume", is_resumed);
    items.wait_for("a request that waits", is_pending);
    assert_eq!(listed(&home, &session)["permissionPolicy"], "ask");
    assert_eq!(by(&stopped(&home, &session, items)), ["policy", "nobody"]);
    // Said again, it holds again.
    home.run(["run", "--resume", &session, "--detach", "--permissions", "deny", "once more"]).assert_code(0);
    let mut items = follow(&home, &session);
    items.wait_for("the answer", |item| words(std::slice::from_ref(item)).contains("You denied it"));
    assert_eq!(by(&stopped(&home, &session, items)).last().unwrap(), "policy");
}

#[test]
fn a_policy_for_a_session_that_lives_answers_what_waits() {
    let home = stage::home();
    let session = detached(&home, "demo", &[], "hello");
    let mut items = follow(&home, &session);
    items.wait_for("a request", is_pending);
    home.run(["run", "--resume", &session, "--detach", "--permissions", "allow", "demo:write more"]).assert_code(0);
    items.wait_for("the end of the first turn", is_kind("turnEnd"));
    items.wait_for("the end of the second turn", is_kind("turnEnd"));
    assert!(home.workspace().join(SUMMARY).is_file());
    assert_eq!(by(&stopped(&home, &session, items)), ["policy", "policy"]);
}

#[test]
fn what_is_allowed_for_the_session_is_asked_once_over_all_resumes() {
    let home = stage::home();
    let session = detached(&home, "demo", &[], RUN);
    let mut items = follow(&home, &session);
    items.wait_for("the request for the command", is_pending);
    let refused = home.run(["answer", &session, "-", "deny", "--for", "session"]);
    refused.assert_code(2);
    home.run(["answer", &session, "-", "allow-always", "--for", "session"]).assert_code(0);
    items.wait_for("the request for the file", is_pending);
    home.run(["answer", &session, "-", "allow"]).assert_code(0);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    let first = stopped(&home, &session, items);
    assert_eq!(by(&first), ["user", "user"]);
    assert_eq!(answers(&first)[0]["rule"]["words"], "exactly `echo one >> one.txt`");
    home.run(["run", "--resume", &session, "--detach", RUN]).assert_code(0);
    let mut items = follow(&home, &session);
    items.wait_for("the resume", is_resumed);
    items.wait_for("the command to be allowed", |item| item["body"]["state"]["by"] == "rule");
    items.wait_for("the request for the file, which no rule allows", is_pending);
    assert_eq!(fs::read_to_string(home.workspace().join("one.txt")).unwrap(), "one\none\n", "nobody was asked");
    assert_eq!(by(&stopped(&home, &session, items)), ["user", "user", "rule", "nobody"]);
    let text = home.run(["logs", &session]).stdout.join("\n");
    assert!(text.contains("allowed by rule of this session (exactly `echo one >> one.txt`)"), "{text}");
    // Another session asks.
    let other = detached(&home, "demo", &[], RUN);
    follow(&home, &other).wait_for("a request", is_pending);
    home.run(["stop", &other]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn what_is_allowed_for_the_workspace_holds_there_and_only_there_until_it_is_taken_back() {
    let home = stage::home();
    let session = detached(&home, "demo", &[], "hello");
    let mut items = follow(&home, &session);
    items.wait_for("a request", is_pending);
    home.run(["answer", &session, "-", "allow-always", "--for", "workspace"]).assert_code(0);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    stopped(&home, &session, items);
    let file = home.path().join("config/permissions.toml");
    let kept = fs::read_to_string(&file).unwrap();
    assert!(kept.contains("write_file") && kept.contains("workspace"), "{kept}");

    // Another session of the workspace is not asked, and says by what.
    let second = home.run(demo(&home, &[], "hello"));
    second.assert_code(0);
    let states = answers(&second.json());
    assert_eq!((&states[0]["by"], &states[0]["rule"]["reach"]), (&"rule".into(), &"workspace".into()), "{states:?}");

    // Elsewhere it is asked, whatever that place says of itself.
    let elsewhere = home.user_home().join("elsewhere");
    for place in [elsewhere.join("permissions.toml"), elsewhere.join(".outrigger/permissions.toml")] {
        stage::write(&place, &kept.replace(home.workspace().to_str().unwrap(), elsewhere.to_str().unwrap()));
    }
    let asked = home.run(["run", "--provider", "demo", "--cwd", elsewhere.to_str().unwrap(), "hello"]);
    asked.assert_code(6);
    assert!(!elsewhere.join(SUMMARY).exists());

    // Taken back by hand, it holds no longer; nor does a file that cannot be understood.
    for text in ["", "[[rule]]\nworkspace = 7\n"] {
        fs::write(&file, text).unwrap();
        home.run(demo(&home, &[], "hello")).assert_code(6);
    }
    home.assert_nobody_left();
}
