//! A keeper that is killed in the middle of a sentence: what it said until then is there, the session says that it was interrupted,
//! nothing keeps running, and the next prompt goes on.

use std::fs;

use outrigger_tests::Home;
use serde_json::Value;

use crate::stage::{self, detached, is_kind, listed};

/// Kills the keeper once the journal holds part of a sentence. Returns the session and that part.
fn kill_in_mid_sentence(home: &Home) -> (String, String) {
    let session = detached(home, "demo", &[], "demo:slow=150 tell me a long story");
    let mut records = home.start(["logs", &session, "--records", "--follow", "--json"]);
    let partial = records.wait_for("a part of a sentence", |record| record["line"]["type"] == "partial");
    let pod: Value = serde_json::from_slice(&fs::read(home.sessions()[0].join("pod.json")).unwrap()).unwrap();
    let keeper = i32::try_from(pod["pid"].as_i64().unwrap()).unwrap();
    let keeper = rustix::process::Pid::from_raw(keeper).unwrap();
    rustix::process::kill_process(keeper, rustix::process::Signal::KILL).unwrap();
    home.assert_nobody_left();
    (session, partial["line"]["text"].as_str().unwrap().to_owned())
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
        item["body"]["open"] == true && text.starts_with(&said)
    });
    assert!(kept, "“{said}” is not in the transcript: {:?}", logs.stdout);
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
