//! What was used: tokens and cost, summed up by day, provider, workspace, model or session.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use protocol::archive::{ArchiveState, UsageBy, UsageReport, UsageRequest, UsageRow};
use rusqlite::{Connection, params};

use crate::batch::unsigned;
use crate::error::ArchiveError;
use crate::search::since;

const TURNS: &str = "
SELECT turns.session, turns.at, turns.model, input, output, cache_read, cache_write, cost, provider, workspace, sessions.session
FROM turns JOIN sessions ON sessions.id = turns.session WHERE turns.at >= ?1";

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
}

/// The report; its state is the caller's to fill in.
pub(crate) fn usage(connection: &Connection, path: &Path, request: &UsageRequest) -> Result<UsageReport, ArchiveError> {
    let since = since(request.since.as_deref())?;
    let (mut sums, mut total, mut no_cost) = (BTreeMap::<String, Sum>::new(), Sum::default(), BTreeSet::new());
    let zone = TimeZone::system();
    let mut read = || {
        let mut statement = connection.prepare(TURNS)?;
        let mut rows = statement.query(params![since])?;
        while let Some(row) = rows.next()? {
            let turn = turn_of(row)?;
            if turn.cost.is_none() {
                no_cost.insert(turn.provider.clone());
            }
            sums.entry(key(request.by, &turn, &zone)).or_default().add(&turn);
            total.add(&turn);
        }
        Ok(())
    };
    read().map_err(ArchiveError::sql("sum up the turns", path))?;
    let mut rows: Vec<UsageRow> = sums.into_iter().map(|(key, sum)| UsageRow { key, ..sum.finish() }).collect();
    if request.by != UsageBy::Day {
        rows.sort_by(|a, b| {
            let cost = |row: &UsageRow| row.cost_usd.unwrap_or(0.0);
            cost(b).total_cmp(&cost(a)).then_with(|| tokens(b).cmp(&tokens(a))).then_with(|| a.key.cmp(&b.key))
        });
    }
    let no_cost = no_cost.into_iter().collect();
    Ok(UsageReport { rows, total: total.finish(), no_cost, state: ArchiveState::default() })
}

fn key(by: UsageBy, turn: &Turn, zone: &TimeZone) -> String {
    match by {
        UsageBy::Day => {
            let at = Timestamp::from_millisecond(turn.at).unwrap_or_default();
            at.to_zoned(zone.clone()).date().to_string()
        }
        UsageBy::Provider => turn.provider.clone(),
        UsageBy::Workspace => turn.workspace.clone(),
        UsageBy::Model => turn.model.clone().unwrap_or_default(),
        UsageBy::Session => turn.session_id.clone(),
    }
}

fn tokens(row: &UsageRow) -> u64 {
    let cached = row.cache_read_tokens.saturating_add(row.cache_write_tokens);
    row.input_tokens.saturating_add(row.output_tokens).saturating_add(cached)
}

impl Sum {
    fn add(&mut self, turn: &Turn) {
        self.sessions.insert(turn.session);
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
        UsageRow { sessions: self.sessions.len() as u64, ..self.row }
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
