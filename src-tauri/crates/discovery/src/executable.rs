//! What is at a path: nothing, a broken link, something that cannot be started, or a program?
//!
//! Looks at the file system at the moment of asking, and follows links then; nothing is remembered.

use std::io::Read;
use std::path::{Path, PathBuf};

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileState {
    /// Nothing.
    Missing,
    /// A link to nothing.
    BrokenLink {
        /// Where it leads.
        target: PathBuf,
    },
    /// A folder, a socket, a device.
    NoFile,
    /// A file that this user may not execute.
    NotExecutable,
    /// A program; this is the file behind the links.
    Program {
        /// Without links.
        resolved: PathBuf,
    },
}

/// Looks at a path.
pub(crate) fn look(path: &Path) -> FileState {
    let Ok(link) = std::fs::symlink_metadata(path) else { return FileState::Missing };
    let Ok(meta) = std::fs::metadata(path) else {
        let target = if link.is_symlink() { std::fs::read_link(path).unwrap_or_default() } else { path.to_owned() };
        return FileState::BrokenLink { target };
    };
    if !meta.is_file() {
        return FileState::NoFile;
    }
    if !may_execute(path) {
        return FileState::NotExecutable;
    }
    FileState::Program { resolved: std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()) }
}

#[cfg(unix)]
fn may_execute(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn may_execute(_: &Path) -> bool {
    true
}

/// Where a program would be in a folder. The platform's rules decide the file's extension; where nothing is found the
/// plain name is given back, so that the place can be named.
pub(crate) fn program_in(folder: &Path, name: &str) -> PathBuf {
    which::which_in_global(name, Some(folder))
        .ok()
        .and_then(|mut found| found.next())
        .unwrap_or_else(|| folder.join(name))
}

/// The program that a script's first line asks for through `env`: `node` for `#!/usr/bin/env node`.
pub(crate) fn interpreter_by_env(script: &Path) -> Option<String> {
    let mut head = [0; 256];
    let read = std::fs::File::open(script).and_then(|mut file| file.read(&mut head)).ok()?;
    let line = head[..read].split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("#!")?;
    let mut words = line.split_whitespace();
    if Path::new(words.next()?).file_name()? != "env" {
        return None;
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(str::to_owned)
}
