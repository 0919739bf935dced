//! Real children, real signals, real pipes: what the crate promises, one behaviour per test.
//!
//! No test sleeps to let something happen; each waits for a state with a deadline.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use outrigger_process::*;
use protocol::limits::{DRAIN, LINE_BYTES};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};

const LONG: Duration = Duration::from_secs(20);

fn shell(script: &str, mark: &str) -> Command {
    Command {
        program: PathBuf::from("/bin/sh"),
        args: vec!["-c".into(), script.into()],
        cwd: std::env::temp_dir(),
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        mark: Some(mark.to_owned()),
    }
}

/// A mark that no other test and no other run uses.
fn new_mark(name: &str) -> String {
    format!("test-{name}-{}-{}", std::process::id(), ProcessRef::current().started)
}

fn lines_of(child: &mut Child) -> LineReader<ChildStdout> {
    LineReader::new(child.take_stdout().unwrap(), LINE_BYTES)
}

async fn line(reader: &mut LineReader<ChildStdout>) -> String {
    let batch = timeout(LONG, reader.next_batch()).await.unwrap().unwrap().unwrap();
    assert_eq!(batch.len(), 1, "{batch:?}");
    String::from_utf8(batch[0].bytes.to_vec()).unwrap()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_grandchild_in_its_own_session_is_found_and_ended() {
    // Without a mark: what is known by pid and start time needs none, as long as it carries no other pod's.
    let unmarked = Command { mark: None, ..shell("setsid sleep 1000 & echo $!; wait", "") };
    let mut child = unmarked.spawn().unwrap();
    let pid: u32 = line(&mut lines_of(&mut child)).await.parse().unwrap();
    let root = child.process().pid;
    until("the grandchild left the group", || {
        descendants(root).iter().any(|e| e.process.pid == pid && e.group == pid && e.command == "sleep 1000")
    })
    .await;
    let grandchild = ProcessRef::of(pid).unwrap();

    child.group().kill();
    assert_eq!(child.wait().await.unwrap(), Exit { code: None, signal: Some("SIGKILL".to_owned()) });
    assert_eq!(grandchild.liveness(), Liveness::Alive, "a group kill alone leaves it, or this test proves nothing");

    let swept = sweep("a-mark-that-it-lost", &[grandchild]).await;
    assert_eq!(swept.ended.iter().map(|e| e.process).collect::<Vec<_>>(), [grandchild]);
    assert_eq!(swept.survivors, []);
    assert_ne!(grandchild.liveness(), Liveness::Alive);
}

#[tokio::test]
async fn a_process_whose_parents_died_is_found_by_its_mark() {
    let mark = new_mark("mark");
    let mut child = shell("(setsid sleep 1000 & echo $!)", &mark).spawn().unwrap();
    let pid: u32 = line(&mut lines_of(&mut child)).await.parse().unwrap();
    child.wait().await.unwrap();
    until("the orphan runs sleep", || marked(&mark).iter().any(|e| e.command == "sleep 1000")).await;
    assert_eq!(marked(&mark).iter().map(|e| e.process.pid).collect::<Vec<_>>(), [pid]);
    assert!(marked(&mark[..mark.len() - 1]).is_empty(), "a mark is compared whole");

    let swept = sweep(&mark, &[]).await;
    assert_eq!(swept.ended.len(), 1);
    assert!(marked(&mark).is_empty());
    assert_eq!(sweep(&mark, &[]).await, Sweep::default());
}

#[tokio::test]
async fn a_sweep_leaves_the_spared_and_what_descends_from_them() {
    become_subreaper().unwrap();
    let mark = new_mark("spare");
    let script = "(setsid sleep 1001 & echo $!); setsid sleep 1002 & echo $!; wait";
    let mut child = shell(script, &mark).spawn().unwrap();
    let mut reader = lines_of(&mut child);
    let lost = ProcessRef::of(line(&mut reader).await.parse().unwrap()).unwrap();
    let kept = ProcessRef::of(line(&mut reader).await.parse().unwrap()).unwrap();
    until("both sleep", || marked(&mark).iter().filter(|e| e.command.starts_with("sleep")).count() == 2).await;
    let all: Vec<_> = all_marked().into_iter().filter(|m| m.mark == mark).map(|m| m.entry.process).collect();
    assert!(all.len() == 3 && all.contains(&lost) && all.contains(&kept), "{all:?}");

    let swept = sweep_except(&mark, &[], &[child.process()]).await;
    assert_eq!(swept.ended.iter().map(|e| e.process).collect::<Vec<_>>(), [lost]);
    assert_eq!((kept.liveness(), child.process().liveness()), (Liveness::Alive, Liveness::Alive));
    // A number that another process had before spares nobody.
    let earlier = ProcessRef { pid: child.process().pid, started: child.process().started - 1 };
    assert_eq!(sweep_except(&mark, &[], &[earlier]).await.ended.len(), 2);
    child.wait().await.unwrap();
}

#[tokio::test]
async fn a_child_that_ignores_sigterm_needs_sigkill() {
    let mark = new_mark("trap");
    let script = "trap '' TERM; echo ready; read answer; echo still here; read never";
    let mut child = shell(script, &mark).spawn().unwrap();
    let mut reader = lines_of(&mut child);
    let mut stdin = child.take_stdin().unwrap();
    assert_eq!(line(&mut reader).await, "ready");
    child.group().terminate();
    stdin.write_all(b"go\n").await.unwrap();
    assert_eq!(line(&mut reader).await, "still here");
    child.group().kill();
    assert_eq!(child.wait().await.unwrap().signal.as_deref(), Some("SIGKILL"));
}

#[tokio::test]
async fn sweep_asks_before_it_kills() {
    let mark = new_mark("asks");
    let file = tempfile::NamedTempFile::new().unwrap();
    let script =
        format!("trap 'echo asked > {}; exit 0' TERM; echo ready; while :; do sleep 0.01; done", file.path().display());
    let mut child = shell(&script, &mark).spawn().unwrap();
    assert_eq!(line(&mut lines_of(&mut child)).await, "ready");
    let swept = sweep(&mark, &[]).await;
    assert!(!swept.ended.is_empty() && swept.survivors.is_empty());
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "asked\n");
    child.wait().await.unwrap();
}

#[tokio::test]
async fn lines_written_just_before_the_exit_are_kept() {
    let mut child = shell("echo one; printf 'last without newline'; exit 3", "-").spawn().unwrap();
    let mut reader = lines_of(&mut child);
    assert_eq!(child.wait().await.unwrap(), Exit { code: Some(3), signal: None });
    assert_eq!(child.wait().await.unwrap().code, Some(3), "asking again answers again");
    let mut lines = Vec::new();
    while let Some(batch) = reader.next_batch().await.unwrap() {
        lines.extend(batch.into_iter().map(|l| String::from_utf8(l.bytes.to_vec()).unwrap()));
    }
    assert_eq!(lines, ["one", "last without newline"]);
}

/// What an owner of a child does with the ladder, in its smallest form.
async fn stopped_by_the_ladder(mut child: Child, mark: &str, stop_at_once: bool) -> (EndedBy, Sweep, bool) {
    let mut reader = lines_of(&mut child);
    let (mut ladder, mut known, mut swept) = (Ladder::new(), Vec::new(), Sweep::default());
    let (mut timer, mut reading, mut running) = (None, true, true);
    let mut inputs: Vec<Input> = if stop_at_once { vec![Input::Stop; 3] } else { Vec::new() };
    loop {
        let far = Instant::now() + LONG;
        let input = match inputs.pop() {
            Some(input) => input,
            None => tokio::select! {
                _ = child.wait(), if running => { running = false; Input::Exited }
                batch = reader.next_batch(), if reading => match batch.unwrap() {
                    Some(_) => continue,
                    None => { reading = false; Input::PipesClosed }
                },
                () = tokio::time::sleep_until(timer.unwrap_or(far)) => { timer = None; Input::Elapsed }
            },
        };
        for action in ladder.step(input) {
            match action {
                Action::ListDescendants => known.extend(descendants(child.process().pid).iter().map(|e| e.process)),
                Action::SendStop | Action::CloseStdin => drop(child.take_stdin()),
                Action::TerminateGroup => child.group().terminate(),
                Action::KillGroup => child.group().kill(),
                Action::KillDescendants => kill_processes(&known),
                Action::StartTimer(time) => timer = Some(Instant::now() + time),
                Action::ClosePipes => {}
                Action::Sweep => {
                    swept = sweep(mark, &known).await;
                    inputs.push(Input::Swept);
                }
                Action::Report(by) => return (by, swept, reading),
            }
        }
    }
}

#[tokio::test]
async fn a_leaked_pipe_is_not_waited_for_beyond_the_drain() {
    let mark = new_mark("leak");
    let child = shell("sleep 1000 & echo out", &mark).spawn().unwrap();
    let begun = Instant::now();
    let (by, swept, leaked) = timeout(LONG, stopped_by_the_ladder(child, &mark, false)).await.unwrap();
    assert_eq!(by, EndedBy::Itself);
    assert!(leaked, "the pipe was still open, and that is known");
    assert_eq!(swept.ended.len(), 1);
    assert_eq!(swept.ended[0].command, "sleep 1000");
    assert!(begun.elapsed() >= DRAIN && begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn three_stops_end_a_stubborn_tree_at_once() {
    let mark = new_mark("stubborn");
    let script = "trap '' TERM; setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' & while :; do sleep 1; done";
    let child = shell(script, &mark).spawn().unwrap();
    let root = child.process().pid;
    until("the tree stands", || descendants(root).iter().any(|e| e.group == e.process.pid && e.group != root)).await;
    let (by, swept, _) = timeout(LONG, stopped_by_the_ladder(child, &mark, true)).await.unwrap();
    assert_eq!(by, EndedBy::Kill);
    assert_eq!(swept.survivors, []);
    assert!(marked(&mark).is_empty());
}

#[tokio::test]
async fn members_of_a_group_whose_leader_is_gone_are_ended_by_their_mark() {
    // A subreaper is the parent of the whole group in the end; the wait is for the child alone all the same.
    become_subreaper().unwrap();
    let mark = new_mark("leaderless");
    let mut child = shell("sleep 1000 & echo $!", &mark).spawn().unwrap();
    let pid: u32 = line(&mut lines_of(&mut child)).await.parse().unwrap();
    let member = ProcessRef::of(pid).unwrap();
    timeout(LONG, child.wait()).await.unwrap().unwrap();
    assert_eq!(child.process().liveness(), Liveness::Dead);
    child.group().kill();
    assert_eq!(wait_gone(&[member], LONG).await, []);
}

#[tokio::test]
async fn dropping_a_child_kills_its_group() {
    let mut child = shell("sleep 1000 & echo $!; wait", "-").spawn().unwrap();
    let pid: u32 = line(&mut lines_of(&mut child)).await.parse().unwrap();
    let both = [child.process(), ProcessRef::of(pid).unwrap()];
    drop(child);
    assert_eq!(wait_gone(&both, LONG).await, []);
}

#[tokio::test]
async fn wait_gone_names_the_survivors() {
    let mut child = shell("echo ready; read never", "-").spawn().unwrap();
    assert_eq!(line(&mut lines_of(&mut child)).await, "ready");
    let survivors = wait_gone(&[child.process()], Duration::from_millis(30)).await;
    assert_eq!(survivors.len(), 1);
    assert_eq!(survivors[0].process, child.process());
    assert_eq!(survivors[0].group, child.process().pid);
}

#[tokio::test]
async fn a_reference_to_an_earlier_holder_of_the_number_is_never_signalled() {
    let mut child = shell("echo ready; read line; echo alive", "-").spawn().unwrap();
    let mut reader = lines_of(&mut child);
    let mut stdin = child.take_stdin().unwrap();
    assert_eq!(line(&mut reader).await, "ready");
    let real = child.process();
    let earlier = ProcessRef { pid: real.pid, started: real.started - 1 };
    assert_eq!(earlier.liveness(), Liveness::Dead);
    kill_processes(&[earlier]);
    assert_eq!(sweep("nobody-has-this-mark", &[earlier]).await, Sweep::default());
    stdin.write_all(b"go\n").await.unwrap();
    assert_eq!(line(&mut reader).await, "alive");
    child.wait().await.unwrap();
    assert_eq!(real.liveness(), Liveness::Dead);
}

#[tokio::test]
async fn orphans_are_adopted_and_collected_without_taking_our_own_exits() {
    become_subreaper().unwrap();
    let mark = new_mark("reaper");
    let script = "(setsid sh -c 'echo $$; read go < /dev/stdin; exit 5' <&3 &) 3<&0; exit 7";
    let mut child = shell(script, &mark).spawn().unwrap();
    let orphan = ProcessRef::of(line(&mut lines_of(&mut child)).await.parse().unwrap()).unwrap();
    let own = child.process();
    until("our own child is a zombie", || own.liveness() == Liveness::Zombie || own.liveness() == Liveness::Dead).await;
    until("the orphan is adopted", || {
        descendants(std::process::id()).iter().any(|e| e.process == orphan && e.parent == std::process::id())
    })
    .await;
    reap_orphans();
    drop(child.take_stdin());
    until("the orphan was collected", || {
        reap_orphans();
        orphan.liveness() == Liveness::Dead
    })
    .await;
    assert_eq!(child.wait().await.unwrap().code, Some(7), "its exit was not taken by the collection");
}

#[tokio::test]
async fn a_sweep_leaves_what_another_pod_has_below_ours_and_finds_ours_below_another_pods() {
    become_subreaper().unwrap();
    let (mark, inner) = (new_mark("outer"), new_mark("inner"));
    // Below ours an owner without our mark; below that the inner pod's agent, a child of it without a mark, and one of ours.
    let script = format!(
        "OUTRIGGER_POD=owner setsid sh -c 'OUTRIGGER_POD={inner} sh -c \"env -u OUTRIGGER_POD sleep 1011 & echo; wait\" & \
         OUTRIGGER_POD={mark} sleep 1012 & echo; wait' & sleep 1013 & echo; wait"
    );
    let mut child = shell(&script, &mark).spawn().unwrap();
    let root = child.process().pid;
    let sleeps = |of: &[&str]| {
        let below = descendants(root).into_iter().chain(descendants(std::process::id()));
        let mut found: Vec<_> = below.filter(|e| of.contains(&e.command.as_str())).map(|e| e.process).collect();
        found.sort_by_key(|process| process.pid);
        found.dedup();
        found
    };
    until("all three sleep", || sleeps(&["sleep 1011", "sleep 1012", "sleep 1013"]).len() == 3).await;
    until("the marks are there", || all_marked().iter().filter(|m| m.mark == inner).count() == 1).await;
    let parts = part_of_pod(&mark, root);
    assert!(!parts.iter().any(|e| e.command == "sleep 1011"), "{parts:?}");
    assert!(parts.iter().any(|e| e.command == "sleep 1013"), "{parts:?}");
    let known: Vec<ProcessRef> = descendants(root).iter().map(|e| e.process).collect();

    let swept = sweep(&mark, &known).await;
    assert_eq!((swept.survivors.len(), sleeps(&["sleep 1012", "sleep 1013"]).len()), (0, 0), "{swept:?}");
    assert_eq!(sleeps(&["sleep 1011"]).len(), 1, "what belongs to another pod goes on, marked or not");
    // Its owner spares it from a sweep for a third pod, but not from the sweep for its own.
    let owners: Vec<_> = all_marked().into_iter().filter(|m| m.entry.command.contains(&inner)).collect();
    let owners: Vec<_> = owners.iter().filter(|m| m.mark == "owner").map(|m| m.entry.process).collect();
    assert_eq!(owners.len(), 1);
    assert_eq!(sweep_beside(&inner, &[], &owners).await.ended.len(), 2);
    kill_processes(&owners);
    child.wait().await.unwrap();
    assert_eq!(wait_gone(&known, LONG).await, []);
}

#[tokio::test]
async fn the_environment_is_exactly_what_was_given() {
    let mut command = shell("", "the-mark");
    command.program = PathBuf::from("/usr/bin/env");
    command.args.clear();
    let mut child = command.spawn().unwrap();
    let mut reader = lines_of(&mut child);
    let mut lines = Vec::new();
    while let Some(batch) = reader.next_batch().await.unwrap() {
        lines.extend(batch.into_iter().map(|l| String::from_utf8(l.bytes.to_vec()).unwrap()));
    }
    lines.sort();
    assert_eq!(lines, ["OUTRIGGER_POD=the-mark", "PATH=/usr/bin:/bin"]);
    child.wait().await.unwrap();
}

#[tokio::test]
async fn bytes_that_are_no_utf8_and_huge_lines_pass_through_a_real_pipe() {
    let script = r"printf 'bad \377\376 bytes\n'; head -c 12582912 /dev/zero | tr '\0' x; printf '\nafter\n'";
    let mut child = shell(script, "-").spawn().unwrap();
    let mut reader = lines_of(&mut child);
    let mut lines = Vec::new();
    while let Some(batch) = timeout(LONG, reader.next_batch()).await.unwrap().unwrap() {
        lines.extend(batch);
    }
    assert_eq!(&lines[0].bytes[..], b"bad \xff\xfe bytes");
    assert_eq!((lines[1].bytes.len(), lines[1].cut_from), (LINE_BYTES, Some(12 * 1024 * 1024)));
    assert_eq!((&lines[2].bytes[..], lines.len()), (&b"after"[..], 3));
    child.wait().await.unwrap();
}

#[tokio::test]
async fn spawn_errors_say_what_is_wrong_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let failed = |program: PathBuf| {
        let error = Command { program, ..shell("", "-") }.spawn().unwrap_err();
        (error.to_string(), error)
    };
    let (text, error) = failed(folder.path().join("nothing"));
    assert!(matches!(error, SpawnError::NotFound { .. }) && text.contains("no such file"), "{text}");
    let (text, error) = failed(PathBuf::from("surely-no-such-program"));
    assert!(matches!(error, SpawnError::NotFound { .. }) && text.contains("PATH"), "{text}");
    let (text, error) = failed(file("script", "#!/no/such/interpreter\n", 0o755));
    assert!(matches!(error, SpawnError::NotFound { .. }) && text.contains("interpreter"), "{text}");
    let (text, error) = failed(file("plain", "#!/bin/sh\n", 0o644));
    assert!(matches!(error, SpawnError::NotExecutable { .. }) && text.contains("chmod +x"), "{text}");
    let (text, error) = failed(folder.path().to_path_buf());
    assert!(matches!(error, SpawnError::NotExecutable { .. }), "{text}");
    let gone = Command { cwd: folder.path().join("gone"), ..shell("true", "-") }.spawn().unwrap_err();
    assert!(matches!(&gone, SpawnError::CwdMissing { cwd, .. } if cwd.ends_with("gone")), "{gone}");
    let long = Command { args: vec!["x".repeat(4 << 20).into()], ..shell("", "-") }.spawn().unwrap_err();
    assert!(matches!(long, SpawnError::Other { .. }) && long.to_string().contains("shorten"), "{long}");
}
