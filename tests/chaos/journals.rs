//! Records as readers saw them, against the journals as they are.
//!
//! A record is compared by its content, whatever the order of its fields: a live reader gets the parsed record. That the journal
//! itself only grows is checked byte by byte.

use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::hash::Hasher;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::RangeInclusive;

use serde_json::Value;

use crate::findings::{Fault, Findings, lock};
use crate::world::Session;

/// What is known of one session's records from outside.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The content of each record that a reader was shown.
    records: HashMap<u64, u64>,
    /// Numbers that a reader was not shown between two that it was: first, last.
    gaps: Vec<(u64, u64)>,
    /// The journal's length and the state of its bytes' hash at each mark.
    marks: Vec<(u64, DefaultHasher)>,
}

impl Seen {
    /// A reader was shown a record. Another reader may have been shown it before: then it was the same.
    pub(crate) fn record(&mut self, seq: u64, record: &Value) -> bool {
        let content = content(record);
        match self.records.entry(seq) {
            Entry::Occupied(known) => *known.get() == content,
            Entry::Vacant(new) => {
                new.insert(content);
                true
            }
        }
    }

    pub(crate) fn gap(&mut self, first: u64, last: u64) {
        self.gaps.push((first, last));
    }
}

/// Remembers the whole lines that the journal has now.
pub(crate) fn mark(session: &Session, findings: &Findings) {
    let mut seen = lock(&session.seen);
    let (from, mut hasher) = seen.marks.last().cloned().unwrap_or_default();
    let Ok(mut file) = File::open(session.folder.join("journal.ndjson")) else { return };
    let mut bytes = Vec::new();
    let read = file.seek(SeekFrom::Start(from)).and_then(|_| file.read_to_end(&mut bytes));
    if read.is_err() || file.metadata().is_ok_and(|file| file.len() < from) {
        findings.add(
            Fault::Lost,
            format!("{}: the journal is shorter than the {from} bytes of whole records it had", session.id),
        );
        return;
    }
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else { return };
    hasher.write(&bytes[..=end]);
    seen.marks.push((from + end as u64 + 1, hasher));
}

/// After the journal was changed from outside: it must have been what it was, and is what it is from now on.
pub(crate) fn remember_anew(session: &Session, findings: &Findings, before: &[u8], after: &[u8]) {
    let mut seen = lock(&session.seen);
    for (length, then) in std::mem::take(&mut seen.marks) {
        let mut hasher = DefaultHasher::new();
        let is = before.get(..usize::try_from(length).unwrap_or(usize::MAX)).map(|bytes| {
            hasher.write(bytes);
            hasher.finish()
        });
        if is != Some(then.finish()) {
            let what = format!("{}: the first {length} bytes of the journal are not what they were", session.id);
            findings.add(Fault::Lost, what);
        }
    }
    let Some(end) = after.iter().rposition(|byte| *byte == b'\n') else { return };
    let mut hasher = DefaultHasher::new();
    hasher.write(&after[..=end]);
    seen.marks.push((end as u64 + 1, hasher));
}

/// The last judgement on one session's journal, when nobody writes any more.
pub(crate) fn judge(session: &Session, findings: &Findings) {
    let path = session.folder.join("journal.ndjson");
    let mut journal = match File::open(&path) {
        Ok(file) => BufReader::with_capacity(256 * 1024, file),
        Err(error) => return findings.add(Fault::Lost, format!("{}: {error}", path.display())),
    };
    let mut seen = lock(&session.seen);
    let mut judgement = Judgement {
        session,
        findings,
        last: 0,
        lines: 0,
        missing: Vec::new(),
        told: Vec::new(),
        destroyed: lock(&session.destroyed).iter().map(|one| (one.line, one.seq)).collect(),
        marks: std::mem::take(&mut seen.marks),
    };
    let (mut line, mut length, mut hasher) = (Vec::new(), 0, DefaultHasher::new());
    judgement.marks.reverse();
    while journal.read_until(b'\n', &mut line).is_ok_and(|size| size > 0) {
        length += line.len() as u64;
        hasher.write(&line);
        judgement.mark(length, &hasher);
        judgement.line(&line, length, &mut seen);
        line.clear();
    }
    if !judgement.marks.is_empty() {
        findings.add(Fault::Lost, format!("{}: the journal has {length} bytes and had more", session.id));
    }
    judgement.lacks();
    judgement.unseen(&seen);
}

struct Judgement<'a> {
    session: &'a Session,
    findings: &'a Findings,
    last: u64,
    lines: u64,
    /// Records that the harness made unreadable: their numbers, by their lines.
    destroyed: HashMap<u64, u64>,
    /// Numbers that the journal does not have.
    missing: Vec<RangeInclusive<u64>>,
    /// Numbers that the journal says it does not have.
    told: Vec<RangeInclusive<u64>>,
    /// Newest first.
    marks: Vec<(u64, DefaultHasher)>,
}

impl Judgement<'_> {
    fn mark(&mut self, length: u64, hasher: &DefaultHasher) {
        let Some((at, then)) = self.marks.last().filter(|(at, _)| *at <= length) else { return };
        if *at != length || then.finish() != hasher.finish() {
            let what = format!("{}: the first {at} bytes of the journal are not what they were", self.session.id);
            self.findings.add(Fault::Lost, what);
        }
        self.marks.pop();
    }

    fn line(&mut self, line: &[u8], end: u64, seen: &mut Seen) {
        let id = &self.session.id;
        if line.last() != Some(&b'\n') {
            return self.findings.add(Fault::Broken, format!("{id}: the journal ends at {end} with half a line"));
        }
        self.lines += 1;
        if let Some(seq) = self.destroyed.get(&self.lines).copied() {
            seen.records.remove(&seq);
            self.last = self.last.max(seq);
            return;
        }
        let Some(seq) = seq_of(line) else {
            if self.last > 0 || !line.starts_with(b"{\"type\":\"journal\"") {
                self.findings
                    .add(Fault::Broken, format!("{id}: the line that ends at {end} is no record: {}", beginning(line)));
            }
            return;
        };
        self.findings.count("records in journals", 1);
        let record = serde_json::from_slice::<Value>(line).ok();
        self.number(seq);
        self.told.extend(record.iter().flat_map(told_missing));
        let Some(shown) = seen.records.remove(&seq) else { return };
        // A line with half a surrogate pair is kept as it came and shown with a replacement, so only its number can be compared.
        if record.is_some_and(|record| content(&record) != shown) {
            let what = format!("{id}: record {seq} in the journal is not what a reader was shown: {}", beginning(line));
            self.findings.add(Fault::Lost, what);
        }
        self.findings.count("records compared with what was shown", 1);
    }

    /// Numbers count up.
    fn number(&mut self, seq: u64) {
        if seq <= self.last {
            let what = format!("{}: record {seq} stands behind record {} in the journal", self.session.id, self.last);
            self.findings.add(Fault::Repeated, what);
        } else if seq > self.last + 1 {
            self.missing.push(self.last + 1..=seq - 1);
        }
        self.last = self.last.max(seq);
    }

    /// What the journal lacks it says itself, and it says of nothing else that it lacks it.
    fn lacks(&self) {
        let id = &self.session.id;
        let is_in = |ranges: &[RangeInclusive<u64>], seq: u64| ranges.iter().any(|range| range.contains(&seq));
        let all = |ranges: &[RangeInclusive<u64>]| ranges.iter().cloned().flatten().collect::<BTreeSet<u64>>();
        let untold: Vec<u64> = all(&self.missing).into_iter().filter(|seq| !is_in(&self.told, *seq)).collect();
        if !untold.is_empty() {
            let what = format!("{id}: records {untold:?} are missing in the journal, and nothing tells why");
            self.findings.add(Fault::Lost, what);
        }
        let (gone, there): (Vec<u64>, Vec<u64>) = all(&self.told).into_iter().partition(|seq| self.is_gone(*seq));
        self.findings.count("records that a death on a full disk took, told", gone.len() as u64);
        if !there.is_empty() {
            let what = format!("{id}: the journal says that it lacks records {there:?}, which it has");
            self.findings.add(Fault::Broken, what);
        }
    }

    /// What readers were shown and the journal does not have, and the other way round.
    fn unseen(&self, seen: &Seen) {
        let id = &self.session.id;
        let is_told = |seq: &u64| self.told.iter().any(|range| range.contains(seq));
        let mut lost: Vec<u64> = seen.records.keys().copied().filter(|seq| !is_told(seq)).collect();
        if !lost.is_empty() {
            lost.sort_unstable();
            let what = format!("{id}: {} records were shown and are not in the journal: {lost:?}", lost.len());
            self.findings.add(Fault::Lost, what);
        }
        for (first, last) in &seen.gaps {
            if !(*first..=*last).all(|seq| self.is_gone(seq)) {
                self.findings.add(Fault::Lost, format!("{id}: a reader was not shown records {first} to {last}"));
            }
        }
    }

    /// Whether nobody can be shown a record: the journal tells that it was not written, or it was made unreadable.
    fn is_gone(&self, seq: u64) -> bool {
        self.missing.iter().any(|range| range.contains(&seq)) || self.destroyed.values().any(|gone| *gone == seq)
    }
}

/// The numbers at the end of a notice that tells of missing records: `…: 3 to 9, 12.`
fn told_missing(record: &Value) -> Vec<RangeInclusive<u64>> {
    let text = record["line"]["text"].as_str().filter(|_| record["line"]["code"] == "records_missing");
    let Some((_, numbers)) = text.and_then(|text| text.trim_end_matches('.').rsplit_once(": ")) else {
        return Vec::new();
    };
    let range = |text: &str| {
        let (first, last) = text.split_once(" to ").unwrap_or((text, text));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    numbers.split(", ").filter_map(range).collect()
}

/// The number that a record's line begins with.
pub(crate) fn seq_of(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(b"{\"seq\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

fn beginning(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned()
}

fn content(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    add(value, &mut hasher);
    hasher.finish()
}

fn add(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Null => hasher.write_u8(0),
        Value::Bool(yes) => hasher.write_u8(1 + u8::from(*yes)),
        Value::Number(number) => hasher.write(number.to_string().as_bytes()),
        Value::String(text) => {
            hasher.write_usize(text.len());
            hasher.write(text.as_bytes());
        }
        Value::Array(values) => {
            hasher.write_usize(values.len());
            values.iter().for_each(|value| add(value, hasher));
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            hasher.write_usize(fields.len());
            for (name, value) in fields {
                hasher.write(name.as_bytes());
                add(value, hasher);
            }
        }
    }
}
