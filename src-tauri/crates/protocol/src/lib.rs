//! Every type that crosses a boundary of Outrigger: runner protocol, pod protocol, journal, items, errors, limits.
//!
//! Responsible for names and shapes only. It does no I/O, knows no async runtime and no provider's own events.
//! Names are camelCase on the wire, enums carry an explicit `type`, and readers keep what they do not know.
//! The TypeScript of the user interface is generated from here (`ui/src/protocol`).

pub mod archive;
pub mod attachment;
pub mod debug_log;
pub mod desk;
pub mod doctor;
pub mod earlier;
pub mod error;
pub mod failure;
pub mod health;
pub mod ids;
pub mod item;
pub mod json;
pub mod limits;
pub mod offers;
pub mod permission;
pub mod pod;
mod pod_status;
pub mod pods;
pub mod pods_view;
pub mod processes;
pub mod programs;
pub mod provider;
pub mod record;
pub mod runner;
pub mod scope;
pub mod session;
pub mod settings;
pub mod sidecar;
pub mod sidecar_view;
pub mod tools;
pub mod updates;
pub mod usage;
pub mod view;

pub use error::{ErrorCode, WireError};
pub use ids::{PodId, SessionId};
pub use item::{Item, ItemBody};
pub use record::Record;
