//! Whatever an agent prints, weighing and folding it never panics and never loses the event.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking, in its helpers too")]

mod recorded;

use std::collections::BTreeMap;

use outrigger_providers::{Sheet, Weight, adapter};
use proptest::prelude::*;
use recorded::recordings;
use serde_json::{Value, json};

/// One line of each kind that was recorded, the shortest.
fn kinds(provider: &str) -> Vec<Value> {
    let mut shortest: BTreeMap<String, String> = BTreeMap::new();
    for line in recordings(provider).into_iter().flat_map(|recording| recording.lines) {
        let Ok(value) = serde_json::from_str::<Value>(&line) else { continue };
        let words = [
            &value["type"],
            &value["subtype"],
            &value["method"],
            &value["event"]["type"],
            &value["event"]["delta"]["type"],
            &value["message"]["content"][0]["type"],
            &value["params"]["item"]["type"],
            &value["params"]["item"]["status"],
            &value["properties"]["part"]["type"],
            &value["properties"]["part"]["state"]["status"],
            &value["properties"]["status"]["type"],
            &value["params"]["update"]["sessionUpdate"],
            &value["params"]["update"]["status"],
            &value["params"]["update"]["content"][0]["type"],
        ];
        let kind = words.map(|word| word.as_str().unwrap_or_default().to_owned()).join("/");
        let entry = shortest.entry(kind).or_insert_with(|| line.clone());
        if line.len() < entry.len() {
            *entry = line;
        }
    }
    shortest.into_values().map(|line| serde_json::from_str(&line).unwrap()).collect()
}

fn paths(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| {
            paths(inner, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), all);
        }),
        Value::Array(items) => {
            items.iter().take(2).enumerate().for_each(|(n, inner)| paths(inner, &format!("{at}/{n}"), all))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Weighs and folds; gives back the serialised items.
fn survive(provider: &str, events: &[&str]) -> String {
    let mut both = adapter(provider).unwrap();
    let mut sheet = Sheet::new();
    let mut items = Vec::new();
    for (n, event) in events.iter().enumerate() {
        let closes = match both.weigh(event) {
            Weight::Durable { closes, .. } => closes,
            Weight::Delta(_) | Weight::Ephemeral | Weight::KeepAlive => None,
        };
        sheet.begin(n as u64 + 1, "2026-11-21T08:00:00.000Z", closes.as_deref());
        both.fold(event, &mut sheet);
        items.extend(sheet.take().into_iter().map(|change| change.item));
    }
    serde_json::to_string(&items).unwrap()
}

#[test]
fn any_field_of_any_kind_of_line_may_have_any_type() {
    let others = [json!(null), json!(-1.5e300), json!("x"), json!([]), json!([[{}]]), json!({"a": 1}), json!(true)];
    for (provider, least) in [("acp", 20), ("claude", 16), ("codex", 16), ("ollama", 7), ("opencode", 20)] {
        let kinds = kinds(provider);
        assert!(kinds.len() >= least, "{} kinds of lines", kinds.len());
        for line in &kinds {
            let mut all = Vec::new();
            paths(line, "", &mut all);
            for path in all.iter().take(150) {
                for other in &others {
                    let mut changed = line.clone();
                    *changed.pointer_mut(path).unwrap() = other.clone();
                    survive(provider, &[&changed.to_string()]);
                }
            }
        }
    }
}

#[test]
fn any_field_may_be_missing() {
    for provider in RECORDED {
        for line in kinds(provider) {
            let mut all = Vec::new();
            paths(&line, "", &mut all);
            for path in all.iter().filter(|path| !path.is_empty()) {
                let (parent, name) = path.rsplit_once('/').unwrap();
                let mut changed = line.clone();
                if let Some(Value::Object(fields)) = changed.pointer_mut(parent) {
                    fields.remove(name);
                }
                survive(provider, &[&changed.to_string()]);
            }
        }
    }
}

#[test]
fn a_line_cut_anywhere_becomes_an_item_that_shows_it() {
    let line = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"Grüße \ud83d\udc4d"}]}}"#;
    for end in (0..line.len()).filter(|end| line.is_char_boundary(*end)) {
        for provider in outrigger_providers::ADAPTERS {
            let items = survive(provider, &[&line[..end]]);
            assert!(items.contains(r#""label":"unreadable""#), "{provider} at {end}: {items}");
        }
    }
}

#[test]
fn half_an_emoji_is_a_delta_like_any_other() {
    let half = r#"{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\ud83d"}},"parent_tool_use_id":null}"#;
    let Weight::Delta(delta) = adapter("claude").unwrap().weigh(half) else { panic!("it is no delta") };
    assert_eq!(delta.text, "a\u{fffd}");
    let half = r#"{"method":"item/agentMessage/delta","params":{"threadId":"t","itemId":"i","delta":"\udc4d"}}"#;
    let Weight::Delta(delta) = adapter("codex").unwrap().weigh(half) else { panic!("it is no delta") };
    assert_eq!(delta.text, "\u{fffd}");
    let half = r#"{"created_at":"t","message":{"role":"assistant","content":"a\ud83d"},"done":false}"#;
    let Weight::Delta(delta) = adapter("ollama").unwrap().weigh(half) else { panic!("it is no delta") };
    assert_eq!(delta.text, "a\u{fffd}");
    let half = r#"{"method":"session/update","params":{"update":{"sessionUpdate":"agent_thought_chunk","content":{"type":"text","text":"\udc4d"}}}}"#;
    let Weight::Delta(delta) = adapter("acp").unwrap().weigh(half) else { panic!("it is no delta") };
    assert_eq!(delta.text, "\u{fffd}");
    let half = r#"{"type":"text","block":1,"text":"half: \ud83d"}"#;
    assert!(survive("demo", &[half]).contains("half: \u{fffd}"));
}

#[test]
fn megabytes_in_one_line_are_kept_whole() {
    let big = "ü\n".repeat(1 << 19);
    let claude = json!({"type":"assistant","message":{"id":"m","content":[
        {"type":"tool_use","id":"t","name":"Bash","input":{"command": big}},{"type":"text","text": big}]}});
    let result = json!({"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content": big}]}});
    let items = survive("claude", &[&claude.to_string(), &result.to_string()]);
    // The call as it began (its input), as it ended (its input and output), the message; and a title for each state of the call.
    assert_eq!(items.matches('ü').count(), (1 << 19) * 4 + 2);
}

#[test]
fn deep_nesting_is_shown_as_it_came() {
    let deep = format!(r#"{{"type":"assistant","message":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert!(survive("claude", &[&deep]).contains("unreadable"));
    assert!(survive("codex", &[&deep]).contains("unreadable"));
}

proptest! {
    #[test]
    fn any_text_at_all_survives(text in "\\PC{0,200}", provider in 0..outrigger_providers::ADAPTERS.len()) {
        survive(outrigger_providers::ADAPTERS[provider], &[&text]);
    }

    #[test]
    fn lines_in_any_order_survive(seed in proptest::collection::vec(any::<prop::sample::Index>(), 1..40), which in 0..RECORDED.len()) {
        let provider = RECORDED[which];
        let lines: Vec<String> = LINES.with(|lines| {
            let lines = &lines[which];
            seed.iter().map(|index| index.get(lines).clone()).collect()
        });
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        survive(provider, &lines);
    }
}

/// Providers with recordings of many kinds.
const RECORDED: [&str; 5] = ["acp", "claude", "codex", "ollama", "opencode"];

thread_local! {
    /// One line of each kind, of each of these.
    static LINES: [Vec<String>; RECORDED.len()] = RECORDED.map(|provider| kinds(provider).iter().map(Value::to_string).collect());
}
