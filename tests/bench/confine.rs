//! Budget 12: what a scope costs at the start. A program under `outrigger confine` beside the program alone; and a whole pod in a
//! scope, from `outrigger run` to the first word of its agent, beside the runner that is started by hand and asked the same.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::memory;
use crate::table::{Budget, Row, Table, median};

const RUNS: usize = 41;
const PODS: usize = 11;

/// Measures all of them, in turn.
pub(crate) fn measure(table: &mut Table) {
    program_under_confine(table);
    pod_in_a_scope(table);
}

fn pod_in_a_scope(table: &mut Table) {
    let home = tempfile::Builder::new().prefix("or-bench-").tempdir().unwrap();
    let workspace = home.path().join("workspace");
    std::fs::create_dir_all(workspace.join("src")).unwrap();
    // The first one asks the login shell and every program; later ones know.
    pod(home.path(), &workspace, &["--scope", "src"]);
    let (mut held, mut free, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PODS {
        held.push(pod(home.path(), &workspace, &["--scope", "src"]));
        free.push(pod(home.path(), &workspace, &[]));
        bare.push(runner(&workspace));
    }
    let (held, free, reference) = (median(held), median(free), median(bare));
    let row = |name: &str, ours, reference, budget| Row { name: name.to_owned(), ours, reference, unit: "ms", budget };
    table.add(row("12 a pod in a scope, to its first word", held, reference, Budget::ReferencePlus(50.0)));
    table.add(row("12 of it the scope, beside a pod without", held, free, Budget::Absolute(f64::INFINITY)));
}

/// Milliseconds until the agent says something; the run is then let to its end.
fn pod(home: &Path, workspace: &Path, more: &[&str]) -> f64 {
    let mut run = Command::new(memory::program());
    run.args(["run", "--provider", "demo", "--mode", "plan", "--json", "--cwd"]).arg(workspace).args(more).arg("hello");
    run.env("OUTRIGGER_HOME", home.join("outrigger")).env("OUTRIGGER_ROOT", outrigger_tests::project());
    first_word(&mut run, "", r#""type":"thought""#)
}

/// The same of the runner alone.
fn runner(workspace: &Path) -> f64 {
    let query = serde_json::json!({
        "type": "query", "sessionId": "01900000-0000-7000-8000-000000000000", "prompt": "hello", "cwd": workspace,
        "permissionMode": "plan", "resumeMode": "new",
    });
    first_word(
        Command::new("node").arg(outrigger_tests::project().join("runners/demo.mjs")),
        &format!("{query}\n"),
        "thought_delta",
    )
}

fn first_word(command: &mut Command, input: &str, word: &str) -> f64 {
    command.env("OUTRIGGER_DEMO_PACE", "0").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains(word)), "{command:?} said nothing");
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    drop(stdin);
    lines.for_each(drop);
    assert!(child.wait().unwrap().success(), "{command:?}");
    milliseconds
}

fn program_under_confine(table: &mut Table) {
    let scope = tempfile::Builder::new().prefix("or-bench-").tempdir().unwrap();
    let (mut held, mut alone) = (Vec::new(), Vec::new());
    // The first ones read the programs from the disk.
    confined(scope.path());
    plain();
    for _ in 0..RUNS {
        held.push(confined(scope.path()));
        alone.push(plain());
    }
    let name = "12 a program under outrigger confine".to_owned();
    let (ours, reference) = (median(held), median(alone));
    table.add(Row { name, ours, reference, unit: "ms", budget: Budget::ReferencePlus(50.0) });
}

fn confined(scope: &Path) -> f64 {
    let mut command = Command::new(memory::program());
    // What cannot be enforced here is refused, so that nothing else is measured.
    command.arg("confine").arg("--write").arg(scope).args(["--", "true"]);
    milliseconds(&mut command)
}

fn plain() -> f64 {
    milliseconds(&mut Command::new("true"))
}

fn milliseconds(command: &mut Command) -> f64 {
    let began = Instant::now();
    assert!(command.stdin(Stdio::null()).status().unwrap().success(), "{command:?}");
    began.elapsed().as_secs_f64() * 1000.0
}
