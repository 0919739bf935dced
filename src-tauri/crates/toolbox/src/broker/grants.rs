//! Who may use which sidecar, and which of its tools?
//!
//! Responsible for the user's rules in the config folder. What no rule speaks of is granted: a sidecar was put into the config folder,
//! or trusted, by the user. Of several rules the one for the session wins over the one for the workspace, and that over the one for all;
//! of equals the last.

use std::path::{Path, PathBuf};

use protocol::sidecar::SidecarPlace;
use serde::{Deserialize, Serialize};

/// The file in the config folder.
const FILE: &str = "sidecar-grants.toml";

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

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The sidecar's name; `*` is all.
    pub sidecar: String,
    /// For sessions in this workspace only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// For this session, and so its pod, only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// These of its tools only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
    /// Whether it is granted.
    pub allow: bool,
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
        let nothing = || Rules {
            rule: vec![Rule { sidecar: "*".to_owned(), workspace: None, session: None, tools: None, allow: false }],
        };
        match std::fs::read_to_string(&self.file) {
            Ok(text) => toml::from_str(&text).unwrap_or_else(|error| {
                tracing::warn!(file = %self.file.display(), %error, "no sidecar is granted: the rules cannot be read");
                nothing()
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Rules::default(),
            Err(_) => nothing(),
        }
    }
}

impl Rules {
    /// Whether this tool of this sidecar may be used there.
    #[must_use]
    pub fn allow(&self, place: &SidecarPlace, sidecar: &str, tool: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

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
        let place = |workspace: &str, session| SidecarPlace { workspace: Some(workspace.to_owned()), session, only: None };
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
