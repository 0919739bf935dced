//! Starts sessions, and resumes them.

use protocol::SessionId;
use protocol::attachment::Attachment;
use protocol::error::{ErrorCode, WireError};
use protocol::permission::PermissionPolicy;
use protocol::runner::ResumeMode;
use protocol::session::{PodFile, SessionMeta, StartSession};

use crate::machine::Machine;
use crate::order::{Prepared, prepare};
use crate::start_turn::StartTurn;
use crate::{keeper_process, recovery, sessions};

/// A session that is live now.
#[derive(Debug)]
pub struct Started {
    /// The session.
    pub session: SessionId,
    /// How to reach its pod.
    pub pod: PodFile,
    /// What the user should know.
    pub notices: Vec<String>,
    /// Where a reader who wants to see only what this start brings begins.
    pub from_seq: u64,
}

/// Starts a new session.
///
/// # Errors
/// When something is missing or fails; then there is no session.
pub async fn start(machine: &Machine, start: StartSession) -> Result<Started, WireError> {
    start_as(machine, SessionId::new(), start).await
}

/// Starts a new session whose id was made before, for what had to be known by it already.
///
/// # Errors
/// As [`start`].
pub async fn start_as(machine: &Machine, session: SessionId, start: StartSession) -> Result<Started, WireError> {
    launch(machine, session, start, 0).await
}

/// What a resume may change.
#[derive(Debug, Clone, Default)]
pub struct Resume {
    /// The prompt to go on with.
    pub prompt: Option<String>,
    /// Images and files that go with it.
    pub attachments: Vec<Attachment>,
    /// Who answers requests from now on. What was said at an earlier start holds no longer.
    pub permissions: PermissionPolicy,
    /// Another model.
    pub model: Option<String>,
    /// Another mode.
    pub permission_mode: Option<protocol::provider::PermissionMode>,
    /// Provider-specific settings.
    pub provider_config: Option<serde_json::Value>,
}

/// Resumes a session that is not live, with its native id. The transcript says what was resumed.
///
/// # Errors
/// When there is no such session, it is live, or it cannot be started.
pub async fn resume(machine: &Machine, session: SessionId, resume: Resume) -> Result<Started, WireError> {
    // What its killed keeper left is ended before another one takes the session.
    recovery::settle(machine).await;
    let folder = machine.folder(session);
    let failed = |error: journal::JournalError| WireError::new(ErrorCode::DataFolder, error.to_string());
    let Some(meta) = folder.read_meta().map_err(failed)? else {
        return Err(sessions::no_such(&session.to_string()));
    };
    let from_seq = match journal::JournalReader::open(&folder.journal()) {
        Ok(mut reader) => reader.last_seq().map_err(failed)?,
        // A session that ended before its first record.
        Err(_) => 0,
    };
    launch(machine, session, resumed(meta, resume), from_seq).await
}

fn resumed(meta: SessionMeta, resume: Resume) -> StartSession {
    let Resume { prompt, attachments, permissions, model, permission_mode, provider_config } = resume;
    let mut start = meta.start;
    start.prompt = prompt;
    start.attachments = attachments;
    start.permissions = permissions;
    start.model = model.or(meta.model).or(start.model);
    start.permission_mode = permission_mode.or(start.permission_mode);
    start.provider_config = provider_config.or(start.provider_config);
    // A session whose agent never got an id has no conversation to resume: it begins anew, and the transcript shows no id.
    start.resume_mode = if meta.native_session_id.is_some() { ResumeMode::Resume } else { ResumeMode::New };
    start.resume_session_id = meta.native_session_id;
    start
}

async fn launch(
    machine: &Machine,
    session: SessionId,
    start: StartSession,
    from_seq: u64,
) -> Result<Started, WireError> {
    let for_thread = machine.clone();
    let prepared = tokio::task::spawn_blocking(move || prepare(&for_thread, session, start));
    let Prepared { order, notices } = prepared
        .await
        .map_err(|error| WireError::new(ErrorCode::Internal, format!("preparing the session broke off: {error}")))??;
    let turn = StartTurn::take(&machine.places.run).await;
    let started = keeper_process::start(machine, &order).await;
    drop(turn);
    let pod = started?;
    Ok(Started { session, pod, notices, from_seq })
}
