#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
//! Rows change only for who can name them: compare and clear, generations, processes of another pod.

use outrigger_ledger::{Ledger, LedgerError, PodClaim, ProcessNote, SessionRow};
use protocol::processes::ProcessPurpose;
use protocol::record::Outcome;
use protocol::session::SessionStatistics;
use protocol::{PodId, SessionId};

fn fresh() -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite3")).unwrap().ledger;
    (folder, ledger)
}

fn claim(session: SessionId, generation: u64) -> PodClaim {
    PodClaim {
        pod: PodId::new(),
        session,
        generation,
        pid: 10,
        started: 1 << 52,
        socket: "/run/s".to_owned(),
        parent: None,
        state: "idle".to_owned(),
    }
}

fn note(pid: u32, purpose: ProcessPurpose) -> ProcessNote {
    ProcessNote { pid, started: 5, purpose, command: "cargo test".to_owned() }
}

#[test]
fn only_a_newer_generation_claims_a_session() {
    let (_folder, ledger) = fresh();
    let session = SessionId::new();
    let second = claim(session, 2);
    ledger.claim_pod(&second, &[]).unwrap();
    for generation in [1, 2] {
        let refused = ledger.claim_pod(&claim(session, generation), &[]).unwrap_err();
        assert!(matches!(refused, LedgerError::Stale { newest: 2, .. }), "{refused}");
    }
    // The same keeper again, after the ledger was set aside and filled from the folders.
    ledger.claim_pod(&second, &[]).unwrap();
    ledger.claim_pod(&claim(session, 3), &[]).unwrap();
    assert_eq!(ledger.newest_generation(session).unwrap(), Some(3));
    assert_eq!(ledger.newest_generation(SessionId::new()).unwrap(), None);
}

#[test]
fn a_pod_is_ended_only_by_who_can_name_its_keeper() {
    let (_folder, ledger) = fresh();
    let pod = claim(SessionId::new(), 1);
    ledger.claim_pod(&pod, &[note(11, ProcessPurpose::Runner)]).unwrap();
    assert!(!ledger.end_pod(pod.pod, 11, pod.started).unwrap(), "another process");
    assert!(!ledger.end_pod(pod.pod, pod.pid, 3).unwrap(), "a later process of the same number");
    assert!(!ledger.end_pod(PodId::new(), pod.pid, pod.started).unwrap(), "another pod");
    assert_eq!(ledger.open_pods().unwrap().len(), 1);
    assert_eq!(ledger.processes_of(pod.pod).unwrap().len(), 1);
    assert!(ledger.end_pod(pod.pod, pod.pid, pod.started).unwrap());
    assert!(!ledger.end_pod(pod.pod, pod.pid, pod.started).unwrap(), "it ends once");
    assert!(!ledger.set_pod_state(pod.pod, "working").unwrap(), "what has ended has no state any more");
    assert_eq!(ledger.open_pods().unwrap(), []);
    assert!(ledger.pods().unwrap()[0].ended_at.is_some());
    assert_eq!(ledger.processes_of(pod.pod).unwrap(), []);
}

#[test]
fn earlier_pods_of_a_session_do_not_pile_up() {
    let (_folder, ledger) = fresh();
    let session = SessionId::new();
    for generation in 1..=5 {
        let pod = claim(session, generation);
        ledger.claim_pod(&pod, &[]).unwrap();
        assert!(ledger.end_pod(pod.pod, pod.pid, pod.started).unwrap());
    }
    assert_eq!(ledger.pods().unwrap().len(), 1);
}

#[test]
fn a_process_belongs_to_the_pod_that_noted_it_first_unless_it_is_its_keeper() {
    let (_folder, ledger) = fresh();
    let (outer, inner) = (claim(SessionId::new(), 1), claim(SessionId::new(), 1));
    ledger.claim_pod(&outer, &[]).unwrap();
    ledger.note_processes(outer.pod, &[note(20, ProcessPurpose::Tool), note(21, ProcessPurpose::Tool)]).unwrap();
    ledger.claim_pod(&inner, &[note(20, ProcessPurpose::Keeper)]).unwrap();
    ledger.note_processes(outer.pod, &[note(20, ProcessPurpose::Tool)]).unwrap();
    ledger.note_processes(inner.pod, &[note(21, ProcessPurpose::Tool)]).unwrap();
    let pids =
        |pod| ledger.processes_of(pod).unwrap().iter().map(|row| (row.note.pid, row.note.purpose)).collect::<Vec<_>>();
    assert_eq!(pids(inner.pod), [(20, ProcessPurpose::Keeper)]);
    assert_eq!(pids(outer.pod), [(21, ProcessPurpose::Tool)]);
    assert_eq!(ledger.forget_processes(inner.pod, &[(21, 5), (20, 6)]).unwrap(), 0, "another pod's, another process");
    assert_eq!(ledger.forget_processes(outer.pod, &[(21, 5)]).unwrap(), 1);
}

#[test]
fn a_session_comes_back_as_it_was_noted() {
    let (_folder, ledger) = fresh();
    let mut session = SessionRow {
        session: SessionId::new(),
        provider: "demo".to_owned(),
        workspace: "/w".to_owned(),
        cwd: "/w/x".to_owned(),
        title: "“quotes” 'and' more".to_owned(),
        native_id: None,
        parent: Some(SessionId::new()),
        created_at: "2026-11-21T07:00:00.000Z".to_owned(),
        updated_at: "2026-11-21T07:00:00.000Z".to_owned(),
        ended_at: None,
        outcome: None,
        statistics: SessionStatistics::default(),
    };
    ledger.note_session(&session).unwrap();
    session.native_id = Some("n-1".to_owned());
    session.outcome = Some(Outcome::Interrupted);
    session.ended_at = Some("2026-11-21T08:00:00.000Z".to_owned());
    session.statistics.bytes = 12;
    ledger.note_session(&session).unwrap();
    assert_eq!(ledger.sessions().unwrap(), [session]);
}
