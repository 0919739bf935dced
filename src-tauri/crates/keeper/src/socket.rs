//! The pod's local socket: in a folder and of a mode that only its user can reach.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use interprocess::local_socket::tokio::{Listener, prelude::*};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::POD_CLIENTS;

use crate::connection;
use crate::shared::Shared;

/// Listens at a path; on Windows the path names a pipe.
pub(crate) struct Socket {
    listener: Listener,
    path: PathBuf,
}

impl Socket {
    /// Begins to listen. A socket file that a killed keeper of the same name left behind gives way.
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
        let listener = ListenerOptions::new().name(name).create_tokio().map_err(failed)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        }
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Serves clients until the task is ended.
    pub(crate) async fn serve(self, shared: Arc<Shared>) {
        let clients = Arc::new(AtomicUsize::new(0));
        loop {
            let stream = match self.listener.accept().await {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, path = %self.path.display(), "failed to accept a client");
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
}
