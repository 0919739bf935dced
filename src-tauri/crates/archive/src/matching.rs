//! What does a user's text mean to the full-text index?
//!
//! Pure. Words and phrases, and nothing else: every part is quoted, so that no sign is an operator and no text is an error.

use protocol::limits::SEARCH_WORDS;

/// Longest part that is looked at, in characters.
const PART_CHARS: usize = 200;

/// What is looked for: all of these have to be there.
pub(crate) struct Wanted {
    /// Words and phrases, each an expression for `MATCH` of its own. Never empty.
    pub(crate) parts: Vec<String>,
    /// Whether the last one may be the beginning of a word.
    pub(crate) is_open: bool,
}

impl Wanted {
    /// Nothing when the text has no word.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let quoted: Vec<(String, bool)> = parts(text).iter().filter_map(quoted).take(SEARCH_WORDS).collect();
        let is_open = quoted.last()?.1;
        Some(Self { parts: quoted.into_iter().map(|(text, _)| text).collect(), is_open })
    }

    /// The expression for what was written, word by word.
    pub(crate) fn as_written(&self) -> String {
        self.parts.join(" ")
    }

    /// The expression in which the last word may go on.
    pub(crate) fn with_beginning(&self) -> String {
        self.as_written() + self.star()
    }

    /// The last part, which may go on.
    pub(crate) fn beginning(&self) -> Option<String> {
        let last = self.parts.last().filter(|_| self.is_open)?;
        Some(format!("{last}{}", self.star()))
    }

    fn star(&self) -> &'static str {
        if self.is_open { "*" } else { "" }
    }
}

/// A word, or the words between two quotes.
struct Part {
    text: String,
    /// Whether it may be the beginning of a word: it was the last thing written, and not in quotes.
    open: bool,
}

fn parts(text: &str) -> Vec<Part> {
    // Outside of quotes at even places. A quote that is not closed reaches to the end.
    let pieces: Vec<&str> = text.split('"').collect();
    let count = pieces.len();
    let mut parts = Vec::new();
    for (place, piece) in pieces.into_iter().enumerate() {
        if place % 2 == 1 {
            parts.push(Part { text: piece.to_owned(), open: false });
            continue;
        }
        parts.extend(piece.split_whitespace().map(|word| Part { text: word.to_owned(), open: false }));
        if place + 1 == count
            && !piece.trim().is_empty()
            && let Some(last) = parts.last_mut()
        {
            last.open = true;
        }
    }
    parts
}

/// Nothing for a part without a letter or digit: it would match nothing. What a word is within the part, the index itself decides,
/// as it did with the texts. With it, whether it may go on.
fn quoted(part: &Part) -> Option<(String, bool)> {
    let plain: String = part.text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(PART_CHARS).collect();
    let plain = plain.trim_matches(|c: char| !c.is_alphanumeric());
    // A single letter begins too many words to be worth looking at.
    let may_go_on = part.open && plain.chars().nth(1).is_some();
    (!plain.is_empty()).then(|| (format!("\"{plain}\""), may_go_on))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Option<String> {
        Wanted::of(text).map(|wanted| wanted.with_beginning())
    }

    #[test]
    fn what_may_go_on_is_known_apart() {
        let wanted = Wanted::of("broken lamp").unwrap();
        assert_eq!(
            (wanted.as_written().as_str(), wanted.beginning().as_deref()),
            ("\"broken\" \"lamp\"", Some("\"lamp\"*"))
        );
        assert_eq!(Wanted::of("\"broken lamp\"").unwrap().beginning(), None);
    }

    #[test]
    fn words_phrases_and_a_beginning() {
        assert_eq!(expression("broken lamp").as_deref(), Some("\"broken\" \"lamp\"*"));
        assert_eq!(expression("\"broken lamp\" keep").as_deref(), Some("\"broken lamp\" \"keep\"*"));
        assert_eq!(expression("keep \"broken lamp\"").as_deref(), Some("\"keep\" \"broken lamp\""));
        assert_eq!(expression("say \"broken la").as_deref(), Some("\"say\" \"broken la\""));
        assert_eq!(expression("src/lamp.mjs").as_deref(), Some("\"src/lamp.mjs\"*"));
        assert_eq!(expression("a").as_deref(), Some("\"a\""));
    }

    #[test]
    fn signs_are_no_operators() {
        assert_eq!(expression("a AND NOT b*").as_deref(), Some("\"a\" \"AND\" \"NOT\" \"b\""));
        assert_eq!(expression("text:x OR (y) ^z").as_deref(), Some("\"text:x\" \"OR\" \"y\" \"z\""));
        assert_eq!((expression(""), expression(" \"\" -- ** \0"), expression("\"")), (None, None, None));
    }
}
