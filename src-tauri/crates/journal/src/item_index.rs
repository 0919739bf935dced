//! The item index, `items.idx`: where each item of a transcript stands in the journal, so that any page can be folded alone.
//!
//! Derived: an index that is missing, torn or of another version is made anew. It covers the journal up to a point at which no item
//! could still change, so that folding can begin there. What an item is, its maker knows; here it is a row of numbers.
//!
//! Layout, little-endian: `OIDX`, version u32, covered seq u64, covered offset u64, count u64; then rows of 32 bytes:
//! seq u64, offset u64, last seq u64, place u32, zero u32.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::error::JournalError;

const MAGIC: &[u8; 4] = b"OIDX";
const VERSION: u32 = 1;
const HEADER: usize = 32;
const ROW: usize = 32;

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
    /// The newest record that the rows cover.
    pub covered_seq: u64,
    /// Where the record after it begins.
    pub covered_offset: u64,
    /// The rows.
    pub entries: Vec<IndexEntry>,
}

impl ItemIndex {
    /// Reads an index. One that is missing or not as it should be reads as empty.
    ///
    /// # Errors
    /// When the file is there and the file system refuses.
    pub fn load(path: &Path) -> Result<Self, JournalError> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(parse(&bytes).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
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
        let known = rows_in(&mut file)?;
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
        header
    }
}

/// How many rows the file claims to have; none when its header is not ours.
fn rows_in(file: &mut File) -> io::Result<usize> {
    let mut header = [0; HEADER];
    file.seek(SeekFrom::Start(0))?;
    match file.read_exact(&mut header) {
        Ok(()) => Ok(parse_header(&header).map_or(0, |(_, _, count)| count)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        Err(error) => Err(error),
    }
}

fn parse(bytes: &[u8]) -> Option<ItemIndex> {
    let (covered_seq, covered_offset, count) = parse_header(bytes)?;
    let rows = bytes.get(HEADER..HEADER.checked_add(count.checked_mul(ROW)?)?)?;
    let entries = rows
        .chunks_exact(ROW)
        .map(|row| {
            Some(IndexEntry {
                seq: long(row, 0)?,
                offset: long(row, 8)?,
                last_seq: long(row, 16)?,
                place: u32::from_le_bytes(row.get(24..28)?.try_into().ok()?),
            })
        })
        .collect::<Option<Vec<_>>>()?;
    let ordered = entries.windows(2).all(|pair| (pair[0].seq, pair[0].place) < (pair[1].seq, pair[1].place));
    ordered.then_some(ItemIndex { covered_seq, covered_offset, entries })
}

fn parse_header(bytes: &[u8]) -> Option<(u64, u64, usize)> {
    let ours = bytes.get(..4)? == MAGIC && u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?) == VERSION;
    if !ours {
        return None;
    }
    Some((long(bytes, 8)?, long(bytes, 16)?, usize::try_from(long(bytes, 24)?).ok()?))
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
        ItemIndex { covered_seq: count, covered_offset: count * 100, entries }
    }

    #[test]
    fn it_grows_in_place_and_reads_back() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("items.idx");
        assert_eq!(ItemIndex::load(&path).unwrap(), ItemIndex::default());
        index(3).save(&path, 0).unwrap();
        let mut grown = index(5);
        grown.entries[1].last_seq = 99;
        grown.save(&path, 1).unwrap();
        assert_eq!(ItemIndex::load(&path).unwrap(), grown);
    }

    #[test]
    fn anything_that_is_not_an_index_reads_as_empty() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("items.idx");
        index(3).save(&path, 0).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in [0, 3, HEADER - 1, HEADER + 5, whole.len() - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(ItemIndex::load(&path).unwrap(), ItemIndex::default(), "cut at {cut}");
        }
        let mut other = whole.clone();
        other[4] = 9;
        std::fs::write(&path, &other).unwrap();
        assert_eq!(ItemIndex::load(&path).unwrap(), ItemIndex::default(), "another version");
    }
}
