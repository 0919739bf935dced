//! The local socket that a `socket` sidecar connects back to.
//!
//! Responsible for letting in exactly the sidecar that was given the token. The token is the first line of a connection; MCP follows it.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};
use process::{Line, LineReader};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::time::timeout;

use crate::limits::{GREETING, LINE_BYTES};

/// How the names of these sockets begin.
const SOCKETS: &str = "sidecar-";

/// Removes the sockets that a killed owner has left in this folder.
pub(crate) fn remove_left(run: &Path) {
    for entry in std::fs::read_dir(run).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(SOCKETS) && name.ends_with(".sock") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Listens for one sidecar. The socket's file goes when it is dropped.
pub(crate) struct Callback {
    listener: Listener,
    path: PathBuf,
    token: String,
}

/// A connection that has shown the token.
pub(crate) struct Connected {
    pub(crate) lines: LineReader<ReadHalf<Stream>>,
    /// What came with the token.
    pub(crate) early: VecDeque<Line>,
    pub(crate) writer: WriteHalf<Stream>,
}

impl Callback {
    /// Begins to listen in this folder, which only its user may enter.
    pub(crate) fn listen(run: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(run)?;
        let id = uuid::Uuid::new_v4().simple().to_string();
        let path = run.join(format!("{SOCKETS}{}.sock", &id[..12]));
        let listener = listen(&path)?;
        Ok(Self { listener, path, token: uuid::Uuid::new_v4().simple().to_string() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Waits for a connection with the token; others are closed.
    pub(crate) async fn accept(&self) -> io::Result<Connected> {
        loop {
            let (reader, writer) = tokio::io::split(self.listener.accept().await?);
            let mut lines = LineReader::new(reader, LINE_BYTES);
            let Ok(Ok(Some(batch))) = timeout(GREETING, lines.next_batch()).await else { continue };
            let mut early: VecDeque<Line> = batch.into();
            let greeting = early.pop_front();
            if greeting.is_some_and(|line| same(&line.bytes, self.token.as_bytes())) {
                return Ok(Connected { lines, early, writer });
            }
            tracing::warn!(path = %self.path.display(), "a connection without the sidecar's token was closed");
        }
    }
}

/// Listens at a path, for its user alone. A file that a killed process left there gives way.
pub(crate) fn listen(path: &Path) -> io::Result<Listener> {
    #[cfg(unix)]
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let listener = ListenerOptions::new().name(path.to_fs_name::<GenericFilePath>()?).create_tokio()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(listener)
}

/// Compares without telling by its time how much was right.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
