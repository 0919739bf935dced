//! `./dev bench`: measures what `budgets` promise, each figure beside a reference in the same run, because machines differ.
//!
//! Writes one table to `target/bench/budgets.json` and `.md`. A missed budget is said, and makes the exit code 1 only with
//! `--strict`: a bench tells, a person decides. `--docs` puts the figures into `docs/performance.md` and the pictures beside it;
//! without it the pictures are in `target/bench` alone. `OUTRIGGER_BENCH_MIB` sets the size of the stream (default 256, the budget's own
//! size is 1024), `OUTRIGGER_BENCH_PROGRAM` another build to look at than the release, an argument selects rows by a part of their name.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a bench prints, and a failed one may panic"
)]

mod bare_window;
mod confine;
#[path = "../desktop/desk.rs"]
#[expect(
    dead_code,
    clippy::expect_used,
    reason = "the desktop tests do more with a desk, and a failed bench may panic"
)]
mod desk;
mod events;
mod field_readers;
mod first_event;
mod idle;
mod ingest;
mod memory;
mod page;
mod picture;
mod providers;
mod search;
mod table;
#[path = "../desktop/window.rs"]
#[expect(
    dead_code,
    clippy::expect_used,
    reason = "the desktop tests do more with a window, and a failed bench may panic"
)]
mod window;

use std::process::ExitCode;

use table::Table;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let strict = args.iter().any(|arg| arg == "--strict");
    let wanted = args.into_iter().find(|arg| !arg.starts_with("--")).unwrap_or_default();
    let mut table = Table::default();
    for (name, measure) in MEASURES {
        if name.contains(&wanted) {
            eprintln!("== {name}");
            measure(&mut table);
        }
    }
    table.write();
    if strict && !table.all_passed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

type Measure = fn(&mut Table);

const MEASURES: [(&str, Measure); 11] = [
    ("ingest", ingest::measure),
    ("first-event", first_event::measure),
    ("memory", memory::measure),
    ("idle", idle::measure),
    ("providers", providers::measure),
    ("search", search::measure),
    ("confine", confine::measure),
    ("page: cold start", page::cold_start::measure),
    ("page: opening", page::opening::measure),
    ("page: latency", page::latency::measure),
    ("page: frames", page::frames::measure),
];
