//! The user's MCP servers in other tools, and manifests that are made of them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use protocol::error::{ErrorCode, WireError};
use protocol::programs;
use protocol::sidecar::{SidecarImports, SidecarPlace, WrittenImport};
use tokio::io::AsyncWriteExt;
use toolbox::import;

use super::nudge;
use crate::machine::Machine;

/// For a keyring that may have to ask its user.
const KEYRING: Duration = Duration::from_secs(120);

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

/// Keeps a secret in the system's keyring under a name that manifests call `keyring:NAME`; `None` forgets it. The program that owns
/// sidecars does it: it speaks to the keyring anyway.
///
/// # Errors
/// When the keyring cannot be used.
pub async fn keep_secret(machine: &Machine, name: &str, secret: Option<&str>) -> Result<(), WireError> {
    let failed = |why: String| WireError::new(ErrorCode::Internal, why);
    let mut keeping = tokio::process::Command::new(programs::toolbox(&machine.program));
    keeping.arg(if secret.is_some() { "keep-secret" } else { "forget-secret" }).arg(name);
    keeping.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = keeping.spawn().map_err(|error| failed(format!("failed to reach the keyring: {error}")))?;
    if let (Some(mut stdin), Some(secret)) = (child.stdin.take(), secret) {
        // One that ends without reading says why.
        let _ = stdin.write_all(secret.as_bytes()).await;
    }
    let ended = tokio::time::timeout(KEYRING, child.wait_with_output()).await;
    let ended = ended.map_err(|_| failed("the keyring did not answer; unlock it and try again".to_owned()))?;
    let ended = ended.map_err(|error| failed(error.to_string()))?;
    let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    if ended.status.success() { Ok(()) } else { Err(failed(said)) }
}

fn home() -> Result<PathBuf, WireError> {
    std::env::home_dir().ok_or_else(|| WireError::new(ErrorCode::DataFolder, "this user has no home folder; set HOME"))
}
