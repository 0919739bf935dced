//! One look at all sessions by `outrigger ps --all --json`, held against the process table before and after it.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::census::Keeper;
use crate::findings::Fault;
use crate::world::{Session, World, json_lines};

/// How a session is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Live and waiting for a prompt.
    Idle,
    /// Live and at something.
    Busy,
    /// Its keeper does not answer.
    Unknown,
    /// Over, and it said how.
    Ended,
    /// Its keeper is gone.
    Interrupted,
    /// Not in the list at all.
    Missing,
}

/// How the sessions are listed, in their order; nothing when the command itself was hit by an event.
pub(crate) fn look(world: &World) -> Option<Vec<Listed>> {
    let before = hosts(world);
    let done = world.ask(&["ps", "--all", "--json"]);
    let after = hosts(world);
    match done.code {
        Some(0) => {}
        None => return None,
        Some(code) => {
            world.findings.add(Fault::Broken, format!("ps exited with {code}: {}", done.stderr));
            return None;
        }
    }
    let rows: HashMap<String, Value> = json_lines(&done.stdout)
        .into_iter()
        .map(|row| (row["session"].as_str().unwrap_or("").to_owned(), row))
        .collect();
    world.findings.count("states looked at", world.sessions.len() as u64);
    let mut listed = Vec::with_capacity(world.sessions.len());
    for (index, session) in world.sessions.iter().enumerate() {
        let state = rows.get(&session.id).map_or(Listed::Missing, state_of);
        session.live.store(matches!(state, Listed::Idle | Listed::Busy | Listed::Unknown), Ordering::SeqCst);
        let (then, now) = (&before[index], &after[index]);
        let keeper_lived = then.keeper.is_some_and(|(_, lives)| lives) && then == now;
        let keeper_was_dead = then.keeper.is_none_or(|(_, lives)| !lives) && then == now;
        let wrong = match state {
            Listed::Idle | Listed::Busy => keeper_was_dead,
            Listed::Interrupted => keeper_lived,
            Listed::Missing => true,
            Listed::Unknown | Listed::Ended => false,
        };
        if wrong {
            let what = format!("{}: listed as {state:?}; its keeper before {then:?} and after {now:?}", session.id);
            world.findings.add(Fault::WrongState, what);
        }
        listed.push(state);
    }
    world.tell_of_look();
    Some(listed)
}

/// Who hosts a session at one moment.
#[derive(Debug, PartialEq, Eq)]
struct Host {
    keeper: Option<(Keeper, bool)>,
    /// The session's generation: a keeper that came and went between two moments has changed it.
    generation: Option<u64>,
}

fn hosts(world: &World) -> Vec<Host> {
    let host = |session: &Session| {
        let meta: Option<Value> =
            fs::read(session.folder.join("meta.json")).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Host {
            keeper: Keeper::of(&session.folder).map(|keeper| (keeper, keeper.lives())),
            generation: meta.and_then(|meta| meta["generation"].as_u64()),
        }
    };
    world.sessions.iter().map(host).collect()
}

fn state_of(row: &Value) -> Listed {
    match row["liveness"]["type"].as_str().unwrap_or("") {
        "live" if row["liveness"]["state"]["type"] == "idle" => Listed::Idle,
        "live" => Listed::Busy,
        "ended" => Listed::Ended,
        "interrupted" => Listed::Interrupted,
        "unknown" => Listed::Unknown,
        _ => Listed::Missing,
    }
}
