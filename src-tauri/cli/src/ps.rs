//! `outrigger ps`: the sessions as a tree of parents and children, with what each is doing.

use std::collections::HashMap;

use anyhow::Result;
use clap::Args;
use client::sessions::{self, Which};
use protocol::SessionId;
use protocol::pod::{PodState, Work};
use protocol::record::Outcome;
use protocol::session::{Liveness, SessionSummary};

use crate::exit::Exit;
use crate::output::visible_line;
use crate::{home, item_text, output, span};

/// The arguments of `outrigger ps`.
#[derive(Debug, Args)]
pub(crate) struct PsOptions {
    /// Ended sessions too
    #[arg(long, short)]
    all: bool,
    /// One JSON object for each session
    #[arg(long)]
    pub(crate) json: bool,
}

/// See the module. Those that ended stay for a minute.
pub(crate) async fn ps(options: PsOptions) -> Result<Exit> {
    let machine = home::for_looking()?;
    let which = if options.all { Which::All } else { Which::Live };
    let list = sessions::list(&machine, which).await?;
    if options.json {
        list.iter().for_each(output::json);
        return Ok(Exit::Done);
    }
    if list.is_empty() {
        output::to_stderr(if options.all {
            "There are no sessions."
        } else {
            "No session is live; `outrigger ps --all` shows those that ended."
        });
        return Ok(Exit::Done);
    }
    let ids: Vec<SessionId> = list.iter().map(|summary| summary.session).collect();
    let short: HashMap<SessionId, String> = ids.iter().copied().zip(home::short_ids(&machine, &ids)).collect();
    let mut rows = vec![["ID", "STATE", "PROVIDER", "AGE", "COST", "TITLE", "WORKSPACE"].map(str::to_owned)];
    for (summary, depth) in tree(&list) {
        rows.push(row(summary, depth, short.get(&summary.session).map_or("", String::as_str)));
    }
    output::to_stdout(&aligned(&rows));
    Ok(Exit::Done)
}

/// Parents before their children, each with its depth. A child whose parent is not in the list stands for itself.
fn tree(list: &[SessionSummary]) -> Vec<(&SessionSummary, usize)> {
    let known = |id: SessionId| list.iter().any(|summary| summary.session == id);
    let roots = list.iter().filter(|summary| summary.parent.is_none_or(|parent| !known(parent)));
    let mut waiting: Vec<(&SessionSummary, usize)> = roots.map(|root| (root, 0)).collect();
    waiting.reverse();
    let mut ordered = Vec::with_capacity(list.len());
    while let Some((summary, depth)) = waiting.pop() {
        ordered.push((summary, depth));
        let children = list.iter().filter(|child| child.parent == Some(summary.session));
        waiting.extend(children.map(|child| (child, depth + 1)).rev());
    }
    ordered
}

fn row(summary: &SessionSummary, depth: usize, short: &str) -> [String; 7] {
    let branch = if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth - 1)) };
    [
        format!("{branch}{short}"),
        state(&summary.liveness),
        visible_line(&summary.provider, 20),
        span::since(&summary.created_at).unwrap_or_default(),
        summary.usage.cost_usd.map(item_text::cost).unwrap_or_default(),
        visible_line(&summary.title, 40),
        visible_line(&summary.workspace, 200),
    ]
}

/// What a session is doing, in a few words.
fn state(liveness: &Liveness) -> String {
    match liveness {
        Liveness::Live { state, waiting, queued } => {
            let words = live(state, *waiting);
            if *queued > 0 { format!("{words}, {queued} queued") } else { words }
        }
        Liveness::Unknown { .. } => "unknown".to_owned(),
        Liveness::Ended { outcome, .. } => match outcome {
            Outcome::Done => "ended".to_owned(),
            Outcome::Failed => "failed".to_owned(),
            Outcome::Stopped => "stopped".to_owned(),
            Outcome::Interrupted => "interrupted".to_owned(),
        },
        Liveness::Interrupted => "interrupted".to_owned(),
    }
}

fn live(state: &PodState, waiting: u32) -> String {
    match state {
        PodState::Starting => "starting".to_owned(),
        PodState::Idle => "idle".to_owned(),
        PodState::Working { on, since } => match on {
            Work::Permission { .. } => format!("needs you ({waiting})"),
            Work::Tool { name, since } => {
                format!("{} {}", visible_line(name, 24), span::since(since).unwrap_or_default())
            }
            Work::Compacting => "compacting".to_owned(),
            Work::Model => format!("working {}", span::since(since).unwrap_or_default()),
        },
        PodState::Stopping => "stopping".to_owned(),
        PodState::Draining => "draining".to_owned(),
        PodState::Ended { .. } => "ended".to_owned(),
        PodState::Failed { .. } => "failed".to_owned(),
    }
}

fn aligned(rows: &[[String; 7]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..7).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<0$}", *width)).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
