//! Is there enough left of the budgets above a pod? Pure: all pods of a tree, and what time it is.

use ledger::TreePod;
use protocol::SessionId;
use protocol::limits::{TREE_CHILDREN, TREE_DEPTH, TREE_PODS, TREE_SPAWNS, TREE_SPAWNS_PER_MINUTE};
use protocol::scope::{Budget, BudgetLimit, BudgetUse};

use crate::error::Refused;
use crate::forest::Forest;

const MINUTE_MS: i64 = 60_000;
const MICROS: f64 = 1_000_000.0;

/// What a tree may use whose root was given no budget: enough for work, too little for agents that only spawn agents.
#[must_use]
pub fn default_budget() -> Budget {
    Budget {
        depth: Some(TREE_DEPTH),
        children: Some(TREE_CHILDREN),
        pods: Some(TREE_PODS),
        spawns: Some(TREE_SPAWNS),
        spawns_per_minute: Some(TREE_SPAWNS_PER_MINUTE),
        turns: None,
        cost_usd: None,
        wall_seconds: None,
    }
}

/// What `session` and all that it spawned have used, at `now` in milliseconds since 1970.
#[must_use]
pub fn used(pods: &[TreePod], session: SessionId, now: i64) -> BudgetUse {
    of(&Forest::new(pods.to_vec()), session, now)
}

pub(crate) fn of(forest: &Forest, session: SessionId, now: i64) -> BudgetUse {
    let below = forest.below(session);
    let live = below.iter().filter(|pod| pod.ended.is_none());
    let mut used = BudgetUse {
        pods: count(live.clone().count()),
        spawns: count(below.len()),
        spawns_last_minute: count(below.iter().filter(|pod| pod.spawned_at > now - MINUTE_MS).count()),
        depth: live.clone().map(|pod| generations(forest, session, pod.session)).max().unwrap_or(0),
        children: count(forest.children(session).len()),
        ..BudgetUse::default()
    };
    for pod in live {
        used.children = used.children.max(count(forest.children(pod.session).len()));
    }
    let root = forest.get(session);
    let mut micros = 0;
    for pod in below.into_iter().chain(root) {
        used.turns += pod.turns;
        micros += pod.cost_micros;
    }
    used.cost_usd = dollars(micros);
    let since = root.and_then(|pod| pod.budget.as_ref()).map_or(now, |(_, since)| *since);
    used.wall_seconds = u64::try_from((now - since) / 1000).unwrap_or(0);
    used
}

/// Whether `parent` may spawn one more.
///
/// # Errors
/// When a budget at or above it has nothing left.
pub(crate) fn check_spawn(forest: &Forest, parent: SessionId, now: i64) -> Result<(), Refused> {
    let children = count(forest.children(parent).len());
    for (owner, budget) in budgets(forest, parent) {
        let used = of(forest, owner.session, now);
        let depth = generations(forest, owner.session, parent);
        let over = |limit, used: u32, allowed: Option<u32>| match allowed {
            Some(allowed) if used >= allowed => Err(refusal(limit, owner, used.to_string(), allowed.to_string())),
            Some(_) | None => Ok(()),
        };
        over(BudgetLimit::Depth, depth, budget.depth)?;
        over(BudgetLimit::Children, children, budget.children)?;
        over(BudgetLimit::Pods, used.pods, budget.pods)?;
        over(BudgetLimit::Spawns, used.spawns, budget.spawns)?;
        over(BudgetLimit::SpawnsPerMinute, used.spawns_last_minute, budget.spawns_per_minute)?;
        check_left(owner, budget, &used)?;
    }
    Ok(())
}

/// Whether `session` may begin one more turn.
///
/// # Errors
/// When a budget at or above it has nothing left.
pub(crate) fn check_turn(forest: &Forest, session: SessionId, now: i64) -> Result<(), Refused> {
    budgets(forest, session).try_for_each(|(owner, budget)| check_left(owner, budget, &of(forest, owner.session, now)))
}

/// Turns, cost and time.
fn check_left(owner: &TreePod, budget: &Budget, used: &BudgetUse) -> Result<(), Refused> {
    if let Some(turns) = budget.turns.filter(|turns| used.turns >= *turns) {
        return Err(refusal(BudgetLimit::Turns, owner, used.turns.to_string(), turns.to_string()));
    }
    if let Some(cost) = budget.cost_usd.filter(|cost| used.cost_usd >= *cost) {
        let money = |dollars: f64| format!("{dollars:.2} USD");
        return Err(refusal(BudgetLimit::Cost, owner, money(used.cost_usd), money(cost)));
    }
    if let Some(wall) = budget.wall_seconds.filter(|wall| used.wall_seconds >= *wall) {
        let time = |seconds: u64| format!("{seconds} s");
        return Err(refusal(BudgetLimit::WallTime, owner, time(used.wall_seconds), time(wall)));
    }
    Ok(())
}

/// The budgets that count for a pod: its own, and those of all that spawned it, ended ones too.
fn budgets(forest: &Forest, session: SessionId) -> impl Iterator<Item = (&TreePod, &Budget)> {
    let line = forest.get(session).into_iter().chain(forest.lineage(session));
    line.filter_map(|pod| pod.budget.as_ref().map(|(budget, _)| (pod, budget)))
}

/// How far `below` is below `above`.
fn generations(forest: &Forest, above: SessionId, below: SessionId) -> u32 {
    let line = forest.lineage(below);
    count(line.iter().position(|pod| pod.session == above).map_or(0, |at| at + 1))
}

fn refusal(limit: BudgetLimit, owner: &TreePod, used: String, allowed: String) -> Refused {
    let (what, advice) = match limit {
        BudgetLimit::Depth => {
            ("generations below the budget", "do the work yourself, or let a pod further up spawn for it")
        }
        BudgetLimit::Children => ("live children under the budget", "wait for a child to end, or stop one"),
        BudgetLimit::Pods => ("live pods under the budget", "wait for a pod to end, or stop one"),
        BudgetLimit::Spawns => {
            ("spawns of the budget", "go on with the pods that there are; only the user can raise it")
        }
        BudgetLimit::SpawnsPerMinute => ("spawns within a minute under the budget", "wait a minute, then spawn again"),
        BudgetLimit::Turns => ("turns of the budget", "say what is done and what is not; only the user can raise it"),
        BudgetLimit::Cost => ("cost of the budget", "say what is done and what is not; only the user can raise it"),
        BudgetLimit::WallTime => ("time of the budget", "say what is done and what is not; only the user can raise it"),
    };
    Refused::Budget { limit, what, of: owner.name.clone(), allowed, used, advice }
}

pub(crate) fn dollars(micros: i64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "nine billion dollars are exact")]
    let micros = micros as f64;
    micros / MICROS
}

/// Millionths of a dollar. What is no number, or less than nothing, costs nothing.
pub(crate) fn micros(dollars: f64) -> i64 {
    if !dollars.is_finite() || dollars <= 0.0 {
        return 0;
    }
    #[allow(clippy::cast_possible_truncation, reason = "a cast to an integer saturates")]
    let micros = (dollars * MICROS).round() as i64;
    micros
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
