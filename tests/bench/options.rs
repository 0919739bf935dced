//! What was asked of the bench on its command line.
//!
//! Responsible for reading it, and for what `--quick` makes smaller. What a row does with it is the row's business.

use std::time::Duration;

/// MiB of a stream where nobody says how many.
const MIB: u64 = 256;
const QUICK_MIB: u64 = 48;

/// The part of a row's name that is asked for; all rows otherwise.
pub(crate) fn wanted() -> Option<String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let is_value = |at: usize| at > 0 && VALUED.contains(&args[at - 1].as_str());
    let mut names = args.iter().enumerate().filter(|(at, arg)| !arg.starts_with("--") && !is_value(*at));
    names.next().map(|(_, name)| name.clone())
}

/// Arguments that are followed by a value.
const VALUED: [&str; 6] = ["--runs", "--minutes", "--sessions", "--mib", "--clis", "--looks"];

/// Whether an argument is there.
pub(crate) fn has(name: &str) -> bool {
    std::env::args().any(|arg| arg == name)
}

/// Small sizes, and no row that takes minutes.
pub(crate) fn is_quick() -> bool {
    has("--quick")
}

/// How often everything is measured.
pub(crate) fn runs() -> usize {
    number("--runs").map_or(1, |runs| runs.clamp(1, 9) as usize)
}

/// The number of sessions of the rows that can have any.
pub(crate) fn sessions(otherwise: u64) -> u64 {
    number("--sessions").unwrap_or(otherwise).max(1)
}

/// How long the soak lasts.
pub(crate) fn soak() -> Duration {
    Duration::from_secs(60 * number("--minutes").unwrap_or(30).max(1))
}

/// MiB of a stream or of all journals: `--mib`, `OUTRIGGER_BENCH_MIB`, or what is usual.
pub(crate) fn mib() -> u64 {
    let said = || std::env::var("OUTRIGGER_BENCH_MIB").ok().and_then(|text| text.parse().ok());
    number("--mib").or_else(said).unwrap_or(if is_quick() { QUICK_MIB } else { MIB })
}

/// The same of a row that has another size where nobody says one.
pub(crate) fn mib_or(otherwise: u64) -> u64 {
    number("--mib").unwrap_or(otherwise)
}

/// The file of an earlier soak, to be told and drawn again.
pub(crate) fn looks() -> Option<String> {
    value("--looks")
}

fn value(name: &str) -> Option<String> {
    std::env::args().skip_while(|arg| arg != name).nth(1)
}

fn number(name: &str) -> Option<u64> {
    let value = value(name)?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} needs a number, not {value}")))
}
