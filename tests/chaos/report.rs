//! The table at the end of a run, and its verdict.

use crate::events::Event;
use crate::findings::{Fault, Findings};
use crate::options::Options;

/// Prints it. True when nothing was found.
pub(crate) fn print(options: &Options, findings: &Findings) -> bool {
    println!("\n{}\n", options.command());
    for name in Event::names() {
        println!("  {:>8}  {name}", findings.counted(name));
    }
    println!();
    println!("  {:>8}  sessions", options.sessions);
    for (name, count) in findings.counts() {
        if !Event::names().any(|event| event == name) {
            println!("  {count:>8}  {name}");
        }
    }
    let faults = findings.faults();
    let of = |kind: Fault| faults.iter().filter(|(fault, _)| *fault == kind).count();
    let verdict: Vec<String> = Fault::ALL.iter().map(|(fault, words)| format!("{} {words}", of(*fault))).collect();
    println!("\n{}", verdict.join(", "));
    for (_, what) in &faults {
        println!("  {what}");
    }
    faults.is_empty()
}
