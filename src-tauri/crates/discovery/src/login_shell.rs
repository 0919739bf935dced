//! What environment does the user's login shell give to the programs that it starts?
//!
//! Responsible for asking one shell once: as an interactive login shell, because that is what a terminal starts and
//! where people set PATH, without a terminal and with a limit. Values are separated by NUL, so that newlines survive;
//! markers around them keep greetings out. What to do when it does not answer is decided in `environment`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use memchr::memmem;

use crate::capture::{End, capture, last_line};

/// Set while the shell is asked, so that the user's files can tell; its value is the marker around the answer.
const ASKING: &str = "OUTRIGGER_RESOLVING_ENVIRONMENT";
/// The folder that the shell enters, handed over as a variable because no path belongs into a line for a shell.
const WORKSPACE: &str = "OUTRIGGER_WORKSPACE";
/// Variables that describe the asking shell itself and would mislead whoever inherits them.
const OF_THE_SHELL: [&str; 6] = [ASKING, WORKSPACE, "_", "SHLVL", "PWD", "OLDPWD"];
/// Set for the question, so that start-up files neither draw, update themselves nor open a multiplexer.
const QUIET: [(&str, &str); 4] = [
    ("TERM", "dumb"),
    ("DISABLE_AUTO_UPDATE", "true"),
    ("ZSH_TMUX_AUTOSTART", "false"),
    ("POWERLEVEL9K_INSTANT_PROMPT", "off"),
];
/// The answer itself. The program is named by its path, so that neither aliases nor a broken PATH matter; the env of
/// older macOS knows no `-0`, and perl is part of that system.
const PRINT: &str = r#"/usr/bin/env -0 2>/dev/null || /usr/bin/perl -e 'print map {"$_=$ENV{$_}\0"} keys %ENV'"#;

/// Environment variables by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// What the shell answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShellAnswer {
    pub(crate) variables: Variables,
    /// Names whose values are no UTF-8.
    pub(crate) unreadable: Vec<String>,
    /// The files of interactive shells were read.
    pub(crate) interactive: bool,
}

/// Why a shell gave no environment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShellFailure {
    #[error("{} could not be started: {source}", shell.display())]
    Start { shell: PathBuf, source: std::io::Error },
    #[error(
        "{} did not print its environment within {} ms; something in its start-up files waits (try `{} -ilc true`)",
        shell.display(), limit.as_millis(), shell.display()
    )]
    OutOfTime { shell: PathBuf, limit: Duration },
    #[error("{} ended ({status}) before it printed its environment{}", shell.display(), said(stderr))]
    Ended { shell: PathBuf, status: String, stderr: String },
    #[error("{} printed more than is read without an environment in it", shell.display())]
    TooMuch { shell: PathBuf },
    #[error("{} printed an empty environment; its system's env knows no -0", shell.display())]
    Empty { shell: PathBuf },
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}

/// How the shell's language differs where it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Bash,
    Posix,
    Fish,
    Csh,
    Nu,
}

impl Language {
    fn of(shell: &Path) -> Self {
        match shell.file_stem().and_then(|name| name.to_str()).unwrap_or_default() {
            "bash" => Self::Bash,
            "fish" => Self::Fish,
            "csh" | "tcsh" => Self::Csh,
            "nu" => Self::Nu,
            _ => Self::Posix,
        }
    }

    fn flags(self, interactive: bool) -> &'static [&'static str] {
        match (self, interactive) {
            // csh takes -l only when it stands alone; its login files are read for `-i` alone.
            (Self::Csh, _) => &["-i", "-c"],
            (Self::Bash | Self::Posix | Self::Fish | Self::Nu, true) => &["-i", "-l", "-c"],
            (Self::Bash | Self::Posix | Self::Fish | Self::Nu, false) => &["-l", "-c"],
        }
    }

    /// Leaving and entering the folder runs what version managers hang on a change of folder; bash and sh have no
    /// such hook and are asked for the two known ones.
    fn script(self, source_bashrc: bool) -> String {
        let enter = format!(r#"cd / && cd "${WORKSPACE}""#);
        let hooks = "for hook in _direnv_hook _mise_hook; do type \"$hook\" >/dev/null 2>&1 && \"$hook\"; done";
        // Theirs for fish wait for a prompt, and none is drawn here.
        let fish_hooks = "for hook in __direnv_export_eval __mise_env_eval; functions -q $hook; and $hook; end";
        let bashrc = if source_bashrc { "[ -r ~/.bashrc ] && . ~/.bashrc\n" } else { "" };
        let marked = format!("\\echo \"${{{ASKING}}}>\"\n{PRINT}\n\\echo \"<${{{ASKING}}}\"\n");
        let marked_plain = format!("echo \"${ASKING}>\"\n{PRINT}\necho \"<${ASKING}\"\n");
        match self {
            Self::Bash | Self::Posix => format!("{bashrc}{enter}\n{hooks}\n{marked}"),
            Self::Fish => format!("{enter}\n{fish_hooks}\n{marked_plain}"),
            // It cannot send stderr elsewhere, and has `env -0` wherever it is still a login shell.
            Self::Csh => format!("{enter}\n{}", marked_plain.replace(PRINT, "/usr/bin/env -0")),
            Self::Nu => format!(
                "cd $env.{WORKSPACE}; print $\"($env.{ASKING})>\"; ^/usr/bin/env -0; print $\"<($env.{ASKING})\""
            ),
        }
    }
}

/// Asks a shell for its environment; `own` is what it starts with.
pub(crate) fn ask(
    shell: &Path,
    workspace: &Path,
    own: &Variables,
    limit: Duration,
) -> Result<ShellAnswer, ShellFailure> {
    let deadline = Instant::now() + limit;
    let first = ask_once(shell, workspace, own, limit, true);
    match first {
        // A start-up file that ends an interactive shell (`exec fish`, `exit`) may still let a plain login shell
        // through.
        Err(ShellFailure::Ended { .. }) => {
            let rest = deadline.saturating_duration_since(Instant::now());
            ask_once(shell, workspace, own, rest, false).or(first)
        }
        Ok(_) | Err(_) => first,
    }
}

fn ask_once(
    shell: &Path,
    workspace: &Path,
    own: &Variables,
    limit: Duration,
    interactive: bool,
) -> Result<ShellAnswer, ShellFailure> {
    let marker = format!("outrigger-{}-{:x}", std::process::id(), marker_number());
    let language = Language::of(shell);
    let mut command = Command::new(shell);
    command.args(language.flags(interactive));
    command.arg(language.script(interactive && language == Language::Bash && skips_bashrc(own)));
    command.env_clear().envs(own).envs(QUIET).env(ASKING, &marker).env(WORKSPACE, workspace).current_dir(workspace);
    let (begin, end) = (format!("{marker}>\n"), format!("<{marker}\n"));
    let enough = |out: &[u8]| memmem::rfind(out, end.as_bytes()).is_some();
    let captured =
        capture(command, limit, &enough).map_err(|source| ShellFailure::Start { shell: shell.to_owned(), source })?;
    let shell = || shell.to_owned();
    match between(&captured.stdout, begin.as_bytes(), end.as_bytes()) {
        Some(block) if block.contains(&0) => Ok(parse(block, own, interactive)),
        Some(_) => Err(ShellFailure::Empty { shell: shell() }),
        None => Err(match captured.end {
            End::OutOfTime | End::Enough => ShellFailure::OutOfTime { shell: shell(), limit },
            End::TooMuch => ShellFailure::TooMuch { shell: shell() },
            End::Exited(status) => {
                let stderr = last_line(&captured.stderr);
                ShellFailure::Ended { shell: shell(), status: status.to_string(), stderr }
            }
        }),
    }
}

/// Unlikely to be printed by anything else.
fn marker_number() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

/// An interactive login bash reads the first of these files and not `.bashrc`, unless that file does; a terminal on
/// Linux reads `.bashrc`. Sourcing it twice would double the wait for slow ones, so the file is asked.
fn skips_bashrc(own: &Variables) -> bool {
    let Some(home) = own.get("HOME").map(PathBuf::from) else { return false };
    let profile =
        [".bash_profile", ".bash_login", ".profile"].iter().find_map(|name| std::fs::read(home.join(name)).ok());
    profile.is_none_or(|text| memmem::find(&text, b"bashrc").is_none())
}

fn between<'a>(out: &'a [u8], begin: &[u8], end: &[u8]) -> Option<&'a [u8]> {
    let start = memmem::find(out, begin)? + begin.len();
    let length = memmem::find(&out[start..], end)?;
    Some(&out[start..start + length])
}

fn parse(block: &[u8], own: &Variables, interactive: bool) -> ShellAnswer {
    let mut answer = ShellAnswer { variables: Variables::new(), unreadable: Vec::new(), interactive };
    for entry in block.split(|byte| *byte == 0) {
        // The search starts behind the first byte, because Windows-born names may begin with an equals sign.
        let Some(equals) = entry.iter().skip(1).position(|byte| *byte == b'=').map(|at| at + 1) else { continue };
        let (name, value) = (&entry[..equals], &entry[equals + 1..]);
        match (std::str::from_utf8(name), std::str::from_utf8(value)) {
            (Ok(name), Ok(value)) => drop(answer.variables.insert(name.to_owned(), value.to_owned())),
            (Ok(_) | Err(_), _) => answer.unreadable.push(String::from_utf8_lossy(name).into_owned()),
        }
    }
    for name in OF_THE_SHELL {
        answer.variables.remove(name);
    }
    for (name, set) in QUIET {
        if answer.variables.get(name).is_some_and(|value| value == set) {
            answer.variables.remove(name);
            answer.variables.extend(own.get(name).map(|value| (name.to_owned(), value.clone())));
        }
    }
    answer
}
