//! The pod's local socket: in a folder and of a mode that only its user can reach.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use interprocess::local_socket::tokio::{Listener, prelude::*};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::POD_CLIENTS;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::connection;
use crate::shared::Shared;

/// Listens at a path; on Windows the path names a pipe.
///
/// Clients are served in a thread of their own: what readers take does not hold up what the agent says, and one processor can write
/// the journal while another one shows it.
pub(crate) struct Socket {
    begin: oneshot::Sender<Arc<Shared>>,
    over: oneshot::Sender<()>,
}

/// Clients are served as long as this is kept.
pub(crate) struct Serving {
    _over: oneshot::Sender<()>,
}

impl Socket {
    /// Begins to listen; who connects waits. A socket file that a killed keeper of the same name left behind gives way.
    pub(crate) fn listen(path: &Path) -> Result<Self, WireError> {
        let failed = |error: std::io::Error| {
            let message = format!("failed to listen at {}: {error}", path.display());
            WireError::new(ErrorCode::DataFolder, message)
        };
        #[cfg(unix)]
        if path.exists() {
            std::fs::remove_file(path).map_err(failed)?;
        }
        let name = path.to_fs_name::<GenericFilePath>().map_err(failed)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let listener = {
            let _inside = runtime.enter();
            ListenerOptions::new().name(name).create_tokio().map_err(failed)?
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        }
        let (begin, begun) = oneshot::channel();
        let (over, told) = oneshot::channel::<()>();
        let path = path.to_owned();
        let serving = async move {
            let Ok(shared) = begun.await else { return };
            tokio::select! {
                () = serve(listener, path, shared) => {}
                _ = told => {}
            }
        };
        let thread = std::thread::Builder::new().name("clients".to_owned());
        let begun = thread.spawn(move || {
            runtime.block_on(serving);
            // Nobody waits any more for what a client has asked for.
            runtime.shutdown_background();
        });
        begun.map_err(failed)?;
        Ok(Self { begin, over })
    }

    /// Serves clients until the handle is dropped.
    pub(crate) fn serve(self, shared: Arc<Shared>) -> Serving {
        // It waits for this as long as the socket is there.
        let _ = self.begin.send(shared);
        Serving { _over: self.over }
    }
}

async fn serve(listener: Listener, path: PathBuf, shared: Arc<Shared>) {
    let clients = Arc::new(AtomicUsize::new(0));
    loop {
        let stream = match listener.accept().await {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "failed to accept a client");
                // Most often too many open files; a little later one may be free.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        if clients.load(Ordering::Relaxed) >= POD_CLIENTS {
            tracing::warn!(limit = POD_CLIENTS, "a client was refused: too many are connected");
            continue;
        }
        clients.fetch_add(1, Ordering::Relaxed);
        let (shared, clients) = (Arc::clone(&shared), Arc::clone(&clients));
        tokio::spawn(async move {
            let (reader, writer) = tokio::io::split(stream);
            connection::serve(reader, writer, shared).await;
            clients.fetch_sub(1, Ordering::Relaxed);
        });
    }
}
