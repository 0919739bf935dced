//! With which environment do agents run?
//!
//! Responsible for the user's own environment in one workspace: the login shell's, or Outrigger's own with the reason
//! why the shell gave none. Which of its variables an agent may see is decided where the agent is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::limits::LOGIN_SHELL;

use crate::environment_cache::{Key, keep, keep_failure, recall, recall_failure, startup_files};
use crate::login_shell::{ShellAnswer, ask};
use crate::places::Places;

/// The user's environment in one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Every variable, with PATH extended by the entries that only our own process has.
    pub vars: BTreeMap<String, String>,
    /// From whom.
    pub source: EnvSource,
    /// How long it took to find out, in milliseconds.
    pub took_ms: u64,
    /// The folder it holds for.
    pub workspace: PathBuf,
    /// PATH, in order and without repetitions.
    pub path: Vec<PathEntry>,
    /// Names of variables whose values are no UTF-8 and that are therefore not in `vars`.
    pub unreadable: Vec<String>,
}

/// One folder of PATH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathEntry {
    /// The folder.
    pub folder: PathBuf,
    /// The login shell has it; otherwise only our own process has.
    pub from_login_shell: bool,
}

/// From whom an environment was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvSource {
    /// The user's login shell.
    LoginShell {
        /// Its program.
        shell: PathBuf,
        /// It read the files of interactive shells too.
        interactive: bool,
        /// How long ago it was asked, if that was an earlier time.
        age: Option<Duration>,
    },
    /// Our own process.
    OwnProcess {
        /// Why the login shell gave none.
        reason: String,
    },
}

/// Whether what is kept will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refresh {
    /// An answer from the last ten minutes will do if no start-up file has changed since.
    #[default]
    No,
    /// The shell is asked now.
    Yes,
}

/// A question for an environment, with everything it depends on.
#[derive(Debug, Clone)]
pub struct EnvironmentRequest {
    /// The folder in which agents will run.
    pub workspace: PathBuf,
    /// The login shell; `None` where there is none.
    pub shell: Option<PathBuf>,
    /// What the shell is started with, and what is used when it gives nothing.
    pub own: BTreeMap<String, String>,
    /// The folder in which answers are kept.
    pub cache: Option<PathBuf>,
    /// Whether a kept answer will do.
    pub refresh: Refresh,
    /// How long the shell may take.
    pub limit: Duration,
    /// An outdated answer is better than none, for those who cannot wait.
    pub outdated_will_do: bool,
}

/// The user's environment in a workspace. Takes up to five seconds when nothing is kept.
#[must_use]
pub fn login_environment(workspace: &Path) -> Environment {
    EnvironmentRequest::new(workspace).take()
}

impl EnvironmentRequest {
    /// The question of this process and this user.
    #[must_use]
    pub fn new(workspace: &Path) -> Self {
        // Variables that are no text are left out here as they are in the shell's answer.
        let own: BTreeMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            workspace: workspace.to_owned(),
            shell: login_shell(&own),
            own,
            cache: Places::find().ok().map(|places| places.cache),
            refresh: Refresh::No,
            limit: LOGIN_SHELL,
            outdated_will_do: false,
        }
    }

    /// The same question, answered by the shell itself.
    #[must_use]
    pub fn refreshed(mut self) -> Self {
        self.refresh = Refresh::Yes;
        self
    }

    /// Finds the answer. Never fails: without the shell it is our own environment, with the reason.
    #[must_use]
    pub fn take(&self) -> Environment {
        let began = Instant::now();
        let (answer, source) = match self.ask_shell() {
            Ok((answer, source)) => (Some(answer), source),
            Err(reason) => (None, EnvSource::OwnProcess { reason }),
        };
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.put_together(answer, source, took_ms)
    }

    fn ask_shell(&self) -> Result<(ShellAnswer, EnvSource), String> {
        let shell = self.shell.as_ref().ok_or_else(|| {
            "this system has no login shell to ask; programs are found through Outrigger's own environment".to_owned()
        })?;
        let workspace = self.folder_to_enter();
        let key = Key::new(shell, &workspace, &self.own);
        let files = startup_files(&workspace, self.own.get("HOME").map(Path::new));
        let from = |interactive, age| EnvSource::LoginShell { shell: shell.clone(), interactive, age };
        let recalled = |any_age| {
            let kept = recall(self.cache.as_deref()?, &key, &files, any_age)?;
            Some((kept.answer.clone(), from(kept.answer.interactive, Some(kept.age))))
        };
        if self.refresh == Refresh::No {
            if let Some(kept) = recalled(false) {
                return Ok(kept);
            }
            if let Some(reason) = self.cache.as_deref().and_then(|cache| recall_failure(cache, &key, &files)) {
                return Err(reason);
            }
        }
        match ask(shell, &workspace, &self.own, self.limit) {
            Ok(answer) => {
                if let Some(cache) = &self.cache {
                    keep(cache, &key, &files, &answer);
                }
                let source = from(answer.interactive, None);
                Ok((answer, source))
            }
            Err(failure) => {
                let reason = failure.to_string();
                // Whoever asked with a shorter limit must not decide for those who wait longer.
                if let Some(cache) = self.cache.as_deref().filter(|_| self.limit >= LOGIN_SHELL) {
                    keep_failure(cache, &key, &files, &reason);
                }
                let kept = if self.outdated_will_do { recalled(true) } else { None };
                kept.ok_or(reason)
            }
        }
    }

    /// A workspace that is gone is reported where the agent is started; the shell is asked at home then.
    fn folder_to_enter(&self) -> PathBuf {
        let home = || self.own.get("HOME").map(PathBuf::from).filter(|home| home.is_dir());
        let workspace = self.workspace.is_dir().then(|| self.workspace.clone());
        workspace.or_else(home).unwrap_or_else(std::env::temp_dir)
    }

    /// The shell's answer is taken whole: it was started with our own variables, so what it lacks it took away on
    /// purpose. Only PATH is joined, because a folder more harms less than a program that is not found.
    fn put_together(&self, answer: Option<ShellAnswer>, source: EnvSource, took_ms: u64) -> Environment {
        let from_shell = answer.is_some();
        let (mut vars, unreadable) = match answer {
            Some(answer) => (answer.variables, answer.unreadable),
            None => (self.own.clone(), Vec::new()),
        };
        let mut path: Vec<PathEntry> = Vec::new();
        let lists = [(path_of(&vars), from_shell), (path_of(&self.own), false)];
        for (folder, from_login_shell) in
            lists.into_iter().flat_map(|(list, from)| list.into_iter().map(move |f| (f, from)))
        {
            if !folder.as_os_str().is_empty() && path.iter().all(|entry| entry.folder != folder) {
                path.push(PathEntry { folder, from_login_shell });
            }
        }
        if let Ok(joined) = std::env::join_paths(path.iter().map(|entry| &entry.folder)) {
            let name = path_name(&vars);
            vars.insert(name, joined.to_string_lossy().into_owned());
        }
        Environment { vars, source, took_ms, workspace: self.folder_to_enter(), path, unreadable }
    }
}

impl Environment {
    /// The home folder in this environment, or the system's answer.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.vars.get("HOME").map(PathBuf::from).filter(|home| home.is_absolute()).or_else(dirs::home_dir)
    }
}

/// Windows writes it `Path`, and has one all the same.
pub(crate) fn path_name(vars: &BTreeMap<String, String>) -> String {
    let name = vars.keys().find(|name| if cfg!(windows) { name.eq_ignore_ascii_case("PATH") } else { *name == "PATH" });
    name.cloned().unwrap_or_else(|| "PATH".to_owned())
}

fn path_of(vars: &BTreeMap<String, String>) -> Vec<PathBuf> {
    vars.get(&path_name(vars)).map(|path| std::env::split_paths(path).collect()).unwrap_or_default()
}

/// The user's login shell: SHELL, or what the list of users says, because an app that the desktop starts may lack
/// SHELL.
fn login_shell(own: &BTreeMap<String, String>) -> Option<PathBuf> {
    if cfg!(windows) {
        return None;
    }
    let named = own.get("SHELL").map(PathBuf::from).or_else(shell_of_user);
    let usual = ["/bin/zsh", "/bin/bash", "/bin/sh"].map(PathBuf::from);
    let usual = if cfg!(target_os = "macos") { &usual[..] } else { &usual[1..] };
    named.into_iter().chain(usual.iter().cloned()).find(|shell| shell.is_absolute() && shell.is_file())
}

#[cfg(unix)]
fn shell_of_user() -> Option<PathBuf> {
    let user = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.split(':').nth(2) == Some(&user))?;
    line.split(':').nth(6).map(PathBuf::from)
}

#[cfg(not(unix))]
fn shell_of_user() -> Option<PathBuf> {
    None
}
