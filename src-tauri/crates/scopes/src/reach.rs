//! What does a rule cover, and do two of them meet? Pure: paths are compared as they are written.
//!
//! Coverage is about the paths of files: a folder's own entry belongs to the rule that covers the folder around it.

use std::path::{Path, PathBuf};

use protocol::scope::{HeldRule, ScopePermission, ScopeReach};

/// A rule that a pod holds or asks for, with its path settled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule {
    pub(crate) held: HeldRule,
    /// The path in a form in which two names of one file are equal: in lower case where the file system does not tell case apart.
    pub(crate) same: PathBuf,
}

impl Rule {
    /// As it crosses boundaries.
    #[must_use]
    pub fn held(&self) -> &HeldRule {
        &self.held
    }

    /// Whether it allows to write.
    #[must_use]
    pub fn writes(&self) -> bool {
        match self.held.permission {
            ScopePermission::Write => true,
            ScopePermission::Read => false,
        }
    }

    /// Where it begins.
    #[must_use]
    pub fn path(&self) -> &Path {
        Path::new(&self.held.path)
    }

    /// Whether the path, in the form of `same`, is covered.
    pub(crate) fn covers(&self, path: &Path) -> bool {
        match self.held.reach {
            ScopeReach::File => path == self.same,
            ScopeReach::Entries => path.parent() == Some(&self.same),
            ScopeReach::Tree => path.starts_with(&self.same) && path != self.same,
        }
    }

    /// Whether everything that `self` covers is covered by `other`. As names are without number, no two other rules can do
    /// together what neither does alone.
    pub(crate) fn within(&self, other: &Self) -> bool {
        match (self.held.reach, other.held.reach) {
            (ScopeReach::File, ScopeReach::File | ScopeReach::Entries | ScopeReach::Tree) => other.covers(&self.same),
            (ScopeReach::Entries, ScopeReach::Entries) => self.same == other.same,
            (ScopeReach::Entries | ScopeReach::Tree, ScopeReach::Tree) => self.same.starts_with(&other.same),
            (ScopeReach::Entries | ScopeReach::Tree, ScopeReach::File) | (ScopeReach::Tree, ScopeReach::Entries) => {
                false
            }
        }
    }

    /// Whether some path of a file is covered by both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        match (self.held.reach, other.held.reach) {
            (ScopeReach::File, ScopeReach::File | ScopeReach::Entries | ScopeReach::Tree) => other.covers(&self.same),
            (ScopeReach::Entries | ScopeReach::Tree, ScopeReach::File) => self.covers(&other.same),
            (ScopeReach::Entries, ScopeReach::Entries) => self.same == other.same,
            (ScopeReach::Entries, ScopeReach::Tree) => self.same.starts_with(&other.same),
            (ScopeReach::Tree, ScopeReach::Entries) => other.same.starts_with(&self.same),
            (ScopeReach::Tree, ScopeReach::Tree) => {
                self.same.starts_with(&other.same) || other.same.starts_with(&self.same)
            }
        }
    }
}

/// The rules without those that another one of them makes superfluous.
pub(crate) fn without_superfluous(rules: Vec<Rule>) -> Vec<Rule> {
    let mut kept: Vec<Rule> = Vec::new();
    for rule in rules {
        let includes = |a: &Rule, b: &Rule| b.within(a) && (a.writes() || !b.writes());
        if kept.iter().any(|other| includes(other, &rule)) {
            continue;
        }
        kept.retain(|other| !includes(&rule, other));
        kept.push(rule);
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 3] = ["a", "b", "c"];

    fn path() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(&NAMES[..]), 0..3).prop_map(|parts| format!("/{}", parts.join("/")))
    }

    fn rule() -> impl Strategy<Value = Rule> {
        let reach = prop::sample::select(&[ScopeReach::File, ScopeReach::Entries, ScopeReach::Tree][..]);
        let permission = prop::sample::select(&[ScopePermission::Read, ScopePermission::Write][..]);
        (path(), reach, permission).prop_map(|(path, reach, permission)| Rule {
            same: PathBuf::from(&path),
            held: HeldRule { permission, path, reach },
        })
    }

    /// Every path of up to four names out of the three and one that no rule says, which stands for all others.
    fn universe() -> Vec<PathBuf> {
        let mut all = vec![PathBuf::from("/")];
        let mut last = all.clone();
        for _ in 0..4 {
            let longer = |path: &PathBuf| ["a", "b", "c", "new"].map(|name| path.join(name));
            last = last.iter().flat_map(longer).collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn meeting_and_lying_within_are_what_the_covered_paths_say(one in rule(), other in rule()) {
            let paths = universe();
            let both = paths.iter().any(|path| one.covers(path) && other.covers(path));
            let all = paths.iter().all(|path| !one.covers(path) || other.covers(path));
            prop_assert_eq!(one.meets(&other), both);
            prop_assert_eq!(other.meets(&one), both);
            prop_assert_eq!(one.within(&other), all);
        }

        #[test]
        fn leaving_out_the_superfluous_changes_nothing(rules in prop::collection::vec(rule(), 0..5)) {
            let kept = without_superfluous(rules.clone());
            prop_assert!(kept.len() <= rules.len());
            for path in universe() {
                for writing in [false, true] {
                    let allows = |rules: &[Rule]| rules.iter().any(|r| r.covers(&path) && (r.writes() || !writing));
                    prop_assert_eq!(allows(&kept), allows(&rules), "{}", path.display());
                }
            }
        }
    }

    #[test]
    fn files_beside_a_folder_and_the_folder_go_to_different_pods() {
        let rule = |path: &str, reach| Rule {
            same: PathBuf::from(path),
            held: HeldRule { permission: ScopePermission::Write, path: path.to_owned(), reach },
        };
        let beside = rule("/w", ScopeReach::Entries);
        assert!(!beside.meets(&rule("/w/src/deep", ScopeReach::Tree)));
        assert!(beside.meets(&rule("/w/README.md", ScopeReach::File)));
        // Spelled alike, not beginning alike.
        assert!(!rule("/w/src", ScopeReach::Tree).meets(&rule("/w/src2", ScopeReach::Tree)));
    }
}
