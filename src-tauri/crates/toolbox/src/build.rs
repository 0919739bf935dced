//! Makes a sidecar ready: its build steps, one after the other, until one fails.
//!
//! Responsible for the order, the time limit and the output. Each step is a process in a group of its own; when this returns, nothing
//! of any step runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use protocol::sidecar::{FailedAt, SidecarFailure};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::log::{Log, LogSource};
use crate::supervised::{self, Outcome, Supervised};

/// Lines of the output that the error carries.
const TOLD: usize = 200;

/// What is built, and in which surroundings.
#[derive(Debug, Clone)]
pub struct BuildOrder<'a> {
    /// The steps, each a program with its arguments.
    pub steps: &'a [Vec<String>],
    /// Where they run.
    pub folder: &'a Path,
    /// Their whole environment.
    pub environment: &'a BTreeMap<String, String>,
    /// Proves their processes to be ours.
    pub mark: &'a str,
    /// What all of them together may take.
    pub limit: Duration,
}

/// Runs the steps; the first one that fails ends it. A message on `stop` ends it too.
///
/// # Errors
/// Which step failed and how, with the end of the output of all steps so far.
pub async fn build(order: &BuildOrder<'_>, log: &Log, mut stop: mpsc::Receiver<()>) -> Result<(), SidecarFailure> {
    let deadline = Instant::now() + order.limit;
    for (index, words) in order.steps.iter().enumerate() {
        let step = format!("build step {} of {} (`{}`)", index + 1, order.steps.len(), shell_words::join(words));
        log.push(LogSource::Build, format!("$ {}", shell_words::join(words)).as_bytes());
        let fail = |what: String| SidecarFailure {
            at: FailedAt::Build,
            message: format!("{step} {what}"),
            output: log.tail(&[LogSource::Build], TOLD),
        };
        match run(order, words, log, deadline, &mut stop).await.map_err(&fail)? {
            Ran::Over(outcome) if outcome.is_clean() => {}
            Ran::Over(outcome) => return Err(fail(outcome.words())),
            Ran::TooLong => {
                return Err(fail(format!("was ended: the build took longer than {} s", order.limit.as_secs())));
            }
            Ran::Stopped => return Err(fail("was stopped".to_owned())),
        }
    }
    Ok(())
}

enum Ran {
    Over(Outcome),
    TooLong,
    Stopped,
}

async fn run(
    order: &BuildOrder<'_>,
    words: &[String],
    log: &Log,
    deadline: Instant,
    stop: &mut mpsc::Receiver<()>,
) -> Result<Ran, String> {
    let command = supervised::command(words, order.folder, order.environment, order.mark);
    let mut child = command.spawn().map_err(|error| format!("could not be run: {error}"))?;
    drop(child.take_stdin());
    let stdout = child.take_stdout();
    let step = Supervised::new(child, order.mark, stdout, [LogSource::Build, LogSource::Build], log.clone());
    let (ending, requests) = mpsc::channel(8);
    let ended = step.ended(requests, || ());
    tokio::pin!(ended);
    let why = tokio::select! {
        over = timeout_at(deadline, &mut ended) => match over {
            Ok(outcome) => return Ok(Ran::Over(outcome)),
            Err(_) => Ran::TooLong,
        },
        () = asked(stop) => Ran::Stopped,
    };
    // There is no language in which a build step could be asked: the second request is SIGTERM.
    let _ = ending.try_send(());
    let _ = ending.try_send(());
    ended.await;
    Ok(why)
}

/// Whoever could stop the build may be gone; then it goes on.
async fn asked(stop: &mut mpsc::Receiver<()>) {
    if stop.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}
