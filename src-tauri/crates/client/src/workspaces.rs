//! Which folders were used as workspaces, the newest use first?
//!
//! The ledger keeps them; what it does not know, because it was lost or cannot be read, the sessions say.

use ledger::Ledger;
use protocol::session::SessionSummary;

use crate::machine::Machine;

/// The known workspaces. Blocks for milliseconds.
#[must_use]
pub fn known(machine: &Machine, sessions: &[SessionSummary]) -> Vec<String> {
    let noted = Ledger::open(&machine.places.ledger).and_then(|opened| opened.ledger.workspaces());
    let mut known = noted.unwrap_or_else(|error| {
        tracing::warn!(%error, "the workspaces are listed without the ledger");
        Vec::new()
    });
    let mut by_age: Vec<&SessionSummary> = sessions.iter().collect();
    by_age.sort_by(|a, b| b.updated_at.cmp(&a.updated_at));
    for summary in by_age {
        if !known.contains(&summary.workspace) {
            known.push(summary.workspace.clone());
        }
    }
    known
}

/// Notes that a workspace was opened. Blocks for milliseconds; that it could not be noted is told in the debug log and hinders nobody.
pub fn note(machine: &Machine, workspace: &str) {
    let noted = Ledger::open(&machine.places.ledger).and_then(|opened| opened.ledger.note_workspace(workspace));
    if let Err(error) = noted {
        tracing::warn!(%error, workspace, "the ledger does not know that a workspace was opened");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(workspace: &str, updated_at: &str) -> SessionSummary {
        let summary = json!({ "session": protocol::SessionId::new(), "provider": "demo", "workspace": workspace, "cwd": workspace,
            "title": "t", "parent": null, "createdAt": "", "updatedAt": updated_at, "model": null, "nativeSessionId": null,
            "usage": {}, "liveness": { "type": "interrupted" } });
        serde_json::from_value(summary).unwrap()
    }

    #[test]
    fn the_one_opened_last_comes_first_and_sessions_add_what_the_ledger_does_not_know() {
        let home = tempfile::tempdir().unwrap();
        let places = discovery::Places::under(home.path());
        places.prepare().unwrap();
        let machine = Machine { places, resource_dirs: Vec::new(), program: home.path().join("outrigger") };
        for workspace in ["/a", "/b", "/a"] {
            let before = jiff::Timestamp::now().as_millisecond();
            note(&machine, workspace);
            // The ledger's times are in milliseconds.
            while jiff::Timestamp::now().as_millisecond() == before {}
        }
        let sessions = [session("/old", "2026-01-01"), session("/b", "2026-02-02"), session("/new", "2026-03-03")];
        assert_eq!(known(&machine, &sessions), ["/a", "/b", "/new", "/old"]);
    }
}
