//! What is a request about? The part of its input that decides whether two requests are of a kind.
//!
//! Errs on the side of asking: where the input is not understood, or reaches outside of the agent's folder, there is no subject, so no
//! rule is offered and none answers.

use std::path::{Component, Path, PathBuf};

use protocol::permission::RuleSubject;
use protocol::runner::{PermissionAsk, ToolKind};
use serde_json::Value;

/// Fields that name one file.
const PATHS: [&str; 7] = ["file_path", "filePath", "path", "notebook_path", "destination", "from", "to"];
/// Fields whose entries each name one in `path`.
const LISTS: [&str; 3] = ["changes", "locations", "edits"];
/// Fields that take a command out of the fence that its tool puts around it.
const UNFENCED: [&str; 3] = ["dangerouslyDisableSandbox", "with_escalated_permissions", "additionalPermissions"];

/// What the request of an agent that works in `cwd` is about. Looks at the disk to follow links.
#[must_use]
pub fn subject(ask: &PermissionAsk, cwd: &Path) -> Option<RuleSubject> {
    let input = &ask.input;
    // Questions and plans are answered, not allowed.
    if ask.tool_name.is_empty() || input.get("questions").is_some() || input.get("plan").is_some() {
        return None;
    }
    match ask.kind {
        ToolKind::Execute => command(input),
        ToolKind::Edit | ToolKind::Delete | ToolKind::Move | ToolKind::Read | ToolKind::Search => files(input, cwd),
        ToolKind::Fetch => Some(input.get("url").and_then(Value::as_str).map_or(RuleSubject::Tool, host)),
        ToolKind::Delegate => Some(RuleSubject::Tool),
        // A tool of a server that the user named. Of others nothing is known, not even whether they widen the agent's fence.
        ToolKind::Think | ToolKind::Other => ask.tool_name.starts_with("mcp__").then_some(RuleSubject::Tool),
    }
}

/// The files that a request names and would change: edited, removed, moved. As they are named; what a command does to files is not
/// told by its request.
#[must_use]
pub fn written_files(ask: &PermissionAsk) -> Vec<PathBuf> {
    match ask.kind {
        ToolKind::Edit | ToolKind::Delete | ToolKind::Move => named(&ask.input).map(PathBuf::from).collect(),
        ToolKind::Execute
        | ToolKind::Read
        | ToolKind::Search
        | ToolKind::Fetch
        | ToolKind::Delegate
        | ToolKind::Think
        | ToolKind::Other => Vec::new(),
    }
}

fn named(input: &Value) -> impl Iterator<Item = &str> {
    let single = PATHS.iter().filter_map(|field| input.get(field)?.as_str());
    let listed = LISTS.iter().filter_map(|field| input.get(field)?.as_array()).flatten();
    single.chain(listed.filter_map(|entry| entry.get("path")?.as_str()))
}

fn command(input: &Value) -> Option<RuleSubject> {
    if UNFENCED
        .iter()
        .any(|field| input.get(field).is_some_and(|value| *value != Value::Bool(false) && !value.is_null()))
    {
        return None;
    }
    let command = match input.get("command")? {
        Value::String(text) => text.clone(),
        words @ Value::Array(_) => words.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    let cwd = input.get("cwd").and_then(Value::as_str).map(str::to_owned);
    (!command.trim().is_empty()).then_some(RuleSubject::Command { command, cwd })
}

fn host(url: &str) -> RuleSubject {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    RuleSubject::Host { host: host.to_ascii_lowercase() }
}

/// Folders in a workspace out of which programs are run that nobody confines: hooks, and tool sidecars.
const RUN_FROM: [&str; 2] = [".git", ".outrigger"];

/// The agent's folder, when all files that the input names are in it.
fn files(input: &Value, cwd: &Path) -> Option<RuleSubject> {
    let named: Vec<&str> = named(input).collect();
    let below = std::fs::canonicalize(cwd).ok()?;
    let inside = |path: &&str| {
        let real = real(&below.join(path));
        let run_from = |rest: &Path| rest.iter().any(|part| RUN_FROM.iter().any(|name| part == *name));
        real.is_some_and(|real| real.strip_prefix(&below).is_ok_and(|rest| !run_from(rest)))
    };
    let all = !named.is_empty() && named.iter().all(inside);
    all.then(|| RuleSubject::Files { below: below.to_string_lossy().into_owned() })
}

/// Where a path really leads; its last parts need not be there yet.
fn real(path: &Path) -> Option<PathBuf> {
    if path.components().any(|part| part == Component::ParentDir) {
        return None;
    }
    let mut missing = Vec::new();
    let mut there = path;
    loop {
        match std::fs::canonicalize(there) {
            Ok(found) => return Some(missing.iter().rev().fold(found, |path: PathBuf, part| path.join(part))),
            // A link that leads nowhere can be made to lead anywhere.
            Err(_) if there.is_symlink() => return None,
            Err(_) => {
                missing.push(there.file_name()?);
                there = there.parent()?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(tool: &str, kind: ToolKind, input: Value) -> PermissionAsk {
        PermissionAsk {
            request_id: "r".to_owned(),
            tool_call_id: None,
            tool_name: tool.to_owned(),
            title: String::new(),
            kind,
            input,
            options: Vec::new(),
            sidecar: None,
        }
    }

    fn of(tool: &str, kind: ToolKind, input: Value) -> Option<RuleSubject> {
        subject(&ask(tool, kind, input), Path::new("/"))
    }

    #[test]
    fn a_command_is_its_words_and_its_place() {
        let plain = of("Bash", ToolKind::Execute, json!({ "command": "ls", "description": "Lists", "timeout": 1 }));
        assert_eq!(plain, Some(RuleSubject::Command { command: "ls".to_owned(), cwd: None }));
        let placed = of("command", ToolKind::Execute, json!({ "command": "ls", "cwd": "/tmp" }));
        assert_eq!(placed, Some(RuleSubject::Command { command: "ls".to_owned(), cwd: Some("/tmp".to_owned()) }));
        let unfenced = json!({ "command": "ls", "dangerouslyDisableSandbox": true });
        assert_eq!(of("Bash", ToolKind::Execute, unfenced), None);
        assert_eq!(
            of("Bash", ToolKind::Execute, json!({ "command": "ls", "dangerouslyDisableSandbox": false })),
            plain
        );
        assert_eq!(of("Bash", ToolKind::Execute, json!({})), None);
    }

    #[test]
    fn questions_plans_and_unknown_tools_have_no_subject() {
        assert_eq!(of("AskUserQuestion", ToolKind::Other, json!({ "questions": [] })), None);
        assert_eq!(of("ExitPlanMode", ToolKind::Think, json!({ "plan": "x" })), None);
        assert_eq!(of("permissions", ToolKind::Other, json!({ "network": true })), None);
        assert_eq!(of("mcp__lamp__light", ToolKind::Other, json!({})), Some(RuleSubject::Tool));
    }

    #[test]
    fn what_would_be_written_is_named() {
        let written = |kind, input| written_files(&ask("Tool", kind, input));
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(written(ToolKind::Edit, json!({ "file_path": "a.rs", "old_string": "/b" })), paths(&["a.rs"]));
        assert_eq!(
            written(ToolKind::Move, json!({ "from": "a", "to": "../b", "changes": [{ "path": "c" }] })),
            paths(&["a", "../b", "c"])
        );
        assert_eq!(written(ToolKind::Read, json!({ "file_path": "a.rs" })), paths(&[]));
    }

    #[test]
    fn a_fetch_is_about_its_host() {
        let host = |url: &str| match of("WebFetch", ToolKind::Fetch, json!({ "url": url })) {
            Some(RuleSubject::Host { host }) => host,
            other => panic!("{other:?}"),
        };
        assert_eq!(host("https://Docs.rs/serde?x"), "docs.rs");
        assert_eq!(host("https://docs.rs@evil.example/"), "evil.example");
        assert_eq!(host("https://evil.example\\@docs.rs/"), "evil.example");
    }

    #[test]
    fn files_are_those_in_the_agents_folder_and_links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let cwd = std::fs::canonicalize(folder.path()).unwrap();
        let below = Some(RuleSubject::Files { below: cwd.to_string_lossy().into_owned() });
        let edit = |path: &str| subject(&ask("Edit", ToolKind::Edit, json!({ "file_path": path })), &cwd);
        assert_eq!(edit("new/deep/file.rs"), below);
        assert_eq!(edit(cwd.join("a.rs").to_str().unwrap()), below);
        assert_eq!(edit("../a.rs"), None);
        assert_eq!(edit("/etc/passwd"), None);
        assert_eq!(edit(".git/hooks/pre-commit"), None);
        assert_eq!(edit(".outrigger/sidecars/lint/server.mjs"), None);
        let several = json!({ "changes": [{ "path": "a" }, { "path": outside.path() }] });
        assert_eq!(subject(&ask("apply_patch", ToolKind::Edit, several), &cwd), None);
        assert_eq!(subject(&ask("Edit", ToolKind::Edit, json!({})), &cwd), None);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path(), cwd.join("docs")).unwrap();
            std::os::unix::fs::symlink(outside.path().join("gone"), cwd.join("dangling")).unwrap();
            assert_eq!(edit("docs/authorized_keys"), None, "a link leads outside");
            assert_eq!(edit("dangling"), None);
        }
    }
}
