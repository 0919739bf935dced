//! The table at the end of a run, and its verdict.

use crate::events::Event;
use crate::findings::{Fault, Findings};
use crate::options::Options;

/// Prints it. True when nothing was found.
pub(crate) fn print(options: &Options, findings: &Findings) -> bool {
    println!("\n{}\n", options.command());
    let events: Vec<&str> = Event::all(options).map(Event::name).collect();
    for name in &events {
        println!("  {:>8}  {name}", findings.counted(name));
    }
    println!();
    println!("  {:>8}  sessions", options.sessions);
    for (name, count) in findings.counts() {
        if !events.contains(&name) {
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
