//! A secret on its way into the system's keyring. It is never an argument: those can be seen by others and are kept by shells.

use std::io::{self, BufRead, IsTerminal};

use anyhow::Result;
use clap::Args;
use client::{Machine, sidecars};
use protocol::error::{ErrorCode, WireError};

use crate::exit::Exit;
use crate::output;

/// The arguments of `outrigger sidecar secret`.
#[derive(Debug, Args)]
pub(crate) struct SecretOptions {
    /// Its name: what stands behind `keyring:` in a manifest
    name: String,
    /// Remove it from the keyring
    #[arg(long)]
    forget: bool,
}

pub(super) async fn secret(machine: &Machine, options: &SecretOptions) -> Result<Exit> {
    let name = options.name.strip_prefix("keyring:").unwrap_or(&options.name);
    if options.forget {
        sidecars::keep_secret(machine, name, None).await?;
        output::to_stderr(&format!("The keyring has no `{name}` of Outrigger any more."));
        return Ok(Exit::Done);
    }
    let value =
        read().map_err(|error| WireError::new(ErrorCode::BadRequest, format!("no secret was read: {error}")))?;
    if value.is_empty() {
        return Err(WireError::new(ErrorCode::BadRequest, "the secret is empty; nothing was kept").into());
    }
    sidecars::keep_secret(machine, name, Some(&value)).await?;
    output::to_stderr(&format!("Kept. A manifest names it as keyring:{name}"));
    Ok(Exit::Done)
}

/// One line of stdin; what is typed on a terminal is not shown.
fn read() -> io::Result<String> {
    let mut line = String::new();
    if io::stdin().is_terminal() {
        output::words_to_stderr("The secret (it is not shown): ");
        let hidden = Hidden::begin();
        let read = io::stdin().lock().read_line(&mut line);
        drop(hidden);
        output::to_stderr("");
        read?;
    } else {
        io::stdin().lock().read_line(&mut line)?;
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// While it lives, the terminal does not show what is typed.
#[cfg(unix)]
struct Hidden(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Hidden {
    fn begin() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let Ok(before) = tcgetattr(io::stdin()) else { return Self(None) };
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        let set = tcsetattr(io::stdin(), OptionalActions::Now, &silent);
        Self(set.is_ok().then_some(before))
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, before);
        }
    }
}

#[cfg(not(unix))]
struct Hidden;

#[cfg(not(unix))]
impl Hidden {
    fn begin() -> Self {
        Self
    }
}
