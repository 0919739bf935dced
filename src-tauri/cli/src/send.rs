//! `outrigger send`: a prompt for a live session.

use anyhow::Result;
use clap::Args;
use client::sessions;
use protocol::attachment::Attachment;
use protocol::pod::{IfBusy, PromptParams, Taken};

use crate::exit::Exit;
use crate::run_options::attachment;
use crate::{home, output};

/// The arguments of `outrigger send`.
#[derive(Debug, Args)]
pub(crate) struct SendOptions {
    /// The session; a beginning of its id will do
    id: String,
    /// What the agent is to do, or to know
    text: String,
    /// Into the running turn
    #[arg(long, conflicts_with = "queue")]
    steer: bool,
    /// Behind the running turn
    #[arg(long)]
    queue: bool,
    /// An image or another file for the agent to look at; may be given more than once
    #[arg(long = "attach", value_name = "FILE", value_parser = attachment, conflicts_with = "steer")]
    attachments: Vec<Attachment>,
    /// Answer as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// See the module. Without a choice, a prompt is refused while a turn runs.
pub(crate) async fn send(options: SendOptions) -> Result<Exit> {
    let machine = home::for_looking()?;
    let session = home::session(&machine, &options.id)?;
    let mut pod = sessions::connect(&machine, session, "cli").await?;
    let if_busy = match (options.steer, options.queue) {
        (true, _) => IfBusy::Steer,
        (false, true) => IfBusy::Queue,
        (false, false) => IfBusy::Reject,
    };
    let result =
        pod.prompt(PromptParams { text: options.text, attachments: options.attachments, if_busy, from: None }).await?;
    if options.json {
        output::json(&result);
        return Ok(Exit::Done);
    }
    output::to_stderr(match result.taken {
        Taken::Started => "The turn has begun.",
        Taken::Queued => "The prompt waits for the end of the turn.",
        Taken::Steered => "The agent has it.",
        Taken::SteeredLater => "The agent takes it at its next step.",
    });
    Ok(Exit::Done)
}
