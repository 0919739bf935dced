//! Runners are executed by deno, then node, then bun, if they are new enough, or by the one that the user set.
#![cfg(unix)]

mod machine;

use machine::{Machine, about};
use outrigger_discovery::{RuntimeKind, Search, Settings};
use protocol::doctor::Verdict;

fn candidates(search: &outrigger_discovery::RuntimeSearch) -> Vec<protocol::doctor::Candidate> {
    search.candidates.iter().map(|(_, candidate)| candidate.clone()).collect()
}

#[test]
fn deno_comes_first_with_its_arguments() {
    let machine = Machine::new();
    let deno = machine.script("bin/deno", "echo 'deno 2.1.0 (stable)'");
    machine.script("bin/node", "echo v22.0.0");
    let env = machine.environment(&["bin"]);
    let found = Search::new(&env, &Settings::default(), None).runtime().found.unwrap();
    assert_eq!((found.kind, found.path, found.version.as_deref()), (RuntimeKind::Deno, deno, Some("2.1.0")));
    assert_eq!(found.args[..2], ["run", "--allow-all"]);
}

#[test]
fn an_old_deno_and_a_hanging_one_give_way_to_node() {
    for deno in ["echo 'deno 1.46.3'", "sleep 1000", "exit 1"] {
        let machine = Machine::new();
        let deno = machine.script("bin/deno", deno);
        let node = machine.script("bin/node", "echo v20.0.0");
        let env = machine.environment(&["bin"]);
        let search = Search::new(&env, &Settings::default(), None).runtime();
        let found = search.found.as_ref().unwrap();
        assert_eq!((found.kind, &found.path), (RuntimeKind::Node, &node));
        assert!(found.args.is_empty());
        let verdict = about(&candidates(&search), &deno).verdict;
        assert!(matches!(verdict, Verdict::TooOld | Verdict::Broken), "{verdict:?}");
    }
}

#[test]
fn a_runtime_set_by_hand_is_the_only_one() {
    let machine = Machine::new();
    machine.script("bin/deno", "echo 'deno 2.1.0'");
    let bun = machine.script("mine/bun", "echo 1.3.0");
    let env = machine.environment(&["bin"]);
    machine.settings_file("[paths]\nruntime = \"~/x\"\n");
    let mut settings = Settings::load(&machine.config());
    settings.choose("runtime", Some(&bun)).unwrap();
    let found = Search::new(&env, &settings, None).runtime().found.unwrap();
    assert_eq!((found.kind, found.path), (RuntimeKind::Bun, bun));

    let old = machine.script("mine/node", "echo v16.20.0");
    settings.choose("runtime", Some(&old)).unwrap();
    let search = Search::new(&env, &settings, None).runtime();
    assert_eq!(search.found, None);
    let problem = search.problem.unwrap();
    assert!(problem.contains("mine/node: version 16.20.0; 18.17.0 or newer is needed"), "{problem}");
    assert!(search.fix.unwrap().contains("settings.toml"));
}

#[test]
fn a_path_for_one_kind_leaves_the_order_of_kinds() {
    let machine = Machine::new();
    let node = machine.script("mine/node", "echo v23.0.0");
    let mut settings = Settings::load(&machine.config());
    settings.choose("node", Some(&node)).unwrap();
    let env = machine.environment(&[]);
    assert_eq!(Search::new(&env, &settings, None).runtime().found.unwrap().path, node);
    let deno = machine.script("bin/deno", "echo 'deno 2.1.0'");
    let env = machine.environment(&["bin"]);
    assert_eq!(Search::new(&env, &settings, None).runtime().found.unwrap().path, deno);
}
