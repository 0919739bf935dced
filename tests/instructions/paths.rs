//! The hot paths, each over so many lines of recorded streams.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use journal::{JournalWriter, SessionFolder};
use keeper::intake::{Intake, Piece};
use process::{Line, LineReader};
use protocol::SessionId;
use transcript::{Fold, Transcript};

/// A path, and how it is walked.
pub(crate) struct HotPath {
    /// What stands in the table.
    pub(crate) name: &'static str,
    pub(crate) walk: fn(&Stage),
}

/// All that is counted.
pub(crate) const PATHS: [HotPath; 9] = [
    HotPath { name: "split", walk: split },
    HotPath { name: "split and weigh, claude", walk: |stage| weigh(stage, Agent::Claude) },
    HotPath { name: "split and weigh, codex", walk: |stage| weigh(stage, Agent::Codex) },
    HotPath { name: "split, weigh, frame and append, claude", walk: |stage| append(stage, Agent::Claude) },
    HotPath { name: "split, weigh, frame and append, codex", walk: |stage| append(stage, Agent::Codex) },
    HotPath { name: "fold, claude", walk: |stage| fold(stage, Agent::Claude) },
    HotPath { name: "fold, codex", walk: |stage| fold(stage, Agent::Codex) },
    HotPath { name: "first opening", walk: |stage| open(stage, Agent::Claude) },
    HotPath { name: "opening with an index", walk: |stage| open(stage, Agent::Codex) },
];

#[derive(Clone, Copy)]
enum Agent {
    Claude,
    Codex,
}

impl Agent {
    fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
        }
    }

    fn recordings(self) -> &'static [&'static str] {
        match self {
            Self::Claude => &["think", "bash", "permission-allow", "subagent-plain", "slow"],
            Self::Codex => &["think", "multi", "bash", "approval-command", "subagent", "slow"],
        }
    }
}

/// The files that are walked over.
pub(crate) struct Stage {
    folder: PathBuf,
    lines: usize,
}

impl Stage {
    /// Where `prepare` made everything.
    pub(crate) fn find(folder: &Path, lines: usize) -> Self {
        Self { folder: folder.to_owned(), lines }
    }

    /// Makes streams and journals of so many lines.
    pub(crate) fn prepare(folder: &Path, lines: usize) {
        let stage = Self::find(folder, lines);
        for agent in [Agent::Claude, Agent::Codex] {
            std::fs::write(stage.stream(agent), stream(agent, lines)).unwrap();
            append(&stage, agent);
        }
        // Codex's journal has been opened before, claude's has not.
        open(&stage, Agent::Codex);
    }

    fn stream(&self, agent: Agent) -> PathBuf {
        self.folder.join(format!("{}.ndjson", agent.name()))
    }

    fn session(&self, agent: Agent) -> (SessionId, SessionFolder) {
        let id: SessionId = match agent {
            Agent::Claude => "01900000-0000-7000-8000-000000000001",
            Agent::Codex => "01900000-0000-7000-8000-000000000002",
        }
        .parse()
        .unwrap();
        (id, SessionFolder::create(&self.folder, id).unwrap())
    }
}

/// Recorded lines as a runner passes them on, again and again.
fn stream(agent: Agent, lines: usize) -> Vec<u8> {
    let folder = outrigger_tests::project().join("tests/fixtures/streams").join(agent.name());
    let texts =
        agent.recordings().iter().map(|name| std::fs::read_to_string(folder.join(format!("{name}.ndjson"))).unwrap());
    let texts: Vec<String> = texts.collect();
    let events: Vec<&str> = texts.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with('{')).collect();
    let mut stream = Vec::new();
    for event in events.iter().cycle().take(lines) {
        writeln!(stream, r#"{{"type":"agent_event","sessionId":"s","event":{event}}}"#).unwrap();
    }
    stream
}

/// Hands over the lines in batches.
fn batches(stage: &Stage, agent: Agent, mut take: impl FnMut(&[Line])) {
    let stream = std::fs::read(stage.stream(agent)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut lines = LineReader::new(stream.as_slice(), protocol::limits::LINE_BYTES);
        while let Some(batch) = lines.next_batch().await.unwrap() {
            take(&batch);
        }
    });
}

fn split(stage: &Stage) {
    let mut seen = 0;
    batches(stage, Agent::Claude, |batch| seen += batch.len());
    assert_eq!(seen, stage.lines);
}

fn weigh(stage: &Stage, agent: Agent) {
    let mut intake = Intake::new(transcript::adapter_or_plain(agent.name()));
    let mut kept = 0;
    batches(stage, agent, |batch| kept += intake.take(batch).pieces.len());
    assert!(kept > 0);
}

fn append(stage: &Stage, agent: Agent) {
    let (session, folder) = stage.session(agent);
    let _ = std::fs::remove_file(folder.journal());
    let (mut writer, _) = JournalWriter::open(&folder, session, 1).unwrap();
    let mut intake = Intake::new(transcript::adapter_or_plain(agent.name()));
    let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    batches(stage, agent, |batch| {
        let taken = intake.take(batch);
        let entries: Vec<_> = taken.pieces.iter().map(Piece::entry).collect();
        writer.append(at, &entries).unwrap();
    });
}

fn fold(stage: &Stage, agent: Agent) {
    let (_, folder) = stage.session(agent);
    let journal = std::fs::read(folder.journal()).unwrap();
    let mut fold = Fold::new(&folder, agent.name());
    let changes: usize = journal.split(|byte| *byte == b'\n').map(|line| fold.line(line).changes.len()).sum();
    assert!(changes > 0);
}

fn open(stage: &Stage, agent: Agent) {
    let (_, folder) = stage.session(agent);
    let transcript = Transcript::open(&folder, agent.name()).unwrap();
    assert!(!transcript.newest(50).unwrap().items.is_empty());
}
