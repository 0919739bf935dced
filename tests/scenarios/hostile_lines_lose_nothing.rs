//! Lines that no runner should print cost at most themselves.

use outrigger_tests::Home;
use serde_json::Value;

use crate::stage::{self, last_of, own_provider, run_of, words};

/// Runs a trick; the items, and the journal.
fn trick(name: &str) -> (Vec<Value>, Vec<Value>) {
    let home = stage::home();
    own_provider(&home, "hostile", "");
    let ended = home.run(run_of(&home, "own", &[], name));
    ended.assert_code(0);
    home.assert_nobody_left();
    (ended.json(), Home::journal(&home.sessions()[0]))
}

fn notice<'a>(items: &'a [Value], code: &str) -> Option<&'a Value> {
    items.iter().find(|item| item["body"]["type"] == "notice" && item["body"]["code"] == code)
}

#[test]
fn a_line_of_10_mib_is_whole() {
    let (items, _) = trick("at-the-limit");
    let said = words(&items);
    assert!(said.len() > 10 * 1024 * 1024 - 200, "{} bytes", said.len());
    assert!(said.ends_with("after\n") && notice(&items, "line_cut").is_none());
}

#[test]
fn a_line_of_12_mib_is_cut_and_the_next_ones_are_intact() {
    let (items, journal) = trick("too-long");
    let cut = notice(&items, "line_cut").unwrap();
    assert!(cut["body"]["text"].as_str().unwrap().contains(&(12 * 1024 * 1024).to_string()), "{cut}");
    assert_eq!(words(&items), "before\nafter\n");
    let record = journal.iter().find(|record| record["cutFrom"].is_u64()).unwrap();
    assert_eq!(record["cutFrom"], 12 * 1024 * 1024);
    assert!(record["text"].as_str().unwrap().len() <= 10 * 1024 * 1024);
}

#[test]
fn a_garbage_line_is_shown_as_what_it_is() {
    let (items, _) = trick("garbage");
    assert_eq!(notice(&items, "text_line").unwrap()["body"]["text"], "this is no JSON at all {{{");
    assert_eq!(words(&items), "before\nafter\n");
}

#[test]
fn invalid_utf8_is_kept() {
    let (items, journal) = trick("invalid-utf8");
    assert_eq!(words(&items), "before\nafter\n");
    let record = journal.iter().find(|record| record["escaped"] == true).unwrap();
    assert_eq!(record["text"], "ok\\xff\\xfeok");
}

#[test]
fn a_last_line_without_its_end_is_read() {
    let home = stage::home();
    own_provider(&home, "hostile", "");
    let ended = home.run(run_of(&home, "own", &[], "unfinished"));
    ended.assert_code(1);
    assert_eq!(words(&ended.json()), "before\nthe last words\n");
    assert_eq!(last_of(&ended.json(), "error").len(), 1, "a runner that ends in mid-turn has failed");
    home.assert_nobody_left();
}

#[test]
fn the_demo_agents_own_garbage_loses_nothing() {
    let home = stage::home();
    let ended = home.run(stage::demo(&home, &["--permissions", "deny"], "demo:garbage"));
    ended.assert_code(0);
    assert!(words(&ended.json()).contains("Nothing valid should be missing"));
}
