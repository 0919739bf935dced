//! A `codex` of months ago: what it says in older words is understood.

use std::fs;

use crate::drivers::CODEX_OLDER;
use crate::stage::{Stage, any, is_kind, is_pending, says};

#[test]
#[ignore = "only with ./dev test --clis all"]
fn its_plan_and_its_commands_read_alike() {
    let stage = Stage::set(&CODEX_OLDER);
    let (session, mut items) = stage.detached(&[], "SCENARIO:plan");
    items.wait_for("the plan", |item| {
        item["body"]["type"] == "plan" && item["body"]["entries"][1]["status"] == "inProgress"
    });
    items.wait_for("the end", is_kind("turnEnd"));
    stage.run(["send", &session, "SCENARIO:bash cmd=touch+lamp"]).assert_code(0);
    items.wait_for("a request", is_pending);
    stage.run(["answer", &session, "-", "allow"]).assert_code(0);
    items.wait_for("the answer", says("The command is done."));
    stage.run(["stop", &session]).assert_code(0);
    let all = items.finish().json();
    let unknown: Vec<_> = all.iter().filter(|item| item["body"]["type"] == "unknown").collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(any(&all, |item| item["body"]["type"] == "toolCall" && item["body"]["status"] == "completed"));
    assert!(fs::exists(stage.home.workspace().join("lamp")).unwrap());
    stage.home.assert_nobody_left();
}
