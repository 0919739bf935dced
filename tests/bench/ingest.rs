//! Budgets 1 and 2: a runner's stream → keeper → journal on disk and one live subscriber, beside `tee` and beside the
//! straightforward readers of the field.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use client::{Machine, keeper_process};
use discovery::Places;
use protocol::SessionId;
use protocol::pod::{IfBusy, PromptParams, SubscribeParams, Want};
use protocol::session::{KeeperOrder, StartSession};

use crate::table::{Budget, Row, Table};
use crate::{events, field_readers, memory};

/// A shell script as runner: says ready, waits for the query, passes on a file. It costs next to nothing beside `cat`.
const RUNNER: &str = r#"printf '%s\n' '{"type":"ready","protocol":1,"provider":"bench","runnerVersion":"1","capabilities":{}}'
read -r query
exec cat "$OUTRIGGER_BENCH_EVENTS" -
"#;

/// Measures both budgets on the same stream.
pub(crate) fn measure(table: &mut Table) {
    let folder = tempfile::Builder::new().prefix("or-bench-").tempdir().unwrap();
    let (file, lines) = events::write(folder.path());
    let mib = std::fs::metadata(&file).unwrap().len() as f64 / (1024.0 * 1024.0);
    eprintln!("   {mib:.0} MiB, {lines} lines");
    let (ours, peak) = keeper(folder.path(), &file);
    let ours = mib / ours;
    let tee = mib / tee(folder.path(), &file);
    table.add(Row {
        name: "1 ingest".into(),
        ours,
        reference: tee,
        unit: "MiB/s",
        budget: Budget::TimesReference(0.7),
    });
    table.add(Row {
        name: "1 keeper's peak memory while ingesting".into(),
        ours: peak,
        reference: mib,
        unit: "MiB",
        budget: Budget::Absolute(32.0),
    });
    let javascript = mib / field_readers::javascript(folder.path(), &file);
    table.add(Row {
        name: "2a beside a JavaScript host".into(),
        ours,
        reference: javascript,
        unit: "MiB/s",
        budget: Budget::TimesReference(8.0),
    });
    let lines_loop = mib / field_readers::lines_loop(folder.path(), &file);
    table.add(Row {
        name: "2b beside a tokio lines loop".into(),
        ours,
        reference: lines_loop,
        unit: "MiB/s",
        budget: Budget::TimesReference(10.0),
    });
}

/// Seconds from the prompt until the subscriber has the end of the turn, and the keeper's peak memory in MiB.
fn keeper(folder: &Path, file: &Path) -> (f64, f64) {
    let machine = Machine { places: Places::under(folder), resource_dirs: Vec::new(), program: memory::program() };
    machine.places.prepare().unwrap();
    let runner = folder.join("runner.sh");
    std::fs::write(&runner, RUNNER).unwrap();
    let order = order(&machine, folder, &runner, file);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pod = keeper_process::start(&machine, &order).await.unwrap();
        let mut asking = client::PodConnection::open(&pod, "bench").await.unwrap();
        let reading = client::PodConnection::open(&pod, "bench").await.unwrap();
        let params = SubscribeParams { from_seq: 0, want: Want::Records, deltas: false };
        let (_, mut events) = reading.subscribe(params).await.unwrap();
        let began = Instant::now();
        let prompt = PromptParams { text: "go".into(), attachments: Vec::new(), if_busy: IfBusy::Reject, from: None };
        asking.prompt(prompt).await.unwrap();
        let mut last = 0;
        'turn: while let Some(lines) = events.next_raw().await {
            for line in lines {
                if ends_turn(&line.bytes) {
                    break 'turn;
                }
                last += 1;
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        assert!(last > 0);
        let peak = memory::peak(pod.pid);
        asking.stop(false).await.unwrap();
        (seconds, peak)
    })
}

/// Looks for the end of the turn in the last part of a notification, without parsing it all: the bench measures the keeper.
fn ends_turn(line: &[u8]) -> bool {
    let tail = &line[line.len().saturating_sub(4096)..];
    tail.windows(12).any(|window| window == b"\"turn_ended\"")
}

fn order(machine: &Machine, folder: &Path, runner: &Path, file: &Path) -> KeeperOrder {
    let path = |path: &Path| path.display().to_string();
    let environment = [
        ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
        ("OUTRIGGER_BENCH_EVENTS".to_owned(), path(file)),
    ];
    KeeperOrder {
        session: SessionId::new(),
        start: StartSession::new("bench", path(folder)),
        sessions: path(&machine.places.sessions),
        run: path(&machine.places.run),
        logs: path(&machine.places.logs),
        environment: environment.into_iter().collect(),
        runtime: vec!["/bin/sh".to_owned()],
        runner: path(runner),
        cli: None,
        cli_version: None,
        adapter: "claude".to_owned(),
        provider_name: "bench".to_owned(),
        ledger: None,
        health: protocol::health::HealthThresholds::default(),
        workspace_rules: None,
        config: None,
        program: None,
        pod_tools: false,
        write_paths: Vec::new(),
        read_paths: Vec::new(),
    }
}

/// Seconds for `tee` to write the same stream, read from the same kind of pipe.
fn tee(folder: &Path, file: &Path) -> f64 {
    let journal = folder.join("tee.ndjson");
    let began = Instant::now();
    let mut cat = Command::new("cat").arg(file).stdout(Stdio::piped()).spawn().unwrap();
    let from = cat.stdout.take().unwrap();
    let tee = Command::new("tee").arg(&journal).stdin(from).stdout(Stdio::null()).status().unwrap();
    assert!(tee.success() && cat.wait().unwrap().success());
    began.elapsed().as_secs_f64()
}
