//! What does `sidecar.toml` say?
//!
//! Responsible for reading one manifest into plain data and for saying what is wrong with it, with file and line. It starts nothing,
//! and it does not know whether the manifest is trusted. Commands become argument vectors here; no shell ever sees them.

mod reading;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::secrets::SecretRef;

pub use reading::{ManifestError, parse};

/// The file that makes a folder a sidecar.
pub const FILE: &str = "sidecar.toml";
/// Where a workspace keeps its sidecars, one folder each.
pub const WORKSPACE_FOLDER: &str = ".outrigger/sidecars";
/// Where the config folder keeps those of the user.
pub const CONFIG_FOLDER: &str = "sidecars";

/// A sidecar as its manifest describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The name of its folder.
    pub name: String,
    /// Where its manifest lies; build and run start here.
    pub folder: PathBuf,
    /// What it is for, to people.
    pub description: String,
    /// Commands that make it ready, in order.
    pub build: Vec<CommandWords>,
    /// How it is reached, and the command that starts it.
    pub run: Run,
    /// What its process sees besides PATH, HOME and LANG.
    pub environment: EnvironmentRules,
    /// Whether it is started again when it ends by itself.
    pub restart: Restart,
    /// Who uses the same instance.
    pub share: Share,
    /// It is stopped when nobody has called it for so long; `None` is never.
    pub idle_stop: Option<Duration>,
    /// What may take how long.
    pub timeouts: Timeouts,
    /// Which changes build it anew.
    pub watch: Watch,
    /// The file as it was read, for the trust question.
    pub text: String,
}

/// An argument vector: the program, then its arguments. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandWords(Vec<String>);

/// How a sidecar is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Run {
    /// A process that speaks MCP on its stdin and stdout.
    Stdio(CommandWords),
    /// A process that connects back to a local socket.
    Socket(CommandWords),
    /// A server that somebody else runs, reached by streamable HTTP.
    Http {
        /// Its address.
        url: String,
        /// Sent with each request.
        headers: BTreeMap<String, String>,
        /// The same, with values that are kept elsewhere.
        secret_headers: BTreeMap<String, SecretRef>,
    },
}

/// What a sidecar's process sees of the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentRules {
    /// Names that are passed on from the user's environment.
    pub pass: Vec<String>,
    /// Values that are given.
    pub set: BTreeMap<String, String>,
    /// Values that are kept elsewhere.
    pub secret: BTreeMap<String, SecretRef>,
}

/// When a sidecar that ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restart {
    /// When it failed: ended by a signal, with another code than 0, or while somebody waited for it.
    #[default]
    OnFailure,
    /// However it ended.
    Always,
    /// Only when somebody uses it again.
    Never,
}

/// Who uses one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Share {
    /// All sessions of this user.
    Machine,
    /// All sessions in one workspace.
    #[default]
    Workspace,
    /// One session.
    Session,
}

/// What may take how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// All build steps together.
    pub build: Duration,
    /// From the start of the process to its first word.
    pub connect: Duration,
    /// Listing its tools.
    pub list: Duration,
    /// One call, unless the caller says otherwise.
    pub call: Duration,
}

/// Which changes in the folder build the sidecar anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Watch {
    /// All of the folder, except for what tools write there (`node_modules`, `target`, …).
    #[default]
    Folder,
    /// These files and folders in it.
    Only(Vec<PathBuf>),
    /// None.
    Off,
}

impl Manifest {
    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// When it cannot be read, or says something that cannot be done; with file and line.
    pub fn read(folder: &Path) -> Result<Self, ManifestError> {
        let file = folder.join(FILE);
        let text = std::fs::read_to_string(&file).map_err(|source| ManifestError::unreadable(&file, &source))?;
        parse(folder, &text)
    }

    /// Whether a process is started for it.
    #[must_use]
    pub fn has_process(&self) -> bool {
        match self.run {
            Run::Stdio(_) | Run::Socket(_) => true,
            Run::Http { .. } => false,
        }
    }
}

impl CommandWords {
    /// From separate words.
    ///
    /// # Errors
    /// In words, when there is no program.
    pub fn new(words: Vec<String>) -> Result<Self, String> {
        match words.first().map(|program| program.trim().is_empty()) {
            Some(false) => Ok(Self(words)),
            Some(true) | None => Err("the command names no program".to_owned()),
        }
    }

    /// From one line, split as a shell would split it, without expanding anything.
    ///
    /// # Errors
    /// In words, when a quote is not closed or there is no program.
    pub fn split(line: &str) -> Result<Self, String> {
        let words = shell_words::split(line).map_err(|_| format!("a quote in `{line}` is not closed"))?;
        Self::new(words)
    }

    /// The program and its arguments.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// The words with `${folder}` and `${workspace}` filled in. A path with spaces stays one word.
    #[must_use]
    pub fn filled(&self, folder: &Path, workspace: &Path) -> Vec<String> {
        let fill = |word: &String| {
            word.replace("${folder}", &folder.to_string_lossy()).replace("${workspace}", &workspace.to_string_lossy())
        };
        self.0.iter().map(fill).collect()
    }
}

impl std::fmt::Display for CommandWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&shell_words::join(&self.0))
    }
}

/// The folders below `root` that hold a manifest, by name.
#[must_use]
pub fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.join(FILE).is_file())
        .take(crate::limits::SIDECARS)
        .collect();
    found.sort();
    found
}
