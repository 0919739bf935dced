//! What has this system to keep a process to certain folders?
//!
//! Linux's Landlock is tried out on a thread that ends right after: what the kernel says it has, and what it lets a process do, may
//! differ in containers. Nothing of Outrigger is restricted by looking.

use protocol::doctor::SandboxReport;

/// Tries it out.
pub(crate) fn look() -> SandboxReport {
    on_a_thread_of_its_own(try_out)
}

/// A restriction holds for its thread as long as that lives.
fn on_a_thread_of_its_own(look: fn() -> SandboxReport) -> SandboxReport {
    std::thread::spawn(look).join().unwrap_or(SandboxReport::NotLookedFor)
}

#[cfg(target_os = "linux")]
fn try_out() -> SandboxReport {
    use landlock::{AccessFs, LandlockStatus, Ruleset, RulesetAttr};

    let missing = |reason: &str| SandboxReport::Missing { reason: reason.to_owned() };
    let tried = Ruleset::default().handle_access(AccessFs::MakeBlock).and_then(Ruleset::create);
    match tried.and_then(landlock::RulesetCreated::restrict_self).map(|status| status.landlock) {
        Ok(LandlockStatus::Available { effective_abi, kernel_abi }) => {
            let known = effective_abi as i32;
            SandboxReport::Landlock { abi: u32::try_from(kernel_abi.unwrap_or(known)).unwrap_or(0) }
        }
        Ok(LandlockStatus::NotEnabled) => missing("Landlock is in the kernel and switched off"),
        Ok(LandlockStatus::NotImplemented) => missing("the kernel has no Landlock, or a container hides it"),
        Err(error) => missing(&format!("Landlock could not be tried out: {error}")),
    }
}

#[cfg(not(target_os = "linux"))]
fn try_out() -> SandboxReport {
    SandboxReport::NotLookedFor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_restricts_nothing_of_this_process() {
        let before = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        look();
        let after = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        let privileges = |status: &str| status.lines().find(|line| line.starts_with("NoNewPrivs")).map(str::to_owned);
        assert_eq!(privileges(&before), privileges(&after));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_said_fits_what_the_kernel_lists() {
        let Ok(modules) = std::fs::read_to_string("/sys/kernel/security/lsm") else { return };
        if !modules.contains("landlock") {
            assert!(matches!(look(), SandboxReport::Missing { .. }));
        }
    }
}
