//! `outrigger answer`: answers a permission request of a live session.

use anyhow::Result;
use clap::{Args, ValueEnum};
use client::sessions;
use protocol::error::{ErrorCode, WireError};
use protocol::permission::RuleReach;
use protocol::pod::{AnswerParams, PendingPermission};
use protocol::record::PermissionOutcome;

use crate::exit::Exit;
use crate::{home, output};

/// The arguments of `outrigger answer`.
#[derive(Debug, Args)]
pub(crate) struct AnswerOptions {
    /// The session; a beginning of its id will do
    id: String,
    /// The request; a beginning of its id will do, and `-` is the only one that waits
    request: String,
    /// The answer
    outcome: Answer,
    /// With `allow-always`: for how long, and for whom. Without it the agent's own meaning of "always" holds
    #[arg(long = "for", value_name = "WHOM")]
    reach: Option<Reach>,
    /// A word to the agent
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// Errors as JSON objects
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reach {
    /// This session, over all resumes
    Session,
    /// Every session of this workspace
    Workspace,
}

impl From<Reach> for RuleReach {
    fn from(reach: Reach) -> Self {
        match reach {
            Reach::Session => Self::Session,
            Reach::Workspace => Self::Workspace,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Answer {
    /// This once
    Allow,
    /// This and its like
    AllowAlways,
    /// Not this
    Deny,
    /// Neither this nor its like
    DenyAlways,
}

impl From<Answer> for PermissionOutcome {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Allow => Self::Allow,
            Answer::AllowAlways => Self::AllowAlways,
            Answer::Deny => Self::Deny,
            Answer::DenyAlways => Self::DenyAlways,
        }
    }
}

/// See the module.
pub(crate) async fn answer(options: AnswerOptions) -> Result<Exit> {
    let machine = home::for_looking()?;
    let session = home::session(&machine, &options.id)?;
    let mut pod = sessions::connect(&machine, session, "cli").await?;
    let pending = pod.status().await?.permissions;
    let request_id = which(&pending, &options.request)?;
    let (outcome, always) = outcome(&options)?;
    let params = AnswerParams { request_id, outcome, updated_input: None, message: options.message, by: None, always };
    pod.answer(params).await?;
    if !options.json {
        output::to_stderr("Answered.");
    }
    Ok(Exit::Done)
}

/// A rule is made with `allow`: to the agent it is this once, and Outrigger remembers it.
fn outcome(options: &AnswerOptions) -> Result<(PermissionOutcome, Option<RuleReach>), WireError> {
    match (options.reach, options.outcome) {
        (None, outcome) => Ok((outcome.into(), None)),
        (Some(reach), Answer::AllowAlways) => Ok((PermissionOutcome::Allow, Some(reach.into()))),
        (Some(_), Answer::Allow | Answer::Deny | Answer::DenyAlways) => {
            Err(WireError::new(ErrorCode::BadRequest, "`--for` goes with `allow-always`"))
        }
    }
}

/// The request that is meant.
fn which(pending: &[PendingPermission], wanted: &str) -> Result<String, WireError> {
    let matching: Vec<&str> = pending
        .iter()
        .map(|pending| pending.ask.request_id.as_str())
        .filter(|id| wanted == "-" || id.starts_with(wanted))
        .collect();
    match matching.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => {
            let list: String = pending.iter().map(line).collect();
            let message = format!("request `{wanted}` is not pending: it was answered by someone else, or withdrawn");
            let error = WireError::new(ErrorCode::NotPending, message);
            Err(if list.is_empty() { error } else { error.with_detail(format!("These wait:\n{list}")) })
        }
        several => {
            let message = format!("`{wanted}` fits {} requests; give more of the id", several.len());
            let list: String = pending.iter().map(line).collect();
            Err(WireError::new(ErrorCode::BadRequest, message).with_detail(list))
        }
    }
}

fn line(pending: &PendingPermission) -> String {
    format!("{}  {}\n", pending.ask.request_id, output::visible_line(&pending.ask.title, 120))
}
