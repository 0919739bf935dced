//! Has the folder of a sidecar changed?
//!
//! Responsible for one notice per burst of changes ([`DEBOUNCE`]), about what people write. What package tools, compilers and version
//! control write there is passed over, and so is everything while the sidecar is being built: a build that woke itself would never end.

use std::path::{Component, Path, PathBuf};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::limits::DEBOUNCE;
use crate::manifest::{FILE, Manifest, Watch};

/// Folders in which nobody edits by hand.
const PASSED_OVER: &[&str] = &[
    ".git",
    "node_modules",
    "target",
    "dist",
    "build",
    "out",
    "__pycache__",
    ".venv",
    "venv",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".cache",
    ".next",
    "logs",
];
/// Files that change while a sidecar runs.
const PASSED_OVER_FILES: &[&str] =
    &["log", "sqlite", "sqlite3", "db", "db-wal", "db-shm", "sqlite3-wal", "tmp", "swp", "pyc"];

/// Watches a folder as long as it lives.
pub(crate) struct Watching {
    _watcher: RecommendedWatcher,
    changes: mpsc::Receiver<()>,
}

impl Watching {
    /// Begins to watch; `None` where the manifest says not to, or the system cannot.
    pub(crate) fn of(manifest: &Manifest) -> Option<Self> {
        if manifest.watch == Watch::Off {
            return None;
        }
        let folder = std::fs::canonicalize(&manifest.folder).unwrap_or_else(|_| manifest.folder.clone());
        let (root, watch) = (folder.clone(), manifest.watch.clone());
        let (changed, changes) = mpsc::channel(1);
        let told = move |event: notify::Result<Event>| {
            let counts = |event: &Event| {
                !event.kind.is_access() && event.paths.iter().any(|path| is_source(&root, path, &watch))
            };
            // When one is waiting already, this change is a part of it.
            if event.is_ok_and(|event| counts(&event)) {
                let _ = changed.try_send(());
            }
        };
        let mut watcher = notify::recommended_watcher(told).ok()?;
        match watcher.watch(&folder, RecursiveMode::Recursive) {
            Ok(()) => Some(Self { _watcher: watcher, changes }),
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "changes of a sidecar are not noticed");
                None
            }
        }
    }

    /// Waits for a change, and until it is quiet for a moment.
    pub(crate) async fn changed(&mut self) -> Option<()> {
        self.changes.recv().await?;
        while tokio::time::timeout(DEBOUNCE, self.changes.recv()).await.is_ok_and(|more| more.is_some()) {}
        Some(())
    }

    /// Forgets what was noticed so far.
    pub(crate) fn forget(&mut self) {
        while self.changes.try_recv().is_ok() {}
    }
}

fn is_source(root: &Path, path: &Path, watch: &Watch) -> bool {
    let Ok(inside) = path.strip_prefix(root) else { return false };
    if inside == Path::new(FILE) {
        return true;
    }
    match watch {
        Watch::Off => false,
        Watch::Only(paths) => paths.iter().any(|wanted| inside.starts_with(clean(wanted))),
        Watch::Folder => {
            let part_of = |part: Component<'_>| PASSED_OVER.iter().any(|name| part.as_os_str() == *name);
            let extension = inside.extension().map(|extension| extension.to_string_lossy().to_lowercase());
            let temporary = inside.file_name().is_some_and(|name| name.to_string_lossy().ends_with('~'));
            !inside.components().any(part_of)
                && !temporary
                && extension.is_none_or(|extension| !PASSED_OVER_FILES.contains(&extension.as_str()))
                && inside.components().next().is_some()
        }
    }
}

fn clean(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, Component::CurDir)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_counts() {
        let counts = |path: &str, watch: &Watch| is_source(Path::new("/s"), &Path::new("/s").join(path), watch);
        for source in ["server.mjs", "src/deep/a.rs", "sidecar.toml", "Makefile"] {
            assert!(counts(source, &Watch::Folder), "{source}");
        }
        for other in ["node_modules/a/b.js", "target/debug/x", ".git/index", "run.log", "data.sqlite3", "a.txt~", ""] {
            assert!(!counts(other, &Watch::Folder), "{other}");
        }
        let only = Watch::Only(vec!["./src".into()]);
        assert!(counts("src/a.rs", &only) && counts("sidecar.toml", &only) && !counts("notes.md", &only));
    }
}
