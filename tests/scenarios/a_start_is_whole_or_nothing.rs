//! A start that fails leaves nothing; starts of one session exclude each other and wait for its end; few are made at once, and
//! none without a prompt.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use outrigger_tests::{DEADLINE, Home};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::stage::{self, assert_refused, detached, kill, listed, own_provider, processes_of, run_of, write};

fn home(runner: &str) -> Home {
    let home = stage::home();
    own_provider(&home, runner, "");
    home
}

/// The session of a finished run.
fn ended(home: &Home, prompt: &str) -> String {
    let ended = home.run(run_of(home, "own", &[], prompt));
    ended.assert_code(0);
    home.sessions().last().unwrap().file_name().unwrap().to_str().unwrap().to_owned()
}

fn resume(session: &str) -> [&str; 6] {
    ["run", "--resume", session, "--detach", "--json", "again"]
}

/// How many rows a table of the ledger has.
fn rows(home: &Home, table: &str) -> u64 {
    let ledger = home.path().join("data/ledger.sqlite3");
    if !ledger.exists() {
        return 0;
    }
    let ledger = Connection::open(ledger).unwrap();
    ledger.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

/// No socket is left, no row, and no lease in a folder of a session.
fn assert_no_trace(home: &Home) {
    let run = fs::read_dir(home.path().join("run")).unwrap().map(|entry| entry.unwrap().file_name());
    let sockets: Vec<_> = run.filter(|name| Path::new(name).extension().is_some_and(|end| end == "sock")).collect();
    assert!(sockets.is_empty(), "{sockets:?}");
    for table in ["pods", "processes", "sessions"] {
        assert_eq!(rows(home, table), 0, "rows in {table}");
    }
}

#[test]
fn a_runner_that_exits_before_it_is_ready_leaves_nothing() {
    let home = home("unready");
    write(&home.workspace().join("exit"), "");
    let refused = home.run(run_of(&home, "own", &[], "x"));
    assert_refused(&home, &refused, 3, &["runnerFailed", "exited with code 7", "it will not do"]);
    assert_no_trace(&home);
}

#[test]
fn a_runner_that_is_never_ready_is_ended_with_what_it_had_started() {
    let home = home("unready");
    let refused = home.run(run_of(&home, "own", &[], "x"));
    assert_refused(&home, &refused, 3, &["runnerFailed", "did not say ready within 10 s"]);
    assert_no_trace(&home);
}

#[test]
fn a_missing_runtime_leaves_nothing() {
    let home = home("recording");
    let nowhere = home.path().join("no/runtime");
    write(&home.path().join("config/settings.toml"), &format!("[paths]\nruntime = \"{}\"\n", nowhere.display()));
    let refused = home.run(run_of(&home, "own", &[], "x"));
    assert_refused(&home, &refused, 3, &["runtimeUnavailable", nowhere.to_str().unwrap()]);
    assert_no_trace(&home);
}

#[test]
fn a_resume_that_fails_leaves_the_session_as_it_was() {
    let home = home("recording");
    let session = ended(&home, "one");
    home.assert_nobody_left();
    let folder = &home.sessions()[0];
    let before = (Home::journal(folder).len(), fs::read(folder.join("meta.json")).unwrap());
    own_provider(&home, "unready", "");
    write(&home.workspace().join("exit"), "");
    home.run(resume(&session)).assert_code(3);
    home.assert_nobody_left();
    assert_eq!((Home::journal(folder).len(), fs::read(folder.join("meta.json")).unwrap()), before);
    assert!(!folder.join("pod.json").exists());
    own_provider(&home, "recording", "");
    home.run(["run", "--resume", &session, "--json", "two"]).assert_code(0);
    home.assert_nobody_left();
}

/// A reader of a live session that asks for all its records and then reads none, so that the keeper cannot get rid of them.
fn stuck_reader(folder: &Path) -> UnixStream {
    let pod: Value = serde_json::from_slice(&fs::read(folder.join("pod.json")).unwrap()).unwrap();
    let mut socket = UnixStream::connect(pod["socket"].as_str().unwrap()).unwrap();
    let hello = json!({ "protocol": 1, "token": pod["token"], "client": "test" });
    for (id, method, params) in [(1, "initialize", hello), (2, "session/subscribe", json!({ "want": "records" }))] {
        writeln!(socket, "{}", json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).unwrap();
    }
    socket
}

#[test]
fn a_resume_right_after_the_end_waits_for_the_ending_keeper() {
    let home = home("recording");
    let session = detached(&home, "own", &[], "0");
    let folder = home.sessions().pop().unwrap();
    let reader = stuck_reader(&folder);
    // More than a socket holds.
    for _ in 0..10 {
        home.run(["send", &session, &"many words ".repeat(5000)]).assert_code(0);
    }
    home.run(["stop", &session]).assert_code(0);
    let is_ending = || home.processes().iter().any(|process| process.command.ends_with(" keep"));
    assert!(is_ending(), "the keeper did not wait for its last reader, so there is nothing to wait for");
    home.run(["run", "--resume", &session, "--json", "1"]).assert_code(0);
    drop(reader);
    assert_eq!(Home::journal(&folder).iter().filter(|record| record["line"]["type"] == "opened").count(), 2);
    home.assert_nobody_left();
}

#[test]
fn of_two_resumes_at_once_the_second_is_refused() {
    let home = home("slow");
    let session = ended(&home, "one");
    home.assert_nobody_left();
    let gate = home.workspace().join("gate");
    write(&gate, "");
    let starts = home.workspace().join("starts");
    fs::remove_file(&starts).unwrap();
    let both = [home.start(resume(&session)), home.start(resume(&session))];
    wait_until("a start", || fs::read_to_string(&starts).is_ok_and(|text| text.contains('+')));
    fs::remove_file(&gate).unwrap();
    let ended = both.map(outrigger_tests::Program::finish);
    let failed: Vec<_> = ended.iter().filter(|ended| ended.code != Some(0)).collect();
    assert_eq!(failed.len(), 1, "{ended:?}");
    assert!(failed[0].stderr.contains("is hosted by another keeper already"), "{}", failed[0].stderr);
    assert_eq!(fs::read_to_string(&starts).unwrap(), "+-", "only one runner was started");
    assert_eq!(listed(&home, &session)["liveness"]["type"], "live");
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn no_more_than_two_sessions_are_started_at_one_time() {
    let home = home("slow");
    let sessions: Vec<String> = (0..6).map(|_| detached(&home, "own", &[], "one")).collect();
    home.run(["stop", "--all"]).assert_code(0);
    home.assert_nobody_left();
    let starts = home.workspace().join("starts");
    fs::remove_file(&starts).unwrap();
    let resumes: Vec<_> = sessions.iter().map(|session| home.start(resume(session))).collect();
    for resumed in resumes {
        resumed.finish().assert_code(0);
    }
    let text = fs::read_to_string(&starts).unwrap();
    let mut now = 0;
    let counts: Vec<i32> = text
        .chars()
        .map(|sign| {
            now += if sign == '+' { 1 } else { -1 };
            now
        })
        .collect();
    assert_eq!((counts.len(), counts.iter().max()), (12, Some(&2)), "{text}");
    home.run(["stop", "--all"]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn nothing_is_resumed_by_looking() {
    let home = home("leaving");
    let dead = detached(&home, "own", &[], "stay");
    kill(&processes_of(&home, &dead)[0]["pid"]);
    own_provider(&home, "recording", "");
    let done = ended(&home, "one");
    home.assert_nobody_left();
    let state = || {
        let folders = home.sessions().into_iter();
        folders
            .map(|folder| (Home::journal(&folder).len(), fs::read(folder.join("meta.json")).unwrap()))
            .collect::<Vec<_>>()
    };
    // The first look closes what the killed keeper left open; after that, looks change nothing.
    assert_eq!(listed(&home, &dead)["liveness"]["type"], "interrupted");
    let before = state();
    for look in [
        &["ps"][..],
        &["ps", "--all", "--json"],
        &["ps", "--processes"],
        &["logs", &dead],
        &["logs", &done, "--json"],
        &["doctor", "--orphans"],
    ] {
        home.run(look).assert_code(0);
        assert_eq!(home.processes(), [], "{look:?} started something");
    }
    assert_eq!(state(), before);
    assert_eq!(rows(&home, "processes"), 0);
}

#[test]
fn whether_it_is_recorded_is_listed() {
    let home = home("recording");
    let session = detached(&home, "own", &[], "one");
    assert_eq!(listed(&home, &session)["liveness"]["recording"], serde_json::json!({ "type": "on" }));
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
    assert_eq!(listed(&home, &session)["liveness"]["recording"], Value::Null);
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < until, "{what} did not come");
        std::thread::yield_now();
    }
}
