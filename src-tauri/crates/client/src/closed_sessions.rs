//! What is known of sessions that are over, so that a further look at the list need not read them again.
//!
//! Responsible for telling when one has to be read all the same: its meta was replaced, or it has a pod again. What a session is
//! doing, it does not know.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::SystemTime;

use journal::SessionFolder;
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::session::{SessionMeta, SessionSummary};

use crate::machine::Machine;
use crate::sessions;

/// Tells one state of a meta file from another.
type Stamp = (SystemTime, u64);

/// See the module.
#[derive(Default)]
pub(crate) struct ClosedSessions {
    known: HashMap<SessionId, (Stamp, SessionSummary)>,
}

/// All sessions, and which of them were asked anew.
pub(crate) struct Looked {
    /// The newest first.
    pub(crate) list: Vec<SessionSummary>,
    pub(crate) asked: HashSet<SessionId>,
}

/// One that has to be asked.
struct Open {
    folder: SessionFolder,
    meta: SessionMeta,
    stamp: Option<Stamp>,
}

impl ClosedSessions {
    /// Looks at all sessions of a machine.
    ///
    /// # Errors
    /// When the folder of sessions cannot be listed. Then nothing is known afterwards.
    pub(crate) async fn look(&mut self, machine: &Machine) -> Result<Looked, WireError> {
        let (machine, known) = (machine.clone(), std::mem::take(&mut self.known));
        // Thousands of files are looked at.
        let sorted = tokio::task::spawn_blocking(move || sorted(&machine, known)).await;
        let failed = |error: String| WireError::new(ErrorCode::DataFolder, error);
        let (known, open) = sorted.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
        self.known = known;
        let mut list: Vec<SessionSummary> = self.known.values().map(|(_, summary)| summary.clone()).collect();
        // All pods are asked at once: one that is stuck costs its own limit, not the sum.
        let asked: Vec<_> = open.into_iter().map(|open| tokio::spawn(ask(open))).collect();
        let mut ids = HashSet::with_capacity(asked.len());
        for answer in asked {
            let Ok((stamp, summary)) = answer.await else { continue };
            ids.insert(summary.session);
            if let Some(stamp) = stamp {
                self.known.insert(summary.session, (stamp, summary.clone()));
            }
            list.push(summary);
        }
        list.sort_unstable_by_key(|summary| std::cmp::Reverse(summary.session));
        Ok(Looked { list, asked: ids })
    }
}

type Known = HashMap<SessionId, (Stamp, SessionSummary)>;

/// Those that are as they were, and those that have to be asked.
fn sorted(machine: &Machine, mut before: Known) -> Result<(Known, Vec<Open>), String> {
    let folders = SessionFolder::list(&machine.places.sessions).map_err(|error| error.to_string())?;
    let (mut known, mut open) = (Known::with_capacity(before.len()), Vec::new());
    for (session, folder) in folders {
        // Before the file is read: what is written meanwhile has another one.
        let stamp = stamp(&folder);
        let as_it_was = before.remove(&session).filter(|(then, _)| Some(*then) == stamp && !folder.pod().exists());
        if let Some(one) = as_it_was {
            known.insert(session, one);
        } else if let Some(meta) = sessions::readable_meta(&folder) {
            open.push(Open { folder, meta, stamp });
        }
    }
    Ok((known, open))
}

/// With the stamp when it is over: it has an outcome, and no way to a pod is left.
async fn ask(open: Open) -> (Option<Stamp>, SessionSummary) {
    let is_over = open.meta.outcome.is_some() && !open.folder.pod().exists();
    let summary = sessions::summary_of(&open.folder, open.meta).await;
    (open.stamp.filter(|_| is_over), summary)
}

fn stamp(folder: &SessionFolder) -> Option<Stamp> {
    let file = fs::metadata(folder.meta()).ok()?;
    Some((file.modified().ok()?, file.len()))
}

#[cfg(test)]
mod tests {
    use protocol::record::Outcome;
    use protocol::session::{Liveness, StartSession};
    use serde_json::json;

    use super::*;

    fn machine(home: &std::path::Path) -> Machine {
        let places = discovery::Places::under(home);
        places.prepare().unwrap();
        Machine { places, resource_dirs: Vec::new(), program: home.join("no-keeper-may-be-started") }
    }

    fn session(machine: &Machine, title: &str, outcome: Option<&str>) -> SessionFolder {
        let id = SessionId::new();
        let folder = SessionFolder::create(&machine.places.sessions, id).unwrap();
        write(&folder, id, title, outcome);
        folder
    }

    fn write(folder: &SessionFolder, id: SessionId, title: &str, outcome: Option<&str>) {
        let at = "2026-11-01T00:00:00.000Z";
        let meta = json!({"session": id, "provider": "demo", "workspace": "/w", "cwd": "/w", "title": title, "createdAt": at,
            "updatedAt": at, "endedAt": outcome.map(|_| at), "outcome": outcome, "generation": 1,
            "start": StartSession::new("demo", "/w")});
        folder.write_meta(&serde_json::from_value(meta).unwrap()).unwrap();
    }

    #[tokio::test]
    async fn only_what_may_have_changed_is_asked_again() {
        let home = tempfile::tempdir().unwrap();
        let machine = machine(home.path());
        let (over, unclosed) = (session(&machine, "over", Some("stopped")), session(&machine, "unclosed", None));
        let mut closed = ClosedSessions::default();
        let first = closed.look(&machine).await.unwrap();
        assert_eq!((first.list.len(), first.asked.len()), (2, 2));
        assert_eq!(first.list[0].title, "unclosed", "the newest is first");
        let outcome = |summary: &SessionSummary| summary.liveness.clone();
        assert!(matches!(outcome(&first.list[1]), Liveness::Ended { outcome: Outcome::Stopped, .. }));
        let again = closed.look(&machine).await.unwrap();
        assert_eq!((again.list.len(), again.asked.len()), (2, 1), "one that nobody closed may come to life");
        let id = first.list[1].session;
        write(&over, id, "another name", Some("stopped"));
        let renamed = closed.look(&machine).await.unwrap();
        assert_eq!((renamed.list[1].title.as_str(), renamed.asked.len()), ("another name", 2));
        fs::write(over.pod(), "{}").unwrap();
        assert!(closed.look(&machine).await.unwrap().asked.contains(&id), "it has a pod again");
        fs::remove_dir_all(over.path()).unwrap();
        fs::remove_dir_all(unclosed.path()).unwrap();
        assert!(closed.look(&machine).await.unwrap().list.is_empty());
    }
}
