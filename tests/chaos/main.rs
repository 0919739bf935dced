//! The chaos harness: a home of Outrigger with many sessions, in which things are killed, stopped, torn and filled up by a seeded
//! plan, while readers read and prompts come. It checks from outside, without a crate of the product, that no record is lost or
//! repeated, no process is left, no state is wrong, and every session goes on.
//!
//! One file answers one question: `options` what to do, `events` and `damage` what is broken, `agents` who sits in the sessions, `prompter`, `reader` and `window` who uses the
//! home meanwhile, `look`, `calm`, `ledger`, `processes`, `journals` and `closing` what must hold, `census` what the kernel says,
//! `report` how it is told.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it prints what it found")]

#[cfg(target_os = "linux")]
mod agents;
#[cfg(target_os = "linux")]
mod calm;
#[cfg(target_os = "linux")]
mod census;
#[cfg(target_os = "linux")]
mod closing;
#[cfg(target_os = "linux")]
mod damage;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod events;
#[cfg(target_os = "linux")]
mod findings;
#[cfg(target_os = "linux")]
mod journals;
#[cfg(target_os = "linux")]
mod ledger;
#[cfg(target_os = "linux")]
mod look;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod prompter;
#[cfg(target_os = "linux")]
mod reader;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod storm;
#[cfg(target_os = "linux")]
mod window;
#[cfg(target_os = "linux")]
mod world;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--help" || argument == "-h") {
        println!("{}", options::USAGE);
        return ExitCode::SUCCESS;
    }
    match options::Options::read(std::env::args().skip(1)) {
        Ok(options) => storm::run(&options),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("chaos reads the process table from /proc, so it runs on Linux only");
    ExitCode::from(2)
}
