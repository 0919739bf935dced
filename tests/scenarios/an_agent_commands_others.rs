//! An agent reaches the tools of pods over MCP, and nothing else of its keeper.

use serde_json::{Value, json};

use crate::stage::{self, is_kind, last_of, own_provider, words};

/// What the agent says to a prompt of these lines.
fn said(home: &outrigger_tests::Home, more: &[&str], lines: &[String]) -> (String, Vec<Value>) {
    own_provider(home, "commanding", "");
    let ended = home.run(stage::run_of(home, "own", more, &lines.join("\n")));
    ended.assert_code(0);
    (words(&ended.json()), ended.json())
}

fn call(tool: &str, arguments: &Value) -> String {
    format!("call {tool} {arguments}")
}

#[test]
fn its_token_opens_the_tools_and_nothing_else() {
    let home = stage::home();
    let tries = ["pod/status", "pod/stop", "pod/answer", "session/read"].map(|method| format!("ask {method} {{}}"));
    let lines: Vec<String> = ["list".to_owned()].into_iter().chain(tries).collect();
    let (said, _) = said(&home, &[], &lines);
    for tool in ["spawn_pod", "send_to_pod", "read_pod_output", "stop_pod", "list_pods", "wait_for_pods"] {
        assert!(said.contains(tool), "{said}");
    }
    assert_eq!(said.matches("notAuthorised").count(), 4, "{said}");
    home.assert_nobody_left();
}

#[test]
fn whoever_turns_the_tools_off_has_agents_without_them() {
    let home = stage::home();
    let (with, _) = said(&home, &[], &["servers".to_owned()]);
    assert!(with.contains(r#"{"servers":["outrigger"]}"#), "{with}");
    stage::write(&home.path().join("config/settings.toml"), "[pods]\ntools = \"off\"\n");
    let (without, _) = said(&home, &[], &["servers".to_owned()]);
    assert!(without.contains(r#"{"servers":[]}"#), "{without}");
    home.assert_nobody_left();
}

#[test]
fn it_starts_reads_and_stops_a_pod_and_each_call_is_shown() {
    let home = stage::home();
    stage::write(&home.workspace().join("src/file"), "as it was");
    let scope = json!([{ "permission": "write", "path": "src" }]);
    let lines = [
        call("spawn_pod", &json!({ "name": "oars", "task": "hello", "provider": "demo", "scope": scope })),
        call("wait_for_pods", &json!({ "names": ["oars"], "timeoutSeconds": 60 })),
        call("read_pod_output", &json!({ "name": "oars" })),
        call("stop_pod", &json!({ "name": "oars" })),
        call("send_to_pod", &json!({ "name": "sails", "message": "x" })),
    ];
    let (said, items) = said(&home, &["--mode", "bypass"], &lines);
    for part in ["spawned pod `oars`", "a pod has ended its turn", "reclaimed scope: write:src/"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // What it was told by its tools it is not told once more.
    assert!(!said.contains("heard"), "{said}");
    let pods = last_of(&items, "pod");
    assert_eq!((pods.len(), &pods[0]["body"]["name"]), (1, &json!("oars")), "{pods:?}");
    let shown: Vec<&Value> = items.iter().filter(|item| item.to_string().contains("list_pods")).collect();
    assert!(shown.is_empty());
    for tool in ["spawn_pod", "wait_for_pods", "read_pod_output", "stop_pod", "send_to_pod"] {
        assert!(recorded(&home, tool), "{tool}");
    }
    home.assert_nobody_left();
}

/// Whether a call of the tool stands in a journal.
fn recorded(home: &outrigger_tests::Home, tool: &str) -> bool {
    let journals = home.sessions();
    let records = journals.iter().flat_map(|session| outrigger_tests::Home::journal(session));
    records.into_iter().any(|record| record["line"]["type"] == "toolCalled" && record["line"]["name"] == tool)
}

#[test]
fn the_end_of_a_childs_turn_wakes_it() {
    let home = stage::home();
    own_provider(&home, "commanding", "");
    let spawn = call("spawn_pod", &json!({ "name": "oars", "task": "demo:slow=20 hello", "provider": "demo" }));
    let session = stage::detached(&home, "own", &["--mode", "plan"], &spawn);
    let mut items = stage::follow(&home, &session);
    items.wait_for("a word of the child", stage::says("Pod `oars` has ended its turn"));
    items.wait_for("the end of that turn", is_kind("turnEnd"));
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}

/// Starts an agent that starts three, each of which starts three.
fn bomb(home: &outrigger_tests::Home) -> String {
    own_provider(home, "commanding", "");
    let session = stage::detached(home, "own", &["--mode", "bypass", "--budget", "pods=5"], "bomb b");
    stage::follow(home, &session).wait_for("a child", is_kind("pod"));
    session
}

#[test]
fn agents_that_start_agents_without_an_end_stop_at_the_budget() {
    let home = stage::home();
    bomb(&home);
    let until = std::time::Instant::now() + outrigger_tests::DEADLINE;
    let is_at_work = |session: &Value| session["liveness"]["state"]["type"] != "idle";
    loop {
        let listed = home.run(["ps", "--json"]).json();
        if listed.len() == 6 && !listed.iter().any(is_at_work) {
            break;
        }
        assert!(std::time::Instant::now() < until && listed.len() <= 6, "{listed:#?}");
    }
    assert_eq!(home.sessions().len(), 6, "the one, and five below it");
    let refused = |session: &std::path::PathBuf| {
        let said = Value::from(outrigger_tests::Home::journal(session)).to_string();
        said.contains("live pods under the budget of `")
    };
    assert!(home.sessions().iter().any(refused), "somebody is told why");
    home.run(["stop", "--all"]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn a_stop_of_all_ends_a_tree_that_is_still_growing() {
    let home = stage::home();
    bomb(&home);
    home.run(["stop", "--all"]).assert_code(0);
    home.assert_nobody_left();
}
