//! Commands by which a page is kept up to date.

use std::time::Duration;

use protocol::error::WireError;
use protocol::view::SessionList;
use tauri::ipc::{Channel, InvokeResponseBody};
use tauri::{State, WebviewWindow};

use crate::Sessions;
use crate::live_feed::LiveFeed;
use crate::page_feeds::PageFeeds;
use crate::session_access::OwnSession;
use crate::tally::Tally;
use crate::windows;
use crate::workspace::Workspace;

#[tauri::command]
pub(crate) async fn watch_sessions(
    window: WebviewWindow,
    feeds: State<'_, PageFeeds>,
    sessions: State<'_, Sessions>,
    channel: Channel<SessionList>,
) -> Result<(), WireError> {
    let (workspace, sessions) = (windows::workspace_of(&window)?, sessions.inner().clone());
    feeds.start(window.label(), |_| send_lists(workspace, sessions, channel));
    Ok(())
}

#[tauri::command]
pub(crate) async fn follow_session(
    window: WebviewWindow,
    feeds: State<'_, PageFeeds>,
    session: String,
    from_seq: u64,
    channel: Channel<InvokeResponseBody>,
) -> Result<u64, WireError> {
    let OwnSession { machine, session } = OwnSession::of(&window, &session)?;
    tracing::debug!(%session, from_seq, window = window.label(), "a page follows a session");
    let feed = LiveFeed { machine, session, from_seq, page: channel };
    Ok(feeds.start(window.label(), |credits| feed.run(credits)))
}

/// Up to which frame the page has taken in what some of its feeds sent, as pairs of a feed and a frame. One call for all of a picture's,
/// since a call costs both sides more than a frame does.
#[tauri::command]
pub(crate) fn feed_credits(window: WebviewWindow, feeds: State<'_, PageFeeds>, credits: Vec<(u64, u64)>) {
    for (feed, frame) in credits {
        feeds.credit(window.label(), feed, frame);
    }
}

#[tauri::command]
pub(crate) fn unfollow(window: WebviewWindow, feeds: State<'_, PageFeeds>, feed: u64) {
    feeds.end(window.label(), feed);
}

/// How long a page is left alone for each session that it was sent, because it gets all of them at each change: a millisecond for
/// twenty, half a second for ten thousand.
const REST: Duration = Duration::from_micros(50);

/// Sends the workspace's sessions now and at each change, until the page is gone.
async fn send_lists(workspace: Workspace, mut sessions: Sessions, page: Channel<SessionList>) {
    loop {
        let list = list(&workspace, &sessions.borrow_and_update());
        let rest = REST * u32::try_from(list.sessions.len()).unwrap_or(u32::MAX);
        if page.send(list).is_err() {
            return;
        }
        tokio::time::sleep(rest).await;
        if sessions.changed().await.is_err() {
            return;
        }
    }
}

/// The sessions of a workspace among all, as a page lists them.
pub(crate) fn list(workspace: &Workspace, all: &[protocol::session::SessionSummary]) -> SessionList {
    let tally = Tally::of(all);
    let here = workspace.text();
    let sessions = all.iter().filter(|summary| summary.workspace == here).cloned().collect();
    SessionList { sessions, working: tally.working, waiting: tally.waiting }
}
