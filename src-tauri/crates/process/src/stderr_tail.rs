//! The last lines that a child wrote to stderr, for the error that tells why it ended.
//!
//! Responsible for keeping the newest lines in bounded memory. The full stderr is in the debug log, not here.

use std::collections::VecDeque;

use protocol::limits::{STDERR_LINE_BYTES, STDERR_TAIL_LINES};

/// A ring of the newest lines: [`STDERR_TAIL_LINES`] of them, each cut at [`STDERR_LINE_BYTES`].
#[derive(Debug, Clone, Default)]
pub struct StderrTail {
    lines: VecDeque<String>,
}

impl StderrTail {
    /// Adds one line. Bytes that are no UTF-8 become U+FFFD; a line over the limit is cut and ends in `…`.
    pub fn push(&mut self, line: &[u8]) {
        let kept = line.get(..STDERR_LINE_BYTES).unwrap_or(line);
        let mut text = String::from_utf8_lossy(kept).into_owned();
        if kept.len() < line.len() {
            // A character that the cut went through is left out rather than shown as damaged.
            text.truncate(text.trim_end_matches('\u{fffd}').len());
            text.push('…');
        }
        if self.lines.len() == STDERR_TAIL_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(text);
    }

    /// The kept lines, oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_lines() {
        let mut tail = StderrTail::default();
        for n in 0..100 {
            tail.push(format!("line {n}").as_bytes());
        }
        let lines = tail.lines();
        assert_eq!(lines.len(), STDERR_TAIL_LINES);
        assert_eq!(lines.first().unwrap(), &format!("line {}", 100 - STDERR_TAIL_LINES));
        assert_eq!(lines.last().unwrap(), "line 99");
    }

    #[test]
    fn cuts_long_lines_at_a_character() {
        let mut tail = StderrTail::default();
        tail.push("xä".repeat(STDERR_LINE_BYTES).as_bytes());
        let line = tail.lines().remove(0);
        assert!(line.len() <= STDERR_LINE_BYTES + '…'.len_utf8());
        assert!(line.ends_with('…') && !line.contains('\u{fffd}'));
    }

    #[test]
    fn invalid_bytes_are_shown_as_such() {
        let mut tail = StderrTail::default();
        tail.push(b"a\xffb");
        assert_eq!(tail.lines(), ["a\u{fffd}b"]);
    }
}
