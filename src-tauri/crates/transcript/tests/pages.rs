//! Whatever page is asked for, and whenever, it shows the same items as folding the whole journal.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use jiff::Timestamp;
use journal::{Entry, JournalReader, JournalWriter, SessionFolder};
use outrigger_transcript::{Fold, Transcript, resume_at};
use protocol::item::{ItemBody, PermissionState};
use protocol::record::{BlockKind, Delivery, HostRecord, Outcome, PermissionOutcome};
use protocol::{Item, SessionId};

struct Session {
    _root: tempfile::TempDir,
    folder: SessionFolder,
    writer: JournalWriter,
}

impl Session {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let session = SessionId::new();
        let folder = SessionFolder::create(root.path(), session).unwrap();
        let (writer, _) = JournalWriter::open(&folder, session, 1).unwrap();
        Self { _root: root, folder, writer }
    }

    fn host(&mut self, record: HostRecord) {
        self.writer.append(Timestamp::now(), &[Entry::Host(&record)]).unwrap();
    }

    fn runner(&mut self, json: &str) {
        self.writer.append(Timestamp::now(), &[Entry::Line { json, closes: None }]).unwrap();
    }

    fn prompt(&mut self, n: usize) {
        self.host(HostRecord::Prompt {
            text: format!("prompt {n}"),
            delivery: Delivery::Prompt,
            from: None,
            prompt_id: format!("p{n}"),
            attachments: Vec::new(),
        });
    }

    /// A turn with a permission request that is answered two records later and a text that was saved in part.
    fn turn(&mut self, n: usize) {
        self.prompt(n);
        self.runner(&format!(r#"{{"type":"turn_started","turnId":"t{n}"}}"#));
        self.runner(&format!(
            r#"{{"type":"permission_request","requestId":"r{n}","toolName":"Write","title":"Write a file","kind":"edit"}}"#
        ));
        self.runner(r#"{"type":"agent_event","event":{"n":1}}"#);
        self.host(HostRecord::PermissionAnswered {
            request_id: format!("r{n}"),
            outcome: PermissionOutcome::Allow,
            message: None,
            by: "user".into(),
            rule: None,
        });
        self.partial(n, 0, "half");
        self.partial(n, 4, " of it");
        self.host(HostRecord::Block {
            block: format!("b{n}"),
            kind: BlockKind::Message,
            parent: None,
            text: "all".into(),
        });
        self.runner(&format!(r#"{{"type":"turn_ended","turnId":"t{n}","stopReason":"endTurn","durationMs":5}}"#));
    }

    fn partial(&mut self, n: usize, from: u64, text: &str) {
        self.host(HostRecord::Partial {
            block: format!("b{n}"),
            kind: BlockKind::Message,
            parent: None,
            from,
            text: text.into(),
        });
    }

    /// The items by folding everything, in order.
    fn whole(&self) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        let mut fold = Fold::new(&self.folder, "none");
        let mut lines = JournalReader::open(&self.folder.journal()).unwrap().forward(0).unwrap();
        while let Some((_, line)) = lines.next().unwrap() {
            let folded = fold.line(line);
            assert_eq!(folded.damage, None);
            for change in folded.changes {
                match items.iter_mut().find(|item| item.id == change.item.id) {
                    Some(item) => *item = change.item,
                    None => items.push(change.item),
                }
            }
        }
        items
    }
}

#[test]
fn pages_agree_with_the_whole_while_the_session_grows() {
    let mut session = Session::new();
    for n in 0..12 {
        session.turn(n);
        if n % 3 == 0 {
            // A request is left open for the next opening of the transcript.
            session.runner(&format!(r#"{{"type":"permission_request","requestId":"open{n}","toolName":"Bash"}}"#));
        }
        let whole = session.whole();
        let transcript = Transcript::open(&session.folder, "none").unwrap();
        assert_eq!(transcript.total(), whole.len());
        for from in 0..whole.len() {
            let page = transcript.page(from, 4).unwrap();
            assert_eq!(page.items, whole[from..(from + 4).min(whole.len())], "from {from} after turn {n}");
        }
        if n % 3 == 0 {
            session.runner(&format!(r#"{{"type":"permission_cancelled","requestId":"open{n}"}}"#));
        }
    }
    // Magic, version, covered seq and offset, count, maker; then 32 bytes a row.
    let rows = (std::fs::metadata(session.folder.items()).unwrap().len() - 40) / 32;
    assert!(rows > 30, "the index was kept: {rows}");
}

#[test]
fn a_saved_part_and_the_finished_text_are_one_item() {
    let mut session = Session::new();
    session.turn(0);
    let texts: Vec<_> = session
        .whole()
        .into_iter()
        .filter_map(|item| match item.body {
            ItemBody::AgentMessage { text, open } => Some((text, open)),
            _ => None,
        })
        .collect();
    assert_eq!(texts, [("all".to_owned(), false)]);
}

#[test]
fn the_end_of_a_session_settles_what_was_open() {
    let mut session = Session::new();
    session.prompt(0);
    session.runner(r#"{"type":"permission_request","requestId":"r","toolName":"Bash"}"#);
    session.partial(0, 0, "half ");
    session.partial(0, 5, "a sen");
    session.host(HostRecord::Ended { outcome: Outcome::Stopped, survivors: vec![] });
    let whole = session.whole();
    let kept = whole
        .iter()
        .any(|item| matches!(&item.body, ItemBody::AgentMessage { open: false, text } if text == "half a sen"));
    assert!(kept, "{whole:?}");
    let withdrawn =
        whole.iter().any(|item| matches!(&item.body, ItemBody::Permission(p) if p.state == PermissionState::Withdrawn));
    assert!(withdrawn, "{whole:?}");
}

#[test]
fn a_reader_that_comes_back_sees_every_later_change_and_no_other() {
    let mut session = Session::new();
    for n in 0..5 {
        session.turn(n);
    }
    Transcript::open(&session.folder, "none").unwrap();
    let whole = session.whole();
    let last = whole.iter().map(|item| item.last_seq).max().unwrap();
    for from_seq in 0..=last {
        let offset = resume_at(&session.folder, "none", from_seq).unwrap();
        let mut fold = Fold::new(&session.folder, "none");
        let mut lines = JournalReader::open(&session.folder.journal()).unwrap().forward(offset).unwrap();
        let mut seen = Vec::new();
        while let Some((_, line)) = lines.next().unwrap() {
            let folded = fold.line(line);
            if folded.seq > from_seq {
                for change in folded.changes {
                    seen.retain(|item: &Item| item.id != change.item.id);
                    seen.push(change.item);
                }
            }
        }
        let mut expected: Vec<_> = whole.iter().filter(|item| item.last_seq > from_seq).cloned().collect();
        expected.sort_by_key(|item| item.id.clone());
        seen.sort_by_key(|item| item.id.clone());
        assert_eq!(seen, expected, "from {from_seq}");
    }
}

#[test]
fn damaged_and_unknown_lines_do_not_end_the_transcript() {
    use std::io::Write;
    let mut session = Session::new();
    session.prompt(0);
    let mut file = std::fs::OpenOptions::new().append(true).open(session.folder.journal()).unwrap();
    file.write_all(b"{\"seq\":2,\"at\":\"x\",\"src\xff\n{\"seq\":3}\n").unwrap();
    let transcript = Transcript::open(&session.folder, "none").unwrap();
    assert_eq!(transcript.total(), 1);
    assert_eq!(transcript.damage().len(), 2);
    let file = session.folder.journal().display().to_string();
    for (damage, line) in transcript.damage().iter().zip([3, 4]) {
        assert!(damage.why.starts_with(&format!("{file}, line {line}: ")), "{damage:?}");
    }
    let (mut writer, _) = JournalWriter::open(&session.folder, session.folder.name().parse().unwrap(), 2).unwrap();
    let line = r#"{"type":"from_the_future","x":[1]}"#;
    writer.append(Timestamp::now(), &[Entry::Line { json: line, closes: None }]).unwrap();
    let before = transcript.damage().to_vec();
    // The index covers the damage from the first opening on; it is told at every one.
    for _ in 0..3 {
        assert_eq!(Transcript::open(&session.folder, "none").unwrap().damage(), before);
    }
    let page = Transcript::open(&session.folder, "none").unwrap().newest(10).unwrap();
    assert!(matches!(&page.items[1].body, ItemBody::Unknown { label, .. } if label == "from_the_future"));
}

#[test]
fn what_is_damaged_after_it_was_indexed_is_told_by_whoever_reads_it() {
    use std::os::unix::fs::FileExt;
    let mut session = Session::new();
    for turn in 0..3 {
        session.turn(turn);
    }
    let whole = Transcript::open(&session.folder, "none").unwrap();
    let items = whole.newest(1000).unwrap().items.len();
    let text = std::fs::read(session.folder.journal()).unwrap();
    let ends: Vec<usize> = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    // Any line between the header and the last one, also one that opens no item.
    for line in 1..ends.len() - 1 {
        let file = std::fs::OpenOptions::new().write(true).open(session.folder.journal()).unwrap();
        file.write_all_at(b"\0", ends[line] as u64 - 1).unwrap();
        let transcript = Transcript::open(&session.folder, "none").unwrap();
        for from in (0..items).step_by(2) {
            transcript.page(from, 2).unwrap();
            transcript.page(from, 2).unwrap();
        }
        let told: Vec<String> = transcript.damage().into_iter().map(|damage| damage.why).collect();
        let place = format!("{}, line {}: ", session.folder.journal().display(), line + 1);
        assert!(told.len() == 1 && told[0].starts_with(&place), "{place}: {told:?}");
        file.write_all_at(&text[ends[line] - 1..ends[line]], ends[line] as u64 - 1).unwrap();
    }
}

#[test]
fn an_index_of_another_adapter_is_not_used() {
    let mut session = Session::new();
    session.turn(0);
    let whole = session.whole();
    Transcript::open(&session.folder, "demo").unwrap();
    let page = Transcript::open(&session.folder, "none").unwrap().page(0, 100).unwrap();
    assert_eq!(page.items, whole);
}

#[test]
fn long_texts_and_compressed_journals_show_the_same() {
    let mut session = Session::new();
    session.turn(0);
    let text = "a long text \u{1f980} ".repeat(10_000);
    session.host(HostRecord::Prompt {
        text: text.clone(),
        delivery: Delivery::Prompt,
        from: None,
        prompt_id: "long".into(),
        attachments: Vec::new(),
    });
    session.turn(1);
    let whole = session.whole();
    assert!(whole.iter().any(|item| matches!(&item.body, ItemBody::UserMessage { text: shown, .. } if *shown == text)));
    assert!(std::fs::metadata(session.folder.journal()).unwrap().len() < 16 * 1024);
    assert_eq!(Transcript::open(&session.folder, "none").unwrap().page(0, 100).unwrap().items, whole);
    journal::retention::compress(&session.folder).unwrap().unwrap();
    let transcript = Transcript::open(&session.folder, "none").unwrap();
    assert_eq!(transcript.page(0, 100).unwrap().items, whole);
    for from in 0..whole.len() {
        assert_eq!(transcript.page(from, 2).unwrap().items, whole[from..(from + 2).min(whole.len())]);
    }
    std::fs::remove_file(session.folder.items()).unwrap();
    assert_eq!(Transcript::open(&session.folder, "none").unwrap().page(0, 100).unwrap().items, whole);
}

#[test]
fn a_clock_that_goes_backwards_changes_no_order_and_no_duration() {
    let mut session = Session::new();
    let later: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let earlier: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let line = |json| [Entry::Line { json, closes: None }];
    session.writer.append(later, &line(r#"{"type":"turn_started","turnId":"t"}"#)).unwrap();
    session.writer.append(earlier, &line(r#"{"type":"agent_event","event":{"n":1}}"#)).unwrap();
    session.writer.append(earlier, &line(r#"{"type":"turn_ended","turnId":"t","stopReason":"endTurn"}"#)).unwrap();
    let page = Transcript::open(&session.folder, "none").unwrap().page(0, 10).unwrap();
    assert!(page.items.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert!(
        matches!(page.items.last().unwrap().body, ItemBody::TurnEnd { duration_ms: None, .. }),
        "unknown, not negative"
    );
    let mut reader = JournalReader::open(&session.folder.journal()).unwrap();
    assert_eq!(reader.page_after(1, 10).unwrap().len(), 2);
    let (writer, recovery) = JournalWriter::open(&session.folder, session.folder.name().parse().unwrap(), 2).unwrap();
    assert_eq!((recovery.last_seq, writer.next_seq()), (3, 4));
}
