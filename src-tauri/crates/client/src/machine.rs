//! This machine, as far as Outrigger is concerned: its folders, its programs, its resources.

use std::path::{Path, PathBuf};

use discovery::{DoctorOptions, Environment, EnvironmentRequest, Places, RunnerSearch, Settings};
use journal::SessionFolder;
use permissions::WorkspaceRules;
use protocol::SessionId;
use protocol::doctor::DoctorReport;
use protocol::error::{ErrorCode, WireError};

use crate::catalog;

/// See the module. Cheap to clone; holds nothing that could become outdated.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Outrigger's folders.
    pub places: Places,
    /// Folders that hold `runners/`, besides the usual ones.
    pub resource_dirs: Vec<PathBuf>,
    /// The program `outrigger`, which keeps pods.
    pub program: PathBuf,
}

impl Machine {
    /// Looks around. Makes the folders that are not there.
    ///
    /// # Errors
    /// When a folder cannot be made or written, or the program is nowhere to be found.
    pub fn find(resource_dirs: Vec<PathBuf>) -> Result<Self, WireError> {
        let failed = |error: discovery::PlacesError| WireError::new(ErrorCode::DataFolder, error.to_string());
        let places = Places::find().map_err(failed)?;
        places.prepare().map_err(failed)?;
        Ok(Self { places, resource_dirs, program: program()? })
    }

    /// Tells this Outrigger from others on the same computer that have other data folders: the path of ours.
    #[must_use]
    pub fn home(&self) -> String {
        let data = &self.places.data;
        std::fs::canonicalize(data).unwrap_or_else(|_| data.clone()).to_string_lossy().into_owned()
    }

    /// The folder of a session, whether it is there or not.
    #[must_use]
    pub fn folder(&self, session: SessionId) -> SessionFolder {
        SessionFolder::at(&self.places.sessions, session)
    }

    /// The user's settings, read now.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings::load(&self.places.config)
    }

    /// What was allowed for good in workspaces.
    #[must_use]
    pub fn workspace_rules(&self) -> WorkspaceRules {
        WorkspaceRules::in_config(&self.places.config)
    }

    /// The user's environment in a workspace. Takes up to five seconds when nothing fresh is kept.
    #[must_use]
    pub fn environment(&self, workspace: &Path, refresh: bool) -> Environment {
        let mut request = EnvironmentRequest::new(workspace);
        request.cache = Some(self.places.cache.clone());
        if refresh { request.refreshed().take() } else { request.take() }
    }

    /// Where runners are looked for.
    #[must_use]
    pub fn runners(&self) -> RunnerSearch {
        RunnerSearch::usual(&self.resource_dirs)
    }

    /// What is here and what is missing. Takes up to two seconds.
    #[must_use]
    pub fn doctor(&self, workspace: &Path, refresh: bool) -> DoctorReport {
        let manifests = catalog::load(self);
        // What stands in for another one is told there, where it does.
        let shown = manifests.providers.values().filter(|manifest| manifest.stands_in_for.is_none());
        let providers = shown.map(|manifest| catalog::to_check(&manifests, manifest)).collect();
        let mut options = DoctorOptions::new(self.places.clone(), workspace, providers, &self.resource_dirs);
        options.manifest_errors = manifests.errors.iter().map(catalog::manifest_error).collect();
        if refresh {
            options.environment = options.environment.refreshed();
        }
        let mut report = discovery::doctor(&options);
        report.limits.extend(toolbox::limits::table());
        report
    }

    /// Sets, or with `None` clears, the path of a CLI or runtime by hand.
    ///
    /// # Errors
    /// When the settings cannot be written.
    pub fn choose_path(&self, id: &str, path: Option<&Path>) -> Result<(), WireError> {
        let failed = |error: discovery::SettingsError| WireError::new(ErrorCode::DataFolder, error.to_string());
        self.settings().choose(id, path).map_err(failed)
    }
}

/// The program that keeps pods: named by OUTRIGGER_BIN, ourselves, or the one beside us.
fn program() -> Result<PathBuf, WireError> {
    if let Some(named) = std::env::var_os("OUTRIGGER_BIN").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(named));
    }
    let own = std::env::current_exe()
        .map_err(|error| WireError::new(ErrorCode::Internal, format!("our own path is unknown: {error}")))?;
    let name = format!("outrigger{}", std::env::consts::EXE_SUFFIX);
    if own.file_name().is_some_and(|file| file == name.as_str()) {
        return Ok(own);
    }
    let beside = std::fs::canonicalize(&own).unwrap_or(own).with_file_name(&name);
    if beside.is_file() {
        return Ok(beside);
    }
    let message = format!(
        "the program {name}, which keeps the agents' sessions, is not beside this one ({}); reinstall Outrigger, or name it with OUTRIGGER_BIN",
        beside.display()
    );
    Err(WireError::new(ErrorCode::Internal, message))
}
