//! Starting, stopping, reading and calling a sidecar by hand.

use std::io::Read;

use anyhow::Result;
use clap::Args;
use client::{Machine, sidecars};
use protocol::error::{ErrorCode, WireError};
use protocol::pods::ToolProgress;
use protocol::sidecar::{SidecarLogSource, SidecarPlace, SidecarState, SidecarStop, SidecarView};
use protocol::tools::{ToolAnswer, ToolDefinition};
use serde_json::{Map, Value};

use super::listing::{matter, state_word};
use crate::exit::Exit;
use crate::output::{self, visible, visible_line};

/// One sidecar.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The sidecar
    name: String,
}

/// The arguments of `outrigger sidecar tools`.
#[derive(Debug, Args)]
pub(crate) struct ToolsOptions {
    /// Only those of this sidecar
    name: Option<String>,
    /// With the schemas of their arguments
    #[arg(long)]
    schemas: bool,
}

/// The arguments of `outrigger sidecar call`.
#[derive(Debug, Args)]
pub(crate) struct CallOptions {
    /// The sidecar
    name: String,
    /// The tool, by its own name
    tool: String,
    /// Its arguments, a JSON object; `-` reads them from stdin
    #[arg(value_name = "JSON", default_value = "{}")]
    arguments: String,
}

pub(super) async fn start(machine: &Machine, place: &SidecarPlace, named: &Named, json: bool) -> Result<Exit> {
    sidecars::start(machine, place, &named.name).await?;
    tell(sidecars::settled(machine, place, &named.name).await?, json)
}

pub(super) async fn restart(machine: &Machine, place: &SidecarPlace, named: &Named, json: bool) -> Result<Exit> {
    sidecars::restart(machine, place, &named.name).await?;
    tell(sidecars::settled(machine, place, &named.name).await?, json)
}

pub(super) async fn stop(machine: &Machine, place: &SidecarPlace, named: &Named, json: bool) -> Result<Exit> {
    sidecars::stop(machine, place, &named.name).await?;
    tell(sidecars::view(machine, place, &named.name).await?, json)
}

fn tell(view: SidecarView, json: bool) -> Result<Exit> {
    let exit = match &view.state {
        SidecarState::Failed { .. } | SidecarState::Disconnected { .. } => Exit::Failed,
        SidecarState::Connected { .. }
        | SidecarState::Stopped { .. }
        | SidecarState::Idle
        | SidecarState::Building
        | SidecarState::Starting
        | SidecarState::Stopping => Exit::Done,
    };
    if json {
        output::json(&view);
        return Ok(exit);
    }
    let tools = match &view.state {
        SidecarState::Connected { tools: 1 } => ", with 1 tool".to_owned(),
        SidecarState::Connected { tools } => format!(", with {tools} tools"),
        _ => String::new(),
    };
    output::line(&format!("{} is {}{tools}.", view.name, state_word(&view.state)));
    if !matches!(view.state, SidecarState::Stopped { why: SidecarStop::Asked }) {
        matter(&view).iter().for_each(|line| output::line(&format!("  {}", visible_line(line, 1000))));
    }
    Ok(exit)
}

pub(super) async fn logs(machine: &Machine, place: &SidecarPlace, named: &Named, json: bool) -> Result<Exit> {
    let lines = sidecars::logs(machine, place, &named.name).await?;
    if json {
        lines.iter().for_each(output::json);
        return Ok(Exit::Done);
    }
    if lines.is_empty() {
        output::to_stderr("It has printed nothing since its owner began.");
    }
    for line in &lines {
        let from = match line.from {
            SidecarLogSource::Build => "build",
            SidecarLogSource::Stdout => "stdout",
            SidecarLogSource::Stderr => "stderr",
            SidecarLogSource::Mcp => "mcp",
            SidecarLogSource::Outrigger => "outrigger",
        };
        output::line(&format!("{}  {from:<9}  {}", line.at, visible(&line.text)));
    }
    Ok(Exit::Done)
}

pub(super) async fn tools(machine: &Machine, place: &SidecarPlace, options: &ToolsOptions, json: bool) -> Result<Exit> {
    let mut tools = sidecars::tools(machine, place).await?;
    if let Some(name) = &options.name {
        sidecars::view(machine, place, name).await?;
        tools.retain(|tool| tool.sidecar.as_ref() == Some(name));
    }
    if json {
        tools.iter().for_each(output::json);
        return Ok(Exit::Done);
    }
    if tools.is_empty() {
        output::to_stderr("No tool is offered here; `outrigger sidecar list` shows why.");
    }
    tools.iter().for_each(|tool| show(tool, options.schemas));
    Ok(Exit::Done)
}

fn show(tool: &ToolDefinition, schema: bool) {
    let of = tool.sidecar.as_deref().unwrap_or_default();
    let about = visible_line(&tool.description, output::width().clamp(60, 160));
    output::line(&format!("{}  ({of})\n    {about}", visible_line(&tool.name, 64)));
    if schema {
        let text = serde_json::to_string_pretty(&tool.input_schema).unwrap_or_default();
        visible(&text).lines().for_each(|line| output::line(&format!("    {line}")));
    }
}

pub(super) async fn call(machine: &Machine, place: &SidecarPlace, options: CallOptions, json: bool) -> Result<Exit> {
    let arguments = arguments(&options.arguments)?;
    let progress = |step: ToolProgress| {
        if !json {
            output::to_stderr(&visible_line(&step_words(&step), 200));
        }
    };
    let answer = sidecars::call(machine, place, &options.name, &options.tool, arguments, progress).await?;
    if json {
        output::json(&answer);
    } else {
        show_answer(&answer);
    }
    Ok(if answer.is_error { Exit::Failed } else { Exit::Done })
}

fn step_words(step: &ToolProgress) -> String {
    let of = step.total.map(|total| format!(" of {total}")).unwrap_or_default();
    let message = step.message.as_deref().map(|message| format!("  {message}")).unwrap_or_default();
    format!("{}{of}{message}", step.progress)
}

fn show_answer(answer: &ToolAnswer) {
    for part in &answer.content {
        match part.get("text").and_then(Value::as_str) {
            Some(text) => output::line(&visible(text)),
            None => {
                let kind = part.get("type").and_then(Value::as_str).unwrap_or("something");
                let name = ["name", "mimeType"].iter().find_map(|key| part.get(*key).and_then(Value::as_str));
                output::line(&visible_line(&format!("[{kind} {}]", name.unwrap_or_default()), 200));
            }
        }
    }
    if answer.content.is_empty()
        && let Some(data) = &answer.structured_content
    {
        output::line(&visible(&data.to_string()));
    }
}

fn arguments(given: &str) -> Result<Map<String, Value>, WireError> {
    let bad = |why: String| WireError::new(ErrorCode::BadRequest, format!("the arguments are a JSON object: {why}"));
    let mut text = given.to_owned();
    if given == "-" {
        text.clear();
        std::io::stdin().read_to_string(&mut text).map_err(|error| bad(error.to_string()))?;
    }
    match serde_json::from_str(&text) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(other) => Err(bad(format!("{other} is none"))),
        Err(error) => Err(bad(error.to_string())),
    }
}
