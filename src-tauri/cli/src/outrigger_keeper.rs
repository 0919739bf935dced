//! `outrigger-keeper`: what stays for as long as a pod does, and what becomes its runner.
//!
//! The keeper itself, the bridge to its tools beside the agent, the driver where there is no runner, and the start within a scope. It
//! is a program of its own because it runs many times at once: what the command line can do besides would stand in the memory of each.
//! The command line does the same by the same words. It is started by Outrigger alone, so it explains nothing.

mod held;
mod mcp;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What it was started with makes no sense; nobody but Outrigger starts it.
const NOT_UNDERSTOOD: u8 = 2;

/// Does what the first word says.
fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let Some((first, rest)) = words.split_first() else { return ExitCode::from(NOT_UNDERSTOOD) };
    match first.to_str() {
        // It starts its own log and runtime, in a session of its own.
        Some("keep") => keeper::run(),
        Some("mcp") => mcp::mcp(),
        Some("drive") => drive(rest),
        Some("confine") => confine(rest),
        Some(_) | None => ExitCode::from(NOT_UNDERSTOOD),
    }
}

/// `drive [--notice WORDS] MANIFEST`
fn drive(words: &[OsString]) -> ExitCode {
    let (notice, manifest) = match words {
        [manifest] => (None, manifest),
        [option, notice, manifest] if option == "--notice" => (Some(notice.to_string_lossy().into_owned()), manifest),
        _ => return ExitCode::from(NOT_UNDERSTOOD),
    };
    driver::run(&driver::Drive { manifest: PathBuf::from(manifest), notice })
}

/// `confine --spec FILE -- COMMAND…`
fn confine(words: &[OsString]) -> ExitCode {
    match words {
        [option, spec, end, command @ ..] if option == "--spec" && end == "--" => {
            held::become_command(held::spec(Path::new(spec)), command)
        }
        _ => ExitCode::from(NOT_UNDERSTOOD),
    }
}
