//! Commands between the windows: requests of all of them, known workspaces, orders, and how a window was arranged.

use client::Machine;
use protocol::SessionId;
use protocol::desk::{KnownWorkspace, PageOrder, WaitingRequest, WindowLayout};
use protocol::error::{ErrorCode, WireError};
use protocol::pod::AnswerParams;
use protocol::session::Liveness;
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, State, WebviewWindow};

use crate::Sessions;
use crate::going;
use crate::muted::Muted;
use crate::page_feeds::PageFeeds;
use crate::page_orders::PageOrders;
use crate::requests::Requests;
use crate::session_access::in_background;
use crate::window_set::WindowSet;
use crate::windows;

#[tauri::command]
pub(crate) async fn watch_requests(
    window: WebviewWindow,
    feeds: State<'_, PageFeeds>,
    requests: State<'_, Requests>,
    channel: Channel<Vec<WaitingRequest>>,
) -> Result<(), WireError> {
    let mut requests = requests.inner().clone();
    feeds.start(window.label(), |_| async move {
        loop {
            let now = requests.borrow_and_update().clone();
            if channel.send(now).is_err() || requests.changed().await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Answers a request of any workspace, provided that it is among those which every window shows.
#[tauri::command]
pub(crate) async fn answer_request(
    machine: State<'_, Machine>,
    requests: State<'_, Requests>,
    session: SessionId,
    params: AnswerParams,
) -> Result<(), WireError> {
    let is_shown = requests
        .borrow()
        .iter()
        .any(|waiting| waiting.summary.session == session && waiting.request.ask.request_id == params.request_id);
    if !is_shown {
        return Err(WireError::new(ErrorCode::NotPending, "this request has been answered already"));
    }
    client::sessions::connect(&machine, session, "desktop").await?.answer(params).await
}

// Windows are built from a thread that is not the main one: there, building one from within a command would wait for itself.
#[tauri::command]
pub(crate) async fn go_to_session(app: AppHandle, session: SessionId) -> Result<(), WireError> {
    going::to_session(&app, session)
}

#[tauri::command]
pub(crate) async fn known_workspaces(
    app: AppHandle,
    sessions: State<'_, Sessions>,
) -> Result<Vec<KnownWorkspace>, WireError> {
    let known = going::known(&app).await?;
    let sessions = sessions.borrow().clone();
    let live = |path: &str| {
        let lives = |liveness: &Liveness| matches!(liveness, Liveness::Live { .. });
        sessions.iter().filter(|session| session.workspace == path && lives(&session.liveness)).count()
    };
    let workspace = |path: String| {
        let folder = std::path::Path::new(&path);
        let name = folder.file_name().map_or_else(|| path.clone(), |name| name.to_string_lossy().into_owned());
        let is_open = windows::is_open(&app, folder);
        KnownWorkspace { name, is_open, live: u32::try_from(live(&path)).unwrap_or(u32::MAX), path }
    };
    // A folder that is gone cannot be opened; should it come back, so does its entry.
    Ok(known.into_iter().filter(|path| std::path::Path::new(path).is_dir()).map(workspace).collect())
}

#[tauri::command]
pub(crate) async fn watch_orders(
    window: WebviewWindow,
    orders: State<'_, PageOrders>,
    channel: Channel<PageOrder>,
) -> Result<(), WireError> {
    orders.attach(window.label(), channel);
    Ok(())
}

/// Whether the user wants to be notified about a session.
#[tauri::command]
pub(crate) fn is_notified(muted: State<'_, Muted>, session: SessionId) -> bool {
    !muted.contains(session)
}

#[tauri::command]
pub(crate) async fn set_notified(app: AppHandle, session: SessionId, notified: bool) -> Result<(), WireError> {
    in_background(move || {
        let set = app.state::<Muted>().set(session, !notified);
        set.map_err(|error| WireError::new(ErrorCode::DataFolder, format!("this will not be remembered: {error}")))
    })
    .await
}

#[tauri::command]
pub(crate) fn read_layout(window: WebviewWindow, set: State<'_, WindowSet>) -> Result<Option<WindowLayout>, WireError> {
    Ok(set.layout(windows::workspace_of(&window)?.path()))
}

#[tauri::command]
pub(crate) fn keep_layout(
    window: WebviewWindow,
    set: State<'_, WindowSet>,
    layout: WindowLayout,
) -> Result<(), WireError> {
    set.arranged(windows::workspace_of(&window)?.path(), layout);
    Ok(())
}
