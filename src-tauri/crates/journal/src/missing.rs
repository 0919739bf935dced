//! Which records a journal lacks, and the words in which it says so.

use std::io;
use std::ops::RangeInclusive;

use protocol::record::{HostRecord, NoticeLevel};

use crate::error::JournalError;
use crate::reader::{JournalReader, seq_of};

/// The numbers of this range that no record of the journal has, in order.
pub(crate) fn within(
    reader: &mut JournalReader,
    range: &RangeInclusive<u64>,
) -> Result<Vec<RangeInclusive<u64>>, JournalError> {
    let offset = reader.offset_after(range.start().saturating_sub(1))?;
    let lines = reader.forward(offset)?;
    let path = reader.path().to_owned();
    gaps(lines, range).map_err(JournalError::io("read", &path))
}

fn gaps(mut lines: crate::reader::Forward, range: &RangeInclusive<u64>) -> io::Result<Vec<RangeInclusive<u64>>> {
    let mut missing = Vec::new();
    let mut next = *range.start();
    while next <= *range.end() {
        let Some((_, line)) = lines.next()? else { break };
        let Some(seq) = seq_of(line).filter(|seq| *seq >= next) else { continue };
        if seq > next {
            missing.push(next..=(seq - 1).min(*range.end()));
        }
        next = seq.saturating_add(1);
    }
    if next <= *range.end() {
        missing.push(next..=*range.end());
    }
    Ok(missing)
}

/// What a journal says of records that it lacks. The numbers are at the end of the text, after a colon.
pub(crate) fn notice(missing: &[RangeInclusive<u64>]) -> HostRecord {
    let count = missing.iter().map(|range| range.end() - range.start() + 1).sum::<u64>();
    let one = |range: &RangeInclusive<u64>| match (range.start(), range.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first} to {last}"),
    };
    let numbers = missing.iter().map(one).collect::<Vec<_>>().join(", ");
    let text = if count == 1 {
        format!("1 record was shown when it came, but could not be written and is not in the journal: {numbers}.")
    } else {
        format!(
            "{count} records were shown when they came, but could not be written and are not in the journal: {numbers}."
        )
    };
    HostRecord::Notice { level: NoticeLevel::Error, code: "records_missing".to_owned(), text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_counts_and_names_what_is_missing() {
        let text = |ranges: &[RangeInclusive<u64>]| match notice(ranges) {
            HostRecord::Notice { text, .. } => text,
            other => panic!("no notice: {other:?}"),
        };
        assert!(text(&[7..=7]).starts_with("1 record was") && text(&[7..=7]).ends_with(": 7."));
        let several = text(&[3..=9, 12..=12]);
        assert!(several.starts_with("8 records were") && several.ends_with(": 3 to 9, 12."), "{several}");
    }
}
