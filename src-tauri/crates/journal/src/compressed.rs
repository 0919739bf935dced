//! A journal as a compressed file: how it is made, read and made plain again.
//!
//! `journal.ndjson.zst` stands in the place of `journal.ndjson` and holds the same bytes. At every moment one of the two is whole
//! under its own name, so a crash between any two steps costs nothing. When a journal is compressed is not decided here.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use protocol::SessionId;
use sha2::{Digest, Sha256};

use crate::blobs::hex;
use crate::error::JournalError;
use crate::folder::SessionFolder;
use crate::recovery::check_header;

/// Much smaller than the fast levels, and still faster than a disk.
const LEVEL: i32 = 9;
const CHUNK: usize = 256 * 1024;

/// The compressed file that belongs to a journal file.
pub(crate) fn beside(journal: &Path) -> PathBuf {
    journal.with_extension("ndjson.zst")
}

/// The bytes of a compressed journal, in a file without a name. Nothing when there is no such journal.
pub(crate) fn open(path: &Path) -> Result<Option<File>, JournalError> {
    let packed = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(JournalError::io("open", path)(error)),
    };
    // Beside the journal there is room for it if anywhere; a read-only disk leaves the system's temporary folder.
    let folder = path.parent().unwrap_or(Path::new("."));
    let unpacked = tempfile::tempfile_in(folder).or_else(|_| tempfile::tempfile());
    let mut unpacked = unpacked.map_err(JournalError::io("make room to unpack", path))?;
    unpack(packed, &mut unpacked).map_err(JournalError::io("unpack", path))?;
    unpacked.rewind().map_err(JournalError::io("unpack", path))?;
    Ok(Some(unpacked))
}

/// Puts the plain journal in the place of a compressed one. Does nothing where there is none.
///
/// # Errors
/// When the file system refuses, or the journal may not be continued; it stays as it was.
pub(crate) fn restore(folder: &SessionFolder, session: SessionId) -> Result<(), JournalError> {
    let (plain, packed) = (folder.journal(), folder.compressed());
    if !packed.exists() {
        return Ok(());
    }
    if !plain.exists() {
        let part = folder.path().join("journal.ndjson.part");
        let restored = write_plain(&packed, &part, session)
            .and_then(|()| fs::rename(&part, &plain).map_err(JournalError::io("restore", &plain)));
        if let Err(error) = restored {
            let _ = fs::remove_file(&part);
            return Err(error);
        }
        sync_folder(folder.path());
    }
    // The plain one has all that this has. Where it cannot be removed now, it is at the next opening.
    let _ = fs::remove_file(&packed);
    Ok(())
}

fn write_plain(packed: &Path, part: &Path, session: SessionId) -> Result<(), JournalError> {
    let source = File::open(packed).map_err(JournalError::io("open", packed))?;
    let mut file = create(part).map_err(JournalError::io("restore", part))?;
    unpack(source, &mut file).map_err(JournalError::io("unpack", packed))?;
    check_header(packed, &mut file, session)?;
    file.sync_all().map_err(JournalError::io("restore", part))
}

/// Puts a compressed journal in the place of the plain one, once it is proved that it reads the same. The caller holds the lease.
/// Tells the size before and after; nothing when there is no plain journal.
///
/// # Errors
/// When the file system refuses or what was written does not read the same; the plain journal stays.
pub(crate) fn pack(folder: &SessionFolder) -> Result<Option<(u64, u64)>, JournalError> {
    let (plain, packed) = (folder.journal(), folder.compressed());
    let source = match File::open(&plain) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(JournalError::io("open", &plain)(error)),
    };
    // The name of a crashed attempt is used again, so there is at most one of them.
    let part = folder.path().join("journal.ndjson.zst.part");
    let sizes = write_packed(source, &part).map_err(JournalError::io("compress", &plain));
    let renamed = sizes.and_then(|sizes| {
        fs::rename(&part, &packed).map_err(JournalError::io("compress", &plain))?;
        Ok(sizes)
    });
    let sizes = renamed.inspect_err(|_| {
        let _ = fs::remove_file(&part);
    })?;
    sync_folder(folder.path());
    fs::remove_file(&plain).map_err(JournalError::io("remove what was compressed of", &plain))?;
    Ok(Some(sizes))
}

fn write_packed(source: File, part: &Path) -> io::Result<(u64, u64)> {
    let mut source = Counted::of(source);
    let mut encoder = zstd::stream::write::Encoder::new(create(part)?, LEVEL)?;
    encoder.include_checksum(true)?;
    copy(&mut source, &mut encoder)?;
    let mut file = encoder.finish()?;
    file.sync_all()?;
    let size = file.metadata()?.len();
    file.rewind()?;
    let mut again = Counted::of(zstd::stream::read::Decoder::new(file)?);
    copy(&mut again, &mut io::sink())?;
    if again.finish() == source.finish() {
        Ok((source.bytes, size))
    } else {
        Err(io::Error::other("what was written does not read the same; the journal stays as it is"))
    }
}

fn unpack(packed: File, into: &mut File) -> io::Result<()> {
    let mut decoder = zstd::stream::read::Decoder::new(packed)?;
    copy(&mut decoder, into)
}

fn copy(from: &mut impl Read, into: &mut impl Write) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(got) => into.write_all(&chunk[..got])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Counts and hashes what is read through it.
struct Counted<R> {
    source: R,
    bytes: u64,
    hash: Sha256,
}

impl<R> Counted<R> {
    fn of(source: R) -> Self {
        Self { source, bytes: 0, hash: Sha256::new() }
    }

    fn finish(&self) -> (u64, String) {
        (self.bytes, hex(&self.hash.clone().finalize()))
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.source.read(buffer)?;
        self.bytes += got as u64;
        self.hash.update(&buffer[..got]);
        Ok(got)
    }
}

/// A file that only its user can read, as all files of a session.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(true).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Puts the names in a folder on the disk, where the system can be asked to. A name that is not there after a loss of power leaves
/// the other file of the two, which is whole.
fn sync_folder(path: &Path) {
    if cfg!(unix)
        && let Ok(folder) = File::open(path)
    {
        let _ = folder.sync_all();
    }
}
