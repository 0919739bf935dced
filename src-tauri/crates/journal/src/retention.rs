//! What becomes of sessions that nobody has used for long: they are compressed, and nothing is ever deleted.
//!
//! Decides which sessions are old and when to look for them. A compressed session opens, reads and resumes like any other.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use protocol::limits::COMPRESS_AFTER;
use protocol::session::SessionMeta;

use crate::compressed;
use crate::error::JournalError;
use crate::folder::SessionFolder;
use crate::lease::Lease;

/// Between two looks for old sessions.
const LOOK_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// Sessions that one look compresses at most.
const AT_ONCE: usize = 20;
/// A look that has taken so long begins no further session.
const LOOK_AT_MOST: Duration = Duration::from_secs(5);

/// What a look for old sessions did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Compressed {
    /// How many sessions were compressed.
    pub sessions: usize,
    /// The bytes that their journals had.
    pub before: u64,
    /// The bytes that they have now.
    pub after: u64,
    /// How many could not be compressed. They are as they were.
    pub failed: usize,
}

/// Compresses the journal of a session that has ended. Tells its size before and after; nothing when it is compressed already.
///
/// # Errors
/// [`JournalError::Leased`] when a keeper has the session, and when the file system refuses. The plain journal stays then.
pub fn compress(folder: &SessionFolder) -> Result<Option<(u64, u64)>, JournalError> {
    let _lease = Lease::take(folder)?;
    compressed::pack(folder)
}

/// Compresses sessions below `sessions` that ended and were last used `older_than` before `now`, at most `at_most` of them.
///
/// # Errors
/// When the sessions cannot be listed. One that cannot be compressed is counted and passed over.
pub fn compress_old(
    sessions: &Path,
    older_than: Duration,
    now: Timestamp,
    at_most: usize,
) -> Result<Compressed, JournalError> {
    let began = Instant::now();
    let mut done = Compressed::default();
    let mut all = SessionFolder::list(sessions)?;
    // The oldest first: they will not be missed.
    all.reverse();
    for (_, folder) in all {
        if done.sessions + done.failed >= at_most || began.elapsed() > LOOK_AT_MOST {
            break;
        }
        if !is_old(&folder, older_than, now) {
            continue;
        }
        match compress(&folder) {
            Ok(Some((before, after))) => {
                done.sessions += 1;
                done.before += before;
                done.after += after;
            }
            // Somebody was faster, or uses it again.
            Ok(None) | Err(JournalError::Leased { .. }) => {}
            Err(_) => done.failed += 1,
        }
    }
    Ok(done)
}

/// Looks for old sessions unless somebody did so in the last 24 h. Nothing when it was not time.
///
/// # Errors
/// When the sessions cannot be listed or the time of the look cannot be noted.
pub fn compress_when_due(sessions: &Path) -> Result<Option<Compressed>, JournalError> {
    let path = sessions.join(".compressed");
    let noted = JournalError::io("note the look for old sessions in", &path);
    match claim(&path) {
        // Held until the look is over, so that there is one at a time.
        Ok(Some(_stamp)) => compress_old(sessions, COMPRESS_AFTER, Timestamp::now(), AT_ONCE).map(Some),
        Ok(None) => Ok(None),
        Err(error) => Err(noted(error)),
    }
}

/// Takes the look that is due. A stamp from the future, written before the clock was set back, counts as none.
fn claim(path: &Path) -> io::Result<Option<File>> {
    let new = !path.exists();
    let stamp = File::options().create(true).truncate(false).write(true).open(path)?;
    if stamp.try_lock().is_err() {
        return Ok(None);
    }
    let looked = stamp.metadata()?.modified()?.elapsed();
    if !new && looked.is_ok_and(|ago| ago < LOOK_EVERY) {
        return Ok(None);
    }
    stamp.set_modified(SystemTime::now())?;
    Ok(Some(stamp))
}

/// Whether the session has ended and was not used for so long. What cannot be told is not old.
fn is_old(folder: &SessionFolder, older_than: Duration, now: Timestamp) -> bool {
    let Ok(Some(meta)) = folder.read_meta() else { return false };
    folder.journal().exists() && !folder.pod().exists() && unused_for(&meta, now).is_some_and(|time| time >= older_than)
}

/// How long ago the session ended and was last used. Nothing while it has not ended, and when the clock says that it is yet to be.
fn unused_for(meta: &SessionMeta, now: Timestamp) -> Option<Duration> {
    let ended: Timestamp = meta.ended_at.as_ref()?.parse().ok()?;
    let updated: Timestamp = meta.updated_at.parse().ok()?;
    Duration::try_from(now.duration_since(updated.max(ended))).ok()
}
