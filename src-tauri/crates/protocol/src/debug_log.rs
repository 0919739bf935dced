//! What can be asked of the debug log, and what it answers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::pod::Direction;

/// How much a line of the debug log matters; the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What a user may want to know.
    Info,
    /// What a developer may want to know.
    Debug,
    /// Every step.
    Trace,
}

/// Which kind of process a line is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum LogSource {
    /// The desktop.
    App,
    /// A keeper of a session.
    Keeper,
    /// What a runner, or the agent under it, wrote to its error output.
    Runner,
    /// A sidecar.
    Sidecar,
    /// The command line.
    Cli,
    /// Something else, or a line that could not be read.
    Other,
}

/// Which lines are wanted. An empty filter lets all of them through.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LogFilter {
    /// As grave as this, or graver.
    #[serde(default)]
    #[ts(optional)]
    pub level: Option<LogLevel>,
    /// Only from these; empty stands for all.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<LogSource>>")]
    pub sources: Vec<LogSource>,
    /// Only lines about sessions whose id holds this.
    #[serde(default)]
    #[ts(optional)]
    pub session: Option<String>,
    /// Only lines that hold these words, in their text, part or session; letters count the same in both cases.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub text: String,
}

/// A place between two lines. It stays the same while files of the log are begun and renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LogPlace {
    /// The moment with which its file begins.
    pub file: String,
    /// Bytes before it.
    pub offset: u64,
}

/// A question for lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LogRequest {
    /// Which lines.
    #[serde(default)]
    pub filter: LogFilter,
    /// From where; absent for the newest.
    #[serde(default)]
    #[ts(optional)]
    pub from: Option<LogPlace>,
    /// Which way from there.
    pub direction: Direction,
    /// Lines at most.
    pub limit: u32,
}

/// One line of the debug log. Its words may be an agent's: hostile until cleared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LogLine {
    /// When, RFC 3339 in UTC; empty for a line that could not be read.
    pub at: String,
    /// How grave.
    pub level: LogLevel,
    /// Which kind of process.
    pub source: LogSource,
    /// Which process.
    pub pid: Option<u32>,
    /// About which session.
    pub session: Option<String>,
    /// Which part of the program.
    pub target: String,
    /// What it says.
    pub text: String,
}

/// Lines of the debug log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LogPage {
    /// In the order in which they were written, whichever way was asked.
    pub lines: Vec<LogLine>,
    /// Where older ones are; absent at the beginning of what is kept.
    pub older: Option<LogPlace>,
    /// Where newer ones will be.
    pub newer: LogPlace,
    /// Bytes of all files that are kept.
    pub kept_bytes: u64,
}

/// A copy of the debug log that was written for somebody else to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LogExport {
    /// The file.
    pub path: String,
    /// Its lines.
    pub lines: u64,
}
