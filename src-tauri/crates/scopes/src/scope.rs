//! What may a pod do with a path, now? Its rules less what it has given on to its children, and how that is told.

use std::path::{Path, PathBuf};

use protocol::SessionId;
use protocol::scope::ScopePermission;

use crate::reach::Rule;
use crate::resolve::comparable;

/// The scope of a live pod at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// What it was given; `None` when it works without a scope, so that nothing is refused to it.
    pub rules: Option<Vec<Rule>>,
    /// What its children may write now, and it may not.
    pub taken: Vec<Taken>,
    /// What its paths are relative to.
    pub workspace: PathBuf,
}

/// A rule that a child has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The child.
    pub session: SessionId,
    /// What it is called.
    pub name: String,
    /// The rule.
    pub rule: Rule,
}

/// What a pod may do with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Read and write it.
    Write,
    /// Only read it: writing is its child's, if there is one here, or was not given.
    Read(Option<Taken>),
    /// Nothing.
    Nothing,
}

impl Scope {
    /// What may be done with this path; a relative one is one of the workspace. Links are followed. It need not exist.
    #[must_use]
    pub fn access(&self, path: &Path) -> Access {
        let path = comparable(&self.workspace.join(path));
        if let Some(taken) = self.taken.iter().find(|taken| taken.rule.covers(&path)) {
            return Access::Read(Some(taken.clone()));
        }
        let Some(rules) = &self.rules else { return Access::Write };
        let covering = rules.iter().filter(|rule| rule.covers(&path) || rule.same == path);
        covering.fold(Access::Nothing, |so_far, rule| match (so_far, rule.writes() && rule.covers(&path)) {
            (Access::Write, _) | (_, true) => Access::Write,
            (Access::Read(_) | Access::Nothing, false) => Access::Read(None),
        })
    }

    /// The scope in words, with paths relative to the workspace.
    #[must_use]
    pub fn words(&self) -> String {
        let Some(rules) = &self.rules else { return "everything".to_owned() };
        in_words(rules, &self.workspace.to_string_lossy())
    }
}

/// Rules in words: `write src (with all below it), read README.md`.
#[must_use]
pub fn in_words(rules: &[Rule], workspace: &str) -> String {
    if rules.is_empty() {
        return "nothing".to_owned();
    }
    rules.iter().map(|rule| shown(rule, workspace)).collect::<Vec<String>>().join(", ")
}

/// A rule in words, its path relative to the workspace where it lies within.
#[must_use]
pub fn shown(rule: &Rule, workspace: &str) -> String {
    let permission = match rule.held.permission {
        ScopePermission::Read => "read",
        ScopePermission::Write => "write",
    };
    let path = match rule.path().strip_prefix(workspace) {
        Ok(inside) if inside.as_os_str().is_empty() => ".".to_owned(),
        Ok(inside) => inside.display().to_string(),
        Err(_) => rule.held.path.clone(),
    };
    let reach = match rule.held.reach {
        protocol::scope::ScopeReach::File => "",
        protocol::scope::ScopeReach::Entries => " (files directly in it)",
        protocol::scope::ScopeReach::Tree => " (with all below it)",
    };
    format!("{permission} {path}{reach}")
}
