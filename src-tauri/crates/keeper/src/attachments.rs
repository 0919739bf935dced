//! What is kept of the images and files that go with a prompt: their names, types and sizes in the journal, and a copy of each image
//! beside it, named by its content, so that it can be shown when the file is gone.
//!
//! Files that are no images are named only: they are the user's, may be of any size, and the agent reads them where they are.

use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use journal::SessionFolder;
use protocol::attachment::{AttachedFile, Attachment, image_type_of_content, image_type_of_name};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{ATTACHMENTS, IMAGE_BYTES, INLINE_BYTES};

use crate::exchange::Attached;

/// The type of what nobody knows more about.
const ANY: &str = "application/octet-stream";
const MIB: usize = 1024 * 1024;

/// Looks at the attachments of a prompt for an agent that works in `cwd`, and keeps the images.
///
/// # Errors
/// When there are too many, one cannot be read, or an image inside the prompt is no image or too large. Then nothing is sent.
pub(crate) fn take_in(
    folder: &SessionFolder,
    cwd: &Path,
    attachments: Vec<Attachment>,
) -> Result<Vec<Attached>, WireError> {
    if attachments.len() > ATTACHMENTS {
        return Err(bad(format!("{} attachments are too many; {ATTACHMENTS} may go with a prompt", attachments.len())));
    }
    let inline: usize = attachments.iter().filter_map(|one| one.data.as_ref()).map(String::len).sum();
    if inline > INLINE_BYTES {
        let message = format!(
            "the images in the prompt have {} MiB together, {} are allowed; attach them as files",
            inline / MIB,
            INLINE_BYTES / MIB
        );
        return Err(bad(message));
    }
    attachments.into_iter().map(|attachment| take(folder, cwd, attachment)).collect()
}

fn take(folder: &SessionFolder, cwd: &Path, attachment: Attachment) -> Result<Attached, WireError> {
    match (&attachment.data, &attachment.path) {
        (Some(data), _) => {
            let shown = image(folder, &attachment, data)?;
            Ok(Attached { sent: attachment, shown })
        }
        (None, Some(path)) => {
            let path = cwd.join(path);
            let shown = file(folder, &attachment, &path)?;
            let sent = Attachment { path: Some(path.to_string_lossy().into_owned()), ..attachment };
            Ok(Attached { sent, shown })
        }
        (None, None) => Err(bad("an attachment has neither a path nor data".to_owned())),
    }
}

/// An image that came inside the prompt.
fn image(folder: &SessionFolder, attachment: &Attachment, data: &str) -> Result<AttachedFile, WireError> {
    let name = attachment.name.clone().unwrap_or_else(|| "image".to_owned());
    let bytes = STANDARD.decode(data).map_err(|error| bad(format!("{name} is not in base64: {error}")))?;
    let Some(mime_type) = image_type_of_content(&bytes) else {
        return Err(bad(format!("{name} is no PNG, JPEG, GIF or WebP image; attach it as a file, by its path")));
    };
    if bytes.len() > IMAGE_BYTES {
        let (has, most) = (bytes.len() / MIB, IMAGE_BYTES / MIB);
        return Err(bad(format!("{name} has more than {has} MiB; an image may have {most} MiB")));
    }
    let blob = keep(folder, &bytes);
    Ok(AttachedFile { name, mime_type: mime_type.to_owned(), bytes: bytes.len() as u64, blob, path: None })
}

/// A file, or a folder, by its path.
fn file(folder: &SessionFolder, attachment: &Attachment, path: &Path) -> Result<AttachedFile, WireError> {
    let cannot = |error: io::Error| bad(format!("{} cannot be attached: {error}", path.display()));
    let about = std::fs::metadata(path).map_err(cannot)?;
    let last =
        || path.file_name().map_or_else(|| path.display().to_string(), |last| last.to_string_lossy().into_owned());
    let name = attachment.name.clone().unwrap_or_else(last);
    let is_image = about.is_file() && about.len() <= IMAGE_BYTES as u64 && image_type_of_name(&name).is_some();
    let content = if is_image { Some(std::fs::read(path).map_err(cannot)?) } else { None };
    let found = content.as_deref().and_then(|bytes| Some((image_type_of_content(bytes)?, bytes)));
    let mime_type = match found {
        Some((mime_type, _)) => mime_type.to_owned(),
        None if about.is_dir() => "inode/directory".to_owned(),
        None => attachment.mime_type.clone().unwrap_or_else(|| ANY.to_owned()),
    };
    let blob = found.and_then(|(_, bytes)| keep(folder, bytes));
    let path = Some(path.to_string_lossy().into_owned());
    Ok(AttachedFile { name, mime_type, bytes: about.len(), blob, path })
}

/// Keeps a copy. An image that cannot be kept is sent all the same: a full disk ends the recording, not the work.
fn keep(folder: &SessionFolder, bytes: &[u8]) -> Option<String> {
    journal::blobs::keep(folder.path(), bytes)
        .inspect_err(|error| tracing::warn!(%error, "an image that goes with a prompt could not be kept"))
        .ok()
}

fn bad(message: String) -> WireError {
    WireError::new(ErrorCode::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use protocol::SessionId;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

    fn by_path(path: &str) -> Attachment {
        Attachment { path: Some(path.to_owned()), ..Attachment::default() }
    }

    fn inline(name: &str, content: &[u8]) -> Attachment {
        Attachment { name: Some(name.to_owned()), data: Some(STANDARD.encode(content)), ..Attachment::default() }
    }

    #[test]
    fn an_image_is_kept_and_a_file_is_named() {
        let home = tempfile::tempdir().unwrap();
        let folder = SessionFolder::create(home.path(), SessionId::new()).unwrap();
        for (name, content) in [("lamp.png", PNG), ("notes.txt", b"hello"), ("fake.png", b"no image")] {
            std::fs::write(home.path().join(name), content).unwrap();
        }
        let wanted = vec![by_path("lamp.png"), by_path("notes.txt"), by_path("fake.png"), inline("paste.png", PNG)];
        let taken = take_in(&folder, home.path(), wanted).unwrap();
        let shown: Vec<_> = taken.iter().map(|one| (one.shown.mime_type.as_str(), one.shown.bytes)).collect();
        assert_eq!(shown, [("image/png", 18), (ANY, 5), (ANY, 8), ("image/png", 18)]);
        let kept = taken[0].shown.blob.clone().unwrap();
        assert_eq!(std::fs::read(folder.path().join("blobs").join(&kept)).unwrap(), PNG);
        assert_eq!(taken[3].shown.blob, Some(kept), "the same image is kept once");
        assert_eq!(taken[1].shown.blob, None);
        assert_eq!(taken[0].sent.path.as_deref(), home.path().join("lamp.png").to_str());
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_its_name() {
        let home = tempfile::tempdir().unwrap();
        let folder = SessionFolder::create(home.path(), SessionId::new()).unwrap();
        let refused = |attachment: Attachment| take_in(&folder, home.path(), vec![attachment]).unwrap_err().message;
        assert!(refused(by_path("gone.txt")).contains("gone.txt cannot be attached"));
        assert!(refused(Attachment::default()).contains("neither"));
        assert!(refused(inline("a.txt", b"text")).contains("a.txt is no PNG"));
        let mut large = PNG.to_vec();
        large.resize(IMAGE_BYTES + 1, 0);
        assert!(refused(inline("large.png", &large)).contains("an image may have 5 MiB"));
        let many = vec![Attachment::default(); ATTACHMENTS + 1];
        assert!(take_in(&folder, home.path(), many).unwrap_err().message.contains("too many"));
    }
}
