//! Closes the session of a killed keeper: a word in the journal, the outcome in its meta, and no way to a pod any more.

use std::path::Path;

use jiff::Timestamp;
use journal::{Entry, JournalError, JournalWriter, SessionFolder};
use process::{Sweep, named};
use protocol::record::{HostRecord, NoticeLevel, Outcome};

use super::Abandoned;
use crate::machine::Machine;

/// Closes it, unless its keeper had done so before it died. The caller holds the lease. Whether it was closed now.
pub(super) fn close(folder: &SessionFolder, pod: &Abandoned, sweep: &Sweep) -> Result<bool, JournalError> {
    let Some(mut meta) = folder.read_meta()? else { return Ok(false) };
    // Another generation has taken the session over since, or its end was told already.
    let open = meta.generation == pod.generation && meta.outcome.is_none();
    if open {
        tell(folder, pod, sweep)?;
        let now = format!("{:.3}", Timestamp::now());
        meta.outcome = Some(Outcome::Interrupted);
        meta.updated_at.clone_from(&now);
        meta.ended_at = Some(now);
        folder.write_meta(&meta)?;
    }
    // Last: should this program be killed too, the next one finds the pod again.
    folder.remove_pod(pod.generation)?;
    Ok(open)
}

fn tell(folder: &SessionFolder, pod: &Abandoned, sweep: &Sweep) -> Result<(), JournalError> {
    let (mut writer, recovery) = JournalWriter::open(folder, pod.session, pod.generation)?;
    if recovery.torn > 0 {
        let text = format!("A crash had torn the journal's last line; its {} bytes were cut off.", recovery.torn);
        append(&mut writer, &notice("torn_tail", text))?;
    }
    append(&mut writer, &notice("keeper_killed", words(sweep)))?;
    let survivors = sweep.survivors.iter().map(|entry| format!("{} {}", entry.process.pid, entry.command)).collect();
    append(&mut writer, &HostRecord::Ended { outcome: Outcome::Interrupted, survivors })?;
    if let Err(error) = writer.syncer().and_then(|syncer| syncer.sync_data()) {
        tracing::warn!(%error, "fsync of the journal failed");
    }
    Ok(())
}

fn append(writer: &mut JournalWriter, record: &HostRecord) -> Result<(), JournalError> {
    writer.append(Timestamp::now(), &[Entry::Host(record)]).map(|_| ())
}

fn notice(code: &str, text: String) -> HostRecord {
    HostRecord::Notice { level: NoticeLevel::Warning, code: code.to_owned(), text }
}

fn words(sweep: &Sweep) -> String {
    let mut text = "The session broke off: the process that kept it was ended from outside. ".to_owned();
    match sweep.ended.len() {
        0 => text += "Nothing of it was still running. ",
        1 => text += &format!("It had left a process running, which was ended: {}. ", named(&sweep.ended)),
        count => text += &format!("It had left {count} processes running, which were ended: {}. ", named(&sweep.ended)),
    }
    if !sweep.survivors.is_empty() {
        text += &format!("These could not be ended: {}. ", named(&sweep.survivors));
    }
    text + "The next prompt resumes the conversation."
}

/// Removes the socket that the killed keeper left, if it is one of ours.
pub(super) fn remove_socket(machine: &Machine, pod: &Abandoned) {
    let socket = Path::new(&pod.socket);
    if socket.parent() == Some(machine.places.run.as_path()) {
        // It may be gone already.
        let _ = std::fs::remove_file(socket);
    }
}
