//! Conversations in the CLIs' own folders that are no sessions of ours yet: which there are, and how one becomes a session.
//!
//! None is listed before the user wants that; then only their number is told, for which no file is read.

use std::collections::HashMap;
use std::path::Path;

use earlier::{Cli, Earlier, EarlierError, TakenIn};
use journal::SessionFolder;
use protocol::earlier::{EarlierList, EarlierSession};
use protocol::error::{ErrorCode, WireError};
use protocol::settings::SettingsView;

use crate::machine::Machine;
use crate::settings;

/// What each CLI has, within a folder if one is given. CLIs that have nothing are left out.
#[must_use]
pub fn lists(machine: &Machine, within: Option<&Path>) -> Vec<EarlierList> {
    let settings = settings::view(machine);
    let wanted = machine.settings().earlier;
    let known = Known::of(machine);
    let list = |cli: Cli| {
        let folder = cli.folder()?;
        let count = earlier::count(cli, &folder);
        let shown = match cli {
            Cli::Claude => wanted.claude,
            Cli::Codex => wanted.codex,
        };
        let sessions = if shown { new_ones(cli, &folder, &known, within) } else { Vec::new() };
        let setting = format!("earlier.{}", cli.provider());
        (count > 0).then(|| EarlierList {
            cli: cli.provider().to_owned(),
            name: cli.name().to_owned(),
            folder: folder.display().to_string(),
            is_decided: is_set(&settings, &setting),
            setting,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            sessions: sessions.iter().map(shown_as).collect(),
        })
    };
    Cli::ALL.into_iter().filter_map(list).collect()
}

/// The conversations of a CLI that are no sessions of ours yet, newest first, whether the user wants to see them or not.
#[must_use]
pub fn of_cli(machine: &Machine, cli: Cli) -> Vec<EarlierSession> {
    let Some(folder) = cli.folder() else { return Vec::new() };
    new_ones(cli, &folder, &Known::of(machine), None).iter().map(shown_as).collect()
}

/// Makes a session of a conversation, of this workspace if the agent worked in it, otherwise of its own folder. One that is a session
/// already stays as it is.
///
/// # Errors
/// When there is no such CLI or conversation, or it cannot be read or copied.
pub fn take_in(machine: &Machine, cli: &str, native_id: &str, workspace: Option<&str>) -> Result<TakenIn, WireError> {
    let nobody =
        || WireError::new(ErrorCode::BadRequest, format!("`{cli}` keeps no conversations that can be read here"));
    let cli = Cli::of(cli).ok_or_else(nobody)?;
    let folder = cli.folder().ok_or_else(nobody)?;
    let found = earlier::find(cli, &folder, native_id).map_err(|error| refused(&error))?;
    let of_window = workspace.filter(|workspace| Path::new(&found.cwd).starts_with(workspace));
    let workspace = of_window.map_or_else(|| found.cwd.clone(), str::to_owned);
    earlier::take_in(&found, &workspace, &machine.places.sessions).map_err(|error| refused(&error))
}

fn refused(error: &EarlierError) -> WireError {
    let code = match error {
        EarlierError::NoSuch { .. } => ErrorCode::NoSuchSession,
        EarlierError::Unreadable { .. } | EarlierError::Unwritable(_) | EarlierError::NotPlaced { .. } => {
            ErrorCode::DataFolder
        }
    };
    WireError::new(code, error.to_string())
}

fn new_ones(cli: Cli, folder: &Path, known: &Known, within: Option<&Path>) -> Vec<Earlier> {
    let mut found = earlier::list(cli, folder);
    found.retain(|earlier| within.is_none_or(|folder| Path::new(&earlier.cwd).starts_with(folder)));
    found.retain(|earlier| known.is_new(earlier));
    found
}

fn shown_as(earlier: &Earlier) -> EarlierSession {
    EarlierSession {
        cli: earlier.cli.provider().to_owned(),
        native_session_id: earlier.native_id.clone(),
        title: earlier.title.clone(),
        cwd: earlier.cwd.clone(),
        updated_at: earlier.changed.clone(),
        bytes: earlier.bytes,
    }
}

fn is_set(settings: &SettingsView, key: &str) -> bool {
    settings.settings.iter().any(|setting| setting.key == key && setting.is_set)
}

/// Conversations that are sessions of ours: by the CLI's id, when a copy was made; nothing for one that was held, or goes on, here.
struct Known(HashMap<String, Option<String>>);

impl Known {
    fn of(machine: &Machine) -> Self {
        let folders = SessionFolder::list(&machine.places.sessions).unwrap_or_default();
        let metas = folders.into_iter().filter_map(|(_, folder)| folder.read_meta().ok().flatten());
        let one = |meta: protocol::session::SessionMeta| {
            let copied = (meta.generation == 0).then_some(meta.updated_at);
            Some((meta.native_session_id?, copied))
        };
        Self(metas.filter_map(one).collect())
    }

    /// A copy is out of date when its file has grown since.
    fn is_new(&self, earlier: &Earlier) -> bool {
        match self.0.get(&earlier.native_id) {
            None => true,
            Some(None) => false,
            Some(Some(copied)) => *copied < earlier.changed,
        }
    }
}
