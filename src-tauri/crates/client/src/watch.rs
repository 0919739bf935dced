//! Tells when the list of sessions may have changed: pods come and go, and live ones change their state.
//!
//! Pods coming and going show in the folder of sockets, and sessions that nobody hosts in theirs; both are watched by the system's own means; the state of each live pod
//! comes by a subscription. Nothing is polled.

use std::collections::HashMap;
use std::time::Duration;

use notify::event::ModifyKind;
use notify::{EventKind, RecursiveMode, Watcher};
use protocol::pod::{SessionEvent, SubscribeParams, Want};
use protocol::session::{Liveness, SessionSummary};
use protocol::{PodId, SessionId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::machine::Machine;
use crate::recovery;
use crate::sessions::{self, Which};

/// Changes that come together are told together.
const SETTLE: Duration = Duration::from_millis(60);
/// A pod whose socket has just appeared, or gone, writes its files around that moment: one more look finds them.
const SECOND_LOOK: Duration = Duration::from_millis(700);

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
    nudge: mpsc::Sender<()>,
    nudged: mpsc::Receiver<()>,
    following: HashMap<SessionId, JoinHandle<()>>,
    /// Pods whose keepers were found dead: what each left is looked after once. A session that is resumed and killed again before
    /// anybody looked has another pod.
    settled: HashMap<SessionId, PodId>,
}

impl Watch {
    fn new(machine: Machine, lists: watch::Sender<Vec<SessionSummary>>) -> Self {
        // One nudge that waits stands for any number of changes.
        let (nudge, nudged) = mpsc::channel(1);
        Self { machine, lists, nudge, nudged, following: HashMap::new(), settled: HashMap::new() }
    }

    async fn run(mut self) {
        let (pods, mut pods_changed) = mpsc::channel(1);
        // Kept as long as the watch runs: dropping it ends the watching.
        let _watcher = watch_folder(&self.machine, pods);
        let mut second_look = false;
        // A pod may be open in the ledger only.
        self.settle();
        loop {
            self.look().await;
            tokio::select! {
                () = self.lists.closed() => return,
                Some(()) = self.nudged.recv() => {}
                Some(()) = pods_changed.recv() => second_look = true,
                () = tokio::time::sleep(SECOND_LOOK), if second_look => {
                    second_look = false;
                    continue;
                }
            }
            tokio::time::sleep(SETTLE).await;
        }
    }

    async fn look(&mut self) {
        let list = match sessions::list(&self.machine, Which::All).await {
            Ok(list) => list,
            Err(error) => {
                tracing::error!(%error, "the sessions could not be listed");
                return;
            }
        };
        self.following.retain(|_, task| !task.is_finished());
        let mut found_dead = false;
        for summary in &list {
            match summary.liveness {
                Liveness::Live { .. } => {
                    self.settled.remove(&summary.session);
                    self.follow(summary.session);
                }
                // One that had told its end before it was killed may have left something too.
                Liveness::Ended { .. } | Liveness::Interrupted => {
                    if let Ok(Some(left)) = self.machine.folder(summary.session).read_pod() {
                        found_dead |= self.settled.insert(left.session, left.pod) != Some(left.pod);
                    }
                }
                Liveness::Unknown { .. } => {}
            }
        }
        if found_dead {
            self.settle();
        }
        self.lists.send_if_modified(|old| {
            let changed = *old != list;
            *old = list;
            changed
        });
    }

    /// Ends what killed keepers left. The list is looked at again when that is done.
    fn settle(&self) {
        let (machine, nudge) = (self.machine.clone(), self.nudge.clone());
        tokio::spawn(async move {
            if !recovery::settle(&machine).await.sessions.is_empty() {
                let _ = nudge.try_send(());
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
            let _ = nudge.try_send(());
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
async fn follow_status(machine: &Machine, session: SessionId, nudge: &mpsc::Sender<()>) {
    let Ok(connection) = sessions::connect(machine, session, "list").await else { return };
    let params = SubscribeParams { from_seq: 0, want: Want::Status, deltas: false };
    let Ok((_, mut events)) = connection.subscribe(params).await else { return };
    while let Ok(Some(batch)) = events.next().await {
        if batch.iter().any(|event| matches!(event, SessionEvent::Status { .. })) {
            let _ = nudge.try_send(());
        }
    }
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
