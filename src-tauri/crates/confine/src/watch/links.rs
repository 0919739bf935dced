//! Which files outside has a pod reached through a second name inside of its scope (a hard link)?
//!
//! No system tells of that: a note names the one name that was used. So the folders are looked through for the other names of each
//! file inside that has several. Looking is dear, so it rests after each round, and what comes meanwhile waits for the next. A look
//! that would be too long is cut short and says so.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use protocol::scope::FileChange;

use super::writers::Found;

/// Entries of folders that one round looks at.
const ENTRIES: usize = 200_000;
/// After a round it rests for so many times as long as that took.
const REST: u32 = 20;
/// Files that wait for a round; further ones are left out.
const WAITING: usize = 1024;

/// A file, whatever it is called.
type FileId = (u64, u64);

/// A change of a file that has several names.
#[derive(Debug)]
pub(super) struct Linked {
    /// What happened to it.
    pub(super) what: FileChange,
    /// When.
    pub(super) at: Timestamp,
    /// How often.
    pub(super) times: u32,
    /// Who did it, where that is known.
    pub(super) by: Option<Found>,
}

/// What a round has found.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Names outside of the scope, and what happened to their files.
    pub(super) outside: Vec<(PathBuf, Linked)>,
    /// Why not everything was looked at.
    pub(super) cut_short: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Links {
    roots: Vec<PathBuf>,
    waiting: HashMap<FileId, Linked>,
    rests_until: Option<Instant>,
}

impl Links {
    pub(super) fn new(roots: &[PathBuf]) -> Self {
        Self { roots: roots.to_vec(), waiting: HashMap::new(), rests_until: None }
    }

    /// Takes a change inside of the scope, if its file has other names.
    pub(super) fn take(&mut self, path: &Path, linked: Linked) {
        if let Some(id) = fs::symlink_metadata(path).ok().as_ref().and_then(several_names)
            && (self.waiting.len() < WAITING || self.waiting.contains_key(&id))
        {
            self.waiting.insert(id, linked);
        }
    }

    /// How long until the next round; `None` when nothing waits for one.
    pub(super) fn due_in(&self) -> Option<Duration> {
        let rest = self.rests_until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default();
        (!self.waiting.is_empty()).then_some(rest)
    }

    /// Looks for the other names of all that waits. `is_ours` says what is inside.
    pub(super) fn round(&mut self, is_ours: impl Fn(&Path) -> bool) -> Round {
        let began = Instant::now();
        let mut waiting = std::mem::take(&mut self.waiting);
        let mut round = Round::default();
        let mut folders = self.roots.clone();
        let mut entries = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                entries += 1;
                // Of the entry itself: no link is followed.
                let Ok(metadata) = entry.metadata() else { continue };
                if metadata.is_dir() {
                    folders.push(entry.path());
                } else if let Some(id) = several_names(&metadata)
                    && waiting.contains_key(&id)
                    && !is_ours(&entry.path())
                    && let Some(linked) = waiting.remove(&id)
                {
                    round.outside.push((entry.path(), linked));
                }
            }
            if waiting.is_empty() {
                break;
            }
            if entries >= ENTRIES {
                round.cut_short = Some(format!(
                    "of a file with several names the others were looked for among {entries} files and folders only"
                ));
                break;
            }
        }
        self.rests_until = Some(Instant::now() + began.elapsed() * REST);
        round
    }
}

#[cfg(unix)]
fn several_names(metadata: &Metadata) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    (metadata.is_file() && metadata.nlink() > 1).then(|| (metadata.dev(), metadata.ino()))
}

/// Elsewhere a file's identity is not told without opening it.
#[cfg(not(unix))]
fn several_names(_metadata: &Metadata) -> Option<FileId> {
    None
}
