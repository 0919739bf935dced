//! What can happen to a home, and doing it. An event picks its victim by a number of the plan among those who are there now.
//!
//! Left out: the tool bridge, which is not there yet, and a clock that goes backwards, which cannot be had for some processes only.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use shared_child::unix::SharedChildExt;

use crate::census::{Keeper, Process, signal};
use crate::damage::{destroy_record, unattended};
use crate::disk::Disk;
use crate::look::look;
use crate::options::Options;
use crate::world::{Role, World};

/// One way to break something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    KillKeeper,
    KillRunner,
    KillCli,
    KillTool,
    KillReader,
    KillClient,
    StopReader,
    StopKeeper,
    KillPod,
    Reboot,
    TearTail,
    DestroyRecord,
    FillDisk,
    BreakLedger,
    KillWindow,
    KillPage,
}

/// Every event with how often it comes up and its name in the table.
const EVENTS: [(Event, usize, &str); 16] = [
    (Event::KillKeeper, 10, "kill -9 keeper"),
    (Event::KillRunner, 8, "kill -9 runner"),
    (Event::KillCli, 8, "kill -9 CLI"),
    (Event::KillTool, 6, "kill -9 tool"),
    (Event::KillReader, 6, "kill -9 reader"),
    (Event::KillClient, 4, "kill -9 client"),
    (Event::StopReader, 4, "reader stopped for a while"),
    (Event::StopKeeper, 3, "keeper stopped for a while"),
    (Event::KillPod, 4, "kill -9 whole pod"),
    (Event::Reboot, 1, "reboot: all killed, sockets gone"),
    (Event::TearTail, 4, "journal's tail torn"),
    (Event::DestroyRecord, 4, "record in a journal's middle unreadable"),
    (Event::FillDisk, 2, "disk full for a second"),
    (Event::BreakLedger, 1, "ledger overwritten"),
    // Last, so that a plan without a window is the same as ever. A page that is lost more than six times in a minute stays away.
    (Event::KillWindow, 3, "kill -9 window"),
    (Event::KillPage, 3, "kill -9 web page"),
];

impl Event {
    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        EVENTS.iter().find(|(event, _, _)| *event == self).map_or("", |(_, _, name)| name)
    }

    /// Those that can happen in such a run, in the table's order.
    pub(crate) fn all(options: &Options) -> impl Iterator<Item = Self> {
        let Options { real: agents_are_real, window, .. } = *options;
        let may_happen = move |event: &Self| match event {
            // The demo agent has no CLI.
            Self::KillCli => agents_are_real,
            // A real CLI keeps its conversation on the same disk, and what becomes of it there is not ours.
            Self::FillDisk => !agents_are_real,
            Self::KillWindow | Self::KillPage => window,
            Self::KillKeeper
            | Self::KillRunner
            | Self::KillTool
            | Self::KillReader
            | Self::KillClient
            | Self::StopReader
            | Self::StopKeeper
            | Self::KillPod
            | Self::Reboot
            | Self::TearTail
            | Self::DestroyRecord
            | Self::BreakLedger => true,
        };
        EVENTS.iter().map(|(event, _, _)| *event).filter(may_happen)
    }

    fn weight(self) -> usize {
        EVENTS.iter().find(|(event, _, _)| *event == self).map_or(0, |(_, weight, _)| *weight)
    }
}

/// Deals events: every one as often as its weight says before any comes again, so that a short run has them all.
pub(crate) struct Deck {
    all: Vec<Event>,
    cards: Vec<Event>,
}

impl Deck {
    /// Without a card; the first draw shuffles.
    pub(crate) fn new(all: impl Iterator<Item = Event>) -> Self {
        Self { all: all.collect(), cards: Vec::new() }
    }

    /// The next event of the plan.
    pub(crate) fn draw(&mut self, random: &mut fastrand::Rng) -> Event {
        if self.cards.is_empty() {
            self.cards = self.all.iter().flat_map(|event| (0..event.weight()).map(|_| *event)).collect();
            random.shuffle(&mut self.cards);
        }
        self.cards.pop().unwrap_or(Event::KillKeeper)
    }
}

/// Does events, and undoes those that last for a while.
pub(crate) struct Doer<'a> {
    world: &'a World,
    disk: Disk,
    undo: Vec<(Instant, Undo)>,
}

/// What is to be undone.
enum Undo {
    WakeReaders,
    WakeKeeper(Keeper),
    EmptyDisk,
}

impl<'a> Doer<'a> {
    pub(crate) fn new(world: &'a World, disk: Disk) -> Self {
        Self { world, disk, undo: Vec::new() }
    }

    /// The disk, with its room.
    pub(crate) fn into_disk(mut self) -> Disk {
        self.undo_all();
        self.disk
    }

    /// Does it to somebody. `pick` chooses whom, `lasts` for how long.
    pub(crate) fn happen(&mut self, event: Event, pick: usize, lasts: Duration) {
        let victim = match event {
            Event::KillKeeper => self.kill_keeper(pick),
            Event::KillRunner => self.kill_below(pick, is_runner),
            Event::KillCli => self.kill_below(pick, is_cli),
            Event::KillTool => self.kill_below(pick, |process| !is_runner(process) && !is_cli(process)),
            Event::KillReader => self.kill_command(Role::Reader, pick),
            Event::KillClient => self.kill_command(Role::Client, pick),
            Event::StopReader => self.stop_reader(pick, lasts),
            Event::StopKeeper => self.stop_keeper(pick, lasts),
            Event::KillPod => self.kill_pod(pick),
            Event::Reboot => self.reboot(),
            Event::TearTail => self.tear_tail(pick),
            Event::DestroyRecord => destroy_record(self.world, pick),
            Event::FillDisk => self.fill_disk(),
            Event::BreakLedger => self.break_ledger(pick),
            Event::KillWindow => self.world.window.as_ref().and_then(|window| window.kill_app(self.world)),
            Event::KillPage => self.world.window.as_ref().and_then(|window| window.kill_page(self.world)),
        };
        if let Some(victim) = victim {
            self.world.findings.count(event.name(), 1);
            self.world.findings.write(&format!("{}: {victim}", event.name()));
        }
    }

    /// Undoes what has lasted long enough.
    pub(crate) fn undo_due(&mut self, now: Instant) {
        let (due, later) = std::mem::take(&mut self.undo).into_iter().partition(|(at, _)| *at <= now);
        self.undo = later;
        self.undo_these(due);
    }

    /// Undoes everything.
    pub(crate) fn undo_all(&mut self) {
        let all = std::mem::take(&mut self.undo);
        self.undo_these(all);
    }

    fn undo_these(&mut self, these: Vec<(Instant, Undo)>) {
        for (_, undo) in these {
            match undo {
                Undo::WakeReaders => self.world.wake_readers(),
                Undo::WakeKeeper(keeper) => drop(signal(keeper.pid, keeper.started, Signal::CONT)),
                Undo::EmptyDisk => self.disk.empty(),
            }
        }
    }

    fn keeper(&self, pick: usize) -> Option<(usize, Keeper)> {
        chosen(&self.world.live_keepers(), pick).copied()
    }

    fn name(&self, session: usize) -> &str {
        &self.world.sessions[session].id
    }

    fn kill_keeper(&self, pick: usize) -> Option<String> {
        let (session, keeper) = self.keeper(pick)?;
        signal(keeper.pid, keeper.started, Signal::KILL).then(|| format!("{} of {}", keeper.pid, self.name(session)))
    }

    fn kill_below(&self, pick: usize, wanted: impl Fn(&Process) -> bool) -> Option<String> {
        let census = self.world.census();
        let below = self.world.live_keepers().into_iter().flat_map(|(_, keeper)| census.below(keeper.pid));
        let victims: Vec<&Process> = below.filter(|process| wanted(process)).collect();
        let victim = chosen(&victims, pick)?;
        signal(victim.pid, victim.started, Signal::KILL).then(|| format!("{} {}", victim.pid, victim.command))
    }

    fn kill_command(&self, role: Role, pick: usize) -> Option<String> {
        let running = self.world.running(role);
        let victim = chosen(&running, pick)?;
        victim.kill().is_ok().then(|| victim.id().to_string())
    }

    fn stop_reader(&mut self, pick: usize, lasts: Duration) -> Option<String> {
        let running = self.world.running(Role::Reader);
        let victim = chosen(&running, pick)?;
        victim.send_signal(Signal::STOP.as_raw()).ok()?;
        self.undo.push((Instant::now() + lasts, Undo::WakeReaders));
        Some(victim.id().to_string())
    }

    fn stop_keeper(&mut self, pick: usize, lasts: Duration) -> Option<String> {
        let (session, keeper) = self.keeper(pick)?;
        if !signal(keeper.pid, keeper.started, Signal::STOP) {
            return None;
        }
        self.undo.push((Instant::now() + lasts, Undo::WakeKeeper(keeper)));
        Some(format!("{} of {}", keeper.pid, self.name(session)))
    }

    fn kill_pod(&self, pick: usize) -> Option<String> {
        let (session, keeper) = self.keeper(pick)?;
        let census = self.world.census();
        let killed = census.below(keeper.pid).iter().filter(|one| signal(one.pid, one.started, Signal::KILL)).count();
        signal(keeper.pid, keeper.started, Signal::KILL)
            .then(|| format!("{} and {killed} below it", self.name(session)))
    }

    /// Kills everybody of the home again and again, since a dying one may have started another, and removes the sockets.
    fn reboot(&self) -> Option<String> {
        let killed = match &self.world.window {
            Some(window) => window.is_killed_by(self.world, || self.kill_all()),
            None => self.kill_all(),
        };
        for entry in fs::read_dir(self.world.home.path().join("run")).into_iter().flatten().flatten() {
            // One that cannot be removed is found at the end.
            let _ = fs::remove_file(entry.path());
        }
        look(self.world);
        Some(format!("{killed} processes"))
    }

    fn kill_all(&self) -> usize {
        let mut killed = 0;
        for _ in 0..50 {
            let census = self.world.census();
            let all: Vec<&Process> = census.ours().collect();
            if all.is_empty() {
                break;
            }
            killed += all.iter().filter(|one| signal(one.pid, one.started, Signal::KILL)).count();
        }
        killed
    }

    /// Half a record at the end of a journal that nobody writes. The session's lease is held meanwhile, so that it stays so.
    fn tear_tail(&self, pick: usize) -> Option<String> {
        let (session, _lease) = unattended(self.world, pick)?;
        let mut journal = OpenOptions::new().append(true).open(session.folder.join("journal.ndjson")).ok()?;
        let half = b"{\"seq\":99999,\"at\":\"2026-01-01T00:00:00.000Z\",\"src\":\"runner\",\"gen\":1,\"line\":{\"type\":\"agent_ev";
        journal.write_all(&half[..20 + pick % (half.len() - 20)]).is_ok().then(|| session.id.clone())
    }

    fn fill_disk(&mut self) -> Option<String> {
        self.disk.fill().then(|| {
            self.undo.push((Instant::now() + Duration::from_secs(1), Undo::EmptyDisk));
            "until it is emptied".to_owned()
        })
    }

    fn break_ledger(&self, pick: usize) -> Option<String> {
        let path = self.world.home.path().join("data/ledger.sqlite3");
        let length = fs::metadata(&path).ok()?.len();
        let mut file = OpenOptions::new().write(true).open(&path).ok()?;
        let at = if pick.is_multiple_of(2) { 0 } else { length / 2 };
        file.seek(SeekFrom::Start(at)).ok()?;
        file.write_all(&[0x5a; 4096]).ok()?;
        Some(format!("4096 bytes at {at} of {length}"))
    }
}

/// Whether it drives a provider.
pub(crate) fn is_runner(process: &Process) -> bool {
    process.command.contains("/runners/")
}

/// Whether it is a provider's own program. The demo agent has none.
pub(crate) fn is_cli(process: &Process) -> bool {
    !is_runner(process) && (process.command.contains("stream-json") || process.command.contains("app-server"))
}

fn chosen<T>(all: &[T], pick: usize) -> Option<&T> {
    if all.is_empty() { None } else { all.get(pick % all.len()) }
}
