//! How is a scope said on the command line? `[read:|write:]PATH[/*]`, a rule a time.

use std::path::Path;

use protocol::scope::{ScopePermission, ScopeRule};

/// What `--help` says of a rule.
pub(crate) const HELP: &str = "What the agent may use, held by the kernel; may be given more than once. PATH is a file or a folder \
with all below it, relative to where the agent works; PATH/* the files directly in it; a new folder ends with /. Without `read:` it \
may be written, and no other pod may write there. Without any `read:` rule the whole workspace may be read";

/// One rule, as it is written.
pub(crate) fn rule(text: &str) -> Result<ScopeRule, String> {
    let (permission, path) = match text.split_once(':') {
        Some(("read", path)) => (ScopePermission::Read, path),
        Some(("write", path)) => (ScopePermission::Write, path),
        Some(_) | None => (ScopePermission::Write, text),
    };
    let (path, recursive) = match path.strip_suffix("/*") {
        Some("") => ("/", false),
        Some(folder) => (folder, false),
        None if path == "*" => (".", false),
        None => (path, true),
    };
    if path.trim().is_empty() {
        return Err("expected [read:|write:]PATH, such as `src` or `read:docs`".to_owned());
    }
    Ok(ScopeRule { permission, path: path.to_owned(), recursive })
}

/// The rule in a folder: what does not exist there and is not said to be a folder is a new file.
pub(crate) fn settled(rule: &ScopeRule, folder: &Path) -> ScopeRule {
    let is_new_file = !rule.path.ends_with('/') && !folder.join(&rule.path).exists();
    ScopeRule {
        recursive: rule.recursive && !(is_new_file && rule.permission == ScopePermission::Write),
        ..rule.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_said_in_a_word() {
        let said = |text: &str| rule(text).map(|rule| (rule.permission, rule.path, rule.recursive));
        let (read, write) = (ScopePermission::Read, ScopePermission::Write);
        assert_eq!(said("src"), Ok((write, "src".to_owned(), true)));
        assert_eq!(said("read:docs"), Ok((read, "docs".to_owned(), true)));
        assert_eq!(said("write:src/*"), Ok((write, "src".to_owned(), false)));
        assert_eq!(said("*"), Ok((write, ".".to_owned(), false)));
        assert_eq!(said("odd:name"), Ok((write, "odd:name".to_owned(), true)));
        assert!(said("").is_err() && said("read:").is_err());
    }

    #[test]
    fn what_does_not_exist_is_a_new_file_unless_it_ends_as_a_folder() {
        let folder = std::env::temp_dir();
        let recursive = |text: &str| settled(&rule(text).unwrap(), &folder).recursive;
        assert!(recursive(".") && recursive("surely-not-there/") && recursive("read:surely-not-there"));
        assert!(!recursive("surely-not-there"));
    }
}
