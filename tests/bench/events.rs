//! A long stream of realistic events: recorded turns of a real CLI, as its runner passes them on, again and again.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::options;

/// Recordings that make up one round: text, thinking, tool calls, sub-agents.
const ROUND: [&str; 5] = ["think", "bash", "permission-allow", "subagent-plain", "slow"];

const STARTED: &str = "{\"type\":\"turn_started\",\"sessionId\":\"s\",\"turnId\":\"t1\"}\n";
const ENDED: &str = "{\"type\":\"turn_ended\",\"sessionId\":\"s\",\"turnId\":\"t1\",\"stopReason\":\"endTurn\"}\n";

/// The size of the stream in bytes.
pub(crate) fn size() -> u64 {
    options::mib() * 1024 * 1024
}

/// Writes the stream into `folder`: runner lines from `turn_started` to `turn_ended`. Returns the file and its number of lines.
pub(crate) fn write(folder: &Path) -> (PathBuf, u64) {
    let round = round();
    let path = folder.join("events.ndjson");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&path).unwrap());
    file.write_all(STARTED.as_bytes()).unwrap();
    let mut written = 0;
    let mut lines = 2;
    while written < size() {
        file.write_all(round.as_bytes()).unwrap();
        written += round.len() as u64;
        lines += round.lines().count() as u64;
    }
    file.write_all(ENDED.as_bytes()).unwrap();
    file.flush().unwrap();
    (path, lines)
}

/// Writes a turn whose lines, finished messages, have about this length, and together this size.
pub(crate) fn of_length(folder: &Path, length: usize, size: usize) -> PathBuf {
    /// Longer strings would be put into files of their own.
    const LONGEST_TEXT: usize = 32 * 1024;
    const FRAME: usize = 110;
    let words = r#"the lamp turns once in ten seconds,\n\"and\" the keeper looks at it. "#.repeat(LONGEST_TEXT / 32);
    let (mut content, mut left) = (Vec::new(), length.saturating_sub(FRAME).max(1));
    while left > 0 {
        // Cut where no escape is cut.
        let most = left.min(LONGEST_TEXT);
        let end = (1..=most).rev().find(|end| !words[..*end].ends_with('\\')).unwrap();
        content.push(format!(r#"{{"type":"text","text":"{}"}}"#, &words[..end]));
        left -= most;
    }
    let message = format!(r#"{{"type":"assistant","message":{{"id":"m","content":[{}]}}}}"#, content.join(","));
    let line = format!("{{\"type\":\"agent_event\",\"sessionId\":\"s\",\"event\":{message}}}\n");
    let path = folder.join("lines.ndjson");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&path).unwrap());
    file.write_all(STARTED.as_bytes()).unwrap();
    for _ in 0..size / line.len() {
        file.write_all(line.as_bytes()).unwrap();
    }
    file.write_all(ENDED.as_bytes()).unwrap();
    file.flush().unwrap();
    path
}

/// The lines of one round.
pub(crate) fn round() -> String {
    let folder = outrigger_tests::project().join("tests/fixtures/streams/claude");
    let mut round = String::new();
    for name in ROUND {
        let text = std::fs::read_to_string(folder.join(format!("{name}.ndjson"))).unwrap();
        for line in text.lines().filter(|line| line.starts_with('{')) {
            round.push_str("{\"type\":\"agent_event\",\"sessionId\":\"s\",\"event\":");
            round.push_str(line);
            round.push_str("}\n");
        }
    }
    assert!(!round.is_empty(), "no recordings in {}", folder.display());
    round
}
