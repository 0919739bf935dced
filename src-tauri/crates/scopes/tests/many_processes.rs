#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails may panic")]
//! Fifty processes spawn at once: no two pods ever hold what overlaps, and a budget is never exceeded by one.
//!
//! The spawners are this test's own program, started again with a variable that tells it what to ask for.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ledger::{Ledger, TreePod};
use outrigger_scopes::{Area, Begin, Keeper, Refused, Rule, Spawn, begin, default_budget, end, resolve, spawn, used};
use protocol::SessionId;
use protocol::scope::{Budget, PodOutcome, ScopePermission, ScopeReach, ScopeRule};

const SPAWNERS: usize = 50;
const ROUNDS: usize = 6;
const LEDGER: &str = "SCOPES_TEST_LEDGER";
const WORKSPACE: &str = "SCOPES_TEST_WORKSPACE";
const PARENT: &str = "SCOPES_TEST_PARENT";
const NUMBER: &str = "SCOPES_TEST_NUMBER";
/// Each overlaps others in its own way.
const PARTS: [(&str, bool); 10] = [
    ("a", true),
    ("a/a", true),
    ("a/b", true),
    ("a", false),
    ("a/a/file", false),
    ("b", true),
    ("b", false),
    ("b/b/", true),
    (".", false),
    ("b/a/new", false),
];

struct Place {
    folder: tempfile::TempDir,
    parent: SessionId,
}

impl Place {
    fn new(budget: Budget) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for within in ["a/a", "a/b", "b/a", "b/b"] {
            std::fs::create_dir_all(folder.path().join("w").join(within)).unwrap();
        }
        std::fs::write(folder.path().join("w/a/a/file"), "").unwrap();
        let place = Self { folder, parent: SessionId::new() };
        let workspace = place.workspace();
        let root = Begin {
            session: place.parent,
            spawned_by: None,
            name: "root".to_owned(),
            workspace: workspace.to_str().unwrap().to_owned(),
            rules: Some(rules(&workspace, ".", true)),
            budget: Some(budget),
            keeper: Keeper { pod: None, pid: 1, started: 1 },
        };
        begin(&place.ledger(), &root, 0, &|_| false).unwrap();
        place
    }

    fn workspace(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("w")
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(&self.folder.path().join("ledger")).unwrap().ledger
    }

    fn start(&self, number: usize) -> Child {
        let mut spawner = Command::new(std::env::current_exe().unwrap());
        spawner.args(["--exact", "spawner"]).env(LEDGER, self.folder.path().join("ledger"));
        spawner.env(WORKSPACE, self.workspace()).env(PARENT, self.parent.to_string()).env(NUMBER, number.to_string());
        spawner.stdout(Stdio::null()).spawn().unwrap()
    }

    /// All spawners at once, to their end.
    fn storm(&self) {
        let spawners: Vec<Child> = (0..SPAWNERS).map(|number| self.start(number)).collect();
        for mut spawner in spawners {
            assert!(spawner.wait().unwrap().success(), "a spawner failed");
        }
    }
}

fn rules(workspace: &Path, path: &str, recursive: bool) -> Vec<Rule> {
    let rule = ScopeRule { permission: ScopePermission::Write, path: path.to_owned(), recursive };
    resolve(&[rule], Area { workspace, kept: &[] }).unwrap()
}

/// What a spawner does: asks for parts, and gives some of them back.
#[test]
fn spawner() {
    let Some(path) = std::env::var_os(LEDGER) else { return };
    let said = |name| std::env::var(name).unwrap();
    let (workspace, number) = (PathBuf::from(said(WORKSPACE)), said(NUMBER).parse::<usize>().unwrap());
    let ledger = Ledger::open(Path::new(&path)).unwrap().ledger;
    let mut held: Option<SessionId> = None;
    for round in 0..ROUNDS {
        if let Some(session) = held.take().filter(|_| round % 2 == 1) {
            assert!(end(&ledger, session, None, PodOutcome::Failed, 1).unwrap().is_some());
        }
        let (path, recursive) = PARTS[(number + round * 3) % PARTS.len()];
        let child = Spawn {
            session: SessionId::new(),
            parent: said(PARENT).parse().unwrap(),
            name: format!("pod {number} {round}"),
            task: format!("task {number} {round}"),
            workspace: said(WORKSPACE),
            rules: Some(rules(&workspace, path, recursive)),
            budget: None,
            by: Keeper { pod: None, pid: std::process::id(), started: 1 },
        };
        match spawn(&ledger, &child, 1, &|_| false) {
            Ok(()) => {
                check_no_overlap(&ledger.live_trees().unwrap());
                held = Some(child.session);
            }
            Err(Refused::Conflict { .. } | Refused::Budget { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

/// By the paths alone, as a reader of the ledger sees them.
fn check_no_overlap(pods: &[TreePod]) {
    let children = pods.iter().filter(|pod| pod.ended.is_none() && pod.spawned_by.is_some());
    let held: Vec<(SessionId, &Path, ScopeReach)> = children
        .flat_map(|pod| pod.rules.iter().map(|rule| (pod.session, Path::new(&rule.held.path), rule.held.reach)))
        .collect();
    let covers = |path: &Path, reach: ScopeReach, file: &Path| match reach {
        ScopeReach::File => file == path,
        ScopeReach::Entries => file.parent() == Some(path),
        ScopeReach::Tree => file != path && file.starts_with(path),
    };
    // A file of each kind that any rule could be about stands for all.
    let files: Vec<PathBuf> =
        held.iter().flat_map(|(_, path, _)| [path.to_path_buf(), path.join("x"), path.join("x/y")]).collect();
    for file in files {
        let holders: Vec<_> = held.iter().filter(|(_, path, reach)| covers(path, *reach, &file)).collect();
        assert!(holders.len() <= 1, "{} is held by {holders:?}", file.display());
    }
}

#[test]
fn fifty_spawners_never_hold_what_overlaps() {
    let place = Place::new(Budget::default());
    place.storm();
    let pods = place.ledger().live_trees().unwrap();
    check_no_overlap(&pods);
    let spawned = pods.iter().filter(|pod| pod.spawned_by.is_some()).count();
    assert!(spawned >= 4, "only {spawned} spawns went through: nothing was tested");
}

#[test]
fn fifty_spawners_never_exceed_a_budget() {
    let budget = Budget { pods: Some(3), spawns: Some(9), ..default_budget() };
    let place = Place::new(Budget { spawns_per_minute: None, ..budget });
    place.storm();
    let pods = place.ledger().live_trees().unwrap();
    let used = used(&pods, place.parent, 1);
    assert!((4..=9).contains(&used.spawns), "{used:?}");
    assert!((1..=3).contains(&used.pods), "{used:?}");
}
