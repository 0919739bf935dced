//! What goes on beside the pod's task, because it takes time: the ledger is asked, pods below are stopped, a watcher comes to its end.

use std::path::PathBuf;

use confine::watch::{Seen, WatchError};
use protocol::record::HostRecord;
use protocol::runner::StopReason;
use protocol::session::KeeperOrder;
use scopes::Scope;
use tokio::task::JoinSet;

use super::PodTask;
use crate::exchange::{Input, TurnRefused};
use crate::holding::{Begins, Watching};
use crate::tree::Tree;
use crate::{holding, kin};

/// All that is under way. Dropping it calls it off.
#[derive(Default)]
pub(super) struct Beside {
    under_way: JoinSet<Done>,
    /// What has to be done before the session may end.
    before_the_end: usize,
}

/// What has come to its end.
pub(super) enum Done {
    /// The ledger has counted a turn, or refused it.
    TurnBegun { gated: bool, result: Result<(), TurnRefused> },
    /// A turn's cost was added up; what stands in the way of the next one.
    TurnCounted(Option<TurnRefused>),
    /// What the pod may do now.
    Scope(Option<Scope>),
    /// The pods below have been stopped.
    StoppedBelow,
    /// Somebody watches, or cannot.
    Watched(Result<Watching, WatchError>),
    /// The watcher has told the last of what it saw.
    Unwatched(Vec<Seen>),
    /// The parent has been told.
    Told,
}

impl Beside {
    /// The next that is done. Waits for ever when nothing is under way; cancel-safe.
    pub(super) async fn next(&mut self) -> Done {
        loop {
            match self.under_way.join_next().await {
                Some(Ok(done)) => return done,
                Some(Err(error)) => tracing::error!(%error, "something beside the pod's task broke off"),
                None => std::future::pending().await,
            }
        }
    }

    /// Whether the session may not end yet.
    pub(super) fn holds_up_the_end(&self) -> bool {
        self.before_the_end > 0
    }

    pub(super) fn begin_turn(&mut self, tree: &Tree, gated: bool) {
        let tree = tree.clone();
        self.under_way.spawn(async move { Done::TurnBegun { gated, result: tree.begin_turn().await } });
    }

    pub(super) fn look_at_scope(&mut self, tree: &Tree) {
        let tree = tree.clone();
        self.under_way.spawn(async move { Done::Scope(tree.scope().await) });
    }

    pub(super) fn stop_below(&mut self, tree: &Tree, order: &KeeperOrder) {
        let (tree, sessions) = (tree.clone(), PathBuf::from(&order.sessions));
        self.before_the_end += 1;
        self.under_way.spawn(async move {
            kin::stop_below(tree, sessions).await;
            Done::StoppedBelow
        });
    }

    fn watch(&mut self, begins: Begins) {
        self.under_way.spawn(async move {
            match tokio::task::spawn_blocking(begins).await {
                Ok(began) => Done::Watched(began),
                Err(error) => {
                    tracing::error!(%error, "the begin of a watch broke off");
                    Done::Told
                }
            }
        });
    }

    pub(super) fn unwatch(&mut self, (watcher, mut seen): Watching) {
        self.before_the_end += 1;
        self.under_way.spawn(async move {
            // What was gathered is told before it is gone.
            let _ = tokio::task::spawn_blocking(move || drop(watcher)).await;
            let mut last = Vec::new();
            while let Ok(seen) = seen.try_recv() {
                last.push(seen);
            }
            Done::Unwatched(last)
        });
    }

    fn end_turn(&mut self, tree: &Tree, cost_usd: f64) {
        let tree = tree.clone();
        self.under_way.spawn(async move { Done::TurnCounted(tree.end_turn(cost_usd).await) });
    }

    fn tell_parent(&mut self, tree: &Tree, order: &KeeperOrder, text: String) {
        let (tree, sessions) = (tree.clone(), PathBuf::from(&order.sessions));
        self.under_way.spawn(async move {
            kin::tell_parent(tree, sessions, text, None).await;
            Done::Told
        });
    }
}

impl PodTask {
    pub(super) fn done_beside(&mut self, done: Done) {
        match done {
            Done::TurnBegun { gated: true, result: Ok(()) } => self.turn_allowed(),
            Done::TurnBegun { gated: false, result: Ok(()) } => {}
            Done::TurnBegun { gated, result: Err(refused) } => {
                let waited = self.gate.open().is_some();
                // A stop that came meanwhile has taken the query back already.
                if waited || !gated {
                    self.step(Input::TurnRefused(refused));
                }
            }
            Done::TurnCounted(Some(TurnRefused { limit, code: _, text })) => {
                self.record(&HostRecord::BudgetUsed { limit, text });
                self.schedule_sync();
            }
            Done::Scope(Some(scope)) => self.scope_is(scope),
            Done::StoppedBelow => {
                self.beside.before_the_end -= 1;
                self.go();
            }
            Done::Unwatched(last) => {
                for seen in last {
                    self.record(&holding::told(seen));
                }
                self.beside.before_the_end -= 1;
                self.go();
            }
            Done::Watched(began) => self.watches(began),
            Done::TurnCounted(None) | Done::Scope(None) | Done::Told => {}
        }
    }

    pub(super) fn turn_over(&mut self, cost_usd: Option<f64>, rests: Option<StopReason>) {
        self.beside.end_turn(&self.tree, cost_usd.unwrap_or(0.0));
        if let (Some(how), Some(_)) = (rests, self.meta.parent) {
            let text = kin::turn_words(self.tree.name(), how);
            self.beside.tell_parent(&self.tree, &self.order, text);
        }
    }

    /// Tells what the scope is, and watches over what nothing enforces before the agent has anything to do.
    pub(super) async fn begin_to_hold(&mut self) {
        if let Some(record) = self.holding.as_record() {
            self.record(&record);
        }
        let Some(begins) = self.holding.watching() else { return };
        match tokio::task::spawn_blocking(begins).await {
            Ok(began) => self.watches(began),
            Err(error) => tracing::error!(%error, "the begin of a watch broke off"),
        }
    }

    fn scope_is(&mut self, scope: Scope) {
        if self.holding.take(scope) {
            if let Some(record) = self.holding.as_record() {
                self.record(&record);
            }
            if let Some(begins) = self.holding.watching() {
                self.beside.watch(begins);
            }
            self.publish(None);
            self.schedule_sync();
        }
    }

    fn watches(&mut self, began: Result<Watching, WatchError>) {
        if let Some(problem) = self.holding.watches(began) {
            self.record(&problem);
        }
    }
}
