//! What `chaos` is told on its command line, and the line that repeats a run.

use std::time::Duration;

/// The plan of a run. The same plan gives the same schedule; what it meets depends on the machine's timing.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Every draw comes from it.
    pub(crate) seed: u64,
    /// Sessions that live through the storm.
    pub(crate) sessions: usize,
    /// How long things are broken, without the start and the checks at the end.
    pub(crate) length: Duration,
    /// Followers of each session.
    pub(crate) readers: usize,
    /// Whether the sessions are the real CLIs', against the stand-in of their vendors.
    pub(crate) real: bool,
    /// Whether the app is up during the storm, and hit by it.
    pub(crate) window: bool,
    /// Whether each event is told as it happens.
    pub(crate) verbose: bool,
    /// Whether the home is kept although nothing was found.
    pub(crate) keep: bool,
}

/// What `--help` says.
pub(crate) const USAGE: &str = "\
chaos [--seed N] [--sessions K] [--minutes M | --seconds S] [--readers R] [--real] [--window] [--verbose] [--keep]

Breaks a home of Outrigger for a while (20 sessions of the demo agent for 60 s by default) and checks from outside that nothing is
lost, repeated, left running or told wrongly. With --real the sessions are those of the real claude and codex by turns (6 by
default), against a local stand-in of their vendors, and each has to go on with its own conversation at the end. With
--window the real app is up meanwhile, on a display without a screen, and it and its page are killed as well. Exits with 1 when something was found; the home is kept then.";

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn read(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            seed: fastrand::u64(..100_000),
            sessions: 0,
            length: Duration::from_secs(60),
            readers: 2,
            real: false,
            window: false,
            verbose: false,
            keep: false,
        };
        let mut args = args;
        while let Some(name) = args.next() {
            let mut number = || -> Result<f64, String> {
                let value = args.next().unwrap_or_default();
                value
                    .parse()
                    .ok()
                    .filter(|n: &f64| *n >= 0.0)
                    .ok_or_else(|| format!("{name} wants a number, not `{value}`"))
            };
            match name.as_str() {
                "--seed" => options.seed = whole(number()?),
                "--sessions" => options.sessions = count(number()?).max(1),
                "--readers" => options.readers = count(number()?).max(1),
                "--minutes" => options.length = Duration::from_secs_f64(number()? * 60.0),
                "--seconds" => options.length = Duration::from_secs_f64(number()?),
                "--real" => options.real = true,
                "--window" => options.window = true,
                "--verbose" => options.verbose = true,
                "--keep" => options.keep = true,
                other => return Err(format!("unknown argument {other}\n\n{USAGE}")),
            }
        }
        if options.sessions == 0 {
            options.sessions = if options.real { 6 } else { 20 };
        }
        Ok(options)
    }

    /// The command that repeats this run.
    pub(crate) fn command(&self) -> String {
        let seconds = self.length.as_secs();
        let Self { seed, sessions, readers, .. } = self;
        let real = if self.real { " --real" } else { "" };
        let window = if self.window { " --window" } else { "" };
        format!("./dev chaos --seed {seed} --sessions {sessions} --readers {readers} --seconds {seconds}{real}{window}")
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number from the command line, not negative"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

fn count(number: f64) -> usize {
    usize::try_from(whole(number)).unwrap_or(usize::MAX)
}
