//! The kernel's own word on who wrote a file (fanotify): for those who may ask, which is root.
//!
//! It names the process of every file that is closed after writing, however short the write was. A process that ends at once tells
//! no more whose it is; so that is asked when it becomes a program, too. Whoever may not ask the kernel goes without.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use nix::sys::fanotify::{EventFFlags, Fanotify, FanotifyEvent, InitFlags, MarkFlags, MaskFlags};
use protocol::PodId;
use protocol::scope::WriterProof;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::CWD;

use super::writers::{Found, found, pod_of};

/// Writes that are remembered.
const REMEMBERED: usize = 1024;
/// Programs whose pods are remembered.
const PROGRAMS: usize = 4096;

type Writes = Arc<Mutex<VecDeque<(PathBuf, Found)>>>;

/// It listens until this is dropped.
#[derive(Debug)]
pub(super) struct Witness {
    writes: Writes,
    /// The listener ends when this is closed.
    stop: Option<PipeWriter>,
    listener: Option<thread::JoinHandle<()>>,
}

impl Witness {
    /// Begins to listen; `None` when the kernel does not allow it, or cannot leave the `locked` folders alone (before Linux 6.0).
    pub(super) fn start(roots: &[PathBuf], locked: &[PathBuf]) -> Option<Self> {
        let events = EventFFlags::O_RDONLY | EventFFlags::O_LARGEFILE | EventFFlags::O_CLOEXEC;
        let kernel = Fanotify::init(InitFlags::FAN_CLASS_NOTIF | InitFlags::FAN_CLOEXEC, events).ok()?;
        let left_alone = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_IGNORE_SURV;
        let theirs = MaskFlags::FAN_CLOSE_WRITE | MaskFlags::FAN_OPEN_EXEC | MaskFlags::FAN_EVENT_ON_CHILD;
        for folder in locked {
            kernel.mark(left_alone, theirs, CWD, Some(folder.as_path())).ok()?;
        }
        let flags = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_FILESYSTEM;
        for root in roots {
            kernel.mark(flags, MaskFlags::FAN_CLOSE_WRITE, CWD, Some(root.as_path())).ok()?;
        }
        for programs in roots.iter().map(PathBuf::as_path).chain([Path::new("/"), Path::new("/usr")]) {
            // An older kernel does not tell of programs, and the rest goes on.
            let _ = kernel.mark(flags, MaskFlags::FAN_OPEN_EXEC, CWD, Some(programs));
        }
        let writes = Writes::default();
        let (until, stop) = pipe().ok()?;
        let (roots, remembered) = (roots.to_vec(), Arc::clone(&writes));
        let listen = move || listen(&kernel, &until, &roots, &remembered);
        let listener = thread::Builder::new().name("file witness".to_owned()).spawn(listen).ok()?;
        Some(Self { writes, stop: Some(stop), listener: Some(listener) })
    }

    /// Who closed this file after writing, the last one first; each is told once.
    pub(super) fn writers_of(&self, path: &Path) -> Vec<Found> {
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        let (of_path, others) = std::mem::take(&mut *writes).into_iter().partition(|(written, _)| written == path);
        *writes = others;
        let of_path: VecDeque<(PathBuf, Found)> = of_path;
        of_path.into_iter().rev().map(|(_, found)| found).collect()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(listener) = self.listener.take()
            && listener.join().is_err()
        {
            tracing::error!("the witness of file writes panicked");
        }
    }
}

fn listen(kernel: &Fanotify, until: &PipeReader, roots: &[PathBuf], writes: &Writes) {
    let mut programs: HashMap<u32, PodId> = HashMap::new();
    loop {
        let mut wait = [PollFd::new(kernel, PollFlags::IN), PollFd::new(until, PollFlags::IN)];
        match poll(&mut wait, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        if !wait[1].revents().is_empty() {
            return;
        }
        if wait[0].revents().contains(PollFlags::IN) {
            let Ok(events) = kernel.read_events() else { return };
            events.iter().for_each(|event| take(event, roots, writes, &mut programs));
        }
    }
}

fn take(event: &FanotifyEvent, roots: &[PathBuf], writes: &Writes, programs: &mut HashMap<u32, PodId>) {
    let Ok(pid) = u32::try_from(event.pid()) else { return };
    if pid == std::process::id() {
        return;
    }
    if event.mask().contains(MaskFlags::FAN_OPEN_EXEC) {
        if programs.len() >= PROGRAMS {
            programs.clear();
        }
        match pod_of(pid).0 {
            Some(pod) => programs.insert(pid, pod),
            None => programs.remove(&pid),
        };
    }
    if event.mask().contains(MaskFlags::FAN_CLOSE_WRITE) {
        remember(event, pid, roots, writes, programs);
    }
}

fn remember(event: &FanotifyEvent, pid: u32, roots: &[PathBuf], writes: &Writes, programs: &HashMap<u32, PodId>) {
    let Some(file) = event.fd() else { return };
    let Ok(path) = fs::read_link(format!("/proc/self/fd/{}", file.as_fd().as_raw_fd())) else { return };
    if !roots.iter().any(|root| path.starts_with(root)) {
        return;
    }
    let mut found = found(pid, WriterProof::Kernel);
    if found.unsure && found.writer.pod.is_none() {
        found.writer.pod = programs.get(&pid).copied();
    }
    let mut writes = writes.lock().unwrap_or_else(PoisonError::into_inner);
    if writes.len() >= REMEMBERED {
        writes.pop_front();
    }
    writes.push_back((path, found));
}
