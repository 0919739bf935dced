//! What tool sidecars do wrong, seen by the session that uses them: a specified state and error, everybody else goes on, and nothing
//! is left behind.

use std::fs;

use serde_json::json;

use crate::sidecars_stage::{Agent, none, own, stop_everything, until, view};
use crate::stage;

/// A sidecar that never serves: in this mode, with these lines, it fails at this step with these words.
fn never_serves(mode: &str, more: &str, at: &str, words: &str) {
    let home = stage::home();
    own(&home, "good", "plain", "");
    own(&home, "bad", mode, more);
    let mut agent = Agent::start(&home, &[]);
    let tools = agent.tools();
    assert!(tools.contains(&"of_good".to_owned()) && !tools.contains(&"of_bad".to_owned()), "{tools:?}");
    let seen = until(&home, "bad", "failed", |view| view["state"]["type"] == "failed");
    let failure = &seen["state"]["failure"];
    assert_eq!(failure["at"], at, "{failure}");
    assert!(failure.to_string().contains(words), "{failure}");
    agent.call("of_bad", &none()).fails("no tool `of_bad`");
    agent.call("of_good", &none()).says("of_good was called");
    stop_everything(&home);
}

#[test]
fn a_build_that_fails_is_told_with_its_output() {
    never_serves("plain", "build = \"sh -c 'echo no such library >&2; exit 2'\"", "build", "no such library");
}

#[test]
fn a_process_that_exits_is_told_with_what_it_said() {
    never_serves("exit", "restart = \"never\"", "exit", "the database is not there");
}

#[test]
fn a_process_that_never_connects_is_given_up() {
    never_serves("silent", "restart = \"never\"\n[timeouts]\nconnect = \"500ms\"", "connect", "said no word of MCP");
}

#[test]
fn a_process_that_never_calls_back_is_given_up() {
    let more = "transport = \"socket\"\nrestart = \"never\"\n[timeouts]\nconnect = \"500ms\"";
    never_serves("silent", more, "connect", "did not connect back");
}

#[test]
fn a_list_that_is_none_is_told() {
    never_serves("nonsense", "restart = \"never\"", "list", "holds no list `tools`");
}

#[test]
fn lies_about_schemas_are_left_out_and_named() {
    let home = stage::home();
    own(&home, "liar", "lies", "");
    let mut agent = Agent::start(&home, &[]);
    let tools = agent.tools();
    assert!(tools.contains(&"echo".to_owned()) && !tools.contains(&"number".to_owned()), "{tools:?}");
    assert_eq!(view(&home, "liar")["refusedTools"].as_array().unwrap().len(), 5);
    agent.call("echo", &json!({ "text": "the truth" })).says("the truth");
    stop_everything(&home);
}

#[test]
fn hanging_flooding_and_answers_without_end_harm_nobody() {
    let home = stage::home();
    own(&home, "bad", "plain", "");
    own(&home, "good", "plain", "");
    let mut agent = Agent::start(&home, &[]);
    let mut other = Agent::start(&home, &[]);
    agent.call("bad__hang", &json!({ "timeout_ms": 300 })).fails("within 300 ms");
    other.call("of_good", &none()).says("was called");
    agent.call("bad__flood", &none()).says("flooded");
    agent.call("bad__wrong", &none()).fails("no answer to a call");
    let big = agent.call("bad__big", &json!({ "bytes": 50_000_000 }));
    assert!(big.text.len() < 8192, "{} bytes reach the agent", big.text.len());
    let link = big.content.iter().find(|part| part["type"] == "resource_link").unwrap();
    let file = link["uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
    assert_eq!(fs::metadata(&file).unwrap().len(), 50_000_000);
    assert!(file.contains(&agent.session), "it is among the session's own files: {file}");
    agent.call("bad__echo", &json!({ "text": "still here" })).says("still here");
    other.call("of_good", &none()).says("was called");
    stop_everything(&home);
}

#[test]
fn dying_in_mid_call_fails_that_call_and_the_next_finds_it_again() {
    let home = stage::home();
    own(&home, "bad", "plain", "");
    own(&home, "good", "plain", "");
    let mut agent = Agent::start(&home, &[]);
    let good = agent.call("good__pid", &none()).text;
    agent.call("bad__die", &none()).fails("before it answered");
    assert_eq!(agent.call("good__pid", &none()).text, good);
    agent.call("bad__echo", &json!({ "text": "again" })).says("again");
    stop_everything(&home);
}
