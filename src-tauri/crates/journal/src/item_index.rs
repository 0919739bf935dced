//! The item index, `items.idx`: where each item of a transcript stands in the journal, so that any page can be folded alone.
//!
//! Derived: an index that is missing, torn or of another version is made anew. It covers the journal up to a point at which no item
//! could still change, so that folding can begin there. What an item is, its maker knows; here it is a row of numbers. The maker's
//! own mark is kept with them: a fold that has been improved since does not use the rows of the one before.
//!
//! Layout, little-endian: `OIDX`, version u32, covered seq u64, covered offset u64, count u64, maker u64; then rows of 32 bytes:
//! seq u64, offset u64, last seq u64, place u32, zero u32.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::JournalError;

const MAGIC: &[u8; 4] = b"OIDX";
const VERSION: u32 = 2;
const HEADER: usize = 40;
const ROW: usize = 32;
/// Of the reading, in bytes.
const BUFFER: usize = 256 * 1024;

/// Where one item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry {
    /// The record that opened it.
    pub seq: u64,
    /// Its place among the items of that record.
    pub place: u32,
    /// Where that record begins in the file.
    pub offset: u64,
    /// The newest record that changed it.
    pub last_seq: u64,
}

/// The rows of an index, in transcript order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemIndex {
    /// Names who made it: the fold and its version.
    pub maker: u64,
    /// The newest record that the rows cover.
    pub covered_seq: u64,
    /// Where the record after it begins.
    pub covered_offset: u64,
    /// The rows.
    pub entries: Vec<IndexEntry>,
}

impl ItemIndex {
    /// An index without rows.
    #[must_use]
    pub fn empty(maker: u64) -> Self {
        Self { maker, covered_seq: 0, covered_offset: 0, entries: Vec::new() }
    }

    /// Reads the index of this maker. One that is missing, not as it should be or made by another reads as empty.
    ///
    /// # Errors
    /// When the file is there and the file system refuses.
    pub fn load(path: &Path, maker: u64) -> Result<Self, JournalError> {
        match read(path) {
            Ok(index) => Ok(index.filter(|index| index.maker == maker).unwrap_or_else(|| Self::empty(maker))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::empty(maker)),
            Err(error) => Err(JournalError::io("read", path)(error)),
        }
    }

    /// Writes the rows from `from_row` on, then the header: a crash in between leaves the old header with its old rows.
    /// Does nothing while another process writes the same index; it would write the same.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn save(&self, path: &Path, from_row: usize) -> Result<(), JournalError> {
        self.write(path, from_row).map_err(JournalError::io("write", path))
    }

    fn write(&self, path: &Path, from_row: usize) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        if file.try_lock().is_err() {
            return Ok(());
        }
        let known = rows_of(&mut file, self.maker)?;
        let from_row = from_row.min(known).min(self.entries.len());
        file.seek(SeekFrom::Start((HEADER + from_row * ROW) as u64))?;
        let mut rows = Vec::with_capacity((self.entries.len() - from_row) * ROW);
        for entry in &self.entries[from_row..] {
            rows.extend_from_slice(&entry.seq.to_le_bytes());
            rows.extend_from_slice(&entry.offset.to_le_bytes());
            rows.extend_from_slice(&entry.last_seq.to_le_bytes());
            rows.extend_from_slice(&entry.place.to_le_bytes());
            rows.extend_from_slice(&[0; 4]);
        }
        file.write_all(&rows)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&self.header())
    }

    fn header(&self) -> Vec<u8> {
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&self.covered_seq.to_le_bytes());
        header.extend_from_slice(&self.covered_offset.to_le_bytes());
        header.extend_from_slice(&(self.entries.len() as u64).to_le_bytes());
        header.extend_from_slice(&self.maker.to_le_bytes());
        header
    }
}

/// How many rows of this maker the file claims to have.
fn rows_of(file: &mut File, maker: u64) -> io::Result<usize> {
    let mut header = [0; HEADER];
    file.seek(SeekFrom::Start(0))?;
    match file.read_exact(&mut header) {
        Ok(()) => Ok(parse_header(&header).filter(|head| head.maker == maker).map_or(0, |head| head.count)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        Err(error) => Err(error),
    }
}

struct Head {
    covered_seq: u64,
    covered_offset: u64,
    count: usize,
    maker: u64,
}

/// The index of a file, unless it is not as it should be. Row by row, so that a large one is in memory once.
fn read(path: &Path) -> io::Result<Option<ItemIndex>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut file = BufReader::with_capacity(BUFFER, file);
    let mut header = [0; HEADER];
    let head = match file.read_exact(&mut header) {
        Ok(()) => parse_header(&header),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(error) => return Err(error),
    };
    let Some(Head { covered_seq, covered_offset, count, maker }) = head else { return Ok(None) };
    // What a torn header claims is not believed before there is room for it.
    if (length.saturating_sub(HEADER as u64) / ROW as u64) < count as u64 {
        return Ok(None);
    }
    let mut entries: Vec<IndexEntry> = Vec::with_capacity(count);
    let mut row = [0; ROW];
    for _ in 0..count {
        // It may have been cut since its length was asked for.
        let Some(entry) = file.read_exact(&mut row).ok().and_then(|()| parse_row(&row)) else { return Ok(None) };
        if entries.last().is_some_and(|last| (last.seq, last.place) >= (entry.seq, entry.place)) {
            return Ok(None);
        }
        entries.push(entry);
    }
    Ok(Some(ItemIndex { maker, covered_seq, covered_offset, entries }))
}

fn parse_row(row: &[u8; ROW]) -> Option<IndexEntry> {
    Some(IndexEntry {
        seq: long(row, 0)?,
        offset: long(row, 8)?,
        last_seq: long(row, 16)?,
        place: u32::from_le_bytes(row.get(24..28)?.try_into().ok()?),
    })
}

fn parse_header(bytes: &[u8]) -> Option<Head> {
    let ours = bytes.get(..4)? == MAGIC && u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?) == VERSION;
    if !ours {
        return None;
    }
    Some(Head {
        covered_seq: long(bytes, 8)?,
        covered_offset: long(bytes, 16)?,
        count: usize::try_from(long(bytes, 24)?).ok()?,
        maker: long(bytes, 32)?,
    })
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(count: u64) -> ItemIndex {
        let entries =
            (1..=count).map(|seq| IndexEntry { seq, place: 0, offset: seq * 100, last_seq: seq + 1 }).collect();
        ItemIndex { maker: 7, covered_seq: count, covered_offset: count * 100, entries }
    }

    #[test]
    fn it_grows_in_place_and_reads_back() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("items.idx");
        assert_eq!(ItemIndex::load(&path, 7).unwrap(), ItemIndex::empty(7));
        index(3).save(&path, 0).unwrap();
        let mut grown = index(5);
        grown.entries[1].last_seq = 99;
        grown.save(&path, 1).unwrap();
        assert_eq!(ItemIndex::load(&path, 7).unwrap(), grown);
        assert_eq!(ItemIndex::load(&path, 8).unwrap(), ItemIndex::empty(8), "another fold's rows are not ours");
    }

    #[test]
    fn anything_that_is_not_an_index_reads_as_empty() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("items.idx");
        index(3).save(&path, 0).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in [0, 3, HEADER - 1, HEADER + 5, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(ItemIndex::load(&path, 7).unwrap(), ItemIndex::empty(7), "cut at {cut}");
        }
        let mut other = whole.clone();
        other[4] = 9;
        std::fs::write(&path, &other).unwrap();
        assert_eq!(ItemIndex::load(&path, 7).unwrap(), ItemIndex::empty(7), "another version");
    }
}
