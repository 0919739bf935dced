//! Which of our direct children belong to tokio, so that collecting adopted orphans never takes an exit status away.
//!
//! Responsible for that list alone. A spawn and a collection exclude each other, because a child that ends between
//! its fork and its registration would look like an orphan.

use std::collections::HashMap;
use std::io;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::command::Spawned;
use crate::tree::ProcessRef;

/// Start times by pid. Bounded by the children that are alive.
static OWN: LazyLock<Mutex<HashMap<u32, u64>>> = LazyLock::new(Mutex::default);

fn own() -> MutexGuard<'static, HashMap<u32, u64>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Spawns and registers as one step.
pub(crate) fn spawn(start: impl FnOnce() -> io::Result<Spawned>) -> io::Result<(Spawned, ProcessRef)> {
    let mut own = own();
    let child = start()?;
    let pid = child.id().ok_or_else(|| io::Error::other("the child has no process id"))?;
    // An unreaped child is in the process table until we wait for it, so its start time can always be read. Zero is
    // the honest answer where a platform refuses: such a process is never signalled by number.
    let process = ProcessRef::of(pid).unwrap_or(ProcessRef { pid, started: 0 });
    own.insert(pid, process.started);
    Ok((child, process))
}

/// The child was waited for, or nobody will.
pub(crate) fn forget(process: ProcessRef) {
    let mut own = own();
    if own.get(&process.pid) == Some(&process.started) {
        own.remove(&process.pid);
    }
}

/// Runs `collect` with a test that says whether a process is waited for by tokio; no child is spawned meanwhile.
#[cfg(target_os = "linux")]
pub(crate) fn with_spawning_paused(collect: impl FnOnce(&dyn Fn(ProcessRef) -> bool)) {
    let own = own();
    collect(&|process| own.get(&process.pid) == Some(&process.started));
}
