//! 200 pods at once on one machine: all stream, then all are idle. Do all start, what do they hold, and do all end?

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use outrigger_tests::Home;

use super::{at_most, beside, timed, told};
use crate::idle::{between, spent};
use crate::processes::{self, Kind};
use crate::table::Table;
use crate::{options, page};

const PODS: u64 = 200;
/// Lines a second of each.
const RATE: u32 = 5;
const STREAMING: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(20);
/// The runtime of the runners tidies its memory for some seconds.
const SETTLE: Duration = Duration::from_secs(15);

/// Starts, looks at and ends them.
pub(crate) fn measure(table: &mut Table) {
    let pods = options::sessions(PODS);
    let home = page::home();
    let workspace = home.workspace();
    let outrigger = |args: &[&str]| page::outrigger(&home, &workspace, args);
    let prompt = format!("stream {RATE} {}", STREAMING.as_secs() + 30);
    let mut times = Vec::new();
    for _ in 0..pods {
        times.push(timed(|| page::start(&home, &workspace, &prompt)).0);
    }
    let half = times.len() / 2;
    let middle = |times: &[f64]| crate::table::median(times.to_vec());
    beside(
        table,
        "a start among many pods, beside the first ones",
        middle(&times[half..]),
        middle(&times[..half]),
        "ms",
    );
    assert_eq!(states(&home, &workspace).get("working"), Some(&pods), "not all of {pods} pods work");
    page::go(&workspace);
    cpu(table, &home, "streaming", STREAMING);
    held(table, &home);
    let (time, _) = timed(|| outrigger(&["ps"]));
    told(table, "`outrigger ps` while all stream", time, "ms");
    wait_until_idle(&home, &workspace, pods);
    std::thread::sleep(SETTLE);
    cpu(table, &home, "idle", IDLE);
    let (time, listed) = timed(|| outrigger(&["ps"]));
    assert_eq!(listed.lines().count() as u64, pods + 1, "not all pods are listed");
    told(table, "`outrigger ps` while all are idle", time, "ms");
    let (time, _) = timed(|| outrigger(&["stop", "--all"]));
    told(table, "`outrigger stop --all`", time / 1000.0, "s");
    let (time, ()) = timed(|| home.assert_nobody_left());
    at_most(table, "until nobody of them is left", time / 1000.0, 15.0, "s");
}

/// CPU of each kind of process, in percent of a core.
fn cpu(table: &mut Table, home: &Home, doing: &str, time: Duration) {
    let mut kinds: BTreeMap<Kind, Vec<u32>> = BTreeMap::new();
    for (kind, pid) in processes::of(root(home).as_path()) {
        kinds.entry(kind).or_default().push(pid);
    }
    let before: Vec<_> = kinds.values().map(|pids| spent(pids)).collect();
    let began = Instant::now();
    std::thread::sleep(time);
    let seconds = began.elapsed().as_secs_f64();
    for ((kind, pids), before) in kinds.iter().zip(before) {
        let (cpu, _) = between(&before, &spent(pids));
        told(
            table,
            &format!("CPU of {} × {} while {doing}", pids.len(), kind.name()),
            100.0 * cpu / seconds,
            "% of a core",
        );
    }
}

fn held(table: &mut Table, home: &Home) {
    for (kind, held) in processes::held(root(home).as_path()) {
        let name = kind.name();
        told(table, &format!("memory of {} × {name} (PSS)", held.processes), held.mib, "MiB");
        told(table, &format!("memory of {name} among them (PSS)"), held.mib_each(), "MiB");
        told(table, &format!("open files of {name}, at most"), held.most_files as f64, "files");
        told(table, &format!("threads of {} × {name}", held.processes), held.threads as f64, "threads");
    }
}

fn root(home: &Home) -> std::path::PathBuf {
    home.path().parent().map(Path::to_owned).unwrap_or_default()
}

/// How many sessions are in each state.
fn states(home: &Home, workspace: &Path) -> BTreeMap<String, u64> {
    let listed = page::outrigger(home, workspace, &["ps", "--json"]);
    let mut states = BTreeMap::new();
    for line in listed.lines() {
        let one: serde_json::Value = serde_json::from_str(line).unwrap();
        let state = one["liveness"]["state"]["type"].as_str().unwrap_or("unknown").to_owned();
        *states.entry(state).or_default() += 1;
    }
    states
}

fn wait_until_idle(home: &Home, workspace: &Path, pods: u64) {
    let until = Instant::now() + Duration::from_secs(180);
    loop {
        let states = states(home, workspace);
        if states.get("idle") == Some(&pods) {
            return;
        }
        assert!(Instant::now() < until, "not all of {pods} pods are idle: {states:?}");
        std::thread::sleep(Duration::from_secs(1));
    }
}
