//! Lines of a journal that could not be understood: what is wrong with them, and where they are.
//!
//! What the item index covers is not read again, so the damage in there is noted in a file beside it. Derived, as the index is.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use journal::{JournalReader, SessionFolder};
use serde::{Deserialize, Serialize};

use crate::error::TranscriptError;

/// A line that could not be understood, or a long text of it that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// What is wrong with it. Says the file and the line once they are known.
    pub why: String,
    /// Where the line begins in the journal, in bytes, once it is known.
    #[serde(default)]
    offset: u64,
    /// Set while the number of the line is still to be counted: the journal's path.
    #[serde(skip)]
    unnumbered: Option<String>,
}

impl Damage {
    /// Damage of a line whose place is not known yet.
    #[must_use]
    pub(crate) fn new(why: String) -> Self {
        Self { why, offset: 0, unnumbered: None }
    }

    /// Whether both are damage of one line of one journal.
    #[must_use]
    pub(crate) fn is_in_the_line_of(&self, other: &Self) -> bool {
        self.offset == other.offset
    }

    /// The same, in the line of this file that begins at `offset`.
    #[must_use]
    pub(crate) fn at(self, journal: &str, offset: u64) -> Self {
        Self { offset, unnumbered: Some(journal.to_owned()), ..self }
    }
}

/// Says the file and the line of each damage. Counts lines up to the last of them; an intact journal is not read for this.
pub(crate) fn number_lines(journal: &JournalReader, damage: &mut [Damage]) -> Result<(), TranscriptError> {
    let Some(last) = damage.iter().filter(|one| one.unnumbered.is_some()).map(|one| one.offset).max() else {
        return Ok(());
    };
    let mut numbers = HashMap::new();
    let mut lines = journal.forward(0)?;
    let mut number = 1_u64;
    while let Ok(Some((offset, _))) = lines.next()
        && offset <= last
    {
        if damage.iter().any(|one| one.offset == offset) {
            numbers.insert(offset, number);
        }
        number += 1;
    }
    for one in damage {
        if let (Some(path), Some(number)) = (one.unnumbered.take(), numbers.get(&one.offset)) {
            one.why = format!("{path}, line {number}: {}", one.why);
        }
    }
    Ok(())
}

/// The damage in what the index covers.
pub(crate) fn covered(folder: &SessionFolder) -> Vec<Damage> {
    fs::read(path(folder)).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Notes the damage before `until`, up to where the index goes now.
pub(crate) fn note_covered(folder: &SessionFolder, damage: &[Damage], until: u64) -> std::io::Result<()> {
    let covered: Vec<&Damage> = damage.iter().filter(|one| one.offset < until).collect();
    if covered.is_empty() {
        return match fs::remove_file(path(folder)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        };
    }
    let beside = path(folder).with_extension("damage.part");
    fs::write(&beside, serde_json::to_vec(&covered)?)?;
    fs::rename(&beside, path(folder))
}

fn path(folder: &SessionFolder) -> PathBuf {
    folder.items().with_extension("damage")
}
