//! Where are the runners and the manifests?
//!
//! Responsible for finding files that come with Outrigger: beside the installed program, in the app's resources, or
//! in a checkout. `OUTRIGGER_ROOT` names the folder that holds `runners/` and then decides alone.

use std::path::{Path, PathBuf};

use crate::places::Places;

/// A runner that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to find the runner {name}. Looked at: {}. To mend it: {}",
    tried.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
    remedy_for_missing_runner(name)
)]
pub struct RunnerNotFound {
    /// The runner's file name.
    pub name: String,
    /// Every path that was tried.
    pub tried: Vec<PathBuf>,
}

/// What to do about a runner that is not there: one that a manifest names by its place is the user's own.
pub(crate) fn remedy_for_missing_runner(name: &str) -> &'static str {
    if Path::new(name).is_absolute() {
        "put it there, or correct `runner` in the manifest"
    } else {
        "install Outrigger again, or set OUTRIGGER_ROOT to the folder that holds its runners folder"
    }
}

/// Where runners are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunnerSearch {
    /// The folder that holds `runners/`, if the user named one; then no other is tried.
    pub root: Option<PathBuf>,
    /// Folders that hold `runners/`: the app's resources, and the folders of the user's own manifests.
    pub resource_dirs: Vec<PathBuf>,
    /// The running program.
    pub program: Option<PathBuf>,
}

/// The path of a runner by its file name (`claude.mjs`), or as it is if it is an absolute path.
///
/// # Errors
/// With every path that was tried.
pub fn find_runner(name: &str, resource_dirs: &[PathBuf]) -> Result<PathBuf, RunnerNotFound> {
    RunnerSearch::usual(resource_dirs).find(name)
}

/// The folders of manifests that exist: Outrigger's own beside the runners, then the user's.
#[must_use]
pub fn manifests_dirs(places: &Places, resource_dirs: &[PathBuf]) -> Vec<PathBuf> {
    let search = RunnerSearch::usual(resource_dirs);
    let own = search.folders().into_iter().map(|runners| runners.join("manifests")).find(|folder| folder.is_dir());
    let users = Some(places.config.join("providers")).filter(|folder| folder.is_dir());
    own.into_iter().chain(users).collect()
}

impl RunnerSearch {
    /// The search of this process.
    #[must_use]
    pub fn usual(resource_dirs: &[PathBuf]) -> Self {
        Self {
            root: std::env::var_os("OUTRIGGER_ROOT").filter(|root| !root.is_empty()).map(PathBuf::from),
            resource_dirs: resource_dirs.to_vec(),
            // Links are followed, because the resources lie beside the program and not beside a link to it.
            program: std::env::current_exe().ok().map(|exe| std::fs::canonicalize(&exe).unwrap_or(exe)),
        }
    }

    /// Finds a runner by its file name.
    ///
    /// # Errors
    /// With every path that was tried.
    pub fn find(&self, name: &str) -> Result<PathBuf, RunnerNotFound> {
        let tried: Vec<PathBuf> = if Path::new(name).is_absolute() {
            vec![PathBuf::from(name)]
        } else {
            self.folders().into_iter().map(|folder| folder.join(name)).collect()
        };
        match tried.iter().find(|path| path.is_file()) {
            Some(path) => Ok(path.clone()),
            None => Err(RunnerNotFound { name: name.to_owned(), tried }),
        }
    }

    /// Every folder that may hold runners, in order.
    fn folders(&self) -> Vec<PathBuf> {
        if let Some(root) = &self.root {
            return vec![root.join("runners")];
        }
        let mut folders: Vec<PathBuf> = self.resource_dirs.iter().map(|folder| folder.join("runners")).collect();
        if let Some(beside) = self.program.as_deref().and_then(Path::parent) {
            folders.push(beside.join("runners"));
            if let Some(prefix) = beside.parent() {
                let below =
                    ["lib/outrigger/runners", "lib/Outrigger/runners", "Resources/runners", "share/outrigger/runners"];
                folders.extend(below.iter().map(|below| prefix.join(below)));
            }
            // A checkout has the build's folder inside it. Its Cargo.toml tells it from a stray folder named runners.
            let checkout = beside
                .ancestors()
                .find(|folder| folder.join("Cargo.toml").is_file() && folder.join("runners").is_dir());
            folders.extend(checkout.map(|folder| folder.join("runners")));
        }
        folders
    }
}
