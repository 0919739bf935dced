//! The folder in which an agent works: where is it, may it be made, and is there something in it that should not be?
//!
//! A folder that is missing is made only when that was asked for, or when it is an agent's own, inside Outrigger's folder of such.
//! Anywhere else a missing folder is an error: a slip of the pen would let an agent work in an empty place.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use protocol::error::{ErrorCode, WireError};
use protocol::session::StartSession;

use crate::machine::Machine;
use crate::order::expanded;

/// See the module.
#[derive(Debug)]
pub(crate) struct WorkingDirectory {
    /// Absolute, with `~` expanded and links followed.
    pub(crate) path: PathBuf,
    /// What the user should know about it.
    pub(crate) warning: Option<String>,
    /// Folders that were made just now, the outermost first.
    made: Vec<PathBuf>,
}

impl WorkingDirectory {
    /// The working directory of a start, made if it is missing and may be made.
    pub(crate) fn of(machine: &Machine, start: &StartSession) -> Result<Self, WireError> {
        let wanted = PathBuf::from(expanded(&start.cwd));
        let own = is_inside(&wanted, &machine.places.agents);
        let made = if start.create_cwd || own { make(&wanted)? } else { Vec::new() };
        let path = existing(&wanted)?;
        let warning = if own { nested_repository(&path) } else { None };
        Ok(Self { path, warning, made })
    }

    /// Removes what was made, as far as it is still empty.
    pub(crate) fn give_back(&self) {
        for folder in self.made.iter().rev() {
            if std::fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }
}

/// Whether a path names something inside a folder. One that climbs out again does not.
fn is_inside(path: &Path, folder: &Path) -> bool {
    let climbs = path.components().any(|part| part == Component::ParentDir);
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    !climbs && path != folder && (path.starts_with(folder) || real(path).starts_with(real(folder)))
}

/// Makes a folder and those above it; which ones were not there.
fn make(path: &Path) -> Result<Vec<PathBuf>, WireError> {
    let mut missing: Vec<PathBuf> =
        path.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
    missing.reverse();
    let failed = |error: std::io::Error| bad(path, &format!("could not be created ({error})"), "choose another");
    match std::fs::create_dir_all(path) {
        Ok(()) => Ok(missing),
        // A file stands in its place; that is told in the words for such.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}

fn existing(path: &Path) -> Result<PathBuf, WireError> {
    let choices = "create it, or choose another";
    match std::fs::canonicalize(path) {
        Ok(found) if found.is_dir() => Ok(found),
        Ok(_) => Err(bad(path, "is no folder", choices)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(bad(path, "does not exist", "create it (`--create-cwd` does), or choose another"))
        }
        Err(error) => Err(bad(path, &format!("cannot be used ({error})"), choices)),
    }
}

fn bad(path: &Path, why: &str, what_to_do: &str) -> WireError {
    let message = format!("the working directory {} {why}; {what_to_do}", path.display());
    WireError::new(ErrorCode::BadWorkingDirectory, message)
}

/// A repository that was cloned into an agent's own folder wastes the disk, and misleads the agent with its old files.
fn nested_repository(path: &Path) -> Option<String> {
    path.join(".git").exists().then(|| {
        let quoted = path.join(".git").display().to_string().replace('\'', r"'\''");
        format!(
            "{} is the agent's own folder and holds a `.git`, which is usually a clone that was not meant to be there: it takes \
             up space and may mislead the agent. Remove it with: rm -rf '{quoted}'",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use discovery::Places;

    use super::*;

    fn machine(home: &Path) -> Machine {
        Machine { places: Places::under(home), resource_dirs: Vec::new(), program: PathBuf::new() }
    }

    fn start(cwd: &Path, create_cwd: bool) -> StartSession {
        StartSession { create_cwd, ..StartSession::new("demo", cwd.display().to_string()) }
    }

    #[test]
    fn a_missing_folder_is_made_when_asked_for_and_given_back_when_unused() {
        let home = tempfile::tempdir().unwrap();
        let (machine, cwd) = (machine(home.path()), home.path().join("one/two"));
        let error = WorkingDirectory::of(&machine, &start(&cwd, false)).unwrap_err();
        assert_eq!(error.code, ErrorCode::BadWorkingDirectory);
        assert!(error.message.contains("does not exist") && !cwd.exists(), "{}", error.message);

        let made = WorkingDirectory::of(&machine, &start(&cwd, true)).unwrap();
        assert!(made.path.is_dir() && made.warning.is_none());
        made.give_back();
        assert!(!home.path().join("one").exists());
        assert!(home.path().exists());

        let used = WorkingDirectory::of(&machine, &start(&cwd, true)).unwrap();
        std::fs::write(cwd.join("file"), "x").unwrap();
        used.give_back();
        assert!(cwd.join("file").exists(), "what is in use stays");
    }

    #[test]
    fn a_file_in_its_place_is_told() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let error = WorkingDirectory::of(&machine(home.path()), &start(&file, true)).unwrap_err();
        assert!(error.message.contains("is no folder"), "{}", error.message);
    }

    #[test]
    fn an_agents_own_folder_is_made_unasked_and_a_repository_in_it_is_told() {
        let home = tempfile::tempdir().unwrap();
        let machine = machine(home.path());
        let own = machine.places.agents.join("it's");
        let place = WorkingDirectory::of(&machine, &start(&own, false)).unwrap();
        assert!(place.path.is_dir() && place.warning.is_none());
        std::fs::create_dir(own.join(".git")).unwrap();
        let warning = WorkingDirectory::of(&machine, &start(&own, false)).unwrap().warning.unwrap();
        assert!(warning.contains(r"it'\''s/.git'"), "{warning}");

        let outside = machine.places.agents.join("../elsewhere");
        assert!(WorkingDirectory::of(&machine, &start(&outside, false)).is_err(), "it climbs out");
        let project = home.path().join("project/.git");
        std::fs::create_dir_all(&project).unwrap();
        let project = WorkingDirectory::of(&machine, &start(project.parent().unwrap(), false)).unwrap();
        assert_eq!(project.warning, None, "a project has a repository");
    }
}
