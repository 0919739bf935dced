//! Which version of the CLI is this, and does it know a flag?
//!
//! An unknown flag makes many CLIs exit at once, so a flag that came late is passed only where it is known to be there.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// How long a CLI may take to tell its version or its help.
const ANSWER: Duration = Duration::from_secs(5);

/// What the CLI prints for these arguments; empty when it fails or does not answer in time.
pub(crate) async fn ask(cli: &str, args: &[String]) -> String {
    let mut command = Command::new(cli);
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(ANSWER, command.output()).await {
        Ok(Ok(output)) => {
            let both = [output.stdout, output.stderr].concat();
            String::from_utf8_lossy(&both).into_owned()
        }
        Ok(Err(_)) | Err(_) => String::new(),
    }
}

/// The first version number in a text: three numbers with dots between them.
pub(crate) fn first_version(text: &str) -> Option<String> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    words
        .filter_map(|word| numbers(word.trim_matches('.')))
        .find(|numbers| numbers.len() >= 3)
        .map(|numbers| numbers.iter().take(3).map(u64::to_string).collect::<Vec<_>>().join("."))
}

/// Whether `version` is `least` or newer. A version that cannot be read is neither.
pub(crate) fn is_at_least(version: &str, least: &str) -> bool {
    match (numbers(version), numbers(least)) {
        (Some(mut version), Some(mut least)) => {
            let parts = version.len().max(least.len());
            version.resize(parts, 0);
            least.resize(parts, 0);
            version >= least
        }
        (_, None) | (None, Some(_)) => false,
    }
}

fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

/// Which flags that came late this CLI has.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    missing: Vec<String>,
}

impl Flags {
    /// Of `since`, those that the version is too old for and its help does not name.
    pub(crate) fn of(since: &BTreeMap<String, String>, version: Option<&str>, help: &str) -> Self {
        let sure = |least: &String| version.is_some_and(|version| is_at_least(version, least));
        let missing = since.iter().filter(|(flag, least)| !sure(least) && !names(help, flag));
        Self { missing: missing.map(|(flag, _)| flag.clone()).collect() }
    }

    /// Whether the help has to be read to know.
    pub(crate) fn need_help(since: &BTreeMap<String, String>, version: Option<&str>) -> bool {
        !since.values().all(|least| version.is_some_and(|version| is_at_least(version, least)))
    }

    /// Whether the CLI has it. What no manifest calls late is taken to be there.
    pub(crate) fn has(&self, flag: &str) -> bool {
        !self.missing.iter().any(|missing| missing == flag)
    }
}

fn names(help: &str, flag: &str) -> bool {
    help.split(|c: char| c.is_whitespace() || ",=<[".contains(c)).any(|word| word == flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_and_compared_by_number() {
        assert_eq!(first_version("2.1.329 (Claude Code)").as_deref(), Some("2.1.329"));
        assert_eq!(first_version("tool v0.24.4-beta.1\n").as_deref(), Some("0.24.4"));
        assert_eq!(first_version("no version 1.2"), None);
        assert!(is_at_least("2.10.0", "2.9.9") && is_at_least("2.1.0", "2.1") && !is_at_least("2.1.197", "2.1.329"));
        assert!(!is_at_least("new", "1.0"));
    }

    #[test]
    fn a_late_flag_is_there_by_version_or_by_help() {
        let since = BTreeMap::from([("--forward".to_owned(), "2.1.329".to_owned())]);
        assert!(Flags::of(&since, Some("2.1.329"), "").has("--forward"));
        assert!(!Flags::of(&since, Some("2.1.197"), "  --forward-all  x").has("--forward"));
        assert!(Flags::of(&since, None, "  -f, --forward <what>").has("--forward"));
        assert!(Flags::of(&since, None, "").has("--other"));
        assert!(Flags::need_help(&since, None) && !Flags::need_help(&since, Some("3.0.0")));
    }
}
