//! One sidecar as it is shared: the instance that serves now, and how a newer one takes its place.
//!
//! Responsible for hot reload. A change of the folder builds and starts a new instance beside the old one; only when its tools are
//! listed it takes over, and the old one ends when its last call has. A new one that fails is dropped, and the old one serves on.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::SessionId;
use protocol::sidecar::{FailedAt, SidecarFailure, SidecarNews, SidecarStop, SidecarTrust, TryAgain};
use tokio::sync::broadcast;
use tokio::task::AbortHandle;

use super::watching::Watching;
use crate::instance::{Instance, InstanceOrder};
use crate::limits::LIST_WAIT;
use crate::log::Log;
use crate::manifest::{FILE, Manifest};
use crate::marks::MakesMarks;
use crate::mcp::listing::Listing;
use crate::states::{State, Then, failure};
use crate::trust::Trust;

/// See the module.
pub(crate) struct Shelf {
    base: Base,
    serving: Mutex<Serving>,
    /// Ends with the shelf.
    tasks: Mutex<Vec<AbortHandle>>,
}

/// What all instances of a shelf are made with.
#[derive(Clone)]
pub(crate) struct Base {
    pub(crate) order: InstanceOrder,
    /// Asked before a changed manifest is taken; `None` for the user's own.
    pub(crate) trust: Option<Trust>,
    pub(crate) news: broadcast::Sender<SidecarNews>,
    /// Makes a mark for a new instance, and keeps it on record.
    pub(crate) mark: MakesMarks,
}

struct Serving {
    instance: Instance,
    manifest: Arc<Manifest>,
    users: BTreeSet<SessionId>,
    reload_failed: Option<SidecarFailure>,
    forwarding: AbortHandle,
    known: Known,
}

/// What agents were told last that it offers. One that was stopped because nobody used it still offers that: it is started again by
/// the next call, and not by the next list.
type Known = Arc<Mutex<Arc<Listing>>>;

impl Shelf {
    pub(crate) fn new(base: Base) -> Arc<Self> {
        let instance = Instance::new(base.order.clone());
        let manifest = Arc::clone(&base.order.manifest);
        let known = Known::default();
        let forwarding = forward(&instance, &manifest, &base.news, &known);
        let serving = Serving { instance, manifest, users: BTreeSet::new(), reload_failed: None, forwarding, known };
        let shelf = Arc::new(Self { base, serving: Mutex::new(serving), tasks: Mutex::default() });
        if let Some(watching) = Watching::of(&shelf.base.order.manifest) {
            let task = tokio::spawn(reload(Arc::downgrade(&shelf), watching)).abort_handle();
            shelf.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
        }
        shelf
    }

    /// The one that serves now.
    pub(crate) fn instance(&self) -> Instance {
        self.serving().instance.clone()
    }

    pub(crate) fn manifest(&self) -> Arc<Manifest> {
        Arc::clone(&self.serving().manifest)
    }

    /// What it offers, without starting it where that is known. `wake` starts what has come to rest by itself, too.
    pub(crate) async fn offers(&self, wake: bool) -> Option<Arc<Listing>> {
        let (instance, known) = {
            let serving = self.serving();
            (serving.instance.clone(), Arc::clone(&serving.known))
        };
        match instance.look().state {
            state if rests_unused(&state) => Some(listing(&known)),
            State::Stopped { .. } | State::Failed { again: TryAgain::WhenUsed | TryAgain::ByHand, .. } if !wake => None,
            State::Idle
            | State::Building
            | State::Starting
            | State::Connected { .. }
            | State::Disconnected { .. }
            | State::Stopping { .. }
            | State::Failed { .. }
            | State::Stopped { .. } => tokio::time::timeout(LIST_WAIT, instance.ready()).await.ok()?.ok(),
        }
    }

    /// What it offers now, as far as that is known.
    pub(crate) fn listing(&self) -> Arc<Listing> {
        let serving = self.serving();
        let look = serving.instance.look();
        if rests_unused(&look.state) { listing(&serving.known) } else { look.listing }
    }

    pub(crate) fn used_by(&self, session: Option<SessionId>) {
        self.serving().users.extend(session);
    }

    pub(crate) fn users(&self) -> Vec<SessionId> {
        self.serving().users.iter().copied().collect()
    }

    pub(crate) fn reload_failed(&self) -> Option<SidecarFailure> {
        self.serving().reload_failed.clone()
    }

    fn serving(&self) -> MutexGuard<'_, Serving> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the manifest anew and puts a new instance in the place of the old one, if it comes to serve.
    pub(crate) async fn reload(&self) {
        if !self.base.order.manifest.folder.join(FILE).exists() {
            // It is being taken away, or written anew: whoever looks at the folders of all sees to that.
            return;
        }
        let old = self.instance();
        let failed = match self.successor() {
            Err(failure) => failure,
            Ok(Some((instance, manifest))) => match self.tried(&old, &instance).await {
                Ok(()) => return self.swap(instance, manifest, old),
                Err(failure) => failure,
            },
            Ok(None) => return,
        };
        let manifest = self.manifest();
        self.base.order.log.note(&format!("A change was not taken over, the earlier build serves: {}", failed.message));
        self.serving().reload_failed = Some(failed.clone());
        let folder = manifest.folder.to_string_lossy().into_owned();
        let _ = self.base.news.send(SidecarNews::ReloadFailed { name: manifest.name.clone(), folder, failure: failed });
    }

    /// A new instance of what the folder holds now; `None` when it must be trusted first.
    fn successor(&self) -> Result<Option<(Instance, Arc<Manifest>)>, SidecarFailure> {
        let folder: &PathBuf = &self.base.order.manifest.folder;
        let manifest = Manifest::read(folder).map_err(|error| failure(FailedAt::Start, error.to_string()))?;
        if let Some(trust) = &self.base.trust {
            match trust.of(&manifest) {
                SidecarTrust::Own | SidecarTrust::Trusted => {}
                SidecarTrust::Needed { .. } => {
                    let why = "its manifest has changed and must be trusted again before it is built";
                    return Err(failure(FailedAt::Start, why));
                }
            }
        }
        let manifest = Arc::new(manifest);
        let mut order = self.base.order.clone();
        order.manifest = Arc::clone(&manifest);
        order.mark = (self.base.mark)();
        order.log = Log::default();
        Ok(Some((Instance::new(order), manifest)))
    }

    /// Whether the new one may take over. One that was not running need not run now: it is built when it is used.
    async fn tried(&self, old: &Instance, new: &Instance) -> Result<(), SidecarFailure> {
        match old.look().state {
            State::Idle | State::Stopped { .. } => return Ok(()),
            State::Building
            | State::Starting
            | State::Connected { .. }
            | State::Disconnected { .. }
            | State::Stopping { .. }
            | State::Failed { .. } => {}
        }
        let Err(not_ready) = new.ready().await else { return Ok(()) };
        let told = match new.look().state {
            State::Failed { failure, .. } => failure,
            _ => failure(FailedAt::Start, not_ready.0),
        };
        new.stop(SidecarStop::Replaced).await;
        // There is no earlier build that could serve on: then the newest failure is the one to look at.
        if matches!(old.look().state, State::Failed { .. }) { Ok(()) } else { Err(told) }
    }

    fn swap(&self, instance: Instance, manifest: Arc<Manifest>, old: Instance) {
        let known = Arc::clone(&self.serving().known);
        let forwarding = forward(&instance, &manifest, &self.base.news, &known);
        let mut serving = self.serving();
        serving.forwarding.abort();
        serving.forwarding = forwarding;
        serving.instance = instance;
        serving.manifest = manifest;
        serving.reload_failed = None;
        drop(serving);
        tokio::spawn(async move {
            old.drained().await;
            old.stop(SidecarStop::Replaced).await;
        });
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.serving().forwarding.abort();
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(AbortHandle::abort);
    }
}

async fn reload(shelf: std::sync::Weak<Shelf>, mut watching: Watching) {
    while watching.changed().await.is_some() {
        let Some(shelf) = shelf.upgrade() else { return };
        let building = |instance: &Instance| instance.look().state == State::Building;
        if building(&shelf.instance()) {
            // Its own build wrote this.
            continue;
        }
        shelf.reload().await;
        watching.forget();
    }
}

/// Tells of every state, and when it offers other tools than those that were told last.
fn forward(
    instance: &Instance,
    manifest: &Manifest,
    news: &broadcast::Sender<SidecarNews>,
    known: &Known,
) -> AbortHandle {
    let mut changes = instance.changes();
    let (name, folder) = (manifest.name.clone(), manifest.folder.to_string_lossy().into_owned());
    let (news, known) = (news.clone(), Arc::clone(known));
    tokio::spawn(async move {
        let mut told = State::Idle;
        loop {
            let look = changes.borrow_and_update().clone();
            if look.state != told {
                let state = look.state.shown();
                let _ = news.send(SidecarNews::State { name: name.clone(), folder: folder.clone(), state });
            }
            if is_sure(&look.state) && look.listing.tools != listing(&known).tools {
                *known.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&look.listing);
                let _ = news.send(SidecarNews::ToolsChanged { name: name.clone(), folder: folder.clone() });
            }
            told = look.state;
            if changes.changed().await.is_err() {
                return;
            }
        }
    })
    .abort_handle()
}

fn listing(known: &Known) -> Arc<Listing> {
    Arc::clone(&known.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether its list of tools is what it offers. While it gets ready, what it offered before may be what it will offer.
fn is_sure(state: &State) -> bool {
    match state {
        State::Idle | State::Building | State::Starting | State::Stopping { then: Then::Begin } => false,
        State::Stopping { .. } | State::Stopped { .. } => !rests_unused(state),
        State::Connected { .. } | State::Disconnected { .. } | State::Failed { .. } => true,
    }
}

/// Whether nobody had a use for it for a while, and nothing else is the matter.
fn rests_unused(state: &State) -> bool {
    match state {
        State::Stopped { why } | State::Stopping { then: Then::Stopped(why) } => *why == SidecarStop::Unused,
        State::Idle
        | State::Building
        | State::Starting
        | State::Connected { .. }
        | State::Disconnected { .. }
        | State::Stopping { .. }
        | State::Failed { .. } => false,
    }
}
