//! Splits a byte stream into lines in bounded memory.
//!
//! Responsible for: lines end at `\n` only (U+2028 and a lone `\r` are content), one `\r` before that `\n` is taken
//! off, a line over the limit is cut and marked and reading goes on at the next newline. Bytes are not interpreted:
//! invalid UTF-8 passes through. Lines are slices of the read buffer; keeping one keeps up to 1 MiB beside it.

use std::io;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr_iter};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The first read; grows while the stream fills it.
const SMALLEST_READ: usize = 8 * 1024;
/// The largest read.
const LARGEST_READ: usize = 1024 * 1024;

/// One line without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line, or its first `limit` bytes.
    pub bytes: Bytes,
    /// The whole length in bytes when the line was longer than the limit.
    pub cut_from: Option<u64>,
}

/// Reads lines in batches.
#[derive(Debug)]
pub struct LineReader<R> {
    reader: R,
    splitter: Splitter,
    next_read: usize,
    ended: bool,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    /// Reads from `reader`; lines over `limit` bytes are cut.
    pub fn new(reader: R, limit: usize) -> LineReader<R> {
        LineReader { reader, splitter: Splitter::new(limit), next_read: SMALLEST_READ, ended: false }
    }

    /// All lines that are complete after one read, at least one; `None` at the end of the stream.
    ///
    /// The last line is delivered even without its newline. Cancel-safe: what was read before a cancellation is
    /// delivered by the next call.
    ///
    /// # Errors
    /// When reading fails. What was read before is not lost: calling again goes on.
    pub async fn next_batch(&mut self) -> io::Result<Option<Vec<Line>>> {
        while !self.ended {
            self.splitter.buffer.reserve(self.next_read);
            // `reserve` may have found more room than asked for; reading into all of it would let one batch grow.
            let mut room = (&mut self.reader).take(self.next_read as u64);
            let read = room.read_buf(&mut self.splitter.buffer).await?;
            self.adapt(read);
            if read == 0 {
                self.ended = true;
                return Ok(self.splitter.finish().map(|line| vec![line]));
            }
            let lines = self.splitter.split();
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
        Ok(None)
    }

    fn adapt(&mut self, read: usize) {
        if read >= self.next_read {
            self.next_read = (self.next_read * 4).min(LARGEST_READ);
        } else if read < self.next_read / 16 {
            self.next_read = (self.next_read / 2).max(SMALLEST_READ);
        }
    }
}

/// The pure part: bytes in, lines out.
#[derive(Debug)]
struct Splitter {
    limit: usize,
    buffer: BytesMut,
    /// Bytes at the front of `buffer` that are known to hold no newline.
    scanned: usize,
    /// The line that is being skipped because it is over the limit.
    skipping: Option<Skipped>,
}

#[derive(Debug)]
struct Skipped {
    head: Bytes,
    length: u64,
    ends_in_cr: bool,
}

impl Splitter {
    fn new(limit: usize) -> Splitter {
        Splitter { limit, buffer: BytesMut::new(), scanned: 0, skipping: None }
    }

    fn split(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(skipped) = self.skipping.take() {
            match self.skip(skipped) {
                Ok(line) => lines.push(line),
                Err(still) => {
                    self.skipping = Some(still);
                    return lines;
                }
            }
        }
        self.complete_lines(&mut lines);
        // One byte more than the limit may be the `\r` of the line's end.
        if self.buffer.len() > self.limit + 1 {
            self.begin_skipping();
        }
        lines
    }

    fn complete_lines(&mut self, lines: &mut Vec<Line>) {
        let fresh = self.buffer.get(self.scanned..).unwrap_or_default();
        let Some(last) = memchr::memrchr(b'\n', fresh) else {
            self.scanned = self.buffer.len();
            return;
        };
        let first_scan = self.scanned;
        let block = self.buffer.split_to(first_scan + last + 1).freeze();
        self.scanned = self.buffer.len();
        let mut start = 0;
        for newline in memchr_iter(b'\n', block.get(first_scan..).unwrap_or_default()) {
            let end = first_scan + newline;
            lines.push(self.line(&block, start, end));
            start = end + 1;
        }
    }

    fn line(&self, block: &Bytes, start: usize, newline: usize) -> Line {
        let end = if newline > start && block.get(newline - 1) == Some(&b'\r') { newline - 1 } else { newline };
        self.cut(block.slice(start..end))
    }

    fn cut(&self, bytes: Bytes) -> Line {
        if bytes.len() <= self.limit {
            return Line { bytes, cut_from: None };
        }
        let whole = bytes.len() as u64;
        // Copied, so that the cut line does not keep the rest of its length in memory.
        Line { bytes: Bytes::copy_from_slice(bytes.get(..self.limit).unwrap_or_default()), cut_from: Some(whole) }
    }

    fn begin_skipping(&mut self) {
        let length = self.buffer.len() as u64;
        let ends_in_cr = self.buffer.last() == Some(&b'\r');
        let head = Bytes::copy_from_slice(self.buffer.get(..self.limit).unwrap_or_default());
        self.skipping = Some(Skipped { head, length, ends_in_cr });
        self.buffer = BytesMut::new();
        self.scanned = 0;
    }

    /// Takes bytes of an over-long line; the line when its newline is among them.
    fn skip(&mut self, mut skipped: Skipped) -> Result<Line, Skipped> {
        let (rest, found) = match memchr(b'\n', &self.buffer) {
            Some(newline) => (self.buffer.split_to(newline + 1), true),
            None => (self.buffer.split(), false),
        };
        self.scanned = 0;
        let content = if found { rest.len() - 1 } else { rest.len() };
        if content > 0 {
            skipped.ends_in_cr = rest.get(content - 1) == Some(&b'\r');
        }
        skipped.length += content as u64;
        if found { Ok(skipped.end(true)) } else { Err(skipped) }
    }

    fn finish(&mut self) -> Option<Line> {
        if let Some(skipped) = self.skipping.take() {
            return Some(skipped.end(false));
        }
        if self.buffer.is_empty() {
            return None;
        }
        let rest = self.buffer.split().freeze();
        self.scanned = 0;
        Some(self.cut(rest))
    }
}

impl Skipped {
    fn end(self, with_newline: bool) -> Line {
        let length = self.length - u64::from(with_newline && self.ends_in_cr);
        Line { bytes: self.head, cut_from: Some(length) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the reader must deliver, told the slow way.
    fn expected(input: &[u8], limit: usize) -> Vec<Line> {
        let mut pieces: Vec<&[u8]> = input.split(|b| *b == b'\n').collect();
        let last = pieces.pop().unwrap();
        let mut lines: Vec<Line> = pieces.iter().map(|p| plain(p.strip_suffix(b"\r").unwrap_or(p), limit)).collect();
        if !last.is_empty() {
            lines.push(plain(last, limit));
        }
        lines
    }

    fn plain(piece: &[u8], limit: usize) -> Line {
        let cut_from = (piece.len() > limit).then_some(piece.len() as u64);
        Line { bytes: Bytes::copy_from_slice(&piece[..piece.len().min(limit)]), cut_from }
    }

    fn fed(chunks: &[&[u8]], limit: usize) -> Vec<Line> {
        let mut splitter = Splitter::new(limit);
        let mut lines = Vec::new();
        for chunk in chunks {
            splitter.buffer.extend_from_slice(chunk);
            lines.extend(splitter.split());
        }
        lines.extend(splitter.finish());
        lines
    }

    #[test]
    fn splits_the_same_at_every_byte() {
        let input = "one\r\n\n\r\r\n{\"a\":\"\u{2028}\u{1f600}\"}\nlonger than the limit\r\nlast".as_bytes();
        for limit in [4, 5, 21, 22, 100] {
            for first in 0..=input.len() {
                for second in first..=input.len() {
                    let chunks = [&input[..first], &input[first..second], &input[second..]];
                    assert_eq!(fed(&chunks, limit), expected(input, limit), "limit {limit}, {first}, {second}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_chunks(
            input in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
            size in 1_usize..20,
            limit in 1_usize..30,
        ) {
            let chunks: Vec<&[u8]> = input.chunks(size).collect();
            prop_assert_eq!(fed(&chunks, limit), expected(&input, limit));
        }
    }

    #[tokio::test]
    async fn a_line_of_12_mib_is_cut_in_flat_memory_and_reading_goes_on() {
        let limit = 10 * 1024 * 1024;
        let mut input = vec![b'x'; 12 * 1024 * 1024];
        input.extend_from_slice(b"\nafter\n");
        let mut reader = LineReader::new(input.as_slice(), limit);
        let mut lines = Vec::new();
        while let Some(batch) = reader.next_batch().await.unwrap() {
            assert!(reader.splitter.buffer.capacity() <= 2 * limit + 4 * LARGEST_READ);
            lines.extend(batch);
        }
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].bytes.len(), limit);
        assert_eq!(lines[0].cut_from, Some(12 * 1024 * 1024));
        assert_eq!(lines[1], Line { bytes: Bytes::from_static(b"after"), cut_from: None });
    }

    #[tokio::test]
    async fn a_cancelled_read_loses_nothing() {
        use tokio::io::AsyncWriteExt;
        let (mut writer, reader) = tokio::io::duplex(64);
        let mut reader = LineReader::new(reader, 100);
        writer.write_all(b"half").await.unwrap();
        // The read takes the half line, finds no newline, waits for more and is dropped there.
        tokio::select! {
            biased;
            _ = reader.next_batch() => panic!("no line is complete yet"),
            () = tokio::task::yield_now() => {}
        }
        writer.write_all(b" and half\n").await.unwrap();
        let batch = reader.next_batch().await.unwrap().unwrap();
        assert_eq!(batch[0].bytes, "half and half");
    }
}
