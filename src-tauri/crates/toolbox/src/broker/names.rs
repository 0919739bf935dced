//! What is each tool called to an agent?
//!
//! A tool keeps its name as long as no other sidecar of the same agent offers one of that name; then each is called by its sidecar and
//! its name. A name that agents do not take is made into one that they do.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::limits::TOOL_NAME_BYTES;

/// The names under which these tools (sidecar, tool) are offered, in their order. No two are equal, none is in `taken`.
#[must_use]
pub fn offered(tools: &[(&str, &str)], taken: &HashSet<String>) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (_, tool) in tools {
        *counts.entry(plain(tool)).or_default() += 1;
    }
    let mut used = taken.clone();
    let mut names = Vec::with_capacity(tools.len());
    for (sidecar, tool) in tools {
        let alone = plain(tool);
        let clashes = counts.get(&alone).is_some_and(|count| *count > 1) || taken.contains(&alone);
        let wanted = if clashes { plain(&format!("{sidecar}__{tool}")) } else { alone };
        let name = if used.contains(&wanted) { marked(&wanted, &format!("{sidecar}/{tool}")) } else { wanted };
        used.insert(name.clone());
        names.push(name);
    }
    names
}

/// Letters, digits, `_` and `-`, and not too long.
fn plain(name: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let text: String = name.chars().map(fit).collect();
    if text.len() > TOOL_NAME_BYTES { marked(&text, name) } else { text }
}

/// A name with a few digits at its end that stand for the whole.
fn marked(name: &str, whole: &str) -> String {
    let digest = Sha256::digest(whole.as_bytes());
    let digits: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let kept: String = name.chars().take(TOOL_NAME_BYTES - digits.len() - 1).collect();
    format!("{kept}_{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_until_they_clash() {
        let taken = HashSet::from(["spawn_pod".to_owned()]);
        let names = offered(
            &[("git", "status"), ("git", "log"), ("lint", "status"), ("lint", "spawn_pod"), ("lint", "a.b/c")],
            &taken,
        );
        assert_eq!(names, ["git__status", "log", "lint__status", "lint__spawn_pod", "a_b_c"]);
    }

    #[test]
    fn no_two_are_equal_and_none_is_too_long() {
        let long = "x".repeat(100);
        let other = format!("{long}y");
        let tools = [
            ("a", "b__c"),
            ("a__b", "c"),
            ("s", "c"),
            ("l", long.as_str()),
            ("l", other.as_str()),
            ("m", "a.b"),
            ("m", "a/b"),
            ("m", "a b"),
        ];
        let names = offered(&tools, &HashSet::new());
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
        assert!(names.iter().all(|name| name.len() <= TOOL_NAME_BYTES), "{names:?}");
    }
}
