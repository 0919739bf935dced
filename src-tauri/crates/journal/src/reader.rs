//! Reads a journal forwards from any record and backwards from any place, at a cost of what is read, not of what is stored.
//!
//! Lines begin with `{"seq":N,`, so a record is found by halving the file; no index is needed for that. A line that is still being
//! written (no newline yet) does not exist for readers. A journal that was compressed reads like any other, from a copy without a
//! name that goes away with its last reader.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::compressed;
use crate::error::JournalError;

const CHUNK: usize = 64 * 1024;

/// Reads one journal file. Independent of any writer. Clones share the file and read it each from a place of their own.
#[derive(Debug, Clone)]
pub struct JournalReader {
    path: PathBuf,
    file: Place,
}

impl JournalReader {
    /// Opens a journal for reading, the plain file or else the compressed one beside it. The plain one wins when both are there.
    ///
    /// # Errors
    /// When neither is there, or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let file = match File::open(path) {
            Err(error) if missing(&error) => match compressed::open(&compressed::beside(path))? {
                Some(file) => file,
                // It may have been restored between the two looks.
                None => File::open(path).map_err(JournalError::io("open", path))?,
            },
            other => other.map_err(JournalError::io("open", path))?,
        };
        Ok(Self { path: path.to_owned(), file: Place { file: Arc::new(file), unwritten: None, at: 0 } })
    }

    /// The same journal with the records that wait to be written behind the first `end` bytes of its file. What the file has behind
    /// them is not looked at.
    #[must_use]
    pub fn with_unwritten(mut self, end: u64, records: Bytes) -> Self {
        self.file.unwritten = Some(Unwritten { end, records });
        self
    }

    /// Whether all that is read stands in the file.
    #[must_use]
    pub fn is_all_written(&self) -> bool {
        self.file.unwritten.is_none()
    }

    /// Which file it is, or would be were it not compressed.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How long the journal is now, in bytes.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn length(&self) -> Result<u64, JournalError> {
        match &self.file.unwritten {
            Some(Unwritten { end, records }) => Ok(end + records.len() as u64),
            None => Ok(self.file.file.metadata().map_err(JournalError::io("read", &self.path))?.len()),
        }
    }

    /// Where the first record after `seq` begins; the end of the file when there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn offset_after(&mut self, seq: u64) -> Result<u64, JournalError> {
        let length = self.length()?;
        self.search(seq, length).map_err(JournalError::io("read", &self.path))
    }

    /// Reads whole lines from `offset`, which must be the beginning of a line.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn forward(&self, offset: u64) -> Result<Forward, JournalError> {
        let place = Place { at: offset, ..self.file.clone() };
        Ok(Forward { reader: BufReader::with_capacity(4 * CHUNK, place), offset, line: Vec::new() })
    }

    /// At most `count` whole lines that end at or before `end`, which must be the beginning of a line or the end of the file;
    /// in file order, with their offsets, without their newlines. The header is a line like any other.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn back(&mut self, end: u64, count: usize) -> io::Result<Vec<(u64, Vec<u8>)>> {
        // `tail` holds the file from `start` to `end`; it grows downwards until it has enough newlines.
        let mut tail: Vec<u8> = Vec::new();
        let mut start = end;
        while start > 0 && memchr::memchr_iter(b'\n', &tail).count() <= count {
            let size = usize::try_from(start).unwrap_or(usize::MAX).min(CHUNK.max(tail.len()));
            start -= size as u64;
            let mut chunk = vec![0; size];
            self.file.at = start;
            self.file.read_exact(&mut chunk)?;
            chunk.extend_from_slice(&tail);
            tail = chunk;
        }
        let mut lines = whole_lines(&tail, start);
        if start > 0 && !lines.is_empty() {
            // The first one may lack its beginning.
            lines.remove(0);
        }
        let skip = lines.len().saturating_sub(count);
        Ok(lines.split_off(skip))
    }

    /// At most `count` records after `seq`, in order. The header is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn page_after(&mut self, seq: u64, count: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        let offset = self.offset_after(seq)?;
        let mut lines = self.forward(offset)?;
        let mut page = Vec::new();
        while page.len() < count {
            match lines.next().map_err(JournalError::io("read", &self.path))? {
                Some((_, line)) if seq_of(line).is_some() => page.push(line.to_vec()),
                Some(_) => {}
                None => break,
            }
        }
        Ok(page)
    }

    /// At most `count` records before `seq`, in order; the newest ones when `seq` is 0.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn page_before(&mut self, seq: u64, count: usize) -> Result<Vec<Vec<u8>>, JournalError> {
        let end = if seq == 0 { self.length()? } else { self.offset_after(seq - 1)? };
        let lines = self.back(end, count).map_err(JournalError::io("read", &self.path))?;
        Ok(lines.into_iter().map(|(_, line)| line).filter(|line| seq_of(line).is_some()).collect())
    }

    /// The newest record's number; 0 when there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_seq(&mut self) -> Result<u64, JournalError> {
        const LINES: usize = 16;
        let lines = self.page_before(0, LINES)?;
        Ok(lines.iter().rev().find_map(|line| seq_of(line)).unwrap_or(0))
    }

    /// Halves the file until the wanted line is within one chunk, then walks.
    fn search(&mut self, seq: u64, length: u64) -> io::Result<u64> {
        let (mut low, mut high) = (0, length);
        while high - low > CHUNK as u64 {
            let middle = low + (high - low) / 2;
            match self.first_seq_from(middle, high)? {
                Some((offset, found)) if found <= seq => low = offset,
                Some(_) => high = middle,
                None => high = middle,
            }
        }
        self.walk(low, seq)
    }

    /// The first line that begins at or after `from` and before `until` and has a number: its offset and number.
    fn first_seq_from(&mut self, from: u64, until: u64) -> io::Result<Option<(u64, u64)>> {
        self.file.at = from;
        let mut reader = BufReader::with_capacity(CHUNK, &mut self.file);
        let mut offset = from + skip_line(&mut reader)?;
        let mut line = Vec::new();
        while offset < until {
            line.clear();
            let size = reader.by_ref().take(64).read_until(b'\n', &mut line)? as u64;
            if let Some(seq) = seq_of(&line) {
                return Ok(Some((offset, seq)));
            }
            if size == 0 {
                return Ok(None);
            }
            offset += size;
            if line.last() != Some(&b'\n') {
                offset += skip_line(&mut reader)?;
            }
        }
        Ok(None)
    }

    /// From the beginning of a line, the offset of the first line whose number is greater than `seq`.
    fn walk(&mut self, from: u64, seq: u64) -> io::Result<u64> {
        self.file.at = from;
        let mut reader = BufReader::with_capacity(CHUNK, &mut self.file);
        let mut offset = from;
        let mut line = Vec::new();
        loop {
            line.clear();
            let size = reader.by_ref().take(64).read_until(b'\n', &mut line)? as u64;
            if size == 0 || seq_of(&line).is_some_and(|found| found > seq) {
                return Ok(offset);
            }
            offset += size;
            if line.last() != Some(&b'\n') {
                offset += skip_line(&mut reader)?;
            }
        }
    }
}

/// Reads whole lines forwards. At the end of the file it can be asked again later: a live journal grows.
#[derive(Debug)]
pub struct Forward {
    reader: BufReader<Place>,
    offset: u64,
    line: Vec<u8>,
}

impl Forward {
    /// The next whole line, without its newline, and where it begins. Nothing at the end, also when half a line stands there.
    ///
    /// # Errors
    /// When the file cannot be read.
    #[allow(clippy::should_implement_trait, reason = "it lends its buffer, which Iterator cannot")]
    pub fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        self.line.clear();
        self.reader.read_until(b'\n', &mut self.line)?;
        if self.line.last() != Some(&b'\n') {
            // It is read anew from its beginning: whoever mends a torn tail cuts it off, and another line comes in its place.
            self.reader.get_mut().at = self.offset;
            return Ok(None);
        }
        let at = self.offset;
        self.offset += self.line.len() as u64;
        Ok(Some((at, &self.line[..self.line.len() - 1])))
    }

    /// Where the next line begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

/// A place in a file that may be shared: reading moves the place and nothing of the file's own.
#[derive(Debug, Clone)]
struct Place {
    file: Arc<File>,
    unwritten: Option<Unwritten>,
    at: u64,
}

/// Records that wait to be written behind the first `end` bytes of a file.
#[derive(Debug, Clone)]
struct Unwritten {
    end: u64,
    records: Bytes,
}

impl Read for Place {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = match &self.unwritten {
            Some(Unwritten { end, records }) if self.at >= *end => {
                let from = usize::try_from(self.at - end).unwrap_or(usize::MAX);
                let rest = records.get(from..).unwrap_or_default();
                let size = rest.len().min(buffer.len());
                buffer[..size].copy_from_slice(&rest[..size]);
                size
            }
            Some(Unwritten { end, .. }) => {
                let until = usize::try_from(end - self.at).unwrap_or(usize::MAX).min(buffer.len());
                self.read_file(&mut buffer[..until])?
            }
            None => self.read_file(buffer)?,
        };
        self.at += got as u64;
        Ok(got)
    }
}

impl Place {
    fn read_file(&self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.at);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.at);
    }
}

/// The number of a record from the beginning of its line. The header and damaged lines have none.
#[must_use]
pub fn seq_of(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(b"{\"seq\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        match memchr::memchr(b'\n', buffer) {
            Some(at) => {
                reader.consume(at + 1);
                return Ok(skipped + at as u64 + 1);
            }
            None => {
                let size = buffer.len();
                reader.consume(size);
                skipped += size as u64;
            }
        }
    }
}

fn whole_lines(bytes: &[u8], base: u64) -> Vec<(u64, Vec<u8>)> {
    let mut lines = Vec::new();
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', bytes) {
        lines.push((base + start as u64, bytes[start..newline].to_vec()));
        start = newline + 1;
    }
    lines
}
