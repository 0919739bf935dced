//! The ledger's rows as types. They are read and written here, and mean something elsewhere.

use std::str::FromStr;

use protocol::processes::ProcessPurpose;
use protocol::record::Outcome;
use protocol::session::{SessionMeta, SessionStatistics};
use protocol::{PodId, SessionId};
use rusqlite::Row;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A pod that a keeper is about to host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodClaim {
    /// The pod. Its id stands in the environment of everything that it starts.
    pub pod: PodId,
    /// Its session.
    pub session: SessionId,
    /// The keeper's generation; the session's newest.
    pub generation: u64,
    /// The keeper's process id.
    pub pid: u32,
    /// When the keeper's process started, in the platform's own unit.
    pub started: u64,
    /// Where it listens.
    pub socket: String,
    /// The session above it in the pod tree.
    pub parent: Option<SessionId>,
    /// Its state in a word.
    pub state: String,
}

/// A pod in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodRow {
    /// As its keeper claimed it, with the state that it is in now.
    pub claim: PodClaim,
    /// Since when it is in that state, RFC 3339.
    pub since: String,
    /// When it ended, RFC 3339.
    pub ended_at: Option<String>,
}

/// A process, as its keeper notes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessNote {
    /// Process id.
    pub pid: u32,
    /// When it started, in the platform's own unit.
    pub started: u64,
    /// What it is for.
    pub purpose: ProcessPurpose,
    /// Its command line.
    pub command: String,
}

/// A process in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRow {
    /// The pod that owns it.
    pub pod: PodId,
    /// As its keeper noted it last.
    pub note: ProcessNote,
    /// When it was last seen, RFC 3339.
    pub seen_at: String,
}

/// A session in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// The session.
    pub session: SessionId,
    /// Which kind of agent.
    pub provider: String,
    /// The folder whose window shows it.
    pub workspace: String,
    /// Where the agent works.
    pub cwd: String,
    /// What it is called.
    pub title: String,
    /// The provider's own id.
    pub native_id: Option<String>,
    /// The session above it in the pod tree.
    pub parent: Option<SessionId>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When something last happened, RFC 3339.
    pub updated_at: String,
    /// When it ended, RFC 3339.
    pub ended_at: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// How much the agent has said.
    pub statistics: SessionStatistics,
}

impl From<&SessionMeta> for SessionRow {
    fn from(meta: &SessionMeta) -> Self {
        Self {
            session: meta.session,
            provider: meta.provider.clone(),
            workspace: meta.workspace.clone(),
            cwd: meta.cwd.clone(),
            title: meta.title.clone(),
            native_id: meta.native_session_id.clone(),
            parent: meta.parent,
            created_at: meta.created_at.clone(),
            updated_at: meta.updated_at.clone(),
            ended_at: meta.ended_at.clone(),
            outcome: meta.outcome,
            statistics: meta.statistics.clone(),
        }
    }
}

pub(crate) fn pod(row: &Row<'_>) -> rusqlite::Result<PodRow> {
    let claim = PodClaim {
        pod: parsed(row, "id")?,
        session: parsed(row, "session")?,
        generation: row.get("generation")?,
        pid: row.get("pid")?,
        started: row.get("started")?,
        socket: row.get("socket")?,
        parent: parsed_option(row, "parent")?,
        state: row.get("state")?,
    };
    Ok(PodRow { claim, since: row.get("since")?, ended_at: row.get("ended_at")? })
}

pub(crate) fn process(row: &Row<'_>) -> rusqlite::Result<ProcessRow> {
    let note = ProcessNote {
        pid: row.get("pid")?,
        started: row.get("started")?,
        purpose: from_word(&row.get::<_, String>("purpose")?)?,
        command: row.get("command")?,
    };
    Ok(ProcessRow { pod: parsed(row, "pod")?, note, seen_at: row.get("seen_at")? })
}

pub(crate) fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    let outcome: Option<String> = row.get("outcome")?;
    let statistics: String = row.get("statistics")?;
    Ok(SessionRow {
        session: parsed(row, "id")?,
        provider: row.get("provider")?,
        workspace: row.get("workspace")?,
        cwd: row.get("cwd")?,
        title: row.get("title")?,
        native_id: row.get("native_id")?,
        parent: parsed_option(row, "parent")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        ended_at: row.get("ended_at")?,
        outcome: outcome.map(|word| from_word(&word)).transpose()?,
        statistics: serde_json::from_str(&statistics).map_err(odd)?,
    })
}

/// An enum of ours as the one word that it is on the wire.
pub(crate) fn word<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    match serde_json::to_value(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))? {
        serde_json::Value::String(word) => Ok(word),
        other => Ok(other.to_string()),
    }
}

pub(crate) fn from_word<T: DeserializeOwned>(word: &str) -> rusqlite::Result<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(odd)
}

pub(crate) fn parsed<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get::<_, String>(column)?.parse().map_err(odd)
}

pub(crate) fn parsed_option<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get::<_, Option<String>>(column)?.map(|text| text.parse().map_err(odd)).transpose()
}

pub(crate) fn odd(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}
