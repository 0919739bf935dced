//! What is wrong is told: what, where, and what to do; and it leaves no process and no half session behind.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use outrigger_tests::{Home, Program};
use serde_json::Value;

use crate::stage::{self, assert_refused, demo, detached, own_provider, run_of, script};

/// A provider whose CLI is this shell script.
fn with_cli(home: &Home, body: &str) -> String {
    let cli = home.user_home().join("bin/own-cli");
    script(&cli, body);
    let manifest = format!(
        "[cli]\nnames = [\"no-such-own-cli\"]\ncandidates = [\"{}\"]\nversionArgs = [\"--version\"]\nminVersion = \"2.0.0\"\n\
         testedVersions = [\"2.1.0\"]\ninstallHint = \"get it from the shop\"",
        cli.display()
    );
    own_provider(home, "recording", &manifest);
    cli.display().to_string()
}

#[test]
fn no_runtime() {
    let home = stage::home();
    let empty = home.user_home().join("empty");
    fs::create_dir_all(&empty).unwrap();
    stage::export(&home, "PATH", empty.to_str().unwrap());
    // Places besides PATH are known too, so the one that is here is hidden by a path set by hand that leads nowhere.
    let nowhere = empty.join("node");
    let settings = format!("[paths]\nruntime = \"{}\"\n", nowhere.display());
    stage::write(&home.path().join("config/settings.toml"), &settings);
    let mut command = home.command(demo(&home, &[], "x"));
    command.env("PATH", &empty);
    let ended = Program::start(command).finish();
    assert_refused(&home, &ended, 3, &["runtimeUnavailable", nowhere.to_str().unwrap()]);
}

#[test]
fn no_cli() {
    let home = stage::home();
    let cli = with_cli(&home, "exit 0");
    fs::remove_file(&cli).unwrap();
    let ended = home.run(run_of(&home, "own", &[], "x"));
    assert_refused(&home, &ended, 3, &["cliUnavailable", "get it from the shop", &cli]);
}

#[test]
fn a_cli_that_is_too_old() {
    let home = stage::home();
    let cli = with_cli(&home, "echo 1.9.0");
    let ended = home.run(run_of(&home, "own", &[], "x"));
    assert_refused(&home, &ended, 3, &["cliUnavailable", "1.9.0", "2.0.0", &cli, "get it from the shop"]);
}

#[test]
fn a_cli_that_exits_at_once() {
    let home = stage::home();
    // The real runner of claude; the CLI knows its version and nothing else.
    let cli = home.user_home().join(".local/bin/claude");
    script(&cli, "case \"$1\" in --version) echo '2.1.329 (Claude Code)';; *) echo 'out of order' >&2; exit 9;; esac");
    stage::write(&home.path().join("config/settings.toml"), &format!("[paths]\nclaude = \"{}\"\n", cli.display()));
    let ended = home.run(run_of(&home, "claude", &[], "x"));
    ended.assert_code(1);
    let error = stage::last_of(&ended.json(), "error")[0]["body"].clone();
    assert_eq!(error["code"], "cli_exited", "{error}");
    assert!(error["stderrTail"].to_string().contains("out of order"), "{error}");
    home.assert_nobody_left();
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(stage::listed(&home, &session)["liveness"]["outcome"], "failed", "the session tells how it went");
}

#[test]
fn a_runner_that_never_says_ready() {
    let home = stage::home();
    stage::export(&home, "OUTRIGGER_DEMO_NO_READY", "1");
    let ended = home.run(demo(&home, &[], "x"));
    assert_refused(&home, &ended, 3, &["runnerFailed", "10 s", "demo.mjs"]);
}

#[test]
fn a_data_folder_that_cannot_be_written() {
    let home = stage::home();
    // Permissions do not stop root, a file in the folder's place does.
    stage::write(&home.path().join("data"), "in the way");
    let ended = home.run(demo(&home, &[], "x"));
    assert_refused(&home, &ended, 3, &["dataFolder", home.path().join("data").to_str().unwrap(), "OUTRIGGER_HOME"]);
    let doctor = home.run(["doctor", "--json"]);
    doctor.assert_code(3);
    assert_eq!(doctor.json()[0]["ok"], false, "doctor works all the same");
}

#[test]
fn a_working_directory_that_does_not_exist() {
    let home = stage::home();
    let ended = home.run(["run", "--json", "--provider", "demo", "--cwd", "/no/such/folder", "x"]);
    assert_refused(&home, &ended, 2, &["badWorkingDirectory", "/no/such/folder", "create it"]);
}

#[test]
fn a_second_prompt_on_an_ended_session() {
    let home = stage::home();
    home.run(demo(&home, &["--permissions", "deny"], "hello")).assert_code(0);
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let ended = home.run(["send", &session, "more"]);
    ended.assert_code(1);
    assert!(ended.stderr.contains("is not live") && ended.stderr.contains("run --resume"), "{}", ended.stderr);
    home.assert_nobody_left();
    assert_eq!(home.sessions().len(), 1);
}

#[test]
fn a_wrong_token() {
    let home = stage::home();
    let session = detached(&home, "demo", &["--mode", "plan"], "hello");
    let pod: Value = serde_json::from_str(&fs::read_to_string(home.sessions()[0].join("pod.json")).unwrap()).unwrap();
    let mut socket = UnixStream::connect(pod["socket"].as_str().unwrap()).unwrap();
    let request =
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocol":1,"token":"guessed","client":"test"}}"#;
    writeln!(socket, "{request}").unwrap();
    socket.set_read_timeout(Some(outrigger_tests::DEADLINE)).unwrap();
    let lines: Vec<String> = BufReader::new(socket).lines().map(Result::unwrap).collect();
    assert_eq!(lines.len(), 1, "one answer, then the line is cut: {lines:?}");
    let answer: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(answer["error"]["data"]["code"], "notAuthorised");
    assert!(answer["error"]["message"].as_str().unwrap().contains("pod.json"), "{answer}");
    home.run(["stop", &session]).assert_code(0);
    home.assert_nobody_left();
}

#[test]
fn an_unknown_provider() {
    let home = stage::home();
    let ended = home.run(run_of(&home, "gpt-9", &[], "x"));
    assert_refused(&home, &ended, 3, &["unknownProvider", "gpt-9", "claude", "codex", "demo"]);
}

#[test]
fn a_malformed_manifest() {
    let home = stage::home();
    let file = home.path().join("config/providers/own.toml");
    stage::write(&file, "id = \"own\"\nname = \"Own\"\nrunner = \"x.mjs\"\nadapter = \"nobody-knows\"\n");
    let ended = home.run(run_of(&home, "own", &[], "x"));
    assert_refused(&home, &ended, 3, &["badManifest", file.to_str().unwrap(), "nobody-knows"]);
    let doctor = home.run(["doctor", "--json"]);
    assert_eq!(doctor.json()[0]["manifestErrors"][0]["path"], file.to_str().unwrap());
    home.run(demo(&home, &["--permissions", "deny"], "the others work")).assert_code(0);
}
