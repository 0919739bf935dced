//! Where does Outrigger keep its files?
//!
//! Responsible for naming the folders and for making them ready. `OUTRIGGER_HOME` puts all of them under one folder;
//! without it they are the platform's, under the bundle identifier, so that the desktop and the command line share
//! them.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use protocol::limits::SOCKET_PATH_BYTES;

use crate::fingerprint::fingerprint;

/// The bundle identifier: the name of Outrigger's folder in each of the platform's folders.
pub const IDENTIFIER: &str = "dev.outrigger.desktop";

/// The longest name of a socket in the run folder: 32 digits of an id, and `.sock`.
const SOCKET_NAME_BYTES: usize = 37;

/// The folders that Outrigger writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The folder that holds all the others, if `OUTRIGGER_HOME` names one.
    pub home: Option<PathBuf>,
    /// What must not be lost.
    pub data: PathBuf,
    /// What the user writes: settings and own providers.
    pub config: PathBuf,
    /// Sockets; only its user may enter.
    pub run: PathBuf,
    /// The debug log.
    pub logs: PathBuf,
    /// What can be found out again.
    pub cache: PathBuf,
    /// One folder per session.
    pub sessions: PathBuf,
    /// The machine-wide record of who lives and owns what.
    pub ledger: PathBuf,
    /// Full-text search and usage over all sessions; made anew when it is lost.
    pub archive: PathBuf,
    /// Working directories that belong to agents rather than to a project; made when they are first used.
    pub agents: PathBuf,
}

/// Why the folders cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlacesError {
    /// The system does not say where a user's files belong.
    #[error(
        "failed to find a folder for Outrigger's files: this user has no home folder. Set HOME, or set OUTRIGGER_HOME \
         to a folder that you can write"
    )]
    NoHome,
    /// A relative folder would move with every working directory.
    #[error("OUTRIGGER_HOME is {0:?}, which is not an absolute path. Set it to a path that starts at the root")]
    NotAbsolute(PathBuf),
    /// A folder could not be made or written.
    #[error(
        "failed to write to Outrigger's {name} folder {}: {source}. Make it writable for this user and check that its disk \
         is not full, or set OUTRIGGER_HOME to a folder that you can write",
        path.display()
    )]
    Unwritable {
        /// Which one.
        name: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else could reach the sockets.
    #[error(
        "failed to use the folder for sockets {}: it belongs to another user. Remove it, or set OUTRIGGER_HOME to a folder \
         of your own",
        path.display()
    )]
    NotOurs {
        /// Where it is.
        path: PathBuf,
    },
}

impl Places {
    /// The folders for this user, by `OUTRIGGER_HOME` or the platform's rules. Makes none of them.
    ///
    /// # Errors
    /// When there is no home folder, or `OUTRIGGER_HOME` is a relative path.
    pub fn find() -> Result<Self, PlacesError> {
        if let Some(home) = std::env::var_os("OUTRIGGER_HOME").filter(|home| !home.is_empty()) {
            let home = PathBuf::from(home);
            return if home.is_absolute() { Ok(Self::under(&home)) } else { Err(PlacesError::NotAbsolute(home)) };
        }
        let data = dirs::data_dir().ok_or(PlacesError::NoHome)?.join(IDENTIFIER);
        let config = dirs::config_dir().ok_or(PlacesError::NoHome)?.join(IDENTIFIER);
        let cache = dirs::cache_dir().ok_or(PlacesError::NoHome)?.join(IDENTIFIER);
        let run = session_folder().map_or_else(|| data.join("run"), |folder| folder.join("outrigger"));
        Ok(Self {
            home: None,
            run: short_enough(run),
            logs: data.join("logs"),
            sessions: data.join("sessions"),
            ledger: data.join("ledger.sqlite3"),
            archive: data.join("archive.sqlite3"),
            agents: data.join("agents"),
            data,
            config,
            cache,
        })
    }

    /// The folders under one folder, which should be an absolute path.
    #[must_use]
    pub fn under(home: &Path) -> Self {
        let data = home.join("data");
        Self {
            home: Some(home.to_owned()),
            config: home.join("config"),
            run: short_enough(home.join("run")),
            logs: data.join("logs"),
            cache: home.join("cache"),
            sessions: data.join("sessions"),
            ledger: data.join("ledger.sqlite3"),
            archive: data.join("archive.sqlite3"),
            agents: data.join("agents"),
            data,
        }
    }

    /// Every folder with its name.
    #[must_use]
    pub fn named(&self) -> [(&'static str, &Path); 6] {
        [
            ("data", &self.data),
            ("config", &self.config),
            ("logs", &self.logs),
            ("run", &self.run),
            ("cache", &self.cache),
            ("sessions", &self.sessions),
        ]
    }

    /// Makes the folders, closed to other users, and writes a file in each to be sure.
    ///
    /// # Errors
    /// The first folder that cannot be made or written, or a run folder that belongs to another user.
    pub fn prepare(&self) -> Result<(), PlacesError> {
        self.named().into_iter().try_for_each(|(name, path)| self.prepare_one(name, path))
    }

    /// Makes one of the folders and writes a file in it to be sure.
    pub(crate) fn prepare_one(&self, name: &'static str, path: &Path) -> Result<(), PlacesError> {
        let failed = |source| PlacesError::Unwritable { name, path: path.to_owned(), source };
        make_private(path).map_err(failed)?;
        if path == self.run {
            close_to_others(path).map_err(failed)?;
            if !belongs_to_us(path).map_err(failed)? {
                return Err(PlacesError::NotOurs { path: path.to_owned() });
            }
        }
        tempfile::Builder::new().prefix(".writable").tempfile_in(path).map(drop).map_err(failed)
    }
}

/// A socket's path has a hard limit in every system; a run folder that is too deep is replaced by a short one that
/// every process of this user computes alike.
fn short_enough(run: PathBuf) -> PathBuf {
    if run.as_os_str().len() + 1 + SOCKET_NAME_BYTES <= SOCKET_PATH_BYTES {
        return run;
    }
    let mut name = OsString::from("outrigger-");
    name.push(user());
    name.push("-");
    name.push(fingerprint(run.as_os_str().as_encoded_bytes()));
    let in_temporary = std::env::temp_dir().join(&name);
    let fits = in_temporary.as_os_str().len() + 1 + SOCKET_NAME_BYTES <= SOCKET_PATH_BYTES;
    if fits || cfg!(windows) { in_temporary } else { Path::new("/tmp").join(name) }
}

/// The folder that the system makes for a user's sockets. A shell without a session of its own (ssh without PAM, cron)
/// lacks the variable, and must still find the same pods.
#[cfg(unix)]
fn session_folder() -> Option<PathBuf> {
    let usual = || cfg!(target_os = "linux").then(|| PathBuf::from(format!("/run/user/{}", user())));
    dirs::runtime_dir().or_else(usual).filter(|folder| folder.is_dir() && belongs_to_us(folder).unwrap_or(false))
}

#[cfg(not(unix))]
fn session_folder() -> Option<PathBuf> {
    None
}

#[cfg(unix)]
fn user() -> String {
    rustix::process::getuid().as_raw().to_string()
}

#[cfg(not(unix))]
fn user() -> String {
    std::env::var("USERNAME").unwrap_or_else(|_| "user".to_owned())
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

#[cfg(unix)]
fn close_to_others(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // A link in a shared temporary folder could lead the sockets elsewhere.
    if std::fs::symlink_metadata(path)?.is_symlink()
        && !path.parent().is_some_and(|p| belongs_to_us(p).unwrap_or(false))
    {
        return Err(io::Error::other("it is a link in a folder of another user"));
    }
    if !belongs_to_us(path)? {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn close_to_others(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn belongs_to_us(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(std::fs::metadata(path)?.uid() == rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn belongs_to_us(_: &Path) -> io::Result<bool> {
    Ok(true)
}
