//! The pod's task: the one owner of the runner, the journal and the pod's state. It turns what happens into inputs of the pure
//! state and performs the effects; it decides nothing itself.

mod asking;
mod beside;
mod going;
mod open_text;
mod recording;
mod telling;

pub(crate) use telling::ToolsDoor;

use std::collections::HashMap;
use std::sync::Arc;

use journal::SessionFolder;
use process::{
    Child, ChildStderr, ChildStdout, Exit, Input as LadderInput, Ladder, Line, LineReader, ProcessRef, StderrTail,
    Sweep,
};
use protocol::error::WireError;
use protocol::limits::PARTIAL_EVERY;
use protocol::pod::PodStatus;
use protocol::record::{HostRecord, NoticeLevel, Outcome};
use protocol::scope::PodOutcome;
use protocol::session::{KeeperOrder, SessionMeta};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::exchange::{Answer, Attached, Effect, Gone, Input};
use crate::feed::{Feed, Update};
use crate::health_look::{HealthLook, Sample};
use crate::holding::Holding;
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
use crate::tree::Tree;
use crate::turn_gate::TurnGate;
use crate::waiting::Ticket;
use crate::waits::{at, next_batch, swept};

/// Where an answer goes.
type Reply = oneshot::Sender<Result<Answer, WireError>>;

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
    said: session_meta::Said,
    replies: HashMap<Ticket, Reply>,
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
    /// Who sent the first prompt, when it was another pod.
    first_from: Option<String>,
    tools: Option<ToolsDoor>,
    tree: Tree,
    holding: Holding,
    gate: TurnGate,
    beside: beside::Beside,
    /// How the runner went, while the pods below are being stopped.
    gone: Option<Gone>,
    /// Answers that are given when the pod's place in the tree is free.
    parting: Vec<(Reply, Result<Answer, WireError>)>,
    outcome: Outcome,
    stop_asked: bool,
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
    Beside(beside::Done),
    Seen(confine::watch::Seen),
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
    /// Who sent the first prompt, when it was another pod.
    pub(crate) from: Option<String>,
    /// How the agent reaches its tools. None where there are none.
    pub(crate) tools: Option<ToolsDoor>,
    /// Its place in the pod tree.
    pub(crate) tree: Tree,
    /// What it may write, and what holds it to that.
    pub(crate) holding: Holding,
}

impl PodTask {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { order, mark, folder, meta, pod, recorder, intake, notes, attached, from, tools, tree, holding } =
            parts;
        let health = HealthLook::new(order.health);
        let known = recorder.unwritten().next().map_or(recorder.last_seq(), |records| records.first - 1);
        let feed = Feed::new(known, status(&order, &meta, &pod, &recorder, health.health(), &holding));
        Self {
            order,
            mark,
            folder,
            meta,
            pod,
            feed,
            recorder,
            intake,
            said: session_meta::Said::default(),
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
            first_from: from,
            tools,
            tree,
            holding,
            gate: TurnGate::default(),
            beside: beside::Beside::default(),
            gone: None,
            parting: Vec::new(),
            outcome: Outcome::Failed,
            stop_asked: false,
        }
    }

    /// What readers pull from.
    pub(crate) fn feed(&self) -> Arc<Feed> {
        Arc::clone(&self.feed)
    }

    /// Runs the pod until its session is over. How it ended.
    pub(crate) async fn run(mut self, launched: Launched, mut asks: mpsc::Receiver<Asked>) -> PodOutcome {
        let Launched { child, stdin, stdout, stderr, stderr_tail, capabilities: _, first_lines } = launched;
        self.show_unwritten();
        self.stdin = stdin.map(RunnerStdin::open);
        self.stderr_tail = stderr_tail;
        self.group = Some(child.group());
        self.health.watch(child.process());
        let mut pipes = Pipes { child, stdout: Some(stdout), stderr: Some(stderr) };
        self.lines(&first_lines);
        self.begin_to_hold().await;
        self.first_prompt();
        while !self.finished {
            let happened = self.wait(&mut pipes, &mut asks).await;
            self.handle(happened, &mut pipes);
            if std::mem::take(&mut self.closing_pipes) {
                self.close_pipes(&mut pipes);
            }
        }
        self.part().await;
        self.put_down().await;
        self.pod_outcome()
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
            done = self.beside.next() => Happened::Beside(done),
            seen = self.holding.seen() => Happened::Seen(seen),
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
                // It did nothing where the one before is still under way.
                self.schedule_sync();
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
            Happened::LeftoversEnded(record) => self.told(&record),
            Happened::Beside(done) => self.done_beside(done),
            Happened::Seen(seen) => self.told(&crate::holding::told(seen)),
        }
    }

    fn lines(&mut self, mut lines: &[Line]) {
        self.said.count(lines);
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
        self.publish_with(records, taken.blocks);
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
        let is_last = effects.iter().any(|effect| matches!(effect, Effect::Finish(_)));
        for effect in effects {
            match effect {
                Effect::Tell(line) => self.tell(line),
                Effect::Query { prompt, attachments, again } => self.ask_for_turn(prompt, attachments, again),
                Effect::CountTurn => self.beside.begin_turn(&self.tree, false),
                Effect::TurnOver { cost_usd, rests } => self.turn_over(cost_usd, rests),
                Effect::LookAtScope => self.beside.look_at_scope(&self.tree),
                Effect::StopBelow => {
                    self.stop_asked = true;
                    self.beside.stop_below(&self.tree, &self.order);
                }
                Effect::Record(record) => self.record(&record),
                Effect::RetryAfter(wait) => self.retry_timer = Some(Instant::now() + wait),
                Effect::Reply(ticket, answer) => {
                    if let Some(reply) = self.replies.remove(&ticket) {
                        if is_last {
                            self.parting.push((reply, answer));
                        } else {
                            // Whoever asked may have hung up.
                            let _ = reply.send(answer);
                        }
                    }
                }
                Effect::KeepRule(rule) => self.keep_rule(&rule),
                Effect::Stop => self.climb(LadderInput::Stop),
                Effect::SaveFacts => self.save_facts(),
                Effect::Sync => self.recorder.sync(),
                Effect::Finish(outcome) => {
                    self.outcome = outcome;
                    session_meta::end(&mut self.meta, outcome);
                    self.save_meta();
                    self.finished = true;
                    let records = self.recorder.catch_up();
                    self.show(Update { records, status: Some(self.status()), over: true, ..Update::default() });
                }
            }
        }
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

    fn save_facts(&mut self) {
        session_meta::update(&mut self.meta, self.pod.facts());
        self.save_meta();
    }

    fn status(&self) -> PodStatus {
        status(&self.order, &self.meta, &self.pod, &self.recorder, self.health.health(), &self.holding)
    }
}
