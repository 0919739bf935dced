//! The journal from outside: what is appended can be read from any place, and a torn tail costs only the torn record.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::fs;
use std::io::Write;

use jiff::Timestamp;
use outrigger_journal::{Entry, JournalError, JournalReader, JournalWriter, SessionFolder};
use protocol::SessionId;
use protocol::record::HostRecord;

fn folder() -> (tempfile::TempDir, SessionFolder, SessionId) {
    let root = tempfile::tempdir().unwrap();
    let session = SessionId::new();
    let folder = SessionFolder::create(root.path(), session).unwrap();
    (root, folder, session)
}

fn line(n: usize, size: usize) -> String {
    format!(r#"{{"type":"agent_event","n":{n},"pad":"{}"}}"#, "x".repeat(size))
}

/// Appends `count` records of varying size, some larger than any buffer.
fn fill(folder: &SessionFolder, session: SessionId, count: usize) {
    let (mut writer, _) = JournalWriter::open(folder, session, 1).unwrap();
    for n in 1..=count {
        let json = line(n, if n % 97 == 0 { 200_000 } else { n % 300 });
        writer.append(Timestamp::now(), &[Entry::Line { json: &json, closes: None }]).unwrap();
    }
}

fn seqs_forward(folder: &SessionFolder, after: u64) -> Vec<u64> {
    let mut reader = JournalReader::open(&folder.journal()).unwrap();
    let offset = reader.offset_after(after).unwrap();
    let mut forward = reader.forward(offset).unwrap();
    let mut seqs = Vec::new();
    while let Some((_, text)) = forward.next().unwrap() {
        seqs.extend(outrigger_journal::reader::seq_of(text));
    }
    seqs
}

#[test]
fn records_are_read_forwards_from_any_record() {
    let (_root, folder, session) = folder();
    fill(&folder, session, 1000);
    for after in [0, 1, 96, 97, 98, 499, 998, 999, 1000, 5000] {
        let expected: Vec<u64> = (after + 1..=1000).collect();
        assert_eq!(seqs_forward(&folder, after), expected, "after {after}");
    }
}

#[test]
fn records_are_read_backwards_in_pages() {
    let (_root, folder, session) = folder();
    fill(&folder, session, 500);
    let mut reader = JournalReader::open(&folder.journal()).unwrap();
    let mut end = reader.length().unwrap();
    let mut seen = Vec::new();
    while end > 0 {
        let lines = reader.back(end, 7).unwrap();
        assert!(lines.len() <= 7);
        end = lines.first().map_or(0, |(offset, _)| *offset);
        seen.splice(0..0, lines.iter().filter_map(|(_, text)| outrigger_journal::reader::seq_of(text)));
    }
    assert_eq!(seen, (1..=500).collect::<Vec<u64>>());
}

#[test]
fn a_tail_torn_at_any_byte_loses_only_the_torn_record() {
    let (_root, folder, session) = folder();
    fill(&folder, session, 5);
    let whole = fs::read(folder.journal()).unwrap();
    let fourth_ends = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for cut in fourth_ends..whole.len() {
        fs::write(folder.journal(), &whole[..cut]).unwrap();
        let (mut writer, recovery) = JournalWriter::open(&folder, session, 2).unwrap();
        assert_eq!(recovery.last_seq, 4, "cut at {cut}");
        assert_eq!(recovery.torn, (cut - fourth_ends) as u64);
        writer.append(Timestamp::now(), &[Entry::Host(&HostRecord::InterruptAsked)]).unwrap();
        assert_eq!(seqs_forward(&folder, 0), [1, 2, 3, 4, 5]);
    }
}

#[test]
fn a_damaged_last_line_does_not_reuse_its_number() {
    let (_root, folder, session) = folder();
    fill(&folder, session, 5);
    fs::OpenOptions::new().append(true).open(folder.journal()).unwrap().write_all(b"\0\0garbage\n").unwrap();
    let (writer, recovery) = JournalWriter::open(&folder, session, 2).unwrap();
    assert_eq!(recovery.last_seq, 5);
    assert_eq!(writer.next_seq(), 6);
}

#[test]
fn a_half_written_line_does_not_exist_until_it_is_whole() {
    let (_root, folder, session) = folder();
    fill(&folder, session, 2);
    let reader = JournalReader::open(&folder.journal()).unwrap();
    let mut forward = reader.forward(0).unwrap();
    for _ in 0..3 {
        assert!(forward.next().unwrap().is_some());
    }
    let mut file = fs::OpenOptions::new().append(true).open(folder.journal()).unwrap();
    file.write_all(b"{\"seq\":3,").unwrap();
    assert!(forward.next().unwrap().is_none());
    file.write_all(b"\"rest\":1}\n").unwrap();
    let (_, text) = forward.next().unwrap().unwrap();
    assert_eq!(text, b"{\"seq\":3,\"rest\":1}");
    assert!(forward.next().unwrap().is_none());
}

#[test]
fn a_half_written_line_that_is_cut_off_gives_way_to_the_one_in_its_place() {
    let (_root, folder, session) = folder();
    fill(&folder, session, 1);
    let mut forward = JournalReader::open(&folder.journal()).unwrap().forward(0).unwrap();
    while forward.next().unwrap().is_some() {}
    let mut file = fs::OpenOptions::new().append(true).open(folder.journal()).unwrap();
    let whole = file.metadata().unwrap().len();
    file.write_all(b"{\"seq\":2,\"torn").unwrap();
    assert!(forward.next().unwrap().is_none());
    file.set_len(whole).unwrap();
    file.write_all(b"{\"seq\":2,\"mended\":1}\n").unwrap();
    let (at, text) = forward.next().unwrap().unwrap();
    assert_eq!((at, text), (whole, &b"{\"seq\":2,\"mended\":1}"[..]));
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let (_root, folder, session) = folder();
    let text = format!("{{\"type\":\"journal\",\"format\":99,\"session\":\"{session}\"}}\n");
    fs::write(folder.journal(), &text).unwrap();
    assert!(matches!(JournalWriter::open(&folder, session, 1), Err(JournalError::NewerFormat { found: 99, .. })));
    assert_eq!(fs::read_to_string(folder.journal()).unwrap(), text);
}

#[test]
fn a_journal_of_another_session_is_refused() {
    let (_root, folder, session) = folder();
    fill(&folder, session, 1);
    let message = JournalWriter::open(&folder, SessionId::new(), 1).unwrap_err().to_string();
    assert!(message.contains("belongs to session"), "{message}");
}

#[test]
fn a_newer_format_is_read_as_far_as_it_is_known() {
    let (_root, folder, session) = folder();
    let at = "2026-11-21T07:00:00.000Z";
    let text = format!(
        "{{\"type\":\"journal\",\"format\":2,\"session\":\"{session}\",\"more\":[1]}}\n\
         {{\"seq\":1,\"at\":\"{at}\",\"src\":\"host\",\"gen\":1,\"new\":{{}},\"line\":{{\"type\":\"interruptAsked\"}}}}\n\
         {{\"seq\":2,\"at\":\"{at}\",\"src\":\"somebodyElse\",\"gen\":1,\"line\":{{}}}}\n"
    );
    fs::write(folder.journal(), &text).unwrap();
    let mut reader = JournalReader::open(&folder.journal()).unwrap();
    assert_eq!(reader.last_seq().unwrap(), 2);
    assert_eq!(reader.page_after(0, 10).unwrap().len(), 2);
    assert_eq!(reader.page_before(0, 1).unwrap().len(), 1);
}
