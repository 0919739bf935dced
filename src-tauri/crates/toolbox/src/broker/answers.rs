//! What of a sidecar's answer goes to the agent?
//!
//! Responsible for bounded answers: what is long is written to a file and handed out as `{"type": "resource_link", "uri": "file://…",
//! "name", "mimeType", "size"}`, the form that MCP has for it, behind a text part with its beginning and the file's path, so that a
//! model can go on whether its client follows links or not. Files are named by their content and bounded in all.

use std::io::Write;
use std::path::{Path, PathBuf};

use protocol::tools::ToolAnswer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::limits::{ANSWER_BYTES, ANSWER_FILES_BYTES, PART_BYTES, PARTS, PREVIEW_BYTES};

/// The answer as it is handed on. Files are made in `folder`, which is made when it is first needed. Blocks on the disk.
#[must_use]
pub fn bounded(result: &Value, folder: &Path) -> ToolAnswer {
    let is_error = result.get("isError").and_then(Value::as_bool).unwrap_or(false);
    let structured = result.get("structuredContent").filter(|value| !value.is_null());
    let parts = result.get("content").and_then(Value::as_array);
    if parts.is_none() && structured.is_none() {
        let text = format!(
            "The sidecar answered with something that is no answer to a call: {}",
            beginning(&result.to_string())
        );
        return ToolAnswer::failed(text);
    }
    let parts = parts.map_or(&[][..], Vec::as_slice);
    let mut answer = ToolAnswer { content: Vec::new(), structured_content: None, is_error };
    let mut room = ANSWER_BYTES;
    for part in parts.iter().take(PARTS) {
        add(&mut answer, part, &mut room, folder);
    }
    if parts.len() > PARTS {
        answer.content.push(text(format!("{} further parts are left out; {PARTS} is the most.", parts.len() - PARTS)));
    }
    if let Some(structured) = structured {
        let whole = structured.to_string();
        if whole.len() <= PART_BYTES {
            answer.structured_content = Some(structured.clone());
        } else if parts.is_empty() {
            add_file(&mut answer, whole.as_bytes(), "application/json", "json", folder);
        }
    }
    answer
}

fn add(answer: &mut ToolAnswer, part: &Value, room: &mut usize, folder: &Path) {
    let size = size_of(part);
    if size <= PART_BYTES.min(*room) {
        *room -= size;
        answer.content.push(part.clone());
        return;
    }
    let string = |key: &str| part.get(key).and_then(Value::as_str);
    match string("type") {
        Some("text") => {
            add_file(answer, string("text").unwrap_or_default().as_bytes(), "text/plain", "txt", folder);
        }
        Some("image" | "audio") => {
            // Left in base64: what the sidecar said is kept as it is, and its kind is named.
            let kind = format!("{};base64", string("mimeType").unwrap_or("application/octet-stream"));
            add_file(answer, string("data").unwrap_or_default().as_bytes(), &kind, "b64", folder);
        }
        Some(_) | None => add_file(answer, part.to_string().as_bytes(), "application/json", "json", folder),
    }
}

/// About as much as it takes in the answer.
fn size_of(part: &Value) -> usize {
    let long =
        ["text", "data"].iter().filter_map(|key| part.get(*key).and_then(Value::as_str)).map(str::len).sum::<usize>();
    if long > PART_BYTES { long } else { part.to_string().len() }
}

fn add_file(answer: &mut ToolAnswer, bytes: &[u8], kind: &str, extension: &str, folder: &Path) {
    match write(bytes, extension, folder) {
        Ok(file) => {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let told = format!(
                "{}\n[The whole answer has {} bytes. It is in the file {}]",
                beginning(&String::from_utf8_lossy(&bytes[..bytes.len().min(PREVIEW_BYTES + 4)])),
                bytes.len(),
                file.display()
            );
            answer.content.push(text(told));
            let uri = format!("file://{}", file.display());
            answer.content.push(
                json!({ "type": "resource_link", "uri": uri, "name": name, "mimeType": kind, "size": bytes.len() }),
            );
        }
        Err(error) => {
            let told = format!(
                "{}\n[The rest of {} bytes is lost: it could not be written to {}: {error}]",
                beginning(&String::from_utf8_lossy(&bytes[..bytes.len().min(PREVIEW_BYTES + 4)])),
                bytes.len(),
                folder.display()
            );
            answer.content.push(text(told));
        }
    }
}

fn write(bytes: &[u8], extension: &str, folder: &Path) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let digest: String = Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let file = folder.join(format!("{digest}.{extension}"));
    if std::fs::metadata(&file).is_ok_and(|there| there.len() == bytes.len() as u64) {
        return Ok(file);
    }
    make_room(folder, bytes.len() as u64);
    let part = folder.join(format!("{digest}.part"));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&part)?.write_all(bytes)?;
    std::fs::rename(&part, &file)?;
    Ok(file)
}

/// The oldest files go until there is room.
fn make_room(folder: &Path, wanted: u64) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(std::time::SystemTime, u64, PathBuf)> = entries
        .filter_map(|entry| {
            let meta = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some((meta.modified().ok()?, meta.len(), entry.path()))
        })
        .collect();
    files.sort();
    let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
    for (_, size, path) in files {
        if total + wanted <= ANSWER_FILES_BYTES {
            return;
        }
        if std::fs::remove_file(path).is_ok() {
            total -= size;
        }
    }
}

fn text(text: String) -> Value {
    json!({ "type": "text", "text": text })
}

fn beginning(text: &str) -> String {
    let mut end = text.len().min(PREVIEW_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end < text.len() { format!("{}…", &text[..end]) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let result = json!({ "content": [{ "type": "text", "text": "a", "new": 1 }], "structuredContent": { "b": 2 }, "isError": true });
        let answer = bounded(&result, folder.path());
        assert_eq!(answer.content, [json!({ "type": "text", "text": "a", "new": 1 })], "unknown fields survive");
        assert_eq!(answer.structured_content, Some(json!({ "b": 2 })));
        assert!(answer.is_error);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_long_is_a_file_with_its_beginning_shown() {
        let folder = tempfile::tempdir().unwrap();
        let long = "ä".repeat(PART_BYTES);
        let result = json!({ "content": [{ "type": "text", "text": long }, { "type": "text", "text": "end" }] });
        let answer = bounded(&result, folder.path());
        let [shown, link, end] = answer.content.as_slice() else { panic!("{:?}", answer.content.len()) };
        assert!(shown["text"].as_str().unwrap().starts_with("ääää") && answer.text().len() < 4 * PREVIEW_BYTES);
        let path = link["uri"].as_str().unwrap().strip_prefix("file://").unwrap();
        assert!(shown["text"].as_str().unwrap().contains(path));
        assert_eq!(std::fs::read_to_string(path).unwrap(), long);
        assert_eq!((link["type"].as_str(), link["size"].as_u64()), (Some("resource_link"), Some(long.len() as u64)));
        assert_eq!(end["text"], "end");
        assert_eq!(bounded(&result, folder.path()).content, answer.content, "the same answer is the same file");
    }

    #[test]
    fn many_parts_and_many_middling_ones_are_bounded_too() {
        let folder = tempfile::tempdir().unwrap();
        let middling = json!({ "type": "text", "text": "x".repeat(PART_BYTES / 2) });
        let result = json!({ "content": vec![middling; PARTS + 9] });
        let answer = bounded(&result, folder.path());
        let size: usize = answer.content.iter().map(|part| part.to_string().len()).sum();
        assert!(size < 2 * ANSWER_BYTES + 2 * PARTS * PREVIEW_BYTES, "{size}");
        assert!(answer.content.last().unwrap()["text"].as_str().unwrap().starts_with("9 further parts"));
    }

    #[test]
    fn what_is_no_answer_is_a_failure_and_what_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(bounded(&json!({ "unexpected": true }), folder.path()).is_error);
        let in_the_way = folder.path().join("file");
        std::fs::write(&in_the_way, "").unwrap();
        let answer =
            bounded(&json!({ "content": [{ "type": "text", "text": "x".repeat(PART_BYTES + 1) }] }), &in_the_way);
        assert!(answer.text().contains("could not be written"), "{}", answer.text());
    }
}
