//! The process that owns all shared sidecars of this user: `outrigger-toolbox`.
//!
//! Responsible for being the only one, for its socket and for its end. It is started by whoever needs it first, outlives windows and
//! keepers, and ends when nobody is connected and nothing runs. What is asked of it, the [`Broker`] does.

mod client;
mod connection;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use interprocess::local_socket::tokio::{Listener, prelude::*};
use process::ProcessRef;
use protocol::sidecar::TOOLBOX_PROTOCOL;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::broker::{Broker, Surroundings};
use crate::callback::listen;
use crate::limits::CLIENTS;

pub use client::{OwnerClient, connect, spawn};

/// Tells where the owner is, in the run folder; only its user can read it.
pub const FILE: &str = "toolbox.json";
/// Held by the owner as long as it lives.
const LOCK: &str = "toolbox.lock";
/// Held by an owner that begins: who has it knows whether there is one.
const BEGINNING: &str = "toolbox.beginning";
/// Its socket.
const SOCKET: &str = "toolbox.sock";

/// Where the owner is reached, and by which token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerFile {
    /// What it speaks.
    pub protocol: u32,
    /// Its process id.
    pub pid: u32,
    /// When it started, in the platform's own unit.
    pub started: u64,
    /// Its socket.
    pub socket: String,
    /// Opens it.
    pub token: String,
}

/// How the owner came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Another one owns the sidecars already; this one did nothing.
    OwnedAlready,
    /// Nobody needed it any more.
    Unused,
    /// It was told to.
    Asked,
}

/// Why it could not begin.
#[derive(Debug, thiserror::Error)]
#[error("failed to own the tool sidecars in {}: {source}", run.display())]
pub struct OwnError {
    run: PathBuf,
    source: io::Error,
}

impl OwnerFile {
    /// Reads it; `None` when there is no owner.
    #[must_use]
    pub fn read(run: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(run.join(FILE)).ok()?).ok()
    }

    fn write(&self, run: &Path) -> io::Result<()> {
        let part = run.join(format!("{FILE}.part"));
        let _ = std::fs::remove_file(&part);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&part)?.write_all(&serde_json::to_vec(self)?)?;
        std::fs::rename(part, run.join(FILE))
    }
}

/// Owns the sidecars until nobody has needed them for `idle`, or `end` is done. `ready` is called when it can be reached. When this
/// returns, nothing of the sidecars runs.
///
/// # Errors
/// When the run folder or the socket cannot be used.
pub async fn own(
    surroundings: Surroundings,
    idle: Duration,
    ready: impl FnOnce(),
    end: impl Future<Output = ()>,
) -> Result<Ended, OwnError> {
    let run = surroundings.run.clone();
    let failed = |source| OwnError { run: run.clone(), source };
    let begun = begin(&run).await.map_err(failed)?;
    let Some(Begun { _lock, beginning }) = begun else { return Ok(Ended::OwnedAlready) };
    if let Err(error) = process::become_subreaper() {
        tracing::warn!(%error, "processes that leave a sidecar's group are found by their marks only");
    }
    let broker = Broker::new(surroundings).await;
    let socket = run.join(SOCKET);
    let listener = listen(&socket).map_err(failed)?;
    let own = ProcessRef::current();
    let file = OwnerFile {
        protocol: TOOLBOX_PROTOCOL,
        pid: own.pid,
        started: own.started,
        socket: socket.to_string_lossy().into_owned(),
        token: uuid::Uuid::new_v4().simple().to_string(),
    };
    file.write(&run).map_err(failed)?;
    drop(beginning);
    ready();
    let clients = Arc::new(Clients::default());
    let ended = tokio::select! {
        () = serve(&listener, &broker, &file.token, &clients) => Ended::Asked,
        () = clients.end.notified() => Ended::Asked,
        () = unused(&broker, &clients, idle) => Ended::Unused,
        () = end => Ended::Asked,
    };
    // First nobody finds it any more; then what it owns ends; then another one may begin.
    let _ = std::fs::remove_file(run.join(FILE));
    drop(listener);
    broker.stop_all().await;
    process::reap_orphans();
    Ok(ended)
}

/// Ends what a killed owner has left, and removes its traces. How many processes that were; none while an owner lives.
pub async fn settle(run: &Path) -> usize {
    if !run.join(FILE).exists() {
        return 0;
    }
    let held = || {
        let beginning = opened(run, BEGINNING).ok()?;
        let lock = opened(run, LOCK).ok()?;
        // Whoever has one of them sees to it.
        (beginning.try_lock().is_ok() && lock.try_lock().is_ok()).then_some((beginning, lock))
    };
    let Some(_locks) = held() else { return 0 };
    let ended = crate::marks::sweep(run).await;
    for left in [FILE, SOCKET] {
        let _ = std::fs::remove_file(run.join(left));
    }
    ended
}

/// What an owner holds.
struct Begun {
    _lock: File,
    beginning: File,
}

/// Takes the owner's lock; none when there is an owner. Others that begin are waited for, and so is one that ends: nobody who was
/// started for a client ends before that client can reach somebody.
async fn begin(run: &Path) -> io::Result<Option<Begun>> {
    let run = run.to_owned();
    let taken = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&run)?;
        let beginning = opened(&run, BEGINNING)?;
        beginning.lock()?;
        let lock = opened(&run, LOCK)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) if run.join(FILE).exists() => return Ok(None),
            // It is out of sight already, and goes with what it owns.
            Err(std::fs::TryLockError::WouldBlock) => lock.lock()?,
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        Ok(Some(Begun { _lock: lock, beginning }))
    });
    taken.await.map_err(io::Error::other)?
}

/// A lock's file. The lock goes with the process, however that ends.
fn opened(run: &Path, name: &str) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(run.join(name))
}

/// Who is connected.
#[derive(Default)]
struct Clients {
    count: AtomicUsize,
    changed: Notify,
    /// One of them wants the owner to end.
    end: Notify,
}

/// Counts a client as long as it lives.
struct Client(Arc<Clients>);

impl Client {
    fn new(clients: &Arc<Clients>) -> Self {
        clients.count.fetch_add(1, Ordering::Relaxed);
        clients.changed.notify_one();
        Self(Arc::clone(clients))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.notify_one();
    }
}

async fn serve(listener: &Listener, broker: &Broker, token: &str, clients: &Arc<Clients>) {
    // They end with us.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "failed to accept a client");
                // Most often too many open files; a little later one may be free.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if clients.count.load(Ordering::Relaxed) >= CLIENTS {
            tracing::warn!(limit = CLIENTS, "a client was refused: too many are connected");
            continue;
        }
        let (client, broker, token) = (Client::new(clients), broker.clone(), token.to_owned());
        connections.spawn(async move {
            let (reader, writer) = tokio::io::split(stream);
            connection::serve(reader, writer, broker, Arc::clone(&client.0), &token).await;
            drop(client);
        });
    }
}

/// Waits until nobody was connected and nothing ran for so long.
async fn unused(broker: &Broker, clients: &Clients, idle: Duration) {
    let mut news = broker.subscribe();
    loop {
        let used = clients.count.load(Ordering::Relaxed) > 0 || broker.is_busy();
        tokio::select! {
            () = tokio::time::sleep(idle), if !used => return,
            () = clients.changed.notified() => {}
            // Each state of a sidecar is told; that some were missed makes no difference.
            _ = news.recv() => {}
        }
    }
}
