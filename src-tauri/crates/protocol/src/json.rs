//! Parsing of JSON that agents wrote: as strict as it can be without losing anything.
//!
//! CLIs cut emoji in two between deltas and then print a lone `\ud83d`, which no strict parser accepts.
//! Such escapes are replaced by U+FFFD before a second try. The journal keeps the line as it came.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// Parses `text`; when that fails, replaces unpaired surrogate escapes and tries once more.
///
/// # Errors
/// The error of the first try, when the second fails too.
pub fn parse_tolerant<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(first) => match replace_lone_surrogates(text) {
            Cow::Borrowed(_) => Err(first),
            Cow::Owned(mended) => serde_json::from_str(&mended).map_err(|_| first),
        },
    }
}

/// Replaces each `\uD800`–`\uDFFF` escape that is not half of a pair by `\ufffd`. Borrows when there is none.
#[must_use]
pub fn replace_lone_surrogates(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut mended: Option<String> = None;
    let mut copied = 0;
    let mut at = 0;
    while at + 1 < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match surrogate_at(bytes, at) {
            None => at += 2,
            Some(Half::High) if matches!(surrogate_at(bytes, at + 6), Some(Half::Low)) => at += 12,
            Some(Half::High | Half::Low) => {
                let out = mended.get_or_insert_with(|| String::with_capacity(text.len()));
                out.push_str(&text[copied..at]);
                out.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
        }
    }
    match mended {
        None => Cow::Borrowed(text),
        Some(mut out) => {
            out.push_str(&text[copied..]);
            Cow::Owned(out)
        }
    }
}

enum Half {
    High,
    Low,
}

/// The surrogate half that the escape starting at `at` names, if it names one.
fn surrogate_at(bytes: &[u8], at: usize) -> Option<Half> {
    let escape = bytes.get(at..at + 6)?;
    if escape[0] != b'\\' || escape[1] != b'u' || !escape[2].eq_ignore_ascii_case(&b'd') {
        return None;
    }
    if !escape[4..].iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    match escape[3].to_ascii_lowercase() {
        b'8' | b'9' | b'a' | b'b' => Some(Half::High),
        b'c'..=b'f' => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_half_is_replaced_and_the_rest_kept() {
        let value: serde_json::Value = parse_tolerant(r#"{"t":"a\ud83d b","u":"\ud83d\udc4d","v":"\udc4d"}"#).unwrap();
        assert_eq!(value["t"], "a\u{fffd} b");
        assert_eq!(value["u"], "👍", "a pair stays a pair");
        assert_eq!(value["v"], "\u{fffd}");
    }

    #[test]
    fn an_escaped_backslash_before_u_is_no_escape() {
        assert!(matches!(replace_lone_surrogates(r#""\\ud83d""#), Cow::Borrowed(_)));
    }

    #[test]
    fn other_errors_stay_errors() {
        assert!(parse_tolerant::<serde_json::Value>("{\"a\":").is_err());
    }
}
