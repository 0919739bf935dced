#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails may panic")]
//! A pod tree from its first spawn to its last end: budgets, tasks, names, turns, stops, adoption, and what each refusal says.

use std::path::PathBuf;

use ledger::Ledger;
use outrigger_scopes::{
    Access, Area, Begin, Holder, Keeper, Refused, Spawn, begin, begin_turn, close, end, end_turn, host, in_words,
    reclaim, reopen, resolve, scope_of, set_budget, spawn, tree, who_may_write,
};
use protocol::scope::{Budget, BudgetLimit, PodOutcome, ScopePermission, ScopeRule};
use protocol::{PodId, SessionId};

const MINUTE: i64 = 60_000;

struct Tree {
    _folder: tempfile::TempDir,
    workspace: PathBuf,
    ledger: Ledger,
    root: SessionId,
    now: i64,
}

fn keeper(pid: u32) -> Keeper {
    Keeper { pod: Some(PodId::new()), pid, started: 1 }
}

fn alive(_: &Holder) -> bool {
    false
}

impl Tree {
    fn new(budget: Budget) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().canonicalize().unwrap().join("w");
        for within in ["a/deep", "b", "c", "d"] {
            std::fs::create_dir_all(workspace.join(within)).unwrap();
        }
        let ledger = Ledger::open(&folder.path().join("ledger")).unwrap().ledger;
        let tree = Self { _folder: folder, workspace, ledger, root: SessionId::new(), now: 1_000_000 };
        let root = Begin {
            session: tree.root,
            spawned_by: None,
            name: "root".to_owned(),
            workspace: tree.workspace.to_str().unwrap().to_owned(),
            rules: Some(resolve(&[write(".")], Area { workspace: &tree.workspace, kept: &[] }).unwrap()),
            budget: Some(budget),
            keeper: keeper(1),
        };
        begin(&tree.ledger, &root, tree.now, &alive).unwrap();
        tree
    }

    fn spawn_with(
        &self,
        parent: SessionId,
        name: &str,
        path: &str,
        task: &str,
        budget: Option<Budget>,
    ) -> Result<SessionId, Refused> {
        let session = SessionId::new();
        let child = Spawn {
            session,
            parent,
            name: name.to_owned(),
            task: task.to_owned(),
            workspace: self.workspace.to_str().unwrap().to_owned(),
            rules: Some(resolve(&[write(path)], Area { workspace: &self.workspace, kept: &[] }).unwrap()),
            budget,
            by: keeper(1),
        };
        spawn(&self.ledger, &child, self.now, &alive).map(|()| session)
    }

    fn spawn(&self, parent: SessionId, name: &str, path: &str) -> Result<SessionId, Refused> {
        self.spawn_with(parent, name, path, &format!("the task of {name}"), None)
    }

    fn end(&self, session: SessionId, outcome: PodOutcome) -> outrigger_scopes::Reclaimed {
        end(&self.ledger, session, None, outcome, self.now).unwrap().expect("it lived")
    }

    fn may_write(&self, session: SessionId, path: &str) -> bool {
        let scope = scope_of(&self.ledger, session).unwrap().expect("it lives");
        scope.access(path.as_ref()) == Access::Write
    }
}

fn write(path: &str) -> ScopeRule {
    ScopeRule { permission: ScopePermission::Write, path: path.to_owned(), recursive: true }
}

fn limit(refused: Result<impl std::fmt::Debug, Refused>) -> BudgetLimit {
    match refused.unwrap_err() {
        Refused::Budget { limit, .. } => limit,
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_delegated_is_taken_and_comes_back() {
    let tree = Tree::new(Budget::default());
    let child = tree.spawn(tree.root, "child", "a").unwrap();
    assert!(!tree.may_write(tree.root, "a/deep/new.rs") && tree.may_write(child, "a/deep/new.rs"));
    assert!(tree.may_write(tree.root, "b/new.rs") && !tree.may_write(child, "b/new.rs"));
    let scope = scope_of(&tree.ledger, tree.root).unwrap().unwrap();
    let Access::Read(Some(taken)) = scope.access("a/x".as_ref()) else { panic!("{scope:?}") };
    assert_eq!(taken.name, "child");
    let back = tree.end(child, PodOutcome::Completed);
    assert_eq!((back.to, back.name.as_str()), (Some(tree.root), "child"));
    assert_eq!(in_words(&back.rules, &back.workspace), "write a (with all below it)");
    assert!(tree.may_write(tree.root, "a/deep/new.rs"));
    assert!(end(&tree.ledger, child, None, PodOutcome::Completed, tree.now).unwrap().is_none(), "it ends once");
}

#[test]
fn a_refusal_names_who_stands_in_the_way_and_what_to_do() {
    let tree = Tree::new(Budget::default());
    let child = tree.spawn(tree.root, "builder", "a").unwrap();
    let conflict = tree.spawn(tree.root, "other", "a/deep").unwrap_err();
    let text = conflict.to_string();
    for part in
        ["write a/deep (with all below it)", "write a (with all below it)", "`builder`", &child.to_string(), "wait"]
    {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    assert!(conflict.may_pass());
    let outside = tree.spawn(child, "grandchild", "b").unwrap_err();
    assert_eq!(outside.code(), "outsideScope");
    assert!(outside.to_string().contains("`builder`, which is write a"), "{outside}");
    let who = who_may_write(&tree.ledger, &tree.workspace.join("a/new.rs")).unwrap();
    assert_eq!(who.iter().map(|(pod, _)| pod.name.as_str()).collect::<Vec<&str>>(), ["builder", "root"]);
}

#[test]
fn children_of_a_pod_that_ends_are_its_parents_until_it_comes_back() {
    let tree = Tree::new(Budget::default());
    let middle = tree.spawn(tree.root, "middle", "a").unwrap();
    let leaf = tree.spawn(middle, "leaf", "a/deep").unwrap();
    let ended = tree.end(middle, PodOutcome::Disconnected);
    assert_eq!(ended.adopted, [leaf]);
    let parent = |session| {
        let pods = outrigger_scopes::tree(&tree.ledger, tree.root, tree.now).unwrap();
        pods.into_iter().find(|pod| pod.session == session).unwrap().parent
    };
    assert_eq!(parent(leaf), Some(tree.root));
    assert!(tree.may_write(leaf, "a/deep/x") && !tree.may_write(tree.root, "a/deep/x"));
    assert!(tree.may_write(tree.root, "a/x"));
    reopen(&tree.ledger, middle, keeper(2), tree.now, &alive).unwrap();
    assert_eq!(parent(leaf), Some(middle));
    assert!(tree.may_write(middle, "a/x") && !tree.may_write(tree.root, "a/x") && tree.may_write(leaf, "a/deep/x"));
}

#[test]
fn only_the_proved_dead_are_reclaimed() {
    let tree = Tree::new(Budget::default());
    let child = tree.spawn(tree.root, "child", "a").unwrap();
    host(&tree.ledger, child, keeper(77)).unwrap();
    assert_eq!(reclaim(&tree.ledger, tree.now, &alive).unwrap(), []);
    let asked = std::cell::RefCell::new(Vec::new());
    let proof = |holder: &Holder| {
        asked.borrow_mut().push(holder.clone());
        holder.processes == [(77, 1)]
    };
    let back = reclaim(&tree.ledger, tree.now, &proof).unwrap();
    assert_eq!(back.iter().map(|back| back.session).collect::<Vec<SessionId>>(), [child]);
    assert!(asked.borrow().iter().any(|holder| holder.pod.is_some() && holder.name == "child"));
    assert!(tree.may_write(tree.root, "a/x"));
    let pods = tree_outcomes(&tree);
    assert_eq!(pods, [None, Some(PodOutcome::Disconnected)]);
}

fn tree_outcomes(of: &Tree) -> Vec<Option<PodOutcome>> {
    tree(&of.ledger, of.root, of.now).unwrap().iter().map(|pod| pod.outcome).collect()
}

#[test]
fn each_limit_of_a_tree_holds() {
    let budget = |change: fn(&mut Budget)| {
        let mut budget = Budget::default();
        change(&mut budget);
        Tree::new(budget)
    };
    let tree = budget(|budget| budget.depth = Some(1));
    let child = tree.spawn(tree.root, "child", "a").unwrap();
    assert_eq!(limit(tree.spawn(child, "grandchild", "a/deep")), BudgetLimit::Depth);

    let tree = budget(|budget| budget.children = Some(1));
    let child = tree.spawn(tree.root, "child", "a").unwrap();
    assert_eq!(limit(tree.spawn(tree.root, "second", "b")), BudgetLimit::Children);
    tree.spawn(child, "grandchild", "a/deep").unwrap();

    let tree = budget(|budget| budget.pods = Some(2));
    let child = tree.spawn(tree.root, "child", "a").unwrap();
    let grandchild = tree.spawn(child, "grandchild", "a/deep").unwrap();
    assert_eq!(limit(tree.spawn(tree.root, "third", "b")), BudgetLimit::Pods);
    tree.end(grandchild, PodOutcome::Completed);
    tree.spawn(tree.root, "third", "b").unwrap();

    let tree = budget(|budget| budget.spawns = Some(1));
    let child = tree.spawn(tree.root, "child", "a").unwrap();
    tree.end(child, PodOutcome::Completed);
    assert_eq!(limit(tree.spawn(tree.root, "second", "b")), BudgetLimit::Spawns);

    let mut tree = budget(|budget| budget.spawns_per_minute = Some(1));
    tree.spawn(tree.root, "child", "a").unwrap();
    assert_eq!(limit(tree.spawn(tree.root, "second", "b")), BudgetLimit::SpawnsPerMinute);
    tree.now += MINUTE;
    tree.spawn(tree.root, "second", "b").unwrap();
}

#[test]
fn turns_cost_and_time_are_the_whole_trees() {
    let mut tree =
        Tree::new(Budget { turns: Some(3), cost_usd: Some(0.5), wall_seconds: Some(60), ..Budget::default() });
    let child = tree.spawn(tree.root, "child", "a").unwrap();
    begin_turn(&tree.ledger, tree.root, tree.now).unwrap();
    begin_turn(&tree.ledger, child, tree.now).unwrap();
    assert!(end_turn(&tree.ledger, child, 0.2, tree.now).unwrap().is_none());
    begin_turn(&tree.ledger, child, tree.now).unwrap();
    assert_eq!(limit(begin_turn(&tree.ledger, tree.root, tree.now)), BudgetLimit::Turns);
    assert_eq!(limit(tree.spawn(tree.root, "second", "b")), BudgetLimit::Turns);
    // Changed while it runs; what was used counts on.
    let more = Budget { turns: Some(9), cost_usd: Some(0.5), wall_seconds: Some(60), ..Budget::default() };
    set_budget(&tree.ledger, tree.root, more, tree.now).unwrap();
    begin_turn(&tree.ledger, tree.root, tree.now).unwrap();
    let next = end_turn(&tree.ledger, tree.root, 0.3, tree.now).unwrap().expect("nothing is left");
    assert!(next.to_string().contains("0.50 USD of 0.50 USD used"), "{next}");
    assert_eq!(limit(begin_turn(&tree.ledger, child, tree.now)), BudgetLimit::Cost);
    set_budget(&tree.ledger, tree.root, Budget { wall_seconds: Some(60), ..Budget::default() }, tree.now).unwrap();
    begin_turn(&tree.ledger, child, tree.now).unwrap();
    tree.now += MINUTE;
    assert_eq!(limit(begin_turn(&tree.ledger, child, tree.now)), BudgetLimit::WallTime);
}

#[test]
fn a_turn_writes_one_page_and_one_without_a_known_cost_nothing_at_its_end() {
    /// https://www.sqlite.org/fileformat.html#walformat: each page that a transaction changed, behind a head.
    const FRAME: usize = 24 + 1024;
    let tree = Tree::new(Budget::default());
    let written = || std::fs::read(tree.ledger.path().with_file_name("ledger-wal")).unwrap();
    let before = written();
    begin_turn(&tree.ledger, tree.root, tree.now).unwrap();
    let begun = written();
    assert_eq!(begun.len() - before.len(), FRAME);
    end_turn(&tree.ledger, tree.root, 0.0, tree.now).unwrap();
    assert!(written() == begun, "what a turn without a cost has changed was written");
    end_turn(&tree.ledger, tree.root, 0.2, tree.now).unwrap();
    assert_eq!(written().len() - begun.len(), FRAME);
}

#[test]
fn a_childs_own_budget_counts_beside_those_above_it() {
    let tree = Tree::new(Budget { pods: Some(9), ..Budget::default() });
    let own = Budget { pods: Some(0), turns: Some(1), ..Budget::default() };
    let child = tree.spawn_with(tree.root, "child", "a", "a task", Some(own)).unwrap();
    assert_eq!(limit(tree.spawn(child, "grandchild", "a/deep")), BudgetLimit::Pods);
    tree.spawn(tree.root, "second", "b").unwrap();
    begin_turn(&tree.ledger, child, tree.now).unwrap();
    assert_eq!(limit(begin_turn(&tree.ledger, child, tree.now)), BudgetLimit::Turns);
    begin_turn(&tree.ledger, tree.root, tree.now).unwrap();
}

#[test]
fn the_same_task_is_done_once_unless_it_failed() {
    let tree = Tree::new(Budget::default());
    let again = |name, path| tree.spawn_with(tree.root, name, path, "Fix  the\nbuild", None);
    let first = tree.spawn_with(tree.root, "first", "a", "fix the build", None).unwrap();
    let refused = again("second", "b").unwrap_err();
    assert_eq!(refused.code(), "sameTask");
    assert!(refused.to_string().contains("`first` has this very task"), "{refused}");
    tree.end(first, PodOutcome::Failed);
    let second = again("second", "b").unwrap();
    tree.end(second, PodOutcome::Completed);
    assert!(again("third", "c").unwrap_err().to_string().contains("read_pod_output"));
    assert_eq!(
        tree.spawn_with(tree.root, "x", "c", "other", None).and(tree.spawn(tree.root, "x", "d")).unwrap_err().code(),
        "nameTaken"
    );
}

#[test]
fn a_tree_that_is_being_stopped_grows_no_more() {
    let tree = Tree::new(Budget::default());
    let middle = tree.spawn(tree.root, "middle", "a").unwrap();
    let leaf = tree.spawn(middle, "leaf", "a/deep").unwrap();
    let beside = tree.spawn(tree.root, "beside", "b").unwrap();
    let order: Vec<SessionId> = close(&tree.ledger, middle).unwrap().iter().map(|holder| holder.session).collect();
    assert_eq!(order, [leaf, middle]);
    for refused in [tree.spawn(leaf, "new", "a/deep").map(drop), begin_turn(&tree.ledger, middle, tree.now)] {
        assert_eq!(refused.unwrap_err().code(), "closing");
    }
    assert_eq!(host(&tree.ledger, leaf, keeper(9)).unwrap_err().code(), "closing", "a keeper that comes late goes");
    begin_turn(&tree.ledger, beside, tree.now).unwrap();
    tree.end(leaf, PodOutcome::Cancelled);
    tree.end(middle, PodOutcome::Cancelled);
    reopen(&tree.ledger, middle, keeper(3), tree.now, &alive).unwrap();
    tree.spawn(middle, "new", "a/deep").unwrap();
}

#[test]
fn a_late_end_of_an_earlier_keeper_ends_nothing() {
    let tree = Tree::new(Budget::default());
    let child = tree.spawn(tree.root, "child", "a").unwrap();
    let (old, new) = (keeper(5), keeper(6));
    host(&tree.ledger, child, old).unwrap();
    host(&tree.ledger, child, new).unwrap();
    assert!(end(&tree.ledger, child, old.pod, PodOutcome::Failed, tree.now).unwrap().is_none());
    assert!(end(&tree.ledger, child, new.pod, PodOutcome::Completed, tree.now).unwrap().is_some());
}

#[test]
fn a_reader_reads_on_where_it_was() {
    let tree = Tree::new(Budget::default());
    let child = tree.spawn(tree.root, "child", "a").unwrap();
    assert_eq!(tree.ledger.read_cursor(tree.root, child).unwrap(), 0);
    tree.ledger.set_read_cursor(tree.root, child, 7).unwrap();
    tree.ledger.set_read_cursor(tree.root, child, 5).unwrap();
    assert_eq!(tree.ledger.read_cursor(tree.root, child).unwrap(), 7);
    assert_eq!(tree.ledger.read_cursor(child, tree.root).unwrap(), 0);
}
