//! Budget 5: what many idle sessions cost, beside none. Nobody looks at them and nothing happens in them, so nothing should run.
//!
//! CPU time and wake-ups (times that a thread was put on a processor) are read from outside, from `/proc`, at the beginning and at
//! the end. Keepers are ours; runners are JavaScript, whose runtime wakes by itself, and are told apart.
//! `OUTRIGGER_BENCH_IDLE` is the number of sessions (50), `OUTRIGGER_BENCH_IDLE_SECONDS` the time (60).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::table::{Budget, Row, Table};
use crate::{memory, options};

/// Clock ticks in a second, as the kernel tells times to programs.
const TICKS: f64 = 100.0;
/// How long the machine may rest after the sessions have started: the runtime of the runners tidies its memory for some seconds.
const SETTLE: Duration = Duration::from_secs(15);

/// Measures the idle sessions, and the same time without any.
pub(crate) fn measure(table: &mut Table) {
    let (usual, seconds) = if options::is_quick() { (8, 10) } else { (50, 60) };
    let count = number("OUTRIGGER_BENCH_IDLE", usual);
    let time = Duration::from_secs(number("OUTRIGGER_BENCH_IDLE_SECONDS", seconds));
    let home = tempfile::Builder::new().prefix("or-bench-").tempdir().unwrap();
    let none = busy(home.path(), time.min(Duration::from_secs(5)));
    for _ in 0..count {
        outrigger(home.path(), &["run", "--provider", "demo", "--mode", "bypass", "--detach", "demo"]);
    }
    wait_until_idle(home.path(), count);
    let cost = std::panic::catch_unwind(|| busy(home.path(), time));
    outrigger(home.path(), &["stop", "--all", "--force"]);
    let [keepers, runners] = cost.unwrap();
    assert_eq!(keepers.processes, count, "every session has its keeper");
    let [no_keepers, no_runners] = none;
    rows(table, &format!("5 {count} idle sessions, keepers"), &keepers, &no_keepers, Some(0.5));
    rows(table, &format!("5 {count} idle sessions, runners"), &runners, &no_runners, None);
}

/// Adds CPU and wake-ups of one kind of process. Only the CPU of our own part has a budget; the rest is told.
fn rows(table: &mut Table, name: &str, ours: &Cost, reference: &Cost, most: Option<f64>) {
    let told = Budget::Absolute(f64::INFINITY);
    let budget = most.map_or(told, Budget::Absolute);
    let (ours_cpu, reference_cpu) = (ours.percent(), reference.percent());
    table.add(Row {
        name: format!("{name}: CPU"),
        ours: ours_cpu,
        reference: reference_cpu,
        unit: "% of a core",
        budget,
    });
    let (ours, reference) = (ours.wakes_per_second(), reference.wakes_per_second());
    let told = Budget::Absolute(f64::INFINITY);
    table.add(Row { name: format!("{name}: wake-ups"), ours, reference, unit: "/s", budget: told });
}

/// What processes did in a time.
struct Cost {
    processes: u64,
    cpu_seconds: f64,
    wakes: u64,
    time: Duration,
}

impl Cost {
    fn percent(&self) -> f64 {
        100.0 * self.cpu_seconds / self.time.as_secs_f64()
    }

    fn wakes_per_second(&self) -> f64 {
        count_as_f64(self.wakes) / self.time.as_secs_f64()
    }
}

/// What keepers and runners of the home do within `time`.
fn busy(home: &Path, time: Duration) -> [Cost; 2] {
    let (keepers, runners): (Vec<_>, Vec<_>) =
        outrigger_tests::survivors(home).into_iter().partition(|process| is_keeper(process.pid));
    let groups = [keepers, runners].map(|group| group.into_iter().map(|process| process.pid).collect::<Vec<_>>());
    let began = Instant::now();
    let before = groups.clone().map(|pids| spent(&pids));
    std::thread::sleep(time);
    let after = groups.clone().map(|pids| spent(&pids));
    let time = began.elapsed();
    std::array::from_fn(|at| {
        let (cpu_seconds, wakes) = between(&before[at], &after[at]);
        Cost { processes: groups[at].len() as u64, cpu_seconds, wakes, time }
    })
}

fn is_keeper(pid: u32) -> bool {
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|program| program.ends_with("outrigger-keeper"))
}

/// What every thread of these processes has done until now: CPU seconds and wake-ups.
pub(crate) fn spent(pids: &[u32]) -> BTreeMap<PathBuf, (f64, u64)> {
    let folders = pids.iter().map(|pid| PathBuf::from(format!("/proc/{pid}/task")));
    let threads = folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    threads.map(|thread| thread.path()).map(|path| (path.clone(), (cpu_seconds(&path), switches(&path)))).collect()
}

/// What was done between two looks. A thread that has ended since takes with it what it did; one that is new counts whole.
pub(crate) fn between(before: &BTreeMap<PathBuf, (f64, u64)>, after: &BTreeMap<PathBuf, (f64, u64)>) -> (f64, u64) {
    after.iter().fold((0.0, 0), |(cpu, wakes), (thread, now)| {
        let then = before.get(thread).copied().unwrap_or_default();
        (cpu + (now.0 - then.0).max(0.0), wakes + now.1.saturating_sub(then.1))
    })
}

/// What the scheduler says that a thread ran, which is exact; `utime` and `stime` count in hundredths of a second, which is much
/// where many processes do next to nothing, and serve where the kernel keeps no such count.
fn cpu_seconds(thread: &Path) -> f64 {
    let text = std::fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    match text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()) {
        Some(nanoseconds) => count_as_f64(nanoseconds) / 1e9,
        None => count_as_f64(ticks(thread)) / TICKS,
    }
}

/// The fields `utime` and `stime`, the 14th and 15th; counted behind the name, which may hold anything.
fn ticks(thread: &Path) -> u64 {
    let text = std::fs::read_to_string(thread.join("stat")).unwrap_or_default();
    let behind_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    behind_name.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum()
}

fn switches(thread: &Path) -> u64 {
    let text = std::fs::read_to_string(thread.join("status")).unwrap_or_default();
    let counts = text.lines().filter(|line| line.contains("voluntary_ctxt_switches:"));
    counts.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

fn wait_until_idle(home: &Path, count: u64) {
    let began = Instant::now();
    loop {
        let listed = outrigger(home, &["ps", "--json"]);
        let states = listed.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let idle = states.filter(|session| session["liveness"]["state"]["type"] == "idle").count() as u64;
        if idle == count {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "only {idle} of {count} sessions are idle");
    }
    std::thread::sleep(SETTLE);
}

fn outrigger(home: &Path, args: &[&str]) -> String {
    let output = Command::new(memory::program())
        .args(args)
        .env("OUTRIGGER_HOME", home.join("outrigger"))
        .env("OUTRIGGER_ROOT", outrigger_tests::project())
        .env("OUTRIGGER_DEMO_PACE", "0")
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a minute are far below 2^52")]
fn count_as_f64(count: u64) -> f64 {
    count as f64
}
