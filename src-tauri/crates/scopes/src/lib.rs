//! Scopes and budgets of pod trees: who may write where, who stands above whom, and what is left to spend.
//!
//! Responsible for the rules and for deciding about them in one transaction of the ledger, so that no two processes decide at once.
//! Holding a pod to its scope is the business of the crate `confine` and of the keeper. All functions block, for milliseconds as a
//! rule; what time it is and whether a process is dead is told by the caller.

mod budget;
mod claims;
mod error;
mod forest;
mod reach;
mod resolve;
mod scope;
mod view;

pub use budget::{default_budget, used};
pub use claims::{
    Begin, Keeper, Proof, Reclaimed, Spawn, begin, begin_turn, close, end, end_turn, host, reclaim, reopen, set_budget,
    spawn,
};
pub use error::{Refused, ScopeError};
pub use forest::Holder;
pub use reach::Rule;
pub use resolve::{Area, resolve};
pub use scope::{Access, Scope, Taken, in_words, shown};
pub use view::{live_trees, scope_of, tree, who_may_write};
