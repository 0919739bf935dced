//! Servers that nobody here wrote, as sidecars: every tool of each is listed and called, by hand and by each agent, and all sessions
//! share one process of each.

use std::collections::BTreeSet;
use std::fs;

use outrigger_tests::{Home, Standin};
use serde_json::{Value, json};

use crate::drivers::CLAUDE;
use crate::servers::{self, Call, Caller, NAMES};
use crate::stage::{Stage, any, is_kind};

#[test]
fn every_tool_of_servers_that_nobody_here_wrote_is_listed_and_called_by_hand() {
    let (home, standin) = (Home::new(), Standin::start(&[]));
    servers::settle_in(&home);
    let calls = Caller::new(&home, "hand", &standin.url()).calls();
    for name in NAMES {
        home.run(["sidecar", "start", name]).assert_code(0);
    }
    let views = views(&home);
    let listed: BTreeSet<String> = views.iter().flat_map(tools).collect();
    let called: BTreeSet<String> = calls.iter().map(|call| format!("{}/{}", call.server, call.tool)).collect();
    assert_eq!(listed, called, "each tool has a call here: {views:#?}");
    let refused: Vec<&Value> = views.iter().flat_map(|view| view["refusedTools"].as_array().unwrap()).collect();
    assert!(
        matches!(refused[..], [one] if one.to_string().contains("simulate-research-query: it can only")),
        "{refused:?}"
    );
    for Call { server, tool, input, says } in &calls {
        let ended = home.run(["sidecar", "call", server, tool, &input.to_string(), "--json"]);
        ended.assert_code(0);
        let answer = &ended.json()[0];
        assert_ne!(answer["isError"], true, "{server}/{tool}: {answer}");
        assert!(answer.to_string().contains(says), "{server}/{tool} says {says:?}: {answer}");
    }
    end_owner(&home);
    home.assert_nobody_left();
}

#[test]
fn every_agent_calls_every_tool_and_all_share_one_process_of_each_server() {
    let stage = Stage::set(&CLAUDE).with("codex").with_ollama();
    servers::settle_in(&stage.home);
    let mut processes = Vec::new();
    for provider in ["claude", "codex", "ollama", "demo"] {
        let calls = Caller::new(&stage.home, provider, &stage.url()).calls();
        let all = session(&stage, provider, &calls);
        for call in &calls {
            assert!(any(&all, |item| is_answer(item, call)), "{provider} got an answer of {call:?}: {all:#?}");
        }
        processes.push(views(&stage.home).iter().map(|view| view["pid"].as_u64().unwrap()).collect::<Vec<_>>());
    }
    processes.dedup();
    assert_eq!(processes.len(), 1, "the same processes serve all of them: {processes:?}");
    for view in views(&stage.home) {
        assert_eq!(view["users"].as_array().unwrap().len(), 4, "{view}");
    }
    stage.run(["stop", "--all"]).assert_code(0);
    end_owner(&stage.home);
    stage.home.assert_nobody_left();
}

/// Begins a session that makes these calls and stays; its items.
fn session(stage: &Stage, provider: &str, calls: &[Call]) -> Vec<Value> {
    let prompt = match provider {
        "demo" => {
            let words = calls.iter().map(|call| format!("demo:tool=outrigger__{} {}", call.tool, call.input));
            words.collect::<Vec<_>>().join(" ")
        }
        _ => {
            let step = |call: &Call| json!({ "calls": [{ "tool": format!("outrigger__{}", call.tool), "input": call.input }] });
            let mut steps: Vec<Value> = calls.iter().map(step).collect();
            steps.push(json!({ "say": "All are called." }));
            let script = stage.home.user_home().join(format!("{provider}.json"));
            fs::write(&script, Value::from(steps).to_string()).unwrap();
            format!("SCENARIO:script path={}", script.display())
        }
    };
    let workspace = stage.home.workspace();
    let words = ["run", "--json", "--detach", "--provider", provider, "--mode", "bypass", "--cwd"];
    let started = stage.run(words.into_iter().chain([workspace.to_str().unwrap(), &prompt]));
    started.assert_code(0);
    let session = started.json()[0]["session"].as_str().unwrap().to_owned();
    let mut items = stage.start(["logs", &session, "--follow", "--json"]);
    items.wait_for("the end of the turn", is_kind("turnEnd"));
    stage.run(["logs", &session, "--json"]).json()
}

fn is_answer(item: &Value, call: &Call) -> bool {
    let body = &item["body"];
    let name = body["name"].as_str().unwrap_or_default();
    body["type"] == "toolCall"
        && body["status"] == "completed"
        && plain(name).ends_with(&plain(call.tool))
        && item.to_string().contains(&call.says)
}

/// Some agents write `_` for `-`.
fn plain(name: &str) -> String {
    name.replace('-', "_")
}

fn views(home: &Home) -> Vec<Value> {
    let ended = home.run(["sidecar", "list", "--json"]);
    ended.assert_code(0);
    ended.json()
}

fn tools(view: &Value) -> Vec<String> {
    let name = |tool: &Value| format!("{}/{}", view["name"].as_str().unwrap(), tool["name"].as_str().unwrap());
    view["tools"].as_array().unwrap().iter().map(name).collect()
}

/// Ends all sessions, the owner of the sidecars and all that it runs.
pub(crate) fn end_owner(home: &Home) {
    home.run(["stop", "--all"]).assert_code(0);
}
