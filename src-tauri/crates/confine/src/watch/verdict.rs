//! Is a write foreign? Pure: who may write there, and who wrote.
//!
//! Each pod's watcher answers for what is its own: what its processes wrote elsewhere, and what others wrote in its scope. What two
//! other pods do to each other is told by their watchers, and what the user does in files of nobody is nobody's business.

use protocol::SessionId;

/// Who may write at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The pod that watches; this is its session.
    Ours(SessionId),
    /// Another pod.
    Other(SessionId),
    /// No pod.
    Nobody,
}

/// Who wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// A process of the pod that watches.
    Ours,
    /// A process of another pod.
    OtherPods,
    /// A process of no pod.
    Strangers,
    /// That could not be found out.
    Unknown,
}

pub(super) fn is_foreign(owner: &Owner, whose: Whose) -> bool {
    match (owner, whose) {
        (Owner::Ours(_), Whose::Ours) => false,
        (Owner::Ours(_), Whose::OtherPods | Whose::Strangers) => true,
        // Most likely it was ours, and had closed the file again.
        (Owner::Ours(_), Whose::Unknown) => false,
        (Owner::Other(_) | Owner::Nobody, Whose::Ours) => true,
        // Most likely it was that pod, or its watcher tells.
        (Owner::Other(_), Whose::OtherPods | Whose::Strangers | Whose::Unknown) => false,
        (Owner::Nobody, Whose::OtherPods | Whose::Strangers) => false,
        // It may have been ours, and that must not stay unseen.
        (Owner::Nobody, Whose::Unknown) => true,
    }
}
