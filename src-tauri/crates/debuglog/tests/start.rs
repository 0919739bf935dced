//! The debug log as a program starts it, in processes of its own because a process has one subscriber.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::process::{Command, Output};

use outrigger_debuglog::{FILTER_VARIABLE, LogError, Tally, hide, start};

const DIR_VARIABLE: &str = "DEBUGLOG_TEST_DIR";

/// Runs one test of this file again, as a program that logs into `dir`.
fn run(program: &str, dir: &Path, filter: &str) -> (Output, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([program, "--exact", "--quiet"]).env(DIR_VARIABLE, dir).env(FILTER_VARIABLE, filter);
    let output = command.output().unwrap();
    (output, std::fs::read_to_string(dir.join("outrigger.log")).unwrap_or_default())
}

fn dir() -> Option<std::path::PathBuf> {
    std::env::var_os(DIR_VARIABLE).map(Into::into)
}

#[test]
fn program_that_logs_and_aborts() {
    let Some(dir) = dir() else { return };
    let _guard = start(&dir, "keeper").unwrap();
    assert!(matches!(start(&dir, "keeper"), Err(LogError::AlreadyStarted)));
    hide("the-token-of-the-pod");
    let mut tally = Tally::new("runner stdout", "s-1");
    tally.add("agent_event", 100);
    tally.flush();
    tracing::info!(target: "outrigger_keeper", session = "s-1", "token is the-token-of-the-pod");
    let panicked = std::thread::spawn(|| panic!("on purpose")).join();
    assert!(panicked.is_err());
    tracing::debug!(target: "outrigger_keeper", "last words");
    std::process::abort();
}

#[test]
fn what_was_logged_before_a_crash_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (output, text) = run("program_that_logs_and_aborts", folder.path(), "");
    assert!(!output.status.success());
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.last().unwrap();
    assert!(last.contains("DEBUG keeper[") && last.ends_with("- outrigger_keeper: last words"), "{text}");
    assert!(text.contains("s-1 outrigger_keeper: token is [redacted]") && !text.contains("the-token-of"), "{text}");
    assert!(text.contains("s-1 outrigger_debuglog::tally: runner stdout: 1 × agent_event (100 bytes)"), "{text}");
    assert!(lines.iter().any(|line| line.contains("ERROR keeper[") && line.contains("on purpose")), "{text}");
}

#[test]
fn program_that_ends() {
    let Some(dir) = dir() else { return };
    let guard = start(&dir, "cli").unwrap();
    assert!(guard.path().ends_with("outrigger.log"));
}

#[test]
fn a_filter_that_cannot_be_read_is_told_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("not/there/yet");
    let (output, text) = run("program_that_ends", &logs, "outrigger=loud");
    assert!(output.status.success());
    assert!(text.contains("WARN  cli[") && text.contains("OUTRIGGER_LOG=outrigger=loud is no filter"), "{text}");
    assert!(text.trim_end().ends_with("the debug log ends with its process"), "{text}");
}

#[test]
fn a_quiet_filter_is_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let (output, text) = run("program_that_ends", folder.path(), "error");
    assert!(output.status.success());
    assert_eq!(text, "");
}
