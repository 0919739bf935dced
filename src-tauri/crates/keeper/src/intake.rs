//! Takes in a batch of the runner's lines: what goes into the journal, what is only streamed, and what the pod has to know.
//!
//! The hot path: a line that is framed as usual is read once, by its adapter; others are first read for their type. Bytes are not
//! copied until they are framed for the journal.

use std::borrow::Cow;

use journal::Entry;
use process::Line;
use protocol::runner::{RunnerHead, RunnerLine, unread_event};
use providers::{Adapter, Hint, Weight};

use crate::exchange::Input;
use crate::feed::BlockChange;
use crate::line_log::LineLog;

/// See the module.
pub struct Intake {
    adapter: Box<dyn Adapter>,
    log: LineLog,
}

/// What a batch of lines comes to, each part in the lines' order.
#[derive(Default)]
pub struct Taken<'a> {
    /// What is to be recorded.
    pub pieces: Vec<Piece<'a>>,
    /// What the pod has to know.
    pub inputs: Vec<Input>,
    /// What becomes of open blocks.
    pub blocks: Vec<BlockChange>,
    /// How many lines were taken.
    pub lines: usize,
    /// The turn or the agent ended with the one line that was taken: what is still open by then is never finished.
    pub ends_blocks: bool,
    /// Whether the newest input is known to follow an event of the provider.
    told_output: bool,
}

impl Taken<'_> {
    /// The agent said something. Told once for any number of events without an input between them.
    fn output(&mut self) {
        if !std::mem::replace(&mut self.told_output, true) {
            self.inputs.push(Input::Output);
        }
    }

    /// That the provider failed is said by its CLI, and no sign that the work goes on; every other event is.
    fn hinted(&mut self, hints: Vec<Hint>) {
        let retrying = hints.iter().any(|hint| matches!(hint, Hint::Retrying { .. }));
        if retrying {
            self.told_output = false;
        } else {
            self.output();
        }
        if !hints.is_empty() {
            self.inputs.push(Input::Hinted(hints));
        }
    }
}

/// Something to be recorded.
pub enum Piece<'a> {
    /// A JSON object, as it came or with invalid UTF-8 replaced.
    Json {
        /// The object.
        text: Cow<'a, str>,
        /// The open block that it finishes.
        closes: Option<String>,
    },
    /// Anything else.
    Text {
        /// The bytes as they came.
        bytes: &'a [u8],
        /// The whole length, if this is only the beginning.
        cut_from: Option<u64>,
    },
}

impl Piece<'_> {
    /// The piece as a journal entry.
    #[must_use]
    pub fn entry(&self) -> Entry<'_> {
        match self {
            Self::Json { text, closes } => Entry::Line { json: text, closes: closes.as_deref() },
            Self::Text { bytes, cut_from } => Entry::Text { bytes, cut_from: *cut_from },
        }
    }
}

impl Intake {
    /// An intake whose events this adapter weighs.
    #[must_use]
    pub fn new(adapter: Box<dyn Adapter>) -> Self {
        Self { adapter, log: LineLog::default() }
    }

    /// Takes in lines up to one that ends a turn; that one is taken alone, so that what it cuts short can be recorded before it.
    pub fn take<'a>(&mut self, lines: &'a [Line]) -> Taken<'a> {
        let mut taken = Taken::default();
        for line in lines {
            let ends = ends_blocks(line);
            if ends && taken.lines > 0 {
                break;
            }
            self.line(line, &mut taken);
            taken.lines += 1;
            if ends {
                taken.ends_blocks = true;
                break;
            }
        }
        self.log.batch_done();
        taken
    }

    fn line<'a>(&mut self, line: &'a Line, taken: &mut Taken<'a>) {
        let bytes: &'a [u8] = &line.bytes;
        if line.cut_from.is_some() {
            self.log.line("(cut)", bytes.len());
            taken.pieces.push(Piece::Text { bytes, cut_from: line.cut_from });
            return;
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                if !self.json(Cow::Borrowed(text), taken) {
                    self.log.line("(text)", bytes.len());
                    taken.pieces.push(Piece::Text { bytes, cut_from: None });
                }
            }
            Err(_) => {
                // The record keeps the bytes; the copy with replacements lets an event of this line still be understood.
                self.log.line("(invalid UTF-8)", bytes.len());
                taken.pieces.push(Piece::Text { bytes, cut_from: None });
                self.json(Cow::Owned(String::from_utf8_lossy(bytes).into_owned()), taken);
            }
        }
    }

    /// Takes in a line that may be a JSON object. False when it is none.
    fn json<'a>(&mut self, text: Cow<'a, str>, taken: &mut Taken<'a>) -> bool {
        // Most lines are told by one look, which also tells that they are JSON.
        if let Some(weight) = unread_event(&text).and_then(|event| self.adapter.weigh_unread(event)) {
            self.weighed(weight, text, taken);
            return true;
        }
        match serde_json::from_str::<RunnerHead<'_>>(&text) {
            Ok(RunnerHead { r#type, event: Some(event) }) if r#type == "agent_event" => {
                let weight = self.adapter.weigh(event.get());
                self.weighed(weight, text, taken);
                true
            }
            Ok(head) => {
                self.log.line(&head.r#type, text.len());
                self.protocol_line(text, taken);
                true
            }
            // Runners of the seed's kind send bare events; an object without a type is one of those.
            Err(_) if is_object(&text) => {
                let weight = self.adapter.weigh(&text);
                self.weighed(weight, text, taken);
                true
            }
            Err(_) => false,
        }
    }

    fn weighed<'a>(&mut self, weight: Weight, text: Cow<'a, str>, taken: &mut Taken<'a>) {
        match weight {
            Weight::Durable { closes, hints } => {
                self.log.line("agent_event", text.len());
                taken.blocks.extend(closes.clone().map(BlockChange::Closed));
                taken.hinted(hints);
                taken.pieces.push(Piece::Json { text, closes });
            }
            Weight::Delta(delta) => {
                self.log.ephemeral("delta", text.len());
                taken.blocks.push(BlockChange::Grew(delta));
                taken.output();
            }
            Weight::Ephemeral => {
                self.log.ephemeral("ephemeral", text.len());
                taken.output();
            }
            Weight::KeepAlive => self.log.ephemeral("keep-alive", text.len()),
        }
    }

    fn protocol_line<'a>(&mut self, text: Cow<'a, str>, taken: &mut Taken<'a>) {
        let line = protocol::json::parse_tolerant::<RunnerLine>(&text).unwrap_or(RunnerLine::Unknown);
        match &line {
            RunnerLine::Pong => return,
            RunnerLine::Log { level, message } => {
                log_for_runner(level, message);
                return;
            }
            RunnerLine::TurnEnded { .. } | RunnerLine::AgentStopped { .. } => {
                taken.blocks.push(BlockChange::AllClosed);
                self.log.flush();
            }
            RunnerLine::Ready { .. }
            | RunnerLine::AgentStarted { .. }
            | RunnerLine::AgentOffers(_)
            | RunnerLine::TurnStarted { .. }
            | RunnerLine::PermissionRequest(_)
            | RunnerLine::PermissionCancelled { .. }
            | RunnerLine::SteerAccepted { .. }
            | RunnerLine::AgentError { .. }
            | RunnerLine::Error { .. }
            | RunnerLine::Unknown => {}
        }
        taken.pieces.push(Piece::Json { text, closes: None });
        taken.told_output = false;
        taken.inputs.push(Input::Line(line));
    }
}

/// Whether the line says that a turn or the agent has ended. Such lines are short; others are not looked at twice.
fn ends_blocks(line: &Line) -> bool {
    const LONGEST: usize = 8 * 1024;
    if line.bytes.len() > LONGEST || line.bytes.starts_with(br#"{"type":"agent_event""#) {
        return false;
    }
    match serde_json::from_slice::<RunnerHead<'_>>(&line.bytes) {
        Ok(head) => head.r#type == "turn_ended" || head.r#type == "agent_stopped",
        Err(_) => false,
    }
}

fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// What a runner logs goes to the debug log at the level that it names.
fn log_for_runner(level: &str, message: &str) {
    match level {
        "error" => tracing::error!(source = "runner", "{message}"),
        "warn" => tracing::warn!(source = "runner", "{message}"),
        "debug" => tracing::debug!(source = "runner", "{message}"),
        _ => tracing::info!(source = "runner", "{message}"),
    }
}
