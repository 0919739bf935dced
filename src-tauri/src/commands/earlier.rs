//! Commands about conversations in the CLIs' own folders: those that were held in the window's workspace.

use client::Machine;
use protocol::SessionId;
use protocol::earlier::EarlierList;
use protocol::error::WireError;
use tauri::{State, WebviewWindow};

use crate::session_access::in_background;
use crate::windows;

#[tauri::command]
pub(crate) async fn earlier_sessions(
    window: WebviewWindow,
    machine: State<'_, Machine>,
) -> Result<Vec<EarlierList>, WireError> {
    let workspace = windows::workspace_of(&window)?;
    let machine = machine.inner().clone();
    in_background(move || Ok(client::earlier_sessions::lists(&machine, Some(workspace.path())))).await
}

#[tauri::command]
pub(crate) async fn take_in_session(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    cli: String,
    native_session_id: String,
) -> Result<SessionId, WireError> {
    let workspace = windows::workspace_of(&window)?.text();
    let machine = machine.inner().clone();
    let taken =
        in_background(move || client::earlier_sessions::take_in(&machine, &cli, &native_session_id, Some(&workspace)));
    Ok(taken.await?.session)
}
