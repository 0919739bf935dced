//! Which files does a confined agent need besides its scope: its CLI with what belongs to it, the runner, and what these write for
//! themselves?
//!
//! The provider's manifest says it in words; here they become paths of this machine. Folders that the CLI would make are made,
//! because a confined one cannot.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use protocol::session::StartSession;
use providers::manifest::Manifest;

/// Files and folders, absolute.
#[derive(Debug, Default)]
pub(crate) struct OwnPaths {
    /// To be written, and read.
    pub(crate) write: Vec<String>,
    /// To be read.
    pub(crate) read: Vec<String>,
}

/// The programs that drive the agent, as far as they are files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Programs<'a> {
    pub(crate) runtime: Option<&'a Path>,
    pub(crate) runner: &'a str,
    pub(crate) cli: Option<&'a Path>,
}

impl OwnPaths {
    pub(crate) fn of(
        manifest: &Manifest,
        environment: &BTreeMap<String, String>,
        programs: Programs<'_>,
        start: &StartSession,
    ) -> Self {
        let writes = manifest.own_writes(environment);
        if start.scope.is_some() {
            for folder in writes.iter().filter(|own| own.is_folder) {
                make(Path::new(&folder.path));
            }
        }
        let write: Vec<String> = writes.into_iter().map(|own| own.path).collect();
        let mut read: Vec<String> = manifest.own_reads(environment).into_iter().map(|own| own.path).collect();
        read.extend(write.iter().cloned());
        read.extend(start.additional_directories.iter().cloned());
        read.extend(start.attachments.iter().filter_map(|attachment| attachment.path.clone()));
        let runner = Path::new(programs.runner);
        let files = [programs.runtime, programs.cli, runner.is_absolute().then_some(runner)];
        read.extend(files.into_iter().flatten().flat_map(installation).map(|path| path.display().to_string()));
        read.sort();
        read.dedup();
        Self { write, read }
    }
}

/// A folder of the CLI's own, for this user alone. One that cannot be made is missed by the CLI, which says so.
fn make(folder: &Path) {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    if let Err(error) = builder.create(folder) {
        tracing::warn!(%error, folder = %folder.display(), "a folder of an agent's CLI could not be made");
    }
}

/// The program with the folder that it lies in, and where it was installed by a package tool, all that was installed with it: what it
/// requires lies beside it. As it is named, and where its links lead.
fn installation(program: &Path) -> Vec<PathBuf> {
    let real = std::fs::canonicalize(program).ok();
    let named = [Some(program.to_owned()), real];
    let mut found: Vec<PathBuf> =
        named.into_iter().flatten().flat_map(|program| [around(&program), Some(program)]).flatten().collect();
    found.sort();
    found.dedup();
    found
}

fn around(program: &Path) -> Option<PathBuf> {
    let packages = program.ancestors().filter(|folder| folder.ends_with("node_modules")).last();
    let folder = packages.or_else(|| program.parent())?;
    let home = std::env::home_dir();
    // A program that lies in a home or in the root opens neither of them.
    let too_wide = folder.parent().is_none() || home.is_some_and(|home| home.starts_with(folder));
    (!too_wide).then(|| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_installed_with_a_program_can_be_read_and_no_more() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(
            around(Path::new("/x/node_modules/@a/cli/node_modules/b/bin/cli.js")),
            Some(PathBuf::from("/x/node_modules"))
        );
        assert_eq!(around(Path::new("/opt/cli/bin/cli")), Some(PathBuf::from("/opt/cli/bin")));
        assert_eq!(around(&home.join("cli")), None);
        assert_eq!(around(Path::new("/cli")), None);
    }

    #[test]
    fn a_confined_agents_folders_are_made_for_it() {
        let home = tempfile::tempdir().unwrap();
        let text = "id = \"x\"\nname = \"X\"\nrunner = \"x.mjs\"\nadapter = \"raw\"\n[confine]\nconfig = [\"~/.x/\", \"~/.x.json\"]";
        let manifest = Manifest::parse(text, "x.toml").unwrap();
        let environment = [("HOME".to_owned(), home.path().display().to_string())].into();
        let programs = Programs { runtime: None, runner: "x.mjs", cli: None };
        let mut start = StartSession::new("x", "/w");
        let own = OwnPaths::of(&manifest, &environment, programs, &start);
        assert!(!home.path().join(".x").exists(), "an agent without a scope makes its own");
        start.scope = Some(Vec::new());
        OwnPaths::of(&manifest, &environment, programs, &start);
        assert!(home.path().join(".x").is_dir());
        assert!(!home.path().join(".x.json").exists());
        assert_eq!(own.write.len(), 2);
        assert!(own.write.iter().all(|path| own.read.contains(path)));
    }
}
