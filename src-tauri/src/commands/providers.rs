//! Commands about what can be started and what is missing.

use std::path::Path;

use client::Machine;
use protocol::doctor::DoctorReport;
use protocol::error::WireError;
use protocol::view::ProviderChoice;
use tauri::{State, WebviewWindow};

use crate::session_access::in_background;
use crate::windows;

#[tauri::command]
pub(crate) async fn provider_choices(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    refresh: bool,
) -> Result<Vec<ProviderChoice>, WireError> {
    let (machine, workspace) = (machine.inner().clone(), windows::workspace_of(&window)?);
    in_background(move || Ok(client::catalog::choices(&machine, workspace.path(), refresh))).await
}

#[tauri::command]
pub(crate) async fn doctor(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    refresh: bool,
) -> Result<DoctorReport, WireError> {
    let (machine, workspace) = (machine.inner().clone(), windows::workspace_of(&window)?);
    in_background(move || Ok(machine.doctor(workspace.path(), refresh))).await
}

#[tauri::command]
pub(crate) async fn set_cli_path(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    provider: String,
    path: String,
) -> Result<Vec<ProviderChoice>, WireError> {
    let (machine, workspace) = (machine.inner().clone(), windows::workspace_of(&window)?);
    in_background(move || {
        let path = Some(path.trim()).filter(|path| !path.is_empty());
        machine.choose_path(&provider, path.map(Path::new))?;
        Ok(client::catalog::choices(&machine, workspace.path(), false))
    })
    .await
}
