//! Commands that read what happened in a session.

use protocol::desk::Mark;
use protocol::error::{ErrorCode, WireError};
use protocol::limits::READ_PAGE;
use protocol::pod::{Direction, PodStatus};
use protocol::view::{ItemPage, OpenedSession};
use serde_json::Value;
use tauri::{State, WebviewWindow};
use transcript::Transcript;

use crate::item_words::{marks_in, places_in};
use crate::open_transcripts::OpenTranscripts;
use crate::session_access::{OwnSession, in_background};

/// Items that a view begins with.
const FIRST_PAGE: usize = 100;

#[tauri::command]
pub(crate) async fn open_session(
    window: WebviewWindow,
    open: State<'_, OpenTranscripts>,
    session: String,
) -> Result<OpenedSession, WireError> {
    let own = OwnSession::of(&window, &session)?;
    let newest = |transcript: &Transcript| {
        let damage = transcript.damage().iter().map(|damage| damage.why.clone()).collect();
        Ok((transcript.newest(FIRST_PAGE)?, damage))
    };
    let (page, damage) = own.look_through(&open, None, newest).await?;
    let status = status(&own).await?;
    let summary = client::sessions::summary(&own.machine, own.session).await?;
    Ok(OpenedSession { session: own.session, summary, status, page, damage })
}

async fn status(own: &OwnSession) -> Result<Option<PodStatus>, WireError> {
    match own.connect().await {
        Ok(mut pod) => pod.status().await.map(Some),
        // The transcript can be read all the same; the summary says what is the matter with the pod.
        Err(error) if matches!(error.code, ErrorCode::SessionEnded | ErrorCode::Unreachable) => Ok(None),
        Err(error) => Err(error),
    }
}

#[tauri::command]
pub(crate) async fn read_items(
    window: WebviewWindow,
    open: State<'_, OpenTranscripts>,
    session: String,
    from: usize,
    limit: usize,
) -> Result<ItemPage, WireError> {
    let limit = limit.min(READ_PAGE);
    let page = move |transcript: &Transcript| transcript.page(from, limit);
    OwnSession::of(&window, &session)?.look_through(&open, Some(from.saturating_add(limit)), page).await
}

/// The places within a range of items that hold these words.
#[tauri::command]
pub(crate) async fn find_items(
    window: WebviewWindow,
    open: State<'_, OpenTranscripts>,
    session: String,
    words: String,
    from: usize,
    limit: usize,
) -> Result<Vec<u64>, WireError> {
    let limit = limit.min(READ_PAGE);
    let found = move |transcript: &Transcript| Ok(places_in(&transcript.page(from, limit)?, &words));
    OwnSession::of(&window, &session)?.look_through(&open, Some(from.saturating_add(limit)), found).await
}

/// Prompts, errors and requests within a range of items.
#[tauri::command]
pub(crate) async fn read_marks(
    window: WebviewWindow,
    open: State<'_, OpenTranscripts>,
    session: String,
    from: usize,
    limit: usize,
) -> Result<Vec<Mark>, WireError> {
    let limit = limit.min(READ_PAGE);
    let marks = move |transcript: &Transcript| Ok(marks_in(&transcript.page(from, limit)?));
    OwnSession::of(&window, &session)?.look_through(&open, Some(from.saturating_add(limit)), marks).await
}

#[tauri::command]
pub(crate) async fn read_records(
    window: WebviewWindow,
    session: String,
    from_seq: u64,
    limit: usize,
    direction: Direction,
) -> Result<Vec<Value>, WireError> {
    let own = OwnSession::of(&window, &session)?;
    in_background(move || client::records::page(&own.machine, own.session, from_seq, limit, direction)).await
}
