//! What has the user set by hand?
//!
//! Responsible for `settings.toml` in the config folder: reading it, and changing one value without touching the rest.
//! A file that cannot be read leaves the defaults and a reason; it never stops anything.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The user's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The file, whether it exists or not.
    pub file: PathBuf,
    /// Paths of programs by provider id or runtime (`claude`, `node`), and `runtime` for the runtime of all runners.
    /// `~` is expanded.
    pub paths: BTreeMap<String, PathBuf>,
    /// When evidence of an agent's health becomes a verdict (`[health]`).
    pub health: protocol::health::HealthThresholds,
    /// Why the file could not be read; everything else is the default then.
    pub problem: Option<String>,
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
    /// The file cannot be written.
    #[error("failed to write {}: {source}. Make the folder writable for this user", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The file as it is written. Keys that other parts of Outrigger read are none of our business.
#[derive(Deserialize)]
struct SettingsFile {
    #[serde(default)]
    paths: BTreeMap<String, String>,
    #[serde(default)]
    health: HealthKeys,
}

/// `[health]`; what is not named keeps its default.
#[derive(Deserialize, Default)]
struct HealthKeys {
    quiet_after_seconds: Option<u64>,
    stalled_after_seconds: Option<u64>,
    degraded_errors: Option<u32>,
    degraded_within_seconds: Option<u64>,
}

impl HealthKeys {
    fn thresholds(&self) -> protocol::health::HealthThresholds {
        let usual = protocol::health::HealthThresholds::default();
        protocol::health::HealthThresholds {
            quiet_after: self.quiet_after_seconds.unwrap_or(usual.quiet_after),
            stalled_after: self.stalled_after_seconds.unwrap_or(usual.stalled_after),
            degraded_errors: self.degraded_errors.unwrap_or(usual.degraded_errors),
            degraded_within: self.degraded_within_seconds.unwrap_or(usual.degraded_within),
        }
    }
}

impl Settings {
    /// The defaults, with the file where changes would be written.
    #[must_use]
    pub fn at(config: &Path) -> Self {
        Self { file: config.join("settings.toml"), ..Self::default() }
    }

    /// Reads `settings.toml` in the config folder. A missing file is the defaults; a malformed one too, with the
    /// reason.
    #[must_use]
    pub fn load(config: &Path) -> Self {
        let empty = Self::at(config);
        let file = empty.file.clone();
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return empty,
            Err(error) => {
                let problem = format!("failed to read {}: {error}. The defaults are in use", file.display());
                return Self { problem: Some(problem), ..empty };
            }
        };
        match toml::from_str::<SettingsFile>(&text) {
            Ok(read) => {
                let health = read.health.thresholds();
                let paths = read.paths.into_iter().filter(|(_, path)| !path.trim().is_empty());
                Self { paths: paths.map(|(id, path)| (id, expand_home(&path))).collect(), health, ..empty }
            }
            Err(error) => {
                let what = error.to_string();
                let problem = format!(
                    "failed to read {}: {}. The defaults are in use until the file is corrected",
                    file.display(),
                    what.trim_end().trim_end_matches('.')
                );
                Self { problem: Some(problem), ..empty }
            }
        }
    }

    /// Sets or clears the path of one program and writes the file; comments and other settings stay as they are.
    ///
    /// # Errors
    /// When the file is malformed or cannot be written; nothing is changed then.
    pub fn choose(&mut self, id: &str, path: Option<&Path>) -> Result<(), SettingsError> {
        let malformed = |problem: String| SettingsError::Malformed { file: self.file.clone(), problem };
        let unwritable = |source| SettingsError::Unwritable { file: self.file.clone(), source };
        let text = match std::fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unwritable(error)),
        };
        let mut document = text.parse::<toml_edit::DocumentMut>().map_err(|error| malformed(error.to_string()))?;
        let paths = document.entry("paths").or_insert_with(toml_edit::table).as_table_like_mut();
        let paths = paths.ok_or_else(|| malformed("`paths` is not a table".to_owned()))?;
        match path {
            Some(path) => drop(paths.insert(id, toml_edit::value(path.to_string_lossy().into_owned()))),
            None => drop(paths.remove(id)),
        }
        write_whole(&self.file, document.to_string().as_bytes()).map_err(unwritable)?;
        match path {
            Some(path) => drop(self.paths.insert(id.to_owned(), path.to_owned())),
            None => drop(self.paths.remove(id)),
        }
        Ok(())
    }
}

/// Replaces a file so that readers see the old or the new one, never a part; only its owner can read it.
pub(crate) fn write_whole(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.persist(file).map(drop).map_err(|error| error.error)
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
