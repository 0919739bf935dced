//! A record in the middle of a journal that becomes unreadable, as on a disk that rots, and what must be true of it at the end: it is
//! told with its file and its line, and everything else of its session is read as before.
//!
//! Which record it was is remembered here, because nobody else can know.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use serde_json::Value;

use crate::census::Keeper;
use crate::findings::{Fault, lock};
use crate::journals::{remember_anew, seq_of};
use crate::world::{Done, Session, World, json_lines};

/// The longest stretch of a record that is overwritten, in bytes.
const STRETCH: usize = 48;

/// A record that was made unreadable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destroyed {
    pub(crate) seq: u64,
    /// The number of its line in the journal, from 1.
    pub(crate) line: u64,
    /// Only the beginning of a long string was hit, whose whole is in a file of its own: the transcript lacks nothing.
    pub(crate) has_copy: bool,
}

/// A session that nobody hosts, held so by its lease while the file is there. The search begins at `pick`.
pub(crate) fn unattended(world: &World, pick: usize) -> Option<(&Session, File)> {
    let count = world.sessions.len();
    (0..count).map(|at| &world.sessions[pick.wrapping_add(at) % count]).find_map(|session| {
        if Keeper::of(&session.folder).is_some_and(Keeper::lives) {
            return None;
        }
        let lease = File::open(session.folder.join("lease")).ok()?;
        lease.try_lock().is_ok().then_some((session, lease))
    })
}

/// Overwrites a part of one record that has others on both sides.
pub(crate) fn destroy_record(world: &World, pick: usize) -> Option<String> {
    let (session, _lease) = unattended(world, pick)?;
    if (pick / 3).is_multiple_of(2) {
        // Somebody has read the transcript before, so that its index covers the record.
        world.ask(&["logs", &session.id, "--json"]);
    }
    let path = session.folder.join("journal.ndjson");
    let before = fs::read(&path).ok()?;
    let mut destroyed = lock(&session.destroyed);
    let (line, offset, record) = middle_record(&before, &destroyed, pick)?;
    let seq = seq_of(record)?;
    let (damaged, hit) = damaged(record, pick)?;
    let has_copy = previews(record).iter().any(|preview| preview.start <= hit.start && hit.end <= preview.end);
    let file = OpenOptions::new().write(true).open(&path).ok()?;
    let mut after = before.clone();
    after[offset..offset + damaged.len()].copy_from_slice(&damaged);
    file.write_all_at(&damaged, offset as u64).ok()?;
    remember_anew(session, &world.findings, &before, &after);
    destroyed.push(Destroyed { seq, line, has_copy });
    Some(format!("record {seq} in line {line} of {}", session.id))
}

/// One that is neither the header, nor the last, nor destroyed already: the number of its line, where it begins, and its bytes.
fn middle_record<'a>(journal: &'a [u8], destroyed: &[Destroyed], pick: usize) -> Option<(u64, usize, &'a [u8])> {
    let mut offset = 0;
    let mut lines = Vec::new();
    for (number, line) in (1_u64..).zip(journal.split_inclusive(|byte| *byte == b'\n')) {
        if let Some(whole) = line.strip_suffix(b"\n") {
            lines.push((number, offset, whole));
        }
        offset += line.len();
    }
    lines.pop();
    // What tells of missing records is needed to judge the rest.
    let needed = |line: &[u8]| line.windows(15).any(|words| words == b"records_missing");
    lines.retain(|(number, _, line)| {
        seq_of(line).is_some() && destroyed.iter().all(|one| one.line != *number) && !needed(line)
    });
    (!lines.is_empty()).then(|| lines[(pick / 7) % lines.len()])
}

/// The record with a stretch of it overwritten: by zeros, as a block that was never written, or with all its bits flipped. Nobody
/// can read it any more.
fn damaged(record: &[u8], pick: usize) -> Option<(Vec<u8>, Range<usize>)> {
    let from = (pick / 11) % record.len();
    let until = record.len().min(from + 1 + (pick / 13) % STRETCH);
    let flip = |byte: &mut u8| *byte = if pick.is_multiple_of(2) { 0 } else { !*byte };
    let mut damaged = record.to_vec();
    damaged[from..until].iter_mut().for_each(flip);
    let is_readable = serde_json::from_slice::<Value>(&damaged).is_ok();
    // What was flipped may be text again by chance.
    if is_readable || damaged.contains(&b'\n') {
        damaged[from..until].fill(0);
    }
    serde_json::from_slice::<Value>(&damaged).is_err().then_some((damaged, from..until))
}

/// Where the beginnings of strings stand in a record whose whole is kept in files beside the journal.
fn previews(record: &[u8]) -> Vec<Range<usize>> {
    let record: Value = serde_json::from_slice(record).unwrap_or_default();
    let place = |blob: &Value| {
        let number = |name: &str| blob[name].as_u64().and_then(|number| usize::try_from(number).ok());
        let (from, length) = (number("offset")?, number("preview")?);
        Some(from..from + length)
    };
    record["blobs"].as_array().into_iter().flatten().filter_map(place).collect()
}

/// When everything has been stopped: what is said of destroyed records, and what is read of the rest.
pub(crate) fn check(world: &World) {
    for session in &world.sessions {
        let destroyed = lock(&session.destroyed).clone();
        if !destroyed.is_empty() {
            let records = world.ask(&["logs", &session.id, "--records", "--json"]);
            let items = world.ask(&["logs", &session.id, "--json"]);
            check_told(world, session, &destroyed, "logs --records", &records);
            check_told(world, session, &destroyed, "logs", &items);
            check_rest(world, session, &destroyed, &records, &items);
        }
    }
}

fn check_told(world: &World, session: &Session, destroyed: &[Destroyed], command: &str, done: &Done) {
    let id = &session.id;
    if done.code != Some(0) {
        let what = format!("{id}: {command} exited with {:?} over damage: {}", done.code, done.stderr);
        return world.findings.add(Fault::Broken, what);
    }
    let journal = session.folder.join("journal.ndjson");
    for Destroyed { seq, line, has_copy } in destroyed {
        if *has_copy && command == "logs" {
            continue;
        }
        if done.stderr.contains(&format!("{}, line {line}: ", journal.display())) {
            world.findings.count("destroyed records told with their line", 1);
        } else {
            let what =
                format!("{id}: {command} does not tell of record {seq}, unreadable in line {line}: {}", done.stderr);
            world.findings.add(Fault::Lost, what);
        }
    }
}

/// Every other record is read, and every other prompt is in the transcript.
fn check_rest(world: &World, session: &Session, destroyed: &[Destroyed], records: &Done, items: &Done) {
    let gone: HashSet<u64> = destroyed.iter().map(|one| one.line).collect();
    let journal = fs::read(session.folder.join("journal.ndjson")).unwrap_or_default();
    let whole = (1_u64..).zip(journal.split(|byte| *byte == b'\n'));
    let rest: Vec<&[u8]> = whole.filter(|(number, _)| !gone.contains(number)).map(|(_, line)| line).collect();
    let wanted: Vec<u64> = rest.iter().copied().filter_map(seq_of).collect();
    let read: Vec<u64> = records.stdout.lines().filter_map(|line| seq_of(line.as_bytes())).collect();
    if wanted != read {
        let differs = wanted.iter().zip(&read).find(|(wanted, read)| wanted != read);
        let counts = (wanted.len(), read.len());
        let what = format!("{}: logs --records has other records than the journal: {counts:?} {differs:?}", session.id);
        world.findings.add(Fault::Lost, what);
    }
    let shown: HashSet<u64> = json_lines(&items.stdout).iter().filter_map(|item| item["seq"].as_u64()).collect();
    for record in rest.into_iter().filter_map(|line| serde_json::from_slice::<Value>(line).ok()) {
        let seq = record["seq"].as_u64().unwrap_or(0);
        if record["line"]["type"] == "prompt" && !shown.contains(&seq) {
            let what = format!("{}: the prompt in record {seq} is not in the transcript beside damage", session.id);
            world.findings.add(Fault::Lost, what);
        }
    }
}
