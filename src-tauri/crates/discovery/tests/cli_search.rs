//! An agent CLI is found wherever the user's terminal finds it, and what was not taken has a reason.
#![cfg(unix)]

mod machine;

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use machine::{CLI, Machine, about, verdict};
use outrigger_discovery::{Settings, env_patch, launch, path_for, spawn_path};
use protocol::doctor::{FoundBy, Verdict};

#[test]
fn a_cli_in_a_path_that_only_bashrc_sets_is_found() {
    let machine = Machine::new();
    let cli = machine.install("tools/oarsman", "2.2.0");
    machine.write(".bashrc", "export PATH=\"$HOME/tools:$PATH\"\n");
    let found = machine.search(&machine.request().take()).found.unwrap();
    assert_eq!(found.path, cli);
    assert_eq!(found.source, FoundBy::LoginPath);
    assert_eq!(found.version.as_deref(), Some("2.2.0"));
    assert_eq!(found.in_tested_range, Some(true));
}

#[test]
fn version_managers_folders_are_looked_at_newest_first() {
    let machine = Machine::new();
    machine.install(".nvm/versions/node/v9.9.0/bin/oarsman", "2.1.0");
    let newest = machine.install(".nvm/versions/node/v22.1.0/bin/oarsman", "2.4.0");
    let found = machine.search(&machine.environment(&[])).found.unwrap();
    assert_eq!(found.path, newest);
    assert_eq!(found.source, FoundBy::Tool { name: "nvm".to_owned() });
    assert_eq!(found.in_tested_range, Some(false));
}

#[test]
fn every_managers_folder_is_looked_at() {
    for place in [
        ".volta/bin",
        ".asdf/shims",
        ".local/share/mise/shims",
        ".local/share/pnpm",
        ".yarn/bin",
        ".bun/bin",
        ".npm-global/bin",
        ".local/bin",
        ".claude/local",
        "n/bin",
        ".local/share/fnm/node-versions/v20.0.0/installation/bin",
        ".cargo/bin",
    ] {
        let machine = Machine::new();
        let cli = machine.install(&format!("{place}/oarsman"), "2.2.0");
        let found = machine.search(&machine.environment(&[])).found;
        assert_eq!(found.map(|found| found.path), Some(cli), "{place}");
    }
    let machine = Machine::new();
    machine.write(".npmrc", "registry=x\nprefix = ${HOME}/elsewhere\n");
    let cli = machine.install("elsewhere/bin/oarsman", "2.2.0");
    assert_eq!(machine.search(&machine.environment(&[])).found.unwrap().path, cli);
}

#[test]
fn a_known_place_comes_after_path() {
    let machine = Machine::new();
    let known = machine.install("known/oarsman", "2.1.0");
    let found = machine.search(&machine.environment(&[])).found.unwrap();
    assert_eq!((found.path, found.source), (known.clone(), FoundBy::KnownPlace));
    let in_path = machine.install("bin/oarsman", "2.1.0");
    let search = machine.search(&machine.environment(&["bin"]));
    assert_eq!(search.found.as_ref().unwrap().path, in_path);
    assert_eq!(verdict(&search, &known), Verdict::NotTried);
}

#[test]
fn a_path_set_by_hand_wins_and_is_never_replaced_in_silence() {
    let machine = Machine::new();
    let in_path = machine.install("bin/oarsman", "2.3.0");
    let chosen = machine.install("mine/rower", "2.1.0");
    machine.settings_file("[paths]\noarsman = \"~/nothing\"\n");
    let mut settings = Settings::load(&machine.config());
    settings.choose(CLI, Some(&chosen)).unwrap();
    let env = machine.environment(&["bin"]);
    let found = machine.search(&env).found.unwrap();
    assert_eq!((found.path, found.source), (chosen.clone(), FoundBy::Settings));

    std::fs::remove_file(&chosen).unwrap();
    let search = machine.search(&env);
    assert_eq!(search.found, None);
    let problem = search.problem.as_deref().unwrap();
    assert!(problem.contains("the settings names") && problem.contains("nothing is there"), "{problem}");
    assert!(search.fix.as_deref().unwrap().contains("settings.toml"));
    assert_eq!(verdict(&search, &in_path), Verdict::NotTried);

    let mut env = env;
    env.vars.insert("OUTRIGGER_OARSMAN_PATH".to_owned(), in_path.display().to_string());
    let found = machine.search(&env).found.unwrap();
    assert_eq!((found.path, found.source), (in_path, FoundBy::Variable { name: "OUTRIGGER_OARSMAN_PATH".to_owned() }));
}

#[test]
fn one_that_is_too_old_is_passed_over_and_named_as_the_reason() {
    let machine = Machine::new();
    let old = machine.install("bin/oarsman", "1.9.9");
    let env = machine.environment(&["bin"]);
    let search = machine.search(&env);
    assert_eq!(search.found, None);
    assert_eq!(verdict(&search, &old), Verdict::TooOld);
    let problem = search.problem.unwrap();
    assert!(problem.contains("version 1.9.9; 2.0.0 or newer is needed"), "{problem}");
    assert!(search.fix.unwrap().contains("get oarsman"));

    let new = machine.install("known/oarsman", "2.0.0");
    let search = machine.search(&env);
    assert_eq!(search.found.as_ref().unwrap().path, new);
    assert_eq!(verdict(&search, &old), Verdict::TooOld);
}

#[test]
fn one_that_does_not_name_its_version_in_time_is_taken_with_its_version_unknown() {
    let machine = Machine::new();
    let cli = machine.script("bin/oarsman", "sleep 1000");
    let began = Instant::now();
    let search = machine.search(&machine.environment(&["bin"]));
    assert!(began.elapsed() < Duration::from_secs(4));
    let found = search.found.as_ref().unwrap();
    assert_eq!((found.path.as_path(), found.version.as_deref()), (cli.as_path(), None));
    assert!(about(&search.candidates, &cli).reason.contains("no answer within 1500 ms"));
}

#[test]
fn a_broken_link_a_folder_and_a_file_without_permission_have_their_reasons() {
    let machine = Machine::new();
    let link = machine.home().join("a/oarsman");
    std::fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(machine.home().join("gone/2.0.0/oarsman"), &link).unwrap();
    let plain = machine.write("b/oarsman", "text");
    let folder = machine.home().join("c/oarsman");
    std::fs::create_dir_all(&folder).unwrap();
    let failing = machine.script("d/oarsman", "echo 'library missing' >&2; exit 127");
    let search = machine.search(&machine.environment(&["a", "b", "c", "d"]));
    assert_eq!(search.found, None);
    for (path, reason) in [
        (&link, "gone/2.0.0/oarsman, which does not exist"),
        (&plain, "may not execute"),
        (&folder, "no file"),
        (&failing, "library missing"),
    ] {
        let candidate = about(&search.candidates, path);
        assert_eq!(candidate.verdict, Verdict::Broken, "{candidate:?}");
        assert!(candidate.reason.contains(reason), "{candidate:?}");
    }
}

#[test]
fn a_script_for_node_gets_the_node_that_lies_beside_it() {
    let machine = Machine::new();
    machine.script(".nvm/versions/node/v22.0.0/bin/node", "echo \"2.2.0 by the node beside $1\"");
    machine.executable(".nvm/versions/node/v22.0.0/lib/node_modules/oarsman/cli.js", "#!/usr/bin/env node\n");
    let bin = machine.home().join(".nvm/versions/node/v22.0.0/bin");
    symlink("../lib/node_modules/oarsman/cli.js", bin.join("oarsman")).unwrap();
    // Another node is in PATH, and the link that the user made leads to the manager's link.
    machine.script("tools/node", "echo 'wrong node'; exit 1");
    let own = machine.home().join("tools/oarsman");
    symlink(bin.join("oarsman"), &own).unwrap();
    let env = machine.environment(&["tools"]);
    let search = machine.search(&env);
    let found = search.found.as_ref().unwrap_or_else(|| panic!("{}", search.detail()));
    assert_eq!(found.path, own);
    assert_eq!(found.version.as_deref(), Some("2.2.0"));
    let (name, value) = env_patch(&env, &found.path, None);
    assert_eq!(name, "PATH");
    assert!(value.starts_with(&format!("{}:{}", bin.display(), machine.home().join("tools").display())), "{value}");
}

#[test]
fn a_script_whose_interpreter_is_nowhere_says_so() {
    let machine = Machine::new();
    let cli = machine.executable("bin/oarsman", "#!/usr/bin/env no-such-engine\n");
    let search = machine.search(&machine.environment(&["bin"]));
    assert!(about(&search.candidates, &cli).reason.contains("a script for no-such-engine, which is not in PATH"));
}

#[test]
fn folders_in_path_keep_their_order_and_others_are_put_first() {
    let machine = Machine::new();
    let inside = machine.install("b/oarsman", "2.2.0");
    let outside = machine.install("elsewhere/oarsman", "2.2.0");
    let runtime = machine.script("engine/deno", "");
    let env = machine.environment(&["a", "b"]);
    assert_eq!(path_for(&env, &inside, None), env.vars["PATH"]);
    let patched = path_for(&env, &outside, Some(&runtime));
    let expected =
        [outside.parent().unwrap(), runtime.parent().unwrap()].map(|folder| folder.display().to_string()).join(":");
    assert_eq!(patched, format!("{expected}:{}", env.vars["PATH"]));
}

#[test]
fn nothing_found_names_every_place_and_what_to_do() {
    let machine = Machine::new();
    let search = machine.search(&machine.environment(&["bin"]));
    assert_eq!(search.found, None);
    for place in ["bin/oarsman", "known/oarsman", ".local/bin/oarsman", ".volta/bin/oarsman", ".claude/local/oarsman"] {
        assert_eq!(verdict(&search, &machine.home().join(place)), Verdict::Missing, "{place}");
    }
    let problem = search.problem.as_deref().unwrap();
    assert!(problem.contains(&format!("in any of {} places", search.candidates.len())), "{problem}");
    assert!(search.detail().contains("/usr/bin/oarsman: nothing is there"));
    let fix = search.fix.unwrap();
    assert!(fix.contains("get oarsman") && fix.contains("settings.toml"), "{fix}");
}

#[test]
fn a_cli_that_is_installed_after_the_first_search_is_found_by_the_next() {
    let machine = Machine::new();
    let env = machine.environment(&["bin"]);
    assert_eq!(machine.search(&env).found, None);
    let cli = machine.install("bin/oarsman", "2.2.0");
    assert_eq!(machine.search(&env).found.unwrap().path, cli);
}

#[test]
fn an_update_behind_a_link_is_followed_and_its_version_asked_anew() {
    let machine = Machine::new();
    let old = machine.install("versions/2.1.0/oarsman", "2.1.0");
    let link = machine.home().join("bin/oarsman");
    std::fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(&old, &link).unwrap();
    let env = machine.environment(&["bin"]);
    let found = machine.search(&env).found.unwrap();
    assert_eq!(
        (found.version.as_deref(), found.resolved.as_path()),
        (Some("2.1.0"), old.canonicalize().unwrap().as_path())
    );

    let new = machine.install("versions/2.2.0/oarsman", "2.2.0");
    std::fs::remove_file(&old).unwrap();
    std::fs::remove_file(&link).unwrap();
    assert!(launch(&found.path).unwrap_err().to_string().contains("is not there"));
    symlink(&new, &link).unwrap();
    let now = launch(&found.path).unwrap();
    assert_eq!((now.program, now.resolved), (link.clone(), new.canonicalize().unwrap()));
    assert_eq!(spawn_path(&found.path).unwrap(), link);
    assert_eq!(machine.search(&env).found.unwrap().version.as_deref(), Some("2.2.0"));
}

#[test]
fn an_unchanged_program_is_asked_once_and_a_changed_one_again() {
    let machine = Machine::new();
    let asked = machine.home().join("asked");
    let body = |version: &str| format!("echo x >> '{}'; echo {version}", asked.display());
    let times = || std::fs::read_to_string(&asked).unwrap().lines().count();
    machine.script("bin/oarsman", &body("2.1.0"));
    let env = machine.environment(&["bin"]);
    for _ in 0..3 {
        assert_eq!(machine.search(&env).found.unwrap().version.as_deref(), Some("2.1.0"));
    }
    assert_eq!(times(), 1);
    machine.script("bin/oarsman", &body("2.10.0"));
    assert_eq!(machine.search(&env).found.unwrap().version.as_deref(), Some("2.10.0"));
    assert_eq!(times(), 2);
    // A manager's shim is one file for every version.
    machine.script(".asdf/shims/oarsman", &body("2.1.0"));
    let env = machine.environment(&[".asdf/shims"]);
    machine.search(&env);
    machine.search(&env);
    assert_eq!(times(), 4);
}
