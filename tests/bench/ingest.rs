//! Budgets 1 and 2: a runner's stream → keeper → journal on disk and one live subscriber, beside `tee` and beside the
//! straightforward readers of the field.
//!
//! All write to the same disk and are given the same file through the same kind of pipe, in turn. The keeper puts its journal on the
//! disk every second, which none of the others does; what that costs is seen beside a `tee` whose file is flushed as often.

use std::path::Path;
use std::time::{Duration, Instant};

use client::{Machine, Subscription, keeper_process};
use discovery::Places;
use protocol::SessionId;
use protocol::pod::{IfBusy, PromptParams, SubscribeParams, Want};
use protocol::session::{KeeperOrder, StartSession};

use crate::field_readers::Least;
use crate::picture::{Axis, Picture, plain, power};
use crate::table::{Budget, Row, Table, median};
use crate::{events, field_readers, memory, options};

/// A shell script as runner: says ready, waits for the query, passes on a file. It costs next to nothing beside `cat`.
const RUNNER: &str = r#"printf '%s\n' '{"type":"ready","protocol":1,"provider":"bench","runnerVersion":"1","capabilities":{}}'
read -r query
exec cat "$OUTRIGGER_BENCH_EVENTS" -
"#;
/// How often each is measured.
const RUNS: usize = 3;
/// Lengths of lines for the curve, in bytes.
const LENGTHS: [usize; 7] = [128, 512, 2048, 8192, 32_768, 131_072, 524_288];
/// The stream of each length, in bytes.
const CURVE: usize = 64 << 20;
/// Between two looks at the keeper's memory.
const LOOK: Duration = Duration::from_millis(20);

/// Measures both budgets on the same stream.
pub(crate) fn measure(table: &mut Table) {
    let folder = tempfile::Builder::new().prefix("or-bench-").tempdir().unwrap();
    let (file, lines) = events::write(folder.path());
    let mib = mib(&file);
    eprintln!("   {mib:.0} MiB, {lines} lines");
    let (mut keepers, mut tees, mut flushed) = (Vec::new(), Vec::new(), Vec::new());
    let runs = if options::is_quick() { 1 } else { RUNS };
    for _ in 0..runs {
        keepers.push(keeper(folder.path(), &file));
        tees.push(mib / field_readers::tee(folder.path(), &file, None));
        flushed.push(mib / field_readers::tee(folder.path(), &file, Some(Duration::from_secs(1))));
    }
    let ours = median(keepers.iter().map(|run| mib / run.seconds).collect());
    let speed = |name: &str, reference, budget| Row { name: name.to_owned(), ours, reference, unit: "MiB/s", budget };
    table.add(speed("1 ingest", median(tees), Budget::TimesReference(0.7)));
    let name = "1 ingest beside a tee that is flushed as often";
    table.add(speed(name, median(flushed), Budget::Absolute(f64::INFINITY)));
    for (does, least) in [("splits and frames", Least::Frames), ("reads each line too", Least::FramesAndReads)] {
        let bare = mib / field_readers::bare_loop(folder.path(), &file, least);
        let name = format!("1 ingest beside a bare loop with a subscriber that {does}");
        table.add(speed(&name, bare, Budget::Absolute(f64::INFINITY)));
    }
    memory_rows(table, &keepers, mib);
    let javascript = mib / field_readers::javascript(folder.path(), &file);
    table.add(speed("2a beside a JavaScript host", javascript, Budget::TimesReference(8.0)));
    let lines_loop = mib / field_readers::lines_loop(folder.path(), &file);
    table.add(speed("2b beside a tokio lines loop", lines_loop, Budget::TimesReference(10.0)));
    if !options::is_quick() {
        curve();
    }
}

/// That memory is flat: how high it gets, and whether the end of the stream stands higher than its second quarter. In the first one
/// the buffers come to their size.
fn memory_rows(table: &mut Table, runs: &[Run], mib: f64) {
    let peak = runs.iter().map(|run| run.peak).fold(0.0, f64::max);
    let row = |name: &str, ours, reference, budget| Row { name: name.to_owned(), ours, reference, unit: "MiB", budget };
    table.add(row("1 keeper's peak memory while ingesting", peak, mib, Budget::Absolute(32.0)));
    let highest = |from: f64, to: f64| {
        let within = |run: &Run| {
            let (from, to) = (from * run.seconds, to * run.seconds);
            run.memory.iter().filter(|(at, _)| (from..=to).contains(at)).map(|(_, mib)| *mib).fold(0.0, f64::max)
        };
        median(runs.iter().map(within).collect())
    };
    let (second, last) = (highest(0.25, 0.5), highest(0.75, 1.0));
    table.add(row("1 its memory in the last quarter, beside the second", last, second, Budget::ReferencePlus(2.0)));
    let lines = runs.iter().enumerate().map(|(at, run)| (format!("run {}", at + 1), run.memory.clone())).collect();
    let longest = runs.iter().map(|run| run.seconds).fold(0.0, f64::max);
    let picture = Picture {
        name: "ingest-memory",
        title: "Memory of a keeper while a stream goes through it",
        across: Axis { title: "seconds", from: 0.0, to: longest, words: plain },
        up: Axis { title: "MiB", from: 0.0, to: peak * 1.5, words: plain },
        lines,
    };
    picture.write();
}

/// Throughput over the length of a line.
fn curve() {
    let (mut ours, mut tee) = (Vec::new(), Vec::new());
    for length in LENGTHS {
        let folder = tempfile::Builder::new().prefix("or-bench-").tempdir().unwrap();
        let file = events::of_length(folder.path(), length, CURVE);
        let (mut keepers, mut tees) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            keepers.push(mib(&file) / keeper(folder.path(), &file).seconds);
            tees.push(mib(&file) / field_readers::tee(folder.path(), &file, None));
        }
        let at = (length as f64).log10();
        ours.push((at, median(keepers)));
        tee.push((at, median(tees)));
        eprintln!("   lines of {length} B: {:.0} MiB/s, tee {:.0} MiB/s", ours[ours.len() - 1].1, tee[tee.len() - 1].1);
    }
    let most = ours.iter().chain(&tee).map(|(_, speed)| *speed).fold(0.0, f64::max);
    let picture = Picture {
        name: "ingest",
        title: "Throughput of a keeper over the length of a line",
        across: Axis { title: "bytes of a line", from: 2.0, to: 6.0, words: power },
        up: Axis { title: "MiB a second", from: 0.0, to: most * 1.3, words: plain },
        lines: vec![("tee".to_owned(), tee), ("keeper, journal and a subscriber".to_owned(), ours)],
    };
    picture.write();
}

/// One stream through a keeper.
struct Run {
    /// From the prompt until the subscriber has the end of the turn.
    seconds: f64,
    /// The keeper's memory at its highest, in MiB.
    peak: f64,
    /// Its memory over time: seconds and MiB.
    memory: Vec<(f64, f64)>,
}

fn keeper(folder: &Path, file: &Path) -> Run {
    let home = tempfile::tempdir_in(folder).unwrap();
    let machine = machine(home.path());
    let order = runner_order(&machine, home.path(), RUNNER, file);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pod = keeper_process::start(&machine, &order).await.unwrap();
        let mut asking = client::PodConnection::open(&pod, "bench").await.unwrap();
        let reading = client::PodConnection::open(&pod, "bench").await.unwrap();
        let params = SubscribeParams { from_seq: 0, want: Want::Records, deltas: false };
        let (_, mut events) = reading.subscribe(params).await.unwrap();
        let watching = memory::Watch::begin(pod.pid, LOOK);
        let began = Instant::now();
        asking.prompt(prompt()).await.unwrap();
        turn_is_over(&mut events).await;
        let seconds = began.elapsed().as_secs_f64();
        let memory = watching.end();
        let peak = memory::peak(pod.pid);
        asking.stop(false).await.unwrap();
        Run { seconds, peak, memory }
    })
}

/// Reads all events up to the end of the turn.
pub(crate) async fn turn_is_over(events: &mut Subscription) {
    let mut seen = 0;
    while let Some(lines) = events.next_raw().await {
        seen += lines.len();
        if lines.iter().any(|line| ends_turn(&line.bytes)) {
            assert!(seen > 0);
            return;
        }
    }
    panic!("the session ended before its turn");
}

/// Looks for the end of the turn in the last part of a notification, without parsing it all: the bench measures the keeper.
fn ends_turn(line: &[u8]) -> bool {
    let tail = &line[line.len().saturating_sub(4096)..];
    tail.windows(12).any(|window| window == b"\"turn_ended\"")
}

/// Folders below this one.
pub(crate) fn machine(folder: &Path) -> Machine {
    let machine = Machine { places: Places::under(folder), resource_dirs: Vec::new(), program: memory::program() };
    machine.places.prepare().unwrap();
    machine
}

/// Something to begin with.
pub(crate) fn prompt() -> PromptParams {
    PromptParams { text: "go".into(), attachments: Vec::new(), if_busy: IfBusy::Reject, from: None }
}

/// A session whose runner is this shell script and finds what it says in `events`.
pub(crate) fn runner_order(machine: &Machine, folder: &Path, script: &str, events: &Path) -> KeeperOrder {
    let path = |path: &Path| path.display().to_string();
    let runner = folder.join("runner.sh");
    std::fs::write(&runner, script).unwrap();
    let environment = [
        ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
        ("OUTRIGGER_BENCH_EVENTS".to_owned(), path(events)),
    ];
    KeeperOrder {
        session: SessionId::new(),
        start: StartSession::new("bench", path(folder)),
        sessions: path(&machine.places.sessions),
        run: path(&machine.places.run),
        logs: path(&machine.places.logs),
        environment: environment.into_iter().collect(),
        runtime: vec!["/bin/sh".to_owned()],
        runner: path(&runner),
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

fn mib(file: &Path) -> f64 {
    std::fs::metadata(file).unwrap().len() as f64 / f64::from(1 << 20)
}
