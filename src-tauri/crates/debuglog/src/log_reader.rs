//! Reads the log for people: the newest lines, older ones, what comes after, and all of it for an export.
//!
//! Responsible for filtering and for places that hold while files are begun, renamed and removed. It writes nothing and
//! locks nothing; a line that cannot be taken apart is shown as it is. All functions block.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use protocol::debug_log::{LogFilter, LogLine, LogPage, LogPlace, LogRequest};
use protocol::limits::{LOG_FILE_BYTES, LOG_PAGE};
use protocol::pod::Direction;

use crate::log_file::{self, CURRENT};
use crate::log_line;
use crate::redaction::redact;

/// A file's first moment, with which its place is known: `2026-11-21T07:00:00.123456Z`.
const MOMENT_BYTES: usize = 27;

/// The log in a folder.
#[derive(Debug, Clone)]
pub struct LogReader {
    dir: PathBuf,
}

/// One of the files.
struct Part {
    path: PathBuf,
    /// The moment with which it begins; empty while it is empty.
    begins: String,
    bytes: u64,
}

impl LogReader {
    /// The log in the folder `dir`, whether there is one or not.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Lines that the filter lets through, from a place in a direction. A place in a file that is gone stands for the
    /// beginning of what is kept.
    ///
    /// # Errors
    /// When a file cannot be read. A file that goes away meanwhile is none.
    pub fn read(&self, request: &LogRequest) -> io::Result<LogPage> {
        let parts = self.parts()?;
        let limit = (request.limit as usize).clamp(1, LOG_PAGE);
        let mut page = match request.direction {
            Direction::Backwards => backwards(&parts, request, limit)?,
            Direction::Forwards => forwards(&parts, request, limit)?,
        };
        page.kept_bytes = parts.iter().map(|part| part.bytes).sum();
        Ok(page)
    }

    /// Writes the lines that the filter lets through, without secrets and with `~` in place of the home folder; how many.
    ///
    /// # Errors
    /// When a file cannot be read or `to` cannot be written.
    pub fn export(&self, filter: &LogFilter, home: Option<&Path>, to: &mut impl Write) -> io::Result<u64> {
        let home = home.map(|home| home.to_string_lossy().into_owned()).filter(|home| home.len() > 1);
        let mut count = 0;
        for part in self.parts()? {
            for line in bytes_of(&part, 0, part.bytes)?.split(|byte| *byte == b'\n') {
                let line = &*String::from_utf8_lossy(line);
                if !log_line::read(line).is_some_and(|line| log_line::passes(&line, filter)) {
                    continue;
                }
                let clear = redact(line);
                let clear = home.as_ref().map_or_else(|| clear.to_string(), |home| clear.replace(home.as_str(), "~"));
                writeln!(to, "{clear}")?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// The files from the oldest to the one that is written now.
    fn parts(&self) -> io::Result<Vec<Part>> {
        let mut names = match log_file::earlier_files(&self.dir) {
            Ok(earlier) => earlier,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        names.sort();
        let names = names.iter().map(log_file::Rotated::name).chain([CURRENT.to_owned()]);
        Ok(names.filter_map(|name| part(&self.dir.join(name))).collect())
    }
}

/// Nothing for a file that went away.
fn part(path: &Path) -> Option<Part> {
    let mut file = File::open(path).ok()?;
    let bytes = file.metadata().ok()?.len();
    let mut begins = String::new();
    Read::by_ref(&mut file).take(MOMENT_BYTES as u64).read_to_string(&mut begins).ok()?;
    Some(Part { path: path.to_owned(), begins, bytes })
}

/// The bytes between two offsets; a file that grew meanwhile is read to `until`, so that the last line is whole.
fn bytes_of(part: &Part, from: u64, until: u64) -> io::Result<Vec<u8>> {
    let mut file = match File::open(&part.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    // A file of somebody else's making may have any size.
    file.take(until.saturating_sub(from).min(2 * LOG_FILE_BYTES)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where a place is among the parts: which one, and how far in. Absent: the end.
fn position(parts: &[Part], from: Option<&LogPlace>) -> (usize, u64) {
    let end = || parts.last().map_or((0, 0), |part| (parts.len() - 1, part.bytes));
    let Some(place) = from else { return end() };
    match parts.iter().position(|part| part.begins == place.file) {
        Some(at) => (at, place.offset.min(parts[at].bytes)),
        None => (0, 0),
    }
}

fn place(part: &Part, offset: u64) -> LogPlace {
    LogPlace { file: part.begins.clone(), offset }
}

fn start_of(parts: &[Part]) -> LogPlace {
    parts.first().map_or_else(|| LogPlace { file: String::new(), offset: 0 }, |part| place(part, 0))
}

fn backwards(parts: &[Part], request: &LogRequest, limit: usize) -> io::Result<LogPage> {
    let (last, end) = position(parts, request.from.as_ref());
    let newer = parts.get(last).map_or_else(|| start_of(parts), |part| place(part, end));
    let (mut lines, mut older) = (Vec::new(), None);
    'files: for at in (0..parts.len()).filter(|at| *at <= last).rev() {
        let until = if at == last { end } else { parts[at].bytes };
        let text = bytes_of(&parts[at], 0, until)?;
        let mut offset = text.len();
        for line in text.split_inclusive(|byte| *byte == b'\n').rev() {
            offset -= line.len();
            let Some(read) = wanted(line, &request.filter) else { continue };
            if lines.len() == limit {
                older = Some(place(&parts[at], (offset + line.len()) as u64));
                break 'files;
            }
            lines.push(read);
        }
    }
    lines.reverse();
    Ok(LogPage { lines, older, newer, kept_bytes: 0 })
}

fn forwards(parts: &[Part], request: &LogRequest, limit: usize) -> io::Result<LogPage> {
    let (first, begin) = position(parts, request.from.as_ref());
    let older = (first > 0 || begin > 0).then(|| parts.get(first).map(|part| place(part, begin))).flatten();
    let (mut lines, mut newer) = (Vec::new(), start_of(parts));
    'files: for (at, part) in parts.iter().enumerate().skip(first) {
        let mut offset = if at == first { begin } else { 0 };
        newer = place(part, offset);
        for line in bytes_of(part, offset, part.bytes)?.split_inclusive(|byte| *byte == b'\n') {
            // What is written just now comes whole the next time.
            if !line.ends_with(b"\n") && at + 1 == parts.len() {
                break;
            }
            if lines.len() == limit {
                break 'files;
            }
            offset += line.len() as u64;
            newer.offset = offset;
            lines.extend(wanted(line, &request.filter));
        }
    }
    Ok(LogPage { lines, older, newer, kept_bytes: 0 })
}

fn wanted(line: &[u8], filter: &LogFilter) -> Option<LogLine> {
    let line = log_line::read(String::from_utf8_lossy(line).trim_end_matches('\n'))?;
    log_line::passes(&line, filter).then_some(line)
}

#[cfg(test)]
mod tests;
