//! Which command lines are those of our own programs? Told by their names, of which this process may have another than usual.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::OnceLock;

use protocol::programs::{COMMAND_LINE, KEEPER, TOOLBOX};

static NAME: OnceLock<Option<OsString>> = OnceLock::new();

/// Keeps the name. Once an update has replaced the file, the system may give it another one (`outrigger (deleted)`).
pub(crate) fn remember() {
    let _ = name();
}

/// Whether a command line is that of a keeper, also one of another session.
pub(crate) fn is_keeper(command: &str) -> bool {
    command.strip_suffix(" keep").is_some_and(is_ours)
}

/// Whether a command line is that of a keeper, of a call of a pod tool, or of the owner of the tool sidecars.
pub(crate) fn is_ours_beside_the_agent(command: &str) -> bool {
    let does = |what: &str| command.strip_suffix(what).is_some_and(is_ours);
    is_keeper(command) || does(" pod-tool") || is_named(command, TOOLBOX)
}

fn is_ours(program: &str) -> bool {
    // Keepers of older versions, and those started by hand, are the command line itself.
    [COMMAND_LINE, KEEPER].iter().any(|name| is_named(program, name))
        || name().is_some_and(|own| is_named(program, own))
}

fn is_named(program: &str, name: impl AsRef<OsStr>) -> bool {
    // It may be running from a file that has been replaced since.
    let program = program.strip_suffix(" (deleted)").unwrap_or(program);
    Path::new(program).file_name().is_some_and(|found| found == name.as_ref())
}

fn name() -> Option<&'static OsString> {
    let of_file = || std::env::current_exe().ok().and_then(|exe| exe.file_name().map(OsString::from));
    NAME.get_or_init(of_file).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_program_is_told_by_its_name_alone() {
        let own = std::env::current_exe().unwrap().display().to_string();
        assert!(is_keeper(&format!("{own} keep")) && is_keeper(&format!("{own} (deleted) keep")));
        assert!(!is_keeper(&own) && !is_keeper("other keep") && !is_keeper("housekeep"));
        assert!(is_ours_beside_the_agent(&format!("{own} pod-tool")) && !is_keeper(&format!("{own} pod-tool")));
        assert!(is_keeper("/opt/o/outrigger-keeper keep") && is_keeper("/usr/bin/outrigger keep"));
        assert!(!is_keeper("/usr/bin/outrigger-keeper mcp") && !is_keeper("/usr/bin/outrigger-toolbox keep"));
        assert!(is_ours_beside_the_agent("/usr/bin/outrigger pod-tool") && !is_keeper("outrigger ps"));
        assert!(is_ours_beside_the_agent("/usr/bin/outrigger-toolbox") && !is_ours_beside_the_agent("x toolbox"));
    }
}
