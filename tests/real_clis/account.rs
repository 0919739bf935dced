//! Which kind of account a CLI uses stands in the transcript, and its key stands nowhere.

use std::fs;

use crate::drivers::{CLAUDE, CODEX, Driver};
use crate::stage::{Stage, is_kind};

#[test]
fn of_claude() {
    the_account_is_told_and_no_key_is(&CLAUDE, "API key (ANTHROPIC_API_KEY)");
}

#[test]
fn of_codex() {
    the_account_is_told_and_no_key_is(&CODEX, "provider standin");
}

fn the_account_is_told_and_no_key_is(driver: &'static Driver, expected: &str) {
    let stage = Stage::set(driver);
    let ended = stage.run(stage.args(&[], "SCENARIO:hello"));
    ended.assert_code(0);
    let items = ended.json();
    let opened = items.iter().rfind(|item| is_kind("opened")(item)).unwrap();
    assert_eq!(opened["body"]["auth"], expected, "{opened}");
    let journal = fs::read_to_string(stage.home.sessions()[0].join("journal.ndjson")).unwrap();
    assert!(!journal.contains("no-secret"), "the key stands in the journal");
    stage.home.assert_nobody_left();
}
