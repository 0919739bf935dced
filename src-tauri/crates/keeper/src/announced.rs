//! What tells others of a pod: `meta.json`, by which its session is listed, and `pod.json`, by which it is reached.
//!
//! Both are put on the disk while the runner starts, and are only renamed into their places when it is ready: a disk that takes its
//! time then holds nobody up. Nobody sees them before, and nothing is left of them when there is no session.

use std::path::Path;

use journal::{JournalError, Replacement, SessionFolder};
use process::ProcessRef;
use protocol::PodId;
use protocol::error::{ErrorCode, WireError};
use protocol::session::{KeeperOrder, PodFile, SessionMeta};

use crate::startup::{token, wire};

/// See the module.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) meta: SessionMeta,
    pub(crate) pod: PodFile,
    /// To be put in their places in this order.
    pub(crate) files: [Replacement; 2],
}

impl Announced {
    /// Writes them in another thread; returns when the disk has them.
    ///
    /// # Errors
    /// When the file system refuses. Then nothing of them is left.
    pub(crate) async fn prepare(
        folder: SessionFolder,
        meta: &SessionMeta,
        order: &KeeperOrder,
        socket: &Path,
        pod: PodId,
    ) -> Result<Self, WireError> {
        let mut meta = meta.clone();
        meta.model = order.start.model.clone().or(meta.model);
        let process = ProcessRef::current();
        let pod = PodFile {
            pod,
            session: order.session,
            generation: meta.generation,
            pid: process.pid,
            pid_started: process.started,
            socket: socket.to_string_lossy().into_owned(),
            token: token(),
        };
        let write = move || -> Result<Self, JournalError> {
            let files = [folder.prepare_meta(&meta)?, folder.prepare_pod(&pod)?];
            Ok(Self { meta, pod, files })
        };
        let broke_off = |error| WireError::new(ErrorCode::Internal, format!("announcing the pod broke off: {error}"));
        tokio::task::spawn_blocking(write).await.map_err(broke_off)?.map_err(wire)
    }
}
