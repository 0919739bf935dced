//! The task that owns an instance: it takes what happened to the state machine and performs what that answers.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;

use super::conversation::Said;
use super::running::{self, Running, Told};
use super::{Ask, InstanceOrder, Look};
use crate::limits::CALLS_AT_ONCE;
use crate::manifest::Run;
use crate::mcp::listing::Listing;
use crate::states::{Effect, Event, Life, Reached, State};

struct Task {
    order: InstanceOrder,
    life: Life,
    running: Option<Running>,
    look: watch::Sender<Look>,
    next: Look,
    retry: Option<Instant>,
    stable: Option<Instant>,
    calls: Arc<Semaphore>,
    used: Arc<Mutex<Instant>>,
}

enum Happened {
    Asked(Option<Ask>),
    Told(Option<Told>),
    RetryDue,
    Stable,
    MaybeUnused,
}

/// Spawns the task; it ends when nobody has a handle any more and nothing of the instance runs.
pub(super) fn spawn(
    order: InstanceOrder,
    asked: mpsc::Receiver<Ask>,
    calls: Arc<Semaphore>,
    used: Arc<Mutex<Instant>>,
) -> watch::Receiver<Look> {
    let reached = match order.manifest.run {
        Run::Stdio(_) => Reached::ByPipes,
        Run::Socket(_) => Reached::BySocket,
        Run::Http { .. } => Reached::ByHttp,
    };
    let life = Life::new(!order.manifest.build.is_empty(), order.manifest.restart, reached);
    let next = Look { state: State::Idle, listing: Arc::default(), process: None, link: None };
    let (look, seen) = watch::channel(next.clone());
    let task = Task { order, life, running: None, look, next, retry: None, stable: None, calls, used };
    tokio::spawn(task.run(asked));
    seen
}

impl Task {
    async fn run(mut self, mut asked: mpsc::Receiver<Ask>) {
        let mut open = true;
        while open || self.running.is_some() {
            let unused_at = self.unused_at();
            let happened = tokio::select! {
                ask = asked.recv(), if open => Happened::Asked(ask),
                told = told(&mut self.running) => Happened::Told(told),
                () = at(self.retry), if open => Happened::RetryDue,
                () = at(self.stable) => Happened::Stable,
                () = at(unused_at) => Happened::MaybeUnused,
            };
            match happened {
                Happened::Asked(Some(ask)) => {
                    self.step(ask.event);
                    let _ = ask.taken.send(());
                }
                Happened::Asked(None) => {
                    open = false;
                    self.step(Event::Stop(protocol::sidecar::SidecarStop::Owner));
                }
                Happened::Told(told) => self.told(told),
                Happened::RetryDue => {
                    self.retry = None;
                    self.step(Event::RetryDue);
                }
                Happened::Stable => {
                    self.stable = None;
                    self.step(Event::Stable);
                }
                Happened::MaybeUnused => self.maybe_unused(),
            }
        }
    }

    fn told(&mut self, told: Option<Told>) {
        match told {
            Some(Told::Started(process)) => {
                self.next.process = Some(process);
                self.show();
            }
            Some(Told::Built) => {
                self.running = None;
                self.step(Event::Built);
            }
            Some(Told::BuildFailed(failure)) => {
                self.running = None;
                self.step(Event::BuildFailed(failure));
            }
            Some(Told::Said(Said::Connected(link, listing))) => {
                self.next.link = Some(link);
                self.listed(listing);
            }
            Some(Told::Said(Said::Listed(listing))) => self.listed(listing),
            Some(Told::Said(Said::NotConnected(failure))) => self.step(Event::NotConnected(failure)),
            Some(Told::Said(Said::Lost(why))) => self.step(Event::Lost(why)),
            Some(Told::Ended(end)) => {
                self.running = None;
                self.next.process = None;
                self.step(Event::Ended(end));
            }
            // A run always tells its end; one that does not was ended with the runtime.
            None => self.running = None,
        }
    }

    fn listed(&mut self, listing: Listing) {
        let tools = listing.tools.len();
        if !matches!(self.life.state(), State::Starting | State::Connected { .. } | State::Disconnected { .. }) {
            // It is being ended already.
            self.next.link = None;
            return;
        }
        self.next.listing = Arc::new(listing);
        self.touch();
        self.step(Event::Listed { tools });
    }

    fn step(&mut self, event: Event) {
        tracing::debug!(sidecar = self.order.manifest.name, ?event, "sidecar");
        let effects = self.life.step(event);
        if !matches!(self.life.state(), State::Connected { .. }) {
            self.stable = None;
        }
        if !matches!(self.life.state(), State::Failed { .. }) {
            self.retry = None;
        }
        for effect in effects {
            self.perform(effect);
        }
        self.show();
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::ClearTools => {
                self.next.listing = Arc::default();
                self.next.link = None;
            }
            Effect::Build => self.running = Some(running::build_steps(self.order.clone())),
            Effect::Launch => self.running = Some(running::launch(self.order.clone())),
            Effect::End => {
                if let Some(running) = &self.running {
                    running.end();
                }
            }
            Effect::TryAfter(wait) => self.retry = Some(Instant::now() + wait),
            Effect::StableAfter(wait) => self.stable = Some(Instant::now() + wait),
        }
    }

    fn show(&mut self) {
        self.next.state = self.life.state().clone();
        self.look.send_replace(self.next.clone());
    }

    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// When it has not been used for long enough, unless it is used before.
    fn unused_at(&self) -> Option<Instant> {
        let idle_stop = self.order.manifest.idle_stop?;
        match self.life.state() {
            State::Connected { .. } | State::Disconnected { .. } => {
                Some(*self.used.lock().unwrap_or_else(PoisonError::into_inner) + idle_stop)
            }
            State::Idle
            | State::Building
            | State::Starting
            | State::Stopping { .. }
            | State::Failed { .. }
            | State::Stopped { .. } => None,
        }
    }

    fn maybe_unused(&mut self) {
        if self.calls.available_permits() < CALLS_AT_ONCE {
            // Looked at again after another such time; the end of a call counts as a use.
            self.touch();
        } else if self.unused_at().is_some_and(|due| due <= Instant::now()) {
            self.step(Event::Unused);
        }
    }
}

async fn told(running: &mut Option<Running>) -> Option<Told> {
    match running {
        Some(running) => running.told.recv().await,
        None => std::future::pending().await,
    }
}

async fn at(timer: Option<Instant>) {
    match timer {
        Some(timer) => tokio::time::sleep_until(timer).await,
        None => std::future::pending().await,
    }
}
