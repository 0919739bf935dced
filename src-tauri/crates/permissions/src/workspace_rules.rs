//! The file with the rules that hold for every session of a workspace: `permissions.toml` beside the user's settings.
//!
//! Not in the workspace itself, where what came with a checkout could allow things. Written by many keepers at once, under a lock, and
//! read anew for each request, so that a rule that was taken back holds no longer anywhere. A file that cannot be read allows nothing.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use protocol::limits::RULES;
use protocol::permission::{PermissionRule, RuleReach, RuleSubject};
use serde::{Deserialize, Serialize};

/// The file's name in the config folder.
pub const FILE: &str = "permissions.toml";

const HEAD: &str =
    "# What was allowed \"always, in this workspace\". A block that is deleted is asked about again.\n\n";

/// Why a rule could not be kept or taken back.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The file cannot be read or written.
    #[error("failed to change {}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is malformed, and writing would lose what is in it.
    #[error("failed to change {}: {problem}. Correct the file or move it away", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// There are as many as there may be.
    #[error("this workspace has {RULES} rules already; take back some that are not needed")]
    TooMany,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceRules {
    file: PathBuf,
}

/// The file as it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
struct RulesFile {
    #[serde(default)]
    rule: Vec<StoredRule>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StoredRule {
    id: String,
    workspace: String,
    tool: String,
    made_at: String,
    allow: RuleSubject,
}

impl WorkspaceRules {
    /// The rules in this file, whether it is there or not.
    #[must_use]
    pub fn at(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into() }
    }

    /// The rules in a config folder.
    #[must_use]
    pub fn in_config(folder: &Path) -> Self {
        Self::at(folder.join(FILE))
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The rules of a workspace, oldest first.
    ///
    /// # Errors
    /// When the file is there and cannot be understood.
    pub fn of(&self, workspace: &str) -> Result<Vec<PermissionRule>, RulesError> {
        let all = self.read()?.rule;
        Ok(all.into_iter().filter(|rule| rule.workspace == workspace).map(StoredRule::shown).collect())
    }

    /// The rule that allows this, if one does. None when the file cannot be understood: then somebody is asked.
    #[must_use]
    pub fn find(&self, workspace: &str, tool: &str, about: &RuleSubject) -> Option<PermissionRule> {
        self.of(workspace).ok()?.into_iter().find(|rule| crate::allows(rule, tool, about))
    }

    /// Keeps a rule.
    ///
    /// # Errors
    /// When there are too many, or the file cannot be written.
    pub fn add(&self, workspace: &str, rule: &PermissionRule) -> Result<(), RulesError> {
        self.change(|rules| {
            if rules.iter().filter(|known| known.workspace == workspace).count() >= RULES {
                return Err(RulesError::TooMany);
            }
            rules.push(StoredRule {
                id: rule.id.clone(),
                workspace: workspace.to_owned(),
                tool: rule.tool.clone(),
                made_at: rule.made_at.clone(),
                allow: rule.about.clone(),
            });
            Ok(())
        })
    }

    /// Takes a rule of a workspace back. One that is not there is no error.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remove(&self, workspace: &str, id: &str) -> Result<(), RulesError> {
        self.change(|rules| {
            rules.retain(|rule| rule.id != id || rule.workspace != workspace);
            Ok(())
        })
    }

    fn change(&self, change: impl FnOnce(&mut Vec<StoredRule>) -> Result<(), RulesError>) -> Result<(), RulesError> {
        let failed = |source| RulesError::Io { file: self.file.clone(), source };
        let folder = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed)?;
        // The lock has a file of its own, because the rules' file is replaced.
        let lock = File::create(self.file.with_extension("lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut all = self.read()?;
        change(&mut all.rule)?;
        let text = toml::to_string(&all)
            .map_err(|error| RulesError::Malformed { file: self.file.clone(), problem: error.to_string() })?;
        let written = || {
            let mut new = tempfile::NamedTempFile::new_in(folder)?;
            new.write_all(HEAD.as_bytes())?;
            new.write_all(text.as_bytes())?;
            new.persist(&self.file).map(drop).map_err(|error| error.error)
        };
        written().map_err(failed)
    }

    fn read(&self) -> Result<RulesFile, RulesError> {
        let text = match std::fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(RulesFile::default()),
            Err(source) => return Err(RulesError::Io { file: self.file.clone(), source }),
        };
        toml::from_str(&text)
            .map_err(|error| RulesError::Malformed { file: self.file.clone(), problem: error.to_string() })
    }
}

impl StoredRule {
    fn shown(self) -> PermissionRule {
        let Self { id, workspace: _, tool, made_at, allow } = self;
        PermissionRule { id, reach: RuleReach::Workspace, words: allow.words(&tool), tool, about: allow, made_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(command: &str) -> RuleSubject {
        RuleSubject::Command { command: command.to_owned(), cwd: None }
    }

    #[test]
    fn a_rule_holds_in_its_workspace_until_it_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let rules = WorkspaceRules::in_config(folder.path());
        assert_eq!(rules.of("/w").unwrap(), Vec::new());
        let made = crate::rule(RuleReach::Workspace, "Bash", command("printf '\"\\n'\nls"));
        rules.add("/w", &made).unwrap();
        rules.add("/w", &crate::rule(RuleReach::Workspace, "Fetch", RuleSubject::Tool)).unwrap();
        assert_eq!(rules.of("/w").unwrap()[0], made);
        assert_eq!(rules.find("/w", "Bash", &made.about), Some(made.clone()));
        assert_eq!(rules.find("/other", "Bash", &made.about), None);
        rules.remove("/other", &made.id).unwrap();
        rules.remove("/w", &made.id).unwrap();
        assert_eq!(rules.find("/w", "Bash", &made.about), None);
        assert_eq!(rules.of("/w").unwrap().len(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_understood_allows_nothing_and_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let rules = WorkspaceRules::in_config(folder.path());
        std::fs::write(rules.file(), "[[rule]]\nworkspace = 7\n").unwrap();
        assert_eq!(rules.find("/w", "Bash", &command("ls")), None);
        let made = crate::rule(RuleReach::Workspace, "Bash", command("ls"));
        assert!(rules.add("/w", &made).unwrap_err().to_string().contains("Correct the file"));
        assert_eq!(std::fs::read_to_string(rules.file()).unwrap(), "[[rule]]\nworkspace = 7\n");
    }

    #[test]
    fn rules_that_are_made_at_one_time_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let rules = WorkspaceRules::in_config(folder.path());
        std::thread::scope(|scope| {
            for number in 0..16 {
                let rules = &rules;
                scope.spawn(move || {
                    let made = crate::rule(RuleReach::Workspace, "Bash", command(&format!("echo {number}")));
                    rules.add("/w", &made).unwrap();
                });
            }
        });
        assert_eq!(rules.of("/w").unwrap().len(), 16);
    }
}
