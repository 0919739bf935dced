//! Everything that a session is started with reaches its runner, and nothing else does.

use std::fs;

use outrigger_tests::project;
use serde_json::{Value, json};

use crate::stage::{self, demo, own_provider, run_of};

fn seen(home: &outrigger_tests::Home) -> Value {
    serde_json::from_str(&fs::read_to_string(home.workspace().join("seen.json")).unwrap()).unwrap()
}

#[test]
fn every_option_of_a_start() {
    let home = stage::home();
    own_provider(&home, "recording", "");
    let more = home.user_home().join("more");
    fs::create_dir_all(&more).unwrap();
    let options = [
        "--model",
        "big",
        "--mode",
        "plan",
        "--system-prompt",
        "Be brief.",
        "--max-turns",
        "7",
        "--add-dir",
        more.to_str().unwrap(),
        "--worktree",
        "tree",
        "--config-dir",
        "~/profile",
        "--env",
        "EXTRA=one",
        "--provider-config",
        "{\"effort\":\"low\"}",
    ];
    home.run(run_of(&home, "own", &options, "the prompt")).assert_code(0);
    let seen = seen(&home);
    let query = &seen["query"];
    let workspace = fs::canonicalize(home.workspace()).unwrap();
    let expected = json!({
        "prompt": "the prompt", "model": "big", "permissionMode": "plan", "systemPrompt": "Be brief.", "maxTurns": 7,
        "cwd": workspace, "additionalDirectories": [more], "worktreeName": "tree", "resumeMode": "new",
        "providerConfig": { "effort": "low" },
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&query[name], value, "{name} of {query}");
    }
    assert!(query["configDir"].as_str().unwrap().ends_with("/profile"), "{query}");
    assert_eq!(seen["env"]["EXTRA"], "one");
}

#[test]
fn marks_of_another_agent_do_not_leak_and_chosen_variables_do_not_pass() {
    let home = stage::home();
    own_provider(&home, "recording", "[env]\nstrip = [\"MINE_\"]\nkeep = [\"MINE_KEY\"]");
    for name in ["CLAUDECODE", "CODEX_THREAD", "OLLAMA_HOST", "ANTHROPIC_MODEL", "MINE_OTHER"] {
        stage::export(&home, name, "leaks");
    }
    for name in ["CLAUDE_CODE_EXPERIMENTAL_X", "MINE_KEY", "HARMLESS"] {
        stage::export(&home, name, "passes");
    }
    let ended = home.run(run_of(&home, "own", &["--env", "CLAUDE_X=1", "--env", "FINE=1"], "x"));
    ended.assert_code(0);
    assert!(ended.stderr.contains("CLAUDE_X was not passed on"), "{}", ended.stderr);
    let env = seen(&home)["env"].clone();
    for name in ["CLAUDECODE", "CODEX_THREAD", "OLLAMA_HOST", "ANTHROPIC_MODEL", "MINE_OTHER", "CLAUDE_X"] {
        assert_eq!(env.get(name), None, "{name} reached the runner");
    }
    for name in ["CLAUDE_CODE_EXPERIMENTAL_X", "MINE_KEY", "HARMLESS"] {
        assert_eq!(env[name], "passes", "{name} did not reach the runner");
    }
    assert_eq!(env["FINE"], "1");
}

#[test]
fn a_root_that_is_named_holds_the_runners() {
    let home = stage::home();
    let root = home.user_home().join("root");
    let runners = root.join("runners");
    fs::create_dir_all(runners.join("manifests")).unwrap();
    for file in ["recording.mjs", "plain.mjs"] {
        fs::copy(project().join("tests/fixtures/runners").join(file), runners.join(file)).unwrap();
    }
    let manifest = "id = \"demo\"\nname = \"Mine\"\nrunner = \"recording.mjs\"\nadapter = \"demo\"\n";
    stage::write(&runners.join("manifests/demo.toml"), manifest);
    let mut command = home.command(demo(&home, &[], "x"));
    command.env("OUTRIGGER_ROOT", &root);
    outrigger_tests::Program::start(command).finish().assert_code(0);
    assert_eq!(seen(&home)["argv"][1], fs::canonicalize(runners).unwrap().join("recording.mjs").to_str().unwrap());
}

#[test]
fn a_runtime_that_is_named_runs_the_runner() {
    let home = stage::home();
    own_provider(&home, "recording", "");
    let node = home.user_home().join("bin/node");
    stage::script(&node, "export THROUGH=mine\nexec \"$(command -v -p node || echo /usr/bin/node)\" \"$@\"");
    stage::write(&home.path().join("config/settings.toml"), &format!("[paths]\nnode = \"{}\"\n", node.display()));
    let mut command = home.command(run_of(&home, "own", &[], "x"));
    command.env("OUTRIGGER_RUNTIME", &node);
    outrigger_tests::Program::start(command).finish().assert_code(0);
    assert_eq!(seen(&home)["env"]["THROUGH"], "mine");
}
