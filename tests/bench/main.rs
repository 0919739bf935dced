//! `./dev bench`: measures what `budgets` promise, each figure beside a reference in the same run, because machines differ.
//!
//! Writes one table to `target/bench/budgets.json` and `.md`. A missed budget is said, and makes the exit code 1 only with
//! `--strict`: a bench tells, a person decides. `--docs` puts the figures into `docs/performance.md` and the pictures beside it;
//! without it the pictures are in `target/bench` alone. `--mib` or `OUTRIGGER_BENCH_MIB` sets the size of the stream (default 256, the
//! budget's own size is 1024), `OUTRIGGER_BENCH_PROGRAM` another build to look at than the release, an argument selects rows by a part
//! of their name. `--quick` is a look of less than three minutes with small sizes; `--runs 2` measures everything twice and says how far
//! apart the figures are.

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
mod journals;
mod memory;
mod options;
mod page;
mod picture;
mod processes;
mod providers;
mod scale;
mod search;
mod soak;
mod table;
#[path = "../desktop/window.rs"]
#[expect(
    dead_code,
    clippy::expect_used,
    reason = "the desktop tests do more with a window, and a failed bench may panic"
)]
mod window;
mod written;

use std::process::ExitCode;
use std::time::Instant;

use table::Table;

fn main() -> ExitCode {
    if let Some(ended) = page::line_writer::written() {
        return ended;
    }
    let wanted = options::wanted();
    let mut tables: Vec<Table> = (0..options::runs()).map(|_| measured(wanted.as_deref())).collect();
    let table = tables.remove(0);
    table.write(&tables);
    if options::has("--strict") && !table.all_passed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// One run of the rows that are wanted.
fn measured(wanted: Option<&str>) -> Table {
    let mut table = Table::default();
    let is_wanted = |name: &str| wanted.is_some_and(|wanted| name.contains(wanted));
    let usual = MEASURES.into_iter().filter(|(name, _)| match wanted {
        Some(_) => is_wanted(name),
        None => !options::is_quick() || QUICK.contains(name),
    });
    for (name, measure) in usual.chain(LONG.into_iter().filter(|(name, _)| is_wanted(name))) {
        let began = Instant::now();
        eprintln!("== {name}");
        measure(&mut table);
        eprintln!("   {:.0} s", began.elapsed().as_secs_f64());
    }
    table
}

type Measure = fn(&mut Table);

const MEASURES: [(&str, Measure); 12] = [
    ("ingest", ingest::measure),
    ("written", written::measure),
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

/// Those that take long and have no budget of their own. Only measured when they are named.
const LONG: [(&str, Measure); 4] = [
    ("soak", soak::measure),
    ("scale: pods", scale::pods::measure),
    ("scale: list", scale::list::measure),
    ("scale: archive", scale::archive::measure),
];

/// What `--quick` measures: some of each kind.
const QUICK: [&str; 8] =
    ["ingest", "written", "first-event", "memory", "idle", "search", "confine", "page: cold start"];
