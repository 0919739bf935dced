//! Keeps the transcripts that are being read, searched or mapped open for a moment, so that the many ranges of one search, and the
//! pages of somebody who scrolls, load a session's index once.
//!
//! Only for items that can change no more: what is kept here is as old as its opening, and so is what it says of the whole.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use client::Machine;
use protocol::SessionId;
use protocol::error::WireError;
use transcript::Transcript;

use crate::session_access::transcript_of;

/// More sessions than these are not read at one time; the index of a million items takes some 30 MB.
const KEPT: usize = 4;
/// Nobody asks for the next range any more after so long.
const VALID: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct OpenTranscripts(Arc<Mutex<Vec<Open>>>);

struct Open {
    session: SessionId,
    transcript: Arc<Transcript>,
    used: Instant,
}

impl OpenTranscripts {
    /// The transcript of a session, in which every item before `until` is as it is now. Blocks.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) fn reaching(
        &self,
        machine: &Machine,
        session: SessionId,
        until: usize,
    ) -> Result<Arc<Transcript>, WireError> {
        match self.known(session, until) {
            Some(known) => Ok(known),
            None => self.as_now(machine, session),
        }
    }

    /// The transcript of a session as it is now. Blocks.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) fn as_now(&self, machine: &Machine, session: SessionId) -> Result<Arc<Transcript>, WireError> {
        // Opened without the lock: a long one must hold up nobody else.
        let transcript = Arc::new(transcript_of(machine, session)?);
        let mut open = self.lock();
        open.retain(|other| other.session != session);
        open.truncate(KEPT - 1);
        open.insert(0, Open { session, transcript: transcript.clone(), used: Instant::now() });
        Ok(transcript)
    }

    /// Lets go of those that nobody used lately.
    pub(crate) fn let_go(&self) {
        self.lock().retain(|open| open.used.elapsed() < VALID);
    }

    /// How long after a use there may be something to let go of.
    pub(crate) const fn valid() -> Duration {
        VALID
    }

    fn known(&self, session: SessionId, until: usize) -> Option<Arc<Transcript>> {
        let mut open = self.lock();
        let known = open.iter_mut().find(|open| open.session == session && until <= open.transcript.settled())?;
        known.used = Instant::now();
        Some(known.transcript.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
