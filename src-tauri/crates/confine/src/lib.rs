//! Confinement: a process and all that it starts may write only where its scope says, as far as the kernel can hold it to that.
//!
//! Responsible for turning a scope into rules of the kernel (Landlock on Linux, Seatbelt on macOS), for applying them to this
//! process before it becomes another program, and for telling truly how far they reach. Where nothing enforces, the watcher in
//! here reports what was written. Which scope a pod has is decided elsewhere.

mod error;
mod grants;
#[cfg(target_os = "linux")]
mod landlocked;
mod launch;
mod seatbelt;
mod spec;
mod support;
mod toolchain;
pub mod watch;

pub use error::ConfineError;
pub use launch::{foresee, launch};
pub use seatbelt::profile;
pub use spec::{ReadAccess, Spec, TcpPorts};
pub use support::{Support, support};
pub use toolchain::toolchain;
