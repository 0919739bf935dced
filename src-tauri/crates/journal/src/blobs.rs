//! Long strings of a record, as files of their own beside the journal: images in base64, huge tool output.
//!
//! A string literal of more than [`BLOB_BYTES`] moves to `blobs/<sha256 of the bytes between its quotes>`; the record keeps its
//! beginning and says in its last field, `blobs`, where what belongs. The line can be restored byte for byte. What a string means
//! does not concern this module, and short lines never come here.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use protocol::limits::{BLOB_BYTES, BLOB_PREVIEW_BYTES};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const FIELD: &[u8] = b",\"blobs\":[";

/// What a record says of a string that was moved out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct BlobRef {
    /// The file's name, and the hash of what is in it.
    sha256: String,
    /// Where the beginning of the string stands in the stored line, in bytes.
    offset: usize,
    /// How much of the string stands there, in bytes.
    preview: usize,
    /// How long the string is, in bytes.
    bytes: usize,
}

/// A record's line with its long strings in their places again.
#[derive(Debug, PartialEq, Eq)]
pub struct Expanded<'a> {
    /// The line as the runner and the keeper made it, without its newline.
    pub line: Cow<'a, [u8]>,
    /// Strings that could not be restored, and why. Their beginnings stand in the line.
    pub lost: Vec<String>,
}

/// Restores the long strings of a stored line; a line without any is handed back as it is.
#[must_use]
pub fn expand<'a>(folder: &Path, line: &'a [u8]) -> Expanded<'a> {
    let Some((kept, refs)) = references(line) else {
        return Expanded { line: Cow::Borrowed(line), lost: Vec::new() };
    };
    let mut whole = Vec::with_capacity(kept.len() + refs.iter().map(|blob| blob.bytes.min(BLOB_BYTES)).sum::<usize>());
    let mut lost = Vec::new();
    let mut done = 0;
    for blob in &refs {
        match read(&folder.join("blobs").join(&blob.sha256), blob) {
            Ok(bytes) => {
                whole.extend_from_slice(&kept[done..blob.offset]);
                whole.extend_from_slice(&bytes);
                done = blob.offset + blob.preview;
            }
            Err(why) => lost.push(why),
        }
    }
    whole.extend_from_slice(&kept[done..]);
    whole.push(b'}');
    Expanded { line: Cow::Owned(whole), lost }
}

/// The line up to its `blobs` field, and what stands there. Inside a string the quotes of the field's name would be escaped, and
/// inside an object of the runner's the line would end in two braces: nobody else can write this field.
fn references(line: &[u8]) -> Option<(&[u8], Vec<BlobRef>)> {
    if !line.ends_with(b"]}") {
        return None;
    }
    let at = memchr::memmem::rfind(line, FIELD)?;
    let refs: Vec<BlobRef> = serde_json::from_slice(&line[at + FIELD.len() - 1..line.len() - 1]).ok()?;
    let mut done = 0;
    for blob in &refs {
        let until = blob.offset.checked_add(blob.preview)?;
        let name = blob.sha256.len() == 64 && blob.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !name || blob.offset < done || until > at {
            return None;
        }
        done = until;
    }
    Some((&line[..at], refs))
}

fn read(path: &Path, blob: &BlobRef) -> Result<Vec<u8>, String> {
    let beginning = "; only its beginning is shown";
    let bytes = fs::read(path)
        .map_err(|error| format!("failed to read the long text {}: {error}{beginning}", path.display()))?;
    if bytes.len() != blob.bytes || hash(&bytes) != blob.sha256 {
        return Err(format!("the long text {} is not what was written there{beginning}", path.display()));
    }
    Ok(bytes)
}

/// Keeps bytes in the session's folder under the name that their hash is, for a record to refer to. What is there already is not
/// written again.
///
/// # Errors
/// When they cannot be written.
pub fn keep(session: &Path, bytes: &[u8]) -> io::Result<String> {
    let mut store = BlobStore::of(session);
    let name = hash(bytes);
    store.keep(&name, bytes)?;
    for path in store.take_unsynced() {
        File::open(path)?.sync_all()?;
    }
    Ok(name)
}

/// Moves long strings out of the lines of records that are being encoded.
#[derive(Debug)]
pub(crate) struct BlobStore {
    folder: PathBuf,
    /// Written and not yet known to be on the disk.
    unsynced: Vec<PathBuf>,
}

impl BlobStore {
    /// The blobs of the session in this folder. The folder for them is made when there is one.
    pub(crate) fn of(session: &Path) -> Self {
        Self { folder: session.join("blobs"), unsynced: Vec::new() }
    }

    /// Moves the long strings of the line that begins at `start` and ends with `out`, newline included. A string that cannot be
    /// written stays in its record.
    pub(crate) fn extract(&mut self, out: &mut Vec<u8>, start: usize) {
        let line = &out[start..];
        let mut kept: Vec<u8> = Vec::new();
        let mut refs = Vec::new();
        let mut done = 0;
        for (from, until) in Strings::of(line).filter(|(from, until)| until - from > BLOB_BYTES) {
            let text = &line[from..until];
            let sha256 = hash(text);
            if self.keep(&sha256, text).is_err() {
                continue;
            }
            let preview = cut(text, BLOB_PREVIEW_BYTES);
            kept.extend_from_slice(&line[done..from]);
            refs.push(BlobRef { sha256, offset: kept.len(), preview, bytes: text.len() });
            kept.extend_from_slice(&text[..preview]);
            done = until;
        }
        let Ok(list) = serde_json::to_vec(&refs) else { return };
        if refs.is_empty() {
            return;
        }
        kept.extend_from_slice(line[done..].strip_suffix(b"}\n").unwrap_or(&line[done..]));
        kept.extend_from_slice(&FIELD[..FIELD.len() - 1]);
        kept.extend_from_slice(&list);
        kept.extend_from_slice(b"}\n");
        out.truncate(start);
        out.extend_from_slice(&kept);
    }

    /// What has been written since this was asked last, with the folder that names it.
    pub(crate) fn take_unsynced(&mut self) -> Vec<PathBuf> {
        let mut paths = std::mem::take(&mut self.unsynced);
        // Elsewhere a folder cannot be opened, and need not be.
        if cfg!(unix) && !paths.is_empty() {
            paths.push(self.folder.clone());
        }
        paths
    }

    fn keep(&mut self, name: &str, text: &[u8]) -> io::Result<()> {
        let path = self.folder.join(name);
        if fs::metadata(&path).is_ok_and(|file| file.len() == text.len() as u64) {
            return Ok(());
        }
        let beside = self.folder.join(format!("{name}.part"));
        let written = self.create(&beside).and_then(|mut file| file.write_all(text));
        written.and_then(|()| fs::rename(&beside, &path)).inspect_err(|_| {
            // What is left of it would take the space that is missing.
            let _ = fs::remove_file(&beside);
        })?;
        self.unsynced.push(path);
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        let open = || {
            let mut options = File::options();
            options.create(true).truncate(true).write(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt;
                options.mode(0o600);
            }
            options.open(path)
        };
        match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // The session's folder is its user's alone, and so is what is in it.
                fs::create_dir(&self.folder)?;
                open()
            }
            other => other,
        }
    }
}

/// The string literals of a line of JSON: where each begins and ends between its quotes.
struct Strings<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Strings<'a> {
    fn of(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }
}

impl Iterator for Strings<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let from = self.at + memchr::memchr(b'"', &self.line[self.at..])? + 1;
        let mut at = from;
        loop {
            at += memchr::memchr2(b'"', b'\\', self.line.get(at..)?)?;
            if self.line[at] == b'"' {
                self.at = at + 1;
                return Some((from, at));
            }
            // Whatever is escaped, it is one byte at least, and that one may be a quote.
            at += 2;
        }
    }
}

/// The longest beginning of a string literal, of `limit` bytes at most, that splits no character and no escape; surrogates that are
/// escaped one after the other count as one character.
fn cut(text: &[u8], limit: usize) -> usize {
    let mut end = 0;
    while let Some(size) = size_of_next(&text[end..]) {
        if end + size > limit {
            break;
        }
        end += size;
    }
    end
}

fn size_of_next(text: &[u8]) -> Option<usize> {
    const ESCAPED: usize = r"\ud83d".len();
    let size = match (*text.first()?, text.get(1)) {
        (b'\\', Some(b'u')) if is_half(text, b"89abAB") && is_half(text.get(ESCAPED..)?, b"cdefCDEF") => 2 * ESCAPED,
        (b'\\', Some(b'u')) => ESCAPED,
        (b'\\', _) => 2,
        (0..=0x7f, _) => 1,
        (first, _) => first.leading_ones() as usize,
    };
    Some(size.max(1))
}

/// Whether an escaped surrogate of one kind stands here.
fn is_half(text: &[u8], kind: &[u8]) -> bool {
    matches!(text, [b'\\', b'u', b'd' | b'D', third, ..] if kind.contains(third))
}

/// The SHA-256 of the bytes, in lower-case hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests;
