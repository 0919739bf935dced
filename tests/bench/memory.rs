//! Budget 6, the keeper's half: proportional memory (PSS) of an idle keeper beside `sleep`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::table::{Budget, Row, Table};

/// The release build of `outrigger`, or the one that `OUTRIGGER_BENCH_PROGRAM` names, for a look.
pub(crate) fn program() -> PathBuf {
    let release = || outrigger_tests::project().join("target/release/outrigger");
    let program = std::env::var_os("OUTRIGGER_BENCH_PROGRAM").map_or_else(release, PathBuf::from);
    assert!(program.is_file(), "{} is not built; `./dev bench` builds it", program.display());
    program
}

/// Measures an idle keeper after one turn, at work in the next, and idle again with a bridge beside the agent.
pub(crate) fn measure(table: &mut Table) {
    let home = tempfile::Builder::new().prefix("or-bench-").tempdir().unwrap();
    let outrigger = |args: &[&str]| {
        let output = Command::new(program())
            .args(args)
            .env("OUTRIGGER_HOME", home.path().join("outrigger"))
            .env("OUTRIGGER_ROOT", outrigger_tests::project())
            .env("OUTRIGGER_DEMO_PACE", "0")
            .current_dir(home.path())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let session = outrigger(&["run", "--provider", "demo", "--mode", "bypass", "--detach", "demo"]);
    let sessions = home.path().join("outrigger");
    let keeper = keeper_of(&sessions, &session);
    let mut sleep = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
    let (ours, reference) = (settled(keeper), pss(sleep.id()));
    let _ = sleep.kill();
    let _ = sleep.wait();
    let mut add = |name: &str, ours, reference, budget| {
        table.add(Row { name: name.to_owned(), ours, reference, unit: "MiB", budget });
    };
    add("6 idle keeper (PSS)", ours, reference, Budget::Absolute(6.0));
    let told = || Budget::Absolute(f64::INFINITY);
    add("6 of it what no file is behind", own(keeper), 0.0, told());
    outrigger(&["send", &session, "demo:tool=outrigger__list_pods"]);
    add("6 a keeper at work (PSS, the most)", most(keeper, Duration::from_secs(2)), 0.0, told());
    if let Some(bridge) = children(keeper).into_iter().flat_map(children).next() {
        add("6 an idle bridge beside its keeper", settled(bridge), 0.0, told());
    }
    outrigger(&["stop", &session]);
}

/// A process's memory (PSS) once it has stayed the same for a while, in MiB.
fn settled(pid: u32) -> f64 {
    const SAME_FOR: Duration = Duration::from_secs(3);
    let mut newest = (Instant::now(), pss(pid));
    while newest.0.elapsed() < SAME_FOR {
        std::thread::sleep(Duration::from_millis(100));
        let now = pss(pid);
        // What the programs that share its libraries do beside it moves the figure a little.
        if (now - newest.1).abs() > 0.1 {
            newest = (Instant::now(), now);
        }
    }
    newest.1
}

/// The most memory (PSS) that a process has had in a time that begins now, in MiB.
fn most(pid: u32, within: Duration) -> f64 {
    let until = Instant::now() + within;
    std::iter::from_fn(|| (Instant::now() < until).then(|| pss(pid))).fold(0.0, f64::max)
}

fn children(pid: u32) -> Vec<u32> {
    let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// The most memory that a process has had, in MiB.
pub(crate) fn peak(pid: u32) -> f64 {
    kib(&format!("/proc/{pid}/status"), "VmHWM:") / 1024.0
}

/// Its proportional share of memory, in MiB.
pub(crate) fn pss(pid: u32) -> f64 {
    kib(&format!("/proc/{pid}/smaps_rollup"), "Pss:") / 1024.0
}

/// Of its memory (PSS) what no file is behind, in MiB.
pub(crate) fn own(pid: u32) -> f64 {
    kib(&format!("/proc/{pid}/smaps_rollup"), "Pss_Anon:") / 1024.0
}

/// Looks at a process's memory all the time.
pub(crate) struct Watch {
    over: mpsc::Sender<()>,
    looking: JoinHandle<Vec<(f64, f64)>>,
}

impl Watch {
    /// Looks so often.
    pub(crate) fn begin(pid: u32, every: Duration) -> Self {
        let (over, is_over) = mpsc::channel();
        let looking = std::thread::spawn(move || {
            let began = Instant::now();
            let mut seen = Vec::new();
            while is_over.recv_timeout(every) == Err(mpsc::RecvTimeoutError::Timeout) {
                seen.push((began.elapsed().as_secs_f64(), kib(&format!("/proc/{pid}/status"), "VmRSS:") / 1024.0));
            }
            seen
        });
        Self { over, looking }
    }

    /// Seconds since the beginning, and resident memory in MiB.
    pub(crate) fn end(self) -> Vec<(f64, f64)> {
        self.over.send(()).unwrap();
        self.looking.join().unwrap()
    }
}

fn kib(file: &str, key: &str) -> f64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("0");
    line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

fn keeper_of(home: &Path, session: &str) -> u32 {
    let found = walk(home).into_iter().find(|path| path.ends_with(format!("{session}/pod.json")));
    let text = std::fs::read_to_string(found.unwrap_or_else(|| panic!("session {session} has no pod"))).unwrap();
    let pod: serde_json::Value = serde_json::from_str(&text).unwrap();
    u32::try_from(pod["pid"].as_u64().unwrap()).unwrap()
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.flat_map(|entry| if entry.path().is_dir() { walk(&entry.path()) } else { vec![entry.path()] }).collect()
}
