//! Becomes a command that is held to a spec, and says where that is not so in full.
//!
//! What `outrigger confine` and the program of the keepers have in common. It starts no thread and opens no log, because the kernel's
//! rules are for the thread that asks for them and for what it becomes.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use confine::Spec;
use protocol::scope::{Confinement, ConfinementLevel};

/// Reads a spec from a file or, with `-`, from stdin.
///
/// # Errors
/// When it cannot be read, or is none.
pub(crate) fn spec(file: &Path) -> Result<Spec> {
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("failed to read the spec from stdin")?;
    } else {
        text = fs::read_to_string(file).with_context(|| format!("failed to read the spec {}", file.display()))?;
    }
    serde_json::from_str(&text).with_context(|| format!("{} is no spec", file.display()))
}

/// Becomes the command. It returns when that failed.
pub(crate) fn become_command(spec: Result<Spec>, command: &[OsString]) -> ExitCode {
    let error = match spec {
        Ok(spec) => confine::launch(&spec, command, say),
        Err(error) => {
            complain(&format!("{error:#}"));
            return ExitCode::from(2);
        }
    };
    complain(&error.to_string());
    ExitCode::from(error.exit_code())
}

fn say(confinement: &Confinement) {
    let level = match confinement.level {
        ConfinementLevel::Enforced => return,
        ConfinementLevel::Partial => "The scope is enforced in part.",
        ConfinementLevel::Advised => "The scope is advised only.",
    };
    complain(&format!("{level} {}", confinement.why.join(" ")));
}

fn complain(why: &str) {
    // There is no other place to tell that this failed.
    let _ = writeln!(std::io::stderr(), "outrigger: {why}");
}
