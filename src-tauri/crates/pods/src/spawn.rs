//! `spawn_pod`: starts a child with a task.

use client::pods;
use protocol::tools::ToolAnswer;
use serde_json::{Map, Value, json};

use crate::answer::Failed;
use crate::arguments::{self, parsed};
use crate::state;
use crate::{Call, family::Family};

pub(crate) async fn spawn(call: Call<'_>, arguments: &Map<String, Value>) -> Result<ToolAnswer, Failed> {
    let wish = parsed::<arguments::Spawn>("spawn_pod", arguments)?.wish()?;
    let name = wish.name.clone();
    let attempt = format!("pod `{name}` was not spawned");
    let started = pods::spawn(call.machine, call.caller, wish).await.map_err(|error| Failed::of(&attempt, error))?;
    if *call.cancelled.borrow() {
        // Whoever called does not know of it and would not look after it.
        pods::stop_trees(call.machine, &[started.session], true).await;
        return Err(Failed::new(format!("{attempt}: the call was cancelled")));
    }
    let family = Family::of(&call).await?;
    let entry = family.named(&name)?;
    let scope = state::scope(entry.scope.as_deref(), &entry.workspace);
    let mut text =
        format!("spawned pod `{name}` (session {}); it works on its task now; scope: {scope}", started.session);
    for notice in &started.notices {
        text.push_str(&format!("\n{notice}"));
    }
    let structured = json!({ "name": name, "session": started.session, "scope": entry.scope });
    Ok(ToolAnswer::said(text, Some(structured)))
}
