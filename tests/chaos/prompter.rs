//! Somebody who keeps the sessions busy: a prompt for whoever is idle, a resume for whoever is gone, now and then an interrupt.
//!
//! It judges nothing but the list of sessions that it looks at: in a storm any prompt may fail.

use std::sync::PoisonError;
use std::time::Duration;

use crate::findings::Fault;
use crate::look::{Listed, look};
use crate::world::World;

/// Goes on until the storm is over.
pub(crate) fn keep_busy(world: &World, mut random: fastrand::Rng) {
    let mut number = 0;
    while world.pause(Duration::from_millis(random.u64(50..400))) {
        let _storm = world.calm.read().unwrap_or_else(PoisonError::into_inner);
        let Some(listed) = look(world) else { continue };
        let waiting: Vec<usize> =
            (0..listed.len()).filter(|index| may_be_prompted(listed[*index], &mut random)).collect();
        if waiting.is_empty() {
            continue;
        }
        number += 1;
        let index = waiting[random.usize(..waiting.len())];
        let text = format!("{} ({number})", world.agents.any_prompt(&mut random));
        prompt(world, index, listed[index], &text, &mut random);
    }
}

fn may_be_prompted(listed: Listed, random: &mut fastrand::Rng) -> bool {
    match listed {
        Listed::Idle | Listed::Ended | Listed::Interrupted => true,
        Listed::Busy => random.u8(..20) == 0,
        Listed::Unknown | Listed::Missing => false,
    }
}

fn prompt(world: &World, index: usize, listed: Listed, text: &str, random: &mut fastrand::Rng) {
    let id = &world.sessions[index].id;
    let args: Vec<&str> = match listed {
        Listed::Busy => match random.u8(..4) {
            0 => vec!["interrupt", id],
            1 => vec!["send", id, "--steer", text],
            2 => vec!["stop", id],
            _ => vec!["send", id, "--queue", text],
        },
        Listed::Ended | Listed::Interrupted => {
            vec!["run", "--resume", id, "--detach", "--json", "--mode", "bypass", text]
        }
        Listed::Idle | Listed::Unknown | Listed::Missing => vec!["send", id, text],
    };
    let done = world.ask(&args);
    world.findings.write(&format!("{} {} {text:?}: {:?} {}", args[0], &id[..13], done.code, done.stderr.trim_end()));
    match done.code {
        Some(0) => world.findings.count("prompts taken", 1),
        Some(2) => world.findings.add(Fault::Broken, format!("{args:?}: {}", done.stderr)),
        Some(_) | None => world.findings.count("prompts refused in the storm", 1),
    }
}
