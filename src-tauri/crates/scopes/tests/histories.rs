#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails may panic")]
//! Thousands of random histories of pods against a model that enumerates files: the same answers, and the promises hold at its end.
//!
//! The model knows nothing of rules that meet or lie within each other: it asks of every file who may write it.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use ledger::Ledger;
use outrigger_scopes::{
    Access, Area, Begin, Holder, Keeper, Refused, Rule, Scope, Spawn, begin, end, reopen, resolve, scope_of, spawn,
};
use proptest::prelude::*;
use protocol::SessionId;
use protocol::limits::TREE_KEPT;
use protocol::scope::{Budget, PodOutcome, ScopePermission, ScopeRule};

const FOLDERS: [&str; 7] = ["", "a/", "b/", "a/a/", "a/b/", "b/a/", "b/b/"];

#[derive(Debug, Clone)]
struct Said {
    writes: bool,
    folder: usize,
    reach: Reach,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Reach {
    /// The file `f` of the folder.
    File,
    Entries,
    Tree,
}

#[derive(Debug, Clone)]
enum Step {
    Begin(Vec<Said>),
    Spawn { by: prop::sample::Index, rules: Vec<Said> },
    End(prop::sample::Index),
    Crash(prop::sample::Index),
    Reopen(prop::sample::Index),
}

fn said() -> impl Strategy<Value = Said> {
    let reach = prop_oneof![Just(Reach::File), Just(Reach::Entries), Just(Reach::Tree)];
    (prop::bool::weighted(0.7), 0..FOLDERS.len(), reach).prop_map(|(writes, folder, reach)| Said {
        writes,
        folder,
        reach,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let rules = || prop::collection::vec(said(), 0..3);
    let any = any::<prop::sample::Index>;
    prop_oneof![
        2 => rules().prop_map(Step::Begin),
        6 => (any(), rules()).prop_map(|(by, rules)| Step::Spawn { by, rules }),
        2 => any().prop_map(Step::End),
        1 => any().prop_map(Step::Crash),
        2 => any().prop_map(Step::Reopen),
    ]
}

/// Every folder with a file that is there, one that is to come, and one in a folder to come.
fn files() -> Vec<String> {
    FOLDERS.iter().flat_map(|folder| ["f", "new", "later/new"].map(|file| format!("{folder}{file}"))).collect()
}

impl Said {
    fn covers(&self, file: &str) -> bool {
        let folder = FOLDERS[self.folder];
        let Some(rest) = file.strip_prefix(folder) else { return false };
        match self.reach {
            Reach::File => rest == "f",
            Reach::Entries => !rest.contains('/'),
            Reach::Tree => true,
        }
    }

    fn rule(&self) -> ScopeRule {
        let folder = FOLDERS[self.folder];
        let path = if self.reach == Reach::File { format!("{folder}f") } else { format!("./{folder}") };
        let permission = if self.writes { ScopePermission::Write } else { ScopePermission::Read };
        ScopeRule { permission, path, recursive: self.reach == Reach::Tree }
    }
}

#[derive(Debug)]
struct Pod {
    session: SessionId,
    spawned_by: Option<usize>,
    rules: Vec<Said>,
    live: bool,
    crashed: bool,
}

#[derive(Debug, Default)]
struct Model {
    pods: Vec<Pod>,
}

impl Model {
    fn lineage(&self, pod: usize) -> Vec<usize> {
        std::iter::successors(self.pods[pod].spawned_by, |above| self.pods[*above].spawned_by).collect()
    }

    fn parent(&self, pod: usize) -> Option<usize> {
        self.lineage(pod).into_iter().find(|above| self.pods[*above].live)
    }

    fn related(&self, one: usize, other: usize) -> bool {
        one == other || self.lineage(one).contains(&other) || self.lineage(other).contains(&one)
    }

    fn may(&self, pod: usize, file: &str, writing: bool) -> bool {
        self.pods[pod].rules.iter().any(|rule| rule.covers(file) && (rule.writes || !writing))
    }

    fn live(&self) -> Vec<usize> {
        (0..self.pods.len()).filter(|pod| self.pods[*pod].live).collect()
    }

    /// Why the pod may not live, by its code.
    fn refusal(&self, pod: usize) -> Option<&'static str> {
        let others: Vec<usize> = self.live().into_iter().filter(|other| !self.related(pod, *other)).collect();
        let contested =
            |file: &String| self.may(pod, file, true) && others.iter().any(|other| self.may(*other, file, true));
        if files().iter().any(contested) {
            return Some("scopeConflict");
        }
        let parent = self.parent(pod)?;
        let beyond =
            |file: &String| [true, false].iter().any(|w| self.may(pod, file, *w) && !self.may(parent, file, *w));
        files().iter().any(beyond).then_some("outsideScope")
    }

    fn expected(&mut self, pod: usize) -> Option<&'static str> {
        let refused = self.refusal(pod);
        if refused == Some("scopeConflict") && self.pods.iter().any(|pod| pod.live && pod.crashed) {
            for pod in &mut self.pods {
                pod.live &= !pod.crashed;
            }
            return self.refusal(pod);
        }
        refused
    }
}

/// One for all histories: what a history leaves is ended, and forgotten by the next one.
struct Machine {
    _folder: tempfile::TempDir,
    workspace: PathBuf,
    ledger: Ledger,
    model: Model,
    now: i64,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().canonicalize().unwrap().join("w");
        for within in FOLDERS {
            std::fs::create_dir_all(workspace.join(within)).unwrap();
            std::fs::write(workspace.join(within).join("f"), "").unwrap();
        }
        let ledger = Ledger::open(&folder.path().join("ledger")).unwrap().ledger;
        Self { _folder: folder, workspace, ledger, model: Model::default(), now: 1_000_000 }
    }

    fn history(&mut self, steps: Vec<Step>) {
        for pod in std::mem::take(&mut self.model.pods) {
            end(&self.ledger, pod.session, None, PodOutcome::Cancelled, self.now).unwrap();
        }
        self.now += i64::try_from(TREE_KEPT.as_millis()).unwrap() + 1;
        for step in steps {
            self.step(step);
        }
        self.check();
    }

    fn rules(&self, said: &[Said]) -> Vec<Rule> {
        let rules: Vec<ScopeRule> = said.iter().map(Said::rule).collect();
        resolve(&rules, Area { workspace: &self.workspace, kept: &[] }).unwrap()
    }

    fn keeper(pod: usize) -> Keeper {
        Keeper { pod: None, pid: u32::try_from(pod).unwrap(), started: 1 }
    }

    fn workspace(&self) -> String {
        self.workspace.to_str().unwrap().to_owned()
    }

    /// Does a step on both sides. What the ledger answered, and the model.
    fn step(&mut self, step: Step) {
        // Spawns that come minutes apart are not what is tested here.
        self.now += 120_000;
        let count = self.model.pods.len();
        match step {
            Step::Begin(rules) => self.claim(None, rules),
            Step::Spawn { by, rules } if count > 0 => {
                let by = by.index(count);
                if self.model.pods[by].live {
                    self.claim(Some(by), rules);
                }
            }
            Step::End(pod) if count > 0 => {
                let pod = &mut self.model.pods[pod.index(count)];
                let ended = end(&self.ledger, pod.session, None, PodOutcome::Failed, self.now).unwrap();
                assert_eq!(ended.is_some(), pod.live, "{pod:?}");
                pod.live = false;
            }
            Step::Crash(pod) if count > 0 => self.model.pods[pod.index(count)].crashed = true,
            Step::Reopen(pod) if count > 0 => self.reopen(pod.index(count)),
            Step::Spawn { .. } | Step::End(_) | Step::Crash(_) | Step::Reopen(_) => {}
        }
    }

    fn claim(&mut self, by: Option<usize>, said: Vec<Said>) {
        let session = SessionId::new();
        let rules = self.rules(&said);
        let number = self.model.pods.len();
        self.model.pods.push(Pod { session, spawned_by: by, rules: said, live: false, crashed: false });
        let expected = self.model.expected(number);
        let dead = self.dead();
        let proof = |holder: &Holder| dead.contains(&holder.session);
        let budget = Some(Budget::default());
        let (name, workspace) = (format!("pod {number}"), self.workspace());
        let answer = match by {
            None => {
                let keeper = Self::keeper(number);
                let root = Begin { session, spawned_by: None, name, workspace, rules: Some(rules), budget, keeper };
                begin(&self.ledger, &root, self.now, &proof)
            }
            Some(by) => {
                let (parent, task, by) = (self.model.pods[by].session, format!("task {number}"), Self::keeper(by));
                let child = Spawn { session, parent, name, task, workspace, rules: Some(rules), budget: None, by };
                spawn(&self.ledger, &child, self.now, &proof)
            }
        };
        // The spawner itself may have been found dead on the way.
        let expected = match by {
            Some(by) if !self.model.pods[by].live => Some("ended"),
            Some(_) | None => expected,
        };
        self.settle(number, answer, expected);
        if !self.model.pods[number].live {
            self.model.pods.pop();
        }
    }

    fn reopen(&mut self, pod: usize) {
        if self.model.pods[pod].live {
            return;
        }
        self.model.pods[pod].crashed = false;
        let expected = self.model.expected(pod);
        let dead = self.dead();
        let proof = |holder: &Holder| dead.contains(&holder.session);
        let answer = reopen(&self.ledger, self.model.pods[pod].session, Self::keeper(pod), self.now, &proof);
        self.settle(pod, answer, expected);
    }

    fn dead(&self) -> HashSet<SessionId> {
        self.model.pods.iter().filter(|pod| pod.crashed).map(|pod| pod.session).collect()
    }

    fn settle(&mut self, pod: usize, answer: Result<(), Refused>, expected: Option<&'static str>) {
        assert_eq!(answer.as_ref().err().map(Refused::code), expected, "{answer:?}\n{:#?}", self.model);
        self.model.pods[pod].live = answer.is_ok();
    }

    /// The promises: one writer for each file, and each pod's scope is its rules less what its children write.
    fn check(&self) {
        let live = self.model.live();
        let scope = |pod: &usize| scope_of(&self.ledger, self.model.pods[*pod].session).unwrap().expect("it lives");
        let scopes: Vec<(usize, Scope)> = live.iter().map(|pod| (*pod, scope(pod))).collect();
        for file in files() {
            let may_write = scopes.iter().filter(|(_, scope)| scope.access(Path::new(&file)) == Access::Write);
            let writers: Vec<usize> = may_write.map(|(pod, _)| *pod).collect();
            assert!(writers.len() <= 1, "{file} has the writers {writers:?}\n{:#?}", self.model);
            // It is the one furthest below of those that were given it; they all stand above each other.
            let given: BTreeSet<usize> =
                live.iter().filter(|pod| self.model.may(**pod, &file, true)).copied().collect();
            let furthest = given.iter().max_by_key(|pod| self.model.lineage(**pod).len());
            assert_eq!(writers.first(), furthest, "{file}\n{:#?}", self.model);
        }
        for pod in &self.model.pods {
            assert_eq!(scope_of(&self.ledger, pod.session).unwrap().is_some(), pod.live);
        }
    }
}

thread_local! {
    static MACHINE: RefCell<Machine> = RefCell::new(Machine::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_history_of_pods_is_what_the_model_says(steps in prop::collection::vec(step(), 1..14)) {
        MACHINE.with_borrow_mut(|machine| machine.history(steps));
    }
}
