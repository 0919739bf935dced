//! How the command line reaches the desktop: it starts the program beside it, which hands over to the app that runs, if one does.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use protocol::error::{ErrorCode, WireError};
use protocol::limits::DESKTOP_HAND_OVER;
use tokio::process::Command;

use crate::machine::Machine;

/// Opens something in the desktop: a folder, or a link of ours. Returns when the app that runs has taken it, or a new one is up.
///
/// # Errors
/// When there is no desktop beside this program, or it could not start; the message is what it said.
pub async fn open(machine: &Machine, what: &str) -> Result<(), WireError> {
    let program = program(machine)?;
    let failed = |why: String| WireError::new(ErrorCode::RuntimeUnavailable, why);
    let mut command = Command::new(&program);
    command.arg(what).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // What is pressed in this terminal is not meant for it.
    #[cfg(unix)]
    command.process_group(0);
    let mut child =
        command.spawn().map_err(|error| failed(format!("failed to start {}: {error}", program.display())))?;
    let mut said = child.stderr.take();
    match tokio::time::timeout(DESKTOP_HAND_OVER, child.wait()).await {
        // Still there: it is the app now.
        Err(_) => Ok(()),
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => {
            let mut words = Vec::new();
            if let Some(said) = &mut said {
                // What it left behind may hold the pipe open.
                let read = tokio::io::AsyncReadExt::read_to_end(said, &mut words);
                let _ = tokio::time::timeout(std::time::Duration::from_millis(500), read).await;
            }
            let words = String::from_utf8_lossy(&words);
            let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            Err(failed(format!("the desktop could not open {what}: {} ({status})", last.trim())))
        }
        Ok(Err(error)) => Err(failed(format!("the desktop could not be waited for: {error}"))),
    }
}

fn program(machine: &Machine) -> Result<PathBuf, WireError> {
    let name = format!("outrigger-desktop{}", std::env::consts::EXE_SUFFIX);
    let beside = |file: &Path| file.with_file_name(&name);
    let own = std::fs::canonicalize(&machine.program).unwrap_or_else(|_| machine.program.clone());
    [beside(&own), beside(&machine.program)].into_iter().find(|file| file.is_file()).ok_or_else(|| {
        let message = format!("the desktop is not installed: there is no {}", beside(&own).display());
        WireError::new(ErrorCode::RuntimeUnavailable, message)
    })
}
