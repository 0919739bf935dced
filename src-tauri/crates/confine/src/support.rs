//! What can hold a process to its scope on this machine, and how far?

use protocol::scope::{Confinement, ConfinementLevel};

/// What there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// Landlock with this version of its interface.
    Landlock(u32),
    /// Seatbelt, by `sandbox-exec`.
    Seatbelt,
    /// Nothing, for this reason.
    None(String),
}

/// Asks the kernel. It changes nothing.
#[must_use]
pub fn support() -> Support {
    platform()
}

#[cfg(target_os = "linux")]
fn platform() -> Support {
    use landlock::{LandlockStatus, RestrictSelf};
    // Without anything to restrict this only asks.
    let status = RestrictSelf::default().no_new_privs(false).apply().map(|status| status.landlock);
    match status {
        Ok(LandlockStatus::Available { effective_abi, kernel_abi }) => {
            let known = effective_abi as u32;
            Support::Landlock(kernel_abi.and_then(|abi| u32::try_from(abi).ok()).unwrap_or(known))
        }
        Ok(LandlockStatus::NotEnabled) => Support::None(
            "this kernel has Landlock, but it is switched off; start it with `landlock` in the list lsm=".to_owned(),
        ),
        Ok(LandlockStatus::NotImplemented) => Support::None(
            "this kernel has no Landlock; Linux has it since 5.13, and some containers take it away".to_owned(),
        ),
        Err(error) => Support::None(format!("the kernel would not tell about Landlock: {error}")),
    }
}

#[cfg(target_os = "macos")]
fn platform() -> Support {
    match std::path::Path::new(crate::seatbelt::PROGRAM).exists() {
        true => Support::Seatbelt,
        false => Support::None(format!("{} is not there", crate::seatbelt::PROGRAM)),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn platform() -> Support {
    Support::None("this system has nothing that enforces file scopes for a program and all that it starts".to_owned())
}

/// A right that came with a later version, and what its absence lets through.
struct Later {
    since: u32,
    linux: &'static str,
    without: &'static str,
}

/// What older kernels cannot refuse, or refuse too much of, of what concerns files.
const FILES: &[Later] = &[
    Later { since: 2, linux: "5.19", without: "moving files between folders is refused, even within the scope" },
    Later { since: 3, linux: "6.2", without: "a file outside the scope can be cut to nothing with truncate" },
    Later { since: 5, linux: "6.10", without: "commands to devices (ioctl) are not refused" },
];

/// The same of what is not about files.
const BESIDE: &[Later] = &[
    Later { since: 4, linux: "6.7", without: "TCP ports are not restricted" },
    Later { since: 6, linux: "6.12", without: "signals to other processes of this user are not refused" },
    Later { since: 6, linux: "6.12", without: "connections to abstract sockets are not refused" },
    Later { since: 9, linux: "7.1", without: "connections to socket files of other programs are not refused" },
];

/// What Landlock of no version refuses.
const NEVER: &str =
    "Modes, owners and times of files that this user owns can be changed anywhere (chmod, chown, touch).";

impl Support {
    /// How far a scope is held with this, when the rules leave out `left_out` of it.
    #[must_use]
    pub fn confinement(&self, left_out: Vec<String>) -> Confinement {
        match self {
            Self::Landlock(abi) => landlock(*abi, left_out),
            Self::Seatbelt => {
                let (by, open) = (Some("seatbelt".to_owned()), Vec::new());
                Confinement { level: ConfinementLevel::Enforced, by, why: left_out, open }
            }
            Self::None(why) => {
                let why = vec![format!("Nothing enforces the scope: {why}.")];
                Confinement { level: ConfinementLevel::Advised, by: None, why, open: Vec::new() }
            }
        }
    }
}

fn landlock(abi: u32, left_out: Vec<String>) -> Confinement {
    let said = |later: &Later| format!("{} (Linux {}).", capital(later.without), later.linux);
    let missing = |list: &'static [Later]| list.iter().filter(move |later| later.since > abi).map(said);
    let why: Vec<String> = missing(FILES).chain(left_out).collect();
    let open = missing(BESIDE).chain([NEVER.to_owned()]).collect();
    let level = if why.is_empty() { ConfinementLevel::Enforced } else { ConfinementLevel::Partial };
    Confinement { level, by: Some(format!("landlock {abi}")), why, open }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_what_the_version_and_the_scope_allow() {
        let level = |abi, left_out: &[&str]| {
            let left_out = left_out.iter().map(|text| (*text).to_owned()).collect();
            Support::Landlock(abi).confinement(left_out).level
        };
        assert_eq!(level(9, &[]), ConfinementLevel::Enforced);
        assert_eq!(level(5, &[]), ConfinementLevel::Enforced);
        assert_eq!(level(4, &[]), ConfinementLevel::Partial);
        assert_eq!(level(9, &["New files are refused."]), ConfinementLevel::Partial);
        let advised = Support::None("of a test".to_owned()).confinement(Vec::new());
        assert_eq!((advised.level, advised.why.len()), (ConfinementLevel::Advised, 1));
    }

    #[test]
    fn what_stays_open_is_told_by_version() {
        let open = |abi| Support::Landlock(abi).confinement(Vec::new()).open.len();
        assert_eq!((open(9), open(8), open(6), open(3)), (1, 2, 2, 5));
        let text = Support::Landlock(8).confinement(Vec::new()).open.join(" ");
        assert!(text.starts_with("Connections to socket files"), "{text}");
    }
}
