//! The end of a run: every session takes one more prompt and completes its turn, everything is stopped, and nothing is left.

use std::collections::VecDeque;
use std::fs;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::census::Keeper;
use crate::findings::{Fault, lock};
use crate::look::{Listed, look};
use crate::world::{Role, Session, World};

/// A turn of the demo agent takes a second; one more that it was at may come before.
const TURN: Duration = Duration::from_secs(60);
/// The whole stop ladder and a little more.
const ALL_GONE: Duration = Duration::from_secs(20);
/// Sessions that are prompted at one time.
const AT_ONCE: usize = 3;

/// Prompts every session, in the state in which the storm left it.
pub(crate) fn prompt_all<'a>(world: &'a World, followers: &'a thread::Scope<'a, '_>) {
    let Some(listed) = look(world) else {
        return world.findings.add(Fault::Broken, "ps did not answer after the storm");
    };
    let waiting: Mutex<VecDeque<(&'a Session, Listed)>> = Mutex::new(world.sessions.iter().zip(listed).collect());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = lock(&waiting).pop_front();
                    let Some((session, listed)) = next else { return };
                    if let Err(why) = prompt(world, session, listed, followers) {
                        world.findings.add(Fault::NotPromptable, format!("{} (was {listed:?}): {why}", session.id));
                    } else {
                        world.findings.count("sessions that took a prompt at the end", 1);
                    }
                }
            });
        }
    });
}

fn prompt<'a>(
    world: &'a World,
    session: &'a Session,
    listed: Listed,
    followers: &'a thread::Scope<'a, '_>,
) -> Result<(), String> {
    let last_words = world.agents.last_words(session.number);
    match listed {
        Listed::Ended | Listed::Interrupted => {
            let done = world.ask(&["run", "--resume", &session.id, "--permissions", "allow", "--json", &last_words]);
            if done.code == Some(0) {
                Ok(())
            } else {
                Err(format!("run --resume exited with {:?}: {}", done.code, done.stderr))
            }
        }
        Listed::Idle | Listed::Busy | Listed::Unknown | Listed::Missing => {
            // Whether a turn was there to interrupt does not matter.
            world.ask(&["interrupt", &session.id]);
            let done = world.ask(&["send", &session.id, "--queue", &last_words]);
            if done.code != Some(0) && Keeper::of(&session.folder).is_none_or(|keeper| !keeper.lives()) {
                // Its turn was one that ends the agent, and did so between the look and the prompt.
                return prompt(world, session, Listed::Ended, followers);
            }
            if done.code != Some(0) {
                return Err(format!("send exited with {:?}: {}", done.code, done.stderr));
            }
            wait_for_turn(world, session, followers)
        }
    }
}

/// Follows the session until the turn of the last prompt has ended. Without a limit of its own inside: the session's own end, which
/// is near, ends the follower.
fn wait_for_turn<'a>(
    world: &'a World,
    session: &'a Session,
    followers: &'a thread::Scope<'a, '_>,
) -> Result<(), String> {
    let (told, over) = channel();
    let told_end = told.clone();
    let last_words = world.agents.last_words(session.number);
    followers.spawn(move || {
        let mut prompted = false;
        let done = world.run(Role::Client, &["logs", &session.id, "--records", "--json", "--follow"], |line| {
            let record: Value = serde_json::from_slice(&line).unwrap_or_default();
            prompted |= record["line"]["type"] == "prompt" && record["line"]["text"] == last_words.as_str();
            if prompted && record["line"]["type"] == "turn_ended" {
                // Nobody waits any more when it came too late.
                let _ = told.send(Ok(()));
            }
        });
        let _ = told_end.send(Err(format!("its follower ended before its turn: {:?} {}", done.code, done.stderr)));
    });
    over.recv_timeout(TURN).unwrap_or_else(|_| Err(format!("its turn did not end within {} s", TURN.as_secs())))
}

/// Stops everything and looks for what is left.
pub(crate) fn stop_all(world: &World) {
    let done = world.ask(&["stop", "--all", "--json"]);
    if done.code != Some(0) && !world.live_keepers().is_empty() {
        world.findings.add(Fault::Broken, format!("stop --all exited with {:?}: {}", done.code, done.stderr));
    }
    world.tell_all_stopped();
    let until = Instant::now() + ALL_GONE;
    while Instant::now() < until && !world.census().strays(&[]).is_empty() {
        thread::park_timeout(Duration::from_millis(200));
    }
    for process in world.census().strays(&[]) {
        world
            .findings
            .add(Fault::LeftOver, format!("process {} outlived `stop --all`: {}", process.pid, process.command));
    }
}

/// Sockets and half-written files that nobody took away.
pub(crate) fn look_for_files(world: &World) {
    let left_over =
        |path: &std::path::Path| world.findings.add(Fault::LeftOver, format!("left behind: {}", path.display()));
    for file in files_in(&world.home.path().join("run")) {
        if file.extension().is_some_and(|extension| extension == "sock") {
            left_over(&file);
        }
    }
    for session in &world.sessions {
        for file in files_in(&session.folder).into_iter().chain(files_in(&session.folder.join("blobs"))) {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name == "pod.json" || name.contains(".json.") || name.contains(".tmp") {
                left_over(&file);
            }
        }
    }
}

fn files_in(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
