//! 10 GiB of journals in the archive: how long until they can be searched, with how much memory, and what when it is interrupted?

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{at_most, beside, timed, told};
use crate::table::Table;
use crate::{journals, memory, options, search};

const MIB: u64 = 10 * 1024;
const SESSIONS: u64 = 320;
const RUNS: usize = 3;
/// After so long the first attempt is killed.
const KILLED_AFTER: Duration = Duration::from_secs(15);
/// What the process may have while it takes in all of them.
const MOST_MIB: f64 = 128.0;

/// Writes the journals, takes them in in two attempts, and searches.
pub(crate) fn measure(table: &mut Table) {
    let mib = options::mib_or(MIB);
    // Below the project: the system's folder for temporary files may be one in memory.
    let folder = outrigger_tests::project().join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    let home = tempfile::Builder::new().prefix("or-scale-").tempdir_in(folder).unwrap();
    let sessions = home.path().join("outrigger/data/sessions");
    let (time, rounds) = timed(|| journals::write(&sessions, SESSIONS, mib * 1024 * 1024));
    eprintln!("   {mib} MiB of journals are written in {:.0} s", time / 1000.0);
    let mut first = take_in(home.path());
    let (killed, _) = ended(&mut first, Some(KILLED_AFTER));
    let archive = home.path().join("outrigger/data/archive.sqlite3");
    let size = |file: &Path| file.metadata().map_or(0.0, |file| file.len() as f64 / 1_048_576.0);
    let before = size(&archive);
    let behind = search::ours(home.path(), "lighthouse", &[]);
    told(table, "10 GiB: a search of a common word while much is missing", behind, "ms");
    let (seconds, peak) = ended(&mut take_in(home.path()), None);
    told(table, "10 GiB: taken in", mib as f64 / (killed + seconds), "MiB/s");
    told(table, "10 GiB: of it after it was killed once", seconds, "s");
    at_most(table, "10 GiB: memory of the process that takes in", peak, MOST_MIB, "MiB");
    assert!(before > 0.0, "nothing was kept of the attempt that was killed");
    beside(table, "10 GiB: size of the archive beside the journals'", size(&archive), mib as f64, "MiB");
    search::compare(table, "scale: 10 GiB:", home.path(), &journals::rare(rounds / 2), RUNS);
}

fn take_in(home: &Path) -> Child {
    let mut command = Command::new(memory::program());
    command.args(["search", "--json", "--wait", "word"]).env("OUTRIGGER_HOME", home.join("outrigger"));
    command.env("OUTRIGGER_ROOT", outrigger_tests::project()).stdout(Stdio::null()).spawn().unwrap()
}

/// How many seconds it ran, and the most memory in MiB that it had.
fn ended(child: &mut Child, kill_after: Option<Duration>) -> (f64, f64) {
    let (began, mut peak) = (Instant::now(), 0.0_f64);
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(memory::peak(child.id()));
        if kill_after.is_some_and(|after| began.elapsed() > after) {
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    (began.elapsed().as_secs_f64(), peak)
}
