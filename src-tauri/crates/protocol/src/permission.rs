//! Who answers when an agent asks for permission: people, always the same answer, or a rule that somebody made with "always".
//!
//! Types only. What a request is about and where rules of a workspace are kept is the business of the crate `permissions`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The answer that a pod gives to every request of its agent by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum PermissionPolicy {
    /// None: somebody is asked, unless a rule answers.
    #[default]
    Ask,
    /// Every request is allowed.
    Allow,
    /// Every request is denied, whatever the rules say.
    Deny,
}

/// How far a rule reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum RuleReach {
    /// The session in which it was made, over all resumes.
    Session,
    /// Every session of the workspace. Kept with the user's settings, never in the workspace: what came with a checkout must not
    /// allow anything.
    Workspace,
}

/// What a rule allows, or a request is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum RuleSubject {
    /// Exactly this command.
    Command {
        /// As the agent wrote it.
        command: String,
        /// Where, when the agent said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        cwd: Option<String>,
    },
    /// Files in and below a folder, links followed; never those of git itself.
    Files {
        /// The folder.
        below: String,
    },
    /// What is fetched from a host.
    Host {
        /// Its name.
        host: String,
    },
    /// Every call of the tool.
    Tool,
}

/// A rule: what it is about passes without a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PermissionRule {
    /// Its id.
    pub id: String,
    /// How far it reaches.
    pub reach: RuleReach,
    /// The tool, as the provider names it.
    pub tool: String,
    /// What it allows.
    pub about: RuleSubject,
    /// The same for people, in a line.
    pub words: String,
    /// When it was made, RFC 3339.
    pub made_at: String,
}

impl RuleSubject {
    /// What a rule about this allows a tool to do, for people: a line that follows on "allow".
    #[must_use]
    pub fn words(&self, tool: &str) -> String {
        match self {
            Self::Command { command, cwd: None } => format!("exactly `{command}`"),
            Self::Command { command, cwd: Some(cwd) } => format!("exactly `{command}` in {cwd}"),
            Self::Files { below } => format!("{tool} on files in {below}"),
            Self::Host { host } => format!("{tool} from {host}"),
            Self::Tool => format!("every call of {tool}"),
        }
    }
}
