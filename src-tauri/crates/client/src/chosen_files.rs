//! The files that a person chooses to go with a prompt: what they are, how the small ones look, and where those go that come as bytes.
//!
//! What is pasted or dropped has no path, and agents are named files by their paths. So its bytes are written below the data folder,
//! once for each content, and the prompt names that file as any other.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use journal::SessionFolder;
use protocol::attachment::{image_type_of_content, image_type_of_name};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{IMAGE_BYTES, PASTED_FILE_BYTES};
use protocol::view::ChosenFile;
use sha2::{Digest, Sha256};

const MIB: usize = 1024 * 1024;

/// What a path leads to.
///
/// # Errors
/// When nothing is there that can be read.
pub fn about(path: &Path) -> Result<ChosenFile, WireError> {
    let about = std::fs::metadata(path).map_err(|error| cannot(path, &error))?;
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let mime_type = match image_type_of_name(&name) {
        Some(image) if about.is_file() => image,
        Some(_) | None if about.is_dir() => "inode/directory",
        Some(_) | None => "application/octet-stream",
    };
    Ok(ChosenFile { path: path.display().to_string(), name, mime_type: mime_type.to_owned(), bytes: about.len() })
}

/// Writes what was pasted or dropped below `data` and tells where it is.
///
/// # Errors
/// When it is too large, is not in base64, or cannot be written.
pub fn keep(data: &Path, name: &str, base64: &str) -> Result<ChosenFile, WireError> {
    let bad = |message: String| WireError::new(ErrorCode::BadRequest, message);
    if base64.len() / 4 * 3 > PASTED_FILE_BYTES + MIB {
        return Err(too_large(name, base64.len() / 4 * 3));
    }
    let bytes = STANDARD.decode(base64).map_err(|error| bad(format!("{name} cannot be attached: {error}")))?;
    if bytes.len() > PASTED_FILE_BYTES {
        return Err(too_large(name, bytes.len()));
    }
    let path = place(data, name, &bytes);
    write_once(&path, &bytes).map_err(|error| cannot(&path, &error))?;
    about(&path)
}

/// How an image looks, as a `data:` URL; none for what is no image, is too large or is gone.
#[must_use]
pub fn preview(path: &Path) -> Option<String> {
    let small = std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() <= IMAGE_BYTES as u64);
    let bytes = if small { std::fs::read(path).ok()? } else { return None };
    Some(format!("data:{};base64,{}", image_type_of_content(&bytes)?, STANDARD.encode(&bytes)))
}

/// How an image looks that went with a prompt; as [`preview`].
#[must_use]
pub fn kept_image(session: &SessionFolder, blob: &str) -> Option<String> {
    let is_name = blob.len() == 64 && blob.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_name { preview(&session.path().join("blobs").join(blob)) } else { None }
}

fn too_large(name: &str, bytes: usize) -> WireError {
    let message = format!(
        "{name} has {} MiB; {} MiB can be pasted or dropped. Choose it with \u{201c}Attach files\u{201d} instead: then its path is \
         named to the agent, and it may be of any size",
        bytes.div_ceil(MIB),
        PASTED_FILE_BYTES / MIB
    );
    WireError::new(ErrorCode::BadRequest, message)
}

fn cannot(path: &Path, error: &io::Error) -> WireError {
    WireError::new(ErrorCode::BadRequest, format!("{} cannot be attached: {error}", path.display()))
}

/// The same content has the same place, and keeps its name, by which agents know its type.
fn place(data: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let hash = Sha256::digest(bytes);
    let folder: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    data.join("attachments").join(folder).join(safe(name))
}

/// A name without what leads elsewhere or cannot stand in a name on some system.
fn safe(name: &str) -> String {
    const LONGEST: usize = 100;
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let odd = |c: char| c.is_control() || "<>:\"|?*".contains(c);
    let clean: String = last.chars().map(|c| if odd(c) { '_' } else { c }).collect();
    let clean = clean.trim_start_matches(['.', ' ', '-']).trim_end_matches(['.', ' ']);
    let skipped = clean.chars().count().saturating_sub(LONGEST);
    let short: String = clean.chars().skip(skipped).collect();
    if short.is_empty() { "file".to_owned() } else { short }
}

fn write_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() == bytes.len() as u64) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("part-{}", std::process::id()));
    let mut options = std::fs::File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let written = options.open(&beside).and_then(|mut file| file.write_all(bytes));
    written.and_then(|()| std::fs::rename(&beside, path)).inspect_err(|_| {
        let _ = std::fs::remove_file(&beside);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

    #[test]
    fn what_is_pasted_becomes_a_file_with_its_name() {
        let data = tempfile::tempdir().unwrap();
        let kept = keep(data.path(), "../../a lamp.png", &STANDARD.encode(PNG)).unwrap();
        assert_eq!((kept.name.as_str(), kept.mime_type.as_str(), kept.bytes), ("a lamp.png", "image/png", 18));
        assert!(Path::new(&kept.path).starts_with(data.path().join("attachments")));
        assert_eq!(keep(data.path(), "a lamp.png", &STANDARD.encode(PNG)).unwrap(), kept, "once for each content");
        assert!(preview(Path::new(&kept.path)).unwrap().starts_with("data:image/png;base64,"));
        let nameless = keep(data.path(), "..", &STANDARD.encode("x")).unwrap();
        assert_eq!((nameless.name.as_str(), preview(Path::new(&nameless.path))), ("file", None));
    }

    #[test]
    fn what_is_too_large_says_what_to_do() {
        let data = tempfile::tempdir().unwrap();
        let large = STANDARD.encode(vec![0; PASTED_FILE_BYTES + 1]);
        let refused = keep(data.path(), "film.mov", &large).unwrap_err().message;
        assert!(refused.contains("film.mov has 21 MiB; 20 MiB") && refused.contains("Attach files"), "{refused}");
        assert!(!data.path().join("attachments").exists());
    }

    #[test]
    fn only_blobs_of_the_session_are_shown() {
        let home = tempfile::tempdir().unwrap();
        let folder = SessionFolder::create(home.path(), protocol::SessionId::new()).unwrap();
        let blob = journal::blobs::keep(folder.path(), PNG).unwrap();
        assert!(kept_image(&folder, &blob).is_some());
        std::fs::write(folder.path().join("other.png"), PNG).unwrap();
        assert_eq!(kept_image(&folder, "../other.png"), None);
    }
}
