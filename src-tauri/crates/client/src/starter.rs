//! With which program does a keeper drive an agent: a runtime with the provider's runner, or our own driver where no script is needed?
//!
//! Decides and says what is missing. A provider whose runner has no runtime on this machine is driven by the one that stands in
//! for it, if there is one, and its session says so.

use std::path::PathBuf;

use discovery::Search;
use protocol::error::{ErrorCode, WireError};
use protocol::programs;
use providers::manifest::{Launch, Manifest};

use crate::catalog;
use crate::machine::Machine;
use crate::order::missing;

/// The program that drives an agent.
#[derive(Debug)]
pub(crate) struct Starter {
    /// The program and its arguments, without the last one.
    pub(crate) words: Vec<String>,
    /// The last argument: the runner, or the manifest of a direct provider.
    pub(crate) runner: String,
    /// The JavaScript runtime, whose folder belongs on the agent's PATH.
    pub(crate) runtime: Option<PathBuf>,
}

impl Starter {
    /// Finds it, now.
    ///
    /// # Errors
    /// When the runner or a runtime for it is missing, and nothing stands in.
    pub(crate) fn find(machine: &Machine, search: &Search<'_>, manifest: &Manifest) -> Result<Self, WireError> {
        let script = match &manifest.launch {
            Launch::Driver(_) => return Ok(Self::direct(machine, manifest, None)),
            Launch::Runner { script } => script,
        };
        let looked = search.runtime();
        let detail = looked.detail();
        let Some(runtime) = looked.found else {
            let what = "a JavaScript runtime";
            let error = missing(ErrorCode::RuntimeUnavailable, what, looked.problem, looked.fix).with_detail(detail);
            let stand_in = catalog::stand_in(&catalog::load(machine), &manifest.id).cloned();
            return stand_in.map(|direct| Self::direct(machine, &direct, Some(&manifest.name))).ok_or(error);
        };
        let failed = |error: discovery::RunnerNotFound| WireError::new(ErrorCode::RunnerFailed, error.to_string());
        let runner = machine.runners().find(script).map_err(failed)?;
        let mut words = vec![runtime.path.display().to_string()];
        words.extend(runtime.args);
        Ok(Self { words, runner: runner.display().to_string(), runtime: Some(runtime.path) })
    }

    /// Our own driver. `instead_of` names the provider whose runner cannot be run.
    fn direct(machine: &Machine, manifest: &Manifest, instead_of: Option<&str>) -> Self {
        let mut words = vec![programs::keeper(&machine.program).display().to_string(), "drive".to_owned()];
        if let Some(name) = instead_of {
            words.push("--notice".to_owned());
            words.push(format!("No JavaScript runtime was found, so {name} is driven without one."));
        }
        Self { words, runner: manifest.file.clone(), runtime: None }
    }
}
