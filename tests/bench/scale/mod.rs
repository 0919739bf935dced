//! Scale: much more of everything than a person has. What breaks first, and what does it cost? Only measured when it is named:
//! `./dev bench scale`, or `./dev bench "scale: pods"`. `--sessions` and `--mib` say how many.

pub(crate) mod archive;
pub(crate) mod list;
pub(crate) mod pods;

use crate::table::{Budget, Row, Table};

/// A figure without a reference or a budget.
fn told(table: &mut Table, name: &str, ours: f64, unit: &'static str) {
    beside(table, name, ours, 0.0, unit);
}

/// A figure beside another one, without a budget.
fn beside(table: &mut Table, name: &str, ours: f64, reference: f64, unit: &'static str) {
    let budget = Budget::Absolute(f64::INFINITY);
    table.add(Row { name: format!("scale: {name}"), ours, reference, unit, budget });
}

/// A figure that must not be above another one.
fn at_most(table: &mut Table, name: &str, ours: f64, most: f64, unit: &'static str) {
    table.add(Row { name: format!("scale: {name}"), ours, reference: 0.0, unit, budget: Budget::Absolute(most) });
}

/// How long it took, in milliseconds, and what came of it.
fn timed<R>(work: impl FnOnce() -> R) -> (f64, R) {
    let began = std::time::Instant::now();
    let done = work();
    (began.elapsed().as_secs_f64() * 1000.0, done)
}
