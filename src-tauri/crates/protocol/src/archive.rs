//! What can be asked of the archive: full-text search and usage over all sessions, and what it answers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::SessionId;

/// A search over all sessions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SearchRequest {
    /// Words that all have to be there, `"phrases"` in quotes; the last word may be the beginning of one. No other signs mean
    /// anything, so no text is an error.
    pub text: String,
    /// Only sessions of this provider.
    #[serde(default)]
    #[ts(optional)]
    pub provider: Option<String>,
    /// Only sessions of this workspace, or of a folder in it.
    #[serde(default)]
    #[ts(optional)]
    pub workspace: Option<String>,
    /// Only what was said at this moment or later, RFC 3339.
    #[serde(default)]
    #[ts(optional)]
    pub since: Option<String>,
    /// Only items of these sorts; empty stands for all.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<SearchKind>>")]
    pub kinds: Vec<SearchKind>,
    /// Hits at most; 0 stands for 20.
    #[serde(default)]
    pub limit: u32,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SearchAnswer {
    /// The best first, or the newest.
    pub hits: Vec<SearchHit>,
    /// Whether there is more than what is shown.
    pub more: bool,
    /// Whether the newest come first, because too many places have one of the words to weigh them. Absent when they were weighed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional, as = "Option<bool>")]
    pub newest_first: bool,
    /// How far the archive has come.
    pub state: ArchiveState,
}

/// An item of a transcript that a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SearchHit {
    /// The session.
    pub session: SessionId,
    /// What it is called.
    pub title: String,
    /// Which kind of agent.
    pub provider: String,
    /// The folder whose window shows it.
    pub workspace: String,
    /// The record that opened the item: where to open the transcript.
    pub seq: u64,
    /// The item's id in the transcript.
    pub item: String,
    /// What sort of item it is.
    pub kind: SearchKind,
    /// When it was opened, RFC 3339 in UTC.
    pub at: String,
    /// A part of its text around the words that were found, in order. It is an agent's text: hostile until cleared.
    pub snippet: Vec<SnippetPart>,
}

/// A piece of a snippet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SnippetPart {
    /// The words.
    pub text: String,
    /// Whether they are what was looked for.
    pub hit: bool,
}

/// What the archive can find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum SearchKind {
    /// What the user, or another pod, told the agent.
    Prompt,
    /// What the agent said.
    Message,
    /// What it thought.
    Thought,
    /// A tool call: what it was called with, and the beginning of what came of it.
    ToolCall,
    /// Something that failed.
    Error,
}

/// How far the archive has come with the journals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ArchiveState {
    /// Sessions of which something is not in it yet.
    pub sessions_behind: u64,
    /// Bytes of their journals that have not been read.
    pub bytes_behind: u64,
    /// Whether another process is feeding it now.
    pub fed_elsewhere: bool,
}

/// By what usage is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum UsageBy {
    /// Days of the local time zone.
    Day,
    /// Kinds of agents.
    Provider,
    /// Workspaces.
    Workspace,
    /// Models.
    Model,
    /// Sessions.
    Session,
    /// Sessions with the sub-agents below them, as one.
    Tree,
}

/// A question for usage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UsageRequest {
    /// One row for each of these.
    pub by: UsageBy,
    /// Only turns that ended at this moment or later, RFC 3339.
    #[serde(default)]
    #[ts(optional)]
    pub since: Option<String>,
    /// Only sessions of this provider.
    #[serde(default)]
    #[ts(optional)]
    pub provider: Option<String>,
    /// Only sessions of this workspace, or of a folder in it.
    #[serde(default)]
    #[ts(optional)]
    pub workspace: Option<String>,
}

/// Tokens and cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UsageReport {
    /// Days in order; everything else with the most costly first, then the most tokens.
    pub rows: Vec<UsageRow>,
    /// The sum of all rows; each session counts once.
    pub total: UsageRow,
    /// Providers of which some turns told no cost.
    pub no_cost: Vec<String>,
    /// How far the archive has come.
    pub state: ArchiveState,
}

/// What turns used.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UsageRow {
    /// The day (`2026-11-21`), provider, workspace, model or session. Empty for the sum, and where the model is not known.
    pub key: String,
    /// Which session it is about, for rows of sessions and of trees.
    #[serde(default)]
    pub session: Option<UsageSession>,
    /// The same figures by provider, the most costly first.
    #[serde(default)]
    pub shares: Vec<UsageShare>,
    /// Sessions that had such turns.
    pub sessions: u64,
    /// Turns that ended.
    pub turns: u64,
    /// Tokens sent, without those of the cache.
    pub input_tokens: u64,
    /// Tokens received.
    pub output_tokens: u64,
    /// Tokens read from the provider's cache.
    pub cache_read_tokens: u64,
    /// Tokens written to it.
    pub cache_write_tokens: u64,
    /// US dollars, as far as told; absent when no turn told any.
    pub cost_usd: Option<f64>,
    /// Turns of which no cost is known.
    pub turns_without_cost: u64,
    /// Turns that told neither tokens nor cost.
    pub turns_without_usage: u64,
}

/// The session of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UsageSession {
    /// What it is called.
    pub title: String,
    /// Which kind of agent.
    pub provider: String,
    /// The folder whose window shows it.
    pub workspace: String,
}

/// What one provider has of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UsageShare {
    /// Which one.
    pub provider: String,
    /// Tokens of all sorts.
    pub tokens: u64,
    /// US dollars, as far as told.
    pub cost_usd: Option<f64>,
}
