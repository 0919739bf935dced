//! The files of the log: `outrigger.log` now, `outrigger.<date>[.n].log` before.
//!
//! Responsible for appending from many processes at once, for rotation by day (UTC) and size, and for keeping a fixed
//! number of files. A line is one `write` to a file opened for appending, so lines of several processes never mix.
//! Nothing here blocks: the lock of a rotation is only tried, and when writing fails the line is counted and told later.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::LogError;

pub(crate) const CURRENT: &str = "outrigger.log";
const LOCK: &str = "outrigger.log.lock";

/// How large, how many, how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// One file, in bytes.
    pub(crate) file_bytes: u64,
    /// Files in all, the current one included.
    pub(crate) files: usize,
    /// One line, in bytes, with its newline.
    pub(crate) line_bytes: usize,
}

/// The log as one process writes it.
#[derive(Debug)]
pub(crate) struct LogFile {
    dir: PathBuf,
    limits: Limits,
    clock: fn() -> Timestamp,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// None after an error; opened again with the next line.
    open: Option<Open>,
    lost: u64,
    /// The last write ended inside a line.
    torn: bool,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// The day on which the file was begun, `2026-11-21`.
    day: String,
    identity: Identity,
}

impl LogFile {
    /// Opens the log in `dir`, which is created for this user alone when it is missing.
    pub(crate) fn open(dir: &Path, limits: Limits, clock: fn() -> Timestamp) -> Result<LogFile, LogError> {
        let unwritable = |path: &Path| {
            let path = path.to_path_buf();
            move |source| LogError::Unwritable { path, source }
        };
        create_dir(dir).map_err(unwritable(dir))?;
        let path = dir.join(CURRENT);
        let open = Open::at(&path, &day(clock())).map_err(unwritable(&path))?;
        let state = Mutex::new(State { open: Some(open), lost: 0, torn: false });
        Ok(LogFile { dir: dir.to_path_buf(), limits, clock, state })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join(CURRENT)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(crate) fn line_bytes(&self) -> usize {
        self.limits.line_bytes
    }

    /// Appends a line, which ends in a newline. Never fails: a line that can't be written is counted.
    pub(crate) fn append(&self, line: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.ready(&mut state, line.len() as u64).and_then(|()| self.write(&mut state, line));
        if written.is_err() {
            state.lost += 1;
            state.open = None;
        }
    }

    /// Makes `state.open` the file that this line belongs into.
    fn ready(&self, state: &mut State, length: u64) -> io::Result<()> {
        let path = self.path();
        let today = day(self.now());
        let found = fs::metadata(&path);
        let is_same = matches!((&found, &state.open), (Ok(found), Some(open)) if open.identity == identity(found));
        if !is_same {
            // Another process has rotated, or somebody has removed the file.
            state.open = Some(Open::at(&path, &today)?);
        }
        let size = found.as_ref().map_or(0, fs::Metadata::len);
        let is_old = state.open.as_ref().is_some_and(|open| open.day != today);
        if is_old || (is_same && size > 0 && size + length > self.limits.file_bytes) {
            self.rotate(&today, length)?;
            state.open = Some(Open::at(&path, &today)?);
        }
        Ok(())
    }

    fn write(&self, state: &mut State, line: &str) -> io::Result<()> {
        let Some(open) = &mut state.open else { return Err(io::ErrorKind::NotFound.into()) };
        if state.torn || state.lost > 0 {
            let newline = if state.torn { "\n" } else { "" };
            let note = format!(
                "{newline}{:.6} WARN  debuglog[{}] - {}: {} lines could not be written before this one (disk full?)\n",
                (self.clock)(),
                std::process::id(),
                env!("CARGO_CRATE_NAME"),
                state.lost
            );
            whole(&mut open.file, &note, &mut state.torn)?;
            state.lost = 0;
        }
        whole(&mut open.file, line, &mut state.torn)
    }

    /// Renames the current file, unless another process is at it or has done it. The caller opens the new one.
    fn rotate(&self, today: &str, length: u64) -> io::Result<()> {
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true)).open(self.dir.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            // The other one rotates; this line goes into the old file, which is neither lost nor late.
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let path = self.path();
        let Ok(found) = fs::metadata(&path) else { return Ok(()) };
        let begun = begun(&path).unwrap_or_else(|| today.to_owned());
        if begun == today && found.len() + length <= self.limits.file_bytes {
            return Ok(());
        }
        let mut earlier = earlier_files(&self.dir)?;
        let number = earlier.iter().filter(|file| file.day == begun).map(|file| file.number + 1).max().unwrap_or(0);
        let rotated = Rotated { day: begun, number };
        fs::rename(&path, self.dir.join(rotated.name()))?;
        earlier.push(rotated);
        self.remove_oldest(earlier, today);
        Ok(())
        // The lock goes with its file handle.
    }

    /// Files of days that are yet to come go first: they were written before the clock was set back, and would stay for ever.
    fn remove_oldest(&self, mut earlier: Vec<Rotated>, today: &str) {
        earlier.sort_by(|a, b| (a.day.as_str() <= today, a).cmp(&(b.day.as_str() <= today, b)));
        let keep = self.limits.files.saturating_sub(1);
        let surplus = earlier.len().saturating_sub(keep);
        for file in earlier.iter().take(surplus) {
            // One that can't be removed now is tried again at the next rotation.
            let _ = fs::remove_file(self.dir.join(file.name()));
        }
    }
}

impl Open {
    fn at(path: &Path, today: &str) -> io::Result<Open> {
        let file = private(OpenOptions::new().create(true).append(true)).open(path)?;
        let identity = identity(&file.metadata()?);
        Ok(Open { file, day: begun(path).unwrap_or_else(|| today.to_owned()), identity })
    }
}

/// One write for one line. A write that stopped in the middle is remembered, so that the next line begins anew.
fn whole(file: &mut File, text: &str, torn: &mut bool) -> io::Result<()> {
    let written = loop {
        match file.write(text.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    *torn = (*torn && written == 0) || (written > 0 && written < text.len());
    if written == text.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
}

/// A file that was rotated away. Ordered by age.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rotated {
    day: String,
    number: u32,
}

impl Rotated {
    pub(crate) fn name(&self) -> String {
        match self.number {
            0 => format!("outrigger.{}.log", self.day),
            number => format!("outrigger.{}.{number}.log", self.day),
        }
    }

    fn from_name(name: &str) -> Option<Rotated> {
        let middle = name.strip_prefix("outrigger.")?.strip_suffix(".log")?;
        let (day, number) = match middle.split_once('.') {
            Some((day, number)) => (day, number.parse().ok()?),
            None => (middle, 0),
        };
        is_day(day).then(|| Rotated { day: day.to_owned(), number })
    }
}

pub(crate) fn earlier_files(dir: &Path) -> io::Result<Vec<Rotated>> {
    let names = fs::read_dir(dir)?.flatten().map(|entry| entry.file_name());
    Ok(names.filter_map(|name| name.to_str().and_then(Rotated::from_name)).collect())
}

/// The day with which the file's first line begins. The file's own times would change when it is copied.
fn begun(path: &Path) -> Option<String> {
    let mut start = String::new();
    File::open(path).ok()?.take(10).read_to_string(&mut start).ok()?;
    is_day(&start).then_some(start)
}

fn is_day(text: &str) -> bool {
    let is_digit_or_dash =
        |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(is_digit_or_dash)
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Windows has no stable number for a file: the times of creation serve, and the system may reuse one for a few
/// seconds. Lines go into the renamed file then, which loses none of them.
#[cfg(not(unix))]
type Identity = Option<std::time::SystemTime>;

#[cfg(not(unix))]
fn identity(metadata: &fs::Metadata) -> Identity {
    metadata.created().ok()
}

#[cfg(unix)]
fn create_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn create_dir(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests;
