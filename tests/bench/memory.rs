//! Budget 6, the keeper's half: proportional memory (PSS) of an idle keeper beside `sleep`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::table::{Budget, Row, Table};

/// The release build of `outrigger`, or the one that `OUTRIGGER_BENCH_PROGRAM` names, for a look.
pub(crate) fn program() -> PathBuf {
    let release = || outrigger_tests::project().join("target/release/outrigger");
    let program = std::env::var_os("OUTRIGGER_BENCH_PROGRAM").map_or_else(release, PathBuf::from);
    assert!(program.is_file(), "{} is not built; `./dev bench` builds it", program.display());
    program
}

/// Measures an idle keeper after one turn.
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
    let (ours, reference) = (pss(keeper), pss(sleep.id()));
    let _ = sleep.kill();
    let _ = sleep.wait();
    outrigger(&["stop", &session]);
    table.add(Row { name: "6 idle keeper (PSS)".into(), ours, reference, unit: "MiB", budget: Budget::Absolute(6.0) });
}

/// The most memory that a process has had, in MiB.
pub(crate) fn peak(pid: u32) -> f64 {
    kib(&format!("/proc/{pid}/status"), "VmHWM:") / 1024.0
}

/// Its proportional share of memory, in MiB.
pub(crate) fn pss(pid: u32) -> f64 {
    kib(&format!("/proc/{pid}/smaps_rollup"), "Pss:") / 1024.0
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
