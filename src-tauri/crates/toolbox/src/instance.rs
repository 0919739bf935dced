//! One instance of a sidecar: a handle that everybody shares, and the task that owns it.
//!
//! Responsible for carrying out what [`crate::states`] decides and for telling everybody where the instance stands. Calls go past the
//! task, straight to the connection, so that a slow call holds up nobody.

mod conversation;
mod running;
mod task;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use process::ProcessRef;
use protocol::sidecar::{SidecarState, SidecarStop, TryAgain};
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::limits::CALLS_AT_ONCE;
use crate::log::Log;
use crate::manifest::Manifest;
use crate::mcp::ears::Progress;
use crate::mcp::link::{CallError, Link};
use crate::mcp::listing::Listing;
use crate::secrets::SecretStore;
use crate::states::{Event, State};

/// The user's environment in a workspace. It may take its time.
pub type UserEnvironment = Arc<dyn Fn(&Path) -> BTreeMap<String, String> + Send + Sync>;

/// What an instance is made of.
#[derive(Clone)]
pub struct InstanceOrder {
    /// What its manifest says.
    pub manifest: Arc<Manifest>,
    /// The workspace that it is for; for one of the machine its own folder.
    pub workspace: PathBuf,
    /// Where its environment comes from.
    pub environment: UserEnvironment,
    /// Where its secrets are.
    pub secrets: Arc<dyn SecretStore>,
    /// Where its socket is made, if it needs one.
    pub run: PathBuf,
    /// Proves its processes to be ours; no other instance has the same.
    pub mark: String,
    /// Where its output goes.
    pub log: Log,
}

/// Where an instance stands, as its task last said.
#[derive(Debug, Clone)]
pub struct Look {
    /// Its state.
    pub state: State,
    /// What it offers; empty while it is not connected.
    pub listing: Arc<Listing>,
    /// Its process, while there is one.
    pub process: Option<ProcessRef>,
    link: Option<Link>,
}

/// See the module. When the last handle is dropped, the instance ends.
#[derive(Clone)]
pub struct Instance {
    asks: mpsc::Sender<Ask>,
    look: watch::Receiver<Look>,
    calls: Arc<Semaphore>,
    used: Arc<Mutex<Instant>>,
    log: Log,
}

/// Something that is asked of the task; answered when the state follows.
struct Ask {
    event: Event,
    taken: oneshot::Sender<()>,
}

/// Why an instance is not ready for a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotReady(pub String);

impl Instance {
    /// Makes an instance that does nothing until it is wanted. Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(order: InstanceOrder) -> Self {
        let (asks, asked) = mpsc::channel(16);
        let calls = Arc::new(Semaphore::new(CALLS_AT_ONCE));
        let used = Arc::new(Mutex::new(Instant::now()));
        let log = order.log.clone();
        let look = task::spawn(order, asked, Arc::clone(&calls), Arc::clone(&used));
        Self { asks, look, calls, used, log }
    }

    /// Where it stands.
    #[must_use]
    pub fn look(&self) -> Look {
        self.look.borrow().clone()
    }

    /// Tells of every change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Look> {
        self.look.clone()
    }

    /// The newest lines of its output.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Calls that are under way.
    #[must_use]
    pub fn calls(&self) -> usize {
        CALLS_AT_ONCE.saturating_sub(self.calls.available_permits())
    }

    /// Starts it, by hand.
    pub async fn start(&self) {
        self.ask(Event::Start).await;
    }

    /// Builds and starts it anew.
    pub async fn restart(&self) {
        self.ask(Event::Restart).await;
    }

    /// Stops it, and waits until nothing of it runs.
    pub async fn stop(&self, why: SidecarStop) {
        self.ask(Event::Stop(why)).await;
        let at_rest = |look: &Look| !matches!(look.state, State::Stopping { .. });
        let _ = self.look.clone().wait_for(at_rest).await;
    }

    /// Waits until no call is under way; from then on none can begin.
    pub async fn drained(&self) {
        let all = u32::try_from(CALLS_AT_ONCE).unwrap_or(u32::MAX);
        if let Ok(permits) = self.calls.acquire_many(all).await {
            permits.forget();
        }
    }

    /// Starts it if it does not run, and waits until it can be called. Returns what it offers.
    ///
    /// # Errors
    /// Why it will not be ready by itself.
    pub async fn ready(&self) -> Result<Arc<Listing>, NotReady> {
        self.touch();
        self.ask(Event::Wanted).await;
        let mut look = self.look.clone();
        let settled = look
            .wait_for(|look| look.link.is_some() || !look.state.is_on_its_way())
            .await
            .map_err(|_| NotReady("its owner ends".to_owned()))?;
        if settled.link.is_some() { Ok(Arc::clone(&settled.listing)) } else { Err(NotReady(not_ready(&settled.state))) }
    }

    /// Calls a tool that it offers. It must be ready.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        limit: Duration,
        progress: mpsc::Sender<Progress>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<Value, CallError> {
        tokio::pin!(cancelled);
        let permit = tokio::select! {
            permit = Arc::clone(&self.calls).acquire_owned() => permit.map_err(|_| CallError::Lost)?,
            () = &mut cancelled => return Err(CallError::Cancelled),
            () = tokio::time::sleep(limit) => return Err(CallError::TimedOut(limit)),
        };
        let link = self.look.borrow().link.clone().ok_or(CallError::Lost)?;
        let answer = link.call(tool, arguments, limit, progress, cancelled).await;
        self.touch();
        drop(permit);
        answer
    }

    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    async fn ask(&self, event: Event) {
        let (taken, done) = oneshot::channel();
        if self.asks.send(Ask { event, taken }).await.is_ok() {
            let _ = done.await;
        }
    }
}

/// In words that follow the sidecar's name.
fn not_ready(state: &State) -> String {
    match state.shown() {
        SidecarState::Failed { failure, again } => {
            let then = match again {
                TryAgain::After { ms, attempt } => format!("try {attempt} follows in {ms} ms"),
                TryAgain::WhenUsed => "it is started again with the next use".to_owned(),
                TryAgain::ByHand => "it is not tried again by itself: mend it and start it by hand".to_owned(),
            };
            format!("does not run: {}; {then}", failure.message)
        }
        SidecarState::Stopped { why: SidecarStop::Asked } => {
            "was stopped by the user; it stays stopped until the user starts it".to_owned()
        }
        SidecarState::Stopped { .. } | SidecarState::Stopping => "was stopped".to_owned(),
        SidecarState::Idle
        | SidecarState::Building
        | SidecarState::Starting
        | SidecarState::Connected { .. }
        | SidecarState::Disconnected { .. } => "is not ready".to_owned(),
    }
}
