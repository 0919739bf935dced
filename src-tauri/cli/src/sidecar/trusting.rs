//! What exactly would be run, and the user's answer to it.

use std::io::{self, IsTerminal};

use anyhow::Result;
use clap::Args;
use client::{Machine, sidecars};
use protocol::error::{ErrorCode, WireError};
use protocol::sidecar::{SidecarPlace, SidecarTrust, TrustQuestion};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{self, visible, visible_line};

/// So much of a hash has to be said at least.
const HASH_AT_LEAST: usize = 12;

/// The arguments of `outrigger sidecar trust`.
#[derive(Debug, Args)]
pub(crate) struct TrustOptions {
    /// The sidecar
    name: String,
    /// Trust what has this hash, without being asked; its first 12 characters will do
    #[arg(long, value_name = "HASH", conflicts_with = "withdraw")]
    yes: Option<String>,
    /// Do not trust it any more, and stop it
    #[arg(long)]
    withdraw: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    trusted: bool,
}

pub(super) async fn trust(machine: &Machine, place: &SidecarPlace, options: TrustOptions, json: bool) -> Result<Exit> {
    let TrustOptions { name, yes, withdraw } = options;
    let view = sidecars::view(machine, place, &name).await?;
    if let Some(error) = view.error {
        return Err(WireError::new(ErrorCode::BadManifest, error).into());
    }
    if withdraw {
        sidecars::trust(machine, place, &name, "", false).await?;
        return Ok(tell(&name, false, json));
    }
    let question = match view.trust {
        SidecarTrust::Own => {
            output::to_stderr(&format!("`{name}` is your own, from your config folder; it needs no trust."));
            return Ok(Exit::Done);
        }
        SidecarTrust::Trusted => {
            output::to_stderr(&format!("`{name}` is trusted as it is."));
            return Ok(Exit::Done);
        }
        SidecarTrust::Needed { changed, question } => {
            show(changed, &question, json);
            question
        }
    };
    match yes {
        Some(hash) => check(&hash, &question)?,
        None if json || !io::stdin().is_terminal() || !io::stderr().is_terminal() => {
            let how = format!("outrigger sidecar trust {name} --yes {}", &question.hash[..HASH_AT_LEAST]);
            output::to_stderr(&format!("It was not trusted. Without a terminal, this says that you mean it: {how}"));
            return Ok(Exit::NoPermission);
        }
        None if !asked() => {
            output::to_stderr("It was not trusted.");
            return Ok(Exit::Failed);
        }
        None => {}
    }
    sidecars::trust(machine, place, &name, &question.hash, true).await?;
    Ok(tell(&name, true, json))
}

fn check(hash: &str, question: &TrustQuestion) -> Result<(), WireError> {
    if hash.len() >= HASH_AT_LEAST && question.hash.starts_with(hash) {
        return Ok(());
    }
    let message = format!(
        "`{}` has the hash {} and not {hash}, so it was not trusted; look at it again and decide anew",
        question.name, question.hash
    );
    Err(WireError::new(ErrorCode::BadRequest, message))
}

fn tell(name: &str, trusted: bool, json: bool) -> Exit {
    if json {
        output::json(&Told { name, trusted });
    } else if trusted {
        output::line(&format!("`{name}` is trusted. Any change of what was shown asks you anew."));
    } else {
        output::line(&format!("`{name}` is not trusted any more; nothing of it runs."));
    }
    Exit::Done
}

/// Everything that the hash stands for. What a workspace wrote must not command the terminal.
fn show(changed: bool, question: &TrustQuestion, json: bool) {
    if json {
        output::json(question);
        return;
    }
    let line = |label: &str, text: &str| output::line(&format!("  {label:<9}{}", visible_line(text, 4000)));
    let why = if changed { "has changed since you trusted it" } else { "comes with this workspace" };
    output::line(&format!(
        "The sidecar `{}` {why}. If you trust it, this is run as you, outside of every agent's scope:\n",
        visible_line(&question.name, 60)
    ));
    question.build.iter().for_each(|step| line("build", &words(step)));
    line("run", &words(&question.run));
    line("in", &question.folder);
    if !question.passes.is_empty() {
        line("sees", &question.passes.join(", "));
    }
    question.secrets.iter().for_each(|secret| line("secret", secret));
    output::line(
        "\nIts programs are files of the workspace: whoever may change these changes what is run. Its sidecar.toml:\n",
    );
    for text in visible(&question.manifest).lines() {
        output::line(&format!("  | {text}"));
    }
    output::line(&format!("\n  hash     {}", question.hash));
}

/// A command as a shell would take it.
fn words(words: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:@%+,".contains(c);
    let word = |word: &String| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn asked() -> bool {
    output::words_to_stderr("Trust it? [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer).is_ok();
    read && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_apart() {
        let words = |text: &[&str]| words(&text.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&["npm", "run", "build"]), "npm run build");
        assert_eq!(words(&["sh", "-c", "rm -rf '~'; x", ""]), r"sh -c 'rm -rf '\''~'\''; x' ''");
    }
}
