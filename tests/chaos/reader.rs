//! One reader of one session: `outrigger logs --follow --records`, started again from its last record whenever it has ended, as a
//! window would. What it is shown is remembered; what it should not be shown is a finding at once.

use std::fs;
use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::findings::{Fault, lock};
use crate::world::{Done, Role, Session, World};

/// Follows the session until all sessions have been stopped, and then reads what is left.
pub(crate) fn follow(world: &World, session: &Session) {
    let mut last = 0;
    while !world.all_stopped() {
        let length = length_of(session);
        read(world, session, &mut last, true);
        // A session that is not live and has nothing new is not asked again and again.
        while !world.all_stopped() && !session.live.load(Ordering::SeqCst) && length_of(session) == length {
            world.wait_for_look();
        }
        if !world.all_stopped() && last_is_all(session, length) {
            world.wait_for_look();
        }
    }
    let done = read(world, session, &mut last, false);
    if done.code != Some(0) {
        let what = format!("{}: the last reading exited with {:?}: {}", session.id, done.code, done.stderr);
        world.findings.add(Fault::Broken, what);
    }
}

/// Nothing was written while it was read: the next look tells whether there is more to come.
fn last_is_all(session: &Session, length_before: u64) -> bool {
    length_of(session) == length_before
}

fn length_of(session: &Session) -> u64 {
    fs::metadata(session.folder.join("journal.ndjson")).map_or(0, |file| file.len())
}

fn read(world: &World, session: &Session, last: &mut u64, follows: bool) -> Done {
    let from = last.to_string();
    let mut args = vec!["logs", &session.id, "--records", "--json", "--from-seq", &from];
    if follows {
        args.push("--follow");
    }
    world.findings.count("readers started", 1);
    world.run(Role::Reader, &args, |line| shown(world, session, last, &line))
}

fn shown(world: &World, session: &Session, last: &mut u64, line: &[u8]) {
    let record: Value = match serde_json::from_slice(line) {
        Ok(record) => record,
        // The journal keeps a line as it came, also with half a surrogate pair in it; its number is there all the same.
        Err(_) => Value::Null,
    };
    let seq = crate::journals::seq_of(line).or(record["seq"].as_u64());
    let Some(seq) = seq else {
        let what = format!("{}: a reader was shown no record: {}", session.id, String::from_utf8_lossy(line));
        return world.findings.add(Fault::Broken, what);
    };
    world.findings.count("records shown to readers", 1);
    let mut seen = lock(&session.seen);
    if seq <= *last {
        world
            .findings
            .add(Fault::Repeated, format!("{}: a reader was shown record {seq} after record {last}", session.id));
        return;
    }
    if seq > *last + 1 {
        seen.gap(*last + 1, seq - 1);
    }
    *last = seq;
    if !record.is_null() && !seen.record(seq, &record) {
        world.findings.add(Fault::Repeated, format!("{}: two readers were shown different records {seq}", session.id));
    }
}
