//! Where is Outrigger on this machine, and is its debug log open?
//!
//! Commands that start something need folders that can be written and say what is wrong with them. Commands that only look make do
//! with what is there.

use anyhow::{Context, Result};
use client::recovery::SettledSession;
use client::{Machine, sessions};
use discovery::Places;
use protocol::error::{ErrorCode, WireError};
use protocol::{Item, SessionId};
use transcript::Transcript;

use crate::output;

/// The machine for a command that starts something.
///
/// # Errors
/// When a folder cannot be written.
pub(crate) fn for_starting() -> Result<Machine> {
    Ok(Machine::find(Vec::new())?)
}

/// The machine for a command that only looks.
///
/// # Errors
/// When the system does not say where a user's files belong.
pub(crate) fn for_looking() -> Result<Machine> {
    let places = Places::find().map_err(|error| WireError::new(ErrorCode::DataFolder, error.to_string()))?;
    let program = std::env::current_exe().context("our own path is unknown")?;
    Ok(Machine { places, resource_dirs: Vec::new(), program })
}

/// Opens the debug log. That it cannot be opened stops nobody: what needs the folder says so itself.
pub(crate) fn debug_log() -> Option<debuglog::Guard> {
    let places = Places::find().ok()?;
    debuglog::start(&places.logs, "cli").ok()
}

/// Ends what killed keepers left, and says so in one line for each session. What cannot be done is told in the debug log.
pub(crate) async fn settle() {
    let Ok(machine) = for_looking() else { return };
    let settled = client::recovery::settle(&machine).await;
    if let Some(before) = settled.ledger_set_aside {
        let text = "The ledger was damaged. It was set aside and made anew from the session folders";
        output::to_stderr(&format!("{text}: {before}"));
    }
    if settled.sidecars > 0 {
        let text = "The owner of the tool sidecars was killed; what it had left was ended";
        output::to_stderr(&format!("{text}: {} processes.", settled.sidecars));
    }
    for session in settled.sessions {
        let id = short_ids(&machine, &[session.session]).concat();
        output::to_stderr(&words(&id, &session));
    }
}

fn words(id: &str, session: &SettledSession) -> String {
    let what =
        if session.interrupted { "was interrupted: its keeper was killed" } else { "had a keeper that was killed" };
    let ended = match session.ended.len() {
        0 => "nothing of it was still running".to_owned(),
        1 => "a process that it had left was ended".to_owned(),
        count => format!("{count} processes that it had left were ended"),
    };
    let left = match session.survivors.len() {
        0 => String::new(),
        count => format!(", {count} could not be ended"),
    };
    format!("Session {id} {what}; {ended}{left}.")
}

/// The session that an id, or its beginning, means.
///
/// # Errors
/// When there is none, or several.
pub(crate) fn session(machine: &Machine, id: &str) -> Result<SessionId> {
    Ok(sessions::find(machine, id)?)
}

/// The transcript of a session, from its journal.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn transcript(machine: &Machine, session: SessionId) -> Result<Transcript> {
    let folder = machine.folder(session);
    let failed = |why: String| WireError::new(ErrorCode::DataFolder, why);
    let meta = folder.read_meta().map_err(|error| failed(error.to_string()))?;
    let provider = meta.ok_or_else(|| sessions::no_such(&session.to_string()))?.provider;
    let adapter = client::catalog::manifest(machine, &provider).map(|manifest| manifest.adapter);
    let transcript = Transcript::open(&folder, &adapter.unwrap_or_default());
    Ok(transcript.map_err(|error| failed(error.to_string()))?)
}

/// All items of a transcript, page by page.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) fn each_item(transcript: &Transcript, mut take: impl FnMut(Item)) -> Result<()> {
    const PAGE: usize = 200;
    let mut from = 0;
    while from < transcript.total() {
        for item in transcript.page(from, PAGE)?.items {
            take(item);
        }
        from += PAGE;
    }
    Ok(())
}

/// The shortest beginnings, of 8 characters at least, that tell these sessions from all others of the machine.
pub(crate) fn short_ids(machine: &Machine, wanted: &[SessionId]) -> Vec<String> {
    let entries = std::fs::read_dir(&machine.places.sessions).into_iter().flatten().flatten();
    let mut all: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    all.sort_unstable();
    wanted.iter().map(|id| shortest(&id.to_string(), &all)).collect()
}

/// Sessions that begin in the same minute share their first eight digits. Among sorted ones, nobody shares more with one than those
/// beside it.
fn shortest(id: &str, sorted: &[String]) -> String {
    let place = sorted.partition_point(|other| other.as_str() < id);
    let before = sorted[..place].last();
    let after = sorted[place..].iter().find(|other| *other != id);
    let shared = |other: &String| id.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let length = before.into_iter().chain(after).map(|other| shared(other) + 1).max().unwrap_or(0);
    id[..length.max(8).min(id.len())].trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_as_long_as_it_must_be() {
        let all = ["01a2b3c4-0001-7000", "01a2b3c4-0101-7000", "02a2b3c4-0001-7000"].map(str::to_owned);
        assert_eq!(shortest(&all[2], &all), "02a2b3c4");
        assert_eq!(shortest(&all[0], &all), "01a2b3c4-00");
        assert_eq!(shortest(&all[1], &all), "01a2b3c4-01");
        assert_eq!(shortest("01a2b3c4-0001-7000", &["01a2b3c4-0001-7000-1".to_owned()]), "01a2b3c4-0001-7000");
        assert_eq!(shortest("03a2b3c4-0001-7000", &[]), "03a2b3c4");
    }
}
