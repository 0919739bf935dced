//! Commands about tool sidecars: how those of the window's workspace and of the user stand, what is done about one, its log, a call by
//! hand, and MCP servers that other programs have set up.

use client::{Machine, sidecars};
use protocol::error::WireError;
use protocol::sidecar::{SidecarImports, SidecarLogLine, SidecarPlace, WrittenImport};
use protocol::sidecar_view::{SidecarCallFrame, SidecarsFrame};
use serde_json::{Map, Value};
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};

use crate::page_feeds::PageFeeds;
use crate::session_access::in_background;
use crate::{sidecar_feed, windows};

/// Sends all sidecars now and what is other at each change, until the page wants it no more. Its number ends it.
#[tauri::command]
pub(crate) async fn watch_sidecars(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    feeds: State<'_, PageFeeds>,
    channel: Channel<SidecarsFrame>,
) -> Result<u64, WireError> {
    let (machine, place) = (machine.inner().clone(), place_of(&window)?);
    let tell = move |frame| channel.send(frame).is_ok();
    Ok(feeds.start(window.label(), |_| sidecar_feed::run(machine, place, tell)))
}

#[tauri::command]
pub(crate) async fn start_sidecar(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    name: String,
) -> Result<(), WireError> {
    sidecars::start(&machine, &place_of(&window)?, &name).await.map(drop)
}

#[tauri::command]
pub(crate) async fn stop_sidecar(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    name: String,
) -> Result<(), WireError> {
    sidecars::stop(&machine, &place_of(&window)?, &name).await.map(drop)
}

#[tauri::command]
pub(crate) async fn restart_sidecar(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    name: String,
) -> Result<(), WireError> {
    sidecars::restart(&machine, &place_of(&window)?, &name).await.map(drop)
}

/// Takes the answer to the question with this hash, and to no other.
#[tauri::command]
pub(crate) async fn trust_sidecar(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    name: String,
    hash: String,
    trusted: bool,
) -> Result<(), WireError> {
    tracing::info!(sidecar = name, trusted, "the user answered whether a sidecar may run");
    sidecars::trust(&machine, &place_of(&window)?, &name, &hash, trusted).await
}

#[tauri::command]
pub(crate) async fn sidecar_log(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    name: String,
) -> Result<Vec<SidecarLogLine>, WireError> {
    sidecars::logs(&machine, &place_of(&window)?, &name).await
}

/// Calls a tool, which may take its time. The number that is given ends the call: a page that is gone waits for nothing.
#[tauri::command]
pub(crate) async fn call_sidecar(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    feeds: State<'_, PageFeeds>,
    sidecar: String,
    tool: String,
    arguments: Map<String, Value>,
    channel: Channel<SidecarCallFrame>,
) -> Result<u64, WireError> {
    let (machine, place) = (machine.inner().clone(), place_of(&window)?);
    Ok(feeds.start(window.label(), |_| async move {
        let telling = channel.clone();
        let on_progress = move |step: protocol::pods::ToolProgress| {
            let (progress, total, message) = (step.progress, step.total, step.message);
            // A page that is gone ends this call by another way.
            let _ = telling.send(SidecarCallFrame::Progress { progress, total, message });
        };
        let called = sidecars::call(&machine, &place, &sidecar, &tool, arguments, on_progress).await;
        let _ = channel.send(match called {
            Ok(answer) => SidecarCallFrame::Answer { answer },
            Err(error) => SidecarCallFrame::Failed { error },
        });
    }))
}

#[tauri::command]
pub(crate) async fn importable_servers(
    window: WebviewWindow,
    machine: State<'_, Machine>,
) -> Result<SidecarImports, WireError> {
    let (machine, workspace) = (machine.inner().clone(), windows::workspace_of(&window)?);
    in_background(move || sidecars::imports(&machine, Some(workspace.path()))).await
}

#[tauri::command]
pub(crate) async fn import_servers(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    ids: Vec<String>,
) -> Result<Vec<WrittenImport>, WireError> {
    let workspace = windows::workspace_of(&window)?;
    sidecars::write_imports(&machine, Some(workspace.path()), &ids).await
}

/// The window's workspace; nobody asks for a session here.
fn place_of(window: &WebviewWindow) -> Result<SidecarPlace, WireError> {
    let workspace = Some(windows::workspace_of(window)?.text());
    Ok(SidecarPlace { workspace, ..SidecarPlace::default() })
}
