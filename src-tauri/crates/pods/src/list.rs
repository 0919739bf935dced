//! `list_pods`: the caller's children, what each is doing and what it may use.

use client::pods;
use protocol::scope::TreeEntry;
use protocol::tools::ToolAnswer;
use serde_json::{Map, Value, json};

use crate::answer::Failed;
use crate::arguments::{Nothing, parsed};
use crate::output;
use crate::state::{self, State};
use crate::{Call, family::Family};

/// Ended children that are told; older ones are counted.
const ENDED: usize = 20;

pub(crate) async fn list(call: Call<'_>, arguments: &Map<String, Value>) -> Result<ToolAnswer, Failed> {
    let Nothing {} = parsed("list_pods", arguments)?;
    // Only what is proved dead by its processes: who does not answer may be busy.
    let reclaimed = pods::reclaim(call.machine).await?;
    let family = Family::of(&call).await?;
    let children = family.children();
    let (ended, live): (Vec<&TreeEntry>, Vec<&TreeEntry>) = children.iter().partition(|entry| entry.outcome.is_some());
    let older = ended.len().saturating_sub(ENDED);
    let mut lines = Vec::new();
    let mut rows = Vec::new();
    for entry in live.iter().chain(ended.iter().skip(older)) {
        let gone = reclaimed.iter().any(|pod| pod.session == entry.session);
        let (line, row) = told(&call, entry, gone).await?;
        lines.push(line);
        rows.push(row);
    }
    let summary = match live.len() + ended.len() {
        0 => "no spawned pods".to_owned(),
        _ => format!("{} live pod(s), {} ended", live.len(), ended.len()),
    };
    if older > 0 {
        lines.push(format!("and {older} that ended before"));
    }
    let text = [vec![summary], lines].concat().join("\n");
    Ok(ToolAnswer::said(text, Some(json!({ "pods": rows }))))
}

async fn told(call: &Call<'_>, entry: &TreeEntry, gone: bool) -> Result<(String, Value), Failed> {
    let state = State::of(call.machine, entry).await;
    let news = output::since_read(call.machine, call.caller, entry.session).await?;
    let scope = state::scope(entry.scope.as_deref(), &entry.workspace);
    let mut line = format!("{} [{}] scope={scope}", entry.name, state.words);
    if gone {
        line.push_str("; its scope was reclaimed just now");
    }
    if !news.parts.is_empty() {
        line.push_str("; has said something that you have not read");
    }
    if entry.used.pods > 0 {
        line.push_str(&format!("; {} live pod(s) below it", entry.used.pods));
    }
    let row = json!({
        "name": entry.name, "session": entry.session, "state": state.kind.word(), "words": state.words,
        "scope": entry.scope, "unread": !news.parts.is_empty(), "outcome": entry.outcome,
    });
    Ok((line, row))
}
