//! What did a sidecar print lately?
//!
//! Responsible for the newest lines of its build and its process, in bounded memory, for people who look and for errors that tell why.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

pub use protocol::sidecar::{SidecarLogLine as LogLine, SidecarLogSource as LogSource};

use crate::limits::{LOG_LINE_BYTES, LOG_LINES};

/// The newest lines. A handle: clones share them.
#[derive(Debug, Clone, Default)]
pub struct Log {
    lines: Arc<Mutex<VecDeque<LogLine>>>,
}

impl Log {
    /// Adds a line of bytes.
    pub fn push(&self, from: LogSource, line: &[u8]) {
        let kept = line.get(..LOG_LINE_BYTES).unwrap_or(line);
        let mut text = String::from_utf8_lossy(kept).into_owned();
        if kept.len() < line.len() {
            text.truncate(text.trim_end_matches('\u{fffd}').len());
            text.push('…');
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(LogLine { at: jiff::Timestamp::now().to_string(), from, text });
    }

    /// Adds a line of ours.
    pub fn note(&self, text: &str) {
        self.push(LogSource::Outrigger, text.as_bytes());
    }

    /// All kept lines, oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The newest lines from these sources, oldest first.
    #[must_use]
    pub fn tail(&self, of: &[LogSource], count: usize) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tail: Vec<String> =
            lines.iter().rev().filter(|line| of.contains(&line.from)).take(count).map(|l| l.text.clone()).collect();
        tail.reverse();
        tail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_lines_and_cuts_long_ones() {
        let log = Log::default();
        for n in 0..LOG_LINES + 5 {
            log.push(LogSource::Stderr, format!("line {n}").as_bytes());
        }
        log.push(LogSource::Build, "ä".repeat(LOG_LINE_BYTES).as_bytes());
        let lines = log.lines();
        assert_eq!(lines.len(), LOG_LINES);
        assert_eq!(lines[0].text, "line 6");
        assert!(lines.last().unwrap().text.len() <= LOG_LINE_BYTES + '…'.len_utf8());
        assert_eq!(log.tail(&[LogSource::Stderr], 1), [format!("line {}", LOG_LINES + 4)]);
    }
}
