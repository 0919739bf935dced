//! The plan of the house, enforced: who may depend on whom, who may know Tauri, how long a file may be, what may be in the tree.
//!
//! Responsible for what a compiler does not check. It judges structure only; behaviour is in `scenarios/`. Each test says in its
//! failure what to do. The rules are explained in ARCHITECTURE.md.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_metadata::{MetadataCommand, Package};
use outrigger_tests::project;

/// Which packages of the workspace a package may depend on. A new edge is a decision: it belongs here and in ARCHITECTURE.md.
/// `outrigger-tests` is not listed, it may use everything.
const ALLOWED: &[(&str, &[&str])] = &[
    ("outrigger-protocol", &[]),
    ("outrigger-process", &["protocol"]),
    ("outrigger-journal", &["protocol"]),
    ("outrigger-permissions", &["protocol"]),
    ("outrigger-providers", &["protocol"]),
    ("outrigger-debuglog", &["protocol"]),
    ("outrigger-transcript", &["protocol", "journal", "providers"]),
    ("outrigger-discovery", &["protocol"]),
    ("outrigger-ledger", &["protocol"]),
    ("outrigger-scopes", &["protocol", "ledger"]),
    ("outrigger-confine", &["protocol", "process"]),
    ("outrigger-archive", &["protocol", "journal", "transcript"]),
    ("outrigger-toolbox", &["protocol", "process"]),
    ("outrigger-earlier", &["protocol", "journal", "transcript"]),
    ("outrigger-driver", &["protocol", "process", "providers"]),
    (
        "outrigger-keeper",
        &[
            "protocol",
            "process",
            "permissions",
            "journal",
            "ledger",
            "scopes",
            "confine",
            "providers",
            "transcript",
            "debuglog",
            "toolbox",
        ],
    ),
    (
        "outrigger-client",
        &[
            "protocol",
            "permissions",
            "journal",
            "ledger",
            "providers",
            "scopes",
            "transcript",
            "discovery",
            "process",
            "earlier",
            "toolbox",
        ],
    ),
    ("outrigger-pods", &["protocol", "client", "transcript"]),
    (
        "outrigger-cli",
        &[
            "protocol",
            "providers",
            "transcript",
            "client",
            "discovery",
            "earlier",
            "driver",
            "keeper",
            "debuglog",
            "archive",
            "confine",
            "scopes",
            "pods",
            "toolbox",
        ],
    ),
    (BARE_WINDOW, &[]),
    ("outrigger-desktop", &["protocol", "providers", "transcript", "client", "discovery", "debuglog", "archive"]),
];

/// The only package of the product that may know Tauri.
const SHELL: &str = "outrigger-desktop";
/// What the bench holds the shell against; no part of the product.
const BARE_WINDOW: &str = "outrigger-bare-window";

/// A file longer than this needs an entry in [`LONG_FILES`].
const LINES: usize = 500;
/// No file may be longer than this.
const LINES_AT_MOST: usize = 800;
/// Files over [`LINES`], each with the reason why a reader is better off with one file.
const LONG_FILES: &[(&str, &str)] = &[];

/// Words that say nothing about what a file is for.
const EMPTY_WORDS: &[&str] = &["manager", "service", "helper", "helpers", "util", "utils", "processor", "misc"];

#[test]
fn crates_depend_only_on_what_the_plan_allows() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut wrong = Vec::new();
    for package in packages.iter().filter(|package| package.name != "outrigger-tests") {
        let allowed = ALLOWED.iter().find(|(name, _)| package.name == *name);
        let Some((_, allowed)) = allowed else {
            wrong.push(format!("{} is not in the table of allowed edges", package.name));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| ours.contains(dependency.name.as_str())) {
            if !allowed.contains(&dependency.name.trim_start_matches("outrigger-")) {
                wrong.push(format!("{} -> {}", package.name, dependency.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "edges that the plan does not allow (see ARCHITECTURE.md, \"Crates\"):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn only_the_shell_knows_tauri() {
    let mut wrong = Vec::new();
    for package in packages().iter().filter(|package| ![SHELL, BARE_WINDOW].contains(&package.name.as_str())) {
        for dependency in &package.dependencies {
            if dependency.name.starts_with("tauri") || ["wry", "tao"].contains(&dependency.name.as_str()) {
                wrong.push(format!("{} -> {}", package.name, dependency.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "only {SHELL} may depend on Tauri; move the code or hand it what it needs:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn only_the_host_folder_of_the_page_knows_tauri() {
    let wrong: Vec<String> = tracked_files()
        .into_iter()
        .filter(|path| path.starts_with("ui/") && !path.starts_with("ui/src/host/"))
        .filter(|path| has_extension(path, &["ts", "js", "mjs", "svelte"]))
        .filter(|path| text(path).contains("@tauri-apps"))
        .collect();
    assert!(
        wrong.is_empty(),
        "only ui/src/host may import @tauri-apps; ask the host for it instead:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_member_says_what_it_is_for() {
    let manifest = text("Cargo.toml");
    let members = manifest.split("members = [").nth(1).and_then(|rest| rest.split("\n]").next());
    let lines = members.expect("the root Cargo.toml lists the members").lines().filter(|line| line.contains('"'));
    let silent: Vec<&str> =
        lines.filter(|line| line.split_once('#').is_none_or(|(_, comment)| comment.trim().len() < 10)).collect();
    assert!(
        silent.is_empty(),
        "members of the workspace without a comment that says what they are for:\n{}",
        silent.join("\n")
    );
}

#[test]
fn files_are_short_enough_to_find_ones_way() {
    let mut wrong = Vec::new();
    let mut long = BTreeSet::new();
    for path in tracked_files().into_iter().filter(|path| has_extension(path, &["rs", "ts", "svelte", "mjs", "css"])) {
        let lines = text(&path).lines().count();
        if lines <= LINES {
            continue;
        }
        long.insert(path.clone());
        if lines > LINES_AT_MOST {
            wrong.push(format!(
                "{path}: {lines} lines, {LINES_AT_MOST} is the most: split it by the questions it answers"
            ));
        } else if !LONG_FILES.iter().any(|(listed, _)| *listed == path) {
            wrong.push(format!("{path}: {lines} lines: split it, or list it in LONG_FILES with the reason"));
        }
    }
    for (listed, _) in LONG_FILES.iter().filter(|(listed, _)| !long.contains(*listed)) {
        wrong.push(format!("{listed} is in LONG_FILES and is not long any more: take it out"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn file_names_say_what_the_file_answers() {
    let wrong: Vec<String> = tracked_files()
        .into_iter()
        .filter(|path| {
            let mut words = path.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
            words.any(|word| EMPTY_WORDS.contains(&word.as_str()))
        })
        .collect();
    assert!(wrong.is_empty(), "names that do not say what the file is for ({EMPTY_WORDS:?}):\n{}", wrong.join("\n"));
}

#[test]
fn no_paths_of_one_machine_are_in_the_tree() {
    let mut paths = vec![format!("{}/", project().display()), ["", "root", ""].join("/")];
    // A home at the top, as some containers have it, would be found in every text.
    paths.extend(std::env::var("HOME").ok().filter(|home| home.len() > 2).map(|home| format!("{home}/")));
    let wrong: Vec<String> = tracked_files()
        .into_iter()
        .filter(|path| {
            let text = text(path);
            paths.iter().any(|of_machine| text.contains(of_machine.as_str()))
        })
        .collect();
    assert!(wrong.is_empty(), "files with absolute paths of one machine ({paths:?}):\n{}", wrong.join("\n"));
}

#[test]
fn lock_files_name_no_download_address() {
    let mut wrong = Vec::new();
    for path in tracked_files() {
        let is_npm = path.ends_with("package-lock.json");
        let is_cargo = path.ends_with("Cargo.lock");
        if !is_npm && !is_cargo {
            continue;
        }
        for line in text(&path).lines().map(str::trim) {
            let of_npm = is_npm && line.starts_with("\"resolved\": \"http");
            let of_cargo = is_cargo
                && line.starts_with("source = ")
                && line != "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
            if of_npm || of_cargo {
                wrong.push(format!("{path}: {line}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "lock files must work with any registry mirror (npm: `npm config set omit-lockfile-registry-resolved true`, then \
         `npm install --package-lock-only`):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_typescript_of_the_wire_types_is_in_sync() {
    let fresh = tempfile::tempdir().unwrap();
    let export = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--package", "outrigger-protocol", "--lib", "export_bindings"])
        .current_dir(project())
        .env("TS_RS_EXPORT_DIR", fresh.path())
        .output()
        .expect("cargo runs, since it runs this test");
    assert!(export.status.success(), "the types could not be generated:\n{}", String::from_utf8_lossy(&export.stderr));
    let fresh = files_below(fresh.path());
    let committed = files_below(&project().join("ui/src/protocol"));
    assert!(fresh.len() > 20, "only {} types were generated: the way to generate them has changed", fresh.len());
    let names: BTreeSet<&String> = fresh.keys().chain(committed.keys()).collect();
    let differing: Vec<String> = names
        .into_iter()
        .filter_map(|name| match (fresh.get(name), committed.get(name)) {
            (Some(now), Some(before)) if now == before => None,
            (Some(_), Some(_)) => Some(format!("{name} has changed")),
            (Some(_), None) => Some(format!("{name} is missing")),
            (None, _) => Some(format!("{name} is generated no more")),
        })
        .collect();
    assert!(differing.is_empty(), "ui/src/protocol is out of date; run `./dev types`:\n{}", differing.join("\n"));
}

fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new().manifest_path(project().join("Cargo.toml")).no_deps().exec();
    metadata.expect("cargo metadata describes the workspace").packages
}

/// Paths from the root of the project: what is tracked, and what would be if it were added.
fn tracked_files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(project())
        .output()
        .expect("git is installed");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let paths = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    // A deleted file is listed until the deletion is committed.
    let paths: Vec<String> =
        paths.split_terminator('\0').map(str::to_owned).filter(|path| project().join(path).is_file()).collect();
    assert!(paths.len() > 50, "only {} files are tracked here", paths.len());
    paths
}

fn has_extension(path: &str, extensions: &[&str]) -> bool {
    Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|found| extensions.contains(&found))
}

/// The text of a file; bytes that are no UTF-8 (pictures) are replaced.
fn text(path: &str) -> String {
    let bytes = fs::read(project().join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The files below `folder` by their path from there, with their bytes.
fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the folder can be read").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            files.extend(
                files_below(&entry.path()).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)),
            );
        } else {
            files.insert(name, fs::read(entry.path()).expect("the file can be read"));
        }
    }
    files
}
