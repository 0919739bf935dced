//! `outrigger ps`: the sessions as a tree of parents and children, with what each is doing.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::Result;
use clap::Args;
use client::Machine;
use client::sessions::{self, Which};
use protocol::SessionId;
use protocol::failure::Retry;
use protocol::health::HealthVerdict;
use protocol::pod::{PodState, Recording, Work};
use protocol::record::Outcome;
use protocol::runner::StopReason;
use protocol::scope::{HeldRule, ScopePermission, ScopeReach, TreeEntry};
use protocol::session::{Liveness, SessionSummary};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::visible_line;
use crate::{budget, home, item_text, output, processes_text, span};

const COLUMNS: usize = 9;
/// Scope and budget.
const OPTIONAL: [usize; 2] = [6, 7];

/// The arguments of `outrigger ps`.
#[derive(Debug, Args)]
pub(crate) struct PsOptions {
    /// Ended sessions too
    #[arg(long, short)]
    all: bool,
    /// The processes of each live session as a tree, with memory, CPU time and age
    #[arg(long, conflicts_with = "all")]
    processes: bool,
    /// One JSON object for each session
    #[arg(long)]
    pub(crate) json: bool,
}

/// See the module. Those that ended stay for a minute.
pub(crate) async fn ps(options: PsOptions) -> Result<Exit> {
    let machine = home::for_looking()?;
    if options.processes {
        return processes(&machine, options.json).await;
    }
    let which = if options.all { Which::All } else { Which::Live };
    let list = sessions::list(&machine, which).await?;
    let pods = pods(&machine, &list).await;
    if options.json {
        list.iter().for_each(|summary| output::json(&with_pod(summary, pods.get(&summary.session))));
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
    let mut rows =
        vec![["ID", "STATE", "PROVIDER", "AGE", "COST", "TITLE", "SCOPE", "BUDGET", "WORKSPACE"].map(str::to_owned)];
    for (summary, depth) in tree(&list, &pods) {
        let short = short.get(&summary.session).map_or("", String::as_str);
        rows.push(row(summary, depth, short, pods.get(&summary.session)));
    }
    output::to_stdout(&aligned(&rows));
    Ok(Exit::Done)
}

/// What the pod trees say of these sessions. Without a ledger there are none to tell.
async fn pods(machine: &Machine, list: &[SessionSummary]) -> HashMap<SessionId, TreeEntry> {
    let mut entries = HashMap::new();
    if list.is_empty() || !machine.places.ledger.exists() {
        return entries;
    }
    match client::pods::live_trees(machine).await {
        Ok(found) => entries.extend(found.into_iter().map(|entry| (entry.session, entry))),
        Err(error) => tracing::warn!(%error, "sessions are listed without what the pod trees say of them"),
    }
    entries
}

#[derive(Serialize)]
struct WithPod<'a> {
    #[serde(flatten)]
    summary: &'a SessionSummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<&'a TreeEntry>,
}

fn with_pod<'a>(summary: &'a SessionSummary, pod: Option<&'a TreeEntry>) -> WithPod<'a> {
    WithPod { summary, pod }
}

async fn processes(machine: &Machine, json: bool) -> Result<Exit> {
    let pods = client::processes::list(machine).await?;
    if json {
        pods.iter().for_each(|pod| output::json(&pod.processes));
        return Ok(Exit::Done);
    }
    if pods.is_empty() {
        output::to_stderr("No session is live, so no process of one is running.");
        return Ok(Exit::Done);
    }
    let ids: Vec<SessionId> = pods.iter().map(|pod| pod.processes.session).collect();
    let short = home::short_ids(machine, &ids);
    output::to_stdout(&processes_text::render(&pods, &short, output::width()));
    Ok(Exit::Done)
}

/// Parents before their children, each with its depth. A child whose parent is not in the list stands for itself; one that was
/// adopted stands below who has adopted it.
fn tree<'a>(list: &'a [SessionSummary], pods: &HashMap<SessionId, TreeEntry>) -> Vec<(&'a SessionSummary, usize)> {
    let all: HashSet<SessionId> = list.iter().map(|summary| summary.session).collect();
    let known = |id: &SessionId| all.contains(id);
    let adopted = |summary: &SessionSummary| pods.get(&summary.session).and_then(|pod| pod.parent);
    let parent = |summary: &SessionSummary| summary.parent.filter(known).or_else(|| adopted(summary)).filter(known);
    let mut below: HashMap<Option<SessionId>, Vec<&SessionSummary>> = HashMap::new();
    for summary in list {
        below.entry(parent(summary)).or_default().push(summary);
    }
    let mut waiting: Vec<(&SessionSummary, usize)> = Vec::with_capacity(list.len());
    let mut wait = |waiting: &mut Vec<_>, parent, depth| {
        let children = below.remove(&parent).unwrap_or_default();
        waiting.extend(children.into_iter().rev().map(|child| (child, depth)));
    };
    wait(&mut waiting, None, 0);
    let mut ordered = Vec::with_capacity(list.len());
    while let Some((summary, depth)) = waiting.pop() {
        ordered.push((summary, depth));
        wait(&mut waiting, Some(summary.session), depth + 1);
    }
    ordered
}

fn row(summary: &SessionSummary, depth: usize, short: &str, pod: Option<&TreeEntry>) -> [String; COLUMNS] {
    let branch = if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth - 1)) };
    [
        format!("{branch}{short}"),
        with_policy(summary),
        visible_line(&summary.provider, 20),
        span::since(&summary.created_at).unwrap_or_default(),
        summary.usage.cost_usd.map(item_text::cost).unwrap_or_default(),
        visible_line(&title(summary, pod), 40),
        pod.map(|pod| visible_line(&scope(pod), 60)).unwrap_or_default(),
        pod.map(budget::in_words).unwrap_or_default(),
        visible_line(&summary.workspace, 200),
    ]
}

/// A child is known by the name that its parent calls it by.
fn title(summary: &SessionSummary, pod: Option<&TreeEntry>) -> String {
    match pod.filter(|pod| pod.spawned_by.is_some()) {
        Some(pod) => format!("{}: {}", pod.name, summary.title),
        None => summary.title.clone(),
    }
}

/// What a pod may use: `src/, docs/* (read)`. Nothing when it may use everything.
fn scope(pod: &TreeEntry) -> String {
    let Some(rules) = &pod.scope else { return String::new() };
    let words: Vec<String> = rules.iter().map(|rule| one_rule(rule, &pod.workspace)).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

fn one_rule(rule: &HeldRule, workspace: &str) -> String {
    let path = Path::new(&rule.path);
    let path = path.strip_prefix(workspace).unwrap_or(path).display().to_string();
    let path = match (rule.reach, path.is_empty()) {
        (ScopeReach::File, _) => path,
        (ScopeReach::Entries, true) => "*".to_owned(),
        (ScopeReach::Entries, false) => format!("{path}/*"),
        (ScopeReach::Tree, true) => ".".to_owned(),
        (ScopeReach::Tree, false) => format!("{path}/"),
    };
    match rule.permission {
        ScopePermission::Write => path,
        ScopePermission::Read => format!("{path} (read)"),
    }
}

/// What a session is doing, and who answers its requests if nobody is asked.
fn with_policy(summary: &SessionSummary) -> String {
    let words = state(&summary.liveness);
    match (&summary.liveness, item_text::policy(summary.permission_policy)) {
        (Liveness::Live { .. }, Some(policy)) => format!("{words}, {policy}"),
        (Liveness::Live { .. } | Liveness::Unknown { .. } | Liveness::Ended { .. } | Liveness::Interrupted, _) => words,
    }
}

/// What a session is doing, in a few words.
pub(crate) fn state(liveness: &Liveness) -> String {
    match liveness {
        Liveness::Live { state, last_turn, waiting, queued, health, recording, retry, .. } => {
            let mut words = vec![live(state, *waiting)];
            words.extend(last_turn.and_then(came_to_nothing).map(str::to_owned));
            words.extend(health.and_then(unwell).map(str::to_owned));
            words.extend(matches!(recording, Some(Recording::Off { .. })).then(|| "not recorded".to_owned()));
            words.extend(retry.as_ref().map(tries_again));
            if *queued > 0 {
                words.push(format!("{queued} queued"));
            }
            words.join(", ")
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

/// What became of the newest turn, when it is not what was asked for.
fn came_to_nothing(last: StopReason) -> Option<&'static str> {
    match last {
        StopReason::EndTurn | StopReason::Interrupted => None,
        StopReason::MaxTurns => Some("turn cut short"),
        StopReason::Refused => Some("turn refused"),
        StopReason::Error => Some("turn failed"),
    }
}

/// The verdicts that somebody has to know of.
fn unwell(verdict: HealthVerdict) -> Option<&'static str> {
    match verdict {
        HealthVerdict::Ok | HealthVerdict::Unknown => None,
        HealthVerdict::Quiet => Some("quiet"),
        HealthVerdict::Stalled => Some("stalled"),
        HealthVerdict::Degraded => Some("degraded"),
        HealthVerdict::AuthFailed => Some("auth failed"),
        HealthVerdict::Gone => Some("gone"),
    }
}

fn tries_again(retry: &Retry) -> String {
    let Retry { attempt, of, at, .. } = retry;
    match span::until(at) {
        Some(left) => format!("retry {attempt}/{of} in {left}"),
        None => format!("retry {attempt}/{of}"),
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

/// Columns in which no session has anything are left out.
fn aligned(rows: &[[String; COLUMNS]]) -> String {
    let is_empty = |column: &usize| rows.iter().skip(1).all(|row| row[*column].is_empty());
    let shown: Vec<usize> = (0..COLUMNS).filter(|column| !(OPTIONAL.contains(column) && is_empty(column))).collect();
    let width = |column: &usize| rows.iter().map(|row| row[*column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = shown.iter().map(width).collect();
    let line = |row: &[String; COLUMNS]| {
        let cells: Vec<String> =
            shown.iter().zip(&widths).map(|(column, width)| format!("{:<width$}", row[*column])).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use protocol::failure::{FailureClass, RetryBy};

    use super::*;

    #[test]
    fn trouble_shows_beside_the_state() {
        let (class, by) = (FailureClass::Overloaded, RetryBy::Outrigger);
        let retry = Retry { attempt: 2, of: 3, at: "2020-01-01T00:00:00Z".to_owned(), class, by };
        let after = |last_turn, health, recording, retry| {
            let (state, health_reasons) = (PodState::Idle, Vec::new());
            Liveness::Live { state, last_turn, waiting: 0, queued: 1, health, health_reasons, recording, retry }
        };
        let at = |health, recording, retry| after(Some(StopReason::EndTurn), health, recording, retry);
        let live = |health, retry| state(&at(health, Some(Recording::On), retry));
        let off = Recording::Off { reason: "the disk is full".to_owned() };
        assert_eq!(state(&at(None, Some(off), None)), "idle, not recorded, 1 queued");
        assert_eq!(live(Some(HealthVerdict::AuthFailed), None), "idle, auth failed, 1 queued");
        assert_eq!(live(Some(HealthVerdict::Unknown), Some(retry)), "idle, retry 2/3, 1 queued");
        assert_eq!(live(None, None), "idle, 1 queued");
        assert_eq!(state(&after(Some(StopReason::Error), None, None, None)), "idle, turn failed, 1 queued");
    }
}
