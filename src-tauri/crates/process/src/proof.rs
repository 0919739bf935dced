//! When is a pod proved dead? Never by silence: by the process table, in two looks, with nothing left that carries its mark.

use std::thread;

use protocol::limits::SECOND_LOOK;

use crate::tree::{self, Liveness, ProcessRef};

/// Whether all these processes have ended, and nothing carries `mark`. Who lives, or may, is told at once; the proof that nobody
/// does takes two looks, with [`SECOND_LOOK`] between them. Blocks meanwhile.
#[must_use]
pub fn proved_dead(processes: &[ProcessRef], mark: Option<&str>) -> bool {
    let all_ended = || processes.iter().all(has_ended) && mark.is_none_or(|mark| tree::marked(mark).is_empty());
    if !all_ended() {
        return false;
    }
    thread::sleep(SECOND_LOOK);
    all_ended()
}

/// Not to be told is not to have ended.
fn has_ended(process: &ProcessRef) -> bool {
    match process.liveness() {
        Liveness::Dead | Liveness::Zombie => true,
        Liveness::Alive | Liveness::Unknown(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_living_the_dead_and_their_numbers_taken_again() {
        let own = ProcessRef::current();
        assert!(!proved_dead(&[own], None));
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let process = ProcessRef::of(child.id()).unwrap();
        assert!(!proved_dead(&[process], None));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(proved_dead(&[process], None));
        assert!(!proved_dead(&[process, own], None));
        let another = ProcessRef { started: own.started + 1, ..own };
        assert!(proved_dead(&[another], None), "its number is another one's now");
    }

    #[test]
    fn what_carries_the_mark_lives_for_it() {
        let mark = format!("proof-{}", std::process::id());
        let mut left = std::process::Command::new("sleep");
        let mut left = left.arg("600").env(crate::MARK_VARIABLE, &mark).spawn().unwrap();
        assert!(!proved_dead(&[], Some(&mark)));
        left.kill().unwrap();
        left.wait().unwrap();
        assert!(proved_dead(&[], Some(&mark)));
    }
}
