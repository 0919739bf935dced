//! A resume says what it resumed; a conversation that its provider has forgotten is told as such, and never begun anew in silence.

use std::fs;
use std::path::PathBuf;

use outrigger_tests::{Ended, Home};
use serde_json::Value;

use crate::stage::{self, is_kind, says};

/// A session of the agent that forgets, after one turn; its id.
fn forgetful(home: &Home) -> String {
    stage::own_provider(home, "forgetful", "");
    home.run(stage::run_of(home, "own", &[], "first")).assert_code(0);
    home.assert_nobody_left();
    home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned()
}

fn go_on(home: &Home, session: &str, prompt: &str) -> Ended {
    home.run(["run", "--resume", session, "--json", prompt])
}

fn forget(home: &Home) {
    fs::remove_file(home.workspace().join("known")).unwrap();
}

fn meta(home: &Home) -> Value {
    let file: PathBuf = home.sessions()[0].join("meta.json");
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// What the runner was asked, one query after the other.
fn asked(home: &Home) -> Vec<Value> {
    let text = fs::read_to_string(home.workspace().join("asked")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn notices(items: &[Value]) -> Vec<String> {
    let told = items.iter().filter(|item| item["body"]["code"] == "not_resumed");
    told.map(|item| item["body"]["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_resume_says_which_conversation_it_goes_on_with() {
    let home = stage::home();
    let session = forgetful(&home);
    let ended = go_on(&home, &session, "second");
    ended.assert_code(0);
    let items = ended.json();
    let opened = items.iter().rfind(|item| is_kind("opened")(item)).unwrap();
    assert_eq!(opened["body"]["resumes"], "own-first");
    assert_eq!(notices(&items), Vec::<String>::new());
    assert_eq!(asked(&home)[1]["resumeSessionId"], "own-first");
    home.assert_nobody_left();
}

#[test]
fn a_forgotten_conversation_is_told_and_nothing_is_begun_in_its_place() {
    let home = stage::home();
    let session = forgetful(&home);
    forget(&home);
    let ended = go_on(&home, &session, "second");
    ended.assert_code(1);
    let items = ended.json();
    let error = items.iter().find(|item| is_kind("error")(item)).unwrap();
    assert_eq!(error["body"]["code"], "conversation_unknown", "{error}");
    assert!(error["body"]["message"].as_str().unwrap().contains("own-first"), "{error}");
    assert!(!items.iter().any(says("answer to second")), "nothing was answered without the conversation");
    let meta = meta(&home);
    assert_eq!(meta["lostNativeIds"], serde_json::json!(["own-first"]));
    assert_eq!(meta["nativeSessionId"], Value::Null);
    home.assert_nobody_left();
}

#[test]
fn the_next_prompt_begins_a_new_conversation_and_names_the_lost_one() {
    let home = stage::home();
    let session = forgetful(&home);
    // That this is told is another test's business.
    forget(&home);
    go_on(&home, &session, "second").assert_code(1);
    home.assert_nobody_left();
    let ended = go_on(&home, &session, "third");
    ended.assert_code(0);
    let items = ended.json();
    assert!(items.iter().any(says("answer to third")));
    let told = notices(&items);
    assert_eq!(told.len(), 1, "{items:?}");
    assert!(told[0].contains("no longer knows the conversation own-first"), "{told:?}");
    let opened = items.iter().rfind(|item| is_kind("opened")(item)).unwrap();
    assert_eq!((&opened["body"]["resumes"], &opened["body"]["nativeSessionId"]), (&Value::Null, &"own-third".into()));
    assert_eq!(asked(&home)[2]["resumeMode"], "new");

    // From here on it is an ordinary session again: the new conversation is the one that is resumed.
    let ended = go_on(&home, &session, "fourth");
    ended.assert_code(0);
    assert_eq!(notices(&ended.json()), Vec::<String>::new());
    assert_eq!(asked(&home)[3]["resumeSessionId"], "own-third");
    assert_eq!(meta(&home)["lostNativeIds"], serde_json::json!(["own-first"]));
    home.assert_nobody_left();
}

#[test]
fn what_a_session_has_said_is_counted_over_its_resumes() {
    let home = stage::home();
    let session = forgetful(&home);
    let counted = || meta(&home)["statistics"].clone();
    let number = |statistics: &Value, name: &str| statistics[name].as_u64().unwrap();
    let first = counted();
    let journal = fs::read_to_string(home.sessions()[0].join("journal.ndjson")).unwrap();
    let kept = journal.lines().filter(|line| line.contains(r#""src":"runner""#)).count() as u64;
    assert_eq!(number(&first, "turns"), 1);
    assert!(kept > 0 && number(&first, "lines") >= kept, "{first} of which {kept} were kept");
    assert!(number(&first, "bytes") > number(&first, "lines"));
    assert!(first["lastOutputAt"].is_string(), "{first}");
    go_on(&home, &session, "second").assert_code(0);
    let both = counted();
    assert_eq!(number(&both, "turns"), 2);
    assert!(number(&both, "lines") > number(&first, "lines"), "{both} after {first}");
}
