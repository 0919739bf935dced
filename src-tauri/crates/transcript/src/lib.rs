//! The transcript of a session: items folded from its journal, as pages of the past and as changes of the present.
//!
//! Responsible for what host records and the runner's own lines mean to a person, and for finding any page without folding the
//! whole journal. What a provider's events mean is the adapters' business; nothing is stored here but the derived item index.

pub mod damage;
pub mod error;
pub mod fold;
mod host;
pub mod live;
pub mod pages;
mod pod_tree;
mod runner;

pub use damage::Damage;
pub use error::TranscriptError;
pub use fold::{Fold, adapter_or_plain};
pub use live::resume_at;
pub use pages::Transcript;
