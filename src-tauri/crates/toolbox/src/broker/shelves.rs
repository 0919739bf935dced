//! Which sidecars are there, and which instance of each is whose?
//!
//! Responsible for looking into the workspace and the config folder, for trust, and for one shelf for all who share it. It keeps the
//! marks of all instances on record, so that what a killed owner left behind can be proved ours and ended by the next one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::sidecar::{SidecarNews, SidecarPlace, SidecarState, SidecarStop, SidecarTrust, SidecarView};
use tokio::sync::broadcast;

use super::Surroundings;
use super::shelf::{Base, Shelf};
use crate::instance::InstanceOrder;
use crate::limits::INSTANCES;
use crate::log::Log;
use crate::manifest::{self, CONFIG_FOLDER, Manifest, ManifestError, Share, WORKSPACE_FOLDER};
use crate::states::State;
use crate::trust::Trust;

/// The record of marks in the run folder.
const MARKS: &str = "sidecar-marks";

/// A sidecar's folder and what its manifest says.
pub(crate) struct Found {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Result<Arc<Manifest>, ManifestError>,
    /// Whether it is the user's own, from the config folder.
    own: bool,
}

/// See the module.
pub(crate) struct Shelves {
    surroundings: Surroundings,
    news: broadcast::Sender<SidecarNews>,
    shelves: Mutex<HashMap<Key, Arc<Shelf>>>,
    marks: Arc<Mutex<Vec<String>>>,
}

/// The folder, and whose instance it is where not all share one.
type Key = (PathBuf, Option<String>);

impl Found {
    pub(crate) fn name(&self) -> String {
        self.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

impl Shelves {
    pub(crate) async fn new(surroundings: Surroundings, news: broadcast::Sender<SidecarNews>) -> Self {
        let record = surroundings.run.join(MARKS);
        for mark in std::fs::read_to_string(&record).unwrap_or_default().lines().filter(|line| !line.is_empty()) {
            let swept = process::sweep(mark, &[]).await;
            if !swept.ended.is_empty() {
                tracing::warn!(
                    mark,
                    ended = swept.ended.len(),
                    "a killed owner had left a sidecar running; it was ended"
                );
            }
        }
        let _ = std::fs::remove_file(record);
        Self { surroundings, news, shelves: Mutex::default(), marks: Arc::default() }
    }

    /// All of a place: those of its workspace, then the user's own.
    pub(crate) fn found(&self, place: &SidecarPlace) -> Vec<Found> {
        let of_workspace = place.workspace.iter().map(|workspace| Path::new(workspace).join(WORKSPACE_FOLDER));
        let mut all = Vec::new();
        for (root, own) in
            of_workspace.map(|root| (root, false)).chain([(self.surroundings.config.join(CONFIG_FOLDER), true)])
        {
            for folder in manifest::folders(&root) {
                let manifest = Manifest::read(&folder).map(Arc::new);
                all.push(Found { folder, manifest, own });
            }
        }
        all
    }

    /// The shelves of a place that may be used: their manifests can be read, and they are trusted or serve already.
    pub(crate) fn usable(&self, place: &SidecarPlace) -> Vec<Arc<Shelf>> {
        let mut all = Vec::new();
        for found in self.found(place) {
            let trusted = matches!(self.trust(&found), Ok(SidecarTrust::Own | SidecarTrust::Trusted));
            // What was trusted and runs goes on as it was trusted, until its change is.
            let shelf = if trusted { self.shelf(place, &found) } else { self.serving(place, &found) };
            all.extend(shelf);
        }
        all
    }

    /// Whether it may run; in words why it cannot.
    pub(crate) fn trust(&self, found: &Found) -> Result<SidecarTrust, String> {
        let manifest = found.manifest.as_ref().map_err(ToString::to_string)?;
        Ok(if found.own { SidecarTrust::Own } else { self.answers().of(manifest) })
    }

    pub(crate) fn answer(&self, found: &Found, hash: &str, trusted: bool) -> Result<(), String> {
        let manifest = found.manifest.as_ref().map_err(ToString::to_string)?;
        self.answers().answer(manifest, hash, trusted).map_err(|error| error.to_string())
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
        let mark = self.mark();
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

    /// Makes marks. Each is on record before anything carries it.
    fn mark(&self) -> Arc<dyn Fn() -> String + Send + Sync> {
        let (marks, record) = (Arc::clone(&self.marks), self.surroundings.run.join(MARKS));
        Arc::new(move || {
            let mark = format!("sidecar-{}", uuid::Uuid::now_v7().simple());
            let mut marks = marks.lock().unwrap_or_else(PoisonError::into_inner);
            if marks.len() >= 2 * INSTANCES {
                marks.retain(|mark| !process::marked(mark).is_empty());
            }
            marks.push(mark.clone());
            let folder = record.parent().map(Path::to_owned).unwrap_or_default();
            let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&record, marks.join("\n")));
            if let Err(error) = written {
                tracing::warn!(%error, "the marks of sidecars are not on record: a crash could leave them running");
            }
            mark
        })
    }

    /// As others see it.
    pub(crate) fn view(&self, place: &SidecarPlace, found: Found) -> SidecarView {
        let trust = self.trust(&found);
        let shelf = match &trust {
            Ok(SidecarTrust::Own | SidecarTrust::Trusted) => self.shelf(place, &found),
            Ok(SidecarTrust::Needed { .. }) | Err(_) => self.serving(place, &found),
        };
        let look = shelf.as_ref().map(|shelf| shelf.instance().look());
        let process = look.as_ref().and_then(|look| look.process);
        let entries = process.map(|process| process::descendants(process.pid)).unwrap_or_default();
        let entries: Vec<_> =
            entries.into_iter().chain(process.and_then(|process| process::entry(process.pid))).collect();
        let listing = look.as_ref().map(|look| Arc::clone(&look.listing)).unwrap_or_default();
        SidecarView {
            name: found.name(),
            description: found.manifest.as_ref().map(|manifest| manifest.description.clone()).unwrap_or_default(),
            folder: found.folder.to_string_lossy().into_owned(),
            share: found.manifest.as_ref().map(|manifest| share(manifest.share)).unwrap_or_default().to_owned(),
            error: found.manifest.as_ref().err().map(ToString::to_string),
            trust: trust.unwrap_or(SidecarTrust::Own),
            state: look.map_or(SidecarState::Idle, |look| look.state.shown()),
            tools: listing.tools.clone(),
            refused_tools: listing.refused.clone(),
            pid: process.map(|process| process.pid),
            rss: entries.iter().map(|entry| entry.rss).sum(),
            cpu_ms: entries.iter().map(|entry| entry.cpu_ms).sum(),
            calls: shelf.as_ref().map_or(0, |shelf| shelf.instance().calls()),
            users: shelf.as_ref().map(|shelf| shelf.users()).unwrap_or_default(),
            reload_failed: shelf.as_ref().and_then(|shelf| shelf.reload_failed()),
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
        let _ = std::fs::remove_file(self.surroundings.run.join(MARKS));
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

fn share(share: Share) -> &'static str {
    match share {
        Share::Machine => "machine",
        Share::Workspace => "workspace",
        Share::Session => "session",
    }
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
