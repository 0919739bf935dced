//! How is a rule made of what a request is about, and does it allow another one?

use std::path::Path;

use jiff::Timestamp;
use protocol::permission::{PermissionRule, RuleReach, RuleSubject};

/// A new rule.
#[must_use]
pub fn rule(reach: RuleReach, tool: &str, about: RuleSubject) -> PermissionRule {
    PermissionRule {
        id: uuid::Uuid::now_v7().to_string(),
        reach,
        tool: tool.to_owned(),
        words: about.words(tool),
        about,
        made_at: format!("{:.3}", Timestamp::now()),
    }
}

/// Whether a rule allows a tool to do this.
#[must_use]
pub fn allows(rule: &PermissionRule, tool: &str, about: &RuleSubject) -> bool {
    if rule.tool != tool {
        return false;
    }
    match (&rule.about, about) {
        // An agent in a part of the workspace works on files of the workspace.
        (RuleSubject::Files { below }, RuleSubject::Files { below: asked }) => Path::new(asked).starts_with(below),
        (
            RuleSubject::Command { .. } | RuleSubject::Files { .. } | RuleSubject::Host { .. } | RuleSubject::Tool,
            about,
        ) => rule.about == *about,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_allows_what_it_was_made_of_and_nothing_else() {
        let command = |command: &str| RuleSubject::Command { command: command.to_owned(), cwd: None };
        let tests = rule(RuleReach::Session, "Bash", command("cargo test"));
        assert_eq!(tests.words, "exactly `cargo test`");
        assert!(allows(&tests, "Bash", &command("cargo test")));
        assert!(!allows(&tests, "Bash", &command("cargo test && rm -rf ~")));
        assert!(!allows(&tests, "PowerShell", &command("cargo test")));
        assert!(!allows(&tests, "Bash", &RuleSubject::Tool));
    }

    #[test]
    fn a_rule_on_files_holds_below_its_folder() {
        let files = |below: &str| RuleSubject::Files { below: below.to_owned() };
        let edits = rule(RuleReach::Workspace, "Edit", files("/src/oars"));
        assert!(allows(&edits, "Edit", &files("/src/oars/crates")));
        assert!(!allows(&edits, "Edit", &files("/src/oars-2")));
        assert!(!allows(&edits, "Edit", &files("/src")));
    }
}
