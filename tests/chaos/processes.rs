//! What `outrigger ps --processes` tells, against the process table before and after it.

use std::collections::HashMap;

use crate::census::{Census, Keeper, Process};
use crate::events::{is_cli, is_runner};
use crate::findings::Fault;
use crate::world::{World, json_lines};

/// What each live session was told to have: its processes' numbers with their purposes.
type Told = HashMap<String, HashMap<u32, String>>;

/// What does not agree now, in words. A process that was there before and after a list has to be in it; one that is in two lists
/// has to be there between them.
pub(crate) fn disagreements(world: &World) -> Vec<String> {
    let before = world.census();
    let first = told(world);
    let between = world.census();
    let second = told(world);
    let after = world.census();
    let (Some(first), Some(second)) = (first, second) else { return vec!["ps --processes did not answer".to_owned()] };
    let mut wrong = Vec::new();
    let keepers: Vec<(&str, Keeper)> =
        world.live_keepers().into_iter().map(|(index, keeper)| (world.sessions[index].id.as_str(), keeper)).collect();
    for (session, keeper) in keepers.iter().filter(|(_, keeper)| before.has(*keeper) && between.has(*keeper)) {
        let Some(told) = first.get(*session) else {
            wrong.push(format!("{session}: ps --processes leaves it out, and its keeper {} lives", keeper.pid));
            continue;
        };
        let lasting = lasting(*keeper, &before, &between);
        world.findings.count("processes compared", lasting.len() as u64);
        wrong.extend(lasting.into_iter().filter_map(|process| told_wrongly(process, told, *keeper, &between, session)));
    }
    for (session, told) in &first {
        let again = |pid: &u32| second.get(session).is_some_and(|second| second.contains_key(pid));
        let gone = |pid: &&u32| between.get(**pid).is_none() && after.get(**pid).is_none();
        wrong.extend(
            told.keys()
                .filter(|pid| again(pid))
                .filter(gone)
                .map(|pid| format!("{session}: ps --processes has process {pid}, which is gone")),
        );
    }
    wrong
}

fn told(world: &World) -> Option<Told> {
    let done = world.ask(&["ps", "--processes", "--json"]);
    match done.code {
        Some(0) => {}
        None => return None,
        Some(code) => {
            world.findings.add(Fault::Broken, format!("ps --processes exited with {code}: {}", done.stderr));
            return None;
        }
    }
    let of_pod = |pod: serde_json::Value| {
        let processes = pod["processes"].as_array().cloned().unwrap_or_default();
        let processes = processes.into_iter().filter_map(|process| {
            let pid = u32::try_from(process["pid"].as_u64()?).ok()?;
            Some((pid, process["purpose"].as_str()?.to_owned()))
        });
        Some((pod["session"].as_str()?.to_owned(), processes.collect()))
    };
    Some(json_lines(&done.stdout).into_iter().filter_map(of_pod).collect())
}

/// The keeper and those below it that were there at both times.
fn lasting<'a>(keeper: Keeper, before: &Census, later: &'a Census) -> Vec<&'a Process> {
    let known: Vec<&Process> = before.get(keeper.pid).into_iter().chain(before.below(keeper.pid)).collect();
    let now = later.get(keeper.pid).into_iter().chain(later.below(keeper.pid));
    now.filter(|process| known.iter().any(|other| other.pid == process.pid && other.started == process.started))
        .collect()
}

fn told_wrongly(
    process: &Process,
    told: &HashMap<u32, String>,
    keeper: Keeper,
    census: &Census,
    session: &str,
) -> Option<String> {
    let Process { pid, command, .. } = process;
    let purpose = match process {
        _ if *pid == keeper.pid => "keeper",
        _ if is_runner(process) && process.parent == keeper.pid => "runner",
        _ if is_cli(process) && census.get(process.parent).is_some_and(is_runner) => "cli",
        _ => "tool",
    };
    match told.get(pid) {
        Some(its) if its == purpose => None,
        Some(its) => Some(format!("{session}: ps --processes has {pid} as {its}, and it is its {purpose}: {command}")),
        None => Some(format!("{session}: ps --processes leaves out its {purpose} {pid}: {command}")),
    }
}
