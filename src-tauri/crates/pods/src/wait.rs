//! `wait_for_pods`: sleeps until one of the pods has ended its turn, or has ended.
//!
//! What ended before the call counts too, as long as its reader has not read it: nothing is missed between two calls.

use std::collections::BTreeMap;
use std::time::Duration;

use client::{Machine, sessions};
use protocol::SessionId;
use protocol::pod::{PodStatus, SessionEvent, SubscribeParams, Want};
use protocol::scope::TreeEntry;
use protocol::tools::ToolAnswer;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use crate::answer::Failed;
use crate::arguments::{self, parsed};
use crate::output;
use crate::state::{Kind, State};
use crate::{Call, family::Family};

/// Between two attempts to follow a pod that does not answer.
const AGAIN: Duration = Duration::from_millis(500);

pub(crate) async fn wait(mut call: Call<'_>, arguments: &Map<String, Value>) -> Result<ToolAnswer, Failed> {
    let wanted: arguments::Wait = parsed("wait_for_pods", arguments)?;
    let family = Family::of(&call).await?;
    let pods = meant(&family, &wanted.names)?;
    let mut waiting = JoinSet::new();
    for entry in pods.values() {
        if is_worth_waiting(&call, entry).await? {
            waiting.spawn(rest(call.machine.clone(), call.caller, entry.session));
        }
    }
    let waited = !waiting.is_empty();
    let came = tokio::select! {
        came = waiting.join_next(), if waited => came.is_some(),
        () = tokio::time::sleep(wanted.limit()), if waited => false,
        _ = call.cancelled.wait_for(|cancelled| *cancelled), if waited => false,
        else => false,
    };
    waiting.abort_all();
    let (lines, rows) = told(&call, &pods).await?;
    let summary = match (came, waited) {
        (true, _) => "a pod has ended its turn".to_owned(),
        (false, true) => {
            format!("no pod ended its turn within {} s; wait again, or go on meanwhile", wanted.limit().as_secs())
        }
        (false, false) => "none of these pods is running a turn, so there is nothing to wait for".to_owned(),
    };
    let text = [vec![summary], lines].concat().join("\n");
    Ok(ToolAnswer::said(text, Some(json!({ "timedOut": waited && !came, "pods": rows }))))
}

/// The pods by the names that the caller uses for them; all live ones when it names none.
fn meant(family: &Family, names: &[String]) -> Result<BTreeMap<String, TreeEntry>, Failed> {
    if names.is_empty() {
        let live = family.children().into_iter().filter(|entry| entry.outcome.is_none());
        return Ok(live.map(|entry| (entry.name.clone(), entry.clone())).collect());
    }
    names.iter().map(|name| Ok((name.clone(), family.named(name)?.clone()))).collect()
}

/// Whether something is to come of it, or came that its reader does not know.
async fn is_worth_waiting(call: &Call<'_>, entry: &TreeEntry) -> Result<bool, Failed> {
    let state = State::of(call.machine, entry).await;
    let news = output::since_read(call.machine, call.caller, entry.session).await?;
    Ok(match state.kind {
        Kind::Working | Kind::Unknown => true,
        // Nothing was read and no turn has ended: it is about to begin its first.
        Kind::Idle => !news.is_nothing() || news.from == 0,
        Kind::Ended => !news.is_nothing(),
    })
}

/// Ends when the pod has ended a turn of which its reader does not know, or has ended.
async fn rest(machine: Machine, reader: SessionId, pod: SessionId) {
    loop {
        match sessions::connect(&machine, pod, "pods").await {
            Ok(connection) => {
                let params = SubscribeParams { from_seq: 0, want: Want::Status, deltas: false };
                if let Ok((first, mut events)) = connection.subscribe(params).await {
                    let mut newest = Some(first.status);
                    loop {
                        if let Some(status) = newest.take()
                            && is_at_rest(&machine, reader, pod, &status).await
                        {
                            return;
                        }
                        let Ok(Some(batch)) = events.next().await else { break };
                        newest = batch.into_iter().rev().find_map(status_of);
                    }
                }
            }
            Err(_) if is_over(&machine, pod).await => return,
            Err(_) => {}
        }
        if is_over(&machine, pod).await {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn status_of(event: SessionEvent) -> Option<PodStatus> {
    match event {
        SessionEvent::Status { status } => Some(status),
        SessionEvent::Item { .. }
        | SessionEvent::Append { .. }
        | SessionEvent::Remove { .. }
        | SessionEvent::Record { .. }
        | SessionEvent::CaughtUp { .. } => None,
    }
}

async fn is_at_rest(machine: &Machine, reader: SessionId, pod: SessionId, status: &PodStatus) -> bool {
    match State::live(&status.state).kind {
        Kind::Working | Kind::Unknown => false,
        Kind::Ended => true,
        // Idle before its first turn is not idle after it.
        Kind::Idle => output::since_read(machine, reader, pod).await.is_ok_and(|news| news.turn_ended || news.more),
    }
}

async fn is_over(machine: &Machine, pod: SessionId) -> bool {
    let entries = client::pods::tree(machine, pod).await.unwrap_or_default();
    if entries.iter().any(|entry| entry.session == pod && entry.outcome.is_some()) {
        return true;
    }
    match entries.iter().find(|entry| entry.session == pod) {
        Some(entry) => State::of(machine, entry).await.kind == Kind::Ended,
        None => false,
    }
}

async fn told(call: &Call<'_>, pods: &BTreeMap<String, TreeEntry>) -> Result<(Vec<String>, Vec<Value>), Failed> {
    let family = Family::of(call).await?;
    let (mut lines, mut rows) = (Vec::new(), Vec::new());
    for (name, before) in pods {
        let entry = family.named(name).ok().filter(|entry| entry.session == before.session).unwrap_or(before);
        let state = State::of(call.machine, entry).await;
        let news = output::since_read(call.machine, call.caller, entry.session).await?;
        let unread = if news.parts.is_empty() {
            String::new()
        } else {
            format!("; {} new line(s): read_pod_output", news.lines())
        };
        lines.push(format!("{name} [{}]{unread}", state.words));
        rows.push(
            json!({ "name": name, "state": state.kind.word(), "words": state.words, "unread": !news.parts.is_empty() }),
        );
    }
    Ok((lines, rows))
}
