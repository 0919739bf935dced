//! A keeper that is killed: what was said until then is there, the session says that it was interrupted, whoever comes next ends
//! what it left running, and the next prompt goes on.

use std::fs;
use std::time::Instant;

use outrigger_tests::{DEADLINE, Home};
use serde_json::Value;

use crate::stage::{self, detached, is_kind, listed};

/// Kills the keeper once the journal holds part of a sentence. Returns the session and that part.
fn kill_in_mid_sentence(home: &Home) -> (String, String) {
    let session = detached(home, "demo", &[], "demo:slow=150 tell me a long story");
    let mut records = home.start(["logs", &session, "--records", "--follow", "--json"]);
    let partial = records.wait_for("a part of a sentence", |record| record["line"]["type"] == "partial");
    kill(keeper(home));
    home.assert_nobody_left();
    (session, partial["line"]["text"].as_str().unwrap().to_owned())
}

fn keeper(home: &Home) -> u32 {
    let pod: Value = serde_json::from_slice(&fs::read(home.sessions()[0].join("pod.json")).unwrap()).unwrap();
    u32::try_from(pod["pid"].as_u64().unwrap()).unwrap()
}

fn kill(pid: u32) {
    let process = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
}

/// The process of this home whose command line has these words in it. Waits for it.
fn running(home: &Home, words: &str) -> u32 {
    let until = Instant::now() + DEADLINE;
    loop {
        let processes = home.processes();
        if let Some(found) = processes.iter().find(|process| process.command.contains(words)) {
            return found.pid;
        }
        assert!(Instant::now() < until, "`{words}` does not run: {processes:#?}");
        std::thread::yield_now();
    }
}

/// The texts of the notices with this code.
fn notices(home: &Home, session: &str, code: &str) -> Vec<String> {
    let items = home.run(["logs", session, "--json"]).json();
    let coded = items.iter().filter(|item| item["body"]["code"] == code);
    coded.map(|item| item["body"]["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_killed_keeper_loses_no_sentence_that_was_saved_in_part() {
    let home = stage::home();
    let (session, said) = kill_in_mid_sentence(&home);
    assert_eq!(listed(&home, &session)["liveness"]["type"], "interrupted");
    let logs = home.run(["logs", &session, "--json"]);
    logs.assert_code(0);
    let kept = logs.json().into_iter().any(|item| {
        let text = item["body"]["text"].as_str().unwrap_or_default();
        item["body"]["open"] == false && text.starts_with(&said)
    });
    assert!(kept, "“{said}” is not in the transcript: {:?}", logs.stdout);
    let told = notices(&home, &session, "keeper_killed");
    assert_eq!(told.len(), 1, "the transcript says once what happened: {told:?}");
}

#[test]
fn what_a_killed_keeper_left_running_is_ended_by_who_comes_next() {
    let home = stage::home();
    let session = detached(&home, "demo", &["--mode", "bypass"], "demo:ask demo:run=\"exec sleep 600\"");
    let tool = running(&home, "sleep 600");
    let (keeper, runner) = (keeper(&home), running(&home, "demo.mjs"));
    // Both at once, so that the runner cannot see its parent die and end the tool itself.
    kill(runner);
    kill(keeper);
    assert_eq!(running(&home, "sleep 600"), tool, "the tool was left running");

    let ps = home.run(["ps"]);
    ps.assert_code(0);
    assert!(ps.stderr.contains("its keeper was killed; a process that it had left was ended"), "{}", ps.stderr);
    home.assert_nobody_left();
    assert_eq!(listed(&home, &session)["liveness"]["type"], "interrupted");
    let told = notices(&home, &session, "keeper_killed");
    assert!(told.len() == 1 && told[0].contains("sleep 600"), "{told:?}");
    let again = home.run(["ps"]);
    assert!(!again.stderr.contains("keeper"), "it is told once: {}", again.stderr);
    assert!(!home.sessions()[0].join("pod.json").exists());

    home.run(["run", "--resume", &session, "--permissions", "allow", "--json", "go on"]).assert_code(0);
    assert_eq!(listed(&home, &session)["liveness"]["type"], "ended");
    home.assert_nobody_left();
}

#[test]
fn a_damaged_ledger_is_set_aside_and_what_is_left_is_found_all_the_same() {
    let home = stage::home();
    let session = detached(&home, "demo", &["--mode", "bypass"], "demo:ask demo:run=\"exec sleep 600\"");
    running(&home, "sleep 600");
    let (keeper, runner) = (keeper(&home), running(&home, "demo.mjs"));
    kill(runner);
    kill(keeper);
    let ledger = home.path().join("data/ledger.sqlite3");
    fs::write(&ledger, "no ledger ".repeat(1000)).unwrap();
    // The log beside it holds the newest pages: with it SQLite would repair the file.
    let _ = fs::remove_file(home.path().join("data/ledger.sqlite3-wal"));

    let ps = home.run(["ps"]);
    ps.assert_code(0);
    assert!(ps.stderr.contains("The ledger was damaged") && ps.stderr.contains(".corrupt-"), "{}", ps.stderr);
    assert!(ps.stderr.contains("a process that it had left was ended"), "{}", ps.stderr);
    home.assert_nobody_left();
    assert_eq!(listed(&home, &session)["liveness"]["type"], "interrupted");
}

#[test]
fn a_session_that_is_killed_again_before_anybody_looked_is_interrupted_twice() {
    let home = stage::home();
    let (session, _) = kill_in_mid_sentence(&home);
    // The prompt itself closes what the first death left; nobody has listed anything.
    let resume = ["run", "--resume", &session, "--detach", "--json", "demo:slow=150 go on"];
    home.run(resume).assert_code(0);
    kill(keeper(&home));
    home.run(resume).assert_code(0);
    kill(keeper(&home));
    home.assert_nobody_left();
    assert_eq!(listed(&home, &session)["liveness"]["type"], "interrupted");
    assert_eq!(notices(&home, &session, "keeper_killed").len(), 3);
    let journal = Home::journal(&home.sessions()[0]);
    let ends = journal.iter().filter(|record| record["line"]["type"] == "ended");
    let outcomes: Vec<_> = ends.map(|record| record["line"]["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["interrupted"; 3]);
    assert!(!home.sessions()[0].join("pod.json").exists());
}

#[test]
fn the_next_prompt_resumes_it() {
    let home = stage::home();
    let (session, said) = kill_in_mid_sentence(&home);
    let args = ["run", "--resume", &session, "--permissions", "allow", "--json", "go on"];
    home.run(args).assert_code(0);
    let items = home.run(["logs", &session, "--json"]).json();
    let resumed = items.iter().filter(|item| is_kind("opened")(item)).any(|item| item["body"]["resumes"].is_string());
    assert!(resumed, "the transcript says what was resumed");
    let half = items.iter().find(|item| item["body"]["text"].as_str().is_some_and(|text| text.starts_with(&said)));
    assert_eq!(half.unwrap()["body"]["open"], false, "nothing more comes for the half sentence");
    home.assert_nobody_left();
}
