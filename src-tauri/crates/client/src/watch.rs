//! Tells when the list of sessions may have changed: pods come and go, and live ones change their state.
//!
//! Pods coming and going show in the folder of sockets, which is watched by the system's own means; the state of each live pod
//! comes by a subscription. Nothing is polled.

use std::collections::HashMap;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
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
        if event.is_ok_and(|event| event.kind.is_create() || event.kind.is_remove()) {
            let _ = changed.try_send(());
        }
    });
    let watched = watching.and_then(|mut watcher| {
        watcher.watch(&machine.places.run, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watched.inspect_err(|error| tracing::error!(%error, "new sessions will not show by themselves")).ok()
}
