use super::*;
use proptest::prelude::*;

/// Moves the long strings of one line out; the stored line, without its newline.
fn stored(folder: &Path, line: &str) -> Vec<u8> {
    // Another record stands before it in the buffer.
    let mut out = b"{}\n".to_vec();
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
    BlobStore::of(folder).extract(&mut out, 3);
    assert_eq!(&out[..3], b"{}\n");
    assert_eq!(memchr::memchr(b'\n', &out[3..]), Some(out.len() - 4), "one line");
    out[3..out.len() - 1].to_vec()
}

fn record(inner: &str) -> String {
    format!(r#"{{"seq":7,"at":"2026-11-21T07:00:00.123Z","src":"runner","gen":2,"line":{inner}}}"#)
}

fn blobs(folder: &Path) -> usize {
    fs::read_dir(folder.join("blobs")).map_or(0, |entries| entries.flatten().count())
}

/// One character of a string literal, in each of the ways in which it can be written.
fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(r"\n".to_owned()),
        Just(r#"\""#.to_owned()),
        Just(r"\\".to_owned()),
        Just(r"\u2028".to_owned()),
        Just(r"\ud83d\ude00".to_owned()),
        Just(r"\uD83D".to_owned()),
        Just(r"\udc00x".to_owned()),
        "[a-z ,:{}\\[\\]]{1,9}",
        "[äß漢字\u{2028}😀🦀]",
    ]
}

/// A string literal's inside: a unit that is repeated to at least `bytes` bytes, behind some that shifts where it is cut.
fn literal(bytes: usize) -> impl Strategy<Value = String> {
    let shift = proptest::collection::vec(token(), 0..12);
    let unit = proptest::collection::vec(token(), 1..12);
    (shift, unit).prop_map(move |(shift, unit)| shift.concat() + &unit.concat().repeat(bytes / unit.concat().len() + 1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_line_survives_byte_for_byte(
        first in literal(BLOB_BYTES + 1),
        short in literal(10),
        second in literal(BLOB_BYTES + 7),
        closing in prop_oneof![Just(""), Just(r#","blobs":[]"#), Just(r#","x":[{"blobs":[1]}]"#)],
    ) {
        let root = tempfile::tempdir().unwrap();
        let line = record(&format!(r#"{{"{short}": "{first}" ,"a":["{short}",{{"b":"{second}"}},1e9]{closing}}}"#));
        let kept = stored(root.path(), &line);
        prop_assert!(kept.len() < line.len() / 4, "{} of {} bytes", kept.len(), line.len());
        let valid: serde_json::Result<protocol::Record<'_>> = serde_json::from_slice(&kept);
        prop_assert_eq!(valid.unwrap().seq, 7);
        let expanded = expand(root.path(), &kept);
        prop_assert!(expanded.lost.is_empty());
        prop_assert!(&*expanded.line == line.as_bytes());
    }

    #[test]
    fn a_cut_splits_no_character_and_no_escape(text in literal(2 * BLOB_PREVIEW_BYTES)) {
        let at = cut(text.as_bytes(), BLOB_PREVIEW_BYTES);
        prop_assert!((BLOB_PREVIEW_BYTES - 12..=BLOB_PREVIEW_BYTES).contains(&at));
        let parsed = protocol::json::parse_tolerant::<String>(&format!("\"{}\"", &text[..at])).unwrap();
        let rest = protocol::json::parse_tolerant::<String>(&format!("\"{}\"", &text[at..])).unwrap();
        let whole = protocol::json::parse_tolerant::<String>(&format!("\"{text}\"")).unwrap();
        prop_assert_eq!(parsed + &rest, whole);
    }

    #[test]
    fn any_line_without_blobs_is_handed_back(line in ".{0,200}") {
        let expanded = expand(Path::new("nowhere"), line.as_bytes());
        prop_assert_eq!(&*expanded.line, line.as_bytes());
    }
}

#[test]
fn the_same_text_is_one_file_and_written_once() {
    let root = tempfile::tempdir().unwrap();
    let line = record(&format!(r#"["{0}","{0}"]"#, "x".repeat(BLOB_BYTES + 1)));
    let kept = stored(root.path(), &line);
    assert_eq!(blobs(root.path()), 1);
    let file = fs::read_dir(root.path().join("blobs")).unwrap().flatten().next().unwrap().path();
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    assert_eq!(stored(root.path(), &line), kept);
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), written);
    assert_eq!(&*expand(root.path(), &kept).line, line.as_bytes());
}

#[test]
fn a_string_at_the_limit_stays() {
    let root = tempfile::tempdir().unwrap();
    let line = record(&format!(r#"["{0}","{0}"]"#, "x".repeat(BLOB_BYTES)));
    assert_eq!(stored(root.path(), &line), line.as_bytes());
    assert_eq!(blobs(root.path()), 0);
}

#[test]
fn a_blob_that_cannot_be_written_stays_in_its_record() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("blobs"), "in the way").unwrap();
    let line = record(&format!(r#"{{"text":"{}"}}"#, "x".repeat(BLOB_BYTES + 1)));
    assert_eq!(stored(root.path(), &line), line.as_bytes());
}

#[test]
fn a_lost_or_damaged_blob_leaves_its_beginning_and_is_told() {
    let root = tempfile::tempdir().unwrap();
    let line = record(&format!(r#"["{}","{}"]"#, "x".repeat(BLOB_BYTES + 1), "y".repeat(BLOB_BYTES + 1)));
    let kept = stored(root.path(), &line);
    let file = root.path().join("blobs").join(hash("y".repeat(BLOB_BYTES + 1).as_bytes()));
    fs::write(&file, "y".repeat(BLOB_BYTES) + "z").unwrap();
    let damaged = expand(root.path(), &kept);
    assert!(damaged.lost[0].contains(file.to_str().unwrap()), "{:?}", damaged.lost);
    let expected = line.replace(&"y".repeat(BLOB_BYTES + 1), &"y".repeat(BLOB_PREVIEW_BYTES));
    assert!(*damaged.line == *expected.as_bytes());
    fs::remove_file(&file).unwrap();
    let missing = expand(root.path(), &kept);
    assert_eq!(missing.lost.len(), 1);
    assert!(*missing.line == *expected.as_bytes());
}

#[test]
fn references_that_point_outside_are_not_followed() {
    let root = tempfile::tempdir().unwrap();
    for refs in [
        r#"{"sha256":"../../../../etc/passwd","offset":0,"preview":0,"bytes":1}"#.to_owned(),
        format!(r#"{{"sha256":"{}","offset":90,"preview":99999,"bytes":1}}"#, "a".repeat(64)),
        format!(r#"{{"sha256":"{}","offset":18446744073709551615,"preview":2,"bytes":1}}"#, "a".repeat(64)),
    ] {
        let line = format!(r#"{{"seq":7,"text":"abc","blobs":[{refs}]}}"#);
        assert_eq!(&*expand(root.path(), line.as_bytes()).line, line.as_bytes());
    }
}
