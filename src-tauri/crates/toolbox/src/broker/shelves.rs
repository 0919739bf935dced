//! Which sidecars are there, and which instance of each is whose?
//!
//! Responsible for one shelf for all who share an instance, and for its end when its manifest is gone or its trust withdrawn. Which
//! sidecars lie where is [`super::finding`]'s business.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::sidecar::{SidecarNews, SidecarPlace, SidecarState, SidecarStop, SidecarView};
use tokio::sync::broadcast;

use super::Surroundings;
use super::finding::{self, Found};
use super::shelf::{Base, Shelf};
use crate::instance::InstanceOrder;
use crate::limits::INSTANCES;
use crate::log::Log;
use crate::manifest::{FILE, Manifest, Share};
use crate::marks::Marks;
use crate::states::State;
use crate::trust::Trust;

/// See the module.
pub(crate) struct Shelves {
    surroundings: Surroundings,
    news: broadcast::Sender<SidecarNews>,
    shelves: Mutex<HashMap<Key, Arc<Shelf>>>,
    marks: Marks,
}

/// The folder, and whose instance it is where not all share one.
type Key = (PathBuf, Option<String>);

impl Shelves {
    pub(crate) async fn new(surroundings: Surroundings, news: broadcast::Sender<SidecarNews>) -> Self {
        let marks = Marks::begin(&surroundings.run).await;
        Self { surroundings, news, shelves: Mutex::default(), marks }
    }

    /// All of a place: those of its workspace, then the user's own.
    pub(crate) fn found(&self, place: &SidecarPlace) -> Vec<Found> {
        finding::found(&self.surroundings.config, place)
    }

    /// The shelves of a place that may be used: their manifests can be read, and they are trusted or serve already.
    pub(crate) fn usable(&self, place: &SidecarPlace) -> Vec<Arc<Shelf>> {
        let mut all = Vec::new();
        for found in self.found(place) {
            let trusted = found.may_run(&self.surroundings.config);
            // What was trusted and runs goes on as it was trusted, until its change is.
            let shelf = if trusted { self.shelf(place, &found) } else { self.serving(place, &found) };
            all.extend(shelf);
        }
        all
    }

    /// Takes the user's answer to the trust question. Withdrawn, it stops what runs; given, what runs takes over what it is given to.
    pub(crate) async fn answer(&self, found: &Found, hash: &str, trusted: bool) -> Result<(), String> {
        found.answer(&self.surroundings.config, hash, trusted)?;
        if !trusted {
            self.remove(&found.folder).await;
            return Ok(());
        }
        let shelves: Vec<Arc<Shelf>> =
            self.lock().iter().filter(|((of, _), _)| *of == found.folder).map(|(_, shelf)| Arc::clone(shelf)).collect();
        for shelf in shelves {
            tokio::spawn(async move { shelf.reload().await });
        }
        Ok(())
    }

    fn answers(&self) -> Trust {
        Trust::in_config(&self.surroundings.config)
    }

    /// The shelf of a sidecar in a place, made when it is first asked for.
    pub(crate) fn shelf(&self, place: &SidecarPlace, found: &Found) -> Option<Arc<Shelf>> {
        let manifest = found.manifest.as_ref().ok()?;
        let key = key(place, &found.folder, manifest.share);
        let mut shelves = self.lock();
        if let Some(shelf) = shelves.get(&key) {
            return Some(Arc::clone(shelf));
        }
        if shelves.len() >= INSTANCES {
            shelves.retain(|_, shelf| is_busy(shelf));
        }
        if shelves.len() >= INSTANCES {
            tracing::warn!(limit = INSTANCES, sidecar = manifest.name, "no further sidecar is started");
            return None;
        }
        let shelf = Shelf::new(self.base(place, found, manifest));
        shelves.insert(key, Arc::clone(&shelf));
        Some(shelf)
    }

    /// The one that runs already, if it does.
    fn serving(&self, place: &SidecarPlace, found: &Found) -> Option<Arc<Shelf>> {
        let shelves = self.lock();
        let shares = [Share::Machine, Share::Workspace, Share::Session];
        let shelf = shares.iter().find_map(|share| shelves.get(&key(place, &found.folder, *share)))?;
        is_busy(shelf).then(|| Arc::clone(shelf))
    }

    fn base(&self, place: &SidecarPlace, found: &Found, manifest: &Arc<Manifest>) -> Base {
        let mark = self.marks.maker();
        let workspace = place.workspace.as_ref().map_or_else(|| found.folder.clone(), PathBuf::from);
        let order = InstanceOrder {
            manifest: Arc::clone(manifest),
            workspace,
            environment: Arc::clone(&self.surroundings.environment),
            secrets: Arc::clone(&self.surroundings.secrets),
            run: self.surroundings.run.clone(),
            mark: mark(),
            log: Log::default(),
        };
        Base { order, trust: (!found.own).then(|| self.answers()), news: self.news.clone(), mark }
    }

    /// As others see it. Nothing is made for a look.
    pub(crate) fn view(&self, place: &SidecarPlace, found: &Found) -> SidecarView {
        let mut view = found.at_rest(&self.surroundings.config);
        let shelves = self.seen(place, found);
        let Some(shown) = shelves.iter().find(|shelf| is_busy(shelf)).or(shelves.first()) else { return view };
        let listing = shown.listing();
        view.state = shown.instance().look().state.shown();
        view.tools = listing.tools.clone();
        view.refused_tools = listing.refused.clone();
        view.reload_failed = shown.reload_failed();
        view.pid = shown.instance().look().process.map(|process| process.pid);
        for shelf in &shelves {
            let process = shelf.instance().look().process;
            let entries = process.map(|process| process::descendants(process.pid)).unwrap_or_default();
            for entry in entries.into_iter().chain(process.and_then(|process| process::entry(process.pid))) {
                view.rss += entry.rss;
                view.cpu_ms += entry.cpu_ms;
            }
            view.calls += shelf.instance().calls();
            view.users.extend(shelf.users());
        }
        view
    }

    /// The shelves that a place sees of a sidecar: its own; of one that each session has for itself those of all sessions, to whoever
    /// looks from none.
    fn seen(&self, place: &SidecarPlace, found: &Found) -> Vec<Arc<Shelf>> {
        let shelves = self.lock();
        if !found.may_run(&self.surroundings.config) {
            drop(shelves);
            return self.serving(place, found).into_iter().collect();
        }
        let Ok(manifest) = &found.manifest else { return Vec::new() };
        if manifest.share == Share::Session && place.session.is_none() {
            let of_folder = shelves.iter().filter(|((folder, _), _)| *folder == found.folder);
            return of_folder.map(|(_, shelf)| Arc::clone(shelf)).collect();
        }
        shelves.get(&key(place, &found.folder, manifest.share)).map(Arc::clone).into_iter().collect()
    }

    /// Stops and forgets those whose manifests are gone.
    pub(crate) async fn forget_gone(&self) {
        let folders: HashSet<PathBuf> = self.lock().keys().map(|(folder, _)| folder.clone()).collect();
        for folder in folders.into_iter().filter(|folder| !folder.join(FILE).exists()) {
            self.remove(&folder).await;
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let folder = folder.to_string_lossy().into_owned();
            let state = SidecarState::Stopped { why: SidecarStop::Replaced };
            let _ = self.news.send(SidecarNews::State { name, folder, state });
        }
    }

    /// Stops all instances of a folder and forgets them.
    pub(crate) async fn remove(&self, folder: &Path) {
        let mut gone = Vec::new();
        self.lock().retain(|(of, _), shelf| {
            if of == folder {
                gone.push(Arc::clone(shelf));
            }
            of != folder
        });
        for shelf in gone {
            shelf.instance().stop(SidecarStop::Replaced).await;
        }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.lock().values().any(is_busy)
    }

    pub(crate) async fn stop_all(&self) {
        let all: Vec<Arc<Shelf>> = self.lock().drain().map(|(_, shelf)| shelf).collect();
        let mut stopping = tokio::task::JoinSet::new();
        for shelf in all {
            stopping.spawn(async move { shelf.instance().stop(SidecarStop::Owner).await });
        }
        while stopping.join_next().await.is_some() {}
        self.marks.end();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Shelf>>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(place: &SidecarPlace, folder: &Path, share: Share) -> Key {
    let of = match share {
        Share::Machine => None,
        Share::Workspace => place.workspace.clone(),
        Share::Session => place.session.map(|session| session.to_string()).or_else(|| Some("by hand".to_owned())),
    };
    (folder.to_owned(), of)
}

fn is_busy(shelf: &Arc<Shelf>) -> bool {
    match shelf.instance().look().state {
        State::Idle | State::Stopped { .. } => false,
        State::Failed { again, .. } => matches!(again, protocol::sidecar::TryAgain::After { .. }),
        State::Building
        | State::Starting
        | State::Connected { .. }
        | State::Disconnected { .. }
        | State::Stopping { .. } => true,
    }
}
