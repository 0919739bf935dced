//! Do sidecars come and go?
//!
//! Responsible for knowing where sidecars lie, and for one notice per burst of changes when a folder with a manifest appears there,
//! disappears, or its manifest is written. What else changes in a sidecar's folder is [`crate::broker`]'s business, while it serves.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::limits::DEBOUNCE;
use crate::manifest::{CONFIG_FOLDER, FILE, WORKSPACE_FOLDER, folders};

/// Where sidecars of a workspace and of the user lie, the workspace's first.
#[must_use]
pub fn roots(config: &Path, workspace: Option<&Path>) -> Vec<PathBuf> {
    workspace
        .map(|workspace| workspace.join(WORKSPACE_FOLDER))
        .into_iter()
        .chain([config.join(CONFIG_FOLDER)])
        .collect()
}

/// Whether there is any sidecar. Reads a folder or two.
#[must_use]
pub fn has_any(config: &Path, workspace: Option<&Path>) -> bool {
    roots(config, workspace).iter().any(|root| !folders(root).is_empty())
}

/// Watches roots as long as it lives.
pub struct RootWatch {
    /// None where the system cannot.
    watcher: Option<RecommendedWatcher>,
    /// Folders that are watched now.
    watched: HashSet<PathBuf>,
    /// What is looked at, and where it ends above: nothing above that is watched.
    roots: Arc<Mutex<Vec<PathBuf>>>,
    tops: Vec<PathBuf>,
    changes: mpsc::Receiver<()>,
    /// A change that nobody was told of yet.
    noticed: bool,
}

impl RootWatch {
    /// Watches nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let roots: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
        let (changed, changes) = mpsc::channel(1);
        let looked_at = Arc::clone(&roots);
        let told = move |event: notify::Result<Event>| {
            let counts = |event: &Event| {
                let roots = looked_at.lock().unwrap_or_else(PoisonError::into_inner);
                !event.kind.is_access() && event.paths.iter().any(|path| counts(&roots, path))
            };
            // When one is waiting already, this change is a part of it.
            if event.is_ok_and(|event| counts(&event)) {
                let _ = changed.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(told)
            .inspect_err(|error| tracing::warn!(%error, "sidecars that come and go are not noticed"));
        Self { watcher: watcher.ok(), watched: HashSet::new(), roots, tops: Vec::new(), changes, noticed: false }
    }

    /// Watches these roots too. `top` is a folder above or at the root that is there; it is watched for the way down to it.
    pub fn add(&mut self, root: &Path, top: &Path) {
        let mut roots = self.roots.lock().unwrap_or_else(PoisonError::into_inner);
        if !roots.iter().any(|known| known == root) {
            roots.push(root.to_owned());
            self.tops.push(top.to_owned());
        }
        drop(roots);
        self.reach();
    }

    /// Waits for a change, and until it is quiet for a moment. Waits for ever where the system cannot tell. Cancel-safe.
    pub async fn changed(&mut self) {
        if !self.noticed {
            if self.watcher.is_none() || self.changes.recv().await.is_none() {
                return std::future::pending().await;
            }
            self.noticed = true;
        }
        while tokio::time::timeout(DEBOUNCE, self.changes.recv()).await.is_ok_and(|more| more.is_some()) {}
        self.noticed = false;
        self.reach();
    }

    /// Watches what is there now of the way to each root, and each folder in it.
    fn reach(&mut self) {
        let roots = self.roots.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut wanted = HashSet::new();
        for (root, top) in roots.iter().zip(&self.tops) {
            let way = root.ancestors().take_while(|folder| folder.starts_with(top));
            wanted.extend(way.filter(|folder| folder.is_dir()).map(Path::to_owned));
            let inside = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
            wanted.extend(inside.filter(|path| path.is_dir()).take(crate::limits::SIDECARS));
        }
        let Some(watcher) = &mut self.watcher else { return };
        // A folder that went and came again is another one to the system.
        for gone in self.watched.difference(&wanted) {
            let _ = watcher.unwatch(gone);
        }
        for new in wanted.difference(&self.watched) {
            if let Err(error) = watcher.watch(new, RecursiveMode::NonRecursive) {
                tracing::warn!(folder = %new.display(), %error, "sidecars that come and go are not noticed");
            }
        }
        self.watched = wanted;
    }
}

impl Default for RootWatch {
    fn default() -> Self {
        Self::new()
    }
}

/// A root or what leads to it, a folder in it, or a manifest in that.
fn counts(roots: &[PathBuf], path: &Path) -> bool {
    roots.iter().any(|root| match path.strip_prefix(root) {
        Err(_) => root.starts_with(path),
        Ok(inside) => match inside.components().count() {
            0 | 1 => true,
            2 => inside.file_name().is_some_and(|name| name == FILE),
            _ => false,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(watch: &mut RootWatch) {
        tokio::time::timeout(std::time::Duration::from_secs(60), watch.changed()).await.expect("the change is told");
    }

    #[tokio::test]
    async fn a_sidecar_that_comes_and_goes_is_noticed_wherever_it_begins() {
        let temp = tempfile::tempdir().unwrap();
        let workspace = std::fs::canonicalize(temp.path()).unwrap();
        let root = workspace.join(WORKSPACE_FOLDER);
        let mut watch = RootWatch::new();
        watch.add(&root, &workspace);
        std::fs::create_dir_all(root.join("lint")).unwrap();
        told(&mut watch).await;
        std::fs::write(root.join("lint").join(FILE), "run = \"x\"").unwrap();
        told(&mut watch).await;
        std::fs::remove_dir_all(root.join("lint")).unwrap();
        told(&mut watch).await;
    }

    #[test]
    fn only_what_makes_a_sidecar_counts() {
        let roots = [PathBuf::from("/w/.outrigger/sidecars")];
        for path in ["/w/.outrigger", "/w/.outrigger/sidecars/a", "/w/.outrigger/sidecars/a/sidecar.toml"] {
            assert!(counts(&roots, Path::new(path)), "{path}");
        }
        for path in ["/w/a.txt", "/w/.outrigger/notes", "/w/.outrigger/sidecars/a/server.mjs"] {
            assert!(!counts(&roots, Path::new(path)), "{path}");
        }
    }
}
