//! Which MCP servers that nobody here wrote are tried as sidecars, and which call proves each of their tools?
//!
//! The reference servers; `pins/mcp-servers/` says in which version, `mcp_servers.mjs` installs them. Each is one manifest and no more.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use outrigger_tests::{Home, project};
use serde_json::{Value, json};

/// A call of a tool.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) server: &'static str,
    pub(crate) tool: &'static str,
    pub(crate) input: Value,
    /// Words of its answer.
    pub(crate) says: String,
}

/// Whoever calls works on things of its own, so that callers do not meet.
pub(crate) struct Caller {
    name: String,
    folder: PathBuf,
    page: String,
}

/// The servers' names.
pub(crate) const NAMES: [&str; 7] =
    ["everything", "filesystem", "memory", "sequential-thinking", "git", "time", "fetch"];

/// Writes a manifest for each of them into a home's config folder. All sessions of the home share them.
pub(crate) fn settle_in(home: &Home) {
    let commands = installed();
    let workspace = home.workspace();
    let graph = home.user_home().join("graph.jsonl");
    for name in NAMES {
        let mut words: Vec<&str> =
            commands[name].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        let mut more = String::new();
        match name {
            "filesystem" => words.push(workspace.to_str().unwrap()),
            "memory" => more = format!("env.set.MEMORY_FILE_PATH = {:?}\n", graph.to_str().unwrap()),
            "time" => words.extend(["--local-timezone", "Europe/Berlin"]),
            // The page that it fetches is on this machine.
            "fetch" => words.push("--allow-private-ips"),
            _ => {}
        }
        let folder = home.path().join("config/sidecars").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("sidecar.toml"), format!("run = {words:?}\nshare = \"machine\"\n{more}")).unwrap();
    }
}

/// The command of each, by name.
fn installed() -> Value {
    let output = Command::new("node").arg(project().join("tests/real_clis/mcp_servers.mjs")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

impl Caller {
    /// Makes its folder in the home's workspace, with a repository in it. `url` is the stand-in's, which has a page to fetch.
    pub(crate) fn new(home: &Home, name: &str, url: &str) -> Self {
        let folder = home.workspace().join(name);
        let repository = folder.join("repository");
        fs::create_dir_all(&repository).unwrap();
        fs::write(folder.join("lamp.txt"), "a lamp\na lens\n").unwrap();
        fs::write(repository.join("keeper.txt"), "awake\n").unwrap();
        for words in [
            "init --quiet --initial-branch=main",
            "config user.name Keeper",
            "config user.email keeper@lighthouse.example",
            "add keeper.txt",
            "commit --quiet --message=first",
        ] {
            let mut git = Command::new("git");
            home.furnish(&mut git);
            let ended = git.args(words.split(' ')).current_dir(&repository).output().unwrap();
            assert!(ended.status.success(), "git {words}: {}", String::from_utf8_lossy(&ended.stderr));
        }
        fs::write(repository.join("keeper.txt"), "asleep\n").unwrap();
        Self { name: name.to_owned(), folder, page: format!("{url}/lighthouse") }
    }

    /// A call of every tool of every server, in an order in which they can be made.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let of = |server, calls: Vec<(&'static str, Value, String)>| {
            calls.into_iter().map(move |(tool, input, says)| Call { server, tool, input, says })
        };
        of("everything", everything())
            .chain(of("filesystem", self.filesystem()))
            .chain(of("memory", self.memory()))
            .chain(of("sequential-thinking", thinking()))
            .chain(of("git", self.git()))
            .chain(of("time", time()))
            .chain(of("fetch", vec![("fetch", json!({ "url": self.page }), "turns once in ten seconds".to_owned())]))
            .collect()
    }

    fn at(&self, path: &str) -> String {
        self.folder.join(path).to_str().unwrap().to_owned()
    }

    fn filesystem(&self) -> Vec<(&'static str, Value, String)> {
        let lamp = self.at("lamp.txt");
        vec![
            ("list_allowed_directories", json!({}), says("workspace")),
            ("create_directory", json!({ "path": self.at("made") }), says("made")),
            ("write_file", json!({ "path": self.at("made/lens.txt"), "content": "tall\n" }), says("lens.txt")),
            ("read_file", json!({ "path": lamp }), says("a lens")),
            ("read_text_file", json!({ "path": lamp, "head": 1 }), says("a lamp")),
            ("read_media_file", json!({ "path": lamp }), says("")),
            ("read_multiple_files", json!({ "paths": [lamp, self.at("made/lens.txt")] }), says("tall")),
            (
                "edit_file",
                json!({ "path": lamp, "edits": [{ "oldText": "a lens", "newText": "a mirror" }] }),
                says("+a mirror"),
            ),
            ("list_directory", json!({ "path": self.at("") }), says("[FILE] lamp.txt")),
            ("list_directory_with_sizes", json!({ "path": self.at("") }), says("lamp.txt")),
            ("directory_tree", json!({ "path": self.at("made") }), says("lens.txt")),
            (
                "move_file",
                json!({ "source": self.at("made/lens.txt"), "destination": self.at("made/glass.txt") }),
                says("moved"),
            ),
            ("search_files", json!({ "path": self.at(""), "pattern": "**/*.txt" }), says("glass.txt")),
            ("get_file_info", json!({ "path": lamp }), says("size")),
        ]
    }

    fn memory(&self) -> Vec<(&'static str, Value, String)> {
        let (lamp, lens) = (format!("lamp of {}", self.name), format!("lens of {}", self.name));
        let entity = |name: &str| json!({ "name": name, "entityType": "part", "observations": ["it is bright"] });
        let relation = json!({ "from": lamp, "to": lens, "relationType": "shines through" });
        vec![
            ("create_entities", json!({ "entities": [entity(&lamp), entity(&lens)] }), lamp.clone()),
            ("create_relations", json!({ "relations": [relation] }), says("shines through")),
            (
                "add_observations",
                json!({ "observations": [{ "entityName": lamp, "contents": ["it turns"] }] }),
                says("it turns"),
            ),
            ("read_graph", json!({}), lens.clone()),
            ("search_nodes", json!({ "query": lamp }), says("it turns")),
            ("open_nodes", json!({ "names": [lens] }), lens.clone()),
            (
                "delete_observations",
                json!({ "deletions": [{ "entityName": lamp, "observations": ["it turns"] }] }),
                says("deleted"),
            ),
            ("delete_relations", json!({ "relations": [relation] }), says("deleted")),
            ("delete_entities", json!({ "entityNames": [lamp, lens] }), says("deleted")),
        ]
    }

    fn git(&self) -> Vec<(&'static str, Value, String)> {
        let repo_path = self.at("repository");
        let with = |more: Value| {
            let mut input = json!({ "repo_path": repo_path });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        vec![
            ("git_status", with(json!({})), says("On branch main")),
            ("git_diff_unstaged", with(json!({})), says("+asleep")),
            ("git_diff", with(json!({ "target": "HEAD" })), says("+asleep")),
            ("git_add", with(json!({ "files": ["keeper.txt"] })), says("staged")),
            ("git_diff_staged", with(json!({})), says("+asleep")),
            ("git_commit", with(json!({ "message": "the second" })), says("committed")),
            ("git_reset", with(json!({})), says("reset")),
            ("git_log", with(json!({ "max_count": 5 })), says("the second")),
            ("git_show", with(json!({ "revision": "HEAD" })), says("+asleep")),
            ("git_create_branch", with(json!({ "branch_name": "night" })), says("night")),
            ("git_checkout", with(json!({ "branch_name": "night" })), says("night")),
            ("git_branch", with(json!({ "branch_type": "local" })), says("night")),
        ]
    }
}

fn says(words: &str) -> String {
    words.to_owned()
}

fn everything() -> Vec<(&'static str, Value, String)> {
    vec![
        ("echo", json!({ "message": "ahoy" }), says("ahoy")),
        ("get-sum", json!({ "a": 19, "b": 23 }), says("42")),
        ("get-env", json!({}), says("PATH")),
        ("get-tiny-image", json!({}), says("")),
        ("get-annotated-message", json!({ "messageType": "success" }), says("success")),
        ("get-structured-content", json!({ "location": "New York" }), says("temperature")),
        ("get-resource-links", json!({ "count": 2 }), says("")),
        ("get-resource-reference", json!({ "resourceType": "Text", "resourceId": 1 }), says("")),
        ("gzip-file-as-resource", json!({ "name": "x.gz", "data": "data:text/plain,lamp" }), says("")),
        ("toggle-simulated-logging", json!({}), says("")),
        ("toggle-subscriber-updates", json!({}), says("")),
        ("trigger-long-running-operation", json!({ "duration": 1, "steps": 2 }), says("completed")),
    ]
}

fn thinking() -> Vec<(&'static str, Value, String)> {
    let thought =
        json!({ "thought": "The lamp turns.", "nextThoughtNeeded": false, "thoughtNumber": 1, "totalThoughts": 1 });
    vec![("sequentialthinking", thought, says("thoughtNumber"))]
}

fn time() -> Vec<(&'static str, Value, String)> {
    let noon = json!({ "source_timezone": "Europe/Berlin", "time": "12:00", "target_timezone": "Asia/Tokyo" });
    vec![
        ("get_current_time", json!({ "timezone": "Asia/Tokyo" }), says("Asia/Tokyo")),
        ("convert_time", noon, says("Asia/Tokyo")),
    ]
}
