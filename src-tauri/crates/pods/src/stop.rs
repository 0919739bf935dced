//! `stop_pod`: ends a pod with all below it, and tells what came back.

use client::pods::{self, StoppedPod};
use protocol::scope::TreeEntry;
use protocol::tools::ToolAnswer;
use serde_json::{Map, Value, json};

use crate::answer::Failed;
use crate::arguments::{Named, parsed};
use crate::state;
use crate::{Call, family::Family};

pub(crate) async fn stop(call: Call<'_>, arguments: &Map<String, Value>) -> Result<ToolAnswer, Failed> {
    let Named { name } = parsed("stop_pod", arguments)?;
    let family = Family::of(&call).await?;
    let entry = family.named(&name)?;
    if entry.outcome.is_some() {
        let text = format!("pod `{name}` had ended before; its scope had been reclaimed: {}", scope(entry));
        return Ok(ToolAnswer::said(text, Some(json!({ "name": name, "stopped": [] }))));
    }
    let stopped = pods::stop_trees(call.machine, &[entry.session], false).await;
    if let Some(failed) = failed(&stopped) {
        return Err(Failed::new(format!("pod `{name}` was not stopped: {failed}")));
    }
    let below: Vec<&str> =
        stopped.iter().filter(|pod| pod.session != entry.session).filter_map(|pod| pod.name.as_deref()).collect();
    let mut text = format!("stopped pod `{name}`; reclaimed scope: {}", scope(entry));
    if !below.is_empty() {
        text.push_str(&format!("; stopped below it: `{}`", below.join("`, `")));
    }
    let survivors: Vec<String> = stopped.iter().filter_map(survivors).flatten().collect();
    if !survivors.is_empty() {
        text.push_str(&format!("; these processes could not be ended: {}", survivors.join(", ")));
    }
    let names: Vec<&str> = stopped.iter().filter_map(|pod| pod.name.as_deref()).collect();
    let structured = json!({ "name": name, "stopped": names, "reclaimed": entry.scope, "survivors": survivors });
    Ok(ToolAnswer::said(text, Some(structured)))
}

fn scope(entry: &TreeEntry) -> String {
    match &entry.scope {
        None => "(none)".to_owned(),
        held => state::scope(held.as_deref(), &entry.workspace),
    }
}

/// What went wrong, if something did.
fn failed(stopped: &[StoppedPod]) -> Option<String> {
    let wrong = |pod: &StoppedPod| {
        let error = pod.result.as_ref().err()?;
        Some(format!("{}: {}", pod.name.as_deref().unwrap_or("it"), error.message))
    };
    stopped.iter().find_map(wrong)
}

fn survivors(pod: &StoppedPod) -> Option<Vec<String>> {
    pod.result.as_ref().ok()?.as_ref().map(|result| result.survivors.clone())
}
