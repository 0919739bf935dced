//! What was counted and what was found wrong. Everything that checks something says it here.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What can be wrong, as the verdict counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A record that a reader saw, or had to see, is not there.
    Lost,
    /// A reader got a record twice, or two different ones under one number.
    Repeated,
    /// A process that no live keeper owns, or a socket or temporary file of one.
    LeftOver,
    /// A session is listed as what it is not.
    WrongState,
    /// The ledger does not say what is.
    WrongLedger,
    /// `ps --processes` does not tell what runs.
    WrongProcesses,
    /// A session took no prompt at the end.
    NotPromptable,
    /// A command of the product failed in a way that it never should.
    Broken,
}

impl Fault {
    /// All of them with the words of the verdict.
    pub(crate) const ALL: [(Self, &'static str); 8] = [
        (Self::Lost, "lost"),
        (Self::Repeated, "repeated"),
        (Self::LeftOver, "processes or files left"),
        (Self::WrongState, "wrong states"),
        (Self::WrongLedger, "wrong in the ledger"),
        (Self::WrongProcesses, "wrong in the list of processes"),
        (Self::NotPromptable, "not promptable"),
        (Self::Broken, "commands broken"),
    ];
}

/// Shared by all threads.
#[derive(Debug)]
pub(crate) struct Findings {
    began: Instant,
    faults: Mutex<Vec<(Fault, String)>>,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    diary: Mutex<Vec<String>>,
    verbose: bool,
}

impl Findings {
    pub(crate) fn new(verbose: bool) -> Self {
        Self {
            began: Instant::now(),
            faults: Mutex::default(),
            counts: Mutex::default(),
            diary: Mutex::default(),
            verbose,
        }
    }

    /// Something is wrong. Said at once, because a run may be long.
    pub(crate) fn add(&self, fault: Fault, what: impl AsRef<str>) {
        let told = format!("{:7.2} s  {}", self.began.elapsed().as_secs_f64(), what.as_ref());
        eprintln!("FOUND {told}");
        self.write(&format!("FOUND {fault:?} {}", what.as_ref()));
        lock(&self.faults).push((fault, told));
    }

    /// Something was done or checked.
    pub(crate) fn count(&self, what: &'static str, by: u64) {
        *lock(&self.counts).entry(what).or_default() += by;
    }

    /// For whoever reads afterwards how it came to a finding.
    pub(crate) fn write(&self, what: &str) {
        let line = format!("{:7.2} s  {what}", self.began.elapsed().as_secs_f64());
        if self.verbose {
            eprintln!("      {line}");
        }
        lock(&self.diary).push(line);
    }

    pub(crate) fn counted(&self, what: &str) -> u64 {
        lock(&self.counts).get(what).copied().unwrap_or(0)
    }

    pub(crate) fn counts(&self) -> Vec<(&'static str, u64)> {
        lock(&self.counts).iter().map(|(name, count)| (*name, *count)).collect()
    }

    pub(crate) fn faults(&self) -> Vec<(Fault, String)> {
        lock(&self.faults).clone()
    }

    pub(crate) fn diary(&self) -> String {
        lock(&self.diary).join("\n") + "\n"
    }
}

/// A thread that panicked has been reported; what it shared is still of use.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
