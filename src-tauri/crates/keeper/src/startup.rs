//! A keeper's life from its order to its end: takes the lease, starts the runner, reports how it can be reached, serves.
//!
//! It reports once, on stdout. When it reports a failure nothing was started, and nothing is left: no process, no socket, no new
//! session.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use journal::{JournalError, JournalWriter, Lease, SessionFolder};
use protocol::error::{ErrorCode, WireError};
use protocol::offers::AgentOffers;
use protocol::pods::end_words;
use protocol::scope::PodOutcome;
use protocol::session::{KeeperOrder, KeeperReport, PodFile, SessionMeta};
use protocol::{PodId, SessionId};
use tokio::sync::{mpsc, oneshot};

use crate::announced::Announced;
use crate::confinement::Confined;
use crate::exchange::{Ask, Attached, Facts};
use crate::holding::Holding;
use crate::intake::Intake;
use crate::launch::{Launched, launch};
use crate::ledger_notes::{LedgerNotes, Runner};
use crate::pod_state::Pod;
use crate::pod_task::{Parts, PodTask, ToolsDoor};
use crate::pod_tools::PodTools;
use crate::recorder::Recorder;
use crate::shared::{Asked, Shared};
use crate::sidecars::Sidecars;
use crate::socket::Socket;
use crate::tools::{Changed, ToolSource, Tools};
use crate::tree::Tree;
use crate::{kin, opening, quiet, session_meta};

/// Asks that may wait for the pod's task.
const WAITING_ASKS: usize = 64;
/// How long readers may take to fetch the end of the session.
const LAST_READERS: std::time::Duration = std::time::Duration::from_secs(2);

/// Reads the order from stdin and keeps the pod until its session is over.
pub fn run() -> ExitCode {
    crate::own_program::remember();
    let order = match read_order() {
        Ok(order) => order,
        Err(error) => return fail(error),
    };
    // A session of our own: the terminal that started us can be closed.
    #[cfg(unix)]
    let _ = rustix::process::setsid();
    let _log = match debuglog::start(Path::new(&order.logs), "keeper") {
        Ok(guard) => guard,
        Err(error) => return fail(WireError::new(ErrorCode::DataFolder, error.to_string())),
    };
    hide_secrets(&order);
    if let Err(error) = process::become_subreaper() {
        tracing::warn!(%error, "lost descendants will not be adopted");
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(WireError::new(ErrorCode::Internal, format!("no async runtime: {error}"))),
    };
    let span = tracing::info_span!("keeper", session = %order.session);
    let kept = runtime.block_on(tracing::Instrument::instrument(keep(order), span));
    match kept {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

/// Values that must not reach the debug log, even when an agent prints them.
fn hide_secrets(order: &KeeperOrder) {
    const SECRET: [&str; 4] = ["KEY", "TOKEN", "SECRET", "PASSWORD"];
    for (name, value) in &order.environment {
        if SECRET.iter().any(|word| name.to_ascii_uppercase().contains(word)) {
            debuglog::hide(value);
        }
    }
}

async fn keep(order: KeeperOrder) -> Result<(), WireError> {
    let place = Place::take(&order)?;
    let sessions = PathBuf::from(&order.sessions);
    match place.host(order).await {
        Ok(()) => {
            // The session can be resumed from here on.
            drop(place);
            compress_old_sessions(sessions).await;
            Ok(())
        }
        Err(error) => {
            tracing::error!(%error, detail = error.detail, "the pod could not be started");
            place.give_back();
            Err(error)
        }
    }
}

/// Compresses sessions that nobody has used for a month, at most once a day on this machine.
async fn compress_old_sessions(sessions: PathBuf) {
    let looked = tokio::task::spawn_blocking(move || journal::retention::compress_when_due(&sessions)).await;
    match looked {
        Ok(Ok(Some(done))) if done != journal::retention::Compressed::default() => {
            let journal::retention::Compressed { sessions, before, after, failed } = done;
            tracing::info!(sessions, before, after, failed, "old sessions were compressed");
        }
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "failed to look for old sessions"),
        Err(error) => tracing::error!(%error, "the look for old sessions broke off"),
    }
}

/// A session's folder, leased.
struct Place {
    folder: SessionFolder,
    meta: SessionMeta,
    new: bool,
    _lease: Lease,
}

impl Place {
    fn take(order: &KeeperOrder) -> Result<Self, WireError> {
        let folder = SessionFolder::create(Path::new(&order.sessions), order.session).map_err(wire)?;
        let lease = lease(&folder).map_err(wire)?;
        let meta = session_meta::open(&folder, order).map_err(wire)?;
        let new = !folder.meta().exists();
        Ok(Self { folder, meta, new, _lease: lease })
    }

    /// A session that never began leaves nothing; one that was there is as it was.
    fn give_back(&self) {
        if self.new
            && let Err(error) = self.folder.discard_unused()
        {
            tracing::error!(%error, "the folder of a session that never began could not be removed");
        }
    }

    async fn host(&self, order: KeeperOrder) -> Result<(), WireError> {
        let mark = PodId::new();
        let notes = LedgerNotes::open(order.ledger.as_deref());
        let hosted = match Tree::enter(&order, &self.meta, notes.clone(), mark).await {
            Ok(tree) => self.host_in(tree, order, mark).await,
            Err(error) => Err(error),
        };
        if hosted.is_err() {
            let _ = tokio::task::spawn_blocking(move || notes.end()).await;
        }
        hosted
    }

    /// In its place in the tree, which is given back when nothing comes of it.
    async fn host_in(&self, tree: Tree, order: KeeperOrder, mark: PodId) -> Result<(), WireError> {
        let socket = socket_path(&order, mark);
        // The runner is started first. Neither is given up half-way: what was written has to be gone when there is no session.
        let (started, announced) = tokio::join!(
            self.start(&tree, &order, mark),
            Announced::prepare(self.folder.clone(), &self.meta, &order, &socket, mark)
        );
        let error = match started {
            Ok((launched, holding)) => match self.open(&order, &launched, announced) {
                Ok(opened) => {
                    self.serve(order, launched, opened, tree, holding).await;
                    return Ok(());
                }
                Err(error) => {
                    launched.child.group().kill();
                    process::sweep(&mark.to_string(), &[]).await;
                    let _ = std::fs::remove_file(socket_path(&order, mark));
                    holding.clean_up();
                    error
                }
            },
            Err(error) => error,
        };
        tree.leave(PodOutcome::Failed).await;
        Err(error)
    }

    /// Starts the runner, held to the pod's scope where it has one.
    async fn start(&self, tree: &Tree, order: &KeeperOrder, mark: PodId) -> Result<(Launched, Holding), WireError> {
        // Others work unconfined, and are not held up.
        let scope = if order.start.scope.is_some() { Some(tree.scope_now().await?) } else { None };
        let confined = match &scope {
            Some(scope) => Confined::prepare(order, &self.folder, scope, &socket_path(order, mark))?,
            None => None,
        };
        let mut holding = Holding::new(order.session, mark, order.ledger.as_deref(), scope);
        let launched = launch(order, &mark.to_string(), confined.as_ref()).await;
        let Some(confined) = confined else { return launched.map(|launched| (launched, holding)) };
        let answer = launched.and_then(|launched| confined.report().map(|answer| (launched, answer)));
        let (launched, answer) = answer.inspect_err(|_| confined.remove_temp())?;
        holding.held_by(confined, answer);
        Ok((launched, holding))
    }

    /// Opens everything that the pod needs, the journal last: from then on the session has begun.
    fn open(
        &self,
        order: &KeeperOrder,
        launched: &Launched,
        announced: Result<Announced, WireError>,
    ) -> Result<Opened, WireError> {
        let Announced { meta, pod: file, files } = announced?;
        let socket = Socket::listen(Path::new(&file.socket))?;
        let cwd = Path::new(&order.start.cwd);
        let attached = crate::attachments::take_in(&self.folder, cwd, order.start.attachments.clone())?;
        let (writer, recovery) =
            JournalWriter::open(&self.folder, order.session, self.meta.generation).map_err(wire)?;
        for file in files {
            file.put().map_err(wire)?;
        }
        let mut recorder = Recorder::new(writer);
        opening::tell(&mut recorder, order, &meta, &recovery);
        let facts = Facts {
            capabilities: launched.capabilities,
            model: meta.model.clone(),
            permission_mode: order.start.permission_mode.unwrap_or_default(),
            native_session_id: meta.native_session_id.clone().or_else(|| order.start.resume_session_id.clone()),
            cli_version: order.cli_version.clone(),
            auth: None,
            offers: AgentOffers::default(),
            usage: meta.usage,
            turns: meta.statistics.turns,
            policy: order.start.permissions,
            rules: meta.rules.clone(),
        };
        Ok(Opened { socket, file, recorder, meta, facts, attached })
    }

    async fn serve(&self, order: KeeperOrder, launched: Launched, opened: Opened, tree: Tree, holding: Holding) {
        let Opened { socket, file, recorder, meta, facts, attached } = opened;
        let tools_token = token();
        [&file.token, &tools_token].into_iter().for_each(|token| debuglog::hide(token));
        reap_adopted();
        let (asks, asked) = mpsc::channel(WAITING_ASKS);
        let adapter = order.adapter.clone();
        let (cli, cwd) = (order.cli.clone(), order.start.cwd.clone());
        let generation = meta.generation;
        let (tools, sidecars) = tools(&order, &meta, &file);
        let has_tools = offers_tools(&order, &meta);
        let door = ToolsDoor { socket: file.socket.clone(), token: tools_token.clone(), sidecars: sidecars.clone() };
        let notes = begin_notes(&tree, &order, &file, &meta, &launched);
        let end = TreeEnd { tree: tree.clone(), sessions: PathBuf::from(&order.sessions), parent: meta.parent };
        let from = if meta.parent.is_some() && generation == 1 { tree.spawner().await } else { None };
        let task = PodTask::new(Parts {
            notes,
            mark: file.pod.to_string(),
            folder: self.folder.clone(),
            pod: Pod::new(order.session, facts),
            intake: Intake::new(transcript::adapter_or_plain(&adapter)),
            recorder,
            meta,
            order,
            attached,
            from,
            tools: Some(door).filter(|_| has_tools),
            tree,
            holding,
        });
        let feed = task.feed();
        let shared = Shared {
            pod: file.pod,
            session: file.session,
            generation,
            token: file.token.clone(),
            tools_token,
            tools,
            sidecars,
            folder: self.folder.clone(),
            adapter,
            feed: Arc::clone(&feed),
            asks: asks.clone(),
            runner: launched.child.process(),
            cli,
            cwd,
        };
        let serving = socket.serve(Arc::new(shared));
        stop_on_signals(asks);
        let quiet = tokio::spawn(quiet::give_back_when_quiet(feed.changes()));
        let path = file.socket.clone();
        end.tree.entered().await;
        report(&KeeperReport::Ready { pod: file });
        let outcome = task.run(launched, asked).await;
        // It is no reader that the end is to wait for.
        quiet.abort();
        // Out of sight first: whoever looks now finds an ended session.
        if let Err(error) = self.folder.remove_pod(generation) {
            tracing::warn!(%error, "pod.json could not be removed");
        }
        let noting = tokio::spawn(end.tell(outcome));
        let _ = tokio::time::timeout(LAST_READERS, feed.all_have_left()).await;
        let _ = noting.await;
        drop(serving);
        let _ = std::fs::remove_file(path);
        tracing::info!("the keeper has ended");
    }
}

/// What is told of the end when it is out of sight: to the parent, then to the ledger.
struct TreeEnd {
    tree: Tree,
    sessions: PathBuf,
    parent: Option<SessionId>,
}

impl TreeEnd {
    async fn tell(self, outcome: PodOutcome) {
        let Self { tree, sessions, parent } = self;
        let notes = tree.notes().clone();
        if parent.is_some() {
            let text = end_words(tree.name(), outcome);
            kin::tell_parent(tree, sessions, text, Some(outcome)).await;
        }
        let _ = tokio::task::spawn_blocking(move || notes.end()).await;
    }
}

fn begin_notes(
    tree: &Tree,
    order: &KeeperOrder,
    pod: &PodFile,
    meta: &SessionMeta,
    launched: &Launched,
) -> LedgerNotes {
    let process = launched.child.process();
    let runner = Runner { process, script: order.runner.clone(), cli: order.cli.clone() };
    tree.notes().begin(pod, meta, runner);
    tree.notes().clone()
}

/// The tools that the agent is offered: those of pods, then those of the user's sidecars.
fn tools(order: &KeeperOrder, meta: &SessionMeta, pod: &PodFile) -> (Tools, Option<Sidecars>) {
    let changed = Changed::new();
    let of_pods =
        |program: &String| Arc::new(PodTools::new(PathBuf::from(program), pod.session, pod.pod)) as Arc<dyn ToolSource>;
    let of_pods = order.program.iter().filter(|_| order.pod_tools).map(of_pods);
    let sidecars = Sidecars::of(order, &meta.workspace, changed.clone());
    let of_sidecars = sidecars.iter().map(|sidecars| Arc::new(sidecars.clone()) as Arc<dyn ToolSource>);
    (Tools::of(of_pods.chain(of_sidecars).collect(), changed), sidecars)
}

/// Whether there is anything that a bridge beside the agent could offer it.
fn offers_tools(order: &KeeperOrder, meta: &SessionMeta) -> bool {
    let sidecars = || {
        let config = order.config.as_ref();
        config.is_some_and(|config| toolbox::roots::has_any(Path::new(config), Some(Path::new(&meta.workspace))))
    };
    order.program.is_some() && (order.pod_tools || sidecars())
}

/// Takes the lease. The keeper of a session that has just ended holds it while its last readers fetch the end: that one is waited for.
fn lease(folder: &SessionFolder) -> Result<Lease, JournalError> {
    const BETWEEN_LOOKS: std::time::Duration = std::time::Duration::from_millis(20);
    let until = std::time::Instant::now() + LAST_READERS + LAST_READERS;
    loop {
        match Lease::take(folder) {
            Err(JournalError::Leased { .. }) if is_ending(folder) && std::time::Instant::now() < until => {
                std::thread::sleep(BETWEEN_LOOKS);
            }
            taken => return taken,
        }
    }
}

/// Whether the session's end is written down and its pod out of sight.
fn is_ending(folder: &SessionFolder) -> bool {
    let ended = matches!(folder.read_meta(), Ok(Some(meta)) if meta.ended_at.is_some());
    ended && !folder.pod().exists()
}

/// What was opened for a pod.
struct Opened {
    socket: Socket,
    file: PodFile,
    recorder: Recorder,
    meta: SessionMeta,
    facts: Facts,
    attached: Vec<Attached>,
}

fn read_order() -> Result<KeeperOrder, WireError> {
    let mut text = String::new();
    let bad = |why: String| {
        let message =
            format!("`outrigger-keeper keep` is started by Outrigger itself, with an order on its stdin: {why}");
        WireError::new(ErrorCode::BadRequest, message)
    };
    std::io::stdin().read_to_string(&mut text).map_err(|error| bad(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| bad(error.to_string()))
}

fn fail(error: WireError) -> ExitCode {
    report(&KeeperReport::Failed { error });
    ExitCode::FAILURE
}

/// The one line on stdout. Whoever started this keeper may be gone already; the pod lives on.
fn report(report: &KeeperReport) {
    if let Ok(mut line) = serde_json::to_vec(report) {
        line.push(b'\n');
        let mut stdout = std::io::stdout();
        let _ = stdout.write_all(&line).and_then(|()| stdout.flush());
    }
}

/// SIGTERM and Ctrl-C stop the session in good order; a second one skips to the next rung.
fn stop_on_signals(asks: mpsc::Sender<Asked>) {
    tokio::spawn(async move {
        while let Some(()) = asked_to_end().await {
            tracing::info!("the keeper was asked by a signal to end");
            let (reply, _) = oneshot::channel();
            if asks.send((Ask::Stop { force: false }, reply)).await.is_err() {
                return;
            }
        }
    });
}

/// Descendants that lost their parents come to us, and are taken off the process table when they end.
#[cfg(unix)]
fn reap_adopted() {
    use tokio::signal::unix::{SignalKind, signal};
    tokio::spawn(async move {
        let Ok(mut ended) = signal(SignalKind::child()) else { return };
        while ended.recv().await.is_some() {
            process::reap_orphans();
        }
    });
}

#[cfg(not(unix))]
fn reap_adopted() {}

#[cfg(unix)]
async fn asked_to_end() -> Option<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).ok()?;
    let mut interrupt = signal(SignalKind::interrupt()).ok()?;
    tokio::select! {
        got = terminate.recv() => got,
        got = interrupt.recv() => got,
    }
}

#[cfg(not(unix))]
async fn asked_to_end() -> Option<()> {
    tokio::signal::ctrl_c().await.ok()
}

fn socket_path(order: &KeeperOrder, pod: PodId) -> PathBuf {
    if cfg!(windows) {
        return PathBuf::from(format!(r"\\.\pipe\outrigger-{}", pod.simple()));
    }
    Path::new(&order.run).join(format!("{}.sock", pod.simple()))
}

/// 244 random bits, as two version 4 uuids.
pub(crate) fn token() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}

pub(crate) fn wire(error: JournalError) -> WireError {
    let code = match &error {
        JournalError::Leased { .. } => ErrorCode::AlreadyHosted,
        JournalError::Io { .. } | JournalError::Malformed { .. } | JournalError::NewerFormat { .. } => {
            ErrorCode::DataFolder
        }
    };
    WireError::new(code, error.to_string())
}
