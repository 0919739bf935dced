//! What scenario tests share: the built programs, a home of their own, lines with deadlines, and the proof that nothing is left.
//!
//! Responsible for starting the real `outrigger` the way a user would and for watching it from outside. It links no crate of the
//! product, so a test here sees only what a user sees. Nothing in here sleeps: every wait is for a line, an exit or the end
//! of a process, and every wait has a deadline that fails the test with all that was seen until then.
//!
//! A scenario looks like this:
//!
//! ```no_run
//! use outrigger_tests::Home;
//!
//! let home = Home::new();
//! let workspace = home.workspace();
//! let mut run = home.start(["run", "--provider", "demo", "--json", "--cwd", workspace.to_str().unwrap_or_default(), "hello"]);
//! run.wait_for("a permission request", |item| item["type"] == "permission");
//! let ended = run.finish();
//! ended.assert_code(0);
//! home.assert_nobody_left();
//! ```
//!
//! Where tests live: one folder of `tests/` is one test binary with a `main.rs` and one file for each behaviour
//! (`scenarios/`, `real_clis/`, `desktop/`), named in `tests/Cargo.toml`; `./dev test scenarios` runs one of them.

mod built;
mod display;
mod home;
mod program;
mod real_clis;
mod standin;
mod survivors;

pub use built::{program, project};
pub use display::Display;
pub use home::Home;
pub use program::{DEADLINE, Ended, Program};
pub use real_clis::RealClis;
pub use standin::Standin;
pub use survivors::{Survivor, survivors};
