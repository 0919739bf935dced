//! The adapter `plain`: the events that a script of the user's own prints. `runners/README.md` lists them for people.
//!
//! They are the demo agent's, with a `notice`, and without a word for what only ends a turn (`result`) or names the conversation
//! (`session`).

use std::borrow::Cow;

use protocol::record::NoticeLevel;
use serde::Deserialize;

use crate::adapter::{Adapter, Weight, notice, parsed, readable};
use crate::demo::Demo;
use crate::sheet::Sheet;

/// Knows the events of scripts. They are complete in themselves, so it remembers nothing.
#[derive(Debug)]
pub(crate) struct Plain;

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
}

impl Adapter for Plain {
    fn weigh(&mut self, event: &str) -> Weight {
        Demo.weigh(event)
    }

    fn fold(&mut self, event: &str, sheet: &mut Sheet) {
        let kind =
            parsed(event, |text| serde_json::from_str::<Head<'_>>(text).ok().map(|head| head.r#type.into_owned()));
        match kind.as_deref() {
            // A question stands in the transcript as a permission.
            Some("result" | "session" | "control_request" | "control_cancel_request") => {}
            Some("notice") => {
                let Some(event) = readable(event, sheet) else { return };
                let level = serde_json::from_value(event["level"].clone()).unwrap_or(NoticeLevel::Info);
                let text = event["text"].as_str().map_or_else(|| event.to_string(), str::to_owned);
                sheet.add(None, notice(level, "notice", text));
            }
            Some(_) | None => Demo.fold(event, sheet),
        }
    }
}
