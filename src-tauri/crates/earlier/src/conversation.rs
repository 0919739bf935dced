//! What a conversation is made of, whoever kept it, and how that becomes the journal of a session.
//!
//! Turns are made here: neither CLI says in its file where one begins and ends, but a prompt begins one and the next prompt finds it
//! ended.

use jiff::Timestamp;
use journal::{Entry, JournalError, JournalWriter};
use protocol::record::{Delivery, HostRecord, NoticeLevel, Outcome};
use protocol::runner::Usage;
use protocol::session::SessionStatistics;
use serde_json::{Value, json};

/// One thing of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// The user said something.
    Prompt {
        text: String,
        /// The CLI's id of it.
        id: String,
    },
    /// A provider's event, as its runner would have sent it.
    Event(Value),
    /// The model in use from here on.
    Model(String),
    /// What the turn has used since the last such step.
    Used(Usage),
    /// The user broke off the turn.
    Interrupted,
    /// The CLI says that the turn is over.
    Over,
    /// Something is not copied.
    Left(&'static str),
}

/// How one CLI's lines are read. One instance sees the lines of one file in order.
pub(crate) trait Reader {
    /// Adds what a line means. A line that means nothing to a person adds nothing.
    fn read(&mut self, line: &Value, steps: &mut Vec<Step>);
}

/// When a line was written, as both CLIs say it.
pub(crate) fn time_of(line: &Value) -> Option<Timestamp> {
    line["timestamp"].as_str()?.parse().ok()
}

/// A journal that is being written.
pub(crate) struct Conversation {
    journal: JournalWriter,
    at: Timestamp,
    is_in_turn: bool,
    /// Of the turn.
    used: Usage,
    pub(crate) usage: Usage,
    pub(crate) model: Option<String>,
    pub(crate) statistics: SessionStatistics,
}

impl Conversation {
    /// Begins with what was opened.
    pub(crate) fn begin(journal: JournalWriter, at: Timestamp, opened: &HostRecord) -> Result<Self, JournalError> {
        let mut conversation = Self {
            journal,
            at,
            is_in_turn: false,
            used: Usage::default(),
            usage: Usage::default(),
            model: None,
            statistics: SessionStatistics::default(),
        };
        conversation.host(opened)?;
        Ok(conversation)
    }

    /// What follows was written then; never before what came before it.
    pub(crate) fn at(&mut self, at: Option<Timestamp>) {
        self.at = at.unwrap_or(self.at).max(self.at);
    }

    /// When it ends, as far as it has been read.
    pub(crate) fn newest(&self) -> Timestamp {
        self.at
    }

    pub(crate) fn take(&mut self, step: Step) -> Result<(), JournalError> {
        match step {
            Step::Prompt { text, id } => {
                self.end_turn("endTurn")?;
                self.host(&HostRecord::Prompt {
                    text,
                    delivery: Delivery::Prompt,
                    from: None,
                    prompt_id: id,
                    attachments: Vec::new(),
                })?;
                self.begin_turn()
            }
            Step::Event(event) => {
                self.begin_turn()?;
                self.statistics.lines += 1;
                self.statistics.last_output_at = Some(format!("{:.3}", self.at));
                self.runner(&json!({ "type": "agent_event", "event": event }))
            }
            Step::Model(model) => {
                if self.model.as_ref() != Some(&model) {
                    self.runner(&json!({ "type": "agent_started", "model": model }))?;
                    self.model = Some(model);
                }
                Ok(())
            }
            Step::Used(used) => {
                self.used = self.used.plus(used);
                Ok(())
            }
            Step::Interrupted => self.end_turn("interrupted"),
            Step::Over => self.end_turn("endTurn"),
            Step::Left(text) => self.notice("not_copied", text.to_owned()),
        }
    }

    /// Ends the turn and the session.
    pub(crate) fn end(mut self, passed_over: u64) -> Result<Self, JournalError> {
        self.end_turn("endTurn")?;
        if passed_over > 0 {
            let text = format!("{passed_over} lines of the file could not be read and are not shown.");
            self.notice("not_copied", text)?;
        }
        self.host(&HostRecord::Ended { outcome: Outcome::Done, survivors: Vec::new() })?;
        Ok(self)
    }

    fn begin_turn(&mut self) -> Result<(), JournalError> {
        if self.is_in_turn {
            return Ok(());
        }
        self.is_in_turn = true;
        self.used = Usage::default();
        self.runner(&json!({ "type": "turn_started" }))
    }

    fn end_turn(&mut self, stop_reason: &str) -> Result<(), JournalError> {
        if !std::mem::take(&mut self.is_in_turn) {
            return Ok(());
        }
        self.usage = self.usage.plus(self.used);
        self.statistics.turns += 1;
        self.runner(&json!({ "type": "turn_ended", "stopReason": stop_reason, "usage": self.used }))
    }

    fn notice(&mut self, code: &str, text: String) -> Result<(), JournalError> {
        self.host(&HostRecord::Notice { level: NoticeLevel::Info, code: code.to_owned(), text })
    }

    fn host(&mut self, record: &HostRecord) -> Result<(), JournalError> {
        self.journal.append(self.at, &[Entry::Host(record)]).map(drop)
    }

    fn runner(&mut self, line: &Value) -> Result<(), JournalError> {
        let json = line.to_string();
        self.statistics.bytes += json.len() as u64;
        self.journal.append(self.at, &[Entry::Line { json: &json, closes: None }]).map(drop)
    }
}
