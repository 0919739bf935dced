//! What changes in a pod tree, each in one transaction of the ledger: begin, spawn, host, a turn, close, end, reclaim.
//!
//! Every process of the machine may call these at once. Each reads the trees and writes its answer while it holds the ledger's
//! write lock, so two can never be given what overlaps. Times are milliseconds since 1970.

use ledger::{Ledger, LedgerError, TreeChange, TreePod};
use protocol::limits::TREE_KEPT;
use protocol::scope::{Budget, BudgetLimit, PodOutcome};
use protocol::{PodId, SessionId};
use sha2::{Digest, Sha256};

use crate::budget::{check_spawn, check_turn, default_budget, micros};
use crate::error::Refused;
use crate::forest::{Forest, Holder, as_rows, rules_of};
use crate::reach::Rule;

/// Whether a holder is proved dead: its keeper, what it has noted, and whatever carries its mark. When in doubt it lives.
pub type Proof<'a> = &'a dyn Fn(&Holder) -> bool;

/// The process that answers for a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keeper {
    /// Its pod; `None` for a spawner whose child's keeper does not run yet.
    pub pod: Option<PodId>,
    /// Process id.
    pub pid: u32,
    /// When it started, in the platform's own unit.
    pub started: u64,
}

/// A pod that a person starts, or one whose row has been lost.
#[derive(Debug, Clone)]
pub struct Begin {
    /// Its session.
    pub session: SessionId,
    /// What spawned it, for a child whose row was lost with the ledger.
    pub spawned_by: Option<SessionId>,
    /// What it is called.
    pub name: String,
    /// What its paths are relative to.
    pub workspace: String,
    /// Its scope; `None` for everything, which holds nothing against others.
    pub rules: Option<Vec<Rule>>,
    /// What it and all below it may use; `None` for [`default_budget`].
    pub budget: Option<Budget>,
    /// Who answers for it.
    pub keeper: Keeper,
}

/// A pod that an agent, or a person on its behalf, starts below another one.
#[derive(Debug, Clone)]
pub struct Spawn {
    /// The child's session, new.
    pub session: SessionId,
    /// The session that spawns it.
    pub parent: SessionId,
    /// What the parent calls it.
    pub name: String,
    /// What it is to do.
    pub task: String,
    /// What its paths are relative to.
    pub workspace: String,
    /// Its scope, a part of the parent's. `None` is possible only below a pod without a scope.
    pub rules: Option<Vec<Rule>>,
    /// What it and all below it may use, beside what the budgets above it leave.
    pub budget: Option<Budget>,
    /// The parent's keeper, which answers until the child's own does.
    pub by: Keeper,
}

/// What came back when a pod ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Reclaimed {
    /// The pod.
    pub session: SessionId,
    /// What it was called.
    pub name: String,
    /// What it held.
    pub rules: Vec<Rule>,
    /// What its paths are relative to.
    pub workspace: String,
    /// The pod above it, which may write there again.
    pub to: Option<SessionId>,
    /// Its live children, which are that pod's now.
    pub adopted: Vec<SessionId>,
}

/// Puts a pod into the trees as their root, or where it was.
///
/// # Errors
/// When another pod holds a part of its scope, or it does not lie within its parent's.
pub fn begin(ledger: &Ledger, begin: &Begin, now: i64, proof: Proof<'_>) -> Result<(), Refused> {
    with_reclaim(ledger, now, proof, || {
        ledger.change_tree(|change| {
            change.forget_trees(now - i64::try_from(TREE_KEPT.as_millis()).unwrap_or(i64::MAX))?;
            let of = begin.spawned_by.unwrap_or(begin.session);
            let mut forest = Forest::new(change.pods(Some(of))?);
            let pod = begun(&forest, begin, now);
            place(change, &mut forest, pod)
        })
    })
}

/// Lets a pod that has ended hold again what it held. Its live children are its own again.
///
/// # Errors
/// When another pod holds a part of that now, or the trees do not know it.
pub fn reopen(ledger: &Ledger, session: SessionId, keeper: Keeper, now: i64, proof: Proof<'_>) -> Result<(), Refused> {
    with_reclaim(ledger, now, proof, || {
        ledger.change_tree(|change| {
            let mut forest = Forest::new(change.pods(Some(session))?);
            let before = forest.get(session).ok_or(Refused::Unknown { session })?.clone();
            place(change, &mut forest, kept_by(TreePod { ended: None, closing: false, ..before }, keeper))
        })
    })
}

/// Reserves a scope and a place in the tree for a child, if the budgets leave one. From then on the parent may not write there.
/// The child's keeper takes it over with [`host`]; when it cannot be started, [`end`] gives everything back.
///
/// # Errors
/// When something is in the way; it names what, and what to do.
pub fn spawn(ledger: &Ledger, spawn: &Spawn, now: i64, proof: Proof<'_>) -> Result<(), Refused> {
    with_reclaim(ledger, now, proof, || {
        ledger.change_tree(|change| {
            let mut forest = Forest::new(change.pods(Some(spawn.parent))?);
            let parent = open(&forest, spawn.parent)?;
            let pod = spawned(spawn, parent.tree, now);
            if parent.scoped && spawn.rules.is_none() {
                return Err(Refused::NoScope { parent: parent.name.clone() });
            }
            check_name_and_task(&forest, &pod)?;
            check_spawn(&forest, spawn.parent, now)?;
            place(change, &mut forest, pod)
        })
    })
}

/// The child's keeper takes over what [`spawn`] reserved.
///
/// # Errors
/// When the pod was ended or is being stopped meanwhile: then the keeper has nothing to do and ends.
pub fn host(ledger: &Ledger, session: SessionId, keeper: Keeper) -> Result<(), Refused> {
    ledger.change_tree(|change| {
        let forest = Forest::new(change.pods(Some(session))?);
        let pod = open(&forest, session)?.clone();
        Ok(change.put(&kept_by(pod, keeper))?)
    })
}

/// Counts one more turn.
///
/// # Errors
/// When a budget has none left, or the pod is being stopped. Then the turn must not begin.
pub fn begin_turn(ledger: &Ledger, session: SessionId, now: i64) -> Result<(), Refused> {
    ledger.change_tree(|change| {
        let forest = Forest::new(change.pods(Some(session))?);
        let pod = open(&forest, session)?.clone();
        check_turn(&forest, session, now)?;
        Ok(change.put_used(&TreePod { turns: pod.turns.saturating_add(1), ..pod })?)
    })
}

/// Adds what a turn has cost, in US dollars, and tells what stands in the way of the next one.
///
/// # Errors
/// When the ledger cannot be written, or does not know the pod.
pub fn end_turn(ledger: &Ledger, session: SessionId, cost_usd: f64, now: i64) -> Result<Option<Refused>, Refused> {
    ledger.change_tree(|change| {
        let mut forest = Forest::new(change.pods(Some(session))?);
        let pod = forest.get(session).ok_or(Refused::Unknown { session })?.clone();
        let cost_micros = pod.cost_micros.saturating_add(micros(cost_usd));
        // Most agents do not tell what a turn costs.
        if cost_micros != pod.cost_micros {
            let pod = TreePod { cost_micros, ..pod };
            change.put_used(&pod)?;
            forest.put(pod);
        }
        Ok(check_turn(&forest, session, now).err())
    })
}

/// Changes what a pod and all below it may use. What was used counts on.
///
/// # Errors
/// When the ledger cannot be written, or does not know the pod.
pub fn set_budget(ledger: &Ledger, session: SessionId, budget: Budget, now: i64) -> Result<(), Refused> {
    ledger.change_tree(|change| {
        let forest = Forest::new(change.pods(Some(session))?);
        let pod = forest.get(session).ok_or(Refused::Unknown { session })?.clone();
        let since = pod.budget.as_ref().map_or(now, |(_, since)| *since);
        Ok(change.put(&TreePod { budget: Some((budget, since)), ..pod })?)
    })
}

/// Marks a pod and all live ones below it as being stopped: from then on none of them spawns or begins a turn. Returns them, those
/// furthest below first, so that whoever stops them in this order leaves no orphan.
///
/// # Errors
/// When the ledger cannot be written, or does not know the pod.
pub fn close(ledger: &Ledger, session: SessionId) -> Result<Vec<Holder>, Refused> {
    ledger.change_tree(|change| {
        let forest = Forest::new(change.pods(Some(session))?);
        let root = forest.get(session).ok_or(Refused::Unknown { session })?;
        let mut pods: Vec<&TreePod> = forest.below(session).into_iter().chain([root]).collect();
        pods.retain(|pod| pod.ended.is_none());
        pods.sort_by_key(|pod| (std::cmp::Reverse(forest.lineage(pod.session).len()), pod.session));
        for pod in pods.iter().filter(|pod| !pod.closing) {
            change.put(&TreePod { closing: true, ..(*pod).clone() })?;
        }
        Ok(pods.into_iter().map(|pod| holder(change, pod)).collect::<Result<_, _>>()?)
    })
}

/// Ends a pod: its scope is its parent's again, and so are its children. `None` when it had ended, or `pod` is given and another
/// one hosts the session by now.
///
/// # Errors
/// When the ledger cannot be written.
pub fn end(
    ledger: &Ledger,
    session: SessionId,
    pod: Option<PodId>,
    outcome: PodOutcome,
    now: i64,
) -> Result<Option<Reclaimed>, LedgerError> {
    ledger.change_tree(|change| {
        let forest = Forest::new(change.pods(Some(session))?);
        let Some(row) = forest.get(session).filter(|row| row.ended.is_none()) else { return Ok(None) };
        if pod.is_some() && row.pod.is_some() && row.pod != pod {
            return Ok(None);
        }
        finish(change, &forest, row, outcome, now).map(Some)
    })
}

/// Ends, as disconnected, the pods that are proved dead. The proofs are made without holding up others.
///
/// # Errors
/// When the ledger cannot be written.
pub fn reclaim(ledger: &Ledger, now: i64, proof: Proof<'_>) -> Result<Vec<Reclaimed>, LedgerError> {
    let holders = ledger.change_tree(|change| {
        let forest = Forest::new(change.pods(None)?);
        forest.live().into_iter().map(|pod| holder(change, pod)).collect::<Result<Vec<Holder>, LedgerError>>()
    })?;
    let mut dead: Vec<Holder> = holders.into_iter().filter(|holder| proof(holder)).collect();
    // Children first, so that each row tells what its own parent was.
    dead.reverse();
    if dead.is_empty() {
        return Ok(Vec::new());
    }
    ledger.change_tree(|change| {
        let mut reclaimed = Vec::new();
        for proved in dead {
            let forest = Forest::new(change.pods(None)?);
            let Some(pod) = forest.get(proved.session).filter(|pod| pod.ended.is_none()) else { continue };
            // Somebody may host it again since.
            if holder(change, pod)? == proved {
                reclaimed.push(finish(change, &forest, pod, PodOutcome::Disconnected, now)?);
            }
        }
        Ok(reclaimed)
    })
}

/// Attempts once more when what stood in the way was dead.
fn with_reclaim(
    ledger: &Ledger,
    now: i64,
    proof: Proof<'_>,
    attempt: impl Fn() -> Result<(), Refused>,
) -> Result<(), Refused> {
    match attempt() {
        Err(refused) if may_be_stale(&refused) && !reclaim(ledger, now, proof)?.is_empty() => attempt(),
        done => done,
    }
}

fn may_be_stale(refused: &Refused) -> bool {
    match refused {
        Refused::Conflict { .. } | Refused::NameTaken { .. } | Refused::SameTask { .. } => true,
        Refused::Budget { limit, .. } => matches!(limit, BudgetLimit::Children | BudgetLimit::Pods),
        Refused::Outside { .. }
        | Refused::NoScope { .. }
        | Refused::Closing { .. }
        | Refused::Unknown { .. }
        | Refused::Ended { .. }
        | Refused::Ledger(_) => false,
    }
}

/// Writes a pod if nobody holds what it asks for.
fn place(change: &TreeChange<'_>, forest: &mut Forest, pod: TreePod) -> Result<(), Refused> {
    let rules = rules_of(&pod);
    let session = pod.session;
    let scoped = pod.scoped;
    forest.put(pod.clone());
    if scoped {
        if let Some(competitor) = forest.competitor(session, &rules) {
            return Err(competitor.refusal());
        }
        forest.check_within_parent(session, &rules)?;
    }
    Ok(change.put(&pod)?)
}

fn check_name_and_task(forest: &Forest, pod: &TreePod) -> Result<(), Refused> {
    let taken = |other: &&TreePod| other.spawned_by == pod.spawned_by && other.name == pod.name;
    if forest.live().into_iter().find(taken).is_some() {
        return Err(Refused::NameTaken { name: pod.name.clone() });
    }
    let same = |other: &&TreePod| other.tree == pod.tree && other.task == pod.task && !other.task.is_empty();
    for other in forest.all().filter(same) {
        let (state, advice) = match other.ended {
            None => ("has", "send it a message or wait for it"),
            Some((_, PodOutcome::Completed)) => ("has completed", "read its output with read_pod_output"),
            // Whoever failed may be replaced.
            Some((_, PodOutcome::Failed | PodOutcome::Cancelled | PodOutcome::Disconnected)) => continue,
        };
        return Err(Refused::SameTask { name: other.name.clone(), state, advice });
    }
    Ok(())
}

/// The pod, if it lives and is not being stopped.
fn open(forest: &Forest, session: SessionId) -> Result<&TreePod, Refused> {
    let pod = forest.living(session)?;
    if pod.closing {
        return Err(Refused::Closing { name: pod.name.clone() });
    }
    Ok(pod)
}

fn finish(
    change: &TreeChange<'_>,
    forest: &Forest,
    pod: &TreePod,
    outcome: PodOutcome,
    now: i64,
) -> Result<Reclaimed, LedgerError> {
    change.put(&TreePod { ended: Some((now, outcome)), closing: false, ..pod.clone() })?;
    Ok(Reclaimed {
        session: pod.session,
        name: pod.name.clone(),
        rules: rules_of(pod),
        workspace: pod.workspace.clone(),
        to: forest.parent(pod.session).map(|parent| parent.session),
        adopted: forest.children(pod.session).iter().map(|child| child.session).collect(),
    })
}

fn holder(change: &TreeChange<'_>, pod: &TreePod) -> Result<Holder, LedgerError> {
    let noted = pod.pod.map(|pod| change.processes_of(pod)).transpose()?.unwrap_or_default();
    let mut processes = vec![(pod.pid, pod.started)];
    processes.extend(noted.into_iter().filter(|process| *process != (pod.pid, pod.started)));
    Ok(Holder { session: pod.session, name: pod.name.clone(), pod: pod.pod, processes })
}

fn kept_by(pod: TreePod, keeper: Keeper) -> TreePod {
    TreePod { pod: keeper.pod, pid: keeper.pid, started: keeper.started, ..pod }
}

/// A pod that begins. What it has used before counts on.
fn begun(forest: &Forest, begin: &Begin, now: i64) -> TreePod {
    let before = forest.get(begin.session);
    let spawned_by = before.and_then(|pod| pod.spawned_by).or(begin.spawned_by);
    let above = spawned_by.and_then(|above| forest.get(above)).map(|above| above.tree);
    let fresh = spawned_by.is_none().then(default_budget);
    let since = before.and_then(|pod| pod.budget.as_ref()).map_or(now, |(_, since)| *since);
    TreePod {
        session: begin.session,
        tree: before.map(|pod| pod.tree).or(above).or(spawned_by).unwrap_or(begin.session),
        spawned_by,
        name: begin.name.clone(),
        task: before.map(|pod| pod.task.clone()).unwrap_or_default(),
        workspace: begin.workspace.clone(),
        scoped: begin.rules.is_some(),
        pod: begin.keeper.pod,
        pid: begin.keeper.pid,
        started: begin.keeper.started,
        spawned_at: before.map_or(now, |pod| pod.spawned_at),
        closing: false,
        ended: None,
        turns: before.map_or(0, |pod| pod.turns),
        cost_micros: before.map_or(0, |pod| pod.cost_micros),
        budget: begin.budget.clone().or(fresh).map(|budget| (budget, since)),
        rules: as_rows(begin.rules.as_deref().unwrap_or_default()),
    }
}

fn spawned(spawn: &Spawn, tree: SessionId, now: i64) -> TreePod {
    TreePod {
        session: spawn.session,
        tree,
        spawned_by: Some(spawn.parent),
        name: spawn.name.clone(),
        task: digest(&spawn.task),
        workspace: spawn.workspace.clone(),
        scoped: spawn.rules.is_some(),
        pod: None,
        pid: spawn.by.pid,
        started: spawn.by.started,
        spawned_at: now,
        closing: false,
        ended: None,
        turns: 0,
        cost_micros: 0,
        budget: spawn.budget.clone().map(|budget| (budget, now)),
        rules: as_rows(spawn.rules.as_deref().unwrap_or_default()),
    }
}

/// Tasks that differ in white space or case only are the same.
fn digest(task: &str) -> String {
    let words: Vec<String> = task.split_whitespace().map(str::to_lowercase).collect();
    if words.is_empty() {
        return String::new();
    }
    Sha256::digest(words.join(" ")).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
