//! A small disk of its own for the home, where the system lets us mount one, that can be full and empty again at once.
//!
//! It is full when its size is set to what is used: that costs no memory and no time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const SIZE: &str = "size=4g";

/// A mounted disk, or none. Dropping it takes it away, or moves it to nowhere while somebody still looks at it.
#[derive(Debug)]
pub(crate) struct Disk {
    mounted: Option<TempDir>,
}

impl Disk {
    /// Mounts one in the temporary folder, if we may.
    pub(crate) fn mount() -> Self {
        let Ok(folder) = tempfile::Builder::new().prefix("or-disk-").tempdir() else { return Self { mounted: None } };
        let mounted =
            quietly(Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "outrigger-chaos"]).arg(folder.path()));
        Self { mounted: mounted.then_some(folder) }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.mounted.as_ref().map(TempDir::path)
    }

    /// Leaves the disk where it is, with what is on it.
    pub(crate) fn keep(&mut self) -> Option<PathBuf> {
        self.mounted.take().map(TempDir::keep)
    }

    /// Makes it full. False when there is none or it cannot be done.
    pub(crate) fn fill(&self) -> bool {
        let Some(path) = self.path() else { return false };
        let Ok(disk) = rustix::fs::statvfs(path) else { return false };
        // Programs may write between the two calls, and a size below what is used is refused: a page more for each of them.
        let used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize / 1024;
        (1..=8).any(|more| self.resize(&format!("size={}k", used + more * 64)))
    }

    /// Gives it back its room.
    pub(crate) fn empty(&self) {
        self.resize(SIZE);
    }

    fn resize(&self, size: &str) -> bool {
        let option = format!("remount,{size}");
        self.path().is_some_and(|path| quietly(Command::new("mount").args(["-o", &option]).arg(path)))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let Some(path) = self.path() else { return };
        if !quietly(Command::new("umount").arg(path)) {
            quietly(Command::new("umount").arg("--lazy").arg(path));
        }
    }
}

fn quietly(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
