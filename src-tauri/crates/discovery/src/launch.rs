//! How is a program that was found started now?
//!
//! Responsible for looking at the path again just before a spawn (programs update themselves behind links), for
//! reading through the shims that Windows cannot start, and for the PATH that the program needs. It starts nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::environment::{Environment, path_name};
use crate::executable::{FileState, interpreter_by_env, look};
use crate::shim::{BehindShim, behind_shim};

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program. A link stays a link: some managers' programs go by the name they are called with.
    pub program: PathBuf,
    /// Arguments before all others: the script behind a Windows shim.
    pub args: Vec<OsString>,
    /// The file behind the links, as of now.
    pub resolved: PathBuf,
}

/// Why a program that was found cannot be started. Always worth another search: it may have moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// It is gone.
    #[error("{} is not there (any more)", .0.display())]
    Missing(PathBuf),
    /// The link leads nowhere, as while a program updates itself.
    #[error("{} is a link to {}, which does not exist", path.display(), target.display())]
    BrokenLink {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// It is a folder or the like.
    #[error("{} is no file", .0.display())]
    NoFile(PathBuf),
    /// It lacks the permission.
    #[error("{} may not be executed by this user (try `chmod +x {}`)", .0.display(), .0.display())]
    NotExecutable(PathBuf),
    /// A batch file of unknown making.
    #[error("{} is a batch file, which cannot be started safely; set the path of the program that it starts", .0.display())]
    UnknownShim(PathBuf),
}

/// Looks at a program's path now.
///
/// # Errors
/// When nothing that can be started is there at this moment.
pub fn launch(path: &Path) -> Result<Launch, LaunchError> {
    let resolved = match look(path) {
        FileState::Program { resolved } => resolved,
        FileState::Missing => return Err(LaunchError::Missing(path.to_owned())),
        FileState::BrokenLink { target } => return Err(LaunchError::BrokenLink { path: path.to_owned(), target }),
        FileState::NoFile => return Err(LaunchError::NoFile(path.to_owned())),
        FileState::NotExecutable => return Err(LaunchError::NotExecutable(path.to_owned())),
    };
    if cfg!(windows) && is_batch(path) {
        return through_shim(path);
    }
    Ok(Launch { program: path.to_owned(), args: Vec::new(), resolved })
}

/// The path to start now, for callers that hand a path on.
///
/// # Errors
/// When nothing that can be started is there at this moment.
pub fn spawn_path(path: &Path) -> Result<PathBuf, LaunchError> {
    // A runner can start a script with its own runtime, so the script is a better answer than node.
    launch(path).map(|launch| launch.args.into_iter().next().map_or(launch.program, PathBuf::from))
}

fn is_batch(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("cmd") || extension.eq_ignore_ascii_case("bat"))
}

fn through_shim(path: &Path) -> Result<Launch, LaunchError> {
    let unknown = || LaunchError::UnknownShim(path.to_owned());
    let text = std::fs::read_to_string(path).map_err(|_| unknown())?;
    let folder = path.parent().ok_or_else(unknown)?;
    match behind_shim(&text).ok_or_else(unknown)? {
        BehindShim::Native(program) => {
            let program = folder.join(program);
            Ok(Launch { resolved: program.clone(), program, args: Vec::new() })
        }
        BehindShim::Script(script) => {
            let script = folder.join(script);
            let beside = folder.join("node.exe");
            let program = if beside.is_file() { beside } else { PathBuf::from("node") };
            Ok(Launch { program, args: vec![script.clone().into_os_string()], resolved: script })
        }
    }
}

/// The name and value of PATH for starting a program: [`path_for`] under the name that the environment uses.
#[must_use]
pub fn env_patch(env: &Environment, program: &Path, runtime: Option<&Path>) -> (String, String) {
    (path_name(&env.vars), path_for(env, program, runtime))
}

/// The value of PATH for starting a program: its folder and the runtime's are put first where they are not in PATH,
/// or where a script's interpreter lies beside it and PATH would find another one. Folders that are in PATH stay
/// where they are, so that an agent's commands find what the user's terminal finds.
#[must_use]
pub fn path_for(env: &Environment, program: &Path, runtime: Option<&Path>) -> String {
    let usual: Vec<PathBuf> = env.path.iter().map(|entry| entry.folder.clone()).collect();
    let mut first: Vec<PathBuf> = Vec::new();
    let steps = steps_to(program);
    if let Some(interpreter) = steps.last().and_then(|script| interpreter_by_env(script)) {
        let usual_one = usual.iter().map(|folder| folder.join(&interpreter)).find(|path| is_program(path));
        // The one nearest to the script was installed with it.
        let mut folders = steps.iter().rev().filter_map(|step| step.parent());
        let beside = folders.find(|folder| is_program(&folder.join(&interpreter)));
        first.extend(beside.filter(|folder| usual_one != Some(folder.join(&interpreter))).map(Path::to_owned));
    }
    let folders = [program.parent(), runtime.and_then(Path::parent)];
    for folder in folders.into_iter().flatten().filter(|folder| folder.is_absolute()) {
        if !usual.iter().chain(&first).any(|known| known == folder) {
            first.push(folder.to_owned());
        }
    }
    let whole = first.iter().cloned().chain(usual.iter().filter(|folder| !first.contains(folder)).cloned());
    // A folder with the separator in its name cannot be in PATH at all; then PATH stays as it is.
    let joined = std::env::join_paths(whole).or_else(|_| std::env::join_paths(&usual)).unwrap_or_default();
    joined.to_string_lossy().into_owned()
}

/// A path and every file that its links lead through. The folder in the middle is the one that counts for
/// `~/.local/bin/x -> ~/.nvm/versions/node/v22/bin/x -> ../lib/node_modules/x/cli.js`: node lies there.
fn steps_to(program: &Path) -> Vec<PathBuf> {
    let mut steps = vec![program.to_owned()];
    while let Some(target) = steps.last().and_then(|step| Some(step.parent()?.join(std::fs::read_link(step).ok()?))) {
        // The system gives up after 40 links, too.
        if steps.len() > 40 {
            break;
        }
        steps.push(target);
    }
    steps
}

fn is_program(path: &Path) -> bool {
    matches!(look(path), FileState::Program { .. })
}

/// Whether a PATH leads to a program of this name.
pub(crate) fn finds(path: &str, name: &str) -> bool {
    if name.contains('/') {
        return is_program(Path::new(name));
    }
    which::which_in_global(name, Some(path)).is_ok_and(|mut found| found.next().is_some())
}
