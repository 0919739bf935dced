//! `outrigger usage`: tokens and cost over all sessions, as tables with their sums.

use anyhow::Result;
use clap::{Args, ValueEnum};
use protocol::archive::{UsageBy, UsageReport, UsageRequest, UsageRow};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::visible_line;
use crate::search::{tell_state, with_archive};
use crate::style::{Palette, in_style};
use crate::{item_text, output, since};

/// The widest that a name gets.
const NAME_CHARS: usize = 48;
const COLUMNS: usize = 8;

/// The arguments of `outrigger usage`.
#[derive(Debug, Args)]
pub(crate) struct UsageOptions {
    /// One table only
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Only turns that ended since then: a date (2026-11-01), or how long ago (7d, 12h)
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    since: Option<String>,
    /// Take in all sessions first, however long it takes
    #[arg(long)]
    wait: bool,
    /// One JSON object for each row, and one for the sum
    #[arg(long)]
    pub(crate) json: bool,
}

/// By what it is summed up.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Day,
    Provider,
    Workspace,
    Model,
    Session,
    /// Sessions with the sub-agents below them
    Tree,
}

/// A row of the answer as JSON.
#[derive(Serialize)]
struct JsonRow<'a> {
    by: &'static str,
    #[serde(flatten)]
    row: &'a UsageRow,
}

/// See the module.
pub(crate) fn usage(options: &UsageOptions) -> Result<Exit> {
    let machine = crate::home::for_looking()?;
    let since = options.since.as_deref().map(since::moment).transpose()?;
    let tables = options.by.map_or(vec![By::Day, By::Provider, By::Workspace], |by| vec![by]);
    let reports = with_archive(&machine, options.wait, |archive, feeding| {
        let request = |by: &By| UsageRequest { by: by.meant(), since: since.clone(), provider: None, workspace: None };
        tables.iter().map(|by| archive.usage(&request(by), feeding)).collect::<Result<Vec<_>, _>>()
    })?;
    let Some(last) = reports.last() else { return Ok(Exit::Done) };
    tell_state(&last.state);
    if options.json {
        for (by, report) in tables.iter().zip(&reports) {
            report.rows.iter().for_each(|row| output::json(&JsonRow { by: by.word(), row }));
        }
        output::json(&JsonRow { by: "total", row: &last.total });
        return Ok(Exit::Done);
    }
    if last.total.turns == 0 {
        output::to_stderr(if since.is_some() {
            "No turn has ended since then."
        } else {
            "No turn has ended yet; `outrigger run PROMPT` starts a session."
        });
        return Ok(Exit::Done);
    }
    output::to_stdout(&text(&tables, &reports, &Palette::of_stdout()));
    Ok(Exit::Done)
}

impl By {
    fn meant(self) -> UsageBy {
        match self {
            Self::Day => UsageBy::Day,
            Self::Provider => UsageBy::Provider,
            Self::Workspace => UsageBy::Workspace,
            Self::Model => UsageBy::Model,
            Self::Session => UsageBy::Session,
            Self::Tree => UsageBy::Tree,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Provider => "provider",
            Self::Workspace => "workspace",
            Self::Model => "model",
            Self::Session => "session",
            Self::Tree => "tree",
        }
    }
}

/// The tables under each other, with the sum under the last one, and what the figures leave out.
fn text(tables: &[By], reports: &[UsageReport], palette: &Palette) -> String {
    let Some(last) = reports.last() else { return String::new() };
    let mut rows: Vec<[String; COLUMNS]> = Vec::new();
    let mut heads = Vec::new();
    for (by, report) in tables.iter().zip(reports) {
        heads.push(rows.len());
        let names = ["SESSIONS", "TURNS", "INPUT", "CACHED", "OUTPUT", "COST", ""];
        rows.push(cells(by.word().to_uppercase(), names.map(str::to_owned)));
        rows.extend(report.rows.iter().map(|row| figures(name(row, *by), row)));
    }
    heads.push(rows.len());
    rows.push(figures("TOTAL".to_owned(), &last.total));
    let mut text = aligned(&rows, &heads, palette);
    if !last.no_cost.is_empty() {
        let names = visible_line(&last.no_cost.join(", "), NAME_CHARS * 2);
        let turns = last.total.turns_without_cost;
        text.push_str(&format!("\n* {turns} turns told no cost, so the sums leave theirs out: {names}\n"));
    }
    if last.total.turns_without_usage > 0 {
        text.push_str(&format!("  {} of them told no tokens either.\n", last.total.turns_without_usage));
    }
    text
}

fn name(row: &UsageRow, by: By) -> String {
    match by {
        By::Model if row.key.is_empty() => "(not told)".to_owned(),
        // The end of a path says more than its beginning.
        By::Workspace if row.key.chars().count() > NAME_CHARS => {
            let skipped = row.key.chars().count() - NAME_CHARS + 1;
            format!("…{}", visible_line(&row.key.chars().skip(skipped).collect::<String>(), NAME_CHARS))
        }
        By::Day | By::Provider | By::Workspace | By::Model | By::Session | By::Tree => {
            visible_line(&row.key, NAME_CHARS)
        }
    }
}

fn figures(name: String, row: &UsageRow) -> [String; COLUMNS] {
    let cached = row.cache_read_tokens.saturating_add(row.cache_write_tokens);
    let mark = if row.turns_without_cost > 0 { "*" } else { "" };
    cells(
        name,
        [
            grouped(row.sessions),
            grouped(row.turns),
            grouped(row.input_tokens),
            grouped(cached),
            grouped(row.output_tokens),
            row.cost_usd.map_or_else(|| "not told".to_owned(), item_text::cost),
            mark.to_owned(),
        ],
    )
}

fn cells(name: String, figures: [String; COLUMNS - 1]) -> [String; COLUMNS] {
    let [sessions, turns, input, cached, output, cost, mark] = figures;
    [name, sessions, turns, input, cached, output, cost, mark]
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The name to the left, the figures to the right; an empty line before each table but the first.
fn aligned(rows: &[[String; COLUMNS]], heads: &[usize], palette: &Palette) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let mut line = format!("{:<1$}", row[0], widths[0]);
        for column in 1..COLUMNS - 1 {
            line.push_str(&format!("  {:>1$}", row[column], widths[column]));
        }
        line.push_str(&row[COLUMNS - 1]);
        let is_head = heads.contains(&place);
        if is_head && place > 0 {
            text.push('\n');
        }
        let line = line.trim_end();
        text.push_str(&if is_head { in_style(palette.strong, line) } else { line.to_owned() });
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use protocol::archive::ArchiveState;

    use super::*;

    fn row(key: &str, cost: Option<f64>) -> UsageRow {
        UsageRow {
            key: key.to_owned(),
            sessions: 1,
            turns: 2,
            input_tokens: 1_234_567,
            output_tokens: 89,
            cost_usd: cost,
            turns_without_cost: u64::from(cost.is_none()) * 2,
            ..UsageRow::default()
        }
    }

    #[test]
    fn figures_stand_under_each_other_and_what_is_not_told_is_said() {
        let report = UsageReport {
            rows: vec![row("claude", Some(1.25)), row("ollama", None)],
            total: row("", None),
            no_cost: vec!["ollama".to_owned()],
            state: ArchiveState::default(),
        };
        let text = text(&[By::Provider], &[report], &Palette::default());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "PROVIDER  SESSIONS  TURNS      INPUT  CACHED  OUTPUT      COST");
        assert_eq!(lines[1], "claude           1      2  1,234,567       0      89   $1.2500");
        assert_eq!(lines[2], "ollama           1      2  1,234,567       0      89  not told*");
        assert!(lines[4].starts_with("TOTAL"), "{text}");
        assert!(text.contains("* 2 turns told no cost, so the sums leave theirs out: ollama"), "{text}");
    }
}
