//! What to tell when a CLI could not be started, or ended although nobody stopped it.

use std::io;
use std::path::Path;

use crate::cli::Ended;
use crate::told::Failure;

/// It could not be started.
pub(crate) fn start_failure(cli: &str, cwd: &str, error: &io::Error) -> Failure {
    if !Path::new(cwd).is_dir() {
        let message = format!("cannot start {cli}: the working directory {cwd} does not exist");
        return Failure::lasting("spawn_failure", message);
    }
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "there is no such program, or the interpreter that it names is not there",
        io::ErrorKind::PermissionDenied => "it may not be executed (chmod +x)",
        _ => return Failure::lasting("spawn_failure", format!("cannot start {cli}: {error}")),
    };
    let message = format!("cannot start {cli}: {reason}. Install it, or set its path in the settings.");
    Failure::lasting("cli_missing", message)
}

/// It ended although nobody stopped it.
pub(crate) fn exit_failure(cli: &str, ended: &Ended) -> Failure {
    let how = match (&ended.exit.signal, ended.exit.code) {
        (Some(signal), _) => format!("was ended by {signal}"),
        (None, code) => format!("exited with code {}", code.unwrap_or(-1)),
    };
    let said = ended.stderr_tail.iter().rfind(|line| !line.trim().is_empty());
    let words = match said {
        Some(line) => format!(": {line}"),
        None if ended.said_nothing => " and said nothing at all".to_owned(),
        None => " and said nothing on stderr".to_owned(),
    };
    let code = match &ended.exit.signal {
        Some(_) => "cli_killed",
        None if ended.said_nothing => "no_output",
        None => "cli_exited",
    };
    Failure {
        exit_code: ended.exit.code,
        signal: ended.exit.signal.clone(),
        stderr_tail: Some(ended.stderr_tail.clone()),
        ..Failure::lasting(code, format!("{cli} {how} although nobody stopped it{words}"))
    }
}

#[cfg(test)]
mod tests {
    use process::Exit;

    use super::*;

    #[test]
    fn an_exit_is_told_with_its_last_words() {
        let ended = |code, signal: Option<&str>, tail: &[&str], said_nothing| Ended {
            exit: Exit { code, signal: signal.map(str::to_owned) },
            stderr_tail: tail.iter().map(|line| (*line).to_owned()).collect(),
            said_nothing,
        };
        let told = exit_failure("claude", &ended(Some(1), None, &["error: unknown option", ""], false));
        assert_eq!(told.code, "cli_exited");
        assert_eq!(told.message, "claude exited with code 1 although nobody stopped it: error: unknown option");
        assert_eq!(exit_failure("x", &ended(None, Some("SIGKILL"), &[], false)).code, "cli_killed");
        let silent = exit_failure("x", &ended(Some(0), None, &[], true));
        assert!(silent.code == "no_output" && silent.message.ends_with("said nothing at all"), "{silent:?}");
    }

    #[test]
    fn a_start_that_failed_says_why() {
        let gone = start_failure("x", "/not/there", &io::Error::from(io::ErrorKind::NotFound));
        assert!(gone.code == "spawn_failure" && gone.message.contains("/not/there does not exist"));
        let missing = start_failure("x", "/", &io::Error::from(io::ErrorKind::NotFound));
        assert!(missing.code == "cli_missing" && missing.message.contains("Install it"));
    }
}
