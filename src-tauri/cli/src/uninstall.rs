//! `outrigger uninstall`: what stays on the machine when the program goes, and its removal if the user wants that.
//!
//! The program itself is removed by whatever installed it. Nothing is deleted without `--data`, without having been listed and
//! agreed to, while a session lives, or outside Outrigger's own folders. Working directories of agents hold work, and are kept unless
//! they are named as well.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use client::sessions::{self, Which};
use discovery::{IDENTIFIER, Places};
use protocol::error::{ErrorCode, WireError};
use protocol::session::Liveness;
use serde::Serialize;

use crate::exit::Exit;
use crate::{home, output};

/// The arguments of `outrigger uninstall`.
#[derive(Debug, Args)]
pub(crate) struct UninstallOptions {
    /// Delete what Outrigger has written: sessions, settings, caches, logs
    #[arg(long)]
    data: bool,
    /// With --data: also the working directories that agents had of their own
    #[arg(long, requires = "data")]
    work: bool,
    /// Do not ask
    #[arg(long, requires = "data")]
    yes: bool,
    /// One JSON object for each folder
    #[arg(long)]
    pub(crate) json: bool,
}

/// A folder or file that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    path: PathBuf,
    what: &'static str,
    /// Of everything below it; links are not followed.
    bytes: u64,
    files: u64,
    fate: Fate,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Fate {
    /// It is kept.
    Stays,
    /// It goes as soon as the user agrees.
    Goes,
    Deleted,
    /// It is there still.
    Failed {
        why: String,
    },
}

/// See the module.
pub(crate) async fn uninstall(options: UninstallOptions) -> Result<Exit> {
    let machine = home::for_looking()?;
    let mut traces = traces(&machine.places, options.work);
    if !options.data || traces.iter().all(|trace| trace.what == WORK) {
        traces.iter_mut().for_each(|trace| trace.fate = Fate::Stays);
        tell(&traces, options.json);
        if !options.json {
            output::to_stderr(if traces.is_empty() { NOTHING } else { STAYS });
        }
        return Ok(Exit::Done);
    }
    is_ours(&machine.places)?;
    nobody_lives(&machine).await?;
    if !options.yes {
        tell(&traces, options.json);
        if !asked() {
            output::to_stderr("Nothing was deleted. Without a terminal, --yes says that you mean it.");
            return Ok(Exit::Failed);
        }
        // Somebody may have started one meanwhile.
        nobody_lives(&machine).await?;
    }
    // What it owns is written about in what is deleted.
    client::sidecars::end_owner(&machine).await?;
    delete(&mut traces);
    remove_if_empty(&machine.places);
    tell(&traces, options.json);
    let failed = traces.iter().any(|trace| matches!(trace.fate, Fate::Failed { .. }));
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

const WORK: &str = "working directories of agents";
const NOTHING: &str = "Outrigger has written nothing for this user.";
const STAYS: &str = "\
All of it stays when the program is removed, which is done by what installed it: `apt remove outrigger`, `dnf remove outrigger`, the
list of apps on Windows, the Applications folder on macOS. To delete it: outrigger uninstall --data";

/// What is there, deepest first, so that a folder is counted and deleted after what is kept apart from it.
fn traces(places: &Places, work: bool) -> Vec<Trace> {
    let found = [
        (places.agents.clone(), WORK, work),
        (places.data.clone(), "sessions, ledger, search index, debug log", true),
        (places.config.clone(), "settings, permissions, providers of your own", true),
        (places.cache.clone(), "caches", true),
        (places.run.clone(), "sockets", true),
        (autostart_entry().unwrap_or_default(), "starts Outrigger when you log in", true),
    ];
    let there = found.into_iter().filter(|(path, ..)| fs::symlink_metadata(path).is_ok());
    let counted = there.map(|(path, what, goes)| {
        let (bytes, files) = size(&path, &places.agents);
        let fate = if goes { Fate::Goes } else { Fate::Stays };
        Trace { path, what, bytes, files, fate }
    });
    // A folder that agents never used is no work.
    counted.filter(|trace| trace.what != WORK || trace.files > 0).collect()
}

/// The entry that the desktop makes when the user wants it to start at login. None of a portable Outrigger.
fn autostart_entry() -> Option<PathBuf> {
    if !cfg!(target_os = "linux") || std::env::var_os("OUTRIGGER_HOME").is_some_and(|home| !home.is_empty()) {
        return None;
    }
    let entry = std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let config = entry.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    let file = config.join("autostart/Outrigger.desktop");
    fs::read_to_string(&file).is_ok_and(|text| text.contains("outrigger-desktop")).then_some(file)
}

/// Bytes and files below a path, without what is below `apart`.
fn size(path: &Path, apart: &Path) -> (u64, u64) {
    let Ok(meta) = fs::symlink_metadata(path) else { return (0, 0) };
    if !meta.is_dir() {
        return (meta.len(), 1);
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let counted = entries.filter(|entry| entry != apart).map(|entry| size(&entry, apart));
    counted.fold((0, 0), |(bytes, files), (more, count)| (bytes + more, files + count))
}

/// Folders that carry our identifier are ours. Below `OUTRIGGER_HOME` they have everyday names (`data`, `config`), so there they must
/// look like ours, and the home must not be a folder that others use too.
fn is_ours(places: &Places) -> Result<(), WireError> {
    let refused = |why: &str| {
        let message = format!("nothing was deleted: {why}. Delete it by hand if you are sure");
        WireError::new(ErrorCode::DataFolder, message)
    };
    let Some(home) = &places.home else {
        let named = [&places.data, &places.config, &places.cache];
        let ours = named.iter().all(|path| path.ends_with(IDENTIFIER));
        return if ours { Ok(()) } else { Err(refused("a folder does not carry Outrigger's name")) };
    };
    let home = fs::canonicalize(home).unwrap_or_else(|_| home.clone());
    let users = std::env::var_os("HOME").map(PathBuf::from).and_then(|users| fs::canonicalize(users).ok());
    if home.parent().is_none() || users.is_some_and(|users| users.starts_with(&home)) {
        return Err(refused(&format!("OUTRIGGER_HOME is {}, which holds more than Outrigger", home.display())));
    }
    if places.sessions.is_dir() || places.ledger.is_file() || places.logs.is_dir() {
        return Ok(());
    }
    Err(refused(&format!("{} has no sessions, so it may not be Outrigger's", places.data.display())))
}

async fn nobody_lives(machine: &client::Machine) -> Result<(), WireError> {
    if !machine.places.sessions.is_dir() {
        return Ok(());
    }
    let list = sessions::list(machine, Which::Live).await?;
    let lives = |liveness: &Liveness| match liveness {
        Liveness::Live { .. } | Liveness::Unknown { .. } => true,
        Liveness::Ended { .. } | Liveness::Interrupted => false,
    };
    let alive = list.iter().filter(|summary| lives(&summary.liveness)).count();
    if alive == 0 {
        return Ok(());
    }
    let sessions = if alive == 1 { "a session is".to_owned() } else { format!("{alive} sessions are") };
    let message = format!("nothing was deleted: {sessions} still running. End them first: outrigger stop --all");
    Err(WireError::new(ErrorCode::AlreadyRunning, message))
}

fn asked() -> bool {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return false;
    }
    output::words_to_stderr("Delete what is listed as such? It cannot be brought back. [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer).is_ok();
    read && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

fn delete(traces: &mut [Trace]) {
    let kept: Vec<PathBuf> =
        traces.iter().filter(|trace| trace.fate == Fate::Stays).map(|trace| trace.path.clone()).collect();
    for trace in traces.iter_mut().filter(|trace| trace.fate == Fate::Goes) {
        trace.fate = match remove(&trace.path, &kept) {
            Ok(()) => Fate::Deleted,
            Err(error) => Fate::Failed { why: error.to_string() },
        };
    }
}

/// Removes a file, a link (and never what it leads to), or a folder with everything below it but `kept`.
fn remove(path: &Path, kept: &[PathBuf]) -> io::Result<()> {
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !meta.is_dir() {
        return fs::remove_file(path);
    }
    if !kept.iter().any(|kept| kept.starts_with(path)) {
        return fs::remove_dir_all(path);
    }
    let mut first = None;
    for entry in fs::read_dir(path)?.flatten().map(|entry| entry.path()).filter(|entry| !kept.contains(entry)) {
        first = first.or(remove(&entry, kept).err());
    }
    first.map_or(Ok(()), Err)
}

/// A home that nothing is left in is no home any more.
fn remove_if_empty(places: &Places) {
    if let Some(home) = &places.home {
        // Fails when something is left, which is right.
        let _ = fs::remove_dir(home);
    }
}

fn tell(traces: &[Trace], json: bool) {
    if json {
        traces.iter().for_each(output::json);
        return;
    }
    for trace in traces {
        let fate = match &trace.fate {
            Fate::Stays => "stays".to_owned(),
            Fate::Goes => "to delete".to_owned(),
            Fate::Deleted => "deleted".to_owned(),
            Fate::Failed { why } => format!("could not be deleted: {why}:"),
        };
        let size = format!("{} MiB in {} files", trace.bytes.div_ceil(1 << 20), trace.files);
        output::line(&output::visible(&format!("{:<9} {}  ({}; {size})", fate, trace.path.display(), trace.what)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A home as a session leaves it, in a folder of the test.
    fn a_home(name: &str) -> (PathBuf, Places) {
        let around = std::env::temp_dir().join(format!("outrigger-uninstall-{name}-{}", std::process::id()));
        let places = Places::under(&around.join("home"));
        for folder in [&places.sessions, &places.config, &places.cache, &places.agents.join("one")] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(places.config.join("settings.toml"), "x").unwrap();
        fs::write(places.agents.join("one/work.txt"), "work").unwrap();
        fs::write(around.join("of-the-user.txt"), "mine").unwrap();
        (around, places)
    }

    #[test]
    fn everything_of_ours_goes_but_the_work_of_agents() {
        let (around, places) = a_home("all");
        let mut found = traces(&places, false);
        delete(&mut found);
        remove_if_empty(&places);
        let fates: Vec<&Fate> = found.iter().map(|trace| &trace.fate).collect();
        assert_eq!(fates, [&Fate::Stays, &Fate::Deleted, &Fate::Deleted, &Fate::Deleted], "{found:?}");
        assert!(!places.sessions.exists() && !places.config.exists() && !places.cache.exists());
        assert_eq!(fs::read_to_string(places.agents.join("one/work.txt")).unwrap(), "work");
        delete(&mut traces(&places, true));
        remove_if_empty(&places);
        assert!(!around.join("home").exists());
        assert_eq!(fs::read_to_string(around.join("of-the-user.txt")).unwrap(), "mine");
        fs::remove_dir_all(around).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn links_go_and_what_they_lead_to_stays() {
        let (around, places) = a_home("links");
        let elsewhere = around.join("elsewhere");
        fs::create_dir_all(&elsewhere).unwrap();
        fs::write(elsewhere.join("mine.txt"), "mine").unwrap();
        std::os::unix::fs::symlink(&elsewhere, places.sessions.join("linked")).unwrap();
        fs::remove_dir_all(&places.cache).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &places.cache).unwrap();
        delete(&mut traces(&places, true));
        assert!(!places.data.exists() && fs::symlink_metadata(&places.cache).is_err());
        assert_eq!(fs::read_to_string(elsewhere.join("mine.txt")).unwrap(), "mine");
        fs::remove_dir_all(around).unwrap();
    }

    #[test]
    fn folders_of_others_are_refused() {
        let (around, places) = a_home("others");
        assert!(is_ours(&places).is_ok());
        fs::remove_dir_all(&places.sessions).unwrap();
        assert!(is_ours(&places).unwrap_err().message.contains("has no sessions"));
        for home in [PathBuf::from("/"), PathBuf::from(std::env::var_os("HOME").unwrap())] {
            let error = is_ours(&Places::under(&home)).unwrap_err();
            assert!(error.message.contains("holds more than Outrigger"), "{error}");
        }
        fs::remove_dir_all(around).unwrap();
    }

    #[test]
    fn what_is_kept_is_not_counted_with_its_folder() {
        let (around, places) = a_home("sizes");
        let found = traces(&places, false);
        let of = |what: &str| found.iter().find(|trace| trace.what.starts_with(what)).unwrap();
        assert_eq!((of("working").bytes, &of("working").fate), (4, &Fate::Stays));
        assert_eq!((of("sessions").files, of("settings").files), (0, 1));
        fs::remove_dir_all(around).unwrap();
    }
}
