//! How is the runner, with all that it starts, held to the pod's scope? The spec for `outrigger-keeper confine`, and what that reports.
//!
//! What the scope is was decided before; how the kernel is asked, and what it can, is the business of the crate `confine`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use confine::{ReadAccess, Spec, TcpPorts};
use journal::SessionFolder;
use protocol::error::{ErrorCode, WireError};
use protocol::programs;
use protocol::scope::{Confinement, HeldRule, ScopePermission, ScopeReach};
use protocol::session::KeeperOrder;
use scopes::Scope;

/// The folder in the session's own that holds the spec and the report; its agent can neither read nor write it.
const FOLDER: &str = "confine";

/// A confined start. Its private temporary folder goes with it.
#[derive(Debug)]
pub(crate) struct Confined {
    program: String,
    spec: PathBuf,
    report: PathBuf,
    temp: PathBuf,
    /// What the agent may write beside its scope.
    own: Vec<PathBuf>,
}

impl Confined {
    /// Writes down what the runner may use. `None` without a scope: then it is started as it is.
    ///
    /// # Errors
    /// When there is no program that could confine it, or the spec cannot be written.
    pub(crate) fn prepare(
        order: &KeeperOrder,
        folder: &SessionFolder,
        scope: &Scope,
        socket: &Path,
    ) -> Result<Option<Self>, WireError> {
        let Some(rules) = &scope.rules else { return Ok(None) };
        let Some(program) = &order.program else {
            let message =
                "this session was started without the program that holds it to its scope; reinstall Outrigger";
            return Err(WireError::new(ErrorCode::ScopeRefused, message));
        };
        let program = programs::keeper(Path::new(program)).display().to_string();
        let failed = |error: std::io::Error| {
            let message =
                format!("failed to write down what the agent may use, in {}: {error}", folder.path().display());
            WireError::new(ErrorCode::DataFolder, message)
        };
        let rules: Vec<HeldRule> = rules.iter().map(|rule| rule.held().clone()).collect();
        let state = PathBuf::from(order.state_dir());
        // What does not exist is left out of the rules.
        fs::create_dir_all(&state).map_err(failed)?;
        let own: Vec<PathBuf> = order.write_paths.iter().map(PathBuf::from).chain([state]).collect();
        let at = folder.path().join(FOLDER);
        fs::create_dir_all(&at).map_err(failed)?;
        let temp = temp(order, folder);
        let (spec, report) = (at.join("spec.json"), at.join("report.json"));
        let _ = fs::remove_file(&report);
        let what = Spec {
            taken: scope
                .taken
                .iter()
                .map(|taken| taken.rule.held().clone())
                .chain(run_unconfined(order, scope))
                .collect(),
            read: ReadAccess::Toolchain { paths: readable(order, &program, &rules, scope) },
            rules,
            write_paths: own.clone(),
            temp: Some(temp.clone()),
            tcp: TcpPorts::default(),
            sockets: vec![socket.to_owned()],
            report: Some(report.clone()),
            // A kernel that cannot is told of, and then the permission layer and the watcher do what they can.
            advise: true,
        };
        write_privately(&spec, &what).map_err(failed)?;
        Ok(Some(Self { program, spec, report, temp, own }))
    }

    /// What the runner's own words are put behind.
    pub(crate) fn words(&self) -> [String; 5] {
        let spec = self.spec.display().to_string();
        [self.program.clone(), "confine".to_owned(), "--spec".to_owned(), spec, "--".to_owned()]
    }

    /// How far the kernel holds the runner, once it has said ready.
    ///
    /// # Errors
    /// When that was not told: then nobody knows.
    pub(crate) fn report(&self) -> Result<Confinement, WireError> {
        let read = fs::read(&self.report).map_err(|error| error.to_string());
        let report = read.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string()));
        report.map_err(|error| {
            let message = format!("how far the agent is held to its scope could not be read: {error}");
            WireError::new(ErrorCode::Internal, message)
        })
    }

    /// What the agent writes beside its scope without writing past it: its provider's files, its state and its temporary ones.
    pub(crate) fn own_paths(&self) -> Vec<PathBuf> {
        self.own.iter().cloned().chain([self.temp.clone()]).collect()
    }

    /// Removes the private folder for temporary files.
    pub(crate) fn remove_temp(&self) {
        if let Err(error) = fs::remove_dir_all(&self.temp)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, temp = %self.temp.display(), "the folder for temporary files could not be removed");
        }
    }
}

/// The folders of the workspace's trusted tool sidecars. What lies there is built and run outside of every scope, so a pod that is
/// held to one does not write there.
fn run_unconfined(order: &KeeperOrder, scope: &Scope) -> Vec<HeldRule> {
    let Some(config) = &order.config else { return Vec::new() };
    let folders = toolbox::broker::trusted_folders(Path::new(config), &scope.workspace);
    let real = folders.into_iter().map(|folder| fs::canonicalize(&folder).unwrap_or(folder));
    real.map(|folder| HeldRule {
        permission: ScopePermission::Write,
        path: folder.to_string_lossy().into_owned(),
        reach: ScopeReach::Tree,
    })
    .collect()
}

/// What may be read beside the system and the toolchains. A scope that says what may be read means it.
fn readable(order: &KeeperOrder, program: &str, rules: &[HeldRule], scope: &Scope) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = order.read_paths.iter().map(PathBuf::from).collect();
    paths.push(PathBuf::from(program));
    // The command line too: an agent may start sessions of its own with it.
    paths.extend(order.program.as_ref().map(PathBuf::from));
    let programs = order.runtime.first().into_iter().chain([&order.runner]).chain(&order.cli);
    paths.extend(programs.filter_map(|program| belonging(Path::new(program))));
    if !rules.iter().any(|rule| rule.permission == ScopePermission::Read) {
        paths.push(PathBuf::from(&order.start.cwd));
        paths.push(scope.workspace.clone());
        paths.extend(order.start.additional_directories.iter().map(PathBuf::from));
    }
    paths
}

/// What a program needs beside itself: all packages of a Node program, the folder of any other. The file alone where that folder
/// is a home or more.
fn belonging(program: &Path) -> Option<PathBuf> {
    if !program.is_absolute() {
        return None;
    }
    let is_packages = |folder: &&Path| folder.file_name().is_some_and(|name| name == "node_modules");
    if let Some(packages) = program.ancestors().filter(is_packages).last() {
        return Some(packages.to_owned());
    }
    let folder = program.parent()?;
    let home = std::env::home_dir().unwrap_or_default();
    let too_much = folder.parent().is_none() || home.starts_with(folder);
    Some(if too_much { program.to_owned() } else { folder.to_owned() })
}

/// A folder for temporary files: short, because sockets are put there, and this user's alone. In the session's own folder where the
/// short name is somebody else's.
fn temp(order: &KeeperOrder, folder: &SessionFolder) -> PathBuf {
    let short = std::env::temp_dir().join(format!("outrigger-{}", order.session.simple()));
    match make_private(&short) {
        Ok(()) => fs::canonicalize(&short).unwrap_or(short),
        Err(error) => {
            tracing::warn!(%error, "the short folder for temporary files cannot be used");
            folder.path().join("temp")
        }
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let mut builder = fs::DirBuilder::new();
    match builder.mode(0o700).create(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    // An earlier pod of the session left it; a link or another user's folder is not ours.
    let found = fs::symlink_metadata(folder)?;
    let ours = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0;
    if ours { Ok(()) } else { Err(std::io::Error::other(format!("{} is not ours", folder.display()))) }
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

fn write_privately(path: &Path, spec: &Spec) -> std::io::Result<()> {
    let text = serde_json::to_vec_pretty(spec).map_err(std::io::Error::other)?;
    let _ = fs::remove_file(path);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.write_all(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_a_program_is_its_packages_or_its_folder_and_never_a_home() {
        let of = |program: &str| belonging(Path::new(program)).map(|path| path.display().to_string());
        let nested = "/x/lib/node_modules/@a/cli/node_modules/b/bin.js";
        assert_eq!(of(nested).as_deref(), Some("/x/lib/node_modules"));
        assert_eq!(of("/srv/tools/cli/run").as_deref(), Some("/srv/tools/cli"));
        assert_eq!(of("/run").as_deref(), Some("/run"));
        assert_eq!(of("node"), None);
        let home = std::env::home_dir().unwrap();
        let in_home = home.join("agent.mjs");
        assert_eq!(belonging(&in_home), Some(in_home));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_may_use_is_not_taken() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("temp");
        make_private(&folder).unwrap();
        make_private(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(make_private(&folder).is_err());
        std::os::unix::fs::symlink(place.path(), place.path().join("link")).unwrap();
        assert!(make_private(&place.path().join("link")).is_err());
    }
}
