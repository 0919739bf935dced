//! Which numbers were shown while the journal could not be written: a few bytes beside it, overwritten in place.
//!
//! The file is made while there is room, so that it can be written when there is none. It says from which record on the journal may
//! lack some and up to which numbers were given out; once the journal has a later record, all of that has been told there and the
//! file says nothing new. It is a safety net: where it cannot be written, only a second fault at the same time costs anything.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::RangeInclusive;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Room for two numbers of 20 digits. Always written as a whole.
const SIZE: usize = 64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Shown {
    file: File,
}

#[derive(Debug, Serialize, Deserialize)]
struct Numbers {
    from: u64,
    through: u64,
}

impl Shown {
    /// Opens the file, and makes it where there is none.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        if file.metadata()?.len() < SIZE as u64 {
            overwrite(&mut file, b"")?;
        }
        Ok(Self { file })
    }

    /// The numbers that were noted last. Nothing when there are none, or they cannot be understood.
    pub(crate) fn read(&mut self) -> Option<RangeInclusive<u64>> {
        let mut text = Vec::with_capacity(SIZE);
        self.file.seek(SeekFrom::Start(0)).ok()?;
        (&self.file).take(SIZE as u64).read_to_end(&mut text).ok()?;
        let Numbers { from, through } = serde_json::from_slice(&text).ok()?;
        Some(from..=through)
    }

    /// Notes numbers before the first of them is shown.
    pub(crate) fn note(&mut self, numbers: &RangeInclusive<u64>) -> io::Result<()> {
        let numbers = Numbers { from: *numbers.start(), through: *numbers.end() };
        overwrite(&mut self.file, &serde_json::to_vec(&numbers)?)
    }

    /// A handle for fsync.
    pub(crate) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

fn overwrite(file: &mut File, text: &[u8]) -> io::Result<()> {
    let mut whole = [b' '; SIZE];
    whole[..text.len()].copy_from_slice(text);
    whole[SIZE - 1] = b'\n';
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_overwritten_in_place_and_read_back() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("shown.json");
        assert_eq!(Shown::open(&path).unwrap().read(), None);
        for numbers in [1..=1, 5..=u64::MAX, u64::MAX..=u64::MAX, 3..=9] {
            Shown::open(&path).unwrap().note(&numbers).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().len(), SIZE as u64);
            assert_eq!(Shown::open(&path).unwrap().read(), Some(numbers));
        }
        std::fs::write(&path, b"{\"from\":1,").unwrap();
        assert_eq!(Shown::open(&path).unwrap().read(), None, "half of it says nothing");
    }
}
