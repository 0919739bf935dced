//! Which files and folders does a scope come to, for a kernel that can only allow, and only downwards?
//!
//! The kernel's rules reach down from a folder to all below it and cannot be taken back further down. So a scope with a hole, or
//! with the files of one folder only, becomes rules for each entry around it. It never allows more than the scope; what it must
//! leave out is told.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use protocol::scope::{HeldRule, ScopePermission, ScopeReach};

use crate::error::ConfineError;
use crate::spec::{ReadAccess, Spec};
use crate::toolchain::{devices, toolchain};

/// More rules than this are not made for one scope.
const RULES_AT_MOST: usize = 20_000;

/// What may be done at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Allow {
    /// Read it and all below.
    Read,
    /// Only list what is in it, and below.
    List,
    /// Write this file.
    WriteFile,
    /// Make, write and remove the files in this folder, but no folders.
    WriteEntries,
    /// Do anything with what is below.
    WriteTree,
    /// Use this device.
    Device,
    /// Connect to this socket.
    Connect,
}

/// One rule for the kernel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    pub(crate) path: PathBuf,
    pub(crate) allow: Allow,
}

/// All rules, and what they leave out of the scope.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    pub(crate) list: Vec<Grant>,
    /// In sentences for people.
    pub(crate) left_out: Vec<String>,
}

/// The rules for a spec. The scope's files and folders exist already.
pub(crate) fn grants(spec: &Spec) -> Result<Grants, ConfineError> {
    let mut grants = Grants::default();
    for rule in &spec.rules {
        grants.scope_rule(rule, &spec.taken)?;
    }
    match &spec.read {
        ReadAccess::Toolchain { paths } => {
            let all = toolchain().into_iter().chain(paths.iter().cloned());
            all.for_each(|path| grants.add(path, Allow::Read));
        }
        ReadAccess::Everything { but } => {
            let hidden: Vec<HeldRule> = but.iter().map(|path| hole(path)).collect();
            grants.around(Path::new("/"), &hidden, Allow::Read, Allow::Read)?;
        }
    }
    devices().into_iter().for_each(|path| grants.add(path, Allow::Device));
    let own = spec.write_paths.iter().chain(&spec.temp);
    own.for_each(|path| grants.add(path.clone(), if path.is_dir() { Allow::WriteTree } else { Allow::WriteFile }));
    spec.sockets.iter().for_each(|path| grants.add(path.clone(), Allow::Connect));
    grants.list.sort();
    grants.list.dedup();
    Ok(grants)
}

fn hole(path: &Path) -> HeldRule {
    let path = path.to_string_lossy().into_owned();
    HeldRule { permission: ScopePermission::Read, path, reach: ScopeReach::Tree }
}

impl Grants {
    fn add(&mut self, path: PathBuf, allow: Allow) {
        self.list.push(Grant { path, allow });
    }

    fn scope_rule(&mut self, rule: &HeldRule, taken: &[HeldRule]) -> Result<(), ConfineError> {
        let path = Path::new(&rule.path);
        match (rule.permission, rule.reach) {
            (ScopePermission::Read, ScopeReach::File | ScopeReach::Tree) => self.add(path.to_owned(), Allow::Read),
            (ScopePermission::Read, ScopeReach::Entries) => self.entries(path, Allow::Read)?,
            (ScopePermission::Write, ScopeReach::File) => {
                self.add(path.to_owned(), Allow::Read);
                if !taken.iter().any(|taken| covers(taken, path)) {
                    self.add(path.to_owned(), Allow::WriteFile);
                }
            }
            (ScopePermission::Write, ScopeReach::Entries) => self.writable_entries(path, taken)?,
            (ScopePermission::Write, ScopeReach::Tree) => {
                self.add(path.to_owned(), Allow::Read);
                self.around(path, taken, Allow::WriteTree, Allow::WriteFile)?;
            }
        }
        Ok(())
    }

    /// The files of one folder. In a folder without folders the rule is exact; in another one only what is there can be named.
    fn writable_entries(&mut self, folder: &Path, taken: &[HeldRule]) -> Result<(), ConfineError> {
        self.entries(folder, Allow::Read)?;
        let inside = |taken: &&HeldRule| covers(taken, &folder.join("x")) || Path::new(&taken.path).starts_with(folder);
        let has_folders = entries(folder)?.iter().any(|entry| entry.kind == Kind::Folder);
        if !has_folders && !taken.iter().any(|taken| inside(&taken)) {
            self.add(folder.to_owned(), Allow::WriteEntries);
            return Ok(());
        }
        for entry in entries(folder)?.into_iter().filter(|entry| entry.kind == Kind::File) {
            if !taken.iter().any(|taken| covers(taken, &entry.path)) {
                self.add(entry.path, Allow::WriteFile);
            }
        }
        self.left_out.push(format!(
            "New files directly in {} are refused: the kernel could allow them only together with its folders.",
            folder.display()
        ));
        self.check_count(folder)
    }

    fn entries(&mut self, folder: &Path, allow: Allow) -> Result<(), ConfineError> {
        self.add(folder.to_owned(), Allow::List);
        let files = entries(folder)?.into_iter().filter(|entry| entry.kind == Kind::File);
        files.for_each(|entry| self.add(entry.path, allow));
        self.check_count(folder)
    }

    /// Allows all below a folder but the holes.
    fn around(
        &mut self,
        folder: &Path,
        holes: &[HeldRule],
        on_folder: Allow,
        on_file: Allow,
    ) -> Result<(), ConfineError> {
        if holes.iter().any(|hole| hole.reach == ScopeReach::Tree && folder.starts_with(&hole.path)) {
            return Ok(());
        }
        if !holes.iter().any(|hole| Path::new(&hole.path).starts_with(folder)) {
            self.add(folder.to_owned(), on_folder);
            return Ok(());
        }
        for entry in entries(folder)? {
            match entry.kind {
                Kind::Folder => self.around(&entry.path, holes, on_folder, on_file)?,
                Kind::File
                    if holes.iter().any(|hole| covers(hole, &entry.path) || entry.path == Path::new(&hole.path)) => {}
                Kind::File => self.add(entry.path, on_file),
                // Where it leads decides, and that is allowed or not by itself.
                Kind::Link => {}
            }
        }
        self.check_count(folder)?;
        if on_folder == Allow::WriteTree {
            self.left_out.push(format!(
                "Making and removing entries directly in {} is refused while a part of it is not for this pod.",
                folder.display()
            ));
        }
        Ok(())
    }

    fn check_count(&self, path: &Path) -> Result<(), ConfineError> {
        if self.list.len() > RULES_AT_MOST {
            return Err(ConfineError::TooManyRules { path: path.to_owned(), limit: RULES_AT_MOST });
        }
        Ok(())
    }
}

/// Whether a rule of somebody else covers the file.
pub(crate) fn covers(rule: &HeldRule, file: &Path) -> bool {
    let path = Path::new(&rule.path);
    match rule.reach {
        ScopeReach::File => file == path,
        ScopeReach::Entries => file.parent() == Some(path),
        ScopeReach::Tree => file.starts_with(path) && file != path,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Link,
}

struct Entry {
    path: PathBuf,
    kind: Kind,
}

/// What is in a folder. What cannot be read has nothing in it for us either.
fn entries(folder: &Path) -> Result<Vec<Entry>, ConfineError> {
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(Vec::new()),
        listed => listed.map_err(ConfineError::path("list", folder))?,
    };
    let mut found = Vec::new();
    for entry in listed.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let kind = match (kind.is_dir(), kind.is_symlink()) {
            (true, _) => Kind::Folder,
            (false, true) => Kind::Link,
            (false, false) => Kind::File,
        };
        found.push(Entry { path: entry.path(), kind });
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            for within in ["a/a", "a/b", "b"] {
                fs::create_dir_all(folder.path().join(within)).unwrap();
            }
            for file in ["top", "a/one", "a/b/two", "b/three"] {
                fs::write(folder.path().join(file), "").unwrap();
            }
            Self { folder }
        }

        fn rule(&self, path: &str, reach: ScopeReach) -> HeldRule {
            let path = if path == "." { self.folder.path().to_owned() } else { self.folder.path().join(path) };
            HeldRule { permission: ScopePermission::Write, path: path.to_str().unwrap().to_owned(), reach }
        }

        /// Where may be written, relative to the folder.
        fn writes(&self, rules: Vec<HeldRule>, taken: Vec<HeldRule>) -> (Vec<(String, Allow)>, usize) {
            let grants = grants(&Spec { rules, taken, ..Spec::default() }).unwrap();
            let relative =
                |path: &Path| path.strip_prefix(self.folder.path()).ok().map(|path| path.display().to_string());
            let writes = |allow: &Allow| matches!(allow, Allow::WriteFile | Allow::WriteEntries | Allow::WriteTree);
            let list = grants.list.iter().filter(|grant| writes(&grant.allow));
            let list = list.filter_map(|grant| relative(&grant.path).map(|path| (path, grant.allow))).collect();
            (list, grants.left_out.len())
        }
    }

    fn list(of: &[(&str, Allow)]) -> Vec<(String, Allow)> {
        of.iter().map(|(path, allow)| ((*path).to_owned(), *allow)).collect()
    }

    #[test]
    fn a_whole_folder_is_one_rule() {
        let place = Place::new();
        let (writes, left_out) = place.writes(vec![place.rule("a", ScopeReach::Tree)], vec![]);
        assert_eq!((writes, left_out), (list(&[("a", Allow::WriteTree)]), 0));
    }

    #[test]
    fn around_a_hole_everything_is_named() {
        let place = Place::new();
        let hole = place.rule("a/b", ScopeReach::Tree);
        let (writes, left_out) = place.writes(vec![place.rule(".", ScopeReach::Tree)], vec![hole]);
        let around = [
            ("a/a", Allow::WriteTree),
            ("a/one", Allow::WriteFile),
            ("b", Allow::WriteTree),
            ("top", Allow::WriteFile),
        ];
        assert_eq!((writes, left_out), (list(&around), 2));
        let whole = place.rule("a", ScopeReach::Tree);
        assert_eq!(place.writes(vec![place.rule("a/b", ScopeReach::Tree)], vec![whole]).0, list(&[]));
        let file = place.rule("b/three", ScopeReach::File);
        assert_eq!(place.writes(vec![place.rule("b", ScopeReach::Tree)], vec![file]).0, list(&[]));
    }

    #[test]
    fn the_files_of_a_folder_are_exact_where_no_folder_is_among_them() {
        let place = Place::new();
        let (writes, left_out) = place.writes(vec![place.rule("b", ScopeReach::Entries)], vec![]);
        assert_eq!((writes, left_out), (list(&[("b", Allow::WriteEntries)]), 0));
        let (writes, left_out) = place.writes(vec![place.rule("a", ScopeReach::Entries)], vec![]);
        assert_eq!((writes, left_out), (list(&[("a/one", Allow::WriteFile)]), 1));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_beside_a_hole_is_not_followed() {
        let place = Place::new();
        std::os::unix::fs::symlink(place.folder.path().join("b"), place.folder.path().join("a/link")).unwrap();
        let hole = place.rule("a/b", ScopeReach::Tree);
        let (writes, _) = place.writes(vec![place.rule("a", ScopeReach::Tree)], vec![hole]);
        assert_eq!(writes, list(&[("a/a", Allow::WriteTree), ("a/one", Allow::WriteFile)]));
    }
}
