//! The lines of a CLI's file, one after the other: bounded, however long one is, and as JSON where they are.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use protocol::json::parse_tolerant;
use protocol::limits::LINE_BYTES;
use serde_json::Value;

use crate::error::EarlierError;

/// See the module.
pub(crate) struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    /// Lines that were too long, or no JSON objects.
    pub(crate) passed_over: u64,
}

/// The lines of a file, at most so many of its bytes.
pub(crate) fn of(file: &Path, most: u64) -> Result<Lines<impl BufRead>, EarlierError> {
    let opened = File::open(file).map_err(|source| EarlierError::Unreadable { file: file.to_owned(), source })?;
    Ok(Lines { reader: BufReader::new(opened.take(most)), line: Vec::new(), passed_over: 0 })
}

impl<R: BufRead> Lines<R> {
    /// The next line that is a JSON object.
    pub(crate) fn next(&mut self) -> io::Result<Option<Value>> {
        loop {
            self.line.clear();
            let read = (&mut self.reader).take(LINE_BYTES as u64).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(None);
            }
            if read == LINE_BYTES && self.line.last() != Some(&b'\n') {
                self.skip_rest()?;
                self.passed_over += 1;
                continue;
            }
            let text = String::from_utf8_lossy(&self.line);
            match parse_tolerant::<Value>(text.trim()) {
                Ok(value) if value.is_object() => return Ok(Some(value)),
                Ok(_) | Err(_) if text.trim().is_empty() => {}
                Ok(_) | Err(_) => self.passed_over += 1,
            }
        }
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(taken);
            if end.is_some() || taken == 0 {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_or_too_long_is_passed_over_and_counted() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(LINE_BYTES));
        let text = format!("{{\"n\":1}}\n\nnot json\n[1]\n{long}\n{{\"n\":\"\\ud83d\"}}\n{{\"n\":3");
        let mut lines = Lines { reader: text.as_bytes(), line: Vec::new(), passed_over: 0 };
        let mut found = Vec::new();
        while let Some(value) = lines.next().unwrap() {
            found.push(value["n"].clone());
        }
        assert_eq!((found.len(), &found[0], lines.passed_over), (2, &Value::from(1), 4));
    }
}
