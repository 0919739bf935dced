//! Tells when the list of sessions may have changed: pods come and go, and live ones change their state.
//!
//! Pods coming and going show in the folder of sockets, and sessions that nobody hosts in theirs; both are watched by the system's own means; the state of each live pod
//! comes by a subscription. A status that changes costs a question to that one pod; only when pods come or go are the folders looked
//! through, and sessions that are over are not read again. Nothing is polled.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use notify::event::ModifyKind;
use notify::{EventKind, RecursiveMode, Watcher};
use protocol::pod::{SessionEvent, SubscribeParams, Want};
use protocol::session::{Liveness, SessionSummary};
use protocol::{PodId, SessionId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::closed_sessions::ClosedSessions;
use crate::machine::Machine;
use crate::recovery;
use crate::sessions;

/// Changes that come together are told together.
const SETTLE: Duration = Duration::from_millis(60);
/// A pod whose socket has just appeared, or gone, writes its files around that moment: one more look finds them.
const SECOND_LOOK: Duration = Duration::from_millis(700);
/// Changed sessions that wait to be looked at. Whoever follows a pod waits when there are more, and hears of it later.
const NUDGES: usize = 64;

/// All sessions of the machine, newest first, from now on until the receiver is dropped.
#[must_use]
pub fn sessions(machine: Machine) -> watch::Receiver<Vec<SessionSummary>> {
    let (sender, receiver) = watch::channel(Vec::new());
    tokio::spawn(async move { Watch::new(machine, sender).run().await });
    receiver
}

struct Watch {
    machine: Machine,
    lists: watch::Sender<Vec<SessionSummary>>,
    closed: ClosedSessions,
    nudge: mpsc::Sender<SessionId>,
    nudged: mpsc::Receiver<SessionId>,
    following: HashMap<SessionId, JoinHandle<()>>,
    /// Pods whose keepers were found dead: what each left is looked after once. A session that is resumed and killed again before
    /// anybody looked has another pod.
    settled: HashMap<SessionId, PodId>,
}

/// What may have changed.
enum Changed {
    /// Sessions came or went.
    List,
    /// These told something new.
    Those(HashSet<SessionId>),
}

impl Watch {
    fn new(machine: Machine, lists: watch::Sender<Vec<SessionSummary>>) -> Self {
        let (nudge, nudged) = mpsc::channel(NUDGES);
        let closed = ClosedSessions::default();
        Self { machine, lists, closed, nudge, nudged, following: HashMap::new(), settled: HashMap::new() }
    }

    async fn run(mut self) {
        let (pods, mut pods_changed) = mpsc::channel(1);
        // Kept as long as the watch runs: dropping it ends the watching.
        let _watcher = watch_folder(&self.machine, pods);
        let mut second_look: Option<Instant> = None;
        let mut changed = Changed::List;
        // A pod may be open in the ledger only.
        self.settle();
        loop {
            match changed {
                Changed::List => self.look().await,
                Changed::Those(sessions) => self.look_at(sessions).await,
            }
            let second = second_look.unwrap_or_else(|| Instant::now() + SECOND_LOOK);
            changed = tokio::select! {
                () = self.lists.closed() => return,
                Some(()) = pods_changed.recv() => {
                    second_look = Some(Instant::now() + SECOND_LOOK);
                    Changed::List
                }
                () = tokio::time::sleep_until(second), if second_look.is_some() => {
                    second_look = None;
                    Changed::List
                }
                Some(session) = self.nudged.recv() => Changed::Those(HashSet::from([session])),
            };
            if let Changed::Those(sessions) = &mut changed {
                tokio::time::sleep(SETTLE).await;
                while let Ok(session) = self.nudged.try_recv() {
                    sessions.insert(session);
                }
            } else if second_look.is_some() {
                tokio::time::sleep(SETTLE).await;
            }
        }
    }

    /// At all sessions, as far as they are not known to be over.
    async fn look(&mut self) {
        let looked = match self.closed.look(&self.machine).await {
            Ok(looked) => looked,
            Err(error) => {
                tracing::error!(%error, "the sessions could not be listed");
                return;
            }
        };
        self.following.retain(|_, task| !task.is_finished());
        let mut found_dead = false;
        for summary in looked.list.iter().filter(|summary| looked.asked.contains(&summary.session)) {
            found_dead |= self.take(summary);
        }
        if found_dead {
            self.settle();
        }
        self.lists.send_if_modified(|old| {
            let changed = *old != looked.list;
            *old = looked.list;
            changed
        });
    }

    /// At some of those that are in the list, and at those that gave no answer the last time. One that is not in the list is found
    /// when the folder of sessions is looked through, which the change in it causes.
    async fn look_at(&mut self, mut some: HashSet<SessionId>) {
        let is_unknown = |summary: &&SessionSummary| matches!(summary.liveness, Liveness::Unknown { .. });
        some.extend(self.lists.borrow().iter().filter(is_unknown).map(|summary| summary.session));
        let asked: Vec<_> = some
            .into_iter()
            .map(|session| {
                let machine = self.machine.clone();
                tokio::spawn(async move { sessions::summary(&machine, session).await })
            })
            .collect();
        self.following.retain(|_, task| !task.is_finished());
        let (mut found_dead, mut fresh) = (false, Vec::with_capacity(asked.len()));
        for answer in asked {
            if let Ok(Ok(summary)) = answer.await {
                found_dead |= self.take(&summary);
                fresh.push(summary);
            }
        }
        if found_dead {
            self.settle();
        }
        self.lists.send_if_modified(|list| replace(list, fresh));
    }

    /// Follows what lives. Whether a dead keeper was found about which nobody has done anything yet.
    fn take(&mut self, summary: &SessionSummary) -> bool {
        match summary.liveness {
            Liveness::Live { .. } => {
                self.settled.remove(&summary.session);
                self.follow(summary.session);
                false
            }
            // One that had told its end before it was killed may have left something too.
            Liveness::Ended { .. } | Liveness::Interrupted => match self.machine.folder(summary.session).read_pod() {
                Ok(Some(left)) => self.settled.insert(left.session, left.pod) != Some(left.pod),
                Ok(None) | Err(_) => false,
            },
            Liveness::Unknown { .. } => false,
        }
    }

    /// Ends what killed keepers left. The list is looked at again when that is done.
    fn settle(&self) {
        let (machine, nudge) = (self.machine.clone(), self.nudge.clone());
        tokio::spawn(async move {
            for settled in recovery::settle(&machine).await.sessions {
                let _ = nudge.send(settled.session).await;
            }
        });
    }

    fn follow(&mut self, session: SessionId) {
        if self.following.contains_key(&session) {
            return;
        }
        let (machine, nudge) = (self.machine.clone(), self.nudge.clone());
        let task = tokio::spawn(async move {
            follow_status(&machine, session, &nudge).await;
            let _ = nudge.send(session).await;
        });
        self.following.insert(session, task);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.following.values().for_each(JoinHandle::abort);
    }
}

/// Nudges at each change of a pod's status, until the pod is gone.
async fn follow_status(machine: &Machine, session: SessionId, nudge: &mpsc::Sender<SessionId>) {
    let Ok(connection) = sessions::connect(machine, session, "list").await else { return };
    let params = SubscribeParams { from_seq: 0, want: Want::Status, deltas: false };
    let Ok((_, mut events)) = connection.subscribe(params).await else { return };
    while let Ok(Some(batch)) = events.next().await {
        if batch.iter().any(|event| matches!(event, SessionEvent::Status { .. })) {
            let _ = nudge.send(session).await;
        }
    }
}

/// Puts what is new into a list whose newest is first. Whether anything differs.
fn replace(list: &mut [SessionSummary], fresh: Vec<SessionSummary>) -> bool {
    let mut changed = false;
    for summary in fresh {
        let place = list.binary_search_by(|other| summary.session.cmp(&other.session));
        if let Ok(place) = place
            && list[place] != summary
        {
            list[place] = summary;
            changed = true;
        }
    }
    changed
}

fn watch_folder(machine: &Machine, changed: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
    let watching = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // A conversation that was taken in gets its name when it is whole.
        let is_named = |event: &notify::Event| matches!(event.kind, EventKind::Modify(ModifyKind::Name(_)));
        if event.is_ok_and(|event| event.kind.is_create() || event.kind.is_remove() || is_named(&event)) {
            let _ = changed.try_send(());
        }
    });
    let watched = watching.and_then(|mut watcher| {
        watcher.watch(&machine.places.run, RecursiveMode::NonRecursive)?;
        watcher.watch(&machine.places.sessions, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watched.inspect_err(|error| tracing::error!(%error, "new sessions will not show by themselves")).ok()
}

#[cfg(test)]
mod tests {
    use journal::{JournalWriter, SessionFolder};
    use process::ProcessRef;
    use protocol::record::Outcome;
    use protocol::runner::Usage;
    use protocol::session::{PodFile, SessionMeta, SessionStatistics, StartSession};

    use super::*;

    /// A machine on which whoever starts a keeper leaves a trace.
    fn machine(home: &std::path::Path) -> Machine {
        let places = discovery::Places::under(home);
        places.prepare().unwrap();
        Machine { places, resource_dirs: Vec::new(), program: home.join("no-keeper-may-be-started") }
    }

    /// A process that has ended, by its number and start time.
    fn dead() -> ProcessRef {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let process = ProcessRef::of(child.id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        process
    }

    /// What a killed keeper leaves: a session that is not closed, and the way to a pod that nobody keeps.
    fn killed(folder: &SessionFolder, session: SessionId, generation: u64) {
        let now = "2026-11-21T12:00:00.000Z".to_owned();
        let meta = SessionMeta {
            session,
            provider: "demo".to_owned(),
            workspace: "/".to_owned(),
            cwd: "/".to_owned(),
            title: "t".to_owned(),
            parent: None,
            native_session_id: Some("n".to_owned()),
            created_at: now.clone(),
            updated_at: now,
            ended_at: None,
            outcome: None,
            generation,
            model: None,
            usage: Usage::default(),
            statistics: SessionStatistics::default(),
            rules: Vec::new(),
            lost_native_ids: Vec::new(),
            start: StartSession::new("demo", "/"),
        };
        drop(JournalWriter::open(folder, session, generation).unwrap());
        folder.write_meta(&meta).unwrap();
        let ProcessRef { pid, started: pid_started } = dead();
        let (socket, token) = ("/none".to_owned(), "t".to_owned());
        folder.write_pod(&PodFile { pod: PodId::new(), session, generation, pid, pid_started, socket, token }).unwrap();
    }

    async fn settled(folder: &SessionFolder, generation: u64) {
        let is_so = || {
            let meta = folder.read_meta().unwrap().unwrap();
            !folder.pod().exists() && meta.generation == generation && meta.outcome == Some(Outcome::Interrupted)
        };
        let wait = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("what a killed keeper left was not settled");
    }

    #[tokio::test]
    async fn a_session_that_is_resumed_and_killed_before_anybody_looked_is_settled_again() {
        let home = tempfile::tempdir().unwrap();
        let machine = machine(home.path());
        let session = SessionId::new();
        let folder = SessionFolder::create(&machine.places.sessions, session).unwrap();
        let _lists = sessions(machine.clone());
        for generation in 1..=3 {
            killed(&folder, session, generation);
            // A socket appears and wakes the watch, which finds the keeper dead already.
            std::fs::write(machine.places.run.join(format!("{generation}.sock")), "").unwrap();
            settled(&folder, generation).await;
        }
        let text = std::fs::read_to_string(folder.journal()).unwrap();
        assert_eq!(text.matches("\"keeper_killed\"").count(), 3, "{text}");
    }
}
