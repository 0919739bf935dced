//! Is whoever answers for a pod proved dead? By the process table in two looks, never by silence.

use process::ProcessRef;
use scopes::Holder;

/// Whether its keeper and all processes that it has noted are gone, and nothing carries its mark. Blocks for a moment when it seems
/// so at the first look.
pub(super) fn is_dead(holder: &Holder) -> bool {
    let processes: Vec<ProcessRef> =
        holder.processes.iter().map(|(pid, started)| ProcessRef { pid: *pid, started: *started }).collect();
    process::proved_dead(&processes, holder.pod.map(|pod| pod.to_string()).as_deref())
}

#[cfg(test)]
mod tests {
    use protocol::{PodId, SessionId};

    use super::*;

    fn holder(processes: Vec<(u32, u64)>) -> Holder {
        Holder { session: SessionId::new(), name: "one".to_owned(), pod: Some(PodId::new()), processes }
    }

    #[test]
    fn one_living_process_is_enough_to_live() {
        let ProcessRef { pid, started } = ProcessRef::current();
        assert!(!is_dead(&holder(vec![(pid, started)])));
        // The number is in use again, by somebody else.
        assert!(is_dead(&holder(vec![(pid, started + 1)])));
        assert!(!is_dead(&holder(vec![(pid, started + 1), (pid, started)])));
    }
}
