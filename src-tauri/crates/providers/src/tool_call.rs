//! The parts of a tool call that providers give in the same form: titles, MCP content, patches, its end.
//!
//! Knows no provider's tools by name.

use protocol::item::{ItemBody, Location, ToolCall, ToolContent, ToolStatus};
use protocol::runner::ToolKind;
use serde_json::Value;

use crate::sheet::Sheet;

/// Longest detail in a title, in characters.
const TITLE_CHARS: usize = 200;

/// The key under which the item of a tool call is open.
pub(crate) fn tool_key(id: &str) -> String {
    format!("tool:{id}")
}

/// A call that runs.
pub(crate) fn running(id: &str, name: &str, kind: ToolKind, title: String, input: Value) -> ToolCall {
    ToolCall {
        tool_call_id: id.to_owned(),
        name: name.to_owned(),
        title,
        kind,
        status: ToolStatus::Running,
        input,
        content: Vec::new(),
        locations: Vec::new(),
        ended_at: None,
        duration_ms: None,
        sidecar: None,
    }
}

/// Changes the open item of a tool call, if there is one.
pub(crate) fn change_call(sheet: &mut Sheet, id: &str, edit: impl FnOnce(&mut ToolCall)) -> bool {
    sheet.change(&tool_key(id), |body| {
        if let ItemBody::ToolCall(call) = body {
            edit(call);
        }
    })
}

/// Ends the open item of a tool call: it will not change any more.
pub(crate) fn end_call(sheet: &mut Sheet, id: &str, edit: impl FnOnce(&mut ToolCall)) {
    let at = sheet.at().to_owned();
    change_call(sheet, id, |call| {
        call.ended_at = Some(at);
        edit(call);
    });
    sheet.close(&tool_key(id));
}

/// `Edit src/lib.rs`: a verb and the first line of what it is done to.
pub(crate) fn title(verb: &str, detail: &str) -> String {
    let line = detail.trim().lines().next().unwrap_or_default();
    if line.is_empty() {
        return verb.to_owned();
    }
    match line.char_indices().nth(TITLE_CHARS) {
        Some((end, _)) => format!("{verb} {}…", &line[..end]),
        None => format!("{verb} {line}"),
    }
}

/// A piece of text, unless it is empty.
pub(crate) fn text(text: &str) -> Option<ToolContent> {
    (!text.is_empty()).then(|| ToolContent::Text { text: text.to_owned() })
}

/// A file that a call touches.
pub(crate) fn location(path: &str, line: Option<u64>) -> Location {
    Location { path: path.to_owned(), line: line.and_then(|line| u32::try_from(line).ok()) }
}

/// Content in the form of MCP, or of a model's API: a string, or a list of typed blocks.
pub(crate) fn content(value: &Value) -> Vec<ToolContent> {
    match value {
        Value::Null => Vec::new(),
        Value::String(words) => text(words).into_iter().collect(),
        Value::Array(blocks) => blocks.iter().filter_map(block).collect(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec![ToolContent::Json { value: value.clone() }],
    }
}

fn block(value: &Value) -> Option<ToolContent> {
    if let Some(words) = value.as_str().or_else(|| value["text"].as_str()) {
        return text(words);
    }
    if let Some(image) = image(value) {
        return Some(image);
    }
    match value["tool_name"].as_str() {
        Some(name) if value["type"] == "tool_reference" => text(name),
        _ => Some(ToolContent::Json { value: value.clone() }),
    }
}

/// An image as MCP, the Anthropic API (`source`) or the OpenAI API (a `data:` address) writes it.
fn image(value: &Value) -> Option<ToolContent> {
    let of = |mime: &Value, data: &Value| {
        Some(ToolContent::Image { mime_type: mime.as_str()?.to_owned(), data: data.as_str()?.to_owned() })
    };
    of(&value["mimeType"], &value["data"])
        .or_else(|| of(&value["source"]["media_type"], &value["source"]["data"]))
        .or_else(|| {
            let (mime, data) = value["imageUrl"].as_str()?.strip_prefix("data:")?.split_once(";base64,")?;
            Some(ToolContent::Image { mime_type: mime.to_owned(), data: data.to_owned() })
        })
}

/// A unified diff from hunks of the form {oldStart, oldLines, newStart, newLines, lines[]}; None when there are none.
pub(crate) fn unified(hunks: &Value) -> Option<String> {
    let hunks = hunks.as_array().filter(|hunks| !hunks.is_empty())?;
    let mut patch = String::new();
    for hunk in hunks {
        let number = |name: &str| hunk[name].as_u64().unwrap_or_default();
        patch.push_str(&format!(
            "@@ -{},{} +{},{} @@\n",
            number("oldStart"),
            number("oldLines"),
            number("newStart"),
            number("newLines")
        ));
        for line in hunk["lines"].as_array()?.iter().filter_map(Value::as_str) {
            patch.push_str(line);
            patch.push('\n');
        }
    }
    Some(patch)
}

/// A change that is known as a patch only.
pub(crate) fn patch(path: &str, patch: String) -> ToolContent {
    ToolContent::Diff { path: path.to_owned(), old_text: None, new_text: None, patch: Some(patch) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_title_is_one_line_and_cut_between_characters() {
        assert_eq!(title("Bash", "cargo test\nls"), "Bash cargo test");
        assert_eq!(title("Bash", " \n"), "Bash");
        let long = title("Bash", &"ü".repeat(300));
        assert_eq!(long.chars().count(), "Bash ".len() + TITLE_CHARS + 1);
    }

    #[test]
    fn hunks_become_a_unified_diff() {
        let hunks = json!([{"oldStart":3,"oldLines":2,"newStart":3,"newLines":1,"lines":[" a","-b"]}]);
        assert_eq!(unified(&hunks).as_deref(), Some("@@ -3,2 +3,1 @@\n a\n-b\n"));
        assert_eq!(unified(&json!([])), None);
        assert_eq!(unified(&json!("x")), None);
    }

    #[test]
    fn images_are_read_in_three_spellings() {
        let expected = vec![ToolContent::Image { mime_type: "image/png".into(), data: "QQ==".into() }];
        assert_eq!(content(&json!([{"type":"image","mimeType":"image/png","data":"QQ=="}])), expected);
        let source = json!([{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QQ=="}}]);
        assert_eq!(content(&source), expected);
        assert_eq!(content(&json!([{"type":"inputImage","imageUrl":"data:image/png;base64,QQ=="}])), expected);
    }
}
