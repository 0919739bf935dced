//! What has the user set by hand?
//!
//! Responsible for the settings as the program uses them. How they stand in `settings.toml` is the file's business
//! ([`crate::SettingsFile`]). What cannot be read leaves the defaults and a reason; it never stops anything.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use protocol::health::HealthThresholds;
use serde_json::Value;

use crate::setting_keys::{fixed_keys, path_key, time_of};
use crate::settings_file::SettingsFile;

/// The user's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The file, whether it exists or not.
    pub file: PathBuf,
    /// Paths of programs by provider id or runtime (`claude`, `node`), and `runtime` for the runtime of all runners.
    /// `~` is expanded.
    pub paths: BTreeMap<String, PathBuf>,
    /// When evidence of an agent's health becomes a verdict (`[health]`).
    pub health: HealthThresholds,
    /// What is notified and when (`[notifications]`).
    pub notifications: Notifications,
    /// Light or dark (`appearance.theme`).
    pub theme: Theme,
    /// What becomes of the app when its last window is closed (`windows.last_closed`).
    pub last_closed: LastClosed,
    /// Whether the windows of last time come back (`windows.restore`).
    pub restores_windows: bool,
    /// Whether the app starts, in the tray, when the user logs in (`windows.at_login`).
    pub starts_at_login: bool,
    /// Whether updates are looked for (`updates.look`).
    pub looks_for_updates: bool,
    /// Whose earlier sessions are listed (`[earlier]`).
    pub earlier: Earlier,
    /// Whether agents are offered the tools that start and command other agents (`pods.tools`).
    pub pod_tools: bool,
    /// Why the file, or some values of it, could not be read; the defaults are in use for those.
    pub problem: Option<String>,
}

/// What is notified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notifications {
    /// An agent asks.
    pub needs_you: bool,
    /// A turn has ended.
    pub finished: bool,
    /// An agent broke off.
    pub failed: bool,
    /// From when until when nothing is notified, as hours and minutes of the day.
    pub quiet: Option<((i8, i8), (i8, i8))>,
}

/// Whose earlier sessions, in the CLIs' own folders, are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Earlier {
    /// Those of Claude Code.
    pub claude: bool,
    /// Those of Codex.
    pub codex: bool,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// What becomes of the app when its last window is closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LastClosed {
    /// The user is asked, if any agent lives.
    #[default]
    Ask,
    /// It stays in the tray.
    Tray,
    /// It ends.
    Quit,
}

/// Why a setting could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is malformed, and writing would lose what the user wrote.
    #[error("failed to change {}: {problem}. Correct the file or move it away", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The setting may not have this value.
    #[error("failed to change the settings: `{key}` {problem}")]
    Invalid {
        /// The setting.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no such setting.
    #[error("failed to change the settings: there is no `{key}`; the Settings page lists all of them")]
    NoSuchKey {
        /// What was asked for.
        key: String,
    },
    /// The file cannot be written.
    #[error("failed to write {}: {source}. Make the folder writable for this user", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Default for Settings {
    fn default() -> Self {
        Self::at(Path::new(""))
    }
}

impl Settings {
    /// The defaults, with the file where changes would be written.
    #[must_use]
    pub fn at(config: &Path) -> Self {
        let values = Values { known: fixed_keys().into_iter().map(|key| (key.key, key.default)).collect() };
        Self { file: config.join("settings.toml"), ..values.settings() }
    }

    /// Reads `settings.toml` in the config folder. A missing file is the defaults; a malformed one too, with the
    /// reason. A value that may not be is told, and the others count.
    #[must_use]
    pub fn load(config: &Path) -> Self {
        Self::of(&SettingsFile::read(config))
    }

    /// The settings of a file that has been read.
    #[must_use]
    pub fn of(file: &SettingsFile) -> Self {
        let view = file.view(&fixed_keys());
        let mut problems: Vec<String> = view.problem.into_iter().collect();
        problems.extend(view.settings.iter().filter_map(|setting| setting.problem.clone()));
        let values = Values { known: view.settings.into_iter().map(|setting| (setting.key, setting.value)).collect() };
        let mut paths = BTreeMap::new();
        match file.section("paths") {
            Ok(named) => named.into_iter().for_each(|(id, path)| match path.as_str().map(str::trim) {
                Some("") => {}
                Some(path) => drop(paths.insert(id, expand_home(path))),
                None => problems.push(format!("`{}` is {path}, and has to be a path", path_key(&id))),
            }),
            Err(problem) => problems.push(problem),
        }
        problems.dedup();
        let problem = (!problems.is_empty()).then(|| problems.join(". "));
        Self { file: file.path().to_owned(), paths, problem, ..values.settings() }
    }

    /// Sets or clears the path of one program and writes the file; comments and other settings stay as they are.
    ///
    /// # Errors
    /// When the file is malformed or cannot be written; nothing is changed then.
    pub fn choose(&mut self, id: &str, path: Option<&Path>) -> Result<(), SettingsError> {
        let config = self.file.parent().unwrap_or(Path::new("."));
        let text = path.map(|path| Value::from(path.to_string_lossy().into_owned()));
        SettingsFile::read(config).set(&path_key(id), text.as_ref())?;
        match path {
            Some(path) => drop(self.paths.insert(id.to_owned(), path.to_owned())),
            None => drop(self.paths.remove(id)),
        }
        Ok(())
    }
}

/// The values of the table's keys: the file's, where they may be, otherwise the defaults.
struct Values {
    known: BTreeMap<String, Value>,
}

impl Values {
    fn settings(&self) -> Settings {
        let quiet = |name: &str| self.text(name).and_then(time_of);
        Settings {
            health: HealthThresholds {
                quiet_after: self.number("health.quiet_after_seconds"),
                stalled_after: self.number("health.stalled_after_seconds"),
                degraded_errors: u32::try_from(self.number("health.degraded_errors")).unwrap_or(u32::MAX),
                degraded_within: self.number("health.degraded_within_seconds"),
            },
            notifications: Notifications {
                needs_you: self.flag("notifications.needs_you"),
                finished: self.flag("notifications.finished"),
                failed: self.flag("notifications.failed"),
                quiet: quiet("notifications.quiet_from").zip(quiet("notifications.quiet_until")),
            },
            theme: match self.text("appearance.theme") {
                Some("light") => Theme::Light,
                Some("dark") => Theme::Dark,
                Some(_) | None => Theme::System,
            },
            last_closed: match self.text("windows.last_closed") {
                Some("tray") => LastClosed::Tray,
                Some("quit") => LastClosed::Quit,
                Some(_) | None => LastClosed::Ask,
            },
            restores_windows: self.flag("windows.restore"),
            starts_at_login: self.flag("windows.at_login"),
            looks_for_updates: self.flag("updates.look"),
            earlier: Earlier { claude: self.flag("earlier.claude"), codex: self.flag("earlier.codex") },
            pod_tools: self.text("pods.tools") != Some("off"),
            file: PathBuf::new(),
            paths: BTreeMap::new(),
            problem: None,
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.known.get(key)?.as_str()
    }

    fn flag(&self, key: &str) -> bool {
        self.known.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    fn number(&self, key: &str) -> u64 {
        self.known.get(key).and_then(Value::as_u64).unwrap_or_default()
    }
}

/// `~` and `~/…` become the home folder.
pub(crate) fn expand_home(path: &str) -> PathBuf {
    let home = dirs::home_dir();
    expand_in(path, home.as_deref())
}

/// `~` and `~/…` become the given folder.
pub(crate) fn expand_in(path: &str, home: Option<&Path>) -> PathBuf {
    match (home, path.strip_prefix('~')) {
        (Some(home), Some("")) => home.to_owned(),
        (Some(home), Some(rest)) if rest.starts_with(['/', '\\']) => home.join(rest.trim_start_matches(['/', '\\'])),
        _ => PathBuf::from(path),
    }
}
