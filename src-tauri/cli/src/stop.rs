//! `outrigger stop`: ends sessions with all their processes, and says what it ended and what survived.

use anyhow::Result;
use clap::Args;
use client::Machine;
use client::sessions::{self, Which};
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::pod::StopResult;
use protocol::record::Outcome;
use protocol::session::{Liveness, PodFile};
use serde::Serialize;

use crate::exit::{self, Exit};
use crate::{home, output};

/// The arguments of `outrigger stop`.
#[derive(Debug, Args)]
pub(crate) struct StopOptions {
    /// The sessions; a beginning of an id will do
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,
    /// All live sessions
    #[arg(long)]
    all: bool,
    /// Skip the time that an agent has to end by itself
    #[arg(long)]
    force: bool,
    /// One JSON object for each session
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stopped {
    session: SessionId,
    outcome: Outcome,
    survivors: Vec<String>,
}

/// See the module.
pub(crate) async fn stop(options: StopOptions) -> Result<Exit> {
    let machine = home::for_looking()?;
    let wanted = if options.all {
        live(&machine).await?
    } else {
        options.ids.iter().map(|id| home::session(&machine, id)).collect::<Result<_>>()?
    };
    let pods: Vec<PodFile> =
        wanted.iter().filter_map(|session| machine.folder(*session).read_pod().ok().flatten()).collect();
    // All at once: the ladders of many take no longer than one.
    let force = options.force;
    let stopping: Vec<_> =
        wanted.into_iter().map(|session| (session, tokio::spawn(stop_one(machine.clone(), session, force)))).collect();
    if stopping.is_empty() && !options.json {
        output::to_stderr("No session is live.");
    }
    let count = stopping.len();
    let mut exit = Exit::Done;
    for (session, task) in stopping {
        match task.await? {
            Ok(result) => {
                if !result.survivors.is_empty() {
                    exit = Exit::Failed;
                }
                tell(&machine, session, result, options.json);
            }
            Err(error) => {
                let error = error.into();
                exit = Exit::of(&error);
                exit::tell(&error, options.json);
            }
        }
    }
    if options.all && count > 0 && !nothing_is_left(&pods, count, options.json).await {
        exit = Exit::Failed;
    }
    Ok(exit)
}

/// Looks at the process table itself, whatever the keepers have said.
async fn nothing_is_left(pods: &[PodFile], count: usize, json: bool) -> bool {
    let left = client::processes::left_of(pods).await;
    for process in &left {
        output::to_stderr(&format!("still running: {} {}", process.pid, output::visible_line(&process.command, 160)));
    }
    if left.is_empty() && !json {
        let sessions = if count == 1 { "1 session was".to_owned() } else { format!("{count} sessions were") };
        output::line(&format!("{sessions} stopped; nothing is left running."));
    }
    left.is_empty()
}

async fn live(machine: &Machine) -> Result<Vec<SessionId>> {
    let list = sessions::list(machine, Which::Live).await?;
    let alive = |liveness: &Liveness| matches!(liveness, Liveness::Live { .. } | Liveness::Unknown { .. });
    Ok(list.into_iter().filter(|summary| alive(&summary.liveness)).map(|summary| summary.session).collect())
}

async fn stop_one(machine: Machine, session: SessionId, force: bool) -> Result<StopResult, WireError> {
    match sessions::connect(&machine, session, "cli").await {
        Ok(mut pod) => match pod.stop(force).await {
            // Its keeper had just ended when it was asked.
            Err(error) if error.code == ErrorCode::Unreachable => over(&machine, session).await.ok_or(error),
            answered => answered,
        },
        // What has ended is stopped already.
        Err(error) => over(&machine, session).await.ok_or(error),
    }
}

async fn over(machine: &Machine, session: SessionId) -> Option<StopResult> {
    match sessions::summary(machine, session).await.ok()?.liveness {
        Liveness::Ended { outcome, .. } => Some(StopResult { outcome, survivors: Vec::new() }),
        Liveness::Interrupted => Some(StopResult { outcome: Outcome::Interrupted, survivors: Vec::new() }),
        Liveness::Live { .. } | Liveness::Unknown { .. } => None,
    }
}

fn tell(machine: &Machine, session: SessionId, result: StopResult, json: bool) {
    let StopResult { outcome, survivors } = result;
    if json {
        output::json(&Stopped { session, outcome, survivors });
        return;
    }
    let short = home::short_ids(machine, &[session]).pop().unwrap_or_default();
    let how = match outcome {
        Outcome::Done => "ended",
        Outcome::Failed => "had failed",
        Outcome::Stopped => "stopped in mid-turn",
        Outcome::Interrupted => "had broken off before; nothing of it is running",
    };
    output::line(&format!("{short}  {how}"));
    for survivor in survivors {
        output::line(&format!("  still running: {}", output::visible_line(&survivor, 160)));
    }
}
