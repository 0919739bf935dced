//! A disk that is full and free again, a writer that dies in between: on a real small disk, in any order.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::Command;

use jiff::Timestamp;
use outrigger_journal::reader::seq_of;
use outrigger_journal::{Appended, Backlog, Entry, JournalReader, JournalWriter, SessionFolder};
use proptest::prelude::*;
use protocol::SessionId;

/// A small disk of its own. Taken away again when the value goes.
struct Disk {
    at: tempfile::TempDir,
}

impl Disk {
    /// Nothing, and a word on stderr, where this user may not mount.
    #[allow(clippy::print_stderr, reason = "whoever runs the tests has to know what was not tested")]
    fn mount() -> Option<Self> {
        let at = tempfile::Builder::new().prefix("oj-").tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(at.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { at });
        }
        eprintln!("skipped: no disk can be mounted here");
        None
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.filler()).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        let _ = fs::remove_file(self.filler());
    }

    fn filler(&self) -> PathBuf {
        self.at.path().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.at.path()).output();
    }
}

/// A session on such a disk, and everything that its readers were shown.
struct Session<'a> {
    disk: &'a Disk,
    folder: SessionFolder,
    id: SessionId,
    generation: u64,
    limit: usize,
    open: Option<(JournalWriter, Backlog)>,
    shown: BTreeMap<u64, Vec<u8>>,
}

impl<'a> Session<'a> {
    fn begin(disk: &'a Disk, limit: usize) -> Self {
        let id = SessionId::new();
        let folder = SessionFolder::create(disk.at.path(), id).unwrap();
        let mut session = Self { disk, folder, id, generation: 0, limit, open: None, shown: BTreeMap::new() };
        session.open();
        session
    }

    /// Makes room when there is none: who opens a session on a full disk is refused, and comes again.
    fn open(&mut self) {
        self.generation += 1;
        let opened = JournalWriter::open(&self.folder, self.id, self.generation).or_else(|_| {
            self.disk.free();
            JournalWriter::open(&self.folder, self.id, self.generation)
        });
        self.open = Some((opened.unwrap().0, Backlog::new(self.limit)));
        // A reader begins with what the file has.
        let lines = lines(&self.folder);
        self.see(lines);
    }

    fn kill(&mut self) {
        self.open = None;
        self.open();
    }

    fn record(&mut self, count: usize, size: usize) {
        self.catch_up();
        let json = format!(r#"{{"type":"agent_event","pad":"{}"}}"#, "x".repeat(size));
        let (writer, backlog) = self.open.as_mut().unwrap();
        let records = writer.encode(Timestamp::now(), &vec![Entry::Line { json: &json, closes: None }; count]);
        let _ = backlog.take(writer, &records);
        assert!(writer.note_failure().is_none(), "the numbers are noted, full or not");
        self.see_new(&records);
    }

    fn catch_up(&mut self) -> bool {
        let (writer, backlog) = self.open.as_mut().unwrap();
        let caught = backlog.catch_up(writer, Timestamp::now());
        let done = caught.is_ok() && backlog.is_empty();
        if let Ok(Some(notice)) = caught {
            self.see_new(&notice);
        }
        done
    }

    /// What is shown now is new: its numbers follow the newest that anybody saw.
    fn see_new(&mut self, records: &Appended) {
        assert_eq!(self.shown.last_key_value().map_or(0, |(seq, _)| *seq) + 1, records.first, "a number is used again");
        let lines: Vec<Vec<u8>> = records.bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        assert_eq!(lines.len() as u64, records.last - records.first + 1);
        self.see(lines);
    }

    fn see(&mut self, lines: Vec<Vec<u8>>) {
        for line in lines {
            let Some(seq) = seq_of(&line) else { continue };
            if let Some(known) = self.shown.insert(seq, line.clone()) {
                assert!(known == line, "record {seq} is another one than it was");
            }
        }
    }

    /// What the file says, with what is only in memory behind it, is what was shown; then the rest is written.
    fn read_all(&mut self) -> Vec<u64> {
        let (writer, backlog) = self.open.as_ref().unwrap();
        let unwritten: Vec<u8> = backlog.records().flat_map(|records| records.bytes.to_vec()).collect();
        let end = writer.end();
        let mut reader = JournalReader::open(&self.folder.journal()).unwrap().with_unwritten(end, unwritten.into());
        let forwards = reader.page_after(0, usize::MAX).unwrap();
        let mut backwards = Vec::new();
        loop {
            let before = backwards.first().and_then(|line: &Vec<u8>| seq_of(line)).unwrap_or(0);
            let page = if before == 1 { Vec::new() } else { reader.page_before(before, 3).unwrap() };
            if page.is_empty() {
                break;
            }
            backwards.splice(0..0, page);
        }
        assert_eq!(forwards, backwards);
        forwards.iter().filter_map(|line| seq_of(line)).collect()
    }
}

fn lines(folder: &SessionFolder) -> Vec<Vec<u8>> {
    let text = fs::read(folder.journal()).unwrap();
    text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// The numbers that notices of the journal name.
fn told(folder: &SessionFolder) -> Vec<RangeInclusive<u64>> {
    let number = |text: &str| text.trim().parse::<u64>().unwrap();
    let mut ranges = Vec::new();
    for line in lines(folder) {
        let record: serde_json::Value = serde_json::from_slice(&line).unwrap();
        if record["line"]["code"] == "records_missing" {
            let text = record["line"]["text"].as_str().unwrap();
            for range in text.rsplit_once(": ").unwrap().1.trim_end_matches('.').split(", ") {
                let (first, last) = range.split_once(" to ").unwrap_or((range, range));
                ranges.push(number(first)..=number(last));
            }
        }
    }
    ranges
}

/// Every record that was shown is in the journal as it was shown, or a notice there names it; and what is there is in order.
fn judge(session: &Session<'_>) -> (usize, u64) {
    let told = told(&session.folder);
    let kept: Vec<(u64, Vec<u8>)> =
        lines(&session.folder).into_iter().filter_map(|line| Some((seq_of(&line)?, line))).collect();
    assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0), "out of order");
    let kept: BTreeMap<u64, Vec<u8>> = kept.into_iter().collect();
    for (seq, line) in &session.shown {
        let is_told = told.iter().any(|range| range.contains(seq));
        match kept.get(seq) {
            Some(there) => assert!(there == line && !is_told, "record {seq}: told missing {is_told}"),
            None => assert!(is_told, "record {seq} was shown, is not there, and nothing tells why"),
        }
    }
    let missing = told.iter().map(|range| range.end() - range.start() + 1).sum();
    assert_eq!(
        kept.len() as u64 + missing,
        session.shown.last_key_value().map_or(0, |(seq, _)| *seq),
        "a number is unaccounted for"
    );
    (kept.len(), missing)
}

#[derive(Debug, Clone)]
enum Step {
    Record { count: usize, size: usize },
    Fill,
    Free,
    CatchUp,
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_usize..4, 0_usize..9000).prop_map(|(count, size)| Step::Record { count, size }),
        2 => Just(Step::Fill),
        1 => Just(Step::Free),
        1 => Just(Step::CatchUp),
        1 => Just(Step::Kill),
    ]
}

fn run(disk: &Disk, steps: &[Step], limit: usize) -> (usize, u64) {
    let mut session = Session::begin(disk, limit);
    for step in steps {
        match step {
            Step::Record { count, size } => session.record(*count, *size),
            Step::Fill => disk.fill(),
            Step::Free => disk.free(),
            Step::CatchUp => drop(session.catch_up()),
            Step::Kill => session.kill(),
        }
        let readable = session.read_all();
        assert!(readable.iter().all(|seq| session.shown.contains_key(seq)));
    }
    disk.free();
    assert!(session.catch_up(), "there is room again");
    session.kill();
    let judged = judge(&session);
    fs::remove_dir_all(session.folder.path()).unwrap();
    judged
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_shown_is_kept_or_named(steps in proptest::collection::vec(step(), 1..40)) {
        let Some(disk) = Disk::mount() else { return Ok(()) };
        run(&disk, &steps, 60 * 1024);
    }

    #[test]
    fn nothing_is_lost_while_the_writer_lives_and_the_backlog_has_room(
        steps in proptest::collection::vec(step(), 1..20)
    ) {
        let Some(disk) = Disk::mount() else { return Ok(()) };
        let steps: Vec<Step> = steps.into_iter().filter(|step| !matches!(step, Step::Kill)).collect();
        // As much as the disk holds; one that is too small for it all would stay full.
        let bytes: usize = steps.iter().map(|step| if let Step::Record { count, size } = step { count * (size + 200) } else { 0 }).sum();
        prop_assume!(bytes < 200 * 1024);
        let (_, missing) = run(&disk, &steps, usize::MAX);
        prop_assert_eq!(missing, 0);
    }
}

#[test]
fn a_writer_that_dies_on_a_full_disk_leaves_its_numbers_to_nobody() {
    let Some(disk) = Disk::mount() else { return };
    let mut session = Session::begin(&disk, usize::MAX);
    session.record(3, 10);
    disk.fill();
    session.record(2, 5000);
    session.record(2, 5000);
    assert_eq!(session.read_all(), [1, 2, 3, 4, 5, 6, 7], "readers are shown what waits in memory");
    disk.free();
    session.kill();
    assert_eq!(told(&session.folder), [4..=7]);
    assert_eq!(session.read_all(), [1, 2, 3, 8]);
    session.kill();
    assert_eq!(told(&session.folder), [4..=7], "it is told once");
    judge(&session);
}

#[test]
fn more_than_the_backlog_holds_costs_the_oldest_and_names_them() {
    let Some(disk) = Disk::mount() else { return };
    let mut session = Session::begin(&disk, 20 * 1024);
    session.record(1, 10);
    disk.fill();
    for _ in 0..5 {
        session.record(2, 5000);
    }
    assert_eq!(session.read_all(), [1, 8, 9, 10, 11], "what was dropped is nowhere");
    disk.free();
    assert!(session.catch_up());
    assert_eq!(told(&session.folder), [2..=7]);
    assert_eq!(session.read_all(), [1, 8, 9, 10, 11, 12]);
    session.kill();
    assert_eq!(judge(&session), (6, 6));
}
