//! Which sidecars lie in a place, and which of them may run?
//!
//! Responsible for looking into the workspace and the config folder, and for trust. It knows of nothing that runs, so it answers where
//! there is no owner as well.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::sidecar::{SidecarPlace, SidecarState, SidecarTrust, SidecarView};

use crate::manifest::{CONFIG_FOLDER, Manifest, ManifestError, Share, folders};
use crate::roots::roots;
use crate::trust::Trust;

/// A sidecar's folder and what its manifest says.
pub(crate) struct Found {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Result<Arc<Manifest>, ManifestError>,
    /// Whether it is the user's own, from the config folder.
    pub(crate) own: bool,
}

/// All of a place: those of its workspace, then the user's own.
pub(crate) fn found(config: &Path, place: &SidecarPlace) -> Vec<Found> {
    let own_root = config.join(CONFIG_FOLDER);
    let one = |folder: PathBuf, own: bool| Found { manifest: Manifest::read(&folder).map(Arc::new), folder, own };
    let all = roots(config, place.workspace.as_deref().map(Path::new));
    all.iter().flat_map(|root| folders(root).into_iter().map(|folder| one(folder, *root == own_root))).collect()
}

/// All of a place as they stand where there is no owner: nothing runs. Blocks on the disk.
#[must_use]
pub fn at_rest(config: &Path, place: &SidecarPlace) -> Vec<SidecarView> {
    found(config, place).iter().map(|found| found.at_rest(config)).collect()
}

/// Takes the user's answer to the trust question with this hash, where there is no owner. Blocks on the disk.
///
/// # Errors
/// In words: there is no such sidecar, or it has changed since the question was put.
pub fn answer_at_rest(
    config: &Path,
    place: &SidecarPlace,
    name: &str,
    hash: &str,
    trusted: bool,
) -> Result<(), String> {
    let found = found(config, place).into_iter().find(|found| found.name() == name);
    found.ok_or_else(|| none_of(name))?.answer(config, hash, trusted)
}

/// Whether any sidecar of a place may run. Blocks on the disk.
#[must_use]
pub fn any_may_run(config: &Path, workspace: &Path) -> bool {
    found(config, &of(workspace)).iter().any(|found| found.may_run(config))
}

/// How many sidecars of a workspace wait for the user's trust. Blocks on the disk.
#[must_use]
pub fn untrusted(config: &Path, workspace: &Path) -> usize {
    let waits = |found: &Found| matches!(found.trust(config), Ok(SidecarTrust::Needed { .. }));
    found(config, &of(workspace)).iter().filter(|found| waits(found)).count()
}

/// The folders of those sidecars of a workspace that may run: what lies there is run. Blocks on the disk.
#[must_use]
pub fn trusted_folders(config: &Path, workspace: &Path) -> Vec<PathBuf> {
    let of_workspace = found(config, &of(workspace)).into_iter().filter(|found| !found.own);
    of_workspace.filter(|found| found.may_run(config)).map(|found| found.folder).collect()
}

fn of(workspace: &Path) -> SidecarPlace {
    SidecarPlace { workspace: Some(workspace.to_string_lossy().into_owned()), ..SidecarPlace::default() }
}

/// That there is no such sidecar.
pub(crate) fn none_of(name: &str) -> String {
    format!("there is no sidecar `{name}` here; `outrigger sidecar list` shows those that there are")
}

impl Found {
    pub(crate) fn name(&self) -> String {
        self.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Whether it may run; in words why that cannot be told.
    pub(crate) fn trust(&self, config: &Path) -> Result<SidecarTrust, String> {
        let manifest = self.manifest.as_ref().map_err(ToString::to_string)?;
        Ok(if self.own { SidecarTrust::Own } else { Trust::in_config(config).of(manifest) })
    }

    pub(crate) fn may_run(&self, config: &Path) -> bool {
        matches!(self.trust(config), Ok(SidecarTrust::Own | SidecarTrust::Trusted))
    }

    pub(crate) fn answer(&self, config: &Path, hash: &str, trusted: bool) -> Result<(), String> {
        let manifest = self.manifest.as_ref().map_err(ToString::to_string)?;
        Trust::in_config(config).answer(manifest, hash, trusted).map_err(|error| error.to_string())
    }

    /// As others see it when nothing of it runs.
    pub(crate) fn at_rest(&self, config: &Path) -> SidecarView {
        let manifest = self.manifest.as_ref();
        SidecarView {
            name: self.name(),
            description: manifest.map(|manifest| manifest.description.clone()).unwrap_or_default(),
            folder: self.folder.to_string_lossy().into_owned(),
            share: manifest.map(|manifest| share(manifest.share)).unwrap_or_default().to_owned(),
            error: manifest.err().map(ToString::to_string),
            trust: self.trust(config).unwrap_or(SidecarTrust::Own),
            state: SidecarState::Idle,
            tools: Vec::new(),
            refused_tools: Vec::new(),
            pid: None,
            rss: 0,
            cpu_ms: 0,
            calls: 0,
            users: Vec::new(),
            reload_failed: None,
        }
    }
}

fn share(share: Share) -> &'static str {
    match share {
        Share::Machine => "machine",
        Share::Workspace => "workspace",
        Share::Session => "session",
    }
}
