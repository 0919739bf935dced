//! What the keeper tells the ledger of its pod: that it is there, what it is at, which processes it has, that it has ended. And the
//! way by which its place in the pod tree is asked about.
//!
//! One thread owns the connection, because the ledger may have to be waited for and the pod never waits. Of what has not been
//! written yet only the newest counts, so nothing piles up. A ledger that cannot be used is told once in the debug log and tried
//! again, with what it lacks, until it can; notes wait for that, who asked is told at once.

mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ledger::{Ledger, PodClaim, ProcessNote, SessionRow};
use process::{ProcessEntry, ProcessRef};
use protocol::pod::PodState;
use protocol::processes::ProcessPurpose;
use protocol::session::{PodFile, SessionMeta};
use tokio::sync::oneshot;

use writer::Writer;

/// Processes of one pod that are noted; those beyond it are found by their mark.
const PROCESSES: usize = 512;
/// The thread needs little, and the keeper is small.
const STACK: usize = 512 * 1024;

/// What a pod is at from its start until it is being stopped.
const RUNNING: &str = "running";
const OVER: &str = "the ledger is not used any more, because the session has ended";

/// The way to the thread that writes. Cheap to clone; without a ledger it does nothing.
#[derive(Clone, Default)]
pub(crate) struct LedgerNotes {
    desk: Option<Arc<Desk>>,
}

/// What somebody asks of the ledger, and waits for; the words are why it cannot be used.
type Work = Box<dyn FnOnce(Result<&Ledger, &str>) + Send>;

/// What is to be written next.
#[derive(Default)]
struct News {
    hosted: Option<Box<Hosted>>,
    state: Option<&'static str>,
    processes: Option<Vec<ProcessEntry>>,
    session: Option<Box<SessionRow>>,
    work: Vec<Work>,
    over: bool,
    /// Set when the thread has ended: nobody takes anything any more.
    closed: bool,
}

/// A pod with a runner.
struct Hosted {
    claim: PodClaim,
    runner: Runner,
    workspace: String,
}

#[derive(Default)]
struct Desk {
    news: Mutex<News>,
    changed: Condvar,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl LedgerNotes {
    /// Starts the thread, if there is a ledger. Nothing is written of a pod before [`Self::begin`].
    pub(crate) fn open(ledger: Option<&str>) -> Self {
        let Some(path) = ledger.map(PathBuf::from) else { return Self::default() };
        let desk = Arc::new(Desk::default());
        let span = tracing::Span::current();
        let for_thread = Arc::clone(&desk);
        let thread = std::thread::Builder::new().name("ledger".to_owned()).stack_size(STACK);
        match thread.spawn(move || span.in_scope(|| Writer::new(path).run(&for_thread))) {
            Ok(handle) => *desk.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle),
            Err(error) => {
                tracing::warn!(%error, "there is no thread for the ledger; the pod goes on without it");
                return Self::default();
            }
        }
        Self { desk: Some(desk) }
    }

    /// Begins to write about a pod. Returns at once.
    pub(crate) fn begin(&self, pod: &PodFile, meta: &SessionMeta, runner: Runner) {
        let claim = PodClaim {
            pod: pod.pod,
            session: pod.session,
            generation: pod.generation,
            pid: pod.pid,
            started: pod.pid_started,
            socket: pod.socket.clone(),
            parent: meta.parent,
            state: RUNNING.to_owned(),
        };
        let hosted = Hosted { claim, runner, workspace: meta.workspace.clone() };
        self.tell(|news| {
            news.session = Some(Box::new(SessionRow::from(meta)));
            news.hosted = Some(Box::new(hosted));
        });
    }

    /// Does `work` with the ledger in its thread, before what waits to be written. It is asked at once, whether or not the answer
    /// is waited for.
    ///
    /// # Errors
    /// Why the ledger cannot be used.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Ledger) -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, String>> + Send + 'static {
        let asked = self.post(work);
        async move { asked?.await.unwrap_or_else(|_| Err(OVER.to_owned())) }
    }

    fn post<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Ledger) -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, String>>, String> {
        let Some(desk) = &self.desk else { return Err("this session was started without a ledger".to_owned()) };
        let (reply, answer) = oneshot::channel();
        let mut news = desk.news();
        if news.closed {
            return Err(OVER.to_owned());
        }
        news.work.push(Box::new(move |ledger| {
            // Whoever asked may have gone.
            let _ = reply.send(ledger.map(work).map_err(str::to_owned));
        }));
        desk.changed.notify_one();
        Ok(answer)
    }

    /// Notes what the pod is at, coarsely: no turn changes it. Whether the agent works, its socket tells.
    pub(crate) fn state(&self, state: &PodState) {
        let word = match state {
            PodState::Starting | PodState::Idle | PodState::Working { .. } => RUNNING,
            PodState::Stopping | PodState::Draining => "stopping",
            // The end is noted when the keeper is done.
            PodState::Ended { .. } | PodState::Failed { .. } => return,
        };
        self.tell(|news| news.state = Some(word));
    }

    /// Notes the processes below the keeper as they are now; those noted before that are not among them are forgotten.
    pub(crate) fn note_processes(&self, mut processes: Vec<ProcessEntry>) {
        processes.truncate(PROCESSES);
        self.tell(|news| news.processes = Some(processes));
    }

    /// Notes the session. It stands in the ledger as it began, and is written again when it is over: until then its folder tells.
    pub(crate) fn session(&self, meta: &SessionMeta) {
        if let Some(desk) = &self.desk {
            // Nobody is woken up for it.
            desk.news().session = Some(Box::new(SessionRow::from(meta)));
        }
    }

    /// Notes the end of the pod and waits until everything is written.
    pub(crate) fn end(&self) {
        self.tell(|news| news.over = true);
        let Some(desk) = &self.desk else { return };
        let writer = desk.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the ledger's thread broke off");
        }
        let mut news = desk.news();
        news.closed = true;
        news.work.clear();
    }

    fn tell(&self, change: impl FnOnce(&mut News)) {
        if let Some(desk) = &self.desk {
            change(&mut desk.news());
            desk.changed.notify_one();
        }
    }
}

impl News {
    fn is_some(&self) -> bool {
        let told = self.hosted.is_some() || self.state.is_some() || self.processes.is_some();
        told || !self.work.is_empty() || self.over
    }
}

impl Desk {
    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to write; at `again` there need be no news.
    fn next(&self, again: Option<Instant>) -> News {
        let mut news = self.news();
        loop {
            let wait = again.map(|again| again.saturating_duration_since(Instant::now()));
            if news.is_some() || wait.is_some_and(|wait| wait.is_zero()) {
                return std::mem::take(&mut *news);
            }
            news = self.wait(news, wait);
        }
    }

    /// Without news, and with nothing to try again, nobody wakes up.
    fn wait<'a>(&self, news: MutexGuard<'a, News>, at_most: Option<Duration>) -> MutexGuard<'a, News> {
        match at_most {
            Some(wait) => self.changed.wait_timeout(news, wait).unwrap_or_else(PoisonError::into_inner).0,
            None => self.changed.wait(news).unwrap_or_else(PoisonError::into_inner),
        }
    }
}

/// The pod's runner, and what tells the CLI among the processes below it.
#[derive(Debug)]
pub(crate) struct Runner {
    /// Its process.
    pub(crate) process: ProcessRef,
    /// Its script.
    pub(crate) script: String,
    /// The CLI that it starts.
    pub(crate) cli: Option<String>,
}

impl Runner {
    fn note(&self) -> ProcessNote {
        let ProcessRef { pid, started } = self.process;
        ProcessNote { pid, started, purpose: ProcessPurpose::Runner, command: self.script.clone() }
    }

    fn note_of(&self, entry: ProcessEntry) -> ProcessNote {
        let is_cli = |cli: &String| entry.parent == self.process.pid && entry.command.contains(cli.as_str());
        let purpose = match &self.cli {
            _ if entry.process == self.process => ProcessPurpose::Runner,
            Some(cli) if is_cli(cli) => ProcessPurpose::Cli,
            Some(_) | None => ProcessPurpose::Tool,
        };
        ProcessNote { pid: entry.process.pid, started: entry.process.started, purpose, command: entry.command }
    }
}

fn keeper_note(claim: &PodClaim) -> ProcessNote {
    let PodClaim { pid, started, .. } = *claim;
    ProcessNote {
        pid,
        started,
        purpose: ProcessPurpose::Keeper,
        command: format!("{} keep", protocol::programs::KEEPER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{PodId, SessionId};

    fn pod() -> PodFile {
        let ProcessRef { pid, started } = ProcessRef::current();
        let (socket, token) = ("s".to_owned(), "t".to_owned());
        PodFile {
            pod: PodId::new(),
            session: SessionId::new(),
            generation: 1,
            pid,
            pid_started: started,
            socket,
            token,
        }
    }

    fn meta(session: SessionId) -> SessionMeta {
        SessionMeta {
            session,
            provider: "demo".to_owned(),
            workspace: "/w".to_owned(),
            cwd: "/w".to_owned(),
            title: String::new(),
            parent: None,
            native_session_id: None,
            created_at: "2026-11-21T07:00:00.000Z".to_owned(),
            updated_at: "2026-11-21T07:00:00.000Z".to_owned(),
            ended_at: None,
            outcome: None,
            generation: 1,
            model: None,
            usage: protocol::runner::Usage::default(),
            statistics: protocol::session::SessionStatistics::default(),
            rules: Vec::new(),
            lost_native_ids: Vec::new(),
            start: protocol::session::StartSession::new("demo", "/w"),
        }
    }

    fn runner() -> Runner {
        Runner {
            process: ProcessRef { pid: 4, started: 4 },
            script: "demo.mjs".to_owned(),
            cli: Some("/b/c".to_owned()),
        }
    }

    fn entry(pid: u32, parent: u32, command: &str) -> ProcessEntry {
        let process = ProcessRef { pid, started: 4 };
        let mut entry = process::descendants(1).pop().unwrap();
        entry.process = process;
        entry.parent = parent;
        command.clone_into(&mut entry.command);
        entry
    }

    /// Waits until the thread has written what it was told.
    fn until(mut holds: impl FnMut() -> bool) {
        let limit = Instant::now() + Duration::from_secs(20);
        while !holds() {
            assert!(Instant::now() < limit, "the ledger was not written");
            std::thread::yield_now();
        }
    }

    fn begin(path: &std::path::Path, pod: &PodFile) -> LedgerNotes {
        let notes = LedgerNotes::open(path.to_str());
        notes.begin(pod, &meta(pod.session), runner());
        notes
    }

    #[test]
    fn a_pod_is_on_record_from_its_start_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite3");
        let pod = pod();
        let notes = begin(&path, &pod);
        notes.state(&PodState::Idle);
        notes.note_processes(vec![entry(4, 3, "node demo.mjs"), entry(5, 4, "/b/c --print"), entry(6, 5, "sh")]);
        let ledger = Ledger::open(&path).unwrap().ledger;
        until(|| ledger.processes_of(pod.pod).unwrap().len() == 4);
        until(|| ledger.open_pods().unwrap()[0].claim.state == "running");
        notes.note_processes(vec![entry(4, 3, "node demo.mjs"), entry(5, 4, "/b/c --print")]);
        until(|| ledger.processes_of(pod.pod).unwrap().len() == 3);
        let of = |pid: u32| {
            ledger.processes_of(pod.pod).unwrap().into_iter().find(|row| row.note.pid == pid).unwrap().note.purpose
        };
        assert_eq!([of(pod.pid), of(4), of(5)], [ProcessPurpose::Keeper, ProcessPurpose::Runner, ProcessPurpose::Cli]);
        let mut last = meta(pod.session);
        last.statistics.bytes = 77;
        notes.session(&last);
        notes.end();
        assert_eq!(ledger.open_pods().unwrap(), []);
        assert_eq!(ledger.sessions().unwrap()[0].statistics.bytes, 77, "the end is written at once");
    }

    /// The log into which the ledger writes, when what was told before has been written.
    async fn written(notes: &LedgerNotes, path: &std::path::Path) -> Vec<u8> {
        // What is told with the first question is written before the second is answered.
        notes.ask(|_| ()).await.unwrap();
        notes.ask(|_| ()).await.unwrap();
        std::fs::read(path.with_extension("sqlite3-wal")).unwrap()
    }

    #[tokio::test]
    async fn a_turn_changes_nothing_that_the_ledger_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite3");
        let pod = pod();
        let notes = begin(&path, &pod);
        notes.state(&PodState::Idle);
        let before = written(&notes, &path).await;
        let mut now = meta(pod.session);
        notes.state(&PodState::Working { since: now.created_at.clone(), on: protocol::pod::Work::Model });
        now.statistics.bytes = 9;
        now.updated_at = "2026-11-21T07:00:09.000Z".to_owned();
        notes.session(&now);
        notes.state(&PodState::Idle);
        assert!(written(&notes, &path).await == before, "a turn has written into the ledger");
        notes.state(&PodState::Stopping);
        assert!(written(&notes, &path).await != before, "this would not see what is written");
        notes.end();
    }

    #[test]
    fn a_ledger_that_was_set_aside_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite3");
        let pod = pod();
        let notes = begin(&path, &pod);
        let is_there = || Ledger::open(&path).unwrap().ledger.open_pods().unwrap().len() == 1;
        until(is_there);
        std::fs::rename(&path, folder.path().join("aside")).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.path().join(format!("ledger.sqlite3{suffix}")));
        }
        notes.state(&PodState::Idle);
        until(is_there);
        until(|| Ledger::open(&path).unwrap().ledger.sessions().unwrap().len() == 1);
        notes.end();
    }

    #[test]
    fn what_a_ledger_did_not_take_is_written_when_it_can_be_without_any_news() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later/ledger.sqlite3");
        let pod = pod();
        // A file where the ledger's folder should be.
        std::fs::write(folder.path().join("later"), b"").unwrap();
        let notes = begin(&path, &pod);
        notes.state(&PodState::Idle);
        let desk = Arc::clone(notes.desk.as_ref().unwrap());
        until(|| desk.news().state.is_none());
        std::fs::remove_file(folder.path().join("later")).unwrap();
        std::fs::create_dir(folder.path().join("later")).unwrap();
        until(|| path.exists());
        let ledger = Ledger::open(&path).unwrap().ledger;
        until(|| ledger.open_pods().unwrap().first().is_some_and(|row| row.claim.state == "running"));
        notes.end();
    }

    #[tokio::test]
    async fn who_asks_is_answered_before_there_is_a_pod_and_not_after_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite3");
        let notes = LedgerNotes::open(path.to_str());
        assert_eq!(notes.ask(|ledger| ledger.open_pods().unwrap().len()).await, Ok(0));
        let pod = pod();
        notes.begin(&pod, &meta(pod.session), runner());
        until(|| Ledger::open(&path).unwrap().ledger.open_pods().unwrap().len() == 1);
        notes.end();
        assert!(notes.ask(|_| ()).await.unwrap_err().contains("not used any more"));
        let nowhere = LedgerNotes::open(folder.path().join("no/ledger.sqlite3").to_str());
        assert!(nowhere.ask(|_| ()).await.unwrap_err().contains("open the file"));
        nowhere.end();
    }

    #[test]
    fn a_ledger_that_cannot_be_used_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let notes = begin(&folder.path().join("nowhere/ledger.sqlite3"), &pod());
        notes.state(&PodState::Idle);
        notes.end();
        let none = LedgerNotes::open(None);
        none.begin(&pod(), &meta(SessionId::new()), runner());
        none.state(&PodState::Idle);
        none.end();
    }
}
