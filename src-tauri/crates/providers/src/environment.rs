//! Which environment does an agent get? The user's own, less what would mislead it.
//!
//! Variables of a surrounding agent session are stripped by prefix, so that an agent started from another agent's terminal does
//! not take itself for a child of that one. What the manifest keeps by name (the user's keys and endpoints) passes. Pure: the
//! caller gives the environment and uses what comes back.

use std::collections::BTreeMap;

use crate::manifest::Manifest;

/// Prefixes of variables that agents' CLIs leave in the environment of their children, or that steer them.
pub const STRIPPED: [&str; 9] =
    ["CLAUDE", "CODEX", "OLLAMA", "ANTHROPIC_", "GEMINI_CLI", "OPENCODE", "QWEN_", "COPILOT_", "AI_AGENT"];

/// The prefix that passes although a shorter one is stripped: the user's choice of trial features.
pub const KEPT: &str = "CLAUDE_CODE_EXPERIMENTAL_";

/// An environment for an agent, and what was done to get it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CleanEnvironment {
    /// What the agent gets.
    pub env: BTreeMap<String, String>,
    /// Names that were there and were left out. Never their values.
    pub stripped: Vec<String>,
    /// Extra variables that were refused, each with the reason.
    pub rejected: Vec<(String, String)>,
    /// Names that the manifest requires and that are not there.
    pub missing: Vec<String>,
}

/// The environment of an agent: `base` (the user's login shell) less what is stripped, with `extra` variables that the user set for
/// this session, and the agent's config folder if one is asked for. `~` is expanded in configured values by HOME of `base`.
///
/// Extra variables with a provider's prefix are refused: what they set belongs in the provider's own settings.
#[must_use]
pub fn clean_environment(
    base: &BTreeMap<String, String>,
    manifest: &Manifest,
    extra: &BTreeMap<String, String>,
    config_dir: Option<&str>,
) -> CleanEnvironment {
    let mut clean = CleanEnvironment::default();
    for (name, value) in base {
        if prefix_of(name, manifest).is_none() || manifest.env.keep.contains(name) {
            clean.env.insert(name.clone(), value.clone());
        } else {
            clean.stripped.push(name.clone());
        }
    }
    for (name, value) in extra {
        match objection(name, value, manifest) {
            Some(reason) => clean.rejected.push((name.clone(), reason)),
            None => {
                clean.env.insert(name.clone(), expand_home(value, base));
            }
        }
    }
    if let Some(folder) = config_dir.filter(|folder| !folder.is_empty()) {
        match manifest.config_dir_variable() {
            Some(name) => {
                clean.env.insert(name.to_owned(), expand_home(folder, base));
                clean.stripped.retain(|stripped| stripped != name);
            }
            None => {
                let reason = format!("{} has no config folder that can be set", manifest.name);
                clean.rejected.push(("configDir".to_owned(), reason));
            }
        }
    }
    let is_missing = |name: &&String| clean.env.get(*name).is_none_or(String::is_empty);
    clean.missing = manifest.env.require.iter().filter(is_missing).cloned().collect();
    clean
}

/// `~` and `~/…` with the home folder of `env` in place of the tilde. Anything else stays as it is, also without a home folder.
#[must_use]
pub fn expand_home(value: &str, env: &BTreeMap<String, String>) -> String {
    let home = || env.get("HOME").or_else(|| env.get("USERPROFILE")).filter(|home| !home.is_empty());
    match value.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '\\']) => {
            home().map_or_else(|| value.to_owned(), |home| format!("{}{rest}", home.trim_end_matches(['/', '\\'])))
        }
        Some(_) | None => value.to_owned(),
    }
}

/// Whether a variable can have this name.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// The prefix for which a variable is stripped. Names are compared without regard to case, as Windows does.
fn prefix_of<'a>(name: &str, manifest: &'a Manifest) -> Option<&'a str> {
    let name = name.to_ascii_uppercase();
    if name.starts_with(KEPT) {
        return None;
    }
    let own = manifest.env.strip.iter().map(String::as_str);
    STRIPPED.into_iter().chain(own).find(|prefix| name.starts_with(&prefix.to_ascii_uppercase()))
}

fn objection(name: &str, value: &str, manifest: &Manifest) -> Option<String> {
    if !is_name(name) {
        return Some("it is no name of a variable; use letters, digits and underscores".to_owned());
    }
    if value.contains('\0') {
        return Some("its value contains a NUL character".to_owned());
    }
    let prefix = prefix_of(name, manifest)?;
    let instead = if manifest.env.keep.iter().any(|kept| kept == name) {
        "set it in your shell, from where it reaches this provider"
    } else {
        "use the provider's own settings instead"
    };
    Some(format!("variables that begin with {prefix} belong to a provider and could mislead it; {instead}"))
}
