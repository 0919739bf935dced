//! Disks fill up, turn read-only, tear a line or lose one, and other versions write on them: what is kept stays readable, what is
//! not kept is said, and the agent goes on.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use outrigger_tests::{Home, Program};
use serde_json::Value;

use crate::stage::{self, demo, detached, follow_records, own_provider, run_of, words};

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

/// A small disk of its own. Taken away again when the value goes.
struct Disk {
    at: tempfile::TempDir,
}

impl Disk {
    /// Nothing, and a word on stderr, where this user may not mount.
    #[allow(clippy::print_stderr, reason = "whoever runs the tests has to know what was not tested")]
    fn mount() -> Option<Self> {
        let at = tempfile::Builder::new().prefix("od-").tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(at.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { at }),
            Ok(output) => {
                eprintln!("skipped: no disk can be mounted here: {}", String::from_utf8_lossy(&output.stderr).trim());
                None
            }
            Err(error) => {
                eprintln!("skipped: there is no mount command: {error}");
                None
            }
        }
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        let output = Command::new("mount").args(["-o", &options]).arg(self.at.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        let full = loop {
            if let Err(error) = file.write_all(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.at.path().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.at.path()).output();
    }
}

/// A home whose sessions are on this disk; everything else of it is elsewhere, as with a data folder of the user's choice.
fn home_on(disk: &Disk) -> Home {
    let home = stage::home();
    fs::create_dir_all(home.path().join("data")).unwrap();
    std::os::unix::fs::symlink(disk.at.path(), home.path().join("data/sessions")).unwrap();
    home
}

/// What `pod.json` says of the live session.
fn pod(home: &Home) -> Value {
    serde_json::from_slice(&fs::read(home.sessions()[0].join("pod.json")).unwrap()).unwrap()
}

/// Asks the keeper of the live session.
fn ask(home: &Home, method: &str, params: &str) -> Value {
    let pod = pod(home);
    let mut socket = UnixStream::connect(pod["socket"].as_str().unwrap()).unwrap();
    socket.set_read_timeout(Some(outrigger_tests::DEADLINE)).unwrap();
    let token = pod["token"].as_str().unwrap();
    let hello = format!(r#"{{"protocol":1,"token":"{token}","client":"test"}}"#);
    writeln!(socket, r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{hello}}}"#).unwrap();
    writeln!(socket, r#"{{"jsonrpc":"2.0","id":2,"method":"{method}","params":{params}}}"#).unwrap();
    let answers = BufReader::new(socket).lines().map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    answers.into_iter().find(|answer| answer["id"] == 2).unwrap()["result"].clone()
}

/// What `pod/status` says about the recording.
fn recording(home: &Home) -> Value {
    ask(home, "pod/status", "{}")["recording"].clone()
}

/// Waits until nothing is missing in the journal any more.
fn wait_until_recorded(home: &Home) {
    let until = Instant::now() + outrigger_tests::DEADLINE;
    while recording(home)["type"] != "on" {
        assert!(Instant::now() < until, "nobody writes what the full disk did not take");
        std::thread::yield_now();
    }
}

/// Fills the disk, and lets the agent talk until its records cannot be written. What is left of the journal's last block may hold a
/// few short ones before. Tells why they cannot be written.
fn fill_until_off(home: &Home, disk: &Disk, session: &str, reader: &mut Program) -> String {
    disk.fill();
    for _ in 0..40 {
        home.run(["send", session, &"many words ".repeat(400)]).assert_code(0);
        next_turn_end(reader);
        let state = recording(home);
        if state["type"] == "off" {
            return state["reason"].as_str().unwrap().to_owned();
        }
    }
    panic!("the status does not say that nothing is recorded");
}

/// A session whose records wait for room, and a reader who has seen them.
fn session_on_a_full_disk(disk: &Disk) -> (Home, String, Program) {
    let home = home_on(disk);
    let session = detached(&home, "demo", &["--mode", "bypass"], "hello");
    let mut reader = follow_records(&home, &session);
    next_turn_end(&mut reader);
    fill_until_off(&home, disk, &session, &mut reader);
    (home, session, reader)
}

fn is_turn_end(record: &Value) -> bool {
    record["line"]["type"] == "turn_ended"
}

fn seqs(records: &[Value]) -> Vec<u64> {
    records.iter().filter_map(|record| record["seq"].as_u64()).collect()
}

/// Reads on until a turn has ended.
fn next_turn_end(reader: &mut Program) {
    reader.wait_for("the end of a turn", is_turn_end);
}

/// The numbers of the records that the journal says it lacks.
fn told_missing(journal: &[Value]) -> Vec<u64> {
    let notices = journal.iter().filter(|record| record["line"]["code"] == "records_missing");
    let texts = notices.map(|record| record["line"]["text"].as_str().unwrap());
    let number = |text: &str| text.parse::<u64>().unwrap();
    let range = |text: &str| match text.split_once(" to ") {
        Some((first, last)) => number(first)..=number(last),
        None => number(text)..=number(text),
    };
    let ranges = texts.flat_map(|text| text.rsplit_once(": ").unwrap().1.trim_end_matches('.').split(", ")).map(range);
    ranges.flatten().collect()
}

#[test]
fn a_full_disk_costs_nothing_while_the_keeper_lives() {
    let Some(disk) = Disk::mount() else { return };
    let home = home_on(&disk);
    let session = detached(&home, "demo", &["--mode", "bypass"], "hello");
    let mut reader = follow_records(&home, &session);
    next_turn_end(&mut reader);
    assert_eq!(recording(&home)["type"], "on");
    let reason = fill_until_off(&home, &disk, &session, &mut reader);
    assert!(reason.contains("free some disk space"), "{reason}");

    // Whoever comes now sees what the journal could not take, as a page of records, of items, and live.
    let last = ask(&home, "session/subscribe", r#"{"want":"status"}"#)["lastSeq"].as_u64().unwrap();
    let written = *seqs(&Home::journal(&home.sessions()[0])).last().unwrap();
    assert!(written < last, "{written} of {last}");
    let page = ask(&home, "session/read", r#"{"fromSeq":0,"direction":"backwards","limit":1000,"want":"records"}"#);
    let paged = seqs(page["records"].as_array().unwrap());
    assert!(paged.iter().copied().eq(1..=last), "a page lacks what the journal could not take: {paged:?} of {last}");
    let next = format!(r#"{{"fromSeq":{written},"direction":"forwards","limit":2,"want":"records"}}"#);
    let next = ask(&home, "session/read", &next);
    assert_eq!(
        (seqs(next["records"].as_array().unwrap()), &next["more"]),
        (vec![written + 1, written + 2], &true.into())
    );
    let page = ask(&home, "session/read", r#"{"fromSeq":0,"direction":"backwards","limit":1000,"want":"items"}"#);
    let unwritten = page["items"].as_array().unwrap().iter().filter(|item| item["seq"].as_u64() > Some(written));
    assert!(unwritten.count() > 0, "{page}");
    let mut late = follow_records(&home, &session);
    late.wait_for("the newest record", |record| record["seq"] == last);

    // The agent says nothing, and nobody asks it anything.
    disk.free();
    wait_until_recorded(&home);
    assert!(seqs(&Home::journal(&home.sessions()[0])).into_iter().eq(1..=last), "not all of it was written");
    home.run(["send", &session, "once more"]).assert_code(0);
    next_turn_end(&mut reader);
    home.run(["stop", &session]).assert_code(0);
    let (live, late) = (reader.finish().json(), late.finish().json());
    home.assert_nobody_left();

    let journal = Home::journal(&home.sessions()[0]);
    assert!(live == journal[1..] && late == live, "a reader saw something else than the journal has");
    assert!(seqs(&live).into_iter().eq(1..=live.len() as u64), "a record is missing or repeated: {:?}", seqs(&live));
    assert!(!items(&home, &session).iter().any(|item| item["body"]["code"] == "records_missing"));
}

#[test]
fn a_session_that_ends_on_a_full_disk_waits_for_room() {
    let Some(disk) = Disk::mount() else { return };
    let (home, session, mut reader) = session_on_a_full_disk(&disk);
    let stopping = home.start(["stop", &session]);
    reader.wait_for("the end", |record| record["line"]["type"] == "ended");
    disk.free();
    stopping.finish().assert_code(0);
    home.assert_nobody_left();
    let folder = &home.sessions()[0];
    let meta: Value = serde_json::from_slice(&fs::read(folder.join("meta.json")).unwrap()).unwrap();
    assert_eq!(meta["outcome"], "done", "{meta}");
    let journal = Home::journal(folder);
    assert_eq!(journal.last().unwrap()["line"]["type"], "ended");
    assert_eq!(told_missing(&journal), [0; 0]);
}

#[test]
fn a_keeper_that_is_killed_on_a_full_disk_leaves_its_numbers_to_nobody() {
    let Some(disk) = Disk::mount() else { return };
    let (home, session, mut reader) = session_on_a_full_disk(&disk);
    home.run(["send", &session, "and more"]).assert_code(0);
    next_turn_end(&mut reader);
    let last = ask(&home, "session/subscribe", r#"{"want":"status"}"#)["lastSeq"].as_u64().unwrap();
    let mut late = follow_records(&home, &session);
    late.wait_for("the newest record", |record| record["seq"] == last);
    stage::kill(&pod(&home)["pid"]);
    home.assert_nobody_left();
    let shown = late.finish().json();
    assert!(seqs(&shown).into_iter().eq(1..=last), "{:?}", seqs(&shown));
    assert!(reader.finish().json() == shown);
    let kept = *seqs(&Home::journal(&home.sessions()[0])).last().unwrap();
    assert!(kept < last);

    // Who comes first finds the disk full yet, and cannot write that the session broke off.
    let _ = home.run(["ps"]);
    disk.free();
    home.run(["run", "--resume", &session, "--permissions", "allow", "--json", "go on"]).assert_code(0);
    home.assert_nobody_left();
    let journal = Home::journal(&home.sessions()[0]);
    assert!(told_missing(&journal).into_iter().eq(kept + 1..=last), "{:?}", told_missing(&journal));
    let kept: Vec<Value> = journal[1..].iter().filter(|record| record["seq"].as_u64() <= Some(last)).cloned().collect();
    assert_eq!(kept, shown[..kept.len()], "a number was used twice");

    let again = home.run(["logs", &session, "--records", "--from-seq", &last.to_string()]);
    again.assert_code(0);
    let again = seqs(&again.json());
    assert!(again.len() > 3 && again.iter().copied().eq(last + 1..=last + again.len() as u64), "{again:?}");
    assert_eq!(Some(&again), Some(&seqs(&journal[1 + kept.len()..])));
    let told: Vec<Value> =
        items(&home, &session).into_iter().filter(|item| item["body"]["code"] == "records_missing").collect();
    assert_eq!(told.len(), 1, "it is told once: {told:?}");
}

#[test]
fn a_read_only_disk_is_told_at_the_start() {
    let Some(disk) = Disk::mount() else { return };
    let home = home_on(&disk);
    disk.remount("ro");
    let refused = home.run(demo(&home, &[], "x"));
    stage::assert_refused(&home, &refused, 3, &["dataFolder", "Read-only", "OUTRIGGER_HOME"]);
}

#[test]
fn a_full_disk_is_told_at_the_start() {
    let Some(disk) = Disk::mount() else { return };
    let home = home_on(&disk);
    disk.fill();
    let refused = home.run(demo(&home, &[], "x"));
    stage::assert_refused(&home, &refused, 3, &["dataFolder", "free some disk space"]);
}

#[test]
fn a_corrupt_line_in_the_middle_costs_itself_and_is_told_with_its_place() {
    let home = stage::home();
    let (folder, session) = ended_session(&home, "hello");
    let before = items(&home, &session);
    let journal = folder.join("journal.ndjson");
    let text = fs::read_to_string(&journal).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    let second = lines.iter().position(|line| line.contains("\"type\":\"prompt\"")).unwrap();
    lines[second] = "\u{0}\u{0}\u{0}";
    fs::write(&journal, lines.join("\n") + "\n").unwrap();
    let _ = fs::remove_file(folder.join("items.idx"));
    for _ in 0..2 {
        let logs = home.run(["logs", &session, "--json"]);
        logs.assert_code(0);
        let place = format!("{}, line {}: ", journal.display(), second + 1);
        assert!(logs.stderr.contains(&place), "{place:?} is not said: {}", logs.stderr);
        assert_eq!(logs.json().len(), before.len() - 1);
    }
    home.run(["run", "--resume", &session, "--permissions", "deny", "--json", "more"]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_record_that_is_damaged_while_its_session_lives_stops_no_reader() {
    let home = stage::home();
    let session = detached(&home, "demo", &["--mode", "bypass"], "hello");
    let mut early = follow_records(&home, &session);
    next_turn_end(&mut early);
    // Only what has left the keeper's memory, which holds a mebibyte of records, is read from the journal.
    for _ in 0..25 {
        home.run(["send", &session, &"many words ".repeat(5000)]).assert_code(0);
        next_turn_end(&mut early);
    }
    let journal = home.sessions()[0].join("journal.ndjson");
    let text = fs::read_to_string(&journal).unwrap();
    let line = text.lines().find(|line| line.contains("\"type\":\"prompt\"")).unwrap();
    let seq = serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap();
    // As long as before, so that no other record moves; its number can still be read.
    let damaged = line.replacen("\"type\":\"prompt\"", "\"type\":\"prompt\\", 1);
    assert_eq!(damaged.len(), line.len());
    let at = text.find(line).unwrap() as u64;
    File::options().write(true).open(&journal).unwrap().write_all_at(damaged.as_bytes(), at).unwrap();

    let mut late = follow_records(&home, &session);
    next_turn_end(&mut late);
    home.run(["send", &session, "once more"]).assert_code(0);
    late.wait_for("the new prompt", |record| record["line"]["text"] == "once more");
    next_turn_end(&mut late);
    home.run(["stop", &session]).assert_code(0);
    let (early, late) = (early.finish(), late.finish());
    late.assert_code(0);
    let expected: Vec<u64> = seqs(&early.json()).into_iter().filter(|number| *number != seq).collect();
    assert_eq!(seqs(&late.json()), expected, "it lacks more than the damaged record {seq}");
    home.assert_nobody_left();
}

#[test]
fn a_torn_last_line_costs_itself_and_is_told() {
    let home = stage::home();
    let (folder, session) = ended_session(&home, "hello");
    let journal = folder.join("journal.ndjson");
    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, &whole[..whole.len() - 9]).unwrap();
    let _ = fs::remove_file(folder.join("items.idx"));
    let kept = seqs(&home.run(["logs", &session, "--records"]).json());
    home.run(["run", "--resume", &session, "--permissions", "deny", "--json", "more"]).assert_code(0);
    let now = seqs(&Home::journal(&folder));
    assert!(now.starts_with(&kept) && now.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{now:?}");
    let told = items(&home, &session).into_iter().any(|item| item["body"]["code"] == "torn_tail");
    assert!(told, "the transcript does not say what was cut off");
    home.assert_nobody_left();
}

#[test]
fn a_session_that_nobody_used_for_a_month_is_compressed_and_resumes() {
    let home = stage::home();
    let (folder, session) = ended_session(&home, "hello");
    let before = items(&home, &session);
    let records = home.run(["logs", &session, "--records"]).stdout;
    let meta = folder.join("meta.json");
    let mut old: Value = serde_json::from_slice(&fs::read(&meta).unwrap()).unwrap();
    old["updatedAt"] = "2020-01-01T00:00:00.000Z".into();
    old["endedAt"] = "2020-01-01T00:00:00.000Z".into();
    fs::write(&meta, old.to_string()).unwrap();
    // The first session of the home looked today already.
    let stamp = home.path().join("data/sessions/.compressed");
    File::open(&stamp).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    home.run(demo(&home, &["--permissions", "deny"], "another")).assert_code(0);
    home.assert_nobody_left();
    assert_eq!(
        files(&folder).iter().filter(|name| name.starts_with("journal")).collect::<Vec<_>>(),
        ["journal.ndjson.zst"]
    );
    assert_eq!(items(&home, &session), before);
    assert_eq!(home.run(["logs", &session, "--records"]).stdout, records);
    assert_eq!(stage::listed(&home, &session)["liveness"]["type"], "ended");
    home.run(["run", "--resume", &session, "--permissions", "deny", "--json", "more"]).assert_code(0);
    home.assert_nobody_left();
    assert!(folder.join("journal.ndjson").exists() && !folder.join("journal.ndjson.zst").exists());
    assert_eq!(items(&home, &session)[..before.len()], before[..]);
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
