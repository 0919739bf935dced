//! Which permission requests wait, of all sessions of all workspaces, with what exactly each asks?
//!
//! The list of sessions says who waits; each of those is asked for its requests when it changed, all at the same time. What a pod
//! that does not answer had asked before stays known.

use std::collections::HashMap;
use std::time::Duration;

use client::Machine;
use protocol::SessionId;
use protocol::desk::WaitingRequest;
use protocol::error::WireError;
use protocol::pod::PendingPermission;
use protocol::session::{Liveness, SessionSummary};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::Sessions;

/// A pod that did not answer is asked again after this time, while it is said to wait.
const AGAIN: Duration = Duration::from_secs(2);

/// Requests that wait, the oldest first.
pub(crate) type Requests = watch::Receiver<Vec<WaitingRequest>>;

/// The requests from now on, as long as the list of sessions is kept.
pub(crate) fn watch(machine: Machine, sessions: Sessions) -> Requests {
    let (sender, receiver) = watch::channel(Vec::new());
    tauri::async_runtime::spawn(async move {
        let desk = Desk { machine, list: Vec::new(), known: HashMap::new(), asked: JoinSet::new() };
        desk.run(sessions, sender).await;
    });
    receiver
}

struct Desk {
    machine: Machine,
    list: Vec<SessionSummary>,
    known: HashMap<SessionId, Known>,
    asked: JoinSet<Answer>,
}

/// What a session that waits asks, by its last answer.
#[derive(Default)]
struct Known {
    /// The state for which it was asked last; another one is asked again.
    version: Option<(String, Liveness)>,
    requests: Vec<PendingPermission>,
}

struct Answer {
    session: SessionId,
    requests: Result<Vec<PendingPermission>, WireError>,
}

impl Desk {
    async fn run(mut self, mut sessions: Sessions, told: watch::Sender<Vec<WaitingRequest>>) {
        loop {
            let list = sessions.borrow_and_update().clone();
            self.take(list);
            loop {
                self.tell(&told);
                tokio::select! {
                    changed = sessions.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        break;
                    }
                    Some(Ok(answer)) = self.asked.join_next() => self.note(answer),
                }
            }
        }
    }

    fn take(&mut self, list: Vec<SessionSummary>) {
        self.list = list;
        let waiting: Vec<&SessionSummary> = self.list.iter().filter(|summary| waits(summary)).collect();
        self.known.retain(|session, _| waiting.iter().any(|summary| summary.session == *session));
        for summary in waiting {
            let version = (summary.updated_at.clone(), summary.liveness.clone());
            let known = self.known.entry(summary.session).or_default();
            if known.version.as_ref() != Some(&version) {
                known.version = Some(version);
                self.asked.spawn(ask(self.machine.clone(), summary.session, Duration::ZERO));
            }
        }
    }

    fn note(&mut self, Answer { session, requests }: Answer) {
        let Some(known) = self.known.get_mut(&session) else { return };
        match requests {
            Ok(requests) => known.requests = requests,
            Err(error) => {
                tracing::debug!(%session, %error, "a session that waits did not say for what; it is asked again");
                self.asked.spawn(ask(self.machine.clone(), session, AGAIN));
            }
        }
    }

    fn tell(&self, told: &watch::Sender<Vec<WaitingRequest>>) {
        let now = self.requests();
        told.send_if_modified(|before| {
            let is_other = *before != now;
            *before = now;
            is_other
        });
    }

    fn requests(&self) -> Vec<WaitingRequest> {
        let of = |summary: &SessionSummary| {
            let requests = self.known.get(&summary.session).map(|known| known.requests.clone()).unwrap_or_default();
            let lineage = lineage(summary, &self.list);
            let summary = summary.clone();
            requests.into_iter().map(move |request| WaitingRequest {
                summary: summary.clone(),
                lineage: lineage.clone(),
                request,
            })
        };
        let mut requests: Vec<WaitingRequest> =
            self.list.iter().filter(|summary| waits(summary)).flat_map(of).collect();
        requests.sort_by(|a, b| a.request.since.cmp(&b.request.since));
        requests
    }
}

async fn ask(machine: Machine, session: SessionId, after: Duration) -> Answer {
    tokio::time::sleep(after).await;
    let status = async { client::sessions::connect(&machine, session, "desktop").await?.status().await };
    Answer { session, requests: status.await.map(|status| status.permissions) }
}

fn waits(summary: &SessionSummary) -> bool {
    match summary.liveness {
        Liveness::Live { waiting, .. } => waiting > 0,
        Liveness::Unknown { .. } | Liveness::Ended { .. } | Liveness::Interrupted => false,
    }
}

/// The titles above a session, the oldest ancestor first, as far as the list knows them.
fn lineage(summary: &SessionSummary, list: &[SessionSummary]) -> Vec<String> {
    let mut titles = Vec::new();
    let mut parent = summary.parent;
    // A circle, which only a damaged file can make, ends with the list.
    while let Some(above) = parent.and_then(|id| list.iter().find(|other| other.session == id))
        && titles.len() < list.len()
    {
        titles.push(above.title.clone());
        parent = above.parent;
    }
    titles.reverse();
    titles
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn summary(session: SessionId, parent: Option<SessionId>, title: &str) -> SessionSummary {
        let summary = json!({ "session": session, "provider": "demo", "workspace": "/w", "cwd": "/w", "title": title,
            "parent": parent, "createdAt": "", "updatedAt": "", "model": null, "nativeSessionId": null, "usage": {},
            "liveness": { "type": "interrupted" } });
        serde_json::from_value(summary).unwrap()
    }

    #[test]
    fn a_lineage_is_told_from_the_oldest_and_comes_to_an_end() {
        let ids = [SessionId::new(), SessionId::new(), SessionId::new()];
        let list = [summary(ids[0], None, "a"), summary(ids[1], Some(ids[0]), "b"), summary(ids[2], Some(ids[1]), "c")];
        assert_eq!(lineage(&list[2], &list), ["a", "b"]);
        assert_eq!(lineage(&list[2], &list[1..]), ["b"]);
        let circle = [summary(ids[0], Some(ids[1]), "a"), summary(ids[1], Some(ids[0]), "b")];
        assert!(lineage(&circle[0], &circle).len() <= 2);
    }
}
