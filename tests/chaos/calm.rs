//! The checks in a moment of calm: no events, no prompts. After `outrigger ps` has looked, everything must agree soon: the lists, the
//! session folders, the ledger and the process table.

use std::time::{Duration, Instant};

use crate::census::{Keeper, signal};
use crate::findings::Fault;
use crate::journals::mark;
use crate::look::{Listed, look};
use crate::world::World;
use crate::{ledger, processes};

/// A crash's leftovers are gone, and starts are over, within this time, on a machine that is busy with twenty sessions.
const SETTLES: Duration = Duration::from_secs(30);

/// Waits until everything agrees; tells what still does not after [`SETTLES`].
pub(crate) fn check(world: &World) {
    let until = Instant::now() + SETTLES;
    loop {
        let wrong = disagreements(world);
        if wrong.is_empty() {
            break;
        }
        if Instant::now() > until {
            wrong.into_iter().for_each(|wrong| wrong.tell(world));
            break;
        }
        // The pause between two looks, as a user's window has it.
        std::thread::park_timeout(Duration::from_millis(300));
    }
    world.findings.count("moments of calm", 1);
    for session in &world.sessions {
        mark(session, &world.findings);
    }
}

/// What does not agree.
enum Disagreement {
    Stray { pid: u32, started: u64, command: String },
    State(String),
    Ledger(String),
    Processes(String),
}

impl Disagreement {
    fn tell(self, world: &World) {
        match self {
            Self::Stray { pid, started, command } => {
                world.findings.add(Fault::LeftOver, format!("process {pid} has no live keeper: {command}"));
                // So that each is found once, and the end is judged by itself.
                signal(pid, started, rustix::process::Signal::KILL);
            }
            Self::State(what) => world.findings.add(Fault::WrongState, what),
            Self::Ledger(what) => world.findings.add(Fault::WrongLedger, what),
            Self::Processes(what) => world.findings.add(Fault::WrongProcesses, what),
        }
    }
}

fn disagreements(world: &World) -> Vec<Disagreement> {
    let Some(listed) = look(world) else { return vec![Disagreement::State("ps did not answer".to_owned())] };
    let keepers = world.live_keepers();
    let known: Vec<Keeper> = keepers.iter().map(|(_, keeper)| *keeper).collect();
    let strays = world.census().strays(&known).into_iter().map(|process| Disagreement::Stray {
        pid: process.pid,
        started: process.started,
        command: process.command,
    });
    let states = world.sessions.iter().enumerate().filter_map(|(index, session)| {
        let lives = keepers.iter().any(|(its, _)| *its == index);
        let agrees = match listed[index] {
            Listed::Idle | Listed::Busy => lives,
            Listed::Ended | Listed::Interrupted => !lives,
            Listed::Unknown | Listed::Missing => false,
        };
        (!agrees).then(|| {
            let what = if lives { "lives" } else { "is gone" };
            Disagreement::State(format!("{}: listed as {:?} while its keeper {what}", session.id, listed[index]))
        })
    });
    let ledger = ledger::disagreements(world, &listed).into_iter().map(Disagreement::Ledger);
    let processes = processes::disagreements(world).into_iter().map(Disagreement::Processes);
    strays.chain(states).chain(ledger).chain(processes).collect()
}
