//! Which pod does an agent mean by a name? Only what it has spawned, what these have, and what it has adopted.

use client::pods;
use protocol::SessionId;
use protocol::scope::TreeEntry;

use crate::Call;
use crate::answer::Failed;

/// The tree that the caller is in.
#[derive(Debug)]
pub(crate) struct Family {
    caller: SessionId,
    entries: Vec<TreeEntry>,
}

impl Family {
    pub(crate) async fn of(call: &Call<'_>) -> Result<Self, Failed> {
        Ok(Self { caller: call.caller, entries: pods::tree(call.machine, call.caller).await? })
    }

    /// What the caller is called by others.
    pub(crate) fn own_name(&self) -> Option<String> {
        self.entries.iter().find(|entry| entry.session == self.caller).map(|entry| entry.name.clone())
    }

    /// The caller's children, in the order in which they were spawned: those that it has spawned, and live ones that it has adopted.
    pub(crate) fn children(&self) -> Vec<&TreeEntry> {
        self.children_of(self.caller)
    }

    fn children_of(&self, session: SessionId) -> Vec<&TreeEntry> {
        let is_child = |entry: &&TreeEntry| match entry.outcome {
            None => entry.parent == Some(session) || entry.spawned_by == Some(session),
            Some(_) => entry.spawned_by == Some(session),
        };
        self.entries.iter().filter(is_child).collect()
    }

    /// The pod of this name: a child, or `child/grandchild`.
    pub(crate) fn named(&self, name: &str) -> Result<&TreeEntry, Failed> {
        let mut at = self.caller;
        let mut found = None;
        for part in name.trim().split('/') {
            let children = self.children_of(at);
            let entry = meant(&children, part, at).ok_or_else(|| self.unknown(name))?;
            at = entry.session;
            found = Some(entry);
        }
        found.ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> Failed {
        let mut names: Vec<&str> = self.children().iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let there_are = match names.as_slice() {
            [] => "you have spawned none".to_owned(),
            names => format!("there are `{}`", names.join("`, `")),
        };
        Failed::new(format!("no spawned pod named `{name}`; {there_are}"))
    }
}

/// A name may have been given again after its pod had ended: a live one goes before ended ones, an own one before an adopted one,
/// a newer one before an older one.
fn meant<'a>(children: &[&'a TreeEntry], name: &str, of: SessionId) -> Option<&'a TreeEntry> {
    let rank = |entry: &&&TreeEntry| (entry.outcome.is_none(), entry.spawned_by == Some(of), entry.session);
    children.iter().filter(|entry| entry.name == name).max_by_key(rank).copied()
}

#[cfg(test)]
mod tests {
    use protocol::scope::{BudgetUse, PodOutcome};

    use super::*;

    struct Tree {
        family: Family,
    }

    impl Tree {
        fn new() -> Self {
            let caller = SessionId::new();
            Self { family: Family { caller, entries: Vec::new() } }
        }

        fn add(
            &mut self,
            name: &str,
            spawned_by: SessionId,
            parent: SessionId,
            outcome: Option<PodOutcome>,
        ) -> SessionId {
            let session = SessionId::new();
            self.family.entries.push(TreeEntry {
                session,
                name: name.to_owned(),
                parent: Some(parent),
                spawned_by: Some(spawned_by),
                closing: false,
                outcome,
                spawned_at: 0,
                ended_at: None,
                workspace: "/w".to_owned(),
                scope: None,
                budget: None,
                used: BudgetUse::default(),
            });
            session
        }

        fn named(&self, name: &str) -> Result<SessionId, String> {
            self.family.named(name).map(|entry| entry.session).map_err(Failed::words)
        }
    }

    #[test]
    fn only_descendants_have_names() {
        let mut tree = Tree::new();
        let (me, other) = (tree.family.caller, SessionId::new());
        let one = tree.add("one", me, me, None);
        let below = tree.add("below", one, one, None);
        let theirs = tree.add("theirs", other, other, None);
        assert_eq!(tree.named("one"), Ok(one));
        assert_eq!(tree.named("one/below"), Ok(below));
        for name in ["below", "theirs", "one/theirs", "", "/", "one/", "..", &theirs.to_string(), &one.to_string()] {
            let words = tree.named(name).unwrap_err();
            assert!(words.starts_with("no spawned pod named") && words.ends_with("there are `one`"), "{words}");
        }
    }

    #[test]
    fn the_living_go_before_the_dead_and_orphans_are_adopted() {
        let mut tree = Tree::new();
        let me = tree.family.caller;
        let first = tree.add("one", me, me, Some(PodOutcome::Completed));
        let orphan = tree.add("below", first, me, None);
        assert_eq!(tree.named("one"), Ok(first));
        assert_eq!(tree.named("below"), Ok(orphan));
        assert_eq!(tree.named("one/below"), Ok(orphan));
        let again = tree.add("one", me, me, None);
        tree.add("one", me, me, Some(PodOutcome::Failed));
        assert_eq!(tree.named("one"), Ok(again));
        let own = tree.add("below", me, me, None);
        assert_eq!(tree.named("below"), Ok(own));
        assert_eq!(tree.family.children().len(), 5);
    }
}
