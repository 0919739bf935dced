//! A detached session goes on, and every other command finds it.

use crate::stage::{self, detached, follow, is_kind, is_pending, listed, says};

#[test]
fn detach_ps_send_answer_stop() {
    let home = stage::home();
    let session = detached(&home, "demo", &[], "first");
    let mut items = follow(&home, &session);
    items.wait_for("a request", is_pending);
    home.run(["answer", &session, "-", "deny", "--message", "not now"]).assert_code(0);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert_eq!(listed(&home, &session)["liveness"]["state"]["type"], "idle");
    home.run(["send", &session, "second"]).assert_code(0);
    items.wait_for("the second answer", says("This is turn 2"));
    items.wait_for("its end", is_kind("turnEnd"));
    let stopped = home.run(["stop", "--json", &session[..13]]);
    stopped.assert_code(0);
    assert_eq!(stopped.json()[0]["outcome"], "done");
    assert_eq!(stopped.json()[0]["survivors"], serde_json::json!([]));
    items.finish().assert_code(0);
    home.assert_nobody_left();
    assert_eq!(listed(&home, &session)["liveness"]["type"], "ended");
}

#[test]
fn without_json_the_id_is_all_that_is_printed() {
    let home = stage::home();
    let mut args = stage::demo(&home, &["--detach"], "hello");
    args.retain(|word| word != "--json");
    let ended = home.run(args);
    ended.assert_code(0);
    assert_eq!(ended.stdout, [home.sessions()[0].file_name().unwrap().to_str().unwrap()]);
    let all = home.run(["stop", "--all", "--json"]);
    all.assert_code(0);
    assert_eq!(all.json().len(), 1);
    home.assert_nobody_left();
}

#[test]
fn interrupt_ends_the_turn_and_keeps_the_session() {
    let home = stage::home();
    let session = detached(&home, "demo", &[], "demo:slow=100 hello");
    home.run(["interrupt", &session]).assert_code(0);
    assert_eq!(listed(&home, &session)["liveness"]["state"]["type"], "idle");
    let mut items = follow(&home, &session);
    let end = items.wait_for("the end of the turn", is_kind("turnEnd"));
    assert_eq!(end["body"]["stopReason"], "interrupted");
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn unknown_and_ambiguous_ids_end_with_4() {
    let home = stage::home();
    for command in [&["logs", "0000"][..], &["stop", "0000"], &["send", "0000", "x"], &["interrupt", "0000"]] {
        let ended = home.run(command);
        ended.assert_code(4);
        assert!(ended.stderr.contains("there is no session `0000`"), "{}", ended.stderr);
    }
    home.run(stage::demo(&home, &["--permissions", "deny"], "a")).assert_code(0);
    home.run(stage::demo(&home, &["--permissions", "deny"], "b")).assert_code(0);
    let ended = home.run(["logs", "01", "--json"]);
    ended.assert_code(4);
    let error: serde_json::Value = serde_json::from_str(ended.stderr.trim()).unwrap();
    assert_eq!(error["code"], "noSuchSession");
    assert!(error["message"].as_str().unwrap().contains("fits 2 sessions"), "{error}");
}
