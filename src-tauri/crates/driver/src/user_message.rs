//! How does a prompt with its attachments become the line that the CLI reads?

use serde_json::{Value, json};
use uuid::Uuid;

use crate::host_line::Attachment;

/// The user's words as the CLI reads them. Files are named in the text, the CLI reads them itself; with images the content is a list
/// of blocks.
pub(crate) fn user_message(prompt: &str, attachments: &[Attachment]) -> Value {
    let mut text = prompt.to_owned();
    let mut blocks = Vec::new();
    for attachment in attachments {
        match (&attachment.mime_type, &attachment.data, &attachment.path) {
            (Some(mime), Some(data), _) => {
                blocks.push(json!({
                    "type": "image",
                    "source": { "type": "base64", "media_type": mime, "data": data },
                }));
            }
            (_, None, Some(path)) => text.push_str(&format!("\n@{path}")),
            (None, Some(_), _) | (_, None, None) => {}
        }
    }
    let content = if blocks.is_empty() {
        Value::String(text)
    } else {
        blocks.push(json!({ "type": "text", "text": text }));
        Value::Array(blocks)
    };
    json!({
        "type": "user",
        "message": { "role": "user", "content": content },
        "parent_tool_use_id": null,
        "uuid": Uuid::new_v4(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_a_text_and_images_come_before_them() {
        let plain = user_message("hi", &[Attachment { path: Some("/a b".into()), ..Attachment::default() }]);
        assert_eq!(plain["message"], json!({ "role": "user", "content": "hi\n@/a b" }));
        let image = Attachment { mime_type: Some("image/png".into()), data: Some("AA".into()), path: None };
        let with_image = user_message("look", &[image]);
        let content = with_image["message"]["content"].as_array().unwrap();
        assert_eq!(content[0]["source"]["media_type"], "image/png");
        assert_eq!(content[1], json!({ "type": "text", "text": "look" }));
    }
}
