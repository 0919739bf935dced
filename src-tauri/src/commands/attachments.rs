//! Commands about the files that go with prompts: which are meant, what they are, and how they look.

use std::path::{Path, PathBuf};

use client::workspace_files::WorkspaceFiles;
use client::{Machine, chosen_files};
use protocol::error::WireError;
use protocol::view::{ChosenFile, FileMatches};
use tauri::{State, WebviewWindow};
use tauri_plugin_dialog::DialogExt;

use crate::session_access::{OwnSession, in_background};
use crate::windows;

/// Rows that a page may ask for.
const MATCHES: usize = 50;

#[tauri::command]
pub(crate) async fn complete_files(
    window: WebviewWindow,
    files: State<'_, WorkspaceFiles>,
    typed: String,
    limit: usize,
) -> Result<FileMatches, WireError> {
    let (files, workspace) = (files.inner().clone(), windows::workspace_of(&window)?);
    in_background(move || Ok(files.complete(workspace.path(), &typed, limit.min(MATCHES)))).await
}

#[tauri::command]
pub(crate) async fn pick_files(window: WebviewWindow) -> Result<Vec<ChosenFile>, WireError> {
    let (chosen, choice) = tokio::sync::oneshot::channel();
    let ask = window.dialog().file().set_parent(&window).set_directory(windows::workspace_of(&window)?.path());
    // Nobody waits any more when the page was reloaded meanwhile.
    ask.pick_files(|files| drop(chosen.send(files)));
    let files = choice.await.ok().flatten().unwrap_or_default();
    let paths: Vec<PathBuf> = files.into_iter().filter_map(|file| file.into_path().ok()).collect();
    in_background(move || paths.iter().map(|path| chosen_files::about(path)).collect()).await
}

/// Writes what was pasted or dropped into a file; `data` is in base64.
#[tauri::command]
pub(crate) async fn keep_file(
    machine: State<'_, Machine>,
    name: String,
    data: String,
) -> Result<ChosenFile, WireError> {
    let folder = machine.places.data.clone();
    in_background(move || chosen_files::keep(&folder, &name, &data)).await
}

/// How a chosen image looks; nothing for other files.
#[tauri::command]
pub(crate) async fn preview_file(path: String) -> Result<Option<String>, WireError> {
    in_background(move || Ok(chosen_files::preview(Path::new(&path)))).await
}

/// How an image looks that went with a prompt; nothing when it is gone.
#[tauri::command]
pub(crate) async fn attached_image(
    window: WebviewWindow,
    session: String,
    blob: String,
) -> Result<Option<String>, WireError> {
    let OwnSession { machine, session } = OwnSession::of(&window, &session)?;
    in_background(move || Ok(chosen_files::kept_image(&machine.folder(session), &blob))).await
}
