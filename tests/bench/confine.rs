//! Budget 12, its part of confinement: a program that is started under `outrigger confine`, beside the program alone.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::memory;
use crate::table::{Budget, Row, Table, median};

const RUNS: usize = 41;

/// Measures both, in turn.
pub(crate) fn measure(table: &mut Table) {
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
