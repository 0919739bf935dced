#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
//! Several processes write one ledger at once, open it at once, and set a damaged one aside at once: nothing is lost.
//!
//! The writers are this test's own program, started again with a variable that tells it to write.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use outrigger_ledger::{Ledger, PodClaim, ProcessNote};
use protocol::processes::ProcessPurpose;
use protocol::{PodId, SessionId};

const WRITERS: u32 = 6;
const EACH: u32 = 40;
const LEDGER: &str = "LEDGER_TEST_FILE";
const NUMBER: &str = "LEDGER_TEST_WRITER";

fn note(pid: u32) -> ProcessNote {
    ProcessNote { pid, started: 7, purpose: ProcessPurpose::Tool, command: "sleep 600".to_owned() }
}

/// What a writer does: a pod with many processes, of which every second one is forgotten.
#[test]
fn writer() {
    let Some(path) = std::env::var_os(LEDGER) else { return };
    let number: u32 = std::env::var(NUMBER).unwrap().parse().unwrap();
    let ledger = Ledger::open(Path::new(&path)).unwrap().ledger;
    let pod = PodId::new();
    let claim = PodClaim {
        pod,
        session: SessionId::new(),
        generation: 1,
        pid: number,
        started: 1,
        socket: "s".to_owned(),
        parent: None,
        state: "starting".to_owned(),
    };
    ledger.claim_pod(&claim, &[]).unwrap();
    for process in 0..EACH {
        let pid = number * 1000 + process;
        ledger.note_processes(pod, &[note(pid)]).unwrap();
        assert!(ledger.set_pod_state(pod, "working").unwrap());
        if process % 2 == 1 {
            assert_eq!(ledger.forget_processes(pod, &[(pid, 7)]).unwrap(), 1);
        }
    }
    ledger.note_workspace(&format!("/w/{number}")).unwrap();
}

fn start_writers(path: &Path) -> Vec<Child> {
    let program = std::env::current_exe().unwrap();
    let start = |number: u32| {
        let mut command = Command::new(&program);
        command.args(["--exact", "writer"]).env(LEDGER, path).env(NUMBER, number.to_string());
        command.stdout(Stdio::null()).spawn().unwrap()
    };
    (1..=WRITERS).map(start).collect()
}

fn write_from_many(path: &Path) {
    for mut writer in start_writers(path) {
        assert!(writer.wait().unwrap().success(), "a writer failed");
    }
}

fn assert_complete(path: &Path) {
    let opened = Ledger::open(path).unwrap();
    assert_eq!(opened.set_aside, None);
    let pods = opened.ledger.open_pods().unwrap();
    assert_eq!(pods.len(), WRITERS as usize);
    for pod in pods {
        assert_eq!(opened.ledger.processes_of(pod.claim.pod).unwrap().len(), (EACH / 2) as usize, "{pod:?}");
        assert_eq!(pod.claim.state, "working");
    }
    assert_eq!(opened.ledger.workspaces().unwrap().len(), WRITERS as usize);
}

#[test]
fn nothing_that_several_processes_write_at_once_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite3");
    write_from_many(&path);
    assert_complete(&path);
}

#[test]
fn a_damaged_ledger_is_set_aside_once_by_many() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite3");
    std::fs::write(&path, "this is no ledger ".repeat(1000)).unwrap();
    write_from_many(&path);
    assert_complete(&path);
    let aside = std::fs::read_dir(folder.path()).unwrap().flatten();
    let aside = aside.filter(|entry| entry.file_name().to_string_lossy().contains(".corrupt-")).count();
    assert_eq!(aside, 1, "the fresh ledger was set aside too");
}
