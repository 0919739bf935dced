//! Who may use which sidecar, and which of its tools?
//!
//! Responsible for the user's rules in the config folder. What no rule speaks of is granted: a sidecar was put into the config folder,
//! or trusted, by the user. Of several rules the one for the session wins over the one for the workspace, and that over the one for all;
//! of equals the last.

use std::path::{Path, PathBuf};

use protocol::sidecar::{SidecarGrant as Rule, SidecarPlace};
use serde::{Deserialize, Serialize};

/// The file in the config folder.
const FILE: &str = "sidecar-grants.toml";
/// Rules that are kept.
const GRANTS: usize = 1000;

/// The user's rules.
#[derive(Debug, Clone)]
pub struct Grants {
    file: PathBuf,
}

/// All rules, read once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// In the order of the file.
    #[serde(default)]
    pub rule: Vec<Rule>,
}

impl Grants {
    /// The rules that are kept in this config folder.
    #[must_use]
    pub fn in_config(config: &Path) -> Self {
        Self { file: config.join(FILE) }
    }

    /// Reads them. Rules that cannot be read grant nothing: somebody wrote them to forbid something.
    #[must_use]
    pub fn read(&self) -> Rules {
        self.rules().unwrap_or_else(|why| {
            tracing::warn!(why, "no sidecar is granted: the rules cannot be read");
            Rules { rule: vec![rule("*", false)] }
        })
    }

    /// Reads them; a file that is not there has none.
    ///
    /// # Errors
    /// In words, when it is there and cannot be read.
    pub fn rules(&self) -> Result<Rules, String> {
        let failed = |why: String| format!("failed to read {}: {why}; correct it or move it away", self.file.display());
        match std::fs::read_to_string(&self.file) {
            Ok(text) => toml::from_str(&text).map_err(|error| failed(error.to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Rules::default()),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Adds a rule in the place of one about the same.
    ///
    /// # Errors
    /// In words, when the file cannot be read or written.
    pub fn set(&self, new: Rule) -> Result<Rules, String> {
        let mut rules = self.rules()?;
        rules.rule.retain(|rule| !is_about_the_same(rule, &new));
        if rules.rule.len() >= GRANTS {
            return Err(format!(
                "{} has {GRANTS} rules already; take back some that are not needed",
                self.file.display()
            ));
        }
        rules.rule.push(new);
        self.write(rules)
    }

    /// Takes the rule about the same back.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn forget(&self, old: &Rule) -> Result<Rules, String> {
        let mut rules = self.rules()?;
        rules.rule.retain(|rule| !is_about_the_same(rule, old));
        self.write(rules)
    }

    fn write(&self, rules: Rules) -> Result<Rules, String> {
        let failed = |why: String| format!("failed to write {}: {why}", self.file.display());
        let text = toml::to_string(&rules).map_err(|error| failed(error.to_string()))?;
        let folder = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        let part = self.file.with_extension(format!("part-{}", std::process::id()));
        std::fs::write(&part, text).map_err(|error| failed(error.to_string()))?;
        std::fs::rename(&part, &self.file).map_err(|error| failed(error.to_string()))?;
        Ok(rules)
    }
}

/// A rule for everybody.
fn rule(sidecar: &str, allow: bool) -> Rule {
    Rule { sidecar: sidecar.to_owned(), workspace: None, session: None, tools: None, allow }
}

fn is_about_the_same(one: &Rule, other: &Rule) -> bool {
    let about = |rule: &Rule| (rule.sidecar.clone(), rule.workspace.clone(), rule.session.clone(), rule.tools.clone());
    about(one) == about(other)
}

impl Rules {
    /// Whether this tool of this sidecar may be used there.
    #[must_use]
    pub fn allow(&self, place: &SidecarPlace, sidecar: &str, tool: &str) -> bool {
        // What the session was started with binds it, whatever the rules say.
        if place.only.as_ref().is_some_and(|only| !only.iter().any(|name| names(name, sidecar, tool))) {
            return false;
        }
        let session = place.session.map(|session| session.to_string());
        let weight = |rule: &Rule| {
            let names = rule.sidecar == "*" || rule.sidecar == sidecar;
            let tools = rule.tools.as_ref().is_none_or(|tools| tools.iter().any(|name| name == tool));
            let in_workspace = rule.workspace.is_none() || rule.workspace == place.workspace;
            let in_session = rule.session.is_none() || rule.session == session;
            let weight = u8::from(rule.workspace.is_some()) + 2 * u8::from(rule.session.is_some());
            (names && tools && in_workspace && in_session).then_some(weight)
        };
        let fitting = self.rule.iter().filter_map(|rule| weight(rule).map(|weight| (weight, rule)));
        // The last of the heaviest.
        fitting.max_by_key(|(weight, _)| *weight).is_none_or(|(_, rule)| rule.allow)
    }
}

impl Rules {
    /// Whether any tool of this sidecar may be used there, whatever it offers.
    #[must_use]
    pub fn allow_any(&self, place: &SidecarPlace, sidecar: &str) -> bool {
        let of_rules = self.rule.iter().flat_map(|rule| rule.tools.iter().flatten().map(String::as_str));
        let of_session = place.only.iter().flatten().filter_map(|name| Some(name.split_once('/')?.1));
        // No tool has an empty name: it stands for all that nobody speaks of.
        of_rules.chain(of_session).chain([""]).any(|tool| self.allow(place, sidecar, tool))
    }
}

/// Whether `git` or `git/log` means this tool.
fn names(name: &str, sidecar: &str, tool: &str) -> bool {
    match name.split_once('/') {
        None => name == sidecar,
        Some((of, one)) => of == sidecar && one == tool,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_was_started_with_some_has_no_others() {
        let only = Some(vec!["git".to_owned(), "lint/run".to_owned()]);
        let place = SidecarPlace { workspace: None, session: None, only };
        let rules = Rules { rule: vec![rule("*", true)] };
        assert!(rules.allow(&place, "git", "log") && rules.allow(&place, "lint", "run"));
        assert!(!rules.allow(&place, "lint", "fix") && !rules.allow(&place, "web", "run"));
        assert!(rules.allow_any(&place, "git") && rules.allow_any(&place, "lint") && !rules.allow_any(&place, "web"));
        let forbidden = Rules { rule: vec![rule("git", false)] };
        assert!(!forbidden.allow(&place, "git", "log"), "a list of its own grants nothing that the user has forbidden");
        let none = SidecarPlace { only: Some(Vec::new()), ..SidecarPlace::default() };
        assert!(!rules.allow(&none, "git", "log"));
    }

    #[test]
    fn a_rule_takes_the_place_of_one_about_the_same_and_is_taken_back() {
        let temp = tempfile::tempdir().unwrap();
        let grants = Grants::in_config(&temp.path().join("config"));
        let in_workspace = Rule { workspace: Some("/w".to_owned()), ..rule("git", true) };
        grants.set(rule("git", true)).unwrap();
        grants.set(in_workspace.clone()).unwrap();
        let rules = grants.set(rule("git", false)).unwrap();
        assert_eq!(rules.rule, [in_workspace.clone(), rule("git", false)]);
        assert_eq!(grants.rules().unwrap(), rules);
        assert_eq!(grants.forget(&rule("git", true)).unwrap().rule, [in_workspace], "whatever it allows");
        std::fs::write(temp.path().join("config").join(FILE), "rule = 1").unwrap();
        assert!(grants.set(rule("git", true)).is_err(), "what cannot be read is not overwritten");
    }

    #[test]
    fn the_most_special_rule_decides() {
        let temp = tempfile::tempdir().unwrap();
        let session: protocol::SessionId = "01900000-0000-7000-8000-000000000001".parse().unwrap();
        let text = format!(
            "[[rule]]\nsidecar = \"*\"\nworkspace = \"/w\"\nallow = false\n\
             [[rule]]\nsidecar = \"git\"\nworkspace = \"/w\"\ntools = [\"log\"]\nallow = true\n\
             [[rule]]\nsidecar = \"lint\"\nsession = \"{session}\"\nallow = true\n"
        );
        std::fs::write(temp.path().join(FILE), text).unwrap();
        let rules = Grants::in_config(temp.path()).read();
        let place =
            |workspace: &str, session| SidecarPlace { workspace: Some(workspace.to_owned()), session, only: None };
        assert!(rules.allow(&place("/other", None), "git", "status"), "what no rule speaks of");
        assert!(!rules.allow(&place("/w", None), "git", "status"));
        assert!(rules.allow(&place("/w", None), "git", "log"));
        assert!(!rules.allow(&place("/w", None), "lint", "run"));
        assert!(rules.allow(&place("/w", Some(session)), "lint", "run"), "the session's own rule");
    }

    #[test]
    fn rules_that_cannot_be_read_grant_nothing() {
        let temp = tempfile::tempdir().unwrap();
        std::fs::write(temp.path().join(FILE), "rule = 1").unwrap();
        assert!(!Grants::in_config(temp.path()).read().allow(&SidecarPlace::default(), "a", "b"));
    }
}
