//! Which folder is a window about, what is it called, and which branch is checked out in it?
//!
//! It reads the command line and `.git/HEAD`, and runs nothing.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use client::Machine;
use protocol::error::{ErrorCode, WireError};
use protocol::session::StartSession;
use tauri::{AppHandle, Manager};

use crate::at_login::HIDDEN;
use crate::window_set::WindowSet;

/// The argument of the launcher's entry "Open Folder…": the user is asked which.
pub(crate) const CHOOSE: &str = "--choose-folder";

const USAGE: &str = "usage: outrigger-desktop [PATH | --choose-folder | --hidden | outrigger://session/ID | outrigger://workspace?path=PATH]

Opens the window of the workspace PATH, or what a link names. Without: the current folder when started in a terminal, otherwise
the workspace that was used last. When the app runs already, it opens the window there.
With --hidden it starts in the tray, without a window.";

/// A folder that has a window. Its path is absolute and has no links in it, so that one folder has one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workspace {
    path: PathBuf,
}

/// Handles `--help`, `--version` and a PATH that is none. `None` means: open a window.
#[expect(clippy::print_stdout, reason = "the answer to a question on the command line")]
pub(crate) fn answer_to_arguments() -> Option<ExitCode> {
    let argument = std::env::args_os().nth(1)?;
    match argument.to_str() {
        Some("--help" | "-h") => println!("{USAGE}"),
        Some("--version" | "-V") => println!("outrigger-desktop {}", env!("CARGO_PKG_VERSION")),
        Some(CHOOSE | HIDDEN) => return None,
        Some(option) if option.starts_with('-') => {
            crate::startup_failure::tell(&format!("unknown option {option}\n{USAGE}"));
            return Some(ExitCode::from(2));
        }
        // It is followed, or refused where it can be seen, when the app is up.
        Some(link) if client::links::is_link(link) => return None,
        Some(_) | None => {
            let error = Workspace::at(Path::new(&argument)).err()?;
            crate::startup_failure::tell(&error.message);
            return Some(ExitCode::from(2));
        }
    }
    Some(ExitCode::SUCCESS)
}

impl Workspace {
    /// The workspace at a path, which may be relative and lead over links.
    pub(crate) fn at(path: &Path) -> Result<Self, WireError> {
        let bad = |why: String| {
            let message = format!("{} cannot be opened as a workspace: {why}; choose a folder", path.display());
            WireError::new(ErrorCode::BadWorkingDirectory, message)
        };
        let found = std::fs::canonicalize(path).map_err(|error| bad(error.to_string()))?;
        if found.is_dir() { Ok(Self { path: found }) } else { Err(bad("it is no folder".to_owned())) }
    }

    /// The workspace for a launch with these arguments (without the program's name) in this folder, if they name one.
    pub(crate) fn named(argument: Option<OsString>, folder: &Path) -> Option<Self> {
        Self::at(&folder.join(argument?)).ok()
    }

    /// The workspace of the app's first window.
    pub(crate) fn of_first_launch(app: &AppHandle) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        let in_terminal = || std::io::stdin().is_terminal().then(|| Self::at(&here).ok()).flatten();
        Self::named(std::env::args_os().nth(1), &here).or_else(in_terminal).unwrap_or_else(|| Self::used_last(app))
    }

    /// The workspace that was used last, by its window or by an agent; otherwise the home folder.
    pub(crate) fn used_last(app: &AppHandle) -> Self {
        let (machine, set) = (app.state::<Machine>(), app.state::<WindowSet>());
        let by_window = || set.to_restore().iter().find_map(|path| Self::at(path).ok());
        let by_agent = || client::sessions::last_workspace(&machine).and_then(|path| Self::at(Path::new(&path)).ok());
        let home = || dirs::home_dir().and_then(|home| Self::at(&home).ok());
        let here = || Self { path: std::env::current_dir().unwrap_or_default() };
        by_window().or_else(by_agent).or_else(home).unwrap_or_else(here)
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its folder as sessions name it.
    pub(crate) fn text(&self) -> String {
        self.path.display().to_string()
    }

    /// The last part of its folder.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().map_or_else(|| self.text(), |name| name.to_string_lossy().into_owned())
    }

    /// The branch that is checked out, or the beginning of the commit; nothing outside of a git checkout.
    pub(crate) fn branch(&self) -> Option<String> {
        let git = self.path.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
        let head = std::fs::read_to_string(git_folder(&git)?.join("HEAD")).ok()?;
        let head = head.trim();
        let short = || head.get(..7).map(str::to_owned);
        head.strip_prefix("ref: refs/heads/").map(str::to_owned).or_else(short)
    }

    /// A start that a page wishes for, made one of this workspace.
    ///
    /// # Errors
    /// When the agent would work outside of the workspace.
    pub(crate) fn own(&self, mut start: StartSession) -> Result<StartSession, WireError> {
        let cwd = Self::at(&self.path.join(&start.cwd))?;
        if !cwd.path.starts_with(&self.path) {
            let message = format!("{} is not inside this window's workspace; open it as one", cwd.path.display());
            return Err(WireError::new(ErrorCode::BadWorkingDirectory, message));
        }
        start.cwd = cwd.text();
        start.workspace = Some(self.text());
        Ok(start)
    }

    /// `name · branch`.
    pub(crate) fn title(&self) -> String {
        self.branch().map_or_else(|| self.name(), |branch| format!("{} · {branch}", self.name()))
    }
}

/// In a worktree `.git` is a file that names the folder.
fn git_folder(git: &Path) -> Option<PathBuf> {
    if git.is_dir() {
        return Some(git.to_owned());
    }
    let text = std::fs::read_to_string(git).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    Some(git.parent()?.join(named))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path()).unwrap();
        (folder, workspace)
    }

    #[test]
    fn the_branch_is_read_from_a_checkout_and_from_a_worktree() {
        let (_folder, workspace) = workspace();
        assert_eq!(workspace.branch(), None);
        std::fs::create_dir_all(workspace.path().join(".git/worktrees/w")).unwrap();
        std::fs::write(workspace.path().join(".git/HEAD"), "ref: refs/heads/feature/lamp\n").unwrap();
        assert_eq!(workspace.branch().as_deref(), Some("feature/lamp"));
        assert_eq!(workspace.title(), format!("{} · feature/lamp", workspace.name()));

        let tree = workspace.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        std::fs::write(tree.join(".git"), "gitdir: ../.git/worktrees/w\n").unwrap();
        std::fs::write(workspace.path().join(".git/worktrees/w/HEAD"), "0123456789abcdef\n").unwrap();
        assert_eq!(Workspace::at(&tree).unwrap().branch().as_deref(), Some("0123456"));
    }

    #[test]
    fn agents_are_started_inside_their_workspace_only() {
        let (_folder, workspace) = workspace();
        std::fs::create_dir(workspace.path().join("sub")).unwrap();
        let mut wish = StartSession::new("demo", "sub");
        wish.workspace = Some("/elsewhere".to_owned());
        let start = workspace.own(wish).unwrap();
        assert_eq!(start.workspace, Some(workspace.text()));
        assert_eq!(Path::new(&start.cwd), workspace.path().join("sub"));
        let outside = workspace.own(StartSession::new("demo", "..")).unwrap_err();
        assert_eq!(outside.code, ErrorCode::BadWorkingDirectory);
    }

    #[test]
    fn one_folder_is_one_workspace_however_it_is_named() {
        let (_folder, workspace) = workspace();
        std::fs::create_dir(workspace.path().join("sub")).unwrap();
        let same = Workspace::named(Some("sub/..".into()), workspace.path()).unwrap();
        assert_eq!(same, workspace);
        assert!(Workspace::at(&workspace.path().join("missing")).is_err());
        assert_eq!(Workspace::named(None, workspace.path()), None);
    }
}
