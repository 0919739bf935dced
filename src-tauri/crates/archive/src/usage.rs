//! What was used: tokens and cost, summed up by day, provider, workspace, model, session or tree of sessions.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use protocol::archive::{ArchiveState, UsageBy, UsageReport, UsageRequest, UsageRow, UsageSession, UsageShare};
use rusqlite::{Connection, params};

use crate::batch::unsigned;
use crate::error::ArchiveError;
use crate::search::since;

const TURNS: &str = "
SELECT turns.session, turns.at, turns.model, input, output, cache_read, cache_write, cost, provider, workspace, sessions.session
FROM turns JOIN sessions ON sessions.id = turns.session
WHERE turns.at >= ?1
  AND (?2 IS NULL OR sessions.provider = ?2)
  AND (?3 IS NULL OR sessions.workspace = ?3 OR substr(sessions.workspace, 1, length(?3) + 1) IN (?3 || '/', ?3 || '\\'))";

const SESSIONS: &str = "SELECT session, parent, title, provider, workspace FROM sessions";

/// Steps from a session up to its root that are followed; parents that form a ring end here.
const DEPTH: usize = 64;

/// A turn, as the tables have it.
struct Turn {
    session: i64,
    at: i64,
    model: Option<String>,
    /// In, out, read from the cache, written to it.
    tokens: [Option<u64>; 4],
    cost: Option<f64>,
    provider: String,
    workspace: String,
    session_id: String,
}

/// Sums with the sessions that are in them.
#[derive(Default)]
struct Sum {
    row: UsageRow,
    sessions: HashSet<i64>,
    shares: BTreeMap<String, UsageShare>,
}

/// A session as rows name it.
struct Named {
    parent: Option<String>,
    session: UsageSession,
}

/// The report; its state is the caller's to fill in.
pub(crate) fn usage(connection: &Connection, path: &Path, request: &UsageRequest) -> Result<UsageReport, ArchiveError> {
    let since = since(request.since.as_deref())?;
    let (mut sums, mut total, mut no_cost) = (BTreeMap::<String, Sum>::new(), Sum::default(), BTreeSet::new());
    let zone = TimeZone::system();
    let named = match request.by {
        UsageBy::Session | UsageBy::Tree => {
            all_named(connection).map_err(ArchiveError::sql("list the sessions", path))?
        }
        UsageBy::Day | UsageBy::Provider | UsageBy::Workspace | UsageBy::Model => HashMap::new(),
    };
    let workspace = request.workspace.as_deref().map(|path| path.trim_end_matches(['/', '\\']));
    let mut read = || {
        let mut statement = connection.prepare(TURNS)?;
        let mut rows = statement.query(params![since, request.provider, workspace])?;
        while let Some(row) = rows.next()? {
            let turn = turn_of(row)?;
            if turn.cost.is_none() {
                no_cost.insert(turn.provider.clone());
            }
            sums.entry(key(request.by, &turn, &zone, &named)).or_default().add(&turn);
            total.add(&turn);
        }
        Ok(())
    };
    read().map_err(ArchiveError::sql("sum up the turns", path))?;
    let mut rows: Vec<UsageRow> = sums
        .into_iter()
        .map(|(key, sum)| {
            let session = named.get(&key).map(|named| named.session.clone());
            UsageRow { key, session, ..sum.finish() }
        })
        .collect();
    if request.by != UsageBy::Day {
        rows.sort_by(|a, b| {
            let cost = |row: &UsageRow| row.cost_usd.unwrap_or(0.0);
            cost(b).total_cmp(&cost(a)).then_with(|| tokens(b).cmp(&tokens(a))).then_with(|| a.key.cmp(&b.key))
        });
    }
    let no_cost = no_cost.into_iter().collect();
    Ok(UsageReport { rows, total: total.finish(), no_cost, state: ArchiveState::default() })
}

fn key(by: UsageBy, turn: &Turn, zone: &TimeZone, named: &HashMap<String, Named>) -> String {
    match by {
        UsageBy::Day => {
            let at = Timestamp::from_millisecond(turn.at).unwrap_or_default();
            at.to_zoned(zone.clone()).date().to_string()
        }
        UsageBy::Provider => turn.provider.clone(),
        UsageBy::Workspace => turn.workspace.clone(),
        UsageBy::Model => turn.model.clone().unwrap_or_default(),
        UsageBy::Session => turn.session_id.clone(),
        UsageBy::Tree => root_of(&turn.session_id, named).to_owned(),
    }
}

/// The session at the top of the tree; a parent that is not known, because it was removed, ends the way.
fn root_of<'a>(session: &'a str, named: &'a HashMap<String, Named>) -> &'a str {
    let mut root = session;
    for _ in 0..DEPTH {
        match named.get(root).and_then(|named| named.parent.as_deref()).filter(|parent| named.contains_key(*parent)) {
            Some(parent) => root = parent,
            None => return root,
        }
    }
    root
}

fn all_named(connection: &Connection) -> rusqlite::Result<HashMap<String, Named>> {
    let mut statement = connection.prepare(SESSIONS)?;
    let rows = statement.query_map([], |row| {
        let session = UsageSession { title: row.get(2)?, provider: row.get(3)?, workspace: row.get(4)? };
        Ok((row.get(0)?, Named { parent: row.get(1)?, session }))
    })?;
    rows.collect()
}

fn tokens(row: &UsageRow) -> u64 {
    let cached = row.cache_read_tokens.saturating_add(row.cache_write_tokens);
    row.input_tokens.saturating_add(row.output_tokens).saturating_add(cached)
}

impl Sum {
    fn add(&mut self, turn: &Turn) {
        self.sessions.insert(turn.session);
        let share = self.shares.entry(turn.provider.clone()).or_insert_with(|| UsageShare {
            provider: turn.provider.clone(),
            tokens: 0,
            cost_usd: None,
        });
        share.tokens = turn.tokens.iter().flatten().fold(share.tokens, |sum, tokens| sum.saturating_add(*tokens));
        if let Some(cost) = turn.cost {
            share.cost_usd = Some(share.cost_usd.unwrap_or(0.0) + cost);
        }
        let row = &mut self.row;
        row.turns += 1;
        let sums =
            [&mut row.input_tokens, &mut row.output_tokens, &mut row.cache_read_tokens, &mut row.cache_write_tokens];
        for (sum, tokens) in sums.into_iter().zip(turn.tokens) {
            *sum = sum.saturating_add(tokens.unwrap_or(0));
        }
        match turn.cost {
            Some(cost) => row.cost_usd = Some(row.cost_usd.unwrap_or(0.0) + cost),
            None => row.turns_without_cost += 1,
        }
        if turn.cost.is_none() && turn.tokens.iter().all(Option::is_none) {
            row.turns_without_usage += 1;
        }
    }

    fn finish(self) -> UsageRow {
        let mut shares: Vec<UsageShare> = self.shares.into_values().collect();
        let cost = |share: &UsageShare| share.cost_usd.unwrap_or(0.0);
        shares.sort_by(|a, b| cost(b).total_cmp(&cost(a)).then_with(|| b.tokens.cmp(&a.tokens)));
        UsageRow { sessions: self.sessions.len() as u64, shares, ..self.row }
    }
}

fn turn_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Turn> {
    let tokens = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(unsigned));
    Ok(Turn {
        session: row.get(0)?,
        at: row.get(1)?,
        model: row.get(2)?,
        tokens: [tokens(3)?, tokens(4)?, tokens(5)?, tokens(6)?],
        cost: row.get(7)?,
        provider: row.get(8)?,
        workspace: row.get(9)?,
        session_id: row.get(10)?,
    })
}
