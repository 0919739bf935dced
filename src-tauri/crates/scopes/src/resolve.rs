//! What does a rule mean on this machine? Links, `.`, `..` and case are settled here, once.
//!
//! It reads the file system and changes nothing. What a rule meant when it was resolved is what the pod holds; a link that is put
//! somewhere later changes nothing, because the kernel looks at where a file really is.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use protocol::scope::{HeldRule, ScopePermission, ScopeReach, ScopeRule};

use crate::error::ScopeError;
use crate::reach::{Rule, without_superfluous};

/// Where rules are resolved.
#[derive(Debug, Clone, Copy)]
pub struct Area<'a> {
    /// Relative paths begin here. Absolute.
    pub workspace: &'a Path,
    /// Folders that no pod may write in, such as the data folder of Outrigger: sockets, journals and this ledger are there.
    pub kept: &'a [PathBuf],
}

/// The rules as a pod can hold them. Superfluous ones are left out.
///
/// # Errors
/// When a path cannot be what the rule says it is; the words tell what to write instead.
pub fn resolve(rules: &[ScopeRule], area: Area<'_>) -> Result<Vec<Rule>, ScopeError> {
    let rules = rules.iter().map(|rule| one(rule, area)).collect::<Result<Vec<Rule>, ScopeError>>()?;
    Ok(without_superfluous(rules))
}

fn one(rule: &ScopeRule, area: Area<'_>) -> Result<Rule, ScopeError> {
    let said = || rule.path.clone();
    if rule.path.trim().is_empty() || rule.path.contains('\0') {
        return Err(ScopeError::NoPath { said: said() });
    }
    let found = settle(&area.workspace.join(&rule.path)).map_err(|why| match why {
        Unsettled::Dangling(link) => ScopeError::Dangling { said: said(), link },
        Unsettled::Io(source) => ScopeError::Unreadable { said: said(), source },
    })?;
    let reach = reach(rule, &found)?;
    let path = found.path.to_str().ok_or_else(|| ScopeError::NotText { said: said() })?.to_owned();
    let same = if ignores_case(&found.path) { PathBuf::from(path.to_lowercase()) } else { found.path };
    let rule = Rule { held: HeldRule { permission: rule.permission, path, reach }, same };
    refuse_kept(&rule, area.kept)?;
    Ok(rule)
}

fn reach(rule: &ScopeRule, found: &Settled) -> Result<ScopeReach, ScopeError> {
    let ends_as_folder = rule.path.ends_with(['/', std::path::MAIN_SEPARATOR]);
    match found.kind {
        Kind::Folder if rule.recursive => Ok(ScopeReach::Tree),
        Kind::Folder => Ok(ScopeReach::Entries),
        Kind::File if ends_as_folder => Err(ScopeError::NoFolder { said: rule.path.clone() }),
        Kind::File => Ok(ScopeReach::File),
        Kind::Missing => match rule.permission {
            ScopePermission::Read => Err(ScopeError::NothingToRead { said: rule.path.clone() }),
            ScopePermission::Write if ends_as_folder && rule.recursive => Ok(ScopeReach::Tree),
            ScopePermission::Write if ends_as_folder => Ok(ScopeReach::Entries),
            ScopePermission::Write if rule.recursive => Err(ScopeError::Missing { said: rule.path.clone() }),
            ScopePermission::Write => Ok(ScopeReach::File),
        },
    }
}

fn refuse_kept(rule: &Rule, kept: &[PathBuf]) -> Result<(), ScopeError> {
    if !rule.writes() {
        return Ok(());
    }
    for folder in kept {
        let Ok(folder) = fs::canonicalize(folder) else { continue };
        let same = if ignores_case(&folder) { lower(&folder) } else { folder.clone() };
        let held = HeldRule {
            permission: ScopePermission::Write,
            path: folder.to_string_lossy().into_owned(),
            reach: ScopeReach::Tree,
        };
        // The folder's own entry counts too.
        if rule.meets(&Rule { held, same: same.clone() }) || rule.covers(&same) {
            return Err(ScopeError::Kept { said: rule.held.path.clone(), folder });
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    File,
    Folder,
    Missing,
}

struct Settled {
    path: PathBuf,
    kind: Kind,
}

enum Unsettled {
    Dangling(PathBuf),
    Io(io::Error),
}

/// The path without links, `.` and `..`. `..` leaves the folder that a link leads to, as the system has it. What does not exist
/// stays as it is written.
fn settle(path: &Path) -> Result<Settled, Unsettled> {
    let mut found = PathBuf::new();
    let mut missing = false;
    for part in path.components() {
        match part {
            Component::Prefix(_) | Component::RootDir => found.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                found.pop();
                missing = missing && fs::symlink_metadata(&found).is_err();
            }
            Component::Normal(name) if missing => found.push(name),
            Component::Normal(name) => {
                found.push(name);
                missing = !exists(&mut found)?;
            }
        }
    }
    let kind = match fs::metadata(&found) {
        Ok(file) if file.is_dir() => Kind::Folder,
        Ok(_) => Kind::File,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Kind::Missing,
        Err(error) => return Err(Unsettled::Io(error)),
    };
    Ok(Settled { path: found, kind })
}

/// Whether there is something, and where it really is.
fn exists(path: &mut PathBuf) -> Result<bool, Unsettled> {
    match fs::canonicalize(&*path) {
        Ok(real) => {
            *path = real;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::symlink_metadata(&*path) {
            // Whoever made what the link names would write there, wherever that is.
            Ok(_) => Err(Unsettled::Dangling(path.clone())),
            Err(_) => Ok(false),
        },
        Err(error) => Err(Unsettled::Io(error)),
    }
}

/// The path as rules compare it.
pub(crate) fn comparable(path: &Path) -> PathBuf {
    let settled = settle(path).map_or_else(|_| path.to_owned(), |settled| settled.path);
    if ignores_case(&settled) { lower(&settled) } else { settled }
}

fn lower(path: &Path) -> PathBuf {
    PathBuf::from(path.to_string_lossy().to_lowercase())
}

/// Whether the file system takes `a` and `A` for one name there: the nearest name with a letter in it is looked up in the other case.
fn ignores_case(path: &Path) -> bool {
    let named = path.ancestors().filter(|at| at.file_name().is_some());
    for existing in named {
        let Ok(file) = fs::symlink_metadata(existing) else { continue };
        let Some(name) = existing.file_name().and_then(|name| name.to_str()) else { continue };
        let other = swapped(name);
        if other != name {
            return fs::symlink_metadata(existing.with_file_name(other)).is_ok_and(|twin| is_same(&file, &twin));
        }
    }
    false
}

fn swapped(name: &str) -> String {
    let swap = |letter: char| match letter {
        'a'..='z' => letter.to_ascii_uppercase(),
        'A'..='Z' => letter.to_ascii_lowercase(),
        other => other,
    };
    name.chars().map(swap).collect()
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Without file numbers: what was made at the same moment with the same length is the same.
#[cfg(not(unix))]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.len() == other.len() && one.created().ok() == other.created().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &str, recursive: bool) -> ScopeRule {
        ScopeRule { permission: ScopePermission::Write, path: path.to_owned(), recursive }
    }

    struct Place {
        _folder: tempfile::TempDir,
        workspace: PathBuf,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let workspace = folder.path().canonicalize().unwrap().join("ws");
            fs::create_dir_all(workspace.join("src/deep")).unwrap();
            fs::write(workspace.join("README.md"), "").unwrap();
            Self { _folder: folder, workspace }
        }

        fn one(&self, rule: ScopeRule) -> Result<(String, ScopeReach), ScopeError> {
            let rules = resolve(&[rule], Area { workspace: &self.workspace, kept: &[] })?;
            let HeldRule { path, reach, .. } = rules[0].held.clone();
            let shown = Path::new(&path).strip_prefix(&self.workspace).map(|p| p.to_str().unwrap().to_owned());
            Ok((shown.unwrap_or(path), reach))
        }
    }

    #[test]
    fn names_of_one_folder_become_one_path() {
        let place = Place::new();
        for said in ["src", "src/", "./src", "src/deep/..", "../ws/src", "src/.", "gone/../src"] {
            assert_eq!(place.one(write(said, true)).unwrap(), ("src".to_owned(), ScopeReach::Tree), "{said}");
        }
        let absolute = place.workspace.join("src");
        assert_eq!(place.one(write(absolute.to_str().unwrap(), false)).unwrap().1, ScopeReach::Entries);
        assert_eq!(place.one(write("README.md", true)).unwrap(), ("README.md".to_owned(), ScopeReach::File));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_means_where_it_leads() {
        let place = Place::new();
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, place.workspace.join(at)).unwrap();
        link("src/deep", "link");
        link("src/nothing", "dangling");
        link("circle", "circle");
        assert_eq!(place.one(write("link", true)).unwrap().0, "src/deep");
        assert_eq!(place.one(write("link/new.rs", false)).unwrap(), ("src/deep/new.rs".to_owned(), ScopeReach::File));
        // `..` leaves the folder where the link leads.
        assert_eq!(place.one(write("link/..", true)).unwrap().0, "src");
        assert!(matches!(place.one(write("dangling", false)), Err(ScopeError::Dangling { .. })));
        assert!(matches!(place.one(write("circle", false)), Err(ScopeError::Unreadable { .. })));
    }

    #[test]
    fn what_does_not_exist_is_a_file_or_a_folder_by_how_it_is_said() {
        let place = Place::new();
        assert_eq!(place.one(write("new/", true)).unwrap(), ("new".to_owned(), ScopeReach::Tree));
        assert_eq!(place.one(write("new.rs", false)).unwrap(), ("new.rs".to_owned(), ScopeReach::File));
        assert!(matches!(place.one(write("new.rs", true)), Err(ScopeError::Missing { .. })));
        assert!(matches!(place.one(write("README.md/", true)), Err(ScopeError::NoFolder { .. })));
        assert!(matches!(place.one(write(" ", true)), Err(ScopeError::NoPath { .. })));
        let read = ScopeRule { permission: ScopePermission::Read, path: "gone".to_owned(), recursive: true };
        assert!(matches!(place.one(read), Err(ScopeError::NothingToRead { .. })));
    }

    #[test]
    fn outriggers_own_folders_are_nobodys() {
        let place = Place::new();
        let kept = [place.workspace.join("src/deep")];
        let area = Area { workspace: &place.workspace, kept: &kept };
        for said in ["src/deep", "src", ".", "src/deep/new/"] {
            let refused = resolve(&[write(said, true)], area);
            assert!(matches!(refused, Err(ScopeError::Kept { .. })), "{said}");
        }
        assert!(resolve(&[write("README.md", true)], area).is_ok());
        let read = ScopeRule { permission: ScopePermission::Read, path: ".".to_owned(), recursive: true };
        assert!(resolve(&[read], area).is_ok());
    }

    #[test]
    fn case_is_told_apart_as_the_file_system_does() {
        let place = Place::new();
        let twin = place.workspace.join("SRC");
        let ignores = twin.exists();
        assert_eq!(ignores_case(&place.workspace.join("src")), ignores);
        // Two names of one file, as a file system without case shows them.
        #[cfg(unix)]
        if !ignores {
            fs::hard_link(place.workspace.join("README.md"), place.workspace.join("readme.MD")).unwrap();
            assert!(ignores_case(&place.workspace.join("README.md")));
            let same = |said| {
                let rules = resolve(&[write(said, false)], Area { workspace: &place.workspace, kept: &[] }).unwrap();
                rules[0].same.clone()
            };
            assert_eq!(same("README.md"), same("readme.MD"));
        }
    }
}
