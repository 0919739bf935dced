//! The sessions of this machine and what is known of their lives.
//!
//! No answer never means dead: a session is interrupted only when its keeper's process is gone by pid and start time.

use std::path::Path;

use jiff::Timestamp;
use journal::{Lease, SessionFolder};
use process::{Liveness as ProcessLife, ProcessRef};
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::health::HealthVerdict;
use protocol::limits::{ENDED_STAYS, SECOND_LOOK};
use protocol::record::Outcome;
use protocol::session::{Liveness, PodFile, SessionMeta, SessionSummary};

use crate::connection::PodConnection;
use crate::machine::Machine;
use crate::moments;

/// Which sessions a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that live, and those that ended a moment ago.
    Live,
    /// All.
    All,
}

/// The sessions, newest first. Those whose meta cannot be read are left out and told in the debug log.
///
/// # Errors
/// When the folder of sessions cannot be listed.
pub async fn list(machine: &Machine, which: Which) -> Result<Vec<SessionSummary>, WireError> {
    let folders = SessionFolder::list(&machine.places.sessions)
        .map_err(|error| WireError::new(ErrorCode::DataFolder, error.to_string()))?;
    let asked: Vec<_> = folders
        .into_iter()
        .filter_map(|(_, folder)| {
            let is_wanted = which == Which::All || may_live(&folder);
            is_wanted.then(|| readable_meta(&folder)).flatten().map(|meta| (folder, meta))
        })
        // All pods are asked at once: one that is stuck costs its own limit, not the sum.
        .map(|(folder, meta)| tokio::spawn(async move { summary_of(&folder, meta).await }))
        .collect();
    let mut summaries = Vec::with_capacity(asked.len());
    for summary in asked {
        if let Ok(summary) = summary.await
            && (which == Which::All || is_live_or_fresh(&summary))
        {
            summaries.push(summary);
        }
    }
    Ok(summaries)
}

/// One session.
///
/// # Errors
/// When there is none, or its meta cannot be read.
pub async fn summary(machine: &Machine, session: SessionId) -> Result<SessionSummary, WireError> {
    let folder = machine.folder(session);
    let meta = folder
        .read_meta()
        .map_err(|error| WireError::new(ErrorCode::DataFolder, error.to_string()))?
        .ok_or_else(|| no_such(&session.to_string()))?;
    Ok(summary_of(&folder, meta).await)
}

/// The session that an id, or the beginning of one, means.
///
/// # Errors
/// When there is none, or several.
pub fn find(machine: &Machine, beginning: &str) -> Result<SessionId, WireError> {
    let wanted = beginning.to_ascii_lowercase();
    let all = SessionFolder::list(&machine.places.sessions)
        .map_err(|error| WireError::new(ErrorCode::DataFolder, error.to_string()))?;
    let matching: Vec<SessionId> =
        all.into_iter().map(|(session, _)| session).filter(|id| id.to_string().starts_with(&wanted)).collect();
    match matching.as_slice() {
        [] => Err(no_such(beginning)),
        _ if wanted.is_empty() => Err(no_such(beginning)),
        [one] => Ok(*one),
        several => {
            let message = format!("`{beginning}` fits {} sessions; give more of the id", several.len());
            Err(WireError::new(ErrorCode::NoSuchSession, message))
        }
    }
}

/// The newest session in a workspace that can be continued, of a provider if one is named.
#[must_use]
pub fn newest(machine: &Machine, workspace: &str, provider: Option<&str>) -> Option<SessionId> {
    let now = Timestamp::now();
    let all = SessionFolder::list(&machine.places.sessions).ok()?;
    all.into_iter()
        .filter_map(|(session, folder)| Some((session, readable_meta(&folder)?)))
        .filter(|(_, meta)| meta.workspace == workspace && provider.is_none_or(|provider| meta.provider == provider))
        .max_by_key(|(session, meta)| (moments::by_age(&meta.updated_at, now), *session))
        .map(|(session, _)| session)
}

/// The workspace of the newest session, if there is any.
#[must_use]
pub fn last_workspace(machine: &Machine) -> Option<String> {
    let all = SessionFolder::list(&machine.places.sessions).ok()?;
    let newest = all.into_iter().max_by_key(|(session, _)| *session)?;
    readable_meta(&newest.1).map(|meta| meta.workspace)
}

/// Connects to a session's pod.
///
/// # Errors
/// [`ErrorCode::SessionEnded`] when it has none, [`ErrorCode::Unreachable`] when it does not answer.
pub async fn connect(machine: &Machine, session: SessionId, client: &str) -> Result<PodConnection, WireError> {
    let folder = machine.folder(session);
    let failed = |error: journal::JournalError| WireError::new(ErrorCode::DataFolder, error.to_string());
    if folder.read_meta().map_err(failed)?.is_none() {
        return Err(no_such(&session.to_string()));
    }
    match folder.read_pod().map_err(failed)? {
        Some(pod) if keeper_may_live(&pod) => PodConnection::open(&pod, client).await,
        Some(_) | None => {
            let message =
                format!("session {session} is not live; resume it with `outrigger run --resume {session} PROMPT`");
            Err(WireError::new(ErrorCode::SessionEnded, message))
        }
    }
}

/// The error for an id that means nothing.
#[must_use]
pub fn no_such(id: &str) -> WireError {
    let message = format!("there is no session `{id}`; `outrigger ps --all` lists them");
    WireError::new(ErrorCode::NoSuchSession, message)
}

pub(crate) fn readable_meta(folder: &SessionFolder) -> Option<SessionMeta> {
    match folder.read_meta() {
        Ok(meta) => meta,
        Err(error) => {
            tracing::warn!(%error, "a session was left out of the list");
            None
        }
    }
}

/// A look that needs no pod and reads no file, because most sessions ended long ago: one that ended lately has a meta that was
/// written lately, and one that nobody has closed lives only when somebody has its lease.
fn may_live(folder: &SessionFolder) -> bool {
    folder.pod().exists() || written_lately(&folder.meta()) || Lease::is_held(folder)
}

/// Also when the clock was put back since.
fn written_lately(file: &Path) -> bool {
    let age = std::fs::metadata(file).and_then(|file| file.modified()).map(|at| at.elapsed());
    !matches!(age, Ok(Ok(age)) if age > ENDED_STAYS)
}

fn is_live_or_fresh(summary: &SessionSummary) -> bool {
    match &summary.liveness {
        Liveness::Live { .. } | Liveness::Unknown { .. } => true,
        Liveness::Ended { at, .. } => ended_lately(Some(at)),
        Liveness::Interrupted => false,
    }
}

fn ended_lately(at: Option<&str>) -> bool {
    at.is_some_and(|at| moments::is_near(at, Timestamp::now(), ENDED_STAYS))
}

pub(crate) async fn summary_of(folder: &SessionFolder, mut meta: SessionMeta) -> SessionSummary {
    let liveness = liveness(folder, &mut meta).await;
    SessionSummary {
        session: meta.session,
        provider: meta.provider,
        workspace: meta.workspace,
        cwd: meta.cwd,
        title: meta.title,
        parent: meta.parent,
        created_at: meta.created_at,
        updated_at: meta.updated_at,
        model: meta.model,
        native_session_id: meta.native_session_id,
        usage: meta.usage,
        permission_policy: meta.start.permissions,
        liveness,
    }
}

async fn liveness(folder: &SessionFolder, meta: &mut SessionMeta) -> Liveness {
    match folder.read_pod() {
        Ok(Some(pod)) if keeper_may_live(&pod) => match ask(&pod).await {
            Ok(liveness) => liveness,
            // It may have ended just now, and said so.
            Err(error) => {
                // A keeper that is being killed hangs up a moment before it is gone.
                process::wait_gone(&[ProcessRef { pid: pod.pid, started: pod.pid_started }], SECOND_LOOK).await;
                match (folder.read_pod(), folder.read_meta()) {
                    (Ok(None), Ok(Some(newer))) => {
                        *meta = newer;
                        without_pod(folder, meta)
                    }
                    (Ok(Some(pod)), _) if !keeper_may_live(&pod) => ended(meta).unwrap_or(Liveness::Interrupted),
                    (Ok(_) | Err(_), _) => Liveness::Unknown { reason: error.message },
                }
            }
        },
        Ok(Some(_)) => ended(meta).unwrap_or(Liveness::Interrupted),
        Ok(None) => without_pod(folder, meta),
        Err(error) => Liveness::Unknown { reason: error.to_string() },
    }
}

fn without_pod(folder: &SessionFolder, meta: &SessionMeta) -> Liveness {
    match ended(meta) {
        Some(ended) => ended,
        None if Lease::is_held(folder) => Liveness::Unknown { reason: "its keeper is starting".to_owned() },
        None => Liveness::Interrupted,
    }
}

fn ended(meta: &SessionMeta) -> Option<Liveness> {
    match (&meta.outcome, &meta.ended_at) {
        // Somebody found out that its keeper was killed, and closed it.
        (Some(Outcome::Interrupted), _) => Some(Liveness::Interrupted),
        (Some(outcome), Some(at)) => Some(Liveness::Ended { outcome: *outcome, at: at.clone() }),
        _ => None,
    }
}

async fn ask(pod: &PodFile) -> Result<Liveness, WireError> {
    let status = PodConnection::open(pod, "list").await?.status().await?;
    Ok(Liveness::Live {
        waiting: u32::try_from(status.permissions.len()).unwrap_or(u32::MAX),
        queued: u32::try_from(status.queue.len()).unwrap_or(u32::MAX),
        last_turn: status.last_turn,
        state: status.state,
        health: Some(status.health.verdict).filter(|verdict| *verdict != HealthVerdict::Ok),
        health_reasons: status.health.reasons,
        recording: Some(status.recording),
        retry: status.retry,
    })
}

/// Dead is only what the process table says is dead.
fn keeper_may_live(pod: &PodFile) -> bool {
    let keeper = ProcessRef { pid: pod.pid, started: pod.pid_started };
    match keeper.liveness() {
        ProcessLife::Alive | ProcessLife::Unknown(_) => true,
        ProcessLife::Zombie | ProcessLife::Dead => false,
    }
}
