//! What live readers pull from: the newest records, the text of open blocks so far, and the pod's status.
//!
//! Readers ask with a cursor and get what is new since; nothing is pushed into queues, so a reader that is slow or gone costs the
//! agent nothing, and one that was slow gets the text in fewer, larger pieces. Records that have left memory are in the journal;
//! those that the journal could not take yet stay here.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use journal::Appended;
use journal::reader::seq_of;
use protocol::limits::{OPEN_BLOCK_BYTES, OPEN_BLOCKS, RECENT_BYTES};
use protocol::pod::PodStatus;
use protocol::record::BlockKind;
use providers::Delta;
use tokio::sync::watch;

/// Shared between the pod's task, which writes, and its readers.
#[derive(Debug)]
pub struct Feed {
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    last_seq: u64,
    recent: VecDeque<Appended>,
    recent_bytes: usize,
    unwritten: Option<Unwritten>,
    blocks: Vec<OpenBlock>,
    next_instance: u64,
    status: Arc<PodStatus>,
    status_version: u64,
    over: bool,
}

/// Text that is being streamed.
#[derive(Debug, Clone)]
pub struct OpenBlock {
    /// Its key; may be used again for a later block.
    pub key: String,
    /// Tells it from other blocks of the same key.
    pub instance: u64,
    /// What it is.
    pub kind: BlockKind,
    /// The provider's id of the tool call that it belongs to.
    pub parent: Option<String>,
    /// When it began.
    pub at: String,
    /// All so far.
    pub text: String,
}

/// Where the records begin that the journal does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unwritten {
    /// The first one's number.
    pub first: u64,
    /// Where they will be written: so long is the file that holds all before them, in bytes.
    pub written_bytes: u64,
}

/// What a batch of a runner's lines changes, published as one.
#[derive(Debug, Default)]
pub struct Update {
    /// Records that are in the journal now, unless [`Feed::hold`] was told otherwise.
    pub records: Option<Appended>,
    /// What became of open blocks, in order.
    pub blocks: Vec<BlockChange>,
    /// The status, when it changed.
    pub status: Option<PodStatus>,
    /// Set at the very end.
    pub over: bool,
}

/// What became of an open block.
#[derive(Debug)]
pub enum BlockChange {
    /// It grew.
    Grew(Delta),
    /// A record has all of it.
    Closed(String),
    /// The turn is over; no block can grow any more.
    AllClosed,
}

/// How far a reader is.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    /// The newest record it has.
    pub seq: u64,
    /// How much of each open block it has, by instance.
    pub blocks: HashMap<u64, usize>,
    /// The status it has.
    pub status_version: u64,
}

/// What is new for a reader.
#[derive(Debug)]
pub struct Look {
    /// Where its next records are.
    pub records: Records,
    /// Open blocks: what the reader lacks of their text (`text`), from which byte on.
    pub blocks: Vec<(OpenBlock, usize)>,
    /// The status, if it is newer than the reader's.
    pub status: Option<(Arc<PodStatus>, u64)>,
    /// The newest record.
    pub last_seq: u64,
    /// Whether nothing more will come.
    pub over: bool,
}

/// Where a reader's next records are.
#[derive(Debug)]
pub enum Records {
    /// It has all.
    None,
    /// Here; the first piece may begin with records that it has.
    Recent(Vec<Bytes>),
    /// Only in the journal.
    InJournal {
        /// The oldest record that is here.
        oldest_recent: Option<u64>,
    },
}

impl Feed {
    /// A feed that begins after `last_seq`.
    #[must_use]
    pub fn new(last_seq: u64, mut status: PodStatus) -> Arc<Self> {
        status.version = 1;
        let inner = Inner {
            last_seq,
            recent: VecDeque::new(),
            recent_bytes: 0,
            unwritten: None,
            blocks: Vec::new(),
            next_instance: 1,
            status: Arc::new(status),
            status_version: 1,
            over: false,
        };
        Arc::new(Self { inner: Mutex::new(inner), changed: watch::Sender::new(0) })
    }

    /// Takes in what changed and wakes the readers.
    pub fn publish(&self, update: Update, at: &str) {
        {
            let mut inner = self.lock();
            if let Some(records) = update.records {
                inner.remember(records);
            }
            for change in update.blocks {
                inner.change_block(change, at);
            }
            if let Some(status) = update.status {
                inner.change_status(status);
            }
            inner.over |= update.over;
        }
        self.changed.send_modify(|version| *version += 1);
    }

    /// Keeps the records that the journal does not have until it has them, be they recent or not.
    pub fn hold(&self, unwritten: Option<Unwritten>) {
        let mut inner = self.lock();
        if inner.unwritten != unwritten {
            inner.unwritten = unwritten;
            inner.forget();
        }
    }

    /// The records that are only here: their lines, and how long the file is that they belong behind, in bytes.
    #[must_use]
    pub fn unwritten(&self) -> Option<(u64, Bytes)> {
        let inner = self.lock();
        let Unwritten { first, written_bytes } = inner.unwritten?;
        let mut lines = BytesMut::new();
        for records in inner.recent.iter().filter(|records| records.last >= first) {
            // The oldest of them may begin with records that were dropped.
            let kept = records
                .bytes
                .split_inclusive(|byte| *byte == b'\n')
                .skip_while(|line| records.first < first && seq_of(line).is_none_or(|seq| seq < first));
            kept.for_each(|line| lines.extend_from_slice(line));
        }
        Some((written_bytes, lines.freeze()))
    }

    /// Tells of changes; a reader waits on it after each look.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Resolves when nobody holds what [`Self::changes`] gave any more: every reader has what it is going to get.
    pub async fn all_have_left(&self) {
        self.changed.closed().await;
    }

    /// What is new since the cursor. The cursor is the reader's to move.
    #[must_use]
    pub fn look(&self, cursor: &Cursor, want_blocks: bool) -> Look {
        let inner = self.lock();
        let blocks = if want_blocks { inner.blocks_after(cursor) } else { Vec::new() };
        let newer = inner.status_version > cursor.status_version;
        Look {
            records: inner.records_after(cursor.seq),
            blocks,
            status: newer.then(|| (Arc::clone(&inner.status), inner.status_version)),
            last_seq: inner.last_seq,
            over: inner.over,
        }
    }

    /// The status now.
    #[must_use]
    pub fn status(&self) -> Arc<PodStatus> {
        Arc::clone(&self.lock().status)
    }

    /// The newest record.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.lock().last_seq
    }

    /// Open blocks with their text, for saving what there is so far.
    #[must_use]
    pub fn open_blocks(&self) -> Vec<OpenBlock> {
        self.lock().blocks.clone()
    }

    /// A thread that panicked while it held the lock left plain values behind; they are still the best there is.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The version is counted here, so that it changes exactly when something else does.
    fn change_status(&mut self, mut status: PodStatus) {
        status.version = self.status_version;
        if *self.status != status {
            self.status_version += 1;
            status.version = self.status_version;
            self.status = Arc::new(status);
        }
    }

    fn remember(&mut self, records: Appended) {
        self.last_seq = records.last;
        self.recent_bytes += records.bytes.len();
        self.recent.push_back(records);
        self.forget();
    }

    /// Lets go of what is in the journal, beyond what is kept for its readers.
    fn forget(&mut self) {
        let first = self.unwritten.map_or(u64::MAX, |unwritten| unwritten.first);
        while self.recent_bytes > RECENT_BYTES
            && let Some(oldest) = self.recent.front().filter(|oldest| oldest.last < first)
        {
            self.recent_bytes -= oldest.bytes.len();
            self.recent.pop_front();
        }
    }

    fn records_after(&self, seq: u64) -> Records {
        if seq >= self.last_seq {
            return Records::None;
        }
        match self.recent.front() {
            Some(oldest) if oldest.first <= seq + 1 => {
                let newer = self.recent.iter().filter(|records| records.last > seq);
                Records::Recent(newer.map(|records| records.bytes.clone()).collect())
            }
            oldest => Records::InJournal { oldest_recent: oldest.map(|records| records.first) },
        }
    }

    fn blocks_after(&self, cursor: &Cursor) -> Vec<(OpenBlock, usize)> {
        let lacking = |block: &OpenBlock| {
            let has = cursor.blocks.get(&block.instance).copied().unwrap_or(0).min(block.text.len());
            let text = block.text.get(has..).unwrap_or_default().to_owned();
            (OpenBlock { text, ..block.clone_head() }, has)
        };
        self.blocks.iter().map(lacking).collect()
    }

    fn change_block(&mut self, change: BlockChange, at: &str) {
        match change {
            BlockChange::Grew(delta) => self.grow(delta, at),
            BlockChange::Closed(key) => self.blocks.retain(|block| block.key != key),
            BlockChange::AllClosed => self.blocks.clear(),
        }
    }

    fn grow(&mut self, delta: Delta, at: &str) {
        if let Some(block) = self.blocks.iter_mut().find(|block| block.key == delta.block) {
            if block.text.len() + delta.text.len() <= OPEN_BLOCK_BYTES {
                block.text.push_str(&delta.text);
            }
            return;
        }
        if self.blocks.len() >= OPEN_BLOCKS {
            self.blocks.remove(0);
        }
        let instance = self.next_instance;
        self.next_instance += 1;
        let Delta { block: key, kind, parent, text } = delta;
        self.blocks.push(OpenBlock { key, instance, kind, parent, at: at.to_owned(), text });
    }
}

impl OpenBlock {
    /// The block without its text.
    fn clone_head(&self) -> Self {
        Self {
            key: self.key.clone(),
            instance: self.instance,
            kind: self.kind,
            parent: self.parent.clone(),
            at: self.at.clone(),
            text: String::new(),
        }
    }
}
