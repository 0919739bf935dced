//! The ledger: the machine-wide record of who lives and who owns which process.
//!
//! Everything in it can be rebuilt from the session folders, which stay the truth about sessions. What it adds is what those
//! cannot hold: the processes of a pod, so that whoever comes next can end what a killed keeper left behind.
