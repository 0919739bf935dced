//! Commands about who answers requests for permission without being asked: policies and rules.

use client::Machine;
use protocol::error::{ErrorCode, WireError};
use protocol::permission::{PermissionPolicy, PermissionRule};
use protocol::pod::SetParams;
use tauri::{State, WebviewWindow};

use crate::session_access::{OwnSession, in_background};
use crate::windows;

/// What was allowed for good in this window's workspace.
#[tauri::command]
pub(crate) async fn workspace_rules(
    window: WebviewWindow,
    machine: State<'_, Machine>,
) -> Result<Vec<PermissionRule>, WireError> {
    let (rules, workspace) = (machine.workspace_rules(), windows::workspace_of(&window)?.text());
    in_background(move || rules.of(&workspace).map_err(|error| failed(&error))).await
}

#[tauri::command]
pub(crate) async fn forget_workspace_rule(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    rule: String,
) -> Result<(), WireError> {
    let (rules, workspace) = (machine.workspace_rules(), windows::workspace_of(&window)?.text());
    in_background(move || rules.remove(&workspace, &rule).map_err(|error| failed(&error))).await
}

#[tauri::command]
pub(crate) async fn forget_rule(window: WebviewWindow, session: String, rule: String) -> Result<(), WireError> {
    OwnSession::of(&window, &session)?.connect().await?.forget_rule(&rule).await
}

/// Says who answers a live session's requests from now on.
#[tauri::command]
pub(crate) async fn set_policy(
    window: WebviewWindow,
    session: String,
    policy: PermissionPolicy,
) -> Result<(), WireError> {
    let set = SetParams { permissions: Some(policy), ..SetParams::default() };
    OwnSession::of(&window, &session)?.connect().await?.set(set).await
}

fn failed(error: &dyn std::fmt::Display) -> WireError {
    WireError::new(ErrorCode::DataFolder, error.to_string())
}
