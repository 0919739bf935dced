//! What does a user's text mean to the full-text index?
//!
//! Pure. Words and phrases, and nothing else: every part is quoted, so that no sign is an operator and no text is an error.

use protocol::limits::SEARCH_WORDS;

/// Longest part that is looked at, in characters.
const PART_CHARS: usize = 200;

/// The expression for `MATCH`; nothing when the text has no word.
pub(crate) fn expression(text: &str) -> Option<String> {
    let parts: Vec<String> = parts(text).iter().filter_map(quoted).take(SEARCH_WORDS).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
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
/// as it did with the texts.
fn quoted(part: &Part) -> Option<String> {
    let plain: String = part.text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(PART_CHARS).collect();
    let plain = plain.trim_matches(|c: char| !c.is_alphanumeric());
    // A single letter begins too many words to be worth looking at.
    let star = if part.open && plain.chars().nth(1).is_some() { "*" } else { "" };
    (!plain.is_empty()).then(|| format!("\"{plain}\"{star}"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
