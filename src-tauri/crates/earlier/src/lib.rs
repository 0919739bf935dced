//! Conversations that people had with a CLI before Outrigger, or beside it, in that CLI's own folder.
//!
//! Responsible for listing them, bounded, and for taking one in: a copy of it becomes a session of ours, so that it is shown, searched
//! and resumed like every other. The CLIs' folders are only read. What a provider's event means is known to `providers`; here it is
//! known only how a CLI keeps its events in a file.

mod claude;
mod codex;
mod codex_calls;
mod conversation;
mod error;
mod files;
mod lines;
mod taking_in;

use std::path::{Path, PathBuf};

pub use error::EarlierError;
pub use taking_in::{TakenIn, session_of, take_in};

/// A CLI that keeps its conversations in a folder that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cli {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
}

impl Cli {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Claude, Self::Codex];

    /// The provider that resumes its conversations.
    #[must_use]
    pub fn provider(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Claude => "Claude Code",
            Self::Codex => "Codex",
        }
    }

    /// The CLI of this provider.
    #[must_use]
    pub fn of(provider: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cli| cli.provider() == provider)
    }

    /// Where it keeps its conversations for this user, whether that is there or not. None without a home folder.
    #[must_use]
    pub fn folder(self) -> Option<PathBuf> {
        let named = |name: &str| std::env::var_os(name).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let (variable, usual, below) = match self {
            Self::Claude => ("CLAUDE_CONFIG_DIR", ".claude", "projects"),
            Self::Codex => ("CODEX_HOME", ".codex", "sessions"),
        };
        let own = named(variable).or_else(|| Some(dirs::home_dir()?.join(usual)))?;
        Some(own.join(below))
    }
}

/// A conversation in a CLI's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Whose it is.
    pub cli: Cli,
    /// The file that it is kept in.
    pub file: PathBuf,
    /// The CLI's own id of it.
    pub native_id: String,
    /// What the CLI or its user called it, otherwise the beginning of the first prompt.
    pub title: String,
    /// Where the agent worked.
    pub cwd: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// When its file was changed last, RFC 3339.
    pub changed: String,
    /// The size of the file.
    pub bytes: u64,
}

/// The newest conversations of a CLI, newest first, at most [`protocol::limits::EARLIER_LISTED`]; for each the beginning of its file is
/// read. Files that hold no conversation are left out.
#[must_use]
pub fn list(cli: Cli, folder: &Path) -> Vec<Earlier> {
    let read = |found: &files::Found| match cli {
        Cli::Claude => claude::look(found),
        Cli::Codex => codex::look(found),
    };
    files::newest(cli, folder).iter().filter_map(read).collect()
}

/// How many files look like conversations, without reading any; at most [`protocol::limits::EARLIER_LISTED`].
#[must_use]
pub fn count(cli: Cli, folder: &Path) -> usize {
    files::newest(cli, folder).len()
}

/// The conversation with this id.
///
/// # Errors
/// When there is none.
pub fn find(cli: Cli, folder: &Path, native_id: &str) -> Result<Earlier, EarlierError> {
    let found = files::newest(cli, folder).into_iter().filter(|found| found.native_id == native_id);
    let mut read = found.filter_map(|found| match cli {
        Cli::Claude => claude::look(&found),
        Cli::Codex => codex::look(&found),
    });
    read.next().ok_or_else(|| EarlierError::NoSuch {
        cli: cli.name(),
        id: native_id.to_owned(),
        folder: folder.to_owned(),
    })
}
