//! `read_pod_output`: the state of a pod, and what it has said since this caller read it last.

use client::pods;
use protocol::runner::StopReason;
use protocol::tools::ToolAnswer;
use serde_json::{Map, Value, json};

use crate::answer::Failed;
use crate::arguments::{Named, parsed};
use crate::output::{self, News};
use crate::state::State;
use crate::{Call, family::Family};

pub(crate) async fn read(call: Call<'_>, arguments: &Map<String, Value>) -> Result<ToolAnswer, Failed> {
    let Named { name } = parsed("read_pod_output", arguments)?;
    let family = Family::of(&call).await?;
    let entry = family.named(&name)?;
    // First the state: what is said after it is new at the next call, what was said before it is not missed.
    let state = State::of(call.machine, entry).await;
    let news = output::since_read(call.machine, call.caller, entry.session).await?;
    let summary = match news.lines() {
        0 => format!("pod `{name}` is {}; no new assistant text", state.words),
        lines => format!("pod `{name}` is {}; {lines} new line(s) of assistant text", state.words),
    };
    let answer = answer(&name, summary, &state, &news);
    pods::set_read_cursor(call.machine, call.caller, entry.session, news.until).await?;
    Ok(answer)
}

fn answer(name: &str, mut summary: String, state: &State, news: &News) -> ToolAnswer {
    if let Some(how) = news.stop_reason.and_then(broken_off) {
        summary.push_str(&format!(" (its last turn {how})"));
    }
    if news.more {
        summary.push_str("; there is more: call read_pod_output again");
    }
    let text = news.text();
    let structured = json!({ "name": name, "state": state.kind.word(), "text": text, "more": news.more });
    let all = if text.is_empty() { summary } else { format!("{summary}\n\n{text}") };
    ToolAnswer::said(all, Some(structured))
}

/// How a turn ended that did not come to its end.
fn broken_off(reason: StopReason) -> Option<&'static str> {
    match reason {
        StopReason::EndTurn => None,
        StopReason::MaxTurns => Some("stopped at its limit"),
        StopReason::Interrupted => Some("was interrupted"),
        StopReason::Refused => Some("was refused by the model"),
        StopReason::Error => Some("failed"),
    }
}
