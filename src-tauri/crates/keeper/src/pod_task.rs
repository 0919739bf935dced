//! The pod's task: the one owner of the runner, the journal and the pod's state. It turns what happens into inputs of the pure
//! state and performs the effects; it decides nothing itself.

mod asking;
mod open_text;
mod recording;

use std::collections::HashMap;
use std::sync::Arc;

use journal::SessionFolder;
use process::{
    Action, Child, ChildStderr, ChildStdout, Exit, Input as LadderInput, Ladder, Line, LineReader, ProcessRef,
    StderrTail, Sweep,
};
use protocol::error::WireError;
use protocol::limits::PARTIAL_EVERY;
use protocol::pod::PodStatus;
use protocol::record::{HostRecord, NoticeLevel};
use protocol::runner::{HostLine, Query, ResumeMode};
use protocol::session::{KeeperOrder, SessionMeta};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::exchange::{Answer, Attached, Effect, Gone, Input};
use crate::feed::{Feed, Update};
use crate::health_look::{HealthLook, Sample};
use crate::intake::{Intake, Piece};
use crate::launch::Launched;
use crate::ledger_notes::LedgerNotes;
use crate::leftovers::Leftovers;
use crate::pod_state::Pod;
use crate::recorder::Recorder;
use crate::runner_stdin::RunnerStdin;
use crate::session_meta;
use crate::shared::Asked;
use crate::status::status;
use crate::waiting::Ticket;
use crate::waits::{at, next_batch, swept};

/// Everything that the task owns besides the runner's pipes.
pub(crate) struct PodTask {
    order: KeeperOrder,
    mark: String,
    folder: SessionFolder,
    meta: SessionMeta,
    pod: Pod,
    feed: Arc<Feed>,
    recorder: Recorder,
    intake: Intake,
    replies: HashMap<Ticket, oneshot::Sender<Result<Answer, WireError>>>,
    next_ticket: u64,
    ladder: Ladder,
    ladder_timer: Option<Instant>,
    known: Vec<ProcessRef>,
    stdin: Option<RunnerStdin>,
    stderr_tail: StderrTail,
    exit: Option<Exit>,
    sweeping: Option<tokio::task::JoinHandle<Sweep>>,
    first_query: bool,
    saved: HashMap<u64, usize>,
    partial_timer: Option<Instant>,
    sync_timer: Option<Instant>,
    unwritten_timer: Option<Instant>,
    closing_pipes: bool,
    finished: bool,
    /// Whether `meta.json` says less than `meta`, because the disk refused it.
    meta_is_behind: bool,
    health: HealthLook,
    retry_timer: Option<Instant>,
    group: Option<process::Group>,
    leftovers: Leftovers,
    notes: LedgerNotes,
    /// What goes with the first prompt.
    attached: Vec<Attached>,
}

/// The runner's pipes, read by the loop.
struct Pipes {
    child: Child,
    stdout: Option<LineReader<ChildStdout>>,
    stderr: Option<LineReader<ChildStderr>>,
}

enum Happened {
    Stdout(std::io::Result<Option<Vec<Line>>>),
    Stderr(std::io::Result<Option<Vec<Line>>>),
    Exited(std::io::Result<Exit>),
    Asked(Option<Asked>),
    LadderTimer,
    PartialTimer,
    SyncTimer,
    UnwrittenTimer,
    Swept(Sweep),
    RetryTimer,
    Looked(Sample),
    LeftoversEnded(HostRecord),
}

/// What a pod's task begins with.
pub(crate) struct Parts {
    pub(crate) order: KeeperOrder,
    /// Stands in the environment of everything that the pod starts.
    pub(crate) mark: String,
    pub(crate) folder: SessionFolder,
    pub(crate) meta: SessionMeta,
    pub(crate) pod: Pod,
    pub(crate) recorder: Recorder,
    pub(crate) intake: Intake,
    /// What the ledger is told.
    pub(crate) notes: LedgerNotes,
    /// What goes with the first prompt.
    pub(crate) attached: Vec<Attached>,
}

impl PodTask {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { order, mark, folder, meta, pod, recorder, intake, notes, attached } = parts;
        let health = HealthLook::new(order.health);
        let known = recorder.unwritten().next().map_or(recorder.last_seq(), |records| records.first - 1);
        let feed = Feed::new(known, status(&order, &meta, &pod, &recorder, health.health()));
        Self {
            order,
            mark,
            folder,
            meta,
            pod,
            feed,
            recorder,
            intake,
            replies: HashMap::new(),
            next_ticket: 1,
            ladder: Ladder::new(),
            ladder_timer: None,
            known: Vec::new(),
            stdin: None,
            stderr_tail: StderrTail::default(),
            exit: None,
            sweeping: None,
            first_query: true,
            saved: HashMap::new(),
            partial_timer: None,
            sync_timer: None,
            unwritten_timer: None,
            closing_pipes: false,
            finished: false,
            meta_is_behind: false,
            health,
            retry_timer: None,
            group: None,
            leftovers: Leftovers::default(),
            notes,
            attached,
        }
    }

    /// What readers pull from.
    pub(crate) fn feed(&self) -> Arc<Feed> {
        Arc::clone(&self.feed)
    }

    /// Runs the pod until its session is over.
    pub(crate) async fn run(mut self, launched: Launched, mut asks: mpsc::Receiver<Asked>) {
        let Launched { child, stdin, stdout, stderr, stderr_tail, capabilities: _, first_lines } = launched;
        self.show_unwritten();
        self.stdin = stdin.map(RunnerStdin::open);
        self.stderr_tail = stderr_tail;
        self.group = Some(child.group());
        self.health.watch(child.process());
        let mut pipes = Pipes { child, stdout: Some(stdout), stderr: Some(stderr) };
        self.lines(&first_lines);
        self.first_prompt();
        while !self.finished {
            let happened = self.wait(&mut pipes, &mut asks).await;
            self.handle(happened, &mut pipes);
            if std::mem::take(&mut self.closing_pipes) {
                self.close_pipes(&mut pipes);
            }
        }
        self.put_down().await;
    }

    async fn wait(&mut self, pipes: &mut Pipes, asks: &mut mpsc::Receiver<Asked>) -> Happened {
        let Pipes { child, stdout, stderr } = pipes;
        tokio::select! {
            batch = next_batch(stdout) => Happened::Stdout(batch),
            batch = next_batch(stderr) => Happened::Stderr(batch),
            exit = child.wait(), if self.exit.is_none() => Happened::Exited(exit),
            asked = asks.recv() => Happened::Asked(asked),
            () = at(self.ladder_timer) => Happened::LadderTimer,
            () = at(self.partial_timer) => Happened::PartialTimer,
            () = at(self.sync_timer) => Happened::SyncTimer,
            () = at(self.unwritten_timer) => Happened::UnwrittenTimer,
            swept = swept(&mut self.sweeping) => Happened::Swept(swept),
            () = at(self.retry_timer) => Happened::RetryTimer,
            sample = self.health.looked() => Happened::Looked(sample),
            record = self.leftovers.told() => Happened::LeftoversEnded(record),
        }
    }

    fn handle(&mut self, happened: Happened, pipes: &mut Pipes) {
        match happened {
            Happened::Stdout(Ok(Some(lines))) => self.lines(&lines),
            Happened::Stdout(Ok(None)) => self.pipe_closed(&mut pipes.stdout, pipes.stderr.is_none()),
            Happened::Stdout(Err(error)) => {
                tracing::warn!(%error, "reading the runner's stdout failed");
                self.pipe_closed(&mut pipes.stdout, pipes.stderr.is_none());
            }
            Happened::Stderr(Ok(Some(lines))) => self.note_stderr(&lines),
            Happened::Stderr(Ok(None) | Err(_)) => self.pipe_closed(&mut pipes.stderr, pipes.stdout.is_none()),
            Happened::Exited(exit) => self.exited(exit),
            Happened::Asked(Some((ask, reply))) => {
                let ticket = Ticket(self.next_ticket);
                self.next_ticket += 1;
                self.replies.insert(ticket, reply);
                self.step(Input::Asked(ticket, ask));
            }
            // The socket's task lives as long as this one; should it end, the session can still be ended by signals.
            Happened::Asked(None) => {}
            Happened::LadderTimer => {
                self.ladder_timer = None;
                self.climb(LadderInput::Elapsed);
            }
            Happened::PartialTimer => self.save_partials(),
            Happened::SyncTimer => {
                self.sync_timer = None;
                self.recorder.sync();
            }
            Happened::UnwrittenTimer => self.write_again(),
            Happened::Swept(sweep) => self.swept(sweep),
            Happened::RetryTimer => {
                self.retry_timer = None;
                self.step(Input::RetryDue);
            }
            Happened::Looked(sample) => {
                let entries = self.health.take(sample);
                self.notes.note_processes(entries);
                let changed = self.assess();
                self.perform(changed.into_iter().collect());
                self.publish(None);
                self.schedule_sync();
            }
            Happened::LeftoversEnded(record) => {
                self.record(&record);
                self.schedule_sync();
            }
        }
    }

    fn lines(&mut self, mut lines: &[Line]) {
        while !lines.is_empty() {
            lines = &lines[self.some_lines(lines)..];
        }
        self.schedule_sync();
    }

    /// Journal first: the records are in the file before the state's effects run and before any reader sees them.
    fn some_lines(&mut self, lines: &[Line]) -> usize {
        let taken = self.intake.take(lines);
        if taken.ends_blocks {
            self.finish_open_blocks();
        }
        let entries: Vec<_> = taken.pieces.iter().map(Piece::entry).collect();
        let records = self.recorder.record(&entries);
        if !taken.blocks.is_empty() && self.partial_timer.is_none() {
            self.partial_timer = Some(Instant::now() + PARTIAL_EVERY);
        }
        self.show(Update { blocks: taken.blocks, ..Update::default() });
        self.leftovers.after(&taken.inputs, &self.mark, self.ladder.rung(), self.group.as_ref());
        let mut effects = Vec::new();
        let heard = !taken.inputs.is_empty();
        for input in taken.inputs {
            let input = self.looked_up(input);
            self.health.heard(&input);
            effects.extend(self.pod.step(input, &session_meta::now()));
        }
        if heard {
            // What ended the session is its last record.
            effects.splice(0..0, self.assess());
        }
        if effects.contains(&Effect::SaveFacts) {
            // The native id is on the disk before the first output is shown.
            effects.retain(|effect| *effect != Effect::SaveFacts);
            self.save_facts();
        }
        self.publish(records);
        self.perform(effects);
        taken.lines
    }

    fn step(&mut self, input: Input) {
        self.health.heard(&input);
        let mut effects = self.pod.step(input, &session_meta::now());
        effects.splice(0..0, self.assess());
        self.perform(effects);
        self.publish(None);
        self.schedule_sync();
    }

    fn assess(&mut self) -> Option<Effect> {
        self.health.assess(&self.pod, &session_meta::now()).map(Effect::Record)
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Tell(line) => self.tell(&line),
                Effect::Query { prompt, attachments } => self.query(prompt, attachments),
                Effect::Record(record) => self.record(&record),
                Effect::RetryAfter(wait) => self.retry_timer = Some(Instant::now() + wait),
                Effect::Reply(ticket, answer) => {
                    if let Some(reply) = self.replies.remove(&ticket) {
                        // Whoever asked may have hung up.
                        let _ = reply.send(answer);
                    }
                }
                Effect::KeepRule(rule) => self.keep_rule(&rule),
                Effect::Stop => self.climb(LadderInput::Stop),
                Effect::SaveFacts => self.save_facts(),
                Effect::Sync => self.recorder.sync(),
                Effect::Finish(outcome) => {
                    session_meta::end(&mut self.meta, outcome);
                    self.save_meta();
                    self.finished = true;
                    let records = self.recorder.catch_up();
                    self.show(Update { records, status: Some(self.status()), over: true, ..Update::default() });
                }
            }
        }
    }

    fn tell(&self, line: &HostLine) {
        match &self.stdin {
            Some(stdin) => stdin.send(line),
            None => tracing::debug!("a line for the runner came after its stdin was closed"),
        }
    }

    fn first_prompt(&mut self) {
        if let Some(text) = self.order.start.prompt.take() {
            let attached = std::mem::take(&mut self.attached);
            let prompt = crate::exchange::Prompt { text, attached, if_busy: protocol::pod::IfBusy::Reject };
            self.step(Input::Asked(Ticket(0), crate::exchange::Ask::Prompt(prompt)));
        } else {
            self.publish(None);
        }
    }

    /// The first query carries the session's settings, the later ones only what can change.
    fn query(&mut self, prompt: String, attachments: Vec<protocol::attachment::Attachment>) {
        let first = std::mem::replace(&mut self.first_query, false);
        let start = &self.order.start;
        let facts = self.pod.facts();
        let resume_id = first.then(|| start.resume_session_id.clone()).flatten();
        let query = Query {
            session_id: self.order.session,
            prompt,
            attachments,
            cwd: start.cwd.clone(),
            model: facts.model.clone(),
            system_prompt: start.system_prompt.clone(),
            max_turns: start.max_turns,
            permission_mode: facts.permission_mode,
            additional_directories: start.additional_directories.clone(),
            worktree_name: start.worktree_name.clone(),
            config_dir: start.config_dir.clone(),
            resume_mode: if first { start.resume_mode } else { ResumeMode::New },
            resume_session_id: resume_id,
            mcp_servers: start.mcp_servers.clone(),
            cli: self.order.cli.clone(),
            cli_version: self.order.cli_version.clone(),
            provider_config: start.provider_config.clone(),
            state_dir: Some(self.order.state_dir()),
            confined: start.scope.is_some(),
        };
        self.tell(&HostLine::Query(Box::new(query)));
    }

    fn note_stderr(&mut self, lines: &[Line]) {
        for line in lines {
            tracing::info!(source = "runner stderr", "{}", String::from_utf8_lossy(&line.bytes));
            self.stderr_tail.push(&line.bytes);
        }
    }

    fn pipe_closed<R>(&mut self, pipe: &mut Option<R>, other_closed: bool) {
        *pipe = None;
        if other_closed {
            self.climb(LadderInput::PipesClosed);
        }
    }

    fn close_pipes(&mut self, pipes: &mut Pipes) {
        if pipes.stdout.take().is_some() | pipes.stderr.take().is_some() {
            let text = "A process that the agent started still holds its output open; nothing more is read from it.";
            self.record(&HostRecord::Notice {
                level: NoticeLevel::Warning,
                code: "leaked_pipe".to_owned(),
                text: text.to_owned(),
            });
        }
    }

    fn exited(&mut self, exit: std::io::Result<Exit>) {
        let exit = exit.unwrap_or_else(|error| {
            tracing::warn!(%error, "waiting for the runner failed");
            Exit { code: None, signal: None }
        });
        tracing::info!(code = exit.code, signal = exit.signal, "the runner has ended");
        self.exit = Some(exit);
        self.step(Input::RunnerExited);
        self.climb(LadderInput::Exited);
    }

    fn climb(&mut self, input: LadderInput) {
        for action in self.ladder.step(input) {
            tracing::debug!(?action, "stop ladder");
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::ListDescendants => self.list_descendants(),
            Action::SendStop => self.tell(&HostLine::Stop { session_id: self.order.session }),
            Action::CloseStdin => self.stdin = None,
            Action::TerminateGroup => self.signal_group(process::Group::terminate),
            Action::KillGroup => self.signal_group(process::Group::kill),
            Action::KillDescendants => process::kill_processes(&self.known),
            Action::StartTimer(after) => self.ladder_timer = Some(Instant::now() + after),
            Action::ClosePipes => self.closing_pipes = true,
            Action::Sweep => {
                self.stdin = None;
                self.list_descendants();
                let (mark, known) = (self.mark.clone(), self.known.clone());
                self.sweeping = Some(tokio::spawn(async move { process::sweep(&mark, &known).await }));
            }
            // The end is told when the sweep is done, in `swept`.
            Action::Report(by) => tracing::info!(?by, "the runner's processes have been ended"),
        }
    }

    fn list_descendants(&mut self) {
        let descendants = process::part_of_pod(&self.mark, ProcessRef::current().pid);
        for entry in &descendants {
            if !self.known.contains(&entry.process) {
                self.known.push(entry.process);
            }
        }
        self.notes.note_processes(descendants);
    }

    fn signal_group(&self, signal: impl Fn(&process::Group)) {
        if let Some(group) = &self.group {
            signal(group);
        }
    }

    fn swept(&mut self, sweep: Sweep) {
        self.climb(LadderInput::Swept);
        let Exit { code, signal } = self.exit.clone().unwrap_or(Exit { code: None, signal: None });
        let survivors =
            sweep.survivors.iter().map(|entry| format!("{} {}", entry.process.pid, entry.command)).collect();
        self.finish_open_blocks();
        let gone = Gone { code, signal, stderr_tail: self.stderr_tail.lines(), survivors };
        self.step(Input::RunnerGone(gone));
    }

    fn save_facts(&mut self) {
        session_meta::update(&mut self.meta, self.pod.facts());
        self.save_meta();
    }

    fn status(&self) -> PodStatus {
        status(&self.order, &self.meta, &self.pod, &self.recorder, self.health.health())
    }
}
