//! Stops every live agent of this user, and proves what is left of them.
//!
//! Each pod is asked to stop, all at the same time; then the process table is asked whether anything of them is still there.

use client::Machine;
use client::processes::left_of;
use client::sessions::{Which, connect, list};
use protocol::error::WireError;
use protocol::session::{Liveness, PodFile, SessionSummary};

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Stopped {
    /// Titles of the sessions that ended.
    pub(crate) sessions: Vec<String>,
    /// Those that could not be stopped, with the reason.
    pub(crate) failed: Vec<String>,
    /// Processes that are still there, as `pid command`.
    pub(crate) left: Vec<String>,
}

impl Stopped {
    /// Whether everything was stopped and nothing is left.
    pub(crate) fn is_clean(&self) -> bool {
        self.failed.is_empty() && self.left.is_empty()
    }

    /// What a person is told.
    pub(crate) fn words(&self) -> String {
        let mut lines = vec![match self.sessions.len() {
            0 => "No agent was stopped.".to_owned(),
            1 => "1 agent was stopped:".to_owned(),
            n => format!("{n} agents were stopped:"),
        }];
        lines.extend(self.sessions.iter().map(|title| format!("- {title}")));
        if !self.failed.is_empty() {
            lines.push("Could not be stopped:".to_owned());
            lines.extend(self.failed.iter().map(|failed| format!("- {failed}")));
        }
        if self.left.is_empty() {
            lines.push("Of their processes, 0 are left.".to_owned());
        } else {
            lines.push(format!("Of their processes, {} still run:", self.left.len()));
            lines.extend(self.left.iter().map(|left| format!("- {left}")));
        }
        lines.join("\n")
    }
}

/// The sessions that have a pod, or may have one.
///
/// # Errors
/// When the folder of sessions cannot be listed.
pub(crate) async fn live(machine: &Machine) -> Result<Vec<SessionSummary>, WireError> {
    let mut sessions = list(machine, Which::Live).await?;
    sessions.retain(|summary| match summary.liveness {
        Liveness::Live { .. } | Liveness::Unknown { .. } => true,
        Liveness::Ended { .. } | Liveness::Interrupted => false,
    });
    Ok(sessions)
}

/// Stops them all; the outcome also stands in the debug log.
///
/// # Errors
/// When the folder of sessions cannot be listed.
pub(crate) async fn stop_all(machine: &Machine) -> Result<Stopped, WireError> {
    let sessions = live(machine).await?;
    // Who they are must be known before they go.
    let pods: Vec<PodFile> =
        sessions.iter().filter_map(|summary| machine.folder(summary.session).read_pod().ok().flatten()).collect();
    let asked: Vec<_> = sessions
        .into_iter()
        .map(|summary| {
            let machine = machine.clone();
            tokio::spawn(async move {
                let stop = async { connect(&machine, summary.session, "desktop").await?.stop(false).await };
                (stop.await.map(drop), summary.title)
            })
        })
        .collect();
    let mut stopped = Stopped::default();
    for one in asked {
        match one.await {
            Ok((Ok(()), title)) => stopped.sessions.push(title),
            Ok((Err(error), title)) => stopped.failed.push(format!("{title}: {error}")),
            Err(error) => stopped.failed.push(error.to_string()),
        }
    }
    let left = left_of(&pods).await;
    stopped.left = left.into_iter().map(|process| format!("{} {}", process.pid, process.command)).collect();
    tracing::info!(stopped = ?stopped.sessions, failed = ?stopped.failed, left = ?stopped.left, "all agents were told to stop");
    Ok(stopped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_what_was_stopped_and_what_is_left() {
        let clean = Stopped { sessions: vec!["Fix it".to_owned()], ..Stopped::default() };
        assert!(clean.is_clean());
        assert_eq!(clean.words(), "1 agent was stopped:\n- Fix it\nOf their processes, 0 are left.");
        let left = Stopped { left: vec!["7 sleep".to_owned()], ..Stopped::default() };
        assert!(!left.is_clean());
        assert!(left.words().ends_with("1 still run:\n- 7 sleep"));
    }
}
