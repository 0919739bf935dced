//! Compressed sessions from outside: they read, index and resume as before, and a crash between any two steps costs nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use outrigger_journal::retention::{Compressed, compress, compress_old, compress_when_due};
use outrigger_journal::{Entry, JournalError, JournalReader, JournalWriter, Lease, SessionFolder};
use protocol::SessionId;
use protocol::limits::COMPRESS_AFTER;
use protocol::record::HostRecord;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A session with some records.
fn session(sessions: &Path) -> (SessionFolder, SessionId) {
    let session = SessionId::new();
    let folder = SessionFolder::create(sessions, session).unwrap();
    let (mut writer, _) = JournalWriter::open(&folder, session, 1).unwrap();
    for n in 0..500 {
        let json = format!(r#"{{"type":"agent_event","n":{n},"pad":"{}"}}"#, "words and words ".repeat(n % 60));
        writer.append(Timestamp::now(), &[Entry::Line { json: &json, closes: None }]).unwrap();
    }
    (folder, session)
}

/// Notes in `meta.json` that it was last used and ended so long ago.
fn end(folder: &SessionFolder, session: SessionId, ago: SignedDuration) {
    let at = format!("{:.3}", Timestamp::now() - ago);
    let meta = serde_json::json!({
        "session": session, "provider": "demo", "workspace": "/w", "cwd": "/w", "title": "", "createdAt": at, "updatedAt": at,
        "endedAt": at, "outcome": "done", "generation": 1, "start": {"provider": "demo", "cwd": "/w"},
    });
    fs::write(folder.meta(), meta.to_string()).unwrap();
    folder.read_meta().unwrap().unwrap();
}

fn bytes(folder: &SessionFolder) -> Vec<u8> {
    let mut forward = JournalReader::open(&folder.journal()).unwrap().forward(0).unwrap();
    let mut all = Vec::new();
    while let Some((_, line)) = forward.next().unwrap() {
        all.extend_from_slice(line);
        all.push(b'\n');
    }
    all
}

fn old(sessions: &Path) -> Compressed {
    compress_old(sessions, COMPRESS_AFTER, Timestamp::now(), 20).unwrap()
}

#[test]
fn a_compressed_session_reads_both_ways_and_resumes() {
    let root = tempfile::tempdir().unwrap();
    let (folder, id) = session(root.path());
    let before = fs::read(folder.journal()).unwrap();
    let (size, compressed) = compress(&folder).unwrap().unwrap();
    assert_eq!(size, before.len() as u64);
    assert!(compressed * 10 < size, "{compressed} of {size}");
    assert!(!folder.journal().exists() && folder.has_journal());
    assert_eq!(compress(&folder).unwrap(), None);

    let mut reader = JournalReader::open(&folder.journal()).unwrap();
    assert_eq!(reader.length().unwrap(), size, "offsets stay what they were");
    assert_eq!(bytes(&folder), before);
    assert_eq!(reader.page_after(100, 3).unwrap().len(), 3);
    assert_eq!(reader.page_before(0, 7).unwrap().len(), 7);
    assert_eq!(reader.last_seq().unwrap(), 500);
    let mut names = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect::<Vec<_>>();
    names.sort();
    assert_eq!(names, ["journal.ndjson.zst", "lease", "shown.json"], "readers leave nothing");

    let (mut writer, recovery) = JournalWriter::open(&folder, id, 2).unwrap();
    assert_eq!((recovery.last_seq, recovery.torn), (500, 0));
    assert!(folder.journal().exists() && !folder.compressed().exists());
    assert_eq!(fs::read(folder.journal()).unwrap(), before);
    writer.append(Timestamp::now(), &[Entry::Host(&HostRecord::InterruptAsked)]).unwrap();
    assert_eq!(JournalReader::open(&folder.journal()).unwrap().last_seq().unwrap(), 501);
}

#[test]
fn a_reader_that_began_before_reads_on() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = session(root.path());
    let mut reader = JournalReader::open(&folder.journal()).unwrap();
    compress(&folder).unwrap();
    assert_eq!(reader.page_after(0, 1000).unwrap().len(), 500);
}

#[test]
fn a_crash_at_any_step_leaves_a_readable_session() {
    let root = tempfile::tempdir().unwrap();
    let (folder, id) = session(root.path());
    let before = fs::read(folder.journal()).unwrap();
    // While it is being written beside.
    fs::write(folder.path().join("journal.ndjson.zst.part"), b"half").unwrap();
    assert_eq!(bytes(&folder), before);
    compress(&folder).unwrap().unwrap();
    assert!(!folder.path().join("journal.ndjson.zst.part").exists());
    // Renamed, and the plain one not removed yet; the plain one may even have grown since.
    let mut longer = before.clone();
    longer.extend_from_slice(b"{\"seq\":501,\"at\":\"t\",\"src\":\"host\",\"gen\":2,\"line\":{}}\n");
    fs::write(folder.journal(), &longer).unwrap();
    assert_eq!(bytes(&folder), longer, "the plain one wins");
    let (writer, recovery) = JournalWriter::open(&folder, id, 3).unwrap();
    assert_eq!(recovery.last_seq, 501);
    assert!(!folder.compressed().exists(), "the older one is gone with the next opening");
    drop(writer);
    compress(&folder).unwrap().unwrap();
    // While it is being restored.
    fs::write(folder.path().join("journal.ndjson.part"), b"half").unwrap();
    assert_eq!(bytes(&folder), longer);
    JournalWriter::open(&folder, id, 4).unwrap();
    assert_eq!(fs::read(folder.journal()).unwrap(), longer);
    assert!(!folder.path().join("journal.ndjson.part").exists());
}

#[test]
fn a_damaged_or_newer_compressed_journal_is_refused_and_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let (folder, id) = session(root.path());
    let newer = fs::read_to_string(folder.journal()).unwrap().replacen("\"format\":1", "\"format\":2", 1);
    fs::write(folder.journal(), newer).unwrap();
    compress(&folder).unwrap().unwrap();
    let whole = fs::read(folder.compressed()).unwrap();
    assert!(matches!(JournalWriter::open(&folder, id, 2), Err(JournalError::NewerFormat { found: 2, .. })));
    assert_eq!(JournalReader::open(&folder.journal()).unwrap().last_seq().unwrap(), 500, "it can be read");
    fs::write(folder.compressed(), &whole[..whole.len() / 2]).unwrap();
    let message = JournalReader::open(&folder.journal()).unwrap_err().to_string();
    assert!(message.contains("unpack") && message.contains("journal.ndjson.zst"), "{message}");
    JournalWriter::open(&folder, id, 2).unwrap_err();
    assert_eq!(fs::metadata(folder.compressed()).unwrap().len(), whole.len() as u64 / 2);
    assert!(!folder.journal().exists() && !folder.path().join("journal.ndjson.part").exists());
}

#[test]
fn only_sessions_that_ended_long_ago_are_compressed() {
    let root = tempfile::tempdir().unwrap();
    let all: Vec<_> = (0..5).map(|_| session(root.path())).collect();
    end(&all[0].0, all[0].1, DAY * 31);
    end(&all[1].0, all[1].1, DAY * 29);
    end(&all[2].0, all[2].1, -DAY * 400); // Its clock was ahead, or ours was set back.
    end(&all[3].0, all[3].1, DAY * 31);
    let lease = Lease::take(&all[3].0).unwrap();
    // The last one has no meta.json: nothing is known of it.
    let done = old(root.path());
    assert_eq!((done.sessions, done.failed), (1, 0));
    assert!(done.before > 10 * done.after);
    let compressed: Vec<bool> = all.iter().map(|(folder, _)| folder.compressed().exists()).collect();
    assert_eq!(compressed, [true, false, false, false, false]);
    drop(lease);
    fs::write(all[3].0.pod(), "{}").unwrap();
    assert_eq!(old(root.path()).sessions, 0, "a pod that may live");
    fs::remove_file(all[3].0.pod()).unwrap();
    assert_eq!(compress_old(root.path(), COMPRESS_AFTER, Timestamp::now(), 0).unwrap().sessions, 0);
    assert_eq!(old(root.path()).sessions, 1);
}

#[test]
fn a_look_is_due_once_a_day_whatever_the_clock_did() {
    let root = tempfile::tempdir().unwrap();
    assert!(compress_when_due(root.path()).unwrap().is_some());
    assert!(compress_when_due(root.path()).unwrap().is_none());
    let (folder, id) = session(root.path());
    end(&folder, id, DAY * 31);
    let stamp = File::options().write(true).open(root.path().join(".compressed")).unwrap();
    let day = Duration::from_secs(25 * 60 * 60);
    stamp.set_modified(SystemTime::now() + 10 * day).unwrap();
    assert_eq!(compress_when_due(root.path()).unwrap().unwrap().sessions, 1, "a stamp from the future");
    assert!(compress_when_due(root.path()).unwrap().is_none());
    stamp.set_modified(SystemTime::now() - day).unwrap();
    assert_eq!(compress_when_due(root.path()).unwrap().unwrap(), Compressed::default());
    assert_eq!(SessionFolder::list(root.path()).unwrap().len(), 1, "the stamp is no session");
}
