//! With `OUTRIGGER_HOME` everything that Outrigger writes is in that folder: a user's other folders are afterwards as they were.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use outrigger_tests::{Ended, Home, Program};

/// The user's folders, by the variables that name them, all below the test's own.
const FOLDERS: [(&str, &str); 5] = [
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_DATA_HOME", "data"),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_STATE_HOME", "state"),
    ("TMPDIR", "tmp"),
];

/// Every file and folder below one, with the time of its last change.
fn everything_in(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let meta = entry.metadata().unwrap();
        if meta.is_dir() {
            found.extend(everything_in(&entry.path()));
        }
        found.insert(entry.path(), meta.modified().unwrap());
    }
    found
}

fn outrigger(home: &Home, user: &Path, args: &[&str]) -> Ended {
    let mut command = home.command(args);
    for (variable, folder) in FOLDERS {
        command.env(variable, user.join(folder));
    }
    Program::start(command).finish()
}

#[test]
fn nothing_is_written_outside_of_it() {
    let home = Home::new();
    let user = home.user_home();
    FOLDERS.iter().for_each(|(_, folder)| std::fs::create_dir_all(user.join(folder)).unwrap());
    let workspace = home.workspace();
    let cwd = workspace.to_str().unwrap();
    let before = everything_in(&user);
    let run = ["run", "--provider", "demo", "--permissions", "deny", "--cwd", cwd, "Read this project."];
    outrigger(&home, &user, &run).assert_code(0);
    for args in [&["ps", "--all"][..], &["search", "lighthouse"], &["usage"], &["import", "--list"], &["uninstall"]] {
        outrigger(&home, &user, args).assert_code(0);
    }
    // It may say that something is missing on this machine.
    outrigger(&home, &user, &["doctor"]);
    home.assert_nobody_left();
    let after = everything_in(&user);
    let written: Vec<&PathBuf> =
        after.iter().filter(|(path, at)| before.get(*path) != Some(at)).map(|(path, _)| path).collect();
    assert!(written.is_empty(), "{written:?}");
    // What was done is all there.
    assert_eq!(home.sessions().len(), 1);
    assert!(home.path().join("data/ledger.sqlite3").exists() && home.path().join("data/archive.sqlite3").exists());
}
