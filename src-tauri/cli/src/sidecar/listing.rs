//! The sidecars of a place as a table, each with what is the matter below it.

use anyhow::Result;
use client::{Machine, sidecars};
use protocol::sidecar::{SidecarFailure, SidecarPlace, SidecarState, SidecarStop, SidecarTrust, SidecarView, TryAgain};

use crate::exit::Exit;
use crate::output::{self, visible_line};
use crate::processes_text::mebibytes;

/// Lines of a failure's output that are shown in the list.
const TOLD: usize = 5;

pub(super) async fn list(machine: &Machine, place: &SidecarPlace, json: bool) -> Result<Exit> {
    let views = sidecars::list(machine, place).await?;
    if json {
        views.iter().for_each(output::json);
        return Ok(Exit::Done);
    }
    if views.is_empty() {
        output::to_stderr(
            "There are no tool sidecars here. One is a folder with a `sidecar.toml`, in `.outrigger/sidecars` of a workspace or in \
             `sidecars` of your config folder; `outrigger sidecar import` makes them of the MCP servers that you have.",
        );
        return Ok(Exit::Done);
    }
    let mut rows = vec![["NAME", "STATE", "SHARE", "TOOLS", "SESSIONS", "MEMORY", "ABOUT"].map(str::to_owned)];
    rows.extend(views.iter().map(row));
    let lines = aligned(&rows);
    output::line(&lines[0]);
    for (view, line) in views.iter().zip(&lines[1..]) {
        output::line(line);
        matter(view).iter().for_each(|line| output::line(&format!("  {}", visible_line(line, 300))));
    }
    Ok(Exit::Done)
}

fn row(view: &SidecarView) -> [String; 7] {
    let count = |count: usize| if count == 0 { String::new() } else { count.to_string() };
    let memory = if view.rss == 0 { String::new() } else { mebibytes(view.rss) };
    [
        visible_line(&view.name, 48),
        word(view),
        view.share.clone(),
        count(view.tools.len()),
        count(view.users.len()),
        memory,
        visible_line(&view.description, 60),
    ]
}

fn aligned(rows: &[[String; 7]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..7).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// The state in a word or two.
fn word(view: &SidecarView) -> String {
    if view.error.is_some() {
        return "unusable".to_owned();
    }
    match (&view.trust, &view.state) {
        (SidecarTrust::Needed { .. }, SidecarState::Idle) => "not trusted".to_owned(),
        (_, state) => state_word(state).to_owned(),
    }
}

/// A state in one word.
pub(super) fn state_word(state: &SidecarState) -> &'static str {
    match state {
        SidecarState::Idle => "idle",
        SidecarState::Building => "building",
        SidecarState::Starting => "starting",
        SidecarState::Connected { .. } => "connected",
        SidecarState::Disconnected { .. } => "disconnected",
        SidecarState::Stopping => "stopping",
        SidecarState::Failed { .. } => "failed",
        SidecarState::Stopped { .. } => "stopped",
    }
}

/// What somebody should know, a line for each thing.
pub(super) fn matter(view: &SidecarView) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(view.error.clone());
    if let (SidecarTrust::Needed { changed, .. }, None) = (&view.trust, &view.error) {
        let why = if *changed { "has changed since you trusted it" } else { "comes with the workspace" };
        lines.push(format!("It {why} and waits for your trust: outrigger sidecar trust {}", view.name));
    }
    match &view.state {
        SidecarState::Failed { failure, again } => {
            lines.extend(failed(failure));
            lines.push(then(*again));
        }
        SidecarState::Disconnected { why } => lines.push(why.clone()),
        SidecarState::Stopped { why: SidecarStop::Asked } => {
            lines.push(format!("Somebody stopped it; `outrigger sidecar start {}` starts it.", view.name));
        }
        SidecarState::Stopped { why: SidecarStop::Unused } => {
            lines.push("Nobody called it for a while; the next call starts it.".to_owned());
        }
        SidecarState::Stopped { why: SidecarStop::Ended | SidecarStop::Replaced | SidecarStop::Owner }
        | SidecarState::Idle
        | SidecarState::Building
        | SidecarState::Starting
        | SidecarState::Connected { .. }
        | SidecarState::Stopping => {}
    }
    if let Some(failure) = &view.reload_failed {
        lines.push("Its last change was not taken over; the earlier build serves:".to_owned());
        lines.extend(failed(failure));
    }
    lines.extend(view.refused_tools.iter().map(|tool| format!("A tool is left out: {tool}")));
    lines
}

/// The message and the end of the output.
pub(super) fn failed(failure: &SidecarFailure) -> Vec<String> {
    let skipped = failure.output.len().saturating_sub(TOLD);
    std::iter::once(failure.message.clone())
        .chain(failure.output.iter().skip(skipped).map(|line| format!("| {line}")))
        .collect()
}

fn then(again: TryAgain) -> String {
    match again {
        TryAgain::After { ms, attempt } => format!("Try {attempt} follows in {} s.", ms / 1000),
        TryAgain::WhenUsed => "It is started again with the next use.".to_owned(),
        TryAgain::ByHand => "It is not tried again by itself: mend it, and start it.".to_owned(),
    }
}
