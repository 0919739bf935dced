//! The page `docs/sidecars.md`, followed literally in each language: `outrigger sidecar new` makes what the page shows, and that is
//! built and called by hand and by an agent.
//!
//! The languages' own package tools do their work from the registries, with what they have kept of earlier runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outrigger_tests::{Home, RealClis, project};
use serde_json::Value;

use crate::sidecars::end_owner;
use crate::stage::any;

/// What a build may take on a slow machine.
const BUILD: Duration = Duration::from_secs(20 * 60);

#[test]
fn the_javascript_of_the_page_is_a_tool_that_an_agent_calls() {
    followed("JavaScript", |_| {});
}

#[test]
fn the_python_of_the_page_is_a_tool_that_an_agent_calls() {
    followed("Python", |_| {});
}

#[test]
fn the_rust_of_the_page_is_a_tool_that_an_agent_calls() {
    followed("Rust", |folder| {
        // Pinned, and compiled once for each pin: the page's own first build is the first of these.
        let lock = project().join("tests/real_clis/pins/sidecar-template/Cargo.lock");
        fs::copy(lock, folder.join("Cargo.lock")).unwrap();
        let compiled = RealClis::installed().homes().with_file_name("sidecar-template");
        fs::create_dir_all(&compiled).unwrap();
        std::os::unix::fs::symlink(compiled, folder.join("target")).unwrap();
    });
}

fn followed(language: &str, prepared: impl FnOnce(&Path)) {
    let home = Home::new();
    let workspace = home.workspace();
    lend_package_tools(&home);
    let template = language.to_lowercase();
    home.run(["sidecar", "new", "--template", &template, "words"]).assert_code(0);
    let folder = home.path().join("config/sidecars/words");
    assert_eq!(files(&folder, Path::new("")), shown(language), "the page shows what is made");
    prepared(&folder);

    let text = r#"{"text": "a lamp, a lens and a keeper"}"#;
    let called = home.start(["sidecar", "call", "words", "count_words", text]).with_patience(BUILD).finish();
    called.assert_code(0);
    assert_eq!(called.stdout, ["7 words"]);
    let logs = home.run(["sidecar", "logs", "words"]);
    assert!(logs.stdout.iter().any(|line| line.contains("counted 7 words")), "{:#?}", logs.stdout);

    let prompt = r#"demo:tool=outrigger__count_words {"text": "the lighthouse"}"#;
    let words =
        ["run", "--json", "--provider", "demo", "--mode", "bypass", "--cwd", workspace.to_str().unwrap(), prompt];
    let ran = home.run(words);
    ran.assert_code(0);
    let is_answer = |item: &Value| {
        let call = &item["body"];
        call["type"] == "toolCall" && call["status"] == "completed" && call.to_string().contains("2 words")
    };
    assert!(any(&ran.json(), is_answer), "{:#?}", ran.json());
    end_owner(&home);
    home.assert_nobody_left();
}

/// The files that the page shows below the heading of a language.
fn shown(language: &str) -> BTreeMap<PathBuf, String> {
    let page = fs::read_to_string(project().join("docs/sidecars.md")).unwrap();
    let (_, section) = page.split_once(&format!("\n### {language}\n")).unwrap();
    let section = section.split("\n##").next().unwrap();
    let mut files = BTreeMap::new();
    // `FILE`:, an empty line, and the file between fences.
    let mut parts = section.split("\n```");
    while let (Some(before), Some(block)) = (parts.next(), parts.next()) {
        let name = before.trim_end().lines().last().unwrap();
        let name = name.strip_prefix('`').and_then(|name| name.strip_suffix("`:")).unwrap();
        let (_language, text) = block.split_once('\n').unwrap();
        files.insert(PathBuf::from(name), format!("{text}\n"));
    }
    files
}

/// The files below a folder, by their paths in it.
fn files(root: &Path, below: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let path = below.join(entry.unwrap().file_name());
        if root.join(&path).is_dir() {
            found.extend(files(root, &path));
        } else {
            let text = fs::read_to_string(root.join(&path)).unwrap();
            found.insert(path, text);
        }
    }
    found
}

/// Lets the package tools of a home have the settings and the caches that they have on this machine.
fn lend_package_tools(home: &Home) {
    let own = PathBuf::from(std::env::var_os("HOME").unwrap());
    for name in [".npmrc", ".npm", ".config/pip", ".cache/pip"] {
        let link = home.user_home().join(name);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        if own.join(name).exists() {
            std::os::unix::fs::symlink(own.join(name), link).unwrap();
        }
    }
    // By their real paths: cargo compiles anew what lies elsewhere than before.
    let profile = home.user_home().join(".profile");
    let mut text = fs::read_to_string(&profile).unwrap();
    for (variable, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        let place = std::env::var_os(variable).map_or_else(|| own.join(folder), PathBuf::from);
        text.push_str(&format!("export {variable}='{}'\n", place.display()));
    }
    fs::write(&profile, text).unwrap();
}
