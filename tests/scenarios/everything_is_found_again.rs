//! Search and usage over all sessions, from the command line: real sessions, growing ones, damaged archives, several askers.

use std::fs;

use outrigger_tests::Home;
use serde_json::Value;

use crate::stage::{self, demo, detached, follow, is_kind, own_provider};

fn found(home: &Home, more: &[&str]) -> Vec<Value> {
    let args: Vec<&str> = ["search", "--json"].iter().chain(more).copied().collect();
    let ended = home.run(args);
    ended.assert_code(0);
    ended.json()
}

#[test]
fn words_of_a_session_are_found_with_where_they_stand() {
    let home = stage::home();
    home.run(demo(&home, &["--permissions", "deny"], "hello lighthouse")).assert_code(0);
    let hits = found(&home, &["lighthou"]);
    let prompt = hits.iter().find(|hit| hit["kind"] == "prompt").unwrap();
    assert_eq!(prompt["provider"], "demo");
    assert_eq!(prompt["title"], "hello lighthouse");
    let records = Home::journal(&home.sessions()[0]);
    let record = records.iter().find(|record| record["seq"] == prompt["seq"]).unwrap();
    assert_eq!(record["line"]["text"], "hello lighthouse", "it leads to the record");
    let text = home.run(["search", "lighthouse", "--provider", "demo", "--since", "7d"]);
    text.assert_code(0);
    assert!(text.stdout.iter().any(|line| line.starts_with("hello lighthouse  ")), "{:?}", text.stdout);
    assert!(found(&home, &["lighthouse", "--provider", "codex"]).is_empty());
    assert!(found(&home, &["lighthouse", "--workspace", "/nowhere"]).is_empty());
    assert!(!found(&home, &["lighthouse", "--workspace", home.workspace().to_str().unwrap()]).is_empty());
    let nothing = home.run(["search", "zeppelin"]);
    nothing.assert_code(0);
    assert!(nothing.stdout.is_empty() && nothing.stderr.contains("Nothing was found for: zeppelin"));
    home.run(["search", "lamp", "--since", "soon"]).assert_code(2);
    for hostile in ["\"", "NEAR(", "a AND", "* OR *", "text:", "-- -x", "'; DROP TABLE items"] {
        home.run(["search", "--json", "--", hostile]).assert_code(0);
    }
}

#[test]
fn a_session_that_works_is_found_as_far_as_it_has_come() {
    let home = stage::home();
    let session = detached(&home, "demo", &["--mode", "accept-edits"], "first question");
    let mut items = follow(&home, &session);
    items.wait_for("the first end", is_kind("turnEnd"));
    assert!(!found(&home, &["\"first question\""]).is_empty());
    assert!(found(&home, &["\"second question\""]).is_empty());
    home.run(["send", &session, "second question"]).assert_code(0);
    items.wait_for("the second end", is_kind("turnEnd"));
    assert!(!found(&home, &["\"second question\""]).is_empty());
    let once = found(&home, &["\"first question\""]);
    assert_eq!(once.iter().filter(|hit| hit["kind"] == "prompt").count(), 1, "{once:?}");
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_damaged_archive_is_made_anew_and_many_ask_at_once() {
    let home = stage::home();
    home.run(demo(&home, &["--permissions", "deny"], "hello lighthouse")).assert_code(0);
    let before = found(&home, &["lighthouse"]);
    fs::write(home.path().join("data/archive.sqlite3"), "no database at all".repeat(100)).unwrap();
    let _ = fs::remove_file(home.path().join("data/archive.sqlite3-wal"));
    let askers: Vec<_> = (0..4).map(|_| home.start(["search", "--json", "lighthouse"])).collect();
    for asker in askers {
        asker.finish().assert_code(0);
    }
    assert_eq!(found(&home, &["lighthouse"]), before);
}

#[test]
fn usage_sums_up_what_turns_told() {
    let home = stage::home();
    let empty = home.run(["usage"]);
    empty.assert_code(0);
    assert!(empty.stdout.is_empty() && empty.stderr.contains("No turn has ended yet"), "{}", empty.stderr);
    own_provider(&home, "recording", "");
    for prompt in ["one", "two"] {
        home.run(stage::run_of(&home, "own", &[], prompt)).assert_code(0);
    }
    let ended = home.run(["usage", "--json", "--by", "provider"]);
    ended.assert_code(0);
    let rows = ended.json();
    let own = rows.iter().find(|row| row["key"] == "own").unwrap();
    assert_eq!((own["sessions"].as_u64(), own["turns"].as_u64()), (Some(2), Some(2)), "{own}");
    assert_eq!((own["inputTokens"].as_u64(), own["outputTokens"].as_u64()), (Some(20), Some(10)), "{own}");
    assert_eq!(own["costUsd"], 0.5);
    assert_eq!(rows.last().unwrap()["by"], "total");
    let text = home.run(["usage"]).stdout.join("\n");
    for part in ["DAY", "PROVIDER", "WORKSPACE", "TOTAL", "$0.5000"] {
        assert!(text.contains(part), "{text}");
    }
}
