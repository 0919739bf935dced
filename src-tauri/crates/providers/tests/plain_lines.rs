//! The events of a script of the user's own, as `runners/README.md` lists them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking, in its helpers too")]

use outrigger_providers::{Hint, Sheet, Weight, adapter};
use protocol::item::{ItemBody, ToolContent, ToolStatus};
use protocol::record::NoticeLevel;

fn bodies(lines: &[&str]) -> Vec<ItemBody> {
    let mut plain = adapter("plain").unwrap();
    let mut sheet = Sheet::new();
    let mut bodies = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        sheet.begin(n as u64 + 1, "t", None);
        plain.fold(line, &mut sheet);
        bodies.extend(sheet.take().into_iter().map(|change| change.item.body));
    }
    bodies
}

#[test]
fn words_and_notices_are_shown_and_what_only_drives_the_session_is_not() {
    let shown = bodies(&[
        r#"{"type":"session","session_id":"s1"}"#,
        r#"{"type":"text_delta","block":1,"text":"He"}"#,
        r#"{"type":"text","text":"Hello"}"#,
        r#"{"type":"notice","text":"slow today","level":"warning"}"#,
        r#"{"type":"notice","text":"odd level","level":"loud"}"#,
        r#"{"type":"control_request","request_id":"r","request":{}}"#,
        r#"{"type":"control_cancel_request","request_id":"r"}"#,
        r#"{"type":"result"}"#,
        r#"{"type":"dance"}"#,
    ]);
    let notice = |level, text: &str| ItemBody::Notice { level, code: "notice".into(), text: text.into() };
    assert_eq!(shown[0], ItemBody::AgentMessage { text: "Hello".into(), open: false });
    assert_eq!(shown[1], notice(NoticeLevel::Warning, "slow today"));
    assert_eq!(shown[2], notice(NoticeLevel::Info, "odd level"));
    assert!(matches!(&shown[3], ItemBody::Unknown { label, .. } if label == "dance"));
    assert_eq!(shown.len(), 4);
}

#[test]
fn an_edit_shows_what_it_changes() {
    let shown = bodies(&[
        r#"{"type":"tool_call","id":"1","name":"write","kind":"edit","input":{"path":"a","content":"new"}}"#,
        r#"{"type":"tool_result","id":"1","ok":true}"#,
    ]);
    let ItemBody::ToolCall(call) = &shown[1] else { panic!("{shown:?}") };
    assert_eq!(call.status, ToolStatus::Completed);
    assert!(matches!(&call.content[0], ToolContent::Diff { path, .. } if path == "a"));
}

#[test]
fn words_are_work_that_is_not_done_twice() {
    let mut plain = adapter("plain").unwrap();
    let said = Weight::Durable { closes: None, hints: vec![Hint::Said] };
    assert_eq!(plain.weigh(r#"{"type":"text","text":"x"}"#), said);
    assert_eq!(plain.weigh(r#"{"type":"result"}"#), Weight::durable());
}
