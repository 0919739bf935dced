//! Commands about the window itself and about what is outside of it.

use std::path::Path;

use client::Machine;
use protocol::error::{ErrorCode, WireError};
use protocol::view::WindowInfo;
use tauri::{AppHandle, Manager, State, Url, WebviewWindow};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;

use crate::first_page::FirstPage;
use crate::going;
use crate::page_begin;
use crate::windows;
use crate::workspace::Workspace;

#[tauri::command]
pub(crate) fn window_info(window: WebviewWindow) -> Result<WindowInfo, WireError> {
    windows::workspace_of(&window).map(|workspace| page_begin::info_of(&workspace))
}

/// A window that opens slowly can be told from one that opens fast in the debug log.
#[tauri::command]
pub(crate) fn page_shown(window: WebviewWindow) {
    tracing::info!(window = window.label(), "the window shows its sessions");
    window.state::<FirstPage>().shown();
}

#[tauri::command]
pub(crate) async fn pick_folder(window: WebviewWindow) -> Result<Option<String>, WireError> {
    let (chosen, choice) = tokio::sync::oneshot::channel();
    let ask = window.dialog().file().set_parent(&window).set_directory(windows::workspace_of(&window)?.path());
    // Nobody waits any more when the page was reloaded meanwhile.
    ask.pick_folder(|folder| drop(chosen.send(folder)));
    Ok(choice.await.ok().flatten().map(|folder| folder.to_string()))
}

// Windows are built from a thread that is not the main one: there, building one from within a command would wait for itself.
#[tauri::command]
pub(crate) async fn open_workspace(app: AppHandle, path: String) -> Result<(), WireError> {
    going::to_window(&app, &Workspace::at(Path::new(&path))?, None)
}

#[tauri::command]
pub(crate) async fn open_logs(app: AppHandle, machine: State<'_, Machine>) -> Result<(), WireError> {
    let logs = machine.places.logs.display().to_string();
    app.opener().open_path(&logs, None::<&str>).map_err(|error| failed(&logs, &error))
}

#[tauri::command]
pub(crate) async fn open_url(app: AppHandle, url: String) -> Result<(), WireError> {
    let refused = || WireError::new(ErrorCode::BadRequest, "only http, https and mailto links are opened");
    let link = Url::parse(&url).ok().filter(|link| ["http", "https", "mailto"].contains(&link.scheme()));
    app.opener().open_url(link.ok_or_else(refused)?, None::<&str>).map_err(|error| failed(&url, &error))
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> WireError {
    WireError::new(ErrorCode::Internal, format!("failed to open {what}: {error}"))
}
