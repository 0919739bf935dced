//! Appends records to a journal. One keeper has one writer; the lease sees to that.
//!
//! A record is in the file when [`JournalWriter::append`] returns: a killed process loses none of them. Power loss is covered by
//! [`JournalWriter::syncer`], which the keeper calls at turn ends and at least once a second.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use protocol::SessionId;
use protocol::limits::BLOB_BYTES;
use protocol::record::{JOURNAL_FORMAT, JournalHeader};

use crate::blobs::BlobStore;
use crate::compressed;
use crate::encode::{Batch, Entry, encode};
use crate::error::JournalError;
use crate::folder::SessionFolder;
use crate::missing;
use crate::reader::JournalReader;
use crate::recovery::{Recovery, inspect};
use crate::shown::Shown;

/// See the module.
#[derive(Debug)]
pub struct JournalWriter {
    path: PathBuf,
    file: File,
    blobs: BlobStore,
    end: u64,
    next_seq: u64,
    generation: u64,
    /// Set while the file's tail is not known to be whole, after a failed write.
    torn: bool,
    beside: Beside,
}

/// The numbers that were shown and not kept, and where they are noted.
#[derive(Debug)]
struct Beside {
    path: PathBuf,
    shown: Option<Shown>,
    /// Whether the disk may not have the newest numbers yet.
    unsynced: bool,
    failure: Option<io::Error>,
}

/// Records as they stand in the file.
#[derive(Debug, Clone)]
pub struct Appended {
    /// The first record's number.
    pub first: u64,
    /// The last one's.
    pub last: u64,
    /// Their lines, with newlines.
    pub bytes: Bytes,
}

impl JournalWriter {
    /// Opens the session's journal for appending, or begins it. A torn last line is cut off and reported; a journal that was
    /// compressed is a plain file again. Numbers that somebody was shown are not used again: where their records could not be
    /// kept, a notice that names them is the first record. The caller holds the session's lease.
    ///
    /// # Errors
    /// When the file cannot be written, is no journal, or has a newer format.
    pub fn open(folder: &SessionFolder, session: SessionId, generation: u64) -> Result<(Self, Recovery), JournalError> {
        let path = folder.journal();
        compressed::restore(folder, session)?;
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(JournalError::io("open", &path))?;
        let mut recovery = match inspect(&path, &mut file, session)? {
            Some(recovery) => recovery,
            None => begin(&path, &mut file, session)?,
        };
        if recovery.torn > 0 {
            file.set_len(recovery.end).map_err(JournalError::io("cut the torn end of", &path))?;
        }
        file.seek(SeekFrom::Start(recovery.end)).map_err(JournalError::io("open", &path))?;
        let mut writer = Self {
            path,
            file,
            blobs: BlobStore::of(folder.path()),
            end: recovery.end,
            next_seq: recovery.last_seq + 1,
            generation,
            torn: false,
            beside: Beside::open(folder.shown()),
        };
        recovery.missing = writer.tell_missing()?;
        Ok((writer, recovery))
    }

    /// Where the whole records in the file end. What comes before is never changed again.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The number that the next record gets.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Gives the entries their numbers and encodes them. They must be handed to [`Self::write`] next. Long strings are in files of
    /// their own when this returns, so that the records which name them never come before them.
    #[must_use]
    pub fn encode(&mut self, at: Timestamp, entries: &[Entry<'_>]) -> Appended {
        let batch = Batch::new(&format!("{at:.3}"), self.generation);
        let first = self.next_seq;
        let mut bytes = Vec::with_capacity(entries.iter().map(size_of_entry).sum());
        for entry in entries {
            let start = bytes.len();
            encode(&mut bytes, self.next_seq, &batch, entry);
            if bytes.len() - start > BLOB_BYTES {
                self.blobs.extract(&mut bytes, start);
            }
            self.next_seq += 1;
        }
        Appended { first, last: self.next_seq - 1, bytes: Bytes::from(bytes) }
    }

    /// Writes encoded records. When that fails the file is as it was before, or is made so at the next attempt; the numbers stay
    /// used, so a gap in a journal tells of records that could not be kept.
    ///
    /// # Errors
    /// When the file system refuses, for one because the disk is full.
    pub fn write(&mut self, records: &Appended) -> Result<(), JournalError> {
        if self.torn {
            self.mend()?;
        }
        match self.file.write_all(&records.bytes) {
            Ok(()) => {
                self.end += records.bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.torn = true;
                let _ = self.mend();
                Err(JournalError::io("write", &self.path)(error))
            }
        }
    }

    /// Encodes and writes. When that fails the numbers are free again: nobody has seen the records.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn append(&mut self, at: Timestamp, entries: &[Entry<'_>]) -> Result<Appended, JournalError> {
        let records = self.encode(at, entries);
        self.write(&records).inspect_err(|_| self.next_seq = records.first)?;
        Ok(records)
    }

    /// Notes that these numbers are given out and that not all of their records are in the file. Should that be impossible, it is
    /// told by [`Self::note_failure`].
    pub(crate) fn note_shown(&mut self, numbers: &RangeInclusive<u64>) {
        self.beside.note(numbers);
    }

    /// Why numbers could not be noted beside the journal, once for each failure.
    #[must_use]
    pub fn note_failure(&mut self) -> Option<JournalError> {
        self.beside.failure.take().map(JournalError::io("write", &self.beside.path))
    }

    /// A handle that puts what was written so far on the disk; may be used from another thread.
    ///
    /// # Errors
    /// When the file handle cannot be duplicated.
    pub fn syncer(&mut self) -> io::Result<Syncer> {
        let journal = self.file.try_clone()?;
        let shown = self.beside.take_unsynced()?;
        Ok(Syncer { journal, shown, blobs: self.blobs.take_unsynced() })
    }

    /// Goes on behind the numbers that were shown, and tells which of their records the file lacks. When it has a later record, that
    /// was written after all of them, or after a notice of what it lacks.
    fn tell_missing(&mut self) -> Result<Vec<RangeInclusive<u64>>, JournalError> {
        let Some(shown) = self.beside.read().filter(|shown| shown.end().saturating_add(1) >= self.next_seq) else {
            return Ok(Vec::new());
        };
        let missing = missing::within(&mut JournalReader::open(&self.path)?, &shown)?;
        self.next_seq = shown.end().saturating_add(1);
        if !missing.is_empty() {
            self.append(Timestamp::now(), &[Entry::Host(&missing::notice(&missing))])?;
        }
        Ok(missing)
    }

    /// Cuts off what a failed write may have left.
    fn mend(&mut self) -> Result<(), JournalError> {
        self.file.set_len(self.end).map_err(JournalError::io("cut the torn end of", &self.path))?;
        self.file.seek(SeekFrom::Start(self.end)).map_err(JournalError::io("open", &self.path))?;
        self.torn = false;
        Ok(())
    }
}

impl Beside {
    /// Without the file the journal is written all the same.
    fn open(path: PathBuf) -> Self {
        let (shown, failure) = match Shown::open(&path) {
            Ok(shown) => (Some(shown), None),
            Err(error) => (None, Some(error)),
        };
        // A file that is new has to get its place on the disk while there is some.
        Self { path, unsynced: shown.is_some(), shown, failure }
    }

    fn read(&mut self) -> Option<RangeInclusive<u64>> {
        self.shown.as_mut()?.read()
    }

    fn note(&mut self, numbers: &RangeInclusive<u64>) {
        let shown = match self.shown.take() {
            Some(shown) => Ok(shown),
            None => Shown::open(&self.path),
        };
        match shown.and_then(|mut shown| shown.note(numbers).map(|()| shown)) {
            Ok(shown) => {
                self.shown = Some(shown);
                self.unsynced = true;
            }
            Err(error) => self.failure = Some(error),
        }
    }

    fn take_unsynced(&mut self) -> io::Result<Option<File>> {
        let handle = self.shown.as_ref().filter(|_| self.unsynced).map(Shown::handle).transpose()?;
        self.unsynced = false;
        Ok(handle)
    }
}

impl Appended {
    /// These records and those that follow them, as one.
    #[must_use]
    pub fn with(self, next: &Appended) -> Self {
        let mut bytes = BytesMut::with_capacity(self.bytes.len() + next.bytes.len());
        bytes.extend_from_slice(&self.bytes);
        bytes.extend_from_slice(&next.bytes);
        Self { first: self.first, last: next.last, bytes: bytes.freeze() }
    }
}

/// Puts a journal and what stands beside it on the disk: long strings, and numbers that were shown and not kept.
#[derive(Debug)]
pub struct Syncer {
    journal: File,
    shown: Option<File>,
    blobs: Vec<PathBuf>,
}

impl Syncer {
    /// Returns when the disk has everything that was written before the syncer was made.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync_data(&self) -> io::Result<()> {
        for path in &self.blobs {
            File::open(path)?.sync_data()?;
        }
        if let Some(shown) = &self.shown {
            shown.sync_data()?;
        }
        self.journal.sync_data()
    }
}

/// Writes the header of a new journal. It comes to the disk with the first records: a file without a whole first line has none to
/// lose, and a start is not held up by a disk that takes its time.
fn begin(path: &std::path::Path, file: &mut File, session: SessionId) -> Result<Recovery, JournalError> {
    let header = JournalHeader { r#type: "journal".to_owned(), format: JOURNAL_FORMAT, session };
    let mut line = serde_json::to_vec(&header)
        .map_err(|error| JournalError::Malformed { path: path.to_owned(), why: error.to_string() })?;
    line.push(b'\n');
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&line)
    };
    write(file).map_err(JournalError::io("begin", path))?;
    Ok(Recovery { last_seq: 0, end: line.len() as u64, torn: 0, missing: Vec::new() })
}

fn size_of_entry(entry: &Entry<'_>) -> usize {
    const FRAME: usize = 128;
    match entry {
        Entry::Line { json, .. } => FRAME + json.len(),
        Entry::Text { bytes, .. } => FRAME + bytes.len() + bytes.len() / 8,
        Entry::Host(_) => 4 * FRAME,
    }
}
