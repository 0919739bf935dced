//! Budget 10: full-text search over all sessions, beside `rg` over the same journals, both warm.
//!
//! `--mib` is the size of the journals together.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::table::{Budget, Row, Table, median};
use crate::{events, journals, memory};

const RUNS: usize = 9;
const SESSIONS: u64 = 32;

/// Measures a rare word, a phrase, a beginning and a common word.
pub(crate) fn measure(table: &mut Table) {
    if Command::new("rg").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("   rg is not installed, so there is nothing to compare with: apt-get install ripgrep");
        return;
    }
    let home = tempfile::Builder::new().prefix("or-bench-").tempdir().unwrap();
    let sessions = home.path().join("outrigger/data/sessions");
    let rounds = journals::write(&sessions, SESSIONS, events::size());
    let began = Instant::now();
    let search = |text: &str, more: &[&str]| ours(home.path(), text, more);
    search("word", &["--wait"]);
    let (seconds, mib) = (began.elapsed().as_secs_f64(), events::size() as f64 / 1_048_576.0);
    let (name, told) = ("10 archive: taking in all journals".to_owned(), Budget::Absolute(f64::INFINITY));
    table.add(Row { name, ours: mib / seconds, reference: 0.0, unit: "MiB/s", budget: told });
    let archive = std::fs::metadata(home.path().join("outrigger/data/archive.sqlite3")).unwrap().len() as f64;
    let (name, told) = ("10 archive: its size beside the journals'".to_owned(), Budget::Absolute(f64::INFINITY));
    table.add(Row { name, ours: archive / 1_048_576.0, reference: mib, unit: "MiB", budget: told });
    let rare = journals::rare(rounds / 2);
    compare(table, "10", home.path(), &rare, RUNS);
}

/// Adds the rows of all four, of the archive of a home that has taken in everything.
pub(crate) fn compare(table: &mut Table, number: &str, home: &Path, rare: &str, runs: usize) {
    let sessions = home.join("outrigger/data/sessions");
    for (what, text, pattern) in [
        ("a rare word", rare, rare),
        ("a phrase", &format!("\"keeper {rare}\""), &format!("keeper {rare}")),
        ("a beginning", &rare[..rare.len() - 1], &rare[..rare.len() - 1]),
        ("a common word", "lighthouse", "lighthouse"),
    ] {
        let mut times = (Vec::new(), Vec::new());
        for _ in 0..runs {
            times.0.push(ours(home, text, &[]));
            times.1.push(reference(&sessions, pattern));
        }
        let name = format!("{number} search: {what}");
        let budget = Budget::AtMostTimesReference(0.1);
        table.add(Row { name, ours: median(times.0), reference: median(times.1), unit: "ms", budget });
    }
}

/// Milliseconds of the whole command.
pub(crate) fn ours(home: &Path, text: &str, more: &[&str]) -> f64 {
    let began = Instant::now();
    let ended = Command::new(memory::program())
        .args(["search", "--json"])
        .args(more)
        .arg(text)
        .env("OUTRIGGER_HOME", home.join("outrigger"))
        .env("OUTRIGGER_ROOT", outrigger_tests::project())
        .output()
        .unwrap();
    let time = began.elapsed().as_secs_f64() * 1000.0;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(!ended.stdout.is_empty() || text == "word", "nothing was found for {text}");
    time
}

fn reference(sessions: &Path, pattern: &str) -> f64 {
    let began = Instant::now();
    let mut rg = Command::new("rg");
    rg.args(["--fixed-strings", "--ignore-case", pattern]).arg(sessions).stdout(Stdio::null());
    assert!(rg.status().unwrap().success(), "rg found nothing for {pattern}");
    began.elapsed().as_secs_f64() * 1000.0
}
