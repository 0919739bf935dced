//! Which items have these words, and which of them first?
//!
//! Matches are weighed: how well the words fit, what sort of item it is, and how old it is. To weigh a word, the index looks at all
//! places that have it, so with a common word the newest matches come first instead, and the answer says so. A word that is common as
//! it is written is not taken for the beginning of others, unless too little is found. Only what is shown costs a snippet.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use protocol::archive::{SearchHit, SearchKind, SearchRequest, SnippetPart};
use protocol::limits::{SEARCH_HITS, SEARCH_WEIGHED};
use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::batch::{kind_of, number, unsigned};
use crate::error::ArchiveError;
use crate::matching::Wanted;

/// Hits when nobody says how many.
const HITS: usize = 20;
/// Around a hit in a snippet. Texts have no control characters but newlines and tabs.
const HIT_BEGINS: char = '\u{2}';
const HIT_ENDS: char = '\u{3}';
/// After so many days an item weighs a quarter less.
const FADES_IN_DAYS: f64 = 30.0;

/// What is found, with what the index thinks of each. That costs a look at every place that has one of the words.
const WEIGHED: &str = "bm25(texts)";
/// The same without.
const UNWEIGHED: &str = "0.0";

/// The newest matches come first out of the index, so what comes after the last one that is wanted costs nothing.
const MATCHES: &str = "
FROM texts
JOIN items ON items.id = texts.rowid
JOIN sessions ON sessions.id = items.session
WHERE texts MATCH ?1 AND texts.rowid >= ?2 AND items.at >= ?2
  AND (?3 IS NULL OR sessions.provider = ?3)
  AND (?6 = 0 OR (?6 >> items.kind) & 1)
  AND (?4 IS NULL OR sessions.workspace = ?4 OR substr(sessions.workspace, 1, length(?4) + 1) IN (?4 || '/', ?4 || '\\'))
ORDER BY texts.rowid DESC LIMIT ?5";

/// How many places have it, at most so many. No more than these are looked at.
const COUNT: &str = "SELECT count(*) FROM (SELECT 1 FROM texts WHERE texts MATCH ?1 LIMIT ?2)";

/// All at once, since the places of a beginning are put together anew by each question. The sign keeps SQLite from asking one by one.
const SHOWN: &str = "
SELECT sessions.session, sessions.title, sessions.provider, sessions.workspace, items.seq, items.place, items.kind, items.at,
    snippet(texts, 0, char(2), char(3), '…', 24), texts.rowid
FROM texts JOIN items ON items.id = texts.rowid JOIN sessions ON sessions.id = items.session
WHERE texts MATCH ?1 AND texts.rowid BETWEEN ?2 AND ?3 AND +texts.rowid IN (SELECT value FROM json_each(?4))";

/// What was found.
#[derive(Default)]
pub(crate) struct Found {
    /// The best first, or the newest.
    pub(crate) hits: Vec<SearchHit>,
    /// Whether there are more.
    pub(crate) more: bool,
    /// Whether they were not weighed.
    pub(crate) newest_first: bool,
}

/// The ids of matches and their weights, the best first.
struct Matches {
    rows: Vec<(i64, f64)>,
    /// What they fit.
    expression: String,
    newest_first: bool,
}

/// See the module.
pub(crate) fn search(connection: &Connection, path: &Path, request: &SearchRequest) -> Result<Found, ArchiveError> {
    let since = since(request.since.as_deref())?;
    let Some(wanted) = Wanted::of(&request.text) else { return Ok(Found::default()) };
    let limit = match request.limit as usize {
        0 => HITS,
        limit => limit.min(SEARCH_HITS),
    };
    let found = || {
        let mut matches = matches(connection, &wanted, since, request, limit)?;
        let more = matches.rows.len() > limit;
        matches.rows.truncate(limit);
        Ok(Found { hits: shown(connection, &matches)?, more, newest_first: matches.newest_first })
    };
    found().map_err(ArchiveError::sql("search", path))
}

/// At least one more than the limit, if there are so many.
fn matches(
    connection: &Connection,
    wanted: &Wanted,
    since: i64,
    request: &SearchRequest,
    limit: usize,
) -> rusqlite::Result<Matches> {
    let newest = |expression: String| {
        let rows = rows(connection, UNWEIGHED, &expression, since, request, limit + 1)?;
        Ok(Matches { rows, expression, newest_first: true })
    };
    for part in &wanted.parts {
        if is_common(connection, part)? {
            let as_written = newest(wanted.as_written())?;
            let is_enough = as_written.rows.len() > limit || !wanted.is_open;
            return if is_enough { Ok(as_written) } else { newest(wanted.with_beginning()) };
        }
    }
    let expression = wanted.with_beginning();
    if let Some(beginning) = wanted.beginning()
        && is_common(connection, &beginning)?
    {
        return newest(expression);
    }
    let mut rows = rows(connection, WEIGHED, &expression, since, request, SEARCH_WEIGHED)?;
    rows.sort_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    Ok(Matches { rows, expression, newest_first: false })
}

/// Whether so many places have a word or a phrase that weighing it would take long.
fn is_common(connection: &Connection, part: &str) -> rusqlite::Result<bool> {
    let most = SEARCH_WEIGHED as i64;
    let mut statement = connection.prepare_cached(COUNT)?;
    statement.query_row(params![part, most + 1], |row| row.get(0)).map(|count: i64| count > most)
}

/// The ids of the newest matches, newest first, with their weights, of which the smallest is the best.
fn rows(
    connection: &Connection,
    score: &str,
    expression: &str,
    since: i64,
    request: &SearchRequest,
    most: usize,
) -> rusqlite::Result<Vec<(i64, f64)>> {
    let workspace = request.workspace.as_deref().map(|path| path.trim_end_matches(['/', '\\']));
    let mut statement = connection.prepare(&format!("SELECT texts.rowid, {score}, items.kind, items.at {MATCHES}"))?;
    // One bit for each sort.
    let kinds = request.kinds.iter().fold(0, |kinds, kind| kinds | 1 << number(*kind));
    let mut rows = statement.query(params![expression, since, request.provider, workspace, most as i64, kinds])?;
    let (now, mut matches) = (Timestamp::now().as_millisecond(), Vec::new());
    while let Some(row) = rows.next()? {
        let (score, kind, at): (f64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
        matches.push((row.get(0)?, score * weight(kind_of(kind), now - at)));
    }
    Ok(matches)
}

/// In the order of the matches.
fn shown(connection: &Connection, matches: &Matches) -> rusqlite::Result<Vec<SearchHit>> {
    let ids = || matches.rows.iter().map(|(id, _)| *id);
    let (Some(first), Some(last)) = (ids().min(), ids().max()) else { return Ok(Vec::new()) };
    let list = format!("[{}]", ids().map(|id| id.to_string()).collect::<Vec<_>>().join(","));
    let mut statement = connection.prepare(SHOWN)?;
    let values = params![matches.expression, first, last, Value::Text(list)];
    let found = statement.query_map(values, |row| Ok((row.get::<_, i64>(9)?, hit(row)?)))?;
    let mut hits: HashMap<i64, Option<SearchHit>> = found.collect::<rusqlite::Result<_>>()?;
    Ok(ids().filter_map(|id| hits.remove(&id).flatten()).collect())
}

/// What people said finds more than what a tool printed, and last week's more than last year's.
fn weight(kind: Option<SearchKind>, age_ms: i64) -> f64 {
    let of_kind = match kind {
        Some(SearchKind::Prompt | SearchKind::Message | SearchKind::Error) => 1.0,
        Some(SearchKind::Thought) => 0.8,
        Some(SearchKind::ToolCall) | None => 0.6,
    };
    let days = age_ms.max(0) as f64 / 86_400_000.0;
    of_kind * (0.5 + 0.5 * FADES_IN_DAYS / (FADES_IN_DAYS + days))
}

/// Nothing for a row that is not one of ours.
fn hit(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<SearchHit>> {
    let (session, seq, place): (String, i64, i64) = (row.get(0)?, row.get(4)?, row.get(5)?);
    let (Ok(session), Some(kind)) = (session.parse(), kind_of(row.get(6)?)) else { return Ok(None) };
    let at = Timestamp::from_millisecond(row.get(7)?).unwrap_or_default();
    Ok(Some(SearchHit {
        session,
        title: row.get(1)?,
        provider: row.get(2)?,
        workspace: row.get(3)?,
        seq: unsigned(seq),
        item: format!("{seq}.{place}"),
        kind,
        at: format!("{at:.3}"),
        snippet: parts(&row.get::<_, String>(8)?),
    }))
}

/// Takes the marks out of a snippet.
fn parts(text: &str) -> Vec<SnippetPart> {
    let mut parts = Vec::new();
    for (place, piece) in text.split(HIT_BEGINS).enumerate() {
        let (hit, rest) = match piece.split_once(HIT_ENDS) {
            Some((hit, rest)) if place > 0 => (hit, rest),
            Some(_) | None => ("", piece),
        };
        parts.push(SnippetPart { text: hit.to_owned(), hit: true });
        parts.push(SnippetPart { text: rest.to_owned(), hit: false });
    }
    parts.retain(|part| !part.text.is_empty());
    parts
}

/// Since 1970, in milliseconds.
pub(crate) fn since(moment: Option<&str>) -> Result<i64, ArchiveError> {
    let Some(moment) = moment else { return Ok(0) };
    let parsed: Timestamp = moment.parse().map_err(|_| ArchiveError::NoMoment(moment.to_owned()))?;
    Ok(parsed.as_millisecond().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_is_cut_at_its_hits() {
        let part = |text: &str, hit| SnippetPart { text: text.to_owned(), hit };
        let cut = parts("…the \u{2}lamp\u{3} is \u{2}broken\u{3}");
        assert_eq!(cut, [part("…the ", false), part("lamp", true), part(" is ", false), part("broken", true)]);
        assert_eq!(parts("none"), [part("none", false)]);
    }

    #[test]
    fn words_of_people_and_of_today_weigh_more() {
        let day = 86_400_000;
        assert!(weight(Some(SearchKind::Prompt), 0) > weight(Some(SearchKind::ToolCall), 0));
        assert!(weight(Some(SearchKind::Prompt), day) > weight(Some(SearchKind::Prompt), 90 * day));
        assert!(weight(None, -day) <= 1.0 && weight(None, i64::MAX) > 0.0);
    }
}
