//! The user's MCP servers in other tools, and manifests that are made of them.

use std::path::{Path, PathBuf};

use protocol::error::{ErrorCode, WireError};
use protocol::sidecar::{SidecarImports, SidecarPlace, WrittenImport};
use toolbox::import;
use toolbox::secrets::SystemKeyring;

use super::nudge;
use crate::machine::Machine;

/// The servers that Claude Code, Codex, Gemini CLI, VS Code and the project have set up. Nothing is started. Servers of the same
/// `identity` are duplicates; one with `known_as` is a sidecar already.
///
/// # Errors
/// When this user has no home folder.
pub fn imports(machine: &Machine, workspace: Option<&Path>) -> Result<SidecarImports, WireError> {
    Ok(import::with_known(import::read(&home()?, workspace), &machine.places.config))
}

/// Writes a manifest for each of these servers, by their ids, into the user's config folder, where they are the user's own and need
/// no trust. Secrets are written as references.
///
/// # Errors
/// [`ErrorCode::BadRequest`] when there is no such server, or it is a sidecar already; then nothing is written.
pub async fn write_imports(
    machine: &Machine,
    workspace: Option<&Path>,
    ids: &[String],
) -> Result<Vec<WrittenImport>, WireError> {
    let found = imports(machine, workspace)?;
    let environment = machine.environment(workspace.unwrap_or(&home()?), false).vars;
    let written = import::write(&found, ids, &machine.places.config, &environment);
    let written = written.map_err(|why| WireError::new(ErrorCode::BadRequest, why))?;
    nudge(machine, &SidecarPlace::default()).await;
    Ok(written)
}

/// Keeps a secret in the system's keyring under a name that manifests call `keyring:NAME`; `None` forgets it.
///
/// # Errors
/// When the keyring cannot be used.
pub fn keep_secret(name: &str, secret: Option<&str>) -> Result<(), WireError> {
    SystemKeyring::keep(name, secret).map_err(|error| WireError::new(ErrorCode::Internal, error.to_string()))
}

fn home() -> Result<PathBuf, WireError> {
    std::env::home_dir().ok_or_else(|| WireError::new(ErrorCode::DataFolder, "this user has no home folder; set HOME"))
}
