//! Who writes where they may not, when nothing refuses it? A stream of what was seen, for the journal.
//!
//! It watches folders, asks the caller who may write at a path, finds out who wrote where that can be proved, and tells what is
//! foreign. It prevents nothing. Changes of one file that come close together are told once.

mod links;
mod verdict;
#[cfg(target_os = "linux")]
mod witness;
mod writers;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use notify::event::{ModifyKind, RenameMode};
use notify::{EventKind, RecursiveMode, Watcher as _};
use protocol::PodId;
use protocol::scope::{FileChange, ForeignWrite};
use thiserror::Error;

use links::{Linked, Links};
pub use verdict::Owner;
use verdict::{Whose, is_foreign};
use writers::{Found, writers};

/// How long changes of one file are gathered before they are told.
const GATHER: Duration = Duration::from_millis(300);
/// Between two looks at the open files of all processes.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Files that are gathered at one time; further ones are only counted.
const FILES_AT_MOST: usize = 512;

/// What is watched, and for whom.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Folders, with all below them; canonical.
    pub roots: Vec<PathBuf>,
    /// Folders whose files this process has locked. The kernel hands a witness an open file with each event, and a process that
    /// closes any of a file's descriptors loses all of its POSIX locks on it: SQLite would take its other users for gone.
    pub locked: Vec<PathBuf>,
    /// The pod that watches: what carries its mark is ours.
    pub pod: PodId,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// A write where the writer may not, or where somebody else wrote in what is ours.
    Foreign(ForeignWrite),
    /// So many more files were changed at once that they are not told one by one.
    More(usize),
    /// The system lost some of its notes, or cannot watch a folder. What happened there is not known.
    Blind(String),
}

/// Watching could not begin.
#[derive(Debug, Error)]
pub enum WatchError {
    /// The system refused.
    #[error(
        "failed to watch {root}: {source}; on Linux raise fs.inotify.max_user_watches, or leave large folders out of the scope"
    )]
    Refused {
        /// The folder.
        root: PathBuf,
        /// Its answer.
        source: notify::Error,
    },
    /// No thread could be started.
    #[error("failed to start the thread of the watcher: {source}; end other programs")]
    Thread {
        /// The system's answer.
        source: io::Error,
    },
}

/// Watching goes on until this is dropped.
#[derive(Debug)]
pub struct Watcher {
    notes: Option<notify::RecommendedWatcher>,
    gatherer: Option<thread::JoinHandle<()>>,
}

/// Begins to watch. `owner` says who may write at a path, and `tell` gets what is foreign, both in a thread of the watcher.
///
/// # Errors
/// When a folder cannot be watched.
pub fn watch(
    watch: &Watch,
    owner: impl Fn(&Path) -> Owner + Send + 'static,
    tell: impl FnMut(Seen) + Send + 'static,
) -> Result<Watcher, WatchError> {
    let (sender, receiver): (Sender<notify::Result<notify::Event>>, _) = channel();
    // The kernel's witness comes first, so that it misses nothing that is noted.
    let gatherer = Gatherer::new(watch, Box::new(owner), Box::new(tell));
    let mut notes = notify::recommended_watcher(sender).map_err(refused(Path::new("")))?;
    for root in &watch.roots {
        notes.watch(root, RecursiveMode::Recursive).map_err(refused(root))?;
    }
    let gatherer = thread::Builder::new().name("foreign writes".to_owned()).spawn(move || gatherer.gather(&receiver));
    let gatherer = gatherer.map_err(|source| WatchError::Thread { source })?;
    Ok(Watcher { notes: Some(notes), gatherer: Some(gatherer) })
}

fn refused(root: &Path) -> impl FnOnce(notify::Error) -> WatchError {
    let root = root.to_owned();
    move |source| WatchError::Refused { root, source }
}

impl Drop for Watcher {
    /// What was gathered is told before this returns.
    fn drop(&mut self) {
        // Without its sender the gatherer comes to its end.
        drop(self.notes.take());
        if let Some(gatherer) = self.gatherer.take()
            && gatherer.join().is_err()
        {
            tracing::error!("the watcher of foreign writes panicked");
        }
    }
}

struct Gatherer {
    pod: PodId,
    owner: Box<dyn Fn(&Path) -> Owner + Send>,
    tell: Box<dyn FnMut(Seen) + Send>,
    open: HashMap<PathBuf, Change>,
    more: usize,
    looked: Option<Instant>,
    links: Links,
    #[cfg(target_os = "linux")]
    witness: Option<witness::Witness>,
}

struct Change {
    what: FileChange,
    times: u32,
    first: Instant,
    at: Timestamp,
    by: Option<Found>,
}

impl Gatherer {
    fn new(watch: &Watch, owner: Box<dyn Fn(&Path) -> Owner + Send>, tell: Box<dyn FnMut(Seen) + Send>) -> Self {
        Self {
            pod: watch.pod,
            owner,
            tell,
            open: HashMap::new(),
            more: 0,
            looked: None,
            links: Links::new(&watch.roots),
            #[cfg(target_os = "linux")]
            witness: witness::Witness::start(&watch.roots, &watch.locked),
        }
    }

    fn gather(mut self, notes: &Receiver<notify::Result<notify::Event>>) {
        loop {
            let open = self.open.values().map(|change| GATHER.saturating_sub(change.first.elapsed())).min();
            let wait = open.into_iter().chain(self.links.due_in()).min();
            let next = match wait {
                // Nothing is open: nothing wakes this thread but a note.
                None => notes.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => notes.recv_timeout(wait),
            };
            match next {
                Ok(note) => self.take(note, notes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.tell_older_than(Duration::ZERO);
                    return self.tell_links();
                }
            }
            self.tell_older_than(GATHER);
            if self.links.due_in().is_some_and(|wait| wait.is_zero()) {
                self.tell_links();
            }
        }
    }

    /// Takes this note and all that wait, then looks once who has these files open.
    fn take(&mut self, note: notify::Result<notify::Event>, notes: &Receiver<notify::Result<notify::Event>>) {
        let mut fresh = Vec::new();
        for note in std::iter::once(note).chain(notes.try_iter()) {
            match note {
                Ok(event) if event.need_rescan() => self.blind("the system lost notes of changes".to_owned()),
                Ok(event) => fresh.extend(self.note(event)),
                Err(error) => self.blind(error.to_string()),
            }
        }
        self.look(&fresh);
    }

    fn blind(&mut self, why: String) {
        (self.tell)(Seen::Blind(why));
    }

    /// The files of an event that are of interest.
    fn note(&mut self, event: notify::Event) -> Vec<PathBuf> {
        let Some(what) = change(event.kind) else { return Vec::new() };
        let mut fresh = Vec::new();
        for path in event.paths {
            let full = self.open.len() >= FILES_AT_MOST;
            match self.open.get_mut(&path) {
                Some(change) => {
                    change.times = change.times.saturating_add(1);
                    change.what = together(change.what, what);
                }
                None if full => {
                    self.more += 1;
                    continue;
                }
                None => {
                    let change = Change { what, times: 1, first: Instant::now(), at: Timestamp::now(), by: None };
                    self.open.insert(path.clone(), change);
                }
            }
            fresh.push(path);
        }
        fresh
    }

    /// Looks who has these files open for writing, unless that was done just now.
    fn look(&mut self, fresh: &[PathBuf]) {
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
            self.look_again(fresh);
        }
    }

    fn look_again(&mut self, files: &[PathBuf]) {
        let unknown = |path: &&PathBuf| self.open.get(*path).is_some_and(|change| change.by.is_none());
        let wanted: Vec<PathBuf> = files.iter().filter(unknown).cloned().collect();
        if wanted.is_empty() {
            return;
        }
        for (path, found) in writers(&wanted) {
            if let Some(change) = self.open.get_mut(&path) {
                change.by = Some(found);
            }
        }
        self.looked = Some(Instant::now());
    }

    fn tell_older_than(&mut self, age: Duration) {
        let old = |change: &Change| change.first.elapsed() >= age;
        let ready: Vec<PathBuf> = self.open.iter().filter(|(_, change)| old(change)).map(|(p, _)| p.clone()).collect();
        self.look_again(&ready);
        for path in ready {
            if let Some(change) = self.open.remove(&path) {
                self.judge(path, change);
            }
        }
        if self.open.is_empty() && self.more > 0 {
            (self.tell)(Seen::More(std::mem::take(&mut self.more)));
        }
    }

    /// Tells a change if any of those who may have made it made it where they may not. A file that somebody has had open for long is
    /// no proof against another one whom the kernel names.
    fn judge(&mut self, path: PathBuf, change: Change) {
        let owner = (self.owner)(&path);
        let mut suspects: Vec<Found> = self.witnessed(&path);
        suspects.extend(change.by);
        let Change { what, at, times, .. } = change;
        let guilty = suspects.iter().find(|found| is_foreign(&owner, self.whose(found))).cloned();
        let is_told = guilty.is_some() || (suspects.is_empty() && is_foreign(&owner, Whose::Unknown));
        if is_told {
            self.tell_foreign(&path, owner, Linked { what, at, times, by: guilty });
        } else if let Owner::Ours(_) = owner
            && what != FileChange::Removed
        {
            // What is ours by this name may be somebody else's by another.
            self.links.take(&path, Linked { what, at, times, by: suspects.into_iter().next() });
        }
    }

    /// Tells of what was reached through other names.
    fn tell_links(&mut self) {
        if self.links.due_in().is_none() {
            return;
        }
        let owner = &self.owner;
        let round = self.links.round(|path| matches!(owner(path), Owner::Ours(_)));
        for (path, linked) in round.outside {
            let what = match linked.what {
                FileChange::Written => FileChange::Written,
                // The new name was made inside; the file is not new.
                FileChange::Created | FileChange::Removed | FileChange::Renamed | FileChange::Changed => {
                    FileChange::Changed
                }
            };
            self.tell_foreign(&path, (self.owner)(&path), Linked { what, ..linked });
        }
        if let Some(why) = round.cut_short {
            self.blind(why);
        }
    }

    fn tell_foreign(&mut self, path: &Path, owner: Owner, seen: Linked) {
        let holder = match owner {
            Owner::Ours(session) | Owner::Other(session) => Some(session),
            Owner::Nobody => None,
        };
        (self.tell)(Seen::Foreign(ForeignWrite {
            path: path.to_string_lossy().into_owned(),
            change: seen.what,
            at: format!("{:.3}", seen.at),
            holder,
            by: seen.by.map(|found| found.writer),
            times: seen.times,
        }));
    }

    fn whose(&self, found: &Found) -> Whose {
        match found.writer.pod {
            Some(pod) if pod == self.pod => Whose::Ours,
            Some(_) => Whose::OtherPods,
            None if found.unsure => Whose::Unknown,
            None => Whose::Strangers,
        }
    }

    #[cfg(target_os = "linux")]
    fn witnessed(&self, path: &Path) -> Vec<Found> {
        self.witness.as_ref().map(|witness| witness.writers_of(path)).unwrap_or_default()
    }

    #[cfg(not(target_os = "linux"))]
    fn witnessed(&self, _path: &Path) -> Vec<Found> {
        Vec::new()
    }
}

/// What an event says happened; `None` when nothing was written.
fn change(kind: EventKind) -> Option<FileChange> {
    match kind {
        EventKind::Create(_) => Some(FileChange::Created),
        EventKind::Remove(_) => Some(FileChange::Removed),
        EventKind::Modify(ModifyKind::Name(RenameMode::Any | RenameMode::To | RenameMode::From | RenameMode::Both)) => {
            Some(FileChange::Renamed)
        }
        EventKind::Modify(ModifyKind::Metadata(_)) | EventKind::Access(_) => None,
        EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => Some(FileChange::Written),
        EventKind::Modify(ModifyKind::Name(_) | ModifyKind::Other) | EventKind::Any | EventKind::Other => {
            Some(FileChange::Changed)
        }
    }
}

/// Two changes of one file as one: what was made and then written was made, and what is gone is gone.
fn together(before: FileChange, now: FileChange) -> FileChange {
    match (before, now) {
        (_, FileChange::Removed | FileChange::Renamed) => now,
        (FileChange::Created, FileChange::Written | FileChange::Created) => FileChange::Created,
        (one, other) if one == other => one,
        _ => FileChange::Changed,
    }
}
