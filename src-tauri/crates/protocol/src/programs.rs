//! The programs that Outrigger is made of, and where each of them is: all lie in one folder, beside `outrigger`.
//!
//! Pure: nothing is looked for on the disk.

use std::path::{Path, PathBuf};

/// The command line.
pub const COMMAND_LINE: &str = "outrigger";
/// What stays for as long as a pod: its keeper, the bridge to its tools, the driver where there is no runner.
pub const KEEPER: &str = "outrigger-keeper";
/// The owner of the tool sidecars.
pub const TOOLBOX: &str = "outrigger-toolbox";

/// Where [`KEEPER`] is, by where `outrigger` is.
#[must_use]
pub fn keeper(outrigger: &Path) -> PathBuf {
    beside(outrigger, KEEPER)
}

/// Where [`TOOLBOX`] is, by where `outrigger` is.
#[must_use]
pub fn toolbox(outrigger: &Path) -> PathBuf {
    beside(outrigger, TOOLBOX)
}

fn beside(outrigger: &Path, name: &str) -> PathBuf {
    outrigger.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
