//! A home of its own for one test: data, settings, sockets, a login shell's profile and workspaces under one temporary folder.
//!
//! Responsible for an environment in which nothing of the machine's user shows through, and for leaving no process behind. What
//! the product does with it is the test's business.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::built::program;
use crate::program::{Ended, Program};
use crate::survivors::{kill_survivors, survivors, wait_for_end_of_all};

/// How long processes may take to go after a test has ended what it started: the whole stop ladder and a little more.
const ALL_GONE: Duration = Duration::from_secs(15);

/// The folder that is PATH in a home without JavaScript runtimes.
const PROGRAMS: &str = "programs";

/// A temporary `OUTRIGGER_HOME`. Dropping it kills what is left and removes the folder.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// A home under the system's temporary folder. Its path is short, because the path of a socket may have 107 bytes at most.
    ///
    /// # Panics
    /// When the folder cannot be made.
    #[must_use]
    pub fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    /// A home under `parent`, for CLIs that treat the temporary folder in a special way.
    ///
    /// # Panics
    /// When the folder cannot be made.
    #[must_use]
    pub fn within(parent: &Path) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("or-")
            .tempdir_in(parent)
            .unwrap_or_else(|error| panic!("cannot make a folder in {}: {error}", parent.display()));
        let home = Self { folder };
        write(&home.user_home().join(".profile"), &format!("export PATH='{}'\n", path_variable()));
        home
    }

    /// The folder that `OUTRIGGER_HOME` names.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("outrigger")
    }

    /// The folder that `HOME` names. Its `.profile` hands the test's own `PATH` to login shells.
    #[must_use]
    pub fn user_home(&self) -> PathBuf {
        self.folder.path().join("user")
    }

    /// A workspace with a few files in it, made at the first call.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn workspace(&self) -> PathBuf {
        let workspace = self.folder.path().join("workspace");
        if !workspace.exists() {
            write(&workspace.join("README.md"), "# Lighthouse\n\nA lamp, a lens and a keeper.\n");
            write(&workspace.join("src/lamp.mjs"), "export const secondsPerTurn = 10;\n");
        }
        workspace
    }

    /// `outrigger ARGS` in this home, not started yet, so that a test can add to its environment.
    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(program("outrigger"));
        command.args(args);
        self.furnish(&mut command);
        command
    }

    /// Gives `command` this home's environment and nothing else.
    pub fn furnish(&self, command: &mut Command) {
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", self.path_variable())
            .env("HOME", self.user_home())
            .env("SHELL", "/bin/bash")
            .env("LANG", "C.UTF-8")
            .env("OUTRIGGER_HOME", self.path())
            .env("RUST_BACKTRACE", "1");
    }

    /// From now on the programs of this home find no JavaScript runtime: PATH is a folder of links to everything else.
    ///
    /// # Panics
    /// When the links or the settings cannot be written.
    pub fn hide_runtimes(&self) {
        const RUNTIMES: [&str; 7] = ["node", "nodejs", "deno", "bun", "bunx", "npm", "npx"];
        let programs = self.folder.path().join(PROGRAMS);
        fs::create_dir_all(&programs).unwrap_or_else(|error| panic!("cannot make {}: {error}", programs.display()));
        for folder in std::env::split_paths(&path_variable()) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                if !RUNTIMES.iter().any(|runtime| name == *runtime) {
                    // The first folder that has it wins, as on PATH.
                    let _ = std::os::unix::fs::symlink(entry.path(), programs.join(name));
                }
            }
        }
        let profile = self.user_home().join(".profile");
        let text = fs::read_to_string(&profile).unwrap_or_default();
        write(&profile, &format!("{text}export PATH='{}'\n", programs.display()));
        // They would be found in the system's own folders too.
        let settings = self.path().join("config/settings.toml");
        let text = fs::read_to_string(&settings).unwrap_or_else(|_| "[paths]\n".to_owned());
        write(&settings, &text.replacen("[paths]\n", "[paths]\nruntime = \"/nowhere/node\"\n", 1));
    }

    fn path_variable(&self) -> String {
        let programs = self.folder.path().join(PROGRAMS);
        if programs.exists() { programs.display().to_string() } else { path_variable() }
    }

    /// Starts `outrigger ARGS`.
    pub fn start(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Program {
        Program::start(self.command(args))
    }

    /// Runs `outrigger ARGS` to its end.
    #[must_use]
    pub fn run(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ended {
        self.start(args).finish()
    }

    /// The folders of all sessions, oldest first (their names sort by time).
    #[must_use]
    pub fn sessions(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path().join("data/sessions")) else { return Vec::new() };
        let mut folders: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        folders.sort();
        folders
    }

    /// The lines of a session's journal. A line that is no JSON is a failure: a journal has no such lines.
    ///
    /// # Panics
    /// When the journal cannot be read or a line of it is no JSON.
    #[must_use]
    pub fn journal(session: &Path) -> Vec<Value> {
        let file = session.join("journal.ndjson");
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
        let parse =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", file.display()));
        text.lines().map(parse).collect()
    }

    /// The debug log of this home, all its files together, or an empty text.
    #[must_use]
    pub fn debug_log(&self) -> String {
        let Ok(entries) = fs::read_dir(self.path().join("data/logs")) else { return String::new() };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "log"));
        // Older files carry a date in their names, and digits sort before the letters of the current one.
        files.sort();
        files
            .iter()
            .filter_map(|file| fs::read(file).ok())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }

    /// Fails the test unless every process that was started in this home has ended, or does so within 15 s.
    ///
    /// # Panics
    /// When one is left; the message names it.
    pub fn assert_nobody_left(&self) {
        let left = wait_for_end_of_all(self.folder.path(), ALL_GONE);
        assert!(left.is_empty(), "processes outlived what was stopped: {left:#?}");
    }

    /// Kills what is left and leaves the folder for somebody to look into.
    #[must_use]
    pub fn keep(mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }

    /// The processes of this home that are alive now.
    #[must_use]
    pub fn processes(&self) -> Vec<crate::Survivor> {
        survivors(self.folder.path())
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        kill_survivors(self.folder.path());
    }
}

fn path_variable() -> String {
    std::env::var("PATH").unwrap_or_else(|error| panic!("the tests need a PATH: {error}"))
}

fn write(file: &Path, text: &str) {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).unwrap_or_else(|error| panic!("cannot make {}: {error}", folder.display()));
    fs::write(file, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
}
