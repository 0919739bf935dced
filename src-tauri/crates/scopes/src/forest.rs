//! Who stands above whom, and whose claim is in the way? The pod trees of one moment, pure.
//!
//! A pod's parent is the nearest live pod among those that spawned it, their spawners, and so on. So when a pod ends its children
//! are its parent's, and when it comes back they are its own again, without anybody moving them.

use std::collections::{HashMap, HashSet};

use ledger::{TreePod, TreeRule};
use protocol::{PodId, SessionId};

use crate::error::Refused;
use crate::reach::Rule;
use crate::scope::{in_words, shown};

/// The pods of one moment.
#[derive(Debug, Clone)]
pub(crate) struct Forest {
    pods: HashMap<SessionId, TreePod>,
}

/// Who answers for what a pod holds: dead only when all of these are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The session.
    pub session: SessionId,
    /// What it is called.
    pub name: String,
    /// Its pod, once its keeper runs: whatever carries this mark in its environment belongs to it.
    pub pod: Option<PodId>,
    /// Its keeper (its spawner's, until that runs), and the processes that it has noted, by id and start time.
    pub processes: Vec<(u32, u64)>,
}

impl Forest {
    pub(crate) fn new(pods: Vec<TreePod>) -> Self {
        Self { pods: pods.into_iter().map(|pod| (pod.session, pod)).collect() }
    }

    pub(crate) fn get(&self, session: SessionId) -> Option<&TreePod> {
        self.pods.get(&session)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &TreePod> {
        self.pods.values()
    }

    /// Live pods in the order in which they were spawned.
    pub(crate) fn live(&self) -> Vec<&TreePod> {
        let mut live: Vec<&TreePod> = self.all().filter(|pod| pod.ended.is_none()).collect();
        live.sort_by_key(|pod| pod.session);
        live
    }

    /// The pod, if it has not ended.
    ///
    /// # Errors
    /// When it has, or is not known.
    pub(crate) fn living(&self, session: SessionId) -> Result<&TreePod, Refused> {
        let pod = self.get(session).ok_or(Refused::Unknown { session })?;
        match pod.ended {
            None => Ok(pod),
            Some(_) => Err(Refused::Ended { name: pod.name.clone() }),
        }
    }

    /// Those that spawned it, live or not, the nearest first; without itself.
    pub(crate) fn lineage(&self, session: SessionId) -> Vec<&TreePod> {
        let mut found = Vec::new();
        let mut seen = HashSet::from([session]);
        let mut next = self.get(session).and_then(|pod| pod.spawned_by);
        while let Some(pod) = next.and_then(|above| self.get(above)) {
            // A circle can only stand in a damaged ledger.
            if !seen.insert(pod.session) {
                break;
            }
            found.push(pod);
            next = pod.spawned_by;
        }
        found
    }

    pub(crate) fn parent(&self, session: SessionId) -> Option<&TreePod> {
        self.lineage(session).into_iter().find(|pod| pod.ended.is_none())
    }

    /// The live pods whose parent this is, in the order in which they were spawned.
    pub(crate) fn children(&self, session: SessionId) -> Vec<&TreePod> {
        let is_child = |pod: &&TreePod| self.parent(pod.session).is_some_and(|parent| parent.session == session);
        self.live().into_iter().filter(is_child).collect()
    }

    /// Whether `above` has spawned `below`, or one of those that did.
    pub(crate) fn is_above(&self, above: SessionId, below: SessionId) -> bool {
        self.lineage(below).iter().any(|pod| pod.session == above)
    }

    /// All that this pod has spawned, and what these have, live or not.
    pub(crate) fn below(&self, session: SessionId) -> Vec<&TreePod> {
        let mut below: Vec<&TreePod> = self.all().filter(|pod| self.is_above(session, pod.session)).collect();
        below.sort_by_key(|pod| pod.session);
        below
    }

    pub(crate) fn put(&mut self, pod: TreePod) {
        self.pods.insert(pod.session, pod);
    }

    /// The live pod that holds a rule which one of these may not be given beside, with that rule and what was asked for.
    pub(crate) fn competitor<'a>(&'a self, asking: SessionId, rules: &[Rule]) -> Option<Competitor<'a>> {
        let related = |other: &TreePod| {
            other.session == asking || self.is_above(other.session, asking) || self.is_above(asking, other.session)
        };
        let others: Vec<&TreePod> = self.live().into_iter().filter(|other| !related(other)).collect();
        let wanted = rules.iter().filter(|rule| rule.writes());
        wanted.flat_map(|wanted| others.iter().map(move |other| (wanted, *other))).find_map(|(wanted, pod)| {
            let held = rules_of(pod).into_iter().find(|held| held.writes() && held.meets(wanted))?;
            Some(Competitor { pod, held, wanted: wanted.clone() })
        })
    }

    /// Whether each rule lies within what the parent was given. What the parent has given on stands in the way as a competitor.
    ///
    /// # Errors
    /// When one does not.
    pub(crate) fn check_within_parent(&self, session: SessionId, rules: &[Rule]) -> Result<(), Refused> {
        let Some(parent) = self.parent(session).filter(|parent| parent.scoped) else { return Ok(()) };
        let has = rules_of(parent);
        for rule in rules {
            let allowed = |of_parent: &Rule| rule.within(of_parent) && (of_parent.writes() || !rule.writes());
            if !has.iter().any(allowed) {
                let workspace = &parent.workspace;
                return Err(Refused::Outside {
                    wanted: shown(rule, workspace),
                    parent: parent.name.clone(),
                    has: in_words(&has, workspace),
                });
            }
        }
        Ok(())
    }
}

/// Who stands in the way.
#[derive(Debug)]
pub(crate) struct Competitor<'a> {
    pub(crate) pod: &'a TreePod,
    pub(crate) held: Rule,
    pub(crate) wanted: Rule,
}

impl Competitor<'_> {
    pub(crate) fn refusal(&self) -> Refused {
        let workspace = &self.pod.workspace;
        Refused::Conflict {
            wanted: shown(&self.wanted, workspace),
            holder: self.pod.name.clone(),
            session: self.pod.session,
            held: shown(&self.held, workspace),
        }
    }
}

/// What the pod holds.
pub(crate) fn rules_of(pod: &TreePod) -> Vec<Rule> {
    let rule = |rule: &TreeRule| Rule { held: rule.held.clone(), same: rule.same.clone().into() };
    pod.rules.iter().map(rule).collect()
}

pub(crate) fn as_rows(rules: &[Rule]) -> Vec<TreeRule> {
    let row = |rule: &Rule| TreeRule { held: rule.held.clone(), same: rule.same.to_string_lossy().into_owned() };
    rules.iter().map(row).collect()
}
