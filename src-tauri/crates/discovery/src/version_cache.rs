//! Which version did this very file name when it was last asked?
//!
//! Responsible for keeping answers on disk under what identifies a file (path, resolved path, time, size, inode), so
//! that a program that was updated is asked again. Only answers are kept, never failures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::limits::{VERSION_VALID, VERSIONS_KEPT};
use serde::{Deserialize, Serialize};

use crate::settings_file::write_whole;

/// Programs that decide by their name or their folder which program they are; their file says nothing about the
/// version.
const SHIMS: [&str; 7] = ["volta-shim", "mise", "rtx", "asdf", "fnm", "proto", "proto-shim"];

#[derive(Debug, Default)]
pub(crate) struct VersionCache {
    file: Option<PathBuf>,
    entries: BTreeMap<String, Entry>,
    changed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// What the program printed.
    said: String,
    /// Seconds since 1970.
    at: u64,
}

impl VersionCache {
    /// What is kept in the cache folder; a file that cannot be read is an empty one.
    pub(crate) fn open(cache: Option<&Path>) -> Self {
        let file = cache.map(|folder| folder.join("versions.json"));
        let bytes = file.as_ref().and_then(|file| std::fs::read(file).ok());
        let entries = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { file, entries, changed: false }
    }

    pub(crate) fn recall(&self, key: &str) -> Option<&str> {
        let entry = self.entries.get(key)?;
        let age = now().checked_sub(Duration::from_secs(entry.at))?;
        (age <= VERSION_VALID).then_some(entry.said.as_str())
    }

    pub(crate) fn keep(&mut self, key: String, said: String) {
        self.entries.insert(key, Entry { said, at: now().as_secs() });
        self.changed = true;
    }

    /// Writes what was learned. A cache that cannot be written costs time at the next question and nothing else.
    pub(crate) fn save(&mut self) {
        let Some(file) = self.file.as_ref().filter(|_| self.changed) else { return };
        let surplus = self.entries.len().saturating_sub(VERSIONS_KEPT);
        let mut oldest: Vec<_> = self.entries.iter().map(|(key, entry)| (entry.at, key.clone())).collect();
        oldest.sort();
        for (_, key) in oldest.into_iter().take(surplus) {
            self.entries.remove(&key);
        }
        if let Ok(bytes) = serde_json::to_vec(&self.entries) {
            let _ = write_whole(file, &bytes);
        }
        self.changed = false;
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// What identifies a program's file, or `None` where the file does not decide the version.
pub(crate) fn key(path: &Path, resolved: &Path, args: &[String]) -> Option<String> {
    let named =
        |path: &Path, names: &[&str]| path.file_stem().is_some_and(|stem| names.iter().any(|name| stem == *name));
    let in_shims = |path: &Path| path.parent().is_some_and(|folder| named(folder, &["shims"]));
    if in_shims(path) || in_shims(resolved) || named(resolved, &SHIMS) {
        return None;
    }
    let meta = std::fs::metadata(resolved).ok()?;
    let modified = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    Some(format!(
        "{}\n{}\n{modified} {} {}\n{}",
        path.display(),
        resolved.display(),
        meta.len(),
        inode(&meta),
        args.join("\n")
    ))
}

#[cfg(unix)]
fn inode(meta: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> u64 {
    0
}
