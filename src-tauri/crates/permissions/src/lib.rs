//! What is a permission request about, and which rule answers it?
//!
//! Responsible for the one meaning of "always": the subject of a request, the rule that is made of it, and the file in which the rules
//! of workspaces are kept. Whoever is asked, and what becomes of an answer, is the keeper's business.

mod rule;
mod subject;
pub mod workspace_rules;

pub use rule::{allows, rule};
pub use subject::{subject, written_files};
pub use workspace_rules::WorkspaceRules;
