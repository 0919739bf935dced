//! Disks fill up, turn read-only, tear a line or lose one, and other versions write on them: what is kept stays readable, what is
//! not kept is said, and the agent goes on.

use std::fs;
use std::path::{Path, PathBuf};

use outrigger_tests::Home;
use serde_json::Value;

use crate::stage::{self, demo, own_provider, run_of, words};

/// A session of the demo agent that has ended: its folder and its id.
fn ended_session(home: &Home, prompt: &str) -> (PathBuf, String) {
    home.run(demo(home, &["--permissions", "deny"], prompt)).assert_code(0);
    let folder = home.sessions().pop().unwrap();
    let id = folder.file_name().unwrap().to_str().unwrap().to_owned();
    (folder, id)
}

fn items(home: &Home, session: &str) -> Vec<Value> {
    let logs = home.run(["logs", session, "--json"]);
    logs.assert_code(0);
    logs.json()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_journal_of_a_newer_format_is_read_and_not_continued() {
    let home = stage::home();
    let (folder, session) = ended_session(&home, "hello");
    let before = items(&home, &session);
    let journal = folder.join("journal.ndjson");
    let newer = fs::read_to_string(&journal).unwrap().replacen("\"format\":1", "\"format\":2,\"new\":{}", 1);
    fs::write(&journal, &newer).unwrap();
    fs::remove_file(folder.join("items.idx")).unwrap();
    assert_eq!(items(&home, &session), before, "what is known of it is shown");
    let left = files(&folder);
    let meta = fs::read(folder.join("meta.json")).unwrap();

    let refused = home.run(["run", "--resume", &session, "--json", "more"]);
    refused.assert_code(3);
    for part in ["journal format 2", "writes format 1", "update Outrigger"] {
        assert!(refused.stderr.contains(part), "{part:?} is not said: {}", refused.stderr);
    }
    home.assert_nobody_left();
    assert_eq!(fs::read_to_string(&journal).unwrap(), newer, "not a byte was written");
    assert_eq!(fs::read(folder.join("meta.json")).unwrap(), meta);
    assert_eq!(files(&folder), left);
    assert_eq!(stage::listed(&home, &session)["session"], session.as_str());
    let records = home.run(["logs", &session, "--records"]);
    assert_eq!(records.json().len(), newer.lines().count() - 1);
    assert!(!words(&before).is_empty());
}

#[test]
fn a_huge_line_leaves_the_journal_small_and_the_transcript_whole() {
    const MIB: usize = 1024 * 1024;
    let home = stage::home();
    own_provider(&home, "hostile", "");
    let run = home.run(run_of(&home, "own", &[], "at-the-limit"));
    run.assert_code(0);
    let shown = words(&run.json());
    assert!(shown.len() > 10 * MIB - 200);
    let folder = home.sessions().pop().unwrap();
    let session = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let longest = Home::journal(&folder).iter().map(|record| record.to_string().len()).max().unwrap();
    assert!(longest < 8 * 1024, "a record of {longest} bytes");
    let blobs = files(&folder.join("blobs"));
    assert_eq!(blobs.len(), 1, "{blobs:?}");
    assert!(words(&items(&home, &session)) == shown, "what is read later is what was seen");
    let records = home.run(["logs", &session, "--records"]).json();
    assert_eq!(records.iter().find_map(|record| record["blobs"][0]["sha256"].as_str()), Some(blobs[0].as_str()));

    fs::remove_file(folder.join("blobs").join(&blobs[0])).unwrap();
    let _ = fs::remove_file(folder.join("items.idx"));
    let logs = home.run(["logs", &session, "--json"]);
    logs.assert_code(0);
    assert!(logs.stderr.contains(&blobs[0]) && logs.stderr.contains("only its beginning"), "{}", logs.stderr);
    assert!(words(&logs.json()).ends_with("after\n"));
}
