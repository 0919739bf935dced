//! What does a link `outrigger://…` ask for, and is it one that may be followed?
//!
//! Anybody can write a link, so it may name what is to be looked at and nothing else: a session by its whole id, or a folder by its
//! whole path. Everything that is not exactly that is refused with the reason. Pure; whether the session or the folder is there is
//! for whoever follows it.

use std::path::{Component, Path, PathBuf};

use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use url::Url;

/// The scheme of our links.
pub const SCHEME: &str = "outrigger";

/// Longest link, in bytes.
const LINK_BYTES: usize = 4096;

/// What a link asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// `outrigger://session/<id>`: show a session in the window of its workspace.
    Session(SessionId),
    /// `outrigger://workspace?path=<folder>`: open the window of a folder.
    Workspace(PathBuf),
}

/// Whether somebody meant this as a link of ours, well formed or not.
#[must_use]
pub fn is_link(text: &str) -> bool {
    text.get(..SCHEME.len() + 1).is_some_and(|begin| begin.eq_ignore_ascii_case("outrigger:"))
}

/// Reads a link.
///
/// # Errors
/// Why it is not followed.
pub fn parse(text: &str) -> Result<Link, WireError> {
    let refused = |why: &str| {
        let message = format!("the link was not followed: {why}. It was {}", shown(text));
        WireError::new(ErrorCode::BadRequest, message)
    };
    if text.len() > LINK_BYTES {
        return Err(refused("it is too long"));
    }
    if text.chars().any(is_hidden) {
        return Err(refused("it has characters in it that cannot be seen"));
    }
    let url = Url::parse(text).map_err(|error| refused(&format!("it is malformed ({error})")))?;
    if url.scheme() != SCHEME {
        return Err(refused("its scheme is not outrigger"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.port().is_some() || url.fragment().is_some() {
        return Err(refused("it has parts that mean nothing to Outrigger"));
    }
    match url.host_str() {
        Some("session") => session_of(&url).map(Link::Session).map_err(refused),
        Some("workspace") => folder_of(&url).map(Link::Workspace).map_err(refused),
        Some(_) | None => {
            Err(refused("only outrigger://session/ID and outrigger://workspace?path=FOLDER can be opened"))
        }
    }
}

/// A text of somebody else, so that it can be shown: bounded, and what cannot be seen is spelled out.
#[must_use]
pub fn shown(text: &str) -> String {
    bounded(text, 200)
}

/// The same for a message that carries such a text.
#[must_use]
pub fn shown_whole(text: &str) -> String {
    bounded(text, 1000)
}

fn bounded(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for character in text.chars().take(most) {
        if is_hidden(character) {
            shown.push_str(&format!("\\u{{{:x}}}", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// Control characters, and those that hide, reverse or take no room.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}')
}

fn session_of(url: &Url) -> Result<SessionId, &'static str> {
    if url.query().is_some() {
        return Err("it has parts that mean nothing to Outrigger");
    }
    let id = url.path().strip_prefix('/').unwrap_or_default();
    // The whole id, as it is written: braces, capitals and beginnings are for people at a keyboard.
    id.parse().ok().filter(|session: &SessionId| session.to_string() == id).ok_or("it names no session by its whole id")
}

fn folder_of(url: &Url) -> Result<PathBuf, &'static str> {
    if !matches!(url.path(), "" | "/") {
        return Err("it has parts that mean nothing to Outrigger");
    }
    let mut pairs = url.query_pairs();
    let path = match (pairs.next(), pairs.next()) {
        (Some((name, path)), None) if name == "path" => path.into_owned(),
        _ => return Err("it names no folder, or more than one"),
    };
    if path.chars().any(is_hidden) {
        return Err("its folder has characters in it that cannot be seen");
    }
    let folder = PathBuf::from(path);
    let is_plain = folder.components().all(|part| !matches!(part, Component::ParentDir | Component::CurDir));
    if folder.is_absolute() && is_plain && !is_remote(&folder) {
        Ok(folder)
    } else {
        Err("its folder is no whole path on this machine")
    }
}

/// A path of another machine, which Windows would log in to by merely looking.
fn is_remote(folder: &Path) -> bool {
    let text = folder.to_string_lossy();
    text.starts_with("//") || text.starts_with("\\\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_and_a_folder_can_be_asked_for() {
        let id = SessionId::new();
        assert_eq!(parse(&format!("outrigger://session/{id}")), Ok(Link::Session(id)));
        assert_eq!(parse(&format!("OUTRIGGER://session/{id}")), Ok(Link::Session(id)));
        let folder = Link::Workspace(PathBuf::from("/home/a b/é"));
        assert_eq!(parse("outrigger://workspace?path=/home/a%20b/%C3%A9"), Ok(folder.clone()));
        assert_eq!(parse("outrigger://workspace/?path=%2Fhome%2Fa+b%2Fé"), Ok(folder));
        assert!(
            is_link("outrigger:x") && is_link("Outrigger://") && !is_link("outrigger") && !is_link("/outrigger://")
        );
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        let id = SessionId::new();
        for link in [
            "outrigger:".to_owned(),
            "outrigger://".to_owned(),
            "outrigger://session/".to_owned(),
            "outrigger://session/..".to_owned(),
            format!("outrigger://session/{}", &id.to_string()[..8]),
            format!("outrigger://session/{}", id.to_string().to_uppercase()),
            format!("outrigger://session/{{{id}}}"),
            format!("outrigger://session/{id}/"),
            format!("outrigger://session/{id}?answer=allow"),
            format!("outrigger://session/{id}#x"),
            format!("outrigger://me@session/{id}"),
            format!("outrigger://session:1/{id}"),
            format!("https://session/{id}"),
            format!("outrigger://prompt/{id}"),
            "outrigger://workspace".to_owned(),
            "outrigger://workspace?path=".to_owned(),
            "outrigger://workspace?path=src".to_owned(),
            "outrigger://workspace?path=~/src".to_owned(),
            "outrigger://workspace?path=/a/../etc".to_owned(),
            "outrigger://workspace?path=/a&path=/b".to_owned(),
            "outrigger://workspace?path=/a&run=1".to_owned(),
            "outrigger://workspace?path=//server/share".to_owned(),
            "outrigger://workspace?path=/a%00b".to_owned(),
            "outrigger://workspace?path=/a%0Ab".to_owned(),
            "outrigger://workspace?path=/a%E2%80%AEb".to_owned(),
            "outrigger://workspace?path=/a%FFb".to_owned(),
            "outrigger://workspace/etc?path=/a".to_owned(),
            "outrigger://work\u{200b}space?path=/a".to_owned(),
            format!("outrigger://workspace?path=/{}", "a".repeat(LINK_BYTES)),
        ] {
            let error = parse(&link).expect_err(&link);
            assert_eq!(error.code, ErrorCode::BadRequest);
            assert!(error.message.starts_with("the link was not followed: "), "{error}");
            assert!(!error.message.chars().any(is_hidden) && error.message.len() < 500, "{error}");
        }
    }
}
