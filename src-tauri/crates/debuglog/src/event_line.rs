//! The form of one line of the log.
//!
//! Responsible for columns, escaping, redaction and the length: one event is one line of printable text, whatever is
//! in it. It does no I/O and knows no subscriber.
//!
//! `2026-11-21T07:00:00.123456Z INFO  keeper[4711] <session or -> target: message key=value …`

use std::fmt::{self, Write};

use jiff::Timestamp;
use tracing::Level;

use crate::redaction::redact;

/// How much of a message is looked at, as a multiple of the line's limit; the rest is only counted.
const KEPT_LINES: usize = 4;

/// Text that keeps its first bytes and counts the rest, so that logging a huge value costs no memory.
#[derive(Debug)]
pub(crate) struct BoundedText {
    text: String,
    limit: usize,
    /// Bytes that were written in all.
    whole: usize,
}

impl BoundedText {
    pub(crate) fn for_line_of(line_bytes: usize) -> BoundedText {
        BoundedText { text: String::new(), limit: line_bytes * KEPT_LINES, whole: 0 }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.whole == 0
    }
}

impl Write for BoundedText {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.whole += part.len();
        let room = self.limit.saturating_sub(self.text.len());
        if room > 0 {
            self.text.push_str(&part[..boundary(part, room)]);
            if part.len() > room {
                // Full for good: a later short part must not be joined to a cut one.
                self.limit = self.text.len();
            }
        }
        Ok(())
    }
}

/// The columns before the text.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) at: Timestamp,
    pub(crate) level: Level,
    pub(crate) source: &'a str,
    pub(crate) pid: u32,
    pub(crate) session: Option<&'a str>,
    pub(crate) target: &'a str,
}

/// The whole line with its newline, at most `line_bytes` long.
pub(crate) fn line(head: &Head<'_>, text: &BoundedText, line_bytes: usize) -> String {
    let mut line = String::with_capacity(text.text.len() + 128);
    let Head { at, level, source, pid, .. } = head;
    let _ = write!(line, "{at:.6} {level:<5} {source}[{pid}] ");
    match head.session {
        Some(session) => escape(&redact(session), &mut line, true),
        None => line.push('-'),
    }
    line.push(' ');
    line.push_str(head.target);
    line.push_str(": ");
    escape(&redact(&text.text), &mut line, false);
    let mark = format!(" … [cut; the text was {} bytes]", text.whole);
    if line.len() + 1 > line_bytes || text.whole > text.text.len() {
        line.truncate(boundary(&line, line_bytes.saturating_sub(mark.len() + 1)));
        line.push_str(&mark);
    }
    line.push('\n');
    line
}

/// Control characters would break the line or the terminal of whoever reads it.
fn escape(text: &str, line: &mut String, is_column: bool) {
    for character in text.chars() {
        match character {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            ' ' if is_column => line.push('_'),
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                line.extend(character.escape_unicode());
            }
            _ if character.is_control() => line.extend(character.escape_unicode()),
            _ => line.push(character),
        }
    }
}

/// The largest character boundary that is not beyond `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 300;

    fn printed(session: Option<&str>, message: &str) -> String {
        let mut text = BoundedText::for_line_of(LIMIT);
        text.write_str(message).unwrap();
        let at = "2026-11-21T07:00:00.123456Z".parse().unwrap();
        let head = Head { at, level: Level::INFO, source: "keeper", pid: 4711, session, target: "outrigger_keeper" };
        line(&head, &text, LIMIT)
    }

    #[test]
    fn columns_stand_where_they_are_expected() {
        assert_eq!(
            printed(Some("s-1"), "spawned pid=3"),
            "2026-11-21T07:00:00.123456Z INFO  keeper[4711] s-1 outrigger_keeper: spawned pid=3\n"
        );
        assert!(printed(None, "x").contains(" keeper[4711] - outrigger_keeper: x"));
        assert!(printed(Some("a b\n"), "x").contains(" a_b\\n outrigger_keeper: x"));
    }

    #[test]
    fn one_event_is_one_line_and_drives_no_terminal() {
        let line = printed(None, "one\ntwo\r\u{1b}[31m\u{2028}\u{202e}");
        assert!(line.ends_with("one\\ntwo\\r\\u{1b}[31m\\u{2028}\\u{202e}\n"), "{line}");
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn long_lines_are_cut_at_a_character_and_marked() {
        for message in ["ä".repeat(LIMIT), "\n".repeat(LIMIT - 80), "x".repeat(12 * 1024 * 1024)] {
            let line = printed(None, &message);
            assert!(line.len() <= LIMIT && line.len() > LIMIT - 8, "{}", line.len());
            assert!(line.ends_with(&format!("… [cut; the text was {} bytes]\n", message.len())));
        }
        let exact = LIMIT - printed(None, "").len();
        assert!(!printed(None, &"x".repeat(exact)).contains("cut"));
        assert!(printed(None, &"x".repeat(exact + 1)).contains("cut"));
    }

    #[test]
    fn secrets_are_taken_out_before_the_cut() {
        let line = printed(None, &format!("{} sk-abcdefghijklmnopqrstuvwxyz", "x".repeat(200)));
        assert!(line.contains("[redacted]") && !line.contains("sk-abc"), "{line}");
        assert!(printed(None, "first\nsk-abcdefghijklmnop").contains("first\\n[redacted]"));
    }
}
