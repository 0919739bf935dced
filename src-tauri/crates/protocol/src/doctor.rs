//! What doctor found: CLIs, runtimes, runners, and what to do about what was not found.
