//! `outrigger stop`: ends sessions with all pods below them and all their processes, and says what it ended and what survived.

use anyhow::Result;
use clap::Args;
use client::Machine;
use client::pods::StoppedPod;
use protocol::SessionId;
use protocol::pod::StopResult;
use protocol::record::Outcome;
use protocol::session::PodFile;
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
    let named: Vec<SessionId> = options.ids.iter().map(|id| home::session(&machine, id)).collect::<Result<_>>()?;
    let stopped = if options.all {
        client::pods::stop_everything(&machine, options.force).await?
    } else {
        client::pods::stop_trees(&machine, &named, options.force).await
    };
    if stopped.is_empty() && !options.json {
        output::to_stderr("No session is live.");
    }
    let count = stopped.len();
    let pods: Vec<PodFile> = stopped.iter().filter_map(|stopped| stopped.pod.clone()).collect();
    let mut exit = Exit::Done;
    for StoppedPod { session, result, .. } in stopped {
        match result {
            // It was about to be started and never will be.
            Ok(None) => {}
            Ok(Some(result)) => {
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
