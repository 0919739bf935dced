//! Keeps `meta.json` true: what lists show of a session without reading its journal.

use jiff::Timestamp;
use journal::{JournalError, SessionFolder};
use process::Line;
use protocol::record::Outcome;
use protocol::session::{KeeperOrder, SessionMeta};

use crate::exchange::Facts;

/// Characters of the first prompt that make the title.
const TITLE: usize = 80;

/// The meta of a session that a keeper is about to host: a new one, or the one there is with the next generation.
///
/// # Errors
/// When it is there and cannot be read.
pub(crate) fn open(folder: &SessionFolder, order: &KeeperOrder) -> Result<SessionMeta, JournalError> {
    let now = now();
    let mut meta = match folder.read_meta()? {
        Some(meta) => meta,
        None => SessionMeta {
            session: order.session,
            provider: order.start.provider.clone(),
            workspace: order.start.workspace.clone().unwrap_or_else(|| order.start.cwd.clone()),
            cwd: order.start.cwd.clone(),
            title: title(order.start.name.as_deref().or(order.start.prompt.as_deref())),
            parent: order.start.parent,
            native_session_id: None,
            created_at: now.clone(),
            updated_at: now.clone(),
            ended_at: None,
            outcome: None,
            generation: 0,
            model: None,
            usage: protocol::runner::Usage::default(),
            statistics: protocol::session::SessionStatistics::default(),
            rules: Vec::new(),
            lost_native_ids: Vec::new(),
            start: kept(order),
        },
    };
    meta.generation += 1;
    meta.start.permissions = order.start.permissions;
    meta.updated_at = now;
    meta.ended_at = None;
    meta.outcome = None;
    Ok(meta)
}

/// Takes over what has become known.
pub(crate) fn update(meta: &mut SessionMeta, facts: &Facts) {
    match (meta.native_session_id.take(), &facts.native_session_id) {
        // The provider no longer knows it: kept for whoever reads the transcript, never resumed again.
        (Some(lost), None) => meta.lost_native_ids.push(lost),
        (_, now) => meta.native_session_id.clone_from(now),
    }
    meta.model.clone_from(&facts.model);
    meta.usage = facts.usage;
    meta.statistics.turns = facts.turns;
    meta.start.permission_mode = Some(facts.permission_mode);
    meta.start.permissions = facts.policy;
    meta.rules.clone_from(&facts.rules);
    meta.updated_at = now();
}

/// What has come from the runner since the meta was saved. It is no part of the meta, and so of the pod's status, before that: readers are
/// told of a changed status, and would be told of each line.
#[derive(Debug, Default)]
pub(crate) struct Said {
    lines: u64,
    bytes: u64,
    newest: Option<Timestamp>,
}

impl Said {
    /// Counts lines.
    pub(crate) fn count(&mut self, lines: &[Line]) {
        self.lines += lines.len() as u64;
        // With the end of each line.
        self.bytes += lines.iter().map(|line| line.cut_from.unwrap_or(line.bytes.len() as u64) + 1).sum::<u64>();
        self.newest = Some(Timestamp::now());
    }

    /// Adds what was counted to the meta, and begins anew.
    pub(crate) fn add_to(&mut self, meta: &mut SessionMeta) {
        let Self { lines, bytes, newest } = std::mem::take(self);
        let statistics = &mut meta.statistics;
        statistics.lines += lines;
        statistics.bytes += bytes;
        if let Some(newest) = newest {
            statistics.last_output_at = Some(format!("{newest:.3}"));
        }
    }
}

/// Gives a session that began without a prompt its title.
pub(crate) fn name(meta: &mut SessionMeta, prompt: &str) {
    if meta.title.is_empty() {
        meta.title = title(Some(prompt));
    }
}

/// Notes the end.
pub(crate) fn end(meta: &mut SessionMeta, outcome: Outcome) {
    meta.outcome = Some(outcome);
    meta.ended_at = Some(now());
}

/// RFC 3339 with milliseconds, in UTC.
pub(crate) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

/// What a resume starts with again. The values of extra variables may be secrets and are not kept.
fn kept(order: &KeeperOrder) -> protocol::session::StartSession {
    let mut start = order.start.clone();
    start.prompt = None;
    start.attachments.clear();
    start.extra_env.clear();
    start
}

fn title(prompt: Option<&str>) -> String {
    let line = prompt.unwrap_or_default().trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(TITLE) {
        Some((at, _)) => format!("{}…", line[..at].trim_end()),
        None => line.to_owned(),
    }
}
