//! `./dev bench instructions`: how many instructions each hot path takes for a line, as valgrind counts them. Times are noisy on a
//! machine with others on it; these counts are the same at every run, so a path that became dearer is seen.
//!
//! Each path runs twice under callgrind, over so many lines and over three times as many; the difference, by the lines between, is
//! what one line costs, without start and end. The counts that were last accepted stand in `counts.json` beside this file. A path
//! that costs more than a tenth more makes the exit code 1. `--accept` writes the new counts; another argument selects paths by a
//! part of their name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a bench prints, and a failed one may panic"
)]

mod paths;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use paths::{PATHS, Stage};

/// Lines of the smaller run.
const LINES: usize = 2000;
/// By how much a count may grow, and by how many instructions where it is next to none.
const MORE: (f64, f64) = (1.1, 20.0);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [word, folder, name, lines] = args.as_slice()
        && word == "--walk"
    {
        let path = PATHS.iter().find(|path| path.name == name).expect("a path of this name");
        (path.walk)(&Stage::find(Path::new(folder), lines.parse().expect("a number of lines")));
        return ExitCode::SUCCESS;
    }
    let accept = args.iter().any(|arg| arg == "--accept");
    let wanted = args.into_iter().find(|arg| !arg.starts_with("--")).unwrap_or_default();
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("valgrind is not installed; `apt-get install valgrind` installs it");
        return ExitCode::FAILURE;
    }
    let accepted = accepted();
    let mut counts = accepted.clone();
    let mut dearer = Vec::new();
    println!("| path | instructions for a line | accepted | ratio |\n|---|---|---|---|");
    for path in PATHS.iter().filter(|path| path.name.contains(&wanted)) {
        let count = for_a_line(path.name);
        let before = accepted.get(path.name).copied();
        let ratio = before
            .filter(|before| *before > 0.0)
            .map_or_else(|| "–".to_owned(), |before| format!("{:.2}", count / before));
        println!(
            "| {} | {count:.0} | {} | {ratio} |",
            path.name,
            before.map_or_else(|| "–".to_owned(), |b| format!("{b:.0}"))
        );
        if before.is_some_and(|before| count > before * MORE.0 + MORE.1) {
            dearer.push(format!(
                "{}: {count:.0} instructions for a line, {:.0} before",
                path.name,
                before.unwrap_or(0.0)
            ));
        }
        counts.insert(path.name.to_owned(), count.round());
    }
    if accept {
        let text = serde_json::to_string_pretty(&counts).unwrap();
        std::fs::write(file(), text + "\n").unwrap();
        return ExitCode::SUCCESS;
    }
    for path in &dearer {
        eprintln!("dearer by more than a tenth: {path}. If that is meant: ./dev bench instructions --accept");
    }
    if dearer.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What one more line costs on this path.
fn for_a_line(name: &str) -> f64 {
    let [less, more] = [LINES, 3 * LINES].map(|lines| {
        let folder = tempfile::Builder::new().prefix("or-instructions-").tempdir().unwrap();
        Stage::prepare(folder.path(), lines);
        instructions(folder.path(), name, lines)
    });
    ((more - less) / (2 * LINES) as f64).max(0.0)
}

/// What callgrind counts for one walk.
fn instructions(folder: &Path, name: &str, lines: usize) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .arg("--walk")
        .arg(folder)
        .args([name, &lines.to_string()])
        // Where memory lies must not change the counts.
        .env_clear()
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {text}");
    let count = text.lines().find_map(|line| line.split_once("Collected :")).expect("callgrind's count");
    count.1.trim().parse().expect("a number")
}

fn accepted() -> BTreeMap<String, f64> {
    std::fs::read_to_string(file()).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn file() -> PathBuf {
    outrigger_tests::project().join("tests/instructions/counts.json")
}
