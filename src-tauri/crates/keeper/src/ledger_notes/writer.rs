//! The thread that owns the connection: it pays what the ledger is owed, and does what it is asked.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ledger::{Ledger, LedgerError, ProcessNote, SessionRow};
use process::ProcessEntry;

use super::{Desk, Hosted, News, PROCESSES, Work, keeper_note};

/// After this a ledger that could not be written is tried again; each time it takes twice as long, up to the longest.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);
/// Processes that are the same as at the look before are written no oftener than this: a turn has many looks. They are written at all
/// because another pod may have forgotten one that was its own.
const SAME_AGAIN: Duration = Duration::from_secs(60);

/// The thread's own things.
pub(super) struct Writer {
    path: PathBuf,
    hosted: Option<Box<Hosted>>,
    /// All processes of the pod that stand in the ledger, or shall.
    noted: Vec<ProcessNote>,
    open: Option<Open>,
    owed: Owed,
    /// Set while the ledger cannot be used: how long the next wait is.
    again: Option<Duration>,
    /// As it is now.
    session: Option<Box<SessionRow>>,
    processes_written: Option<Instant>,
}

/// What the ledger lacks. The state and the processes are in the claim and the notes.
#[derive(Debug, Default)]
struct Owed {
    state: bool,
    processes: bool,
    gone: Vec<(u32, u64)>,
}

struct Open {
    ledger: Ledger,
    file: Option<u64>,
    /// Whether the pod stands in it.
    claimed: bool,
}

impl Writer {
    pub(super) fn new(path: PathBuf) -> Self {
        let (hosted, noted, open, again) = (None, Vec::new(), None, None);
        let (session, processes_written) = (None, None);
        Self { path, hosted, noted, open, owed: Owed::default(), again, session, processes_written }
    }

    pub(super) fn run(mut self, desk: &Desk) {
        let mut again_at = None;
        loop {
            let mut news = desk.next(again_at);
            let over = news.over;
            let work = std::mem::take(&mut news.work);
            self.owe(news);
            self.work(work);
            match self.pay(over) {
                Ok(()) => self.again = None,
                Err(error) => self.give_up(&error),
            }
            if over {
                return;
            }
            again_at = self.again.map(|wait| Instant::now() + wait);
        }
    }

    fn owe(&mut self, news: News) {
        let News { hosted, state, processes, session, work: _, over: _, closed: _ } = news;
        if let Some(hosted) = hosted {
            self.noted = vec![keeper_note(&hosted.claim), hosted.runner.note()];
            self.hosted = Some(hosted);
        }
        if let Some(processes) = processes {
            let (gone, is_new) = self.compare(processes);
            self.owed.processes |= is_new || self.processes_written.is_none_or(|at| at.elapsed() >= SAME_AGAIN);
            self.owed.gone.extend(gone);
            // Whoever settles the pod looks at each row's process, so an old row more does no harm.
            let over = self.owed.gone.len().saturating_sub(PROCESSES);
            self.owed.gone.drain(..over);
        }
        if let (Some(state), Some(hosted)) = (state, &mut self.hosted)
            && hosted.claim.state != state
        {
            state.clone_into(&mut hosted.claim.state);
            self.owed.state = true;
        }
        self.session = session.or_else(|| self.session.take());
    }

    fn work(&mut self, work: Vec<Work>) {
        for work in work {
            match self.connect() {
                Ok(ledger) => work(Ok(ledger)),
                Err(error) => work(Err(&error.to_string())),
            }
        }
    }

    fn pay(&mut self, over: bool) -> Result<(), LedgerError> {
        if self.hosted.is_none() {
            return Ok(());
        }
        let claimed_now = self.claim()?;
        let (Some(Open { ledger, .. }), Some(hosted)) = (&self.open, &self.hosted) else { return Ok(()) };
        let claim = &hosted.claim;
        if self.owed.state && !claimed_now {
            ledger.set_pod_state(claim.pod, &claim.state)?;
        }
        if self.owed.processes {
            ledger.forget_processes(claim.pod, &self.owed.gone)?;
            ledger.note_processes(claim.pod, &self.noted)?;
            self.processes_written = Some(Instant::now());
        }
        if let Some(session) = self.session.as_ref().filter(|_| over || claimed_now) {
            ledger.note_session(session)?;
        }
        if over {
            ledger.end_pod(claim.pod, claim.pid, claim.started)?;
        }
        self.owed = Owed::default();
        Ok(())
    }

    /// Takes over the processes of a look; those that are gone since the last one, and whether anything is new.
    fn compare(&mut self, now: Vec<ProcessEntry>) -> (Vec<(u32, u64)>, bool) {
        let Some(hosted) = &self.hosted else { return (Vec::new(), false) };
        let mut fresh = vec![keeper_note(&hosted.claim)];
        fresh.extend(now.into_iter().map(|entry| hosted.runner.note_of(entry)));
        let gone = self.noted.iter().map(|note| (note.pid, note.started));
        let gone = gone.filter(|(pid, started)| !fresh.iter().any(|note| note.pid == *pid && note.started == *started));
        let gone = gone.collect();
        let is_new = fresh != self.noted;
        self.noted = fresh;
        (gone, is_new)
    }

    /// The ledger, opened if it is not, or if another file lies in its place because somebody set it aside.
    fn connect(&mut self) -> Result<&Ledger, LedgerError> {
        let there = file_number(&self.path);
        if self.open.as_ref().is_none_or(|open| open.file != there) {
            self.open = None;
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let ledger = Ledger::open(&self.path)?.ledger;
                Open { ledger, file: file_number(&self.path), claimed: false }
            }
        };
        Ok(&self.open.insert(open).ledger)
    }

    /// Claims the pod in a ledger that does not have it yet. Whether it did.
    fn claim(&mut self) -> Result<bool, LedgerError> {
        self.connect()?;
        let (Some(open), Some(hosted)) = (&mut self.open, &self.hosted) else { return Ok(false) };
        if open.claimed {
            return Ok(false);
        }
        open.ledger.claim_pod(&hosted.claim, &self.noted)?;
        open.ledger.note_workspace(&hosted.workspace)?;
        open.claimed = true;
        Ok(true)
    }

    fn give_up(&mut self, error: &LedgerError) {
        self.open = None;
        if self.again.is_none() {
            tracing::warn!(%error, "the ledger could not be written; the pod goes on without it, and tries again");
        }
        self.again = Some(self.again.map_or(AGAIN, |wait| (wait * 2).min(AGAIN_AT_MOST)));
    }
}

#[cfg(unix)]
fn file_number(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| file.ino())
}

/// Elsewhere an open file cannot be renamed, so nobody sets a ledger aside that we have open.
#[cfg(not(unix))]
fn file_number(_path: &Path) -> Option<u64> {
    None
}
