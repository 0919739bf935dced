//! The process that owns all shared sidecars of this user: `outrigger toolbox`.
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

use crate::broker::{Broker, Surroundings};
use crate::callback::listen;
use crate::limits::CLIENTS;

pub use client::{OwnerClient, connect, spawn};

/// Tells where the owner is, in the run folder; only its user can read it.
const FILE: &str = "toolbox.json";
/// Held by the owner as long as it lives.
const LOCK: &str = "toolbox.lock";
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

/// Owns the sidecars until nobody has needed them for `idle`, or `end` is done. When it returns, nothing of them runs.
///
/// # Errors
/// When the run folder or the socket cannot be used.
pub async fn own(surroundings: Surroundings, idle: Duration, end: impl Future<Output = ()>) -> Result<Ended, OwnError> {
    let run = surroundings.run.clone();
    let failed = |source| OwnError { run: run.clone(), source };
    let Some(_lock) = lock(&run).map_err(failed)? else { return Ok(Ended::OwnedAlready) };
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
    let clients = Arc::new(Clients::default());
    let ended = tokio::select! {
        () = serve(&listener, &broker, &file.token, &clients) => Ended::Asked,
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

/// The lock goes with the process, however that ends.
fn lock(run: &Path) -> io::Result<Option<File>> {
    std::fs::create_dir_all(run)?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(run.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Who is connected.
#[derive(Default)]
struct Clients {
    count: AtomicUsize,
    left: Notify,
}

/// Counts a client as long as it lives.
struct Client(Arc<Clients>);

impl Client {
    fn new(clients: &Arc<Clients>) -> Self {
        clients.count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(clients))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
        self.0.left.notify_one();
    }
}

async fn serve(listener: &Listener, broker: &Broker, token: &str, clients: &Arc<Clients>) {
    loop {
        let stream = match listener.accept().await {
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
        tokio::spawn(async move {
            let (reader, writer) = tokio::io::split(stream);
            connection::serve(reader, writer, broker, &token).await;
            drop(client);
        });
    }
}

/// Waits until nobody was connected and nothing ran for so long.
async fn unused(broker: &Broker, clients: &Clients, idle: Duration) {
    let is_used = || clients.count.load(Ordering::Relaxed) > 0 || broker.is_busy();
    loop {
        let came = async {
            while !is_used() {
                tokio::time::sleep(idle / 4).await;
            }
        };
        if !is_used() && tokio::time::timeout(idle, came).await.is_err() && !is_used() {
            return;
        }
        // A sidecar that stops is not told here, so it is looked at again now and then.
        let _ = tokio::time::timeout(idle, clients.left.notified()).await;
    }
}
