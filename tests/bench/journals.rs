//! Folders of sessions that were never run, for what reads many of them: the archive, and lists.
//!
//! A journal is recorded turns again and again, each round with a prompt of its own: words that are everywhere, words that are
//! nowhere else, and words of a large vocabulary that are as rare as those of a language.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::events;

/// Words that are drawn from; the one in place n comes about as often as 1 / n.
const VOCABULARY: f64 = 200_000.0;
const DRAWN: usize = 30;
const SYLLABLES: [&str; 16] =
    ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "ve"];

/// Writes `count` sessions of together `bytes`, and gives the number of rounds in all of them.
pub(crate) fn write(sessions: &Path, count: u64, bytes: u64) -> u64 {
    let round: Vec<String> = events::round().lines().map(str::to_owned).collect();
    let mut random = fastrand::Rng::with_seed(7);
    let mut rounds = 0;
    for number in 0..count {
        let mut file = begin(sessions, number, "claude", "/w");
        let (mut seq, mut written) = (0_u64, 0_u64);
        while written < bytes / count {
            rounds += 1;
            let prompt = prompt(rounds, &mut random);
            for (src, line) in std::iter::once(("host", &prompt)).chain(round.iter().map(|line| ("runner", line))) {
                seq += 1;
                let at = moment(number, seq);
                let record = format!(r#"{{"seq":{seq},"at":"{at}","src":"{src}","gen":1,"line":{line}}}"#);
                writeln!(file, "{record}").unwrap();
                written += record.len() as u64 + 1;
            }
        }
        file.flush().unwrap();
    }
    rounds
}

/// Writes `count` sessions of one short turn each, in a workspace, that ended long ago.
pub(crate) fn write_short(sessions: &Path, count: u64, workspace: &str) {
    let mut random = fastrand::Rng::with_seed(7);
    for number in 0..count {
        let mut file = begin(sessions, number, "demo", workspace);
        let prompt = prompt(number + 1, &mut random);
        let end = r#"{"type":"turn_ended","sessionId":"s","turnId":"t1","stopReason":"endTurn"}"#;
        for (seq, (src, line)) in [("host", prompt.as_str()), ("runner", end)].into_iter().enumerate() {
            let (seq, at) = (seq + 1, moment(number, seq as u64 + 1));
            writeln!(file, r#"{{"seq":{seq},"at":"{at}","src":"{src}","gen":1,"line":{line}}}"#).unwrap();
        }
        file.flush().unwrap();
    }
}

/// The word that stands in one round and nowhere else.
pub(crate) fn rare(round: u64) -> String {
    format!("lantern{round}")
}

fn prompt(round: u64, random: &mut fastrand::Rng) -> String {
    let drawn: Vec<String> = (0..DRAWN).map(|_| word(VOCABULARY.powf(random.f64()) as u64)).collect();
    let text = format!(
        "In the lighthouse the keeper {} asks for lens{} and lamp{}: {}",
        rare(round),
        round % 97,
        round % 1009,
        drawn.join(" ")
    );
    format!(r#"{{"type":"prompt","text":"{text}","delivery":"prompt","from":null,"promptId":"p"}}"#)
}

/// The word in a place of the vocabulary.
fn word(mut place: u64) -> String {
    let mut word = String::from("w");
    loop {
        word.push_str(SYLLABLES[(place % 16) as usize]);
        place /= 16;
        if place == 0 {
            return word;
        }
    }
}

fn begin(sessions: &Path, number: u64, provider: &str, workspace: &str) -> BufWriter<File> {
    let id = format!("019a0000-0000-7000-8000-{number:012x}");
    let folder = sessions.join(&id);
    std::fs::create_dir_all(&folder).unwrap();
    let at = moment(number, 0);
    let meta = serde_json::json!({"session": id, "provider": provider, "workspace": workspace, "cwd": workspace,
        "title": format!("Session {number}"), "createdAt": at, "updatedAt": at, "endedAt": at, "outcome": "done",
        "generation": 1, "start": {"provider": provider, "cwd": workspace}});
    std::fs::write(folder.join("meta.json"), meta.to_string()).unwrap();
    let mut file = BufWriter::with_capacity(1 << 20, File::create(folder.join("journal.ndjson")).unwrap());
    writeln!(file, r#"{{"type":"journal","format":1,"session":"{id}"}}"#).unwrap();
    file
}

fn moment(number: u64, seq: u64) -> String {
    format!("2026-11-{:02}T{:02}:{:02}:{:02}.000Z", 1 + number % 20, seq / 3600 % 24, seq / 60 % 60, seq % 60)
}
