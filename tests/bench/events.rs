//! A long stream of realistic events: recorded turns of a real CLI, as its runner passes them on, again and again.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Recordings that make up one round: text, thinking, tool calls, sub-agents.
const ROUND: [&str; 6] = ["think", "multi", "bash", "permission-allow", "subagent-plain", "slow"];

/// The size of the stream in bytes.
pub(crate) fn size() -> u64 {
    let mib = std::env::var("OUTRIGGER_BENCH_MIB").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(256);
    mib * 1024 * 1024
}

/// Writes the stream into `folder`: runner lines from `turn_started` to `turn_ended`. Returns the file and its number of lines.
pub(crate) fn write(folder: &Path) -> (PathBuf, u64) {
    let round = round();
    let path = folder.join("events.ndjson");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&path).unwrap());
    let started = "{\"type\":\"turn_started\",\"sessionId\":\"s\",\"turnId\":\"t1\"}\n";
    file.write_all(started.as_bytes()).unwrap();
    let mut written = 0;
    let mut lines = 2;
    while written < size() {
        file.write_all(round.as_bytes()).unwrap();
        written += round.len() as u64;
        lines += round.lines().count() as u64;
    }
    let ended = "{\"type\":\"turn_ended\",\"sessionId\":\"s\",\"turnId\":\"t1\",\"stopReason\":\"endTurn\"}\n";
    file.write_all(ended.as_bytes()).unwrap();
    file.flush().unwrap();
    (path, lines)
}

/// The lines of one round.
pub(crate) fn round() -> String {
    let folder = outrigger_tests::project().join("tests/fixtures/streams/claude");
    let mut round = String::new();
    for name in ROUND {
        let text = std::fs::read_to_string(folder.join(format!("{name}.ndjson"))).unwrap_or_default();
        for line in text.lines().filter(|line| line.starts_with('{')) {
            round.push_str("{\"type\":\"agent_event\",\"sessionId\":\"s\",\"event\":");
            round.push_str(line);
            round.push_str("}\n");
        }
    }
    assert!(!round.is_empty(), "no recordings in {}", folder.display());
    round
}
