//! Budget 8: from `outrigger run` with the demo agent to the first event on stdout, beside the runtime's own start.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::memory;
use crate::table::{Budget, Row, Table, median};

const RUNS: usize = 11;

/// Measures both, in turn.
pub(crate) fn measure(table: &mut Table) {
    let home = tempfile::Builder::new().prefix("or-bench-").tempdir().unwrap();
    let workspace = home.path().join("workspace");
    std::fs::create_dir(&workspace).unwrap();
    std::fs::write(workspace.join("README.md"), "a file to read\n").unwrap();
    // The first run asks the login shell and every program; later ones know.
    ours(home.path(), &workspace);
    let mut runs = Vec::new();
    let mut starts = Vec::new();
    for _ in 0..RUNS {
        runs.push(ours(home.path(), &workspace));
        starts.push(node());
    }
    let (ours, reference) = (median(runs), median(starts));
    let name = "8 outrigger run to first event".to_owned();
    table.add(Row { name, ours, reference, unit: "ms", budget: Budget::ReferencePlus(60.0) });
}

/// Milliseconds until the first line; the run is then let to its end.
fn ours(home: &Path, workspace: &Path) -> f64 {
    let began = Instant::now();
    let mut run = Command::new(memory::program())
        .args(["run", "--provider", "demo", "--permissions", "allow", "--json", "--cwd"])
        .arg(workspace)
        .arg("demo")
        .env("OUTRIGGER_HOME", home.join("outrigger"))
        .env("OUTRIGGER_ROOT", outrigger_tests::project())
        .env("OUTRIGGER_DEMO_PACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    assert!(lines.next().is_some_and(|line| line.is_ok()), "`outrigger run` printed nothing");
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    lines.for_each(drop);
    assert!(run.wait().unwrap().success());
    milliseconds
}

fn node() -> f64 {
    let began = Instant::now();
    assert!(Command::new("node").args(["-e", "0"]).status().unwrap().success());
    began.elapsed().as_secs_f64() * 1000.0
}
