//! The ledger: the machine-wide record of who lives and who owns which process.
//!
//! Everything in it can be rebuilt from the session folders, which stay the truth about sessions. What it adds is what those
//! cannot hold: the processes of a pod, so that whoever comes next can end what a killed keeper left behind. Several processes
//! write it at once. It ends nothing and decides nothing; all its functions block, for milliseconds as a rule.

mod error;
mod migrations;
mod open;
mod pod_tree;
mod pods;
mod processes;
mod rows;
mod sessions;

pub use error::LedgerError;
pub use open::{Ledger, Opened, SetAside};
pub use pod_tree::{TreeChange, TreePod, TreeRule};
pub use rows::{PodClaim, PodRow, ProcessNote, ProcessRow, SessionRow};
