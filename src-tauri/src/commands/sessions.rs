//! Commands that start agents and talk to them.

use client::pods::ChildWish;
use client::start::Resume;
use client::{Machine, start};
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::pod::{AnswerParams, PromptParams, PromptResult, SetParams, StopResult, Taken};
use protocol::processes::ProcessInfo;
use protocol::provider::PermissionMode;
use protocol::session::StartSession;
use tauri::{State, WebviewWindow};

use crate::session_access::OwnSession;
use crate::windows;

#[tauri::command]
pub(crate) async fn start_session(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    start: StartSession,
) -> Result<SessionId, WireError> {
    // Whatever the page says: what it starts belongs to its own workspace.
    let start = windows::workspace_of(&window)?.own(start)?;
    let started = match start.parent {
        None => start::start(&machine, start).await?,
        Some(parent) => start_below(&OwnSession::of(&window, &parent.to_string())?, start).await?,
    };
    started.notices.iter().for_each(|notice| tracing::warn!(session = %started.session, "{notice}"));
    Ok(started.session)
}

/// A pod works where the one above it works, with the same mode and the same policy.
async fn start_below(parent: &OwnSession, start: StartSession) -> Result<start::Started, WireError> {
    let wish = ChildWish {
        name: start.name.unwrap_or_default(),
        task: start.prompt.unwrap_or_default(),
        provider: Some(start.provider),
        model: start.model,
        instructions: start.system_prompt,
        scope: start.scope,
        budget: start.budget,
    };
    client::pods::spawn(&parent.machine, parent.session, wish).await
}

/// On a session that is over this resumes it, with the prompt.
#[tauri::command]
pub(crate) async fn prompt(
    window: WebviewWindow,
    session: String,
    params: PromptParams,
) -> Result<PromptResult, WireError> {
    let own = OwnSession::of(&window, &session)?;
    let sent = match own.connect().await {
        Ok(mut pod) => pod.prompt(params.clone()).await,
        Err(error) => Err(error),
    };
    match sent {
        // It may have ended between the connection and the prompt, too: then it has taken nothing.
        Err(error) if error.code == ErrorCode::SessionEnded => resume(&own, params).await,
        sent => sent,
    }
}

async fn resume(own: &OwnSession, params: PromptParams) -> Result<PromptResult, WireError> {
    let PromptParams { text, attachments, if_busy: _, from: _ } = params;
    let resume = Resume { prompt: Some(text), attachments, ..Resume::default() };
    let started = start::resume(&own.machine, own.session, resume).await?;
    started.notices.iter().for_each(|notice| tracing::warn!(session = %started.session, "{notice}"));
    // It never waits in a queue, so nobody can take it back by its id.
    Ok(PromptResult { taken: Taken::Started, prompt_id: String::new() })
}

#[tauri::command]
pub(crate) async fn unqueue(window: WebviewWindow, session: String, prompt_id: String) -> Result<(), WireError> {
    OwnSession::of(&window, &session)?.connect().await?.unqueue(&prompt_id).await
}

#[tauri::command]
pub(crate) async fn edit_queued(
    window: WebviewWindow,
    session: String,
    prompt_id: String,
    text: String,
) -> Result<(), WireError> {
    OwnSession::of(&window, &session)?.connect().await?.edit(&prompt_id, &text).await
}

#[tauri::command]
pub(crate) async fn go_on(window: WebviewWindow, session: String) -> Result<PromptResult, WireError> {
    OwnSession::of(&window, &session)?.connect().await?.go_on().await
}

#[tauri::command]
pub(crate) async fn answer(window: WebviewWindow, session: String, params: AnswerParams) -> Result<(), WireError> {
    OwnSession::of(&window, &session)?.connect().await?.answer(params).await
}

#[tauri::command]
pub(crate) async fn interrupt(window: WebviewWindow, session: String) -> Result<(), WireError> {
    OwnSession::of(&window, &session)?.connect().await?.interrupt().await
}

#[tauri::command]
pub(crate) async fn stop(window: WebviewWindow, session: String, force: bool) -> Result<StopResult, WireError> {
    OwnSession::of(&window, &session)?.connect().await?.stop(force).await
}

#[tauri::command]
pub(crate) async fn set_session(
    window: WebviewWindow,
    session: String,
    model: Option<String>,
    permission_mode: Option<PermissionMode>,
) -> Result<(), WireError> {
    let set = SetParams { model, permission_mode, permissions: None };
    OwnSession::of(&window, &session)?.connect().await?.set(set).await
}

/// A session that is over has no processes, which is no error.
#[tauri::command]
pub(crate) async fn processes(window: WebviewWindow, session: String) -> Result<Vec<ProcessInfo>, WireError> {
    match OwnSession::of(&window, &session)?.connect().await {
        Ok(mut pod) => pod.processes().await,
        Err(error) if error.code == ErrorCode::SessionEnded => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
