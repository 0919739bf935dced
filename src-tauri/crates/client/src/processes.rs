//! What runs for the live pods: each pod's processes, told by its keeper, or read from the process table when that does not answer.
//!
//! Looks only; what a crash left behind is [`crate::orphans`]' question.

use std::time::Duration;

use process::{ProcessEntry, ProcessRef};
use protocol::PodId;
use protocol::error::WireError;
use protocol::processes::{PodProcesses, ProcessInfo, ProcessPurpose};
use protocol::session::{Liveness, PodFile, SessionSummary};

use crate::connection::PodConnection;
use crate::machine::Machine;
use crate::sessions::{self, Which};

/// How long a keeper may take to be gone after it has said that its session is over.
const KEEPER_END: Duration = Duration::from_secs(5);

/// A live pod with its processes.
#[derive(Debug, Clone)]
pub struct LivePod {
    /// What runs.
    pub processes: PodProcesses,
    /// What the pod is doing, or that it does not answer.
    pub liveness: Liveness,
    /// Why the keeper could not be asked; its processes are those below it in the process table then.
    pub silent: Option<String>,
}

/// All live pods, newest first. One that does not answer is not left out.
///
/// # Errors
/// When the folder of sessions cannot be listed.
pub async fn list(machine: &Machine) -> Result<Vec<LivePod>, WireError> {
    let asked: Vec<_> = sessions::list(machine, Which::Live)
        .await?
        .into_iter()
        .filter(|summary| matches!(summary.liveness, Liveness::Live { .. } | Liveness::Unknown { .. }))
        .filter_map(|summary| Some((machine.folder(summary.session).read_pod().ok().flatten()?, summary)))
        .map(|(pod, summary)| tokio::spawn(of_pod(pod, summary)))
        .collect();
    let mut pods = Vec::with_capacity(asked.len());
    for pod in asked {
        pods.extend(pod.await);
    }
    Ok(pods)
}

/// What is still there of pods that have ended: the keeper itself, and whatever carries their marks. Waits for a moment, since a
/// keeper says that its session is over before it goes.
pub async fn left_of(pods: &[PodFile]) -> Vec<ProcessInfo> {
    let keepers: Vec<ProcessRef> = pods.iter().map(keeper).collect();
    let mut left = process::wait_gone(&keepers, KEEPER_END).await;
    let is_of = |mark: &str| mark.parse::<PodId>().is_ok_and(|mark| pods.iter().any(|pod| pod.pod == mark));
    left.extend(process::all_marked().into_iter().filter(|marked| is_of(&marked.mark)).map(|marked| marked.entry));
    left.into_iter().map(|entry| entry.shown(ProcessPurpose::Tool)).collect()
}

async fn of_pod(pod: PodFile, summary: SessionSummary) -> LivePod {
    let told = match &summary.liveness {
        // It was asked a moment ago; there is no use in waiting for it twice.
        Liveness::Unknown { reason } => Err(reason.clone()),
        Liveness::Live { .. } | Liveness::Ended { .. } | Liveness::Interrupted => ask(&pod).await,
    };
    let (processes, silent) = match told {
        Ok(processes) => (processes, None),
        Err(why) => (from_the_table(keeper(&pod)), Some(why)),
    };
    let SessionSummary { session, title, provider, workspace, liveness, .. } = summary;
    let processes = PodProcesses { session, pod: pod.pod, title, provider, workspace, processes };
    LivePod { processes, liveness, silent }
}

async fn ask(pod: &PodFile) -> Result<Vec<ProcessInfo>, String> {
    let told = async { PodConnection::open(pod, "list").await?.processes().await }.await;
    told.map_err(|error: WireError| error.message)
}

fn keeper(pod: &PodFile) -> ProcessRef {
    ProcessRef { pid: pod.pid, started: pod.pid_started }
}

/// A keeper starts one process, its runner; what else is right below it was adopted later.
fn from_the_table(keeper: ProcessRef) -> Vec<ProcessInfo> {
    let Some(own) = process::entry(keeper.pid).filter(|entry| entry.process == keeper) else { return Vec::new() };
    let below = process::descendants(keeper.pid);
    let children = below.iter().filter(|entry| entry.parent == keeper.pid);
    let runner = children.min_by_key(|entry| entry.process.started).map(|entry| entry.process);
    let purpose = |entry: &ProcessEntry| {
        if Some(entry.process) == runner { ProcessPurpose::Runner } else { ProcessPurpose::Tool }
    };
    let below = below.into_iter().map(|entry| {
        let purpose = purpose(&entry);
        entry.shown(purpose)
    });
    std::iter::once(own.shown(ProcessPurpose::Keeper)).chain(below).collect()
}
