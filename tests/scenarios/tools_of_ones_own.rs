//! Tool sidecars as their user meets them: trusted, started by whoever calls first, offered to agents, granted, called by hand, changed
//! while sessions run, and stopped with everything else.

use std::fs;
use std::time::Instant;

use outrigger_tests::{DEADLINE, Home};
use serde_json::{Value, json};

use crate::sidecars_stage::{
    Agent, calls, none, of_workspace, own, owner, sidecar_command, stop_everything, until, view,
};
use crate::stage::{self, detached, follow, is_kind};

#[test]
fn an_agent_calls_their_tools_and_each_call_is_recorded() {
    let home = stage::home();
    own(&home, "words", "plain", "");
    let mut agent = Agent::start(&home, &[]);
    assert_eq!(owner(&home), None, "nobody has asked for a tool yet");
    let listed = agent.does("list");
    let echo = listed["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == "echo").unwrap().clone();
    assert_eq!(echo["inputSchema"]["properties"]["timeout_ms"]["type"], "integer", "{echo}");
    assert!(listed.to_string().contains("spawn_pod"), "beside the tools of pods");
    agent.call("echo", &json!({ "text": "a lamp", "timeout_ms": 5000 })).says("{\"text\":\"a lamp\"}");
    agent.call("fail", &none()).fails("it went wrong");
    agent.call("nothing", &none()).fails("there is no tool `nothing`");
    let recorded = calls(&home, &agent.session);
    let of = |name: &str| recorded.iter().find(|call| call["name"] == name).unwrap_or_else(|| panic!("{recorded:?}"));
    assert_eq!((&of("echo")["sidecar"], &of("echo")["isError"]), (&json!("words"), &json!(false)));
    assert!(of("echo")["durationMs"].is_u64() && of("echo")["answer"].as_str().unwrap().contains("a lamp"));
    assert_eq!((&of("fail")["sidecar"], &of("fail")["isError"]), (&json!("words"), &json!(true)));
    assert_eq!(view(&home, "words")["users"], json!([agent.session]));
    stop_everything(&home);
}

#[test]
fn a_home_without_any_starts_no_owner() {
    let home = stage::home();
    let mut agent = Agent::start(&home, &[]);
    assert!(agent.tools().contains(&"list_pods".to_owned()));
    agent.call("echo", &none()).fails("there is no tool `echo`");
    assert!(!home.processes().iter().any(|process| process.command.contains("outrigger-toolbox")));
    assert!(!home.path().join("run/toolbox.lock").exists());
    home.run(["stop", "--all"]).assert_code(0);
}

#[test]
fn what_comes_with_a_workspace_runs_only_when_it_is_trusted() {
    let home = stage::home();
    let folder = of_workspace(&home, "lint", "plain", "build = \"touch built\"");
    let mut agent = Agent::start(&home, &[]);
    assert!(!agent.tools().contains(&"of_lint".to_owned()));
    assert!(!folder.join("built").exists() && owner(&home).is_none(), "nothing of it has run");
    let journal = Home::journal(&home.path().join("data/sessions").join(&agent.session));
    let told = journal.iter().filter(|record| record["line"]["code"] == "sidecars_untrusted").count();
    assert_eq!(told, 1, "it is not silent about it");

    let asked = sidecar_command(&home, &["trust", "lint"]);
    asked.assert_code(6);
    let shown = asked.stdout.join("\n");
    for part in ["touch built", "sidecar.mjs", "TOOL = \"of_lint\""] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let hash = shown.lines().find_map(|line| line.trim().strip_prefix("hash ")).unwrap().trim().to_owned();
    sidecar_command(&home, &["trust", "lint", "--yes", "0123456789abcdef"]).assert_code(2);
    assert!(view(&home, "lint")["trust"]["type"] == "needed");
    sidecar_command(&home, &["trust", "lint", "--yes", &hash[..12]]).assert_code(0);

    assert!(agent.tools().contains(&"of_lint".to_owned()), "in the session that was there already");
    assert!(folder.join("built").exists());
    agent.call("of_lint", &none()).says("of_lint was called");
    sidecar_command(&home, &["trust", "lint", "--withdraw"]).assert_code(0);
    assert!(!agent.tools().contains(&"of_lint".to_owned()));
    agent.call("of_lint", &none()).fails("no tool `of_lint`");
    // A changed manifest is another question.
    sidecar_command(&home, &["trust", "lint", "--yes", &hash]).assert_code(0);
    of_workspace(&home, "lint", "plain", "build = \"touch more\"");
    assert_eq!(view(&home, "lint")["trust"]["changed"], true);
    stop_everything(&home);
}

#[test]
fn a_call_is_put_to_people_with_the_name_of_its_sidecar() {
    let home = stage::home();
    own(&home, "words", "plain", "");
    let prompt = "demo:list-tools demo:tool=outrigger__echo {\"text\":\"a lens\"}";
    let session = detached(&home, "demo", &["--mode", "accept-edits"], prompt);
    let mut items = follow(&home, &session);
    let asked = items.wait_for("a request", |item| stage::is_pending(item) && item["body"]["sidecar"] == "words");
    assert_eq!(asked["body"]["toolName"], "outrigger__echo");
    assert!(calls(&home, &session).is_empty(), "nothing was called unasked");
    home.run(["answer", &session, "-", "allow"]).assert_code(0);
    items.wait_for("its result", |item| {
        item["body"]["type"] == "toolCall" && item.to_string().contains("a lens") && item["body"]["status"] != "pending"
    });
    items.wait_for("the end of its turn", is_kind("turnEnd"));
    assert_eq!(calls(&home, &session)[0]["sidecar"], "words");
    stop_everything(&home);
}

#[test]
fn who_may_use_which_is_the_users_to_say() {
    let home = stage::home();
    own(&home, "words", "plain", "");
    own(&home, "other", "plain", "");
    let mut all = Agent::start(&home, &[]);
    let mut some = Agent::start(&home, &["--sidecars", "words/of_words,other/pid"]);
    let mut none_at_all = Agent::start(&home, &["--sidecars", ""]);
    let tools = |agent: &mut Agent<'_>| {
        let mut tools = agent.tools();
        tools.retain(|tool| !tool.contains("pod"));
        tools.sort();
        tools
    };
    assert!(tools(&mut all).contains(&"words__echo".to_owned()), "a clash is prefixed");
    assert_eq!(tools(&mut some), ["of_words", "pid"]);
    assert!(tools(&mut none_at_all).is_empty());
    some.call("of_other", &none()).fails("no tool `of_other`");
    sidecar_command(&home, &["deny", "words", "--session", &all.session]).assert_code(0);
    assert!(!tools(&mut all).contains(&"of_words".to_owned()));
    all.call("of_words", &none()).fails("not granted");
    some.call("of_words", &none()).says("was called");
    // The session's rule wins over the workspace's, and that over the one for all.
    sidecar_command(&home, &["deny", "*", "--everywhere"]).assert_code(0);
    sidecar_command(&home, &["grant", "words", "of_words"]).assert_code(0);
    assert!(tools(&mut all).is_empty());
    assert_eq!(tools(&mut some), ["of_words"]);
    assert_eq!(sidecar_command(&home, &["grants", "--json"]).json().len(), 3);
    sidecar_command(&home, &["deny", "*", "--everywhere", "--forget"]).assert_code(0);
    assert!(tools(&mut all).contains(&"of_other".to_owned()));
    stop_everything(&home);
}

#[test]
fn a_change_of_the_folder_is_seen_in_a_running_session() {
    let home = stage::home();
    let folder = own(&home, "words", "plain", "");
    let session = detached(&home, "demo", &["--mode", "bypass"], "demo:list-tools");
    let mut items = follow(&home, &session);
    items.wait_for("its tools", stage::says("outrigger__of_words"));
    items.wait_for("the end of its turn", is_kind("turnEnd"));
    fs::write(folder.join("version.txt"), "2").unwrap();
    has(&home, &session, "outrigger__v2", true);
    fs::remove_file(folder.join("version.txt")).unwrap();
    has(&home, &session, "outrigger__v2", false);
    own(&home, "late", "plain", "");
    has(&home, &session, "outrigger__of_late", true);
    fs::remove_dir_all(home.path().join("config/sidecars/late")).unwrap();
    has(&home, &session, "outrigger__of_late", false);
    // A build that fails leaves the earlier one serving, and says so.
    stage::write(&folder.join("sidecar.toml"), "run = 7");
    until(&home, "words", "told of the failure", |view| view["reloadFailed"]["message"].is_string());
    has(&home, &session, "outrigger__of_words", true);
    stop_everything(&home);
}

/// Waits until the agent knows a tool, or knows it no more: it asks for the list again only when it is told of another one.
fn has(home: &Home, session: &str, tool: &str, wanted: bool) {
    let end = Instant::now() + DEADLINE;
    loop {
        let ended = home.run(["send", session, "demo:list-tools"]);
        ended.assert_code(0);
        let mut items = follow(home, session);
        let said = last_words(home, session, &mut items);
        if said.contains(&format!("`{tool}`")) == wanted {
            return;
        }
        assert!(Instant::now() < end, "{tool} is there: {}; {said}", !wanted);
    }
}

/// What the agent said in its newest turn, when that has ended.
fn last_words(home: &Home, session: &str, items: &mut outrigger_tests::Program) -> String {
    let turns = |logged: &[Value], kind: &str| logged.iter().filter(|item| item["body"]["type"] == kind).count();
    loop {
        let logged = home.run(["logs", session, "--json"]);
        let all = logged.json();
        if turns(&all, "turnEnd") == turns(&all, "userMessage") {
            let newest = all.iter().rposition(|item| item["body"]["type"] == "userMessage").unwrap_or(0);
            return stage::words(&all[newest..]);
        }
        items.wait_for("an end of a turn", is_kind("turnEnd"));
    }
}

#[test]
fn they_are_started_called_and_stopped_by_hand() {
    let home = stage::home();
    let folder = own(&home, "words", "plain", "build = \"echo built it\"");
    sidecar_command(&home, &["start", "nobody"]).assert_code(2);
    assert_eq!(view(&home, "words")["state"]["type"], "idle");
    assert_eq!(owner(&home), None, "a look starts nobody");
    let started = sidecar_command(&home, &["start", "words", "--json"]);
    started.assert_code(0);
    assert_eq!(started.json()[0]["state"]["type"], "connected");
    let called = sidecar_command(&home, &["call", "words", "echo", "{\"text\":\"by hand\"}"]);
    called.assert_code(0);
    assert_eq!(called.stdout.concat(), "{\"text\":\"by hand\"}");
    let steps = sidecar_command(&home, &["call", "words", "steps", "{\"count\":3}"]);
    assert!(steps.stderr.contains("step 1") && steps.stderr.contains("step 3"), "{}", steps.stderr);
    sidecar_command(&home, &["call", "words", "fail"]).assert_code(1);
    sidecar_command(&home, &["call", "words", "echo", "[]"]).assert_code(2);
    let tools = sidecar_command(&home, &["tools", "words", "--json"]);
    assert!(tools.json().iter().all(|tool| tool["sidecar"] == "words"), "{:?}", tools.stdout);
    let logs = sidecar_command(&home, &["logs", "words"]);
    assert!(logs.stdout.iter().any(|line| line.contains("build") && line.contains("built it")), "{:?}", logs.stdout);
    let before = view(&home, "words")["pid"].clone();
    sidecar_command(&home, &["restart", "words"]).assert_code(0);
    assert_ne!(view(&home, "words")["pid"], before);
    sidecar_command(&home, &["stop", "words"]).assert_code(0);
    assert_eq!(view(&home, "words")["state"]["type"], "stopped");
    let refused = sidecar_command(&home, &["call", "words", "echo"]);
    refused.assert_code(1);
    assert!(refused.stdout.concat().contains("stopped by the user"), "{:?}", refused.stdout);
    let doctor = home.run(["doctor", "--json"]).json();
    assert_eq!((&doctor[0]["sidecars"]["count"], doctor[0]["sidecars"]["owner"].is_u64()), (&json!(1), true));
    assert!(home.run(["doctor", "--limits"]).stdout.iter().any(|line| line.contains("call of a sidecar's tool")));
    stage::write(&folder.join("sidecar.toml"), "run = 7");
    let doctor = home.run(["doctor", "--json"]).json();
    assert_eq!(doctor[0]["sidecars"]["problems"][0]["name"], "words", "{}", doctor[0]["sidecars"]);
    stop_everything(&home);
}

#[test]
fn servers_of_other_tools_become_sidecars() {
    let home = stage::home();
    let script = outrigger_tests::project().join("src-tauri/crates/toolbox/tests/fixtures/sidecar.mjs");
    let server =
        json!({ "command": "node", "args": [script, "plain"], "env": { "TOOL": "imported", "API_KEY": "sk-123456" } });
    let claude = json!({ "mcpServers": { "mine": server } });
    stage::write(&home.user_home().join(".claude.json"), &claude.to_string());
    let project = json!({ "mcpServers": { "same": { "command": "node", "args": [script, "plain"] } } });
    stage::write(&home.workspace().join(".mcp.json"), &project.to_string());
    let found = sidecar_command(&home, &["import", "--json"]).json();
    let ids: Vec<&str> = found.iter().map(|server| server["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["claude/mine", "project/same"]);
    assert!(sidecar_command(&home, &["import"]).stdout.concat().contains("the same as claude/mine"));
    let written = sidecar_command(&home, &["import", "--write", "project/same"]);
    written.assert_code(0);
    sidecar_command(&home, &["import", "--write", "claude/mine"]).assert_code(2);
    sidecar_command(&home, &["call", "same", "echo", "{\"text\":\"x\"}"]).assert_code(0);
    fs::remove_dir_all(home.path().join("config/sidecars/same")).unwrap();
    let written = sidecar_command(&home, &["import", "--write", "claude/mine", "--json"]);
    written.assert_code(0);
    assert_eq!(written.json()[0]["wants"], json!(["keyring:mine/API_KEY"]));
    let manifest = fs::read_to_string(home.path().join("config/sidecars/mine/sidecar.toml")).unwrap();
    assert!(!manifest.contains("sk-123456") && manifest.contains("keyring:mine/API_KEY"), "{manifest}");
    stop_everything(&home);
}

#[test]
fn a_killed_owner_leaves_nothing_and_another_one_follows() {
    let home = stage::home();
    own(&home, "words", "stubborn", "");
    let mut agent = Agent::start(&home, &[]);
    let first: u32 = agent.call("pid", &none()).text.parse().unwrap();
    stage::kill(&owner(&home).unwrap()["pid"]);
    let second: u32 = agent.call("pid", &none()).text.parse().unwrap();
    assert_ne!(first, second);
    assert!(!std::path::Path::new(&format!("/proc/{first}")).exists(), "what the killed one left was ended first");
    stage::kill(&owner(&home).unwrap()["pid"]);
    // A killed process holds its locks until its last thread is gone.
    let end = Instant::now() + DEADLINE;
    while !home.run(["ps"]).stderr.contains("The owner of the tool sidecars was killed") {
        assert!(Instant::now() < end, "nobody sees to what it has left");
    }
    assert!(!std::path::Path::new(&format!("/proc/{second}")).exists());
    assert_eq!(owner(&home), None);
    stop_everything(&home);
}
