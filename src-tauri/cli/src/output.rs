//! Where do words go? stdout for what was asked for, stderr for people.
//!
//! A reader that hangs up (`outrigger logs … | head`) is no error: what comes after is dropped, and whoever wants to can ask.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

/// Nobody reads stdout any more.
static GONE: AtomicBool = AtomicBool::new(false);

/// Writes to stdout as it is.
pub(crate) fn to_stdout(text: &str) {
    if is_gone() || text.is_empty() {
        return;
    }
    let mut stdout = std::io::stdout().lock();
    if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
        GONE.store(true, Ordering::Relaxed);
    }
}

/// Writes one line to stdout.
pub(crate) fn line(text: &str) {
    to_stdout(&format!("{text}\n"));
}

/// How many characters a line of stdout may have: the terminal's width, or plenty where there is no terminal.
pub(crate) fn width() -> usize {
    const PLENTY: usize = 200;
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout())
        && size.ws_col > 0
    {
        return usize::from(size.ws_col);
    }
    PLENTY
}

/// Writes one JSON object as a line to stdout.
pub(crate) fn json<T: Serialize>(value: &T) {
    match serde_json::to_string(value) {
        Ok(text) => line(&text),
        Err(error) => to_stderr(&format!("outrigger: failed to write an answer as JSON: {error}")),
    }
}

/// Whether whoever read stdout has hung up.
pub(crate) fn is_gone() -> bool {
    GONE.load(Ordering::Relaxed)
}

/// Writes one line to stderr.
pub(crate) fn to_stderr(text: &str) {
    words_to_stderr(&format!("{text}\n"));
}

/// Writes to stderr as it is.
pub(crate) fn words_to_stderr(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // There is no other place to tell that this failed.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Text of an agent without what could command or deceive a terminal: escape sequences, control characters other than newlines and
/// tabs, and marks that turn the direction of writing.
pub(crate) fn visible(text: &str) -> String {
    let plain = anstream::adapter::strip_str(text).to_string();
    let harmless = |c: &char| match c {
        '\n' | '\t' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        c => !c.is_control(),
    };
    plain.chars().filter(harmless).collect()
}

/// The same on one line, at most `most` characters long.
pub(crate) fn visible_line(text: &str, most: usize) -> String {
    let text = visible(text).replace(['\n', '\t'], " ");
    let text = text.trim();
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_cannot_be_commanded_by_an_agent() {
        assert_eq!(visible("\x1b[31mred\x1b[0m\tand\r\nmore \x1b]0;title\x07!"), "red\tand\nmore !");
        assert_eq!(visible("abc\u{202e}fed\u{9b}2J"), "abcfed2J");
    }

    #[test]
    fn a_line_is_cut_with_a_mark() {
        assert_eq!(visible_line("one\ntwo", 20), "one two");
        assert_eq!(visible_line("abcdef", 4), "abc…");
        assert_eq!(visible_line("abcd", 4), "abcd");
    }
}
