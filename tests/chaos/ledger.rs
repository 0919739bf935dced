//! The ledger, read from outside, against the process table, the session folders and what `outrigger ps` says.
//!
//! It is opened for reading only and without the product's own crate, so that a mistake of that one is not made twice. What is
//! told here are disagreements at one moment; whether they last is for the caller to see.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::census::{Census, PodFile, ticks};
use crate::events::Event;
use crate::look::Listed;
use crate::world::World;

/// A keeper writes within milliseconds.
const BUSY: Duration = Duration::from_secs(5);

/// A pod that has not ended, as the ledger has it.
#[derive(Debug)]
struct PodRow {
    pod: String,
    session: String,
    generation: u64,
    pid: u32,
    started: u64,
    socket: String,
    state: String,
}

/// A process of a pod.
#[derive(Debug)]
struct ProcessRow {
    pid: u32,
    started: u64,
    pod: String,
    purpose: String,
}

/// Everything in the ledger at one moment.
#[derive(Debug)]
struct Rows {
    pods: Vec<PodRow>,
    processes: Vec<ProcessRow>,
    /// How each session ended, and its native id, by its id.
    sessions: HashMap<String, (Option<String>, Option<String>)>,
}

/// What of it does not agree now, in words.
pub(crate) fn disagreements(world: &World, listed: &[Listed]) -> Vec<String> {
    let rows = match read(&world.home.path().join("data/ledger.sqlite3")) {
        Ok(rows) => rows,
        Err(why) => return vec![format!("the ledger cannot be read: {why}")],
    };
    let live = world.live_pods();
    let census = world.census();
    let compared = rows.pods.len() + rows.processes.len() + rows.sessions.len();
    world.findings.count("ledger rows compared", compared as u64);
    let mut wrong = Vec::new();
    wrong.extend(rows.pods.iter().filter_map(|row| without_keeper(row, &census)));
    for (index, pod) in &live {
        wrong.extend(of_live_pod(world, &rows, pod, listed[*index]).err());
    }
    wrong.extend(rows.processes.iter().filter_map(|row| of_process(row, &rows, &census)));
    for session in &world.sessions {
        let lives = live.iter().any(|(index, _)| world.sessions[*index].id == session.id);
        wrong.extend(of_session(&rows, &session.folder, &session.id, lives).err());
    }
    wrong
}

fn read(path: &Path) -> Result<Rows, String> {
    rows(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn rows(path: &Path) -> rusqlite::Result<Rows> {
    let mut ledger = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    ledger.busy_timeout(BUSY)?;
    // All from one moment.
    let moment = ledger.transaction()?;
    let pods = moment
        .prepare("SELECT id, session, generation, pid, started, socket, state FROM pods WHERE ended_at IS NULL")?
        .query_map([], |row| {
            Ok(PodRow {
                pod: row.get(0)?,
                session: row.get(1)?,
                generation: row.get(2)?,
                pid: row.get(3)?,
                started: row.get(4)?,
                socket: row.get(5)?,
                state: row.get(6)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    let processes = moment
        .prepare("SELECT pid, started, pod, purpose FROM processes")?
        .query_map([], |row| {
            Ok(ProcessRow { pid: row.get(0)?, started: row.get(1)?, pod: row.get(2)?, purpose: row.get(3)? })
        })?
        .collect::<Result<_, _>>()?;
    let sessions = moment
        .prepare("SELECT id, outcome, native_id FROM sessions")?
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect::<Result<_, _>>()?;
    Ok(Rows { pods, processes, sessions })
}

/// A pod that has not ended has a keeper that lives.
fn without_keeper(row: &PodRow, census: &Census) -> Option<String> {
    let PodRow { pod, session, pid, .. } = row;
    let lives = census.get(*pid).is_some_and(|process| process.started == ticks(row.started));
    (!lives).then(|| format!("{session}: the ledger has its pod {pod} as open, whose keeper {pid} is gone"))
}

/// A live keeper has its row, which says of it what its own file says.
fn of_live_pod(world: &World, rows: &Rows, pod: &PodFile, listed: Listed) -> Result<(), String> {
    let PodFile { session, keeper, .. } = pod;
    let Some(row) = rows.pods.iter().find(|row| row.pod == pod.pod) else {
        return Err(format!(
            "{session}: the ledger does not have its pod {}, whose keeper {} lives",
            pod.pod, keeper.pid
        ));
    };
    let said = (&row.session, row.generation, row.pid, row.started, &row.socket);
    let is = (session, pod.generation, keeper.pid, pod.started, &pod.socket);
    if said != is {
        return Err(format!("{session}: the ledger says {said:?} of its pod, and pod.json {is:?}"));
    }
    // Whoever fills a fresh ledger cannot know what an idle pod is at, and an idle pod writes nothing.
    if row.state == "unknown" && world.findings.counted(Event::BreakLedger.name()) > 0 {
        return Ok(());
    }
    let agrees = match listed {
        Listed::Idle => row.state == "running",
        Listed::Busy => matches!(row.state.as_str(), "running" | "stopping"),
        Listed::Unknown | Listed::Ended | Listed::Interrupted | Listed::Missing => true,
    };
    if !agrees {
        return Err(format!("{session}: the ledger has it as {}, and ps as {listed:?}", row.state));
    }
    let own = |purpose: &str| rows.processes.iter().filter(|row| row.pod == pod.pod && row.purpose == purpose).count();
    let keepers = rows.processes.iter().filter(|row| row.purpose == "keeper" && row.pid == keeper.pid).count();
    if (own("keeper"), keepers, own("runner")) != (1, 1, 1) {
        let its: Vec<&ProcessRow> = rows.processes.iter().filter(|row| row.pod == pod.pod).collect();
        return Err(format!("{session}: the ledger does not have one keeper and one runner of its pod: {its:?}"));
    }
    Ok(())
}

/// A noted process belongs to an open pod; one that lives is below that pod's keeper or carries its mark.
fn of_process(row: &ProcessRow, rows: &Rows, census: &Census) -> Option<String> {
    let ProcessRow { pid, pod, .. } = row;
    let Some(owner) = rows.pods.iter().find(|other| other.pod == *pod) else {
        return Some(format!("the ledger has process {pid} of pod {pod}, which is not open"));
    };
    let process = census.get(*pid).filter(|process| process.started == ticks(row.started))?;
    let owned = census.is_at_or_below(*pid, owner.pid) || Census::carries_mark(*pid, pod);
    (!owned).then(|| {
        format!("{}: the ledger has process {pid} as its own, which it is not: {}", owner.session, process.command)
    })
}

/// Every session has its row; of one that is over it says what the session's own file says.
fn of_session(rows: &Rows, folder: &Path, id: &str, lives: bool) -> Result<(), String> {
    let Some((outcome, native)) = rows.sessions.get(id) else {
        return Err(format!("{id}: the ledger does not have the session"));
    };
    let meta: Value = std::fs::read(folder.join("meta.json"))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .ok_or_else(|| format!("{id}: its meta.json cannot be read"))?;
    let said = (outcome.as_deref(), native.as_deref());
    let is = (meta["outcome"].as_str(), meta["nativeSessionId"].as_str());
    if !lives && said != is {
        return Err(format!("{id}: the ledger says {said:?} of the session, and meta.json {is:?}"));
    }
    Ok(())
}
