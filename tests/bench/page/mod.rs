//! Budgets 3, 4, 6 (the desktop's half), 7 and 11: the real window under Xvfb, beside a bare Tauri window.
//!
//! Responsible for what these share: a home with a provider that writes what it is asked to, sessions of it, and memory of a
//! window's processes. The window is driven over WebDriver as the desktop tests do it; what is measured inside of the page is
//! measured by scripts that the bench brings along, so that the product has nothing for it.

pub(crate) mod cold_start;
pub(crate) mod frames;
pub(crate) mod latency;
pub(crate) mod line_writer;
pub(crate) mod opening;

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use fantoccini::Client;
use fantoccini::wd::TimeoutConfiguration;
use outrigger_tests::{Home, program, project};
use serde_json::Value;

/// For one script in the page, and for a session to write what it was asked to.
const PATIENCE: Duration = Duration::from_secs(600);
const MANIFEST: &str = "id = \"bench\"\nname = \"Bench\"\nrunner = \"./runner.mjs\"\nadapter = \"plain\"\n\n[capabilities]\npartials = true\n";

/// Lets what talks to a window run to its end.
pub(crate) fn run<R>(work: impl Future<Output = R>) -> R {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
}

/// A home whose provider `bench` is `runner.mjs`.
pub(crate) fn home() -> Home {
    let home = Home::new();
    let folder = home.path().join("config/providers");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("bench.toml"), MANIFEST).unwrap();
    std::fs::copy(project().join("tests/bench/page/runner.mjs"), folder.join("runner.mjs")).unwrap();
    home
}

/// Starts a session with a prompt, in the home's workspace, and gives its id. It is not waited for.
pub(crate) fn start(home: &Home, workspace: &Path, prompt: &str) -> String {
    let ended = outrigger(home, workspace, &["run", "--provider", "bench", "--mode", "bypass", "--detach", prompt]);
    assert!(!ended.is_empty(), "no session for {prompt}");
    ended
}

/// A session that is over, of so many items and one. That one is a turn of its own: nothing is settled before a first turn has
/// ended, and no real session is a single turn.
fn finished(home: &Home, workspace: &Path, items: u64) -> String {
    let session = start(home, workspace, "items 1");
    until_idle(home, workspace, &session);
    outrigger(home, workspace, &["send", &session, &format!("items {items}")]);
    until_written(home, workspace, &session, items);
    outrigger(home, workspace, &["stop", &session]);
    session
}

/// Waits until a session has said that it is at the end of its items, and has nothing more to do.
fn until_written(home: &Home, workspace: &Path, session: &str, items: u64) {
    let until = std::time::Instant::now() + PATIENCE;
    let journal = home.path().join("data/sessions").join(session).join("journal.ndjson");
    let end = format!("the end of {items}");
    while !end_of(&journal).contains(&end) {
        assert!(std::time::Instant::now() < until, "{session} does not come to {end}");
        std::thread::sleep(Duration::from_millis(100));
    }
    until_idle(home, workspace, session);
}

fn end_of(file: &Path) -> String {
    let mut file = std::fs::File::open(file).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(length.saturating_sub(8192))).unwrap();
    let mut end = Vec::new();
    file.read_to_end(&mut end).unwrap();
    String::from_utf8_lossy(&end).into_owned()
}

/// Lets the sessions of a workspace begin that were started to stream.
pub(crate) fn go(workspace: &Path) {
    std::fs::write(workspace.join("go"), "").unwrap();
}

/// Waits until a session has nothing to do.
fn until_idle(home: &Home, workspace: &Path, session: &str) {
    let until = std::time::Instant::now() + PATIENCE;
    while state(home, workspace, session) != "idle" {
        assert!(std::time::Instant::now() < until, "{session} does not become idle");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn state(home: &Home, workspace: &Path, session: &str) -> String {
    let list = outrigger(home, workspace, &["ps", "--all", "--json"]);
    let all = list.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let one = all.into_iter().find(|one| one["session"] == session);
    one.and_then(|one| one["liveness"]["state"]["type"].as_str().map(str::to_owned)).unwrap_or_default()
}

/// What a command says, without the white space around it.
pub(crate) fn outrigger(home: &Home, workspace: &Path, args: &[&str]) -> String {
    let mut command = Command::new(program("outrigger"));
    home.furnish(&mut command);
    let command = command.args(args).current_dir(workspace).stdin(Stdio::null()).stderr(Stdio::inherit());
    String::from_utf8_lossy(&command.output().unwrap().stdout).trim().to_owned()
}

/// Memory (PSS) in MiB of a process and of everything below it.
fn tree_memory(root: u32) -> f64 {
    let children = std::fs::read_to_string(format!("/proc/{root}/task/{root}/children")).unwrap_or_default();
    let below = children.split_whitespace().filter_map(|pid| pid.parse().ok()).map(tree_memory);
    crate::memory::pss(root) + below.sum::<f64>()
}

/// What a script in the page hands to its last argument.
pub(crate) async fn script(client: &Client, script: &str, arguments: Vec<Value>) -> Value {
    let patient = TimeoutConfiguration::new(Some(PATIENCE), None, None);
    client.update_timeouts(patient).await.unwrap();
    client
        .execute_async(script, arguments)
        .await
        .unwrap_or_else(|error| panic!("a script of the bench failed: {error}"))
}

/// The figure below which `part` of the figures are.
fn quantile(figures: &[f64], part: f64) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    let place = (figures.len() as f64 * part).ceil() as usize;
    figures.get(place.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
