//! How a record is written: one line of JSON with the runner's own line embedded as it came.

use std::fmt::Write as _;

use protocol::record::HostRecord;

/// What is to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry<'a> {
    /// A runner's line that is one JSON object, verbatim.
    Line {
        /// The object; must not contain a newline.
        json: &'a str,
        /// The open block that it finishes.
        closes: Option<&'a str>,
    },
    /// A runner's line that is no JSON object, or was cut.
    Text {
        /// The line's bytes; need not be UTF-8.
        bytes: &'a [u8],
        /// The whole length of a line of which `bytes` is the beginning.
        cut_from: Option<u64>,
    },
    /// Something that Outrigger itself did.
    Host(&'a HostRecord),
}

/// What all records have in common that are written at once: between their numbers and what they say.
#[derive(Debug)]
pub(crate) struct Batch {
    of_runner: String,
    of_host: String,
}

impl Batch {
    pub(crate) fn new(at: &str, generation: u64) -> Self {
        let of = |src: &str| format!(r#","at":"{at}","src":"{src}","gen":{generation}"#);
        Self { of_runner: of("runner"), of_host: of("host") }
    }
}

/// Appends the record's line, with its newline, to `out`.
pub(crate) fn encode(out: &mut Vec<u8>, seq: u64, batch: &Batch, entry: &Entry<'_>) {
    out.extend_from_slice(b"{\"seq\":");
    push_json(out, &seq);
    let common = match entry {
        Entry::Line { .. } | Entry::Text { .. } => &batch.of_runner,
        Entry::Host(_) => &batch.of_host,
    };
    out.extend_from_slice(common.as_bytes());
    match entry {
        Entry::Line { json, closes } => {
            if let Some(block) = closes {
                out.extend_from_slice(b",\"closes\":");
                push_json(out, block);
            }
            out.extend_from_slice(b",\"line\":");
            out.extend_from_slice(json.as_bytes());
        }
        Entry::Text { bytes, cut_from } => push_text(out, bytes, *cut_from),
        Entry::Host(record) => {
            out.extend_from_slice(b",\"line\":");
            push_json(out, record);
        }
    }
    out.extend_from_slice(b"}\n");
}

fn push_text(out: &mut Vec<u8>, bytes: &[u8], cut_from: Option<u64>) {
    if let Some(whole) = cut_from {
        out.extend_from_slice(format!(",\"cutFrom\":{whole}").as_bytes());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            out.extend_from_slice(b",\"text\":");
            push_json(out, text);
        }
        Err(_) => {
            out.extend_from_slice(b",\"escaped\":true,\"text\":");
            push_json(out, &escape_bytes(bytes));
        }
    }
}

/// Serialisation of our own plain types cannot fail; should it ever, the record says so in place of its content.
fn push_json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    if let Err(error) = serde_json::to_writer(&mut *out, value) {
        out.truncate(start);
        out.extend_from_slice(b"\"");
        out.extend_from_slice(format!("unserialisable: {error}").replace(['"', '\\'], "'").as_bytes());
        out.extend_from_slice(b"\"");
    }
}

/// Writes bytes that are not UTF-8 as text without losing any: `\xNN` for a byte that does not fit, `\\` for a backslash.
#[must_use]
pub fn escape_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => out.push_str("\\\\"),
                other => out.push(other),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// The bytes that [`escape_bytes`] was given.
#[must_use]
pub fn unescape_bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let tail = &rest[at + 1..];
        let byte = tail.strip_prefix('x').and_then(|hex| hex.get(..2)).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) => {
                out.push(byte);
                rest = &tail[3..];
            }
            None => {
                out.push(b'\\');
                rest = tail.strip_prefix('\\').unwrap_or(tail);
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::Record;

    proptest! {
        #[test]
        fn any_bytes_survive_escaping(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(unescape_bytes(&escape_bytes(&bytes)), bytes);
        }

        #[test]
        fn any_text_is_one_line_of_valid_json(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut out = Vec::new();
            let batch = Batch::new("2026-11-21T07:00:00.123Z", 1);
            encode(&mut out, 1, &batch, &Entry::Text { bytes: &bytes, cut_from: None });
            prop_assert_eq!(memchr::memchr(b'\n', &out), Some(out.len() - 1));
            let text = std::str::from_utf8(&out).unwrap();
            let record: Record<'_> = serde_json::from_str(text).unwrap();
            let kept = record.text.unwrap();
            let back = if record.escaped { unescape_bytes(&kept) } else { kept.as_bytes().to_vec() };
            prop_assert_eq!(back, bytes);
        }
    }

    #[test]
    fn a_runner_line_stands_verbatim() {
        let mut out = Vec::new();
        let json = r#"{"type":"agent_event",  "event":{"t":"\ud83d"}}"#;
        encode(&mut out, 7, &Batch::new("t", 2), &Entry::Line { json, closes: Some("m\"/0") });
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(json), "{text}");
        assert!(text.starts_with(r#"{"seq":7,"at":"t","src":"runner","gen":2,"closes":"#), "{text}");
        let record: Record<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(record.line.unwrap().get(), json);
        assert_eq!(record.closes.as_deref(), Some("m\"/0"));
    }
}
