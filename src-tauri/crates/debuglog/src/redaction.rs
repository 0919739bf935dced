//! Takes secrets out of text.
//!
//! Responsible for what looks like a secret by its form (known prefixes of keys, tokens of three parts, key blocks), by
//! its name (`…_API_KEY=`, `"token":`, `--password`, `Authorization:`), by its place (a password in a URL) or because
//! it was told to [`hide`] it. Hand-made scanning instead of a regex engine: every keeper carries this code.
//! It errs on the side of taking out too much.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

/// What stands in place of a secret.
const REDACTED: &str = "[redacted]";
/// Secrets that can be hidden by value.
const HIDDEN: usize = 64;
/// Shorter values are not hidden: they would black out ordinary words.
const SHORTEST_HIDDEN: usize = 8;

static HIDE: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Beginnings of keys, with the least number of characters that must follow.
const PREFIXES: &[(&str, usize)] = &[
    ("sk-", 8),
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("rk_live_", 8),
    ("ghp_", 8),
    ("gho_", 8),
    ("ghu_", 8),
    ("ghs_", 8),
    ("ghr_", 8),
    ("github_pat_", 8),
    ("glpat-", 8),
    ("xoxa-", 6),
    ("xoxb-", 6),
    ("xoxp-", 6),
    ("xoxs-", 6),
    ("xapp-", 6),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("ya29.", 16),
    ("npm_", 16),
    ("pypi-", 16),
    ("hf_", 16),
    ("gsk_", 16),
    ("xai-", 16),
];

/// Ends of names whose value is a secret, compared in lower case without `_` and `-`.
const NAMES: &[&str] = &[
    "apikey",
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "authorization",
    "accesskey",
    "accesskeyid",
    "secretkey",
    "privatekey",
    "signingkey",
    "cookie",
    "credential",
    "credentials",
];

/// Hides this exact value in every later line, whatever it looks like: a pod's token, the value of a key variable.
///
/// At most 64 values, of at least 8 bytes; others are ignored.
pub fn hide(secret: &str) {
    let mut hidden = HIDE.write().unwrap_or_else(PoisonError::into_inner);
    if secret.len() >= SHORTEST_HIDDEN && hidden.len() < HIDDEN && !hidden.iter().any(|known| known == secret) {
        hidden.push(secret.to_owned());
    }
}

/// The text with everything that looks like a secret replaced by `[redacted]`; borrowed when there is none.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    match without_hidden(text) {
        Cow::Borrowed(text) => by_form(text),
        Cow::Owned(text) => Cow::Owned(by_form(&text).into_owned()),
    }
}

fn without_hidden(text: &str) -> Cow<'_, str> {
    let hidden = HIDE.read().unwrap_or_else(PoisonError::into_inner);
    let mut text = Cow::Borrowed(text);
    for secret in hidden.iter() {
        if text.contains(secret.as_str()) {
            text = Cow::Owned(text.replace(secret.as_str(), REDACTED));
        }
    }
    text
}

fn by_form(text: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(secret) = next_secret(text, at) {
        clean.push_str(&text[copied..secret.from]);
        clean.push_str(REDACTED);
        copied = secret.to;
        at = secret.to;
    }
    if copied == 0 && clean.is_empty() {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[copied..]);
    Cow::Owned(clean)
}

/// A range of bytes, on character boundaries, never empty.
#[derive(Debug, Clone, Copy)]
struct Range {
    from: usize,
    to: usize,
}

/// The first secret that begins at or after `start`. `start` must not lie inside a word.
fn next_secret(text: &str, start: usize) -> Option<Range> {
    let bytes = text.as_bytes();
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' {
            // An escaped character such as the `n` of `\n` is no beginning of a word.
            at += 2;
        } else if is_word(byte) {
            let end = run(bytes, at, is_word);
            if let Some(found) = secret_at(bytes, at, end) {
                return Some(found);
            }
            at = end;
        } else if byte == b':' && bytes.get(at..at + 3) == Some(b"://") {
            if let Some(found) = url_password(bytes, at + 3) {
                return Some(found);
            }
            at += 3;
        } else {
            at += 1;
        }
    }
    None
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Characters of keys, base64 in both alphabets, and tokens of several parts.
fn is_key(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'.' | b'+' | b'/' | b'~' | b'=')
}

fn run(bytes: &[u8], from: usize, belongs: fn(u8) -> bool) -> usize {
    bytes.iter().skip(from).position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| from + length)
}

/// Looks at the word `bytes[from..to]`: is it a secret, or the name of one that follows?
fn secret_at(bytes: &[u8], from: usize, to: usize) -> Option<Range> {
    let word = bytes.get(from..to)?;
    if let Some(found) = known_form(bytes, from, word) {
        return Some(found);
    }
    if word.eq_ignore_ascii_case(b"bearer") {
        return after_scheme(bytes, to);
    }
    if word.starts_with(b"-----BEGIN") {
        return key_block(bytes, from);
    }
    if is_name(word) {
        return value_after(bytes, to, word.starts_with(b"--"));
    }
    None
}

fn known_form(bytes: &[u8], from: usize, word: &[u8]) -> Option<Range> {
    let to = run(bytes, from, is_key);
    let whole = bytes.get(from..to)?;
    let has_prefix = PREFIXES.iter().any(|(prefix, least)| {
        word_starts(whole, prefix.as_bytes()) && run(bytes, from + prefix.len(), is_word) - from >= prefix.len() + least
    });
    // The base64 of `{"` opens the header of a JSON web token; two dots separate its three parts.
    let is_web_token =
        word.starts_with(b"eyJ") && word.len() >= 10 && whole.iter().filter(|b| **b == b'.').count() >= 2;
    (has_prefix || is_web_token).then_some(Range { from, to })
}

fn word_starts(word: &[u8], prefix: &[u8]) -> bool {
    word.first() == prefix.first() && word.starts_with(prefix)
}

fn after_scheme(bytes: &[u8], to: usize) -> Option<Range> {
    let from = run(bytes, to, |byte| byte == b' ');
    let end = run(bytes, from, is_key);
    (from > to && end - from >= 8).then_some(Range { from, to: end })
}

fn key_block(bytes: &[u8], from: usize) -> Option<Range> {
    let rest = bytes.get(from..)?;
    let title_end = rest.iter().skip(10).position(|byte| *byte == b'-').map(|length| length + 10)?;
    let is_private = find(rest.get(..title_end)?, b"PRIVATE KEY").is_some();
    let end = find(rest, b"-----END").map_or(rest.len(), |at| run(rest, at + 8, |b| is_word(b) || b == b' '));
    is_private.then_some(Range { from, to: from + end })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn is_name(word: &[u8]) -> bool {
    // The longest name in the table has 13 letters; the end of the word decides.
    let mut letters = [0_u8; 16];
    let mut filled = letters.len();
    for byte in word.iter().rev().filter(|byte| !matches!(byte, b'_' | b'-')) {
        if filled == 0 {
            break;
        }
        filled -= 1;
        if let Some(slot) = letters.get_mut(filled) {
            *slot = byte.to_ascii_lowercase();
        }
    }
    let end = letters.get(filled..).unwrap_or_default();
    NAMES.iter().any(|name| end.ends_with(name.as_bytes()))
}

/// The value after a name that ends at `at`: `=value`, `: "value"`, `\":\"value\"`, and after a flag ` value`.
fn value_after(bytes: &[u8], at: usize, is_flag: bool) -> Option<Range> {
    let at = skip_quote(bytes, at);
    let spaced = run(bytes, at, |byte| byte == b' ');
    let from = match bytes.get(spaced) {
        Some(b'=' | b':') => run(bytes, spaced + 1, |byte| matches!(byte, b' ' | b'=')),
        Some(b',') if is_flag => run(bytes, spaced + 1, |byte| byte == b' '),
        _ if is_flag && spaced > at => spaced,
        _ => return None,
    };
    let from = skip_wrapper(bytes, from);
    let open = skip_quote(bytes, from);
    let quote = (open > from).then(|| bytes.get(open - 1).copied()).flatten();
    let open = skip_scheme(bytes, open);
    let to = match quote {
        Some(quote) => run_to(bytes, open, |byte| byte == quote || byte == b'\\'),
        None => run_to(bytes, open, |byte| byte.is_ascii_whitespace() || b",;&)]}\"'".contains(&byte)),
    };
    (to > open && bytes.get(open..to) != Some(REDACTED.as_bytes()) && !is_redacted(bytes, open))
        .then_some(Range { from: open, to })
}

fn is_redacted(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(REDACTED.as_bytes()))
}

fn run_to(bytes: &[u8], from: usize, ends: impl Fn(u8) -> bool) -> usize {
    bytes.iter().skip(from).position(|byte| ends(*byte)).map_or(bytes.len(), |length| from + length)
}

/// Past one quote, escaped or not.
fn skip_quote(bytes: &[u8], at: usize) -> usize {
    let at = if bytes.get(at) == Some(&b'\\') && matches!(bytes.get(at + 1), Some(b'"' | b'\'')) { at + 1 } else { at };
    if matches!(bytes.get(at), Some(b'"' | b'\'')) { at + 1 } else { at }
}

/// Past the `Some(` of a value that was printed for debugging.
fn skip_wrapper(bytes: &[u8], at: usize) -> usize {
    let name_end = run(bytes, at, |byte| byte.is_ascii_alphanumeric());
    if name_end > at && bytes.get(name_end) == Some(&b'(') { name_end + 1 } else { at }
}

fn skip_scheme(bytes: &[u8], at: usize) -> usize {
    for scheme in ["bearer ", "basic ", "token "] {
        if bytes.get(at..at + scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes())) {
            return at + scheme.len();
        }
    }
    at
}

/// The part between `:` and `@` of `user:password@host`.
fn url_password(bytes: &[u8], from: usize) -> Option<Range> {
    let end = run_to(bytes, from, |byte| byte.is_ascii_whitespace() || b"/?#\"'\\<>".contains(&byte));
    let authority = bytes.get(from..end)?;
    let at_sign = authority.iter().rposition(|byte| *byte == b'@')?;
    let colon = authority.get(..at_sign)?.iter().position(|byte| *byte == b':')?;
    (colon + 1 < at_sign && !is_redacted(bytes, from + colon + 1))
        .then_some(Range { from: from + colon + 1, to: from + at_sign })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out() {
        let key = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8";
        let table = [
            (format!("key sk-ant-api03-{key}-x_y."), "key [redacted]"),
            (format!("sk-{key},next"), "[redacted],next"),
            (format!("ghp_{key} gho_{key} github_pat_{key}"), "[redacted] [redacted] [redacted]"),
            ("xoxb-123456-abcdef".to_owned(), "[redacted]"),
            ("id AKIAIOSFODNN7EXAMPLE end".to_owned(), "id [redacted] end"),
            (format!("AIza{key}"), "[redacted]"),
            ("Authorization: Bearer abc.def.ghi-jkl x".to_owned(), "Authorization: Bearer [redacted] x"),
            ("authorization=Basic dXNlcjpwYXNz".to_owned(), "authorization=Basic [redacted]"),
            (r#"{"authorization":"token abcdef","a":1}"#.to_owned(), r#"{"authorization":"token [redacted]","a":1}"#),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln_-".to_owned(), "[redacted]"),
            ("ANTHROPIC_API_KEY=whatever B=2".to_owned(), "ANTHROPIC_API_KEY=[redacted] B=2"),
            (r#"{"token":"abc","n":1}"#.to_owned(), r#"{"token":"[redacted]","n":1}"#),
            (r#"line {\"apiKey\": \"abc\"}"#.to_owned(), r#"line {\"apiKey\": \"[redacted]\"}"#),
            ("password=hunter2;x".to_owned(), "password=[redacted];x"),
            ("client-secret: s3cr3t".to_owned(), "client-secret: [redacted]"),
            (r#"args ["--api-key", "abc", "-v"]"#.to_owned(), r#"args ["--api-key", "[redacted]", "-v"]"#),
            ("run --token abc -v".to_owned(), "run --token [redacted] -v"),
            ("run --token=abc -v".to_owned(), "run --token=[redacted] -v"),
            ("https://me:pa:ss@host/x?y".to_owned(), "https://me:[redacted]@host/x?y"),
            (format!(r"first\nsk-{key}\nlast"), r"first\n[redacted]\nlast"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx".to_owned(), "[redacted]\nx"),
            ("-----BEGIN PRIVATE KEY-----\nMII".to_owned(), "[redacted]"),
            (format!("ü{{sk-{key}}}ü"), "ü{[redacted]}ü"),
            ("token=Some(\"abc\")".to_owned(), "token=Some(\"[redacted]\")"),
            ("secret: Secret(abc)".to_owned(), "secret: Secret([redacted])"),
        ];
        for (text, expected) in &table {
            assert_eq!(redact(text), *expected);
        }
    }

    #[test]
    fn ordinary_text_is_left_alone_and_not_copied() {
        for text in [
            "",
            "env=[\"ANTHROPIC_API_KEY\", \"PATH\"]",
            "inputTokens=123 outputTokens: 45 tokens=6",
            "a risk-free task-list, disk-usage",
            "https://example.com:8080/a@b and mailto:me@example.com",
            "the bearer of news",
            "-----BEGIN CERTIFICATE----- MII -----END CERTIFICATE-----",
            "token",
            "token=",
            "ends with a backslash \\",
            "日本語 …",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(same) if same == text), "{text} became {}", redact(text));
        }
    }

    #[test]
    fn redacting_twice_changes_nothing() {
        let once = redact("password=abc token: \"def\" https://a:b@c sk-abcdefghijklmnop").into_owned();
        assert_eq!(redact(&once), once);
    }

    #[test]
    fn a_value_can_be_hidden_whatever_it_looks_like() {
        hide("7c9e6679-7425-40de");
        hide("short");
        assert_eq!(redact("connect with 7c9e6679-7425-40de now"), "connect with [redacted] now");
        assert_eq!(redact("a short text"), "a short text");
    }
}
