//! Twenty sessions use one instance of a sidecar: one process where others would have twenty.

use std::collections::HashSet;
use std::fs;
use std::time::Instant;

use outrigger_tests::{DEADLINE, Home};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::sidecars_stage::{Agent, Answer, call, none, own, stop_everything, view};
use crate::stage;

const SESSIONS: usize = 20;

/// What the processes of the sidecar take.
#[derive(Debug, Clone, Copy)]
struct Taken {
    processes: usize,
    /// Proportional set size, in MiB.
    pss: f64,
}

fn taken(home: &Home) -> Taken {
    let found = home.processes();
    let sidecars: Vec<u32> =
        found.iter().filter(|process| process.command.contains("sidecar.mjs")).map(|process| process.pid).collect();
    let pss = sidecars.iter().map(|pid| kib(*pid)).sum::<f64>() / 1024.0;
    Taken { processes: sidecars.len(), pss }
}

fn kib(pid: u32) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

/// So many sessions that have called the sidecar once, and the processes that answered.
fn sessions<'a>(home: &'a Home, pid: &str) -> (Vec<Agent<'a>>, HashSet<String>) {
    let mut agents: Vec<Agent<'a>> = (0..SESSIONS).map(|_| Agent::start(home, &[])).collect();
    let pids = agents.iter_mut().map(|agent| agent.call(pid, &none()).text).collect();
    (agents, pids)
}

#[test]
fn one_instance_serves_twenty_sessions_and_its_death_is_told_to_each() {
    let home = stage::home();
    own(&home, "shared", "plain", "share = \"machine\"");
    own(&home, "other", "plain", "[timeouts]\ncall = \"60s\"");
    let (mut agents, pids) = sessions(&home, "shared__pid");
    assert_eq!(pids.len(), 1, "{pids:?}");
    assert_eq!(view(&home, "shared")["users"].as_array().unwrap().len(), SESSIONS);
    let gates: Vec<_> = (0..SESSIONS).map(|number| home.workspace().join(format!("gate{number}"))).collect();
    let lines: Vec<String> = gates.iter().map(|gate| call("shared__gate", &json!({ "file": gate }))).collect();
    agents.iter().zip(&lines).for_each(|(agent, line)| agent.begin(line));
    for gate in &gates {
        let end = Instant::now() + DEADLINE;
        while !gate.with_extension("waiting").exists() {
            assert!(Instant::now() < end, "{} is not waited for", gate.display());
            std::thread::yield_now();
        }
    }
    let pid: i32 = pids.iter().next().unwrap().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    for (agent, line) in agents.iter_mut().zip(&lines) {
        Answer::of(&agent.answer(line)).fails("before it answered");
    }
    agents[0].call("of_other", &none()).says("was called");
    let again: HashSet<String> = agents.iter_mut().map(|agent| agent.call("shared__pid", &none()).text).collect();
    assert!(again.len() == 1 && again != pids, "{again:?}");
    stop_everything(&home);
}

#[test]
fn twenty_sessions_take_the_memory_of_one_sidecar() {
    let figures = ["machine", "session"].map(|share| {
        let home = stage::home();
        own(&home, "one", "plain", &format!("share = {share:?}"));
        let (agents, pids) = sessions(&home, "pid");
        let taken = taken(&home);
        assert_eq!(taken.processes, pids.len());
        drop(agents);
        stop_everything(&home);
        taken
    });
    let [shared, private] = figures;
    assert_eq!((shared.processes, private.processes), (1, SESSIONS));
    println!(
        "{SESSIONS} sessions: shared {} process, {:.1} MiB PSS; private {} processes, {:.1} MiB PSS",
        shared.processes, shared.pss, private.processes, private.pss
    );
    assert!(shared.pss * 5.0 < private.pss, "{shared:?} beside {private:?}");
}
