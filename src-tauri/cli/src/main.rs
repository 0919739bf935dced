//! The command line of Outrigger: the same core without a window.
//!
//! Responsible for turning arguments into calls of the client and answers into text, lines of JSON and exit codes. What a session
//! is, and how it lives, is the keeper's business.

mod answer;
mod budget;
mod command_line;
mod confine;
mod doctor;
mod exit;
mod follow;
mod held;
mod home;
mod import;
mod interrupt;
mod item_text;
mod live_text;
mod logs;
mod manual;
mod mcp;
mod open;
mod orphans;
mod output;
mod permissions;
mod pod_tool;
mod processes_text;
mod ps;
mod run;
mod run_options;
mod scope_option;
mod search;
mod send;
mod sidecar;
mod sidecar_new;
mod since;
mod span;
mod stop;
mod style;
mod uninstall;
mod usage;
mod view;

fn main() -> std::process::ExitCode {
    command_line::main()
}
