//! `outrigger logs`: the transcript of a session, or the records of its journal, from the beginning or as they come.

use anyhow::Result;
use clap::Args;
use client::{Machine, sessions};
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::pod::{SessionEvent, SubscribeParams, Want};
use protocol::session::Liveness;

use crate::exit::Exit;
use crate::style::Palette;
use crate::view::{View, json_item};
use crate::{home, item_text, output};

/// The arguments of `outrigger logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsOptions {
    /// The session; a beginning of its id will do
    id: String,
    /// Only what came after this record
    #[arg(long, value_name = "N", default_value_t = 0)]
    from_seq: u64,
    /// Go on until the session ends
    #[arg(long, short)]
    follow: bool,
    /// The journal's records, one JSON object per line, in place of the transcript
    #[arg(long)]
    records: bool,
    /// One JSON object per line
    #[arg(long)]
    pub(crate) json: bool,
}

/// See the module.
pub(crate) async fn logs(options: LogsOptions) -> Result<Exit> {
    let machine = home::for_looking()?;
    let session = home::session(&machine, &options.id)?;
    if options.follow {
        return follow(&machine, session, &options).await;
    }
    if options.records {
        records(&machine, session, options.from_seq)?;
    } else {
        items(&machine, session, &options)?;
    }
    Ok(Exit::Done)
}

fn items(machine: &Machine, session: SessionId, options: &LogsOptions) -> Result<()> {
    let transcript = home::transcript(machine, session)?;
    let short = home::short_ids(machine, &[session]).pop().unwrap_or_default();
    let palette = Palette::of_stdout();
    home::each_item(&transcript, |item| {
        if item.last_seq <= options.from_seq || output::is_gone() {
            return;
        }
        if options.json {
            output::json(&item);
        } else {
            output::to_stdout(&item_text::item(&item.body, &palette, &short));
        }
    })?;
    transcript.damage().iter().for_each(|damage| passed_over(&damage.why));
    Ok(())
}

fn passed_over(why: &str) {
    output::to_stderr(&format!("outrigger: a line of the journal was passed over: {why}"));
}

/// Prints the journal's lines as they are.
fn records(machine: &Machine, session: SessionId, from_seq: u64) -> Result<()> {
    let damage = client::records::each_line(machine, session, from_seq, |line| {
        output::to_stdout(&format!("{}\n", String::from_utf8_lossy(line)));
        !output::is_gone()
    })?;
    damage.iter().for_each(|why| passed_over(why));
    Ok(())
}

/// Follows a session to its end, over lost connections too. Each record is shown once.
async fn follow(machine: &Machine, session: SessionId, options: &LogsOptions) -> Result<Exit> {
    let short = home::short_ids(machine, &[session]).pop().unwrap_or_default();
    let mut view = View::new(options.json || options.records, short);
    let mut seen = options.from_seq;
    loop {
        match sessions::connect(machine, session, "cli").await {
            Ok(pod) => {
                let want = if options.records { Want::Records } else { Want::Items };
                let deltas = view.wants_deltas();
                let (_, mut events) = pod.subscribe(SubscribeParams { from_seq: seen, want, deltas }).await?;
                while let Some(batch) = events.next().await? {
                    batch.iter().for_each(|event| show(event, &mut view, &mut seen));
                    if output::is_gone() {
                        return Ok(Exit::Done);
                    }
                }
                view.pause();
            }
            Err(error) if error.code == ErrorCode::SessionEnded => {}
            Err(error) => return Err(error.into()),
        }
        match sessions::summary(machine, session).await?.liveness {
            Liveness::Live { .. } => {}
            Liveness::Unknown { reason } => return Err(WireError::new(ErrorCode::Unreachable, reason).into()),
            Liveness::Ended { .. } | Liveness::Interrupted => {
                return rest(machine, session, options, seen);
            }
        }
    }
}

fn show(event: &SessionEvent, view: &mut View, seen: &mut u64) {
    match event {
        SessionEvent::Item { item, .. } => {
            *seen = (*seen).max(item.last_seq);
            view.event(event);
        }
        SessionEvent::Record { record } => {
            *seen = (*seen).max(record["seq"].as_u64().unwrap_or(0));
            output::json(record);
        }
        SessionEvent::CaughtUp { seq } => *seen = (*seen).max(*seq),
        SessionEvent::Append { .. } | SessionEvent::Remove { .. } | SessionEvent::Status { .. } => view.event(event),
    }
}

/// What the journal has and the pod did not tell any more.
fn rest(machine: &Machine, session: SessionId, options: &LogsOptions, seen: u64) -> Result<Exit> {
    if options.records {
        records(machine, session, seen)?;
        return Ok(Exit::Done);
    }
    let palette = Palette::of_stdout();
    let short = home::short_ids(machine, &[session]).pop().unwrap_or_default();
    home::each_item(&home::transcript(machine, session)?, |item| {
        if item.last_seq <= seen {
            return;
        }
        if options.json {
            json_item(&item);
        } else {
            output::to_stdout(&item_text::item(&item.body, &palette, &short));
        }
    })?;
    Ok(Exit::Done)
}
