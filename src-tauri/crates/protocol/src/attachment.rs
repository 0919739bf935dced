//! Images and files that go with a prompt: as they are handed over, and what is kept and shown of them.
//!
//! What an agent makes of one is its runner's business. An image is kept beside the journal, so that it can be shown when its file is
//! gone; any other file is named only.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An attachment as it is handed over: a file by its `path`, or an image by its `data` and `mimeType`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Attachment {
    /// What people call it; the last part of its path when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// `image/png` and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub mime_type: Option<String>,
    /// The image in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub data: Option<String>,
    /// The file, absolute or below the agent's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<String>,
}

/// What the journal keeps of an attachment, and a transcript shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct AttachedFile {
    /// What people call it.
    pub name: String,
    /// `image/png` and the like; `application/octet-stream` where nobody knows.
    pub mime_type: String,
    /// Its size at the time of the prompt, in bytes.
    pub bytes: u64,
    /// An image's copy in the session's `blobs` folder: its name there, which is the SHA-256 of what is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub blob: Option<String>,
    /// Where the file was, when it was a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<String>,
}

/// The types of images that agents and pages can be shown, by the ending of a file's name.
const IMAGES: [(&str, &str); 5] =
    [("png", "image/png"), ("jpg", "image/jpeg"), ("jpeg", "image/jpeg"), ("gif", "image/gif"), ("webp", "image/webp")];

/// The type of an image that can be shown, by the ending of its file's name; none for anything else.
#[must_use]
pub fn image_type_of_name(name: &str) -> Option<&'static str> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    IMAGES.iter().find(|(known, _)| *known == ending).map(|(_, mime)| *mime)
}

/// The type of an image that can be shown, by the first bytes of what is in it; none for anything else.
#[must_use]
pub fn image_type_of_content(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_name_and_by_its_content() {
        assert_eq!(image_type_of_name("Lamp.JPEG"), Some("image/jpeg"));
        assert_eq!(image_type_of_name("png"), None);
        assert_eq!(image_type_of_name("drawing.svg"), None, "it can carry a script");
        assert_eq!(image_type_of_content(b"GIF89a..."), Some("image/gif"));
        assert_eq!(image_type_of_content(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(image_type_of_content(b"<svg xmlns"), None);
    }
}
