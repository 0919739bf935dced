//! Budget 10: full-text search over all sessions, beside `rg` over the same journals, both warm.
//!
//! The journals are recorded turns again and again, each round with words of its own, so that some words are rare and some are
//! everywhere, as in real ones. `OUTRIGGER_BENCH_MIB` is their size together.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::events;
use crate::memory;
use crate::table::{Budget, Row, Table, median};

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
    let rounds = write_journals(&sessions);
    let began = Instant::now();
    let search = |text: &str, more: &[&str]| ours(home.path(), text, more);
    search("word", &["--wait"]);
    let (seconds, mib) = (began.elapsed().as_secs_f64(), events::size() as f64 / 1_048_576.0);
    let (name, told) = ("10 archive: taking in all journals".to_owned(), Budget::Absolute(f64::INFINITY));
    table.add(Row { name, ours: mib / seconds, reference: 0.0, unit: "MiB/s", budget: told });
    let archive = std::fs::metadata(home.path().join("outrigger/data/archive.sqlite3")).unwrap().len() as f64;
    let (name, told) = ("10 archive: its size beside the journals'".to_owned(), Budget::Absolute(f64::INFINITY));
    table.add(Row { name, ours: archive / 1_048_576.0, reference: mib, unit: "MiB", budget: told });
    let rare = format!("lantern{}", rounds / 2);
    for (what, text, pattern) in [
        ("a rare word", rare.as_str(), rare.as_str()),
        ("a phrase", &format!("\"keeper {rare}\""), &format!("keeper {rare}")),
        ("a beginning", &rare[..rare.len() - 1], &rare[..rare.len() - 1]),
        ("a common word", "lighthouse", "lighthouse"),
    ] {
        let mut times = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            times.0.push(search(text, &[]));
            times.1.push(reference(&sessions, pattern));
        }
        let name = format!("10 search: {what}");
        let budget = Budget::AtMostTimesReference(0.1);
        table.add(Row { name, ours: median(times.0), reference: median(times.1), unit: "ms", budget });
    }
}

/// Milliseconds of the whole command.
fn ours(home: &Path, text: &str, more: &[&str]) -> f64 {
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

/// The number of rounds in all of them.
fn write_journals(sessions: &Path) -> u64 {
    let round: Vec<String> = events::round().lines().map(str::to_owned).collect();
    let mut rounds = 0;
    for number in 0..SESSIONS {
        let id = format!("019a0000-0000-7000-8000-{number:012x}");
        let folder = sessions.join(&id);
        std::fs::create_dir_all(&folder).unwrap();
        let meta = serde_json::json!({"session": id, "provider": "claude", "workspace": "/w", "cwd": "/w",
            "title": format!("Session {number}"), "createdAt": "2026-11-01T00:00:00.000Z",
            "updatedAt": "2026-11-01T00:00:00.000Z", "generation": 1, "start": {"provider": "claude", "cwd": "/w"}});
        std::fs::write(folder.join("meta.json"), meta.to_string()).unwrap();
        let mut file = BufWriter::with_capacity(1 << 20, File::create(folder.join("journal.ndjson")).unwrap());
        writeln!(file, r#"{{"type":"journal","format":1,"session":"{id}"}}"#).unwrap();
        let (mut seq, mut written) = (0_u64, 0_u64);
        while written < events::size() / SESSIONS {
            rounds += 1;
            let text = format!(
                "In the lighthouse the keeper lantern{rounds} asks for lens{} and lamp{}",
                rounds % 97,
                rounds % 1009
            );
            let prompt =
                format!(r#"{{"type":"prompt","text":"{text}","delivery":"prompt","from":null,"promptId":"p"}}"#);
            for (src, line) in std::iter::once(("host", &prompt)).chain(round.iter().map(|line| ("runner", line))) {
                seq += 1;
                let at = format!(
                    "2026-11-{:02}T{:02}:{:02}:{:02}.000Z",
                    1 + number % 20,
                    seq / 3600 % 24,
                    seq / 60 % 60,
                    seq % 60
                );
                let record = format!(r#"{{"seq":{seq},"at":"{at}","src":"{src}","gen":1,"line":{line}}}"#);
                writeln!(file, "{record}").unwrap();
                written += record.len() as u64 + 1;
            }
        }
        file.flush().unwrap();
    }
    rounds
}
