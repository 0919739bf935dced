//! Stops pods with all below them, those furthest below first, also while the tree is growing.
//!
//! First the ledger forbids the whole tree to spawn; then each level is stopped at once. A child that was reserved and does not run
//! yet is never going to: its keeper is refused.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::limits::KEEPER_START;
use protocol::pod::StopResult;
use protocol::record::Outcome;
use protocol::scope::{HeldRule, PodOutcome, TreeEntry};
use protocol::session::{Liveness, PodFile};
use scopes::{Holder, Refused};

use crate::machine::Machine;
use crate::pods::{in_ledger, now, proof};
use crate::sessions::{self, Which};

/// Between two looks at a pod that is just being started.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Sessions that are begun while all are being stopped are stopped too, so many times.
const ROUNDS: usize = 5;

/// What became of one pod.
#[derive(Debug)]
pub struct StoppedPod {
    /// Its session.
    pub session: SessionId,
    /// What it is called in its tree.
    pub name: Option<String>,
    /// What it held; absent when it had no scope, or had ended before.
    pub scope: Option<Vec<HeldRule>>,
    /// Where it was, if it was anywhere: for those who look what is left of it.
    pub pod: Option<PodFile>,
    /// How it ended, with what survived; none when it was only about to be started.
    pub result: Result<Option<StopResult>, WireError>,
}

/// Stops these sessions and all live pods below them, those furthest below first. Those that have ended are told with their outcome.
pub async fn stop_trees(machine: &Machine, sessions: &[SessionId], force: bool) -> Vec<StoppedPod> {
    let mut levels: BTreeMap<usize, Vec<Target>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for session in sessions {
        for (depth, target) in targets(machine, *session).await {
            if seen.insert(target.session) {
                levels.entry(depth).or_default().push(target);
            }
        }
    }
    let mut stopped = Vec::new();
    for (_, level) in levels.into_iter().rev() {
        // All of a level at once: the ladders of many take no longer than one.
        let stopping: Vec<_> =
            level.into_iter().map(|target| tokio::spawn(stop(machine.clone(), target, force))).collect();
        for task in stopping {
            stopped.extend(task.await.ok());
        }
    }
    stopped
}

/// Stops all that lives, also what is being started meanwhile; and when nobody is left, the tool sidecars with their owner.
///
/// # Errors
/// When the sessions cannot be listed.
pub async fn stop_everything(machine: &Machine, force: bool) -> Result<Vec<StoppedPod>, WireError> {
    let mut stopped: Vec<StoppedPod> = Vec::new();
    for _ in 0..ROUNDS {
        let known: HashSet<SessionId> = stopped.iter().map(|pod| pod.session).collect();
        let live: Vec<SessionId> =
            live(machine).await?.into_iter().filter(|session| !known.contains(session)).collect();
        if live.is_empty() {
            // Nobody is left who could use it.
            if let Err(error) = crate::sidecars::end_owner(machine).await {
                tracing::warn!(%error, "the owner of the tool sidecars lives on");
            }
            break;
        }
        stopped.extend(stop_trees(machine, &live, force).await);
    }
    Ok(stopped)
}

/// The live sessions, roots of trees first, so that a tree is closed before anything of it is stopped.
async fn live(machine: &Machine) -> Result<Vec<SessionId>, WireError> {
    let mut found: Vec<SessionId> = match in_ledger(machine, |ledger| Ok(scopes::live_trees(ledger, now())?)).await {
        Ok(entries) => entries.iter().filter(|entry| entry.outcome.is_none()).map(|entry| entry.session).collect(),
        // A pod goes on without a ledger, and is stopped without one.
        Err(error) => {
            tracing::warn!(%error, "the pod trees are not known; what lives is stopped one by one");
            Vec::new()
        }
    };
    let alive = |liveness: &Liveness| matches!(liveness, Liveness::Live { .. } | Liveness::Unknown { .. });
    let listed = sessions::list(machine, Which::Live).await?;
    found.extend(listed.into_iter().filter(|summary| alive(&summary.liveness)).map(|summary| summary.session));
    let mut seen = HashSet::new();
    found.retain(|session| seen.insert(*session));
    Ok(found)
}

/// A pod that is to be stopped.
#[derive(Debug)]
struct Target {
    session: SessionId,
    name: Option<String>,
    scope: Option<Vec<HeldRule>>,
    /// Who answers for it, when the trees know it as live.
    holder: Option<Holder>,
}

/// The pod and all live ones below it, with how deep each stands. From here on none of them spawns or begins a turn.
async fn targets(machine: &Machine, session: SessionId) -> Vec<(usize, Target)> {
    let closed = in_ledger(machine, move |ledger| {
        let holders = match scopes::close(ledger, session) {
            Err(Refused::Unknown { .. }) => Vec::new(),
            closed => closed?,
        };
        Ok((holders, scopes::tree(ledger, session, now())?))
    });
    let (holders, entries) = closed.await.unwrap_or_else(|error| {
        tracing::warn!(%error, %session, "the pods below a session are not known; it is stopped alone");
        (Vec::new(), Vec::new())
    });
    let by_session: HashMap<SessionId, &TreeEntry> = entries.iter().map(|entry| (entry.session, entry)).collect();
    let mut targets: Vec<(usize, Target)> = holders
        .into_iter()
        .map(|holder| {
            let entry = by_session.get(&holder.session);
            let scope = entry.and_then(|entry| entry.scope.clone());
            let target =
                Target { session: holder.session, name: Some(holder.name.clone()), scope, holder: Some(holder) };
            (depth(&by_session, target.session), target)
        })
        .collect();
    if !targets.iter().any(|(_, target)| target.session == session) {
        targets.push((depth(&by_session, session), Target { session, name: None, scope: None, holder: None }));
    }
    targets
}

fn depth(entries: &HashMap<SessionId, &TreeEntry>, session: SessionId) -> usize {
    let above = |session: &SessionId| entries.get(session).and_then(|entry| entry.spawned_by);
    // No tree is deeper than it has pods, whatever a damaged ledger says.
    std::iter::successors(Some(session), above).take(entries.len().max(1)).count()
}

async fn stop(machine: Machine, target: Target, force: bool) -> StoppedPod {
    let Target { session, name, scope, holder } = target;
    let pod = machine.folder(session).read_pod().ok().flatten();
    let result = match &holder {
        None => stop_one(&machine, session, force).await.map(Some),
        Some(holder) => stop_held(&machine, holder, force).await,
    };
    if let (Some(holder), Ok(_)) = (holder, &result) {
        ended(&machine, session, holder).await;
    }
    StoppedPod { session, name, scope, pod, result }
}

/// What the trees know as live may have a keeper that listens, one that is just starting, or none yet.
async fn stop_held(machine: &Machine, holder: &Holder, force: bool) -> Result<Option<StopResult>, WireError> {
    let until = Instant::now() + KEEPER_START;
    loop {
        let error = match stop_one(machine, holder.session, force).await {
            Ok(result) => return Ok(Some(result)),
            Err(error) => error,
        };
        let is_starting = match error.code {
            // Nobody listens, or there is not even a folder.
            ErrorCode::SessionEnded | ErrorCode::NoSuchSession => true,
            _ => false,
        };
        if is_over(machine, holder).await {
            return Ok(None);
        }
        if !is_starting || Instant::now() > until {
            return Err(error);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Whether its place in the tree is free: given back, or nobody is left who could host it.
async fn is_over(machine: &Machine, holder: &Holder) -> bool {
    let holder = holder.clone();
    let over = in_ledger(machine, move |ledger| {
        let entries = scopes::tree(ledger, holder.session, now())?;
        let live = entries.iter().any(|entry| entry.session == holder.session && entry.outcome.is_none());
        Ok(!live || proof::is_dead(&holder))
    });
    over.await.unwrap_or(false)
}

/// A keeper ends its own row. One that was killed did not, and one that was never there could not.
async fn ended(machine: &Machine, session: SessionId, holder: Holder) {
    let end =
        move |ledger: &ledger::Ledger| Ok(scopes::end(ledger, session, holder.pod, PodOutcome::Cancelled, now())?);
    if let Err(error) = in_ledger(machine, end).await {
        tracing::warn!(%error, %session, "the scope of a stopped pod was not given back");
    }
}

async fn stop_one(machine: &Machine, session: SessionId, force: bool) -> Result<StopResult, WireError> {
    match sessions::connect(machine, session, "client").await {
        Ok(mut pod) => match pod.stop(force).await {
            // Its keeper had just ended when it was asked.
            Err(error) if error.code == ErrorCode::Unreachable => over(machine, session).await.ok_or(error),
            answered => answered,
        },
        // What has ended is stopped already.
        Err(error) => over(machine, session).await.ok_or(error),
    }
}

async fn over(machine: &Machine, session: SessionId) -> Option<StopResult> {
    match sessions::summary(machine, session).await.ok()?.liveness {
        Liveness::Ended { outcome, .. } => Some(StopResult { outcome, survivors: Vec::new() }),
        Liveness::Interrupted => Some(StopResult { outcome: Outcome::Interrupted, survivors: Vec::new() }),
        Liveness::Live { .. } | Liveness::Unknown { .. } => None,
    }
}
