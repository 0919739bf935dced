//! How does a conversation of a CLI become a session of ours? Its copy is written beside the sessions and becomes one of them as a whole.
//!
//! The session's id follows from the CLI's own, so that taking in twice gives one session. A copy that was never continued here is
//! made anew when its file has grown since.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use journal::{JournalWriter, SessionFolder};
use protocol::SessionId;
use protocol::permission::PermissionPolicy;
use protocol::provider::PermissionMode;
use protocol::record::{HostRecord, Outcome};
use protocol::runner::ResumeMode;
use protocol::session::{SessionMeta, StartSession};

use crate::conversation::{Conversation, Reader, Step, time_of};
use crate::error::EarlierError;
use crate::{Cli, Earlier, claude, codex, lines};

/// What became of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenIn {
    /// The session that shows it.
    pub session: SessionId,
    /// Whether a copy was made; otherwise it was there already.
    pub is_new: bool,
}

/// The id of the session that a conversation becomes. Sessions are listed by their ids, the newest first, and so is this one.
#[must_use]
pub fn session_of(earlier: &Earlier) -> SessionId {
    let began: Timestamp = earlier.began.parse().unwrap_or_default();
    let millis = u64::try_from(began.as_millisecond()).unwrap_or(0);
    SessionId::of_earlier(&format!("{} {}", earlier.cli.provider(), earlier.native_id), millis)
}

/// Copies a conversation into the folder of sessions, as a session of this workspace, unless it is there as it is now. A session that
/// was continued here is never replaced.
///
/// # Errors
/// When its file cannot be read, or the copy cannot be written; then nothing is left of it.
pub fn take_in(earlier: &Earlier, workspace: &str, sessions: &Path) -> Result<TakenIn, EarlierError> {
    let session = session_of(earlier);
    let folder = SessionFolder::at(sessions, session);
    if folder.read_meta()?.is_some_and(|meta| meta.generation > 0 || meta.updated_at >= earlier.changed) {
        return Ok(TakenIn { session, is_new: false });
    }
    let failed = |source: io::Error| EarlierError::NotPlaced { folder: sessions.to_owned(), source };
    fs::create_dir_all(sessions).map_err(failed)?;
    let beside = tempfile::Builder::new().prefix(".taking-in-").tempdir_in(sessions).map_err(failed)?;
    let copy = SessionFolder::create(beside.path(), session)?;
    write(earlier, workspace, session, &copy)?;
    if folder.path().exists() {
        fs::rename(folder.path(), beside.path().join("before")).map_err(failed)?;
    }
    match fs::rename(copy.path(), folder.path()) {
        Ok(()) => Ok(TakenIn { session, is_new: true }),
        // Somebody else has just done the same.
        Err(_) if folder.read_meta()?.is_some() => Ok(TakenIn { session, is_new: false }),
        Err(source) => Err(failed(source)),
    }
}

fn write(earlier: &Earlier, workspace: &str, session: SessionId, folder: &SessionFolder) -> Result<(), EarlierError> {
    let began = earlier.began.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let (journal, _) = JournalWriter::open(folder, session, 0)?;
    let opened = HostRecord::Opened {
        provider: earlier.cli.provider().to_owned(),
        cwd: earlier.cwd.clone(),
        model: None,
        permission_mode: PermissionMode::Ask,
        resumes: None,
        permissions: PermissionPolicy::Ask,
    };
    let mut conversation = Conversation::begin(journal, began, &opened)?;
    conversation.take(Step::Left(copied_from(earlier.cli)))?;
    let conversation = match earlier.cli {
        Cli::Claude => copy(earlier, conversation, &mut claude::Lines::default())?,
        Cli::Codex => copy(earlier, conversation, &mut codex::Lines::of(&earlier.file)?)?,
    };
    folder.write_meta(&SessionMeta { workspace: workspace.to_owned(), ..meta(earlier, session, &conversation) })?;
    Ok(())
}

fn copied_from(cli: Cli) -> &'static str {
    match cli {
        Cli::Claude => {
            "Copied from Claude Code's own folder, where nothing was changed. A prompt goes on with it there."
        }
        Cli::Codex => "Copied from Codex's own folder, where nothing was changed. A prompt goes on with it there.",
    }
}

fn copy(
    earlier: &Earlier,
    mut conversation: Conversation,
    reader: &mut impl Reader,
) -> Result<Conversation, EarlierError> {
    let unreadable = |source| EarlierError::Unreadable { file: earlier.file.clone(), source };
    // Not what is written while we read: a CLI may be at it.
    let mut lines = lines::of(&earlier.file, earlier.bytes)?;
    let mut steps = Vec::new();
    while let Some(line) = lines.next().map_err(unreadable)? {
        reader.read(&line, &mut steps);
        if steps.is_empty() {
            continue;
        }
        conversation.at(time_of(&line));
        for step in steps.drain(..) {
            conversation.take(step)?;
        }
    }
    Ok(conversation.end(lines.passed_over)?)
}

fn meta(earlier: &Earlier, session: SessionId, conversation: &Conversation) -> SessionMeta {
    let mut start = StartSession::new(earlier.cli.provider(), &earlier.cwd);
    start.resume_mode = ResumeMode::Resume;
    start.resume_session_id = Some(earlier.native_id.clone());
    SessionMeta {
        session,
        provider: earlier.cli.provider().to_owned(),
        workspace: earlier.cwd.clone(),
        cwd: earlier.cwd.clone(),
        title: earlier.title.clone(),
        parent: None,
        native_session_id: Some(earlier.native_id.clone()),
        created_at: earlier.began.clone(),
        // When its file was changed, so that a later look finds out whether it has grown.
        updated_at: earlier.changed.clone(),
        ended_at: Some(conversation.newest().to_string()),
        outcome: Some(Outcome::Done),
        // No keeper has had it yet.
        generation: 0,
        model: conversation.model.clone(),
        usage: conversation.usage,
        statistics: conversation.statistics.clone(),
        rules: Vec::new(),
        lost_native_ids: Vec::new(),
        start,
    }
}
