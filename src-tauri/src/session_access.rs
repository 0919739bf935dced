//! May this window touch that session, and how is its transcript read?
//!
//! A window reaches the sessions of its own workspace and no other, whatever its page asks for.

use client::{Machine, PodConnection};
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use tauri::{Manager, WebviewWindow};
use transcript::Transcript;

use crate::open_transcripts::OpenTranscripts;
use crate::windows;

/// A session that a window may touch.
pub(crate) struct OwnSession {
    /// Where it lives.
    pub(crate) machine: Machine,
    /// Which one.
    pub(crate) session: SessionId,
}

impl OwnSession {
    /// Checks that the session belongs to the window's workspace.
    ///
    /// # Errors
    /// When it does not; then the answer is the same as for a session that does not exist.
    pub(crate) fn of(window: &WebviewWindow, session: &str) -> Result<Self, WireError> {
        let workspace = windows::workspace_of(window)?;
        let machine = window.state::<Machine>().inner().clone();
        let id: SessionId = session.parse().map_err(|_| client::sessions::no_such(session))?;
        let failed = |error: &dyn std::fmt::Display| WireError::new(ErrorCode::DataFolder, error.to_string());
        match machine.folder(id).read_meta().map_err(|error| failed(&error))? {
            Some(meta) if meta.workspace == workspace.text() => Ok(Self { machine, session: id }),
            Some(_) => {
                tracing::warn!(window = window.label(), session, "a page asked for a session of another workspace");
                Err(client::sessions::no_such(session))
            }
            None => Err(client::sessions::no_such(session)),
        }
    }

    /// Connects to its pod.
    ///
    /// # Errors
    /// When it is not live, or does not answer.
    pub(crate) async fn connect(&self) -> Result<PodConnection, WireError> {
        client::sessions::connect(&self.machine, self.session, "desktop").await
    }

    /// Reads items in a thread where waiting for the disk hurts nobody: those before `until`, or without one what there is now. The
    /// transcript stays open for a moment, since whoever searches or scrolls asks for range after range.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) async fn look_through<R: Send + 'static>(
        &self,
        open: &OpenTranscripts,
        until: Option<usize>,
        read: impl FnOnce(&Transcript) -> Result<R, transcript::TranscriptError> + Send + 'static,
    ) -> Result<R, WireError> {
        let (machine, session, kept) = (self.machine.clone(), self.session, open.clone());
        let let_go = open.clone();
        let read = in_background(move || {
            let transcript = match until {
                Some(until) => kept.reaching(&machine, session, until)?,
                None => kept.as_now(&machine, session)?,
            };
            read(&transcript).map_err(|error| unreadable(&error))
        });
        let read = read.await;
        tauri::async_runtime::spawn(async move {
            tokio::time::sleep(OpenTranscripts::valid()).await;
            let_go.let_go();
        });
        read
    }

    /// Reads its transcript in a thread where waiting for the disk hurts nobody.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&Transcript) -> Result<R, transcript::TranscriptError> + Send + 'static,
    ) -> Result<R, WireError> {
        let (machine, session) = (self.machine.clone(), self.session);
        in_background(move || read(&transcript_of(&machine, session)?).map_err(|error| unreadable(&error))).await
    }
}

/// A session's transcript as its journal has it now.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) fn transcript_of(machine: &Machine, session: SessionId) -> Result<Transcript, WireError> {
    let folder = machine.folder(session);
    let meta = folder.read_meta().map_err(|error| WireError::new(ErrorCode::DataFolder, error.to_string()))?;
    // A provider that is gone leaves its events to be shown as JSON.
    let adapter = meta.and_then(|meta| client::catalog::manifest(machine, &meta.provider).ok());
    Transcript::open(&folder, adapter.as_ref().map_or("", |manifest| &manifest.adapter))
        .map_err(|error| unreadable(&error))
}

/// Does something that waits for disks or programs, away from the threads that serve the pages.
///
/// # Errors
/// What `work` says, or that it broke off.
pub(crate) async fn in_background<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, WireError> + Send + 'static,
) -> Result<R, WireError> {
    let broke = |error| WireError::new(ErrorCode::Internal, format!("the request broke off: {error}"));
    tokio::task::spawn_blocking(work).await.map_err(broke)?
}

fn unreadable(error: &transcript::TranscriptError) -> WireError {
    WireError::new(ErrorCode::DataFolder, error.to_string())
}
