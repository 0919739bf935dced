//! Which files does an agent's CLI need for itself, whatever its scope? Its configuration, its sessions, its caches.
//!
//! Written in the manifest as words, and settled here with the agent's own environment. Pure: whether a folder exists is not asked.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::environment::{expand_home, is_name};
use crate::manifest::{Manifest, Wrong};

/// The table `[confine]` of a manifest. An entry begins with `~/`, with `/`, or with a variable (`$XDG_CACHE_HOME/…`); a folder ends
/// with `/` and is made when it is not there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Confine {
    /// Its configuration. Another config folder (a profile) takes the place of all of these.
    pub config: Vec<String>,
    /// What it writes besides: sessions, caches.
    pub write: Vec<String>,
    /// What it reads besides.
    pub read: Vec<String>,
}

/// A file or a folder of the CLI's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPath {
    /// Absolute, without a `/` at its end.
    pub path: String,
    /// Whether it is a folder, which is made when it is not there.
    pub is_folder: bool,
}

/// Where the standard for desktops has these when the variable is not set.
const STANDARD: [(&str, &str); 4] = [
    ("XDG_CACHE_HOME", "~/.cache"),
    ("XDG_CONFIG_HOME", "~/.config"),
    ("XDG_DATA_HOME", "~/.local/share"),
    ("XDG_STATE_HOME", "~/.local/state"),
];

impl Manifest {
    /// What its CLI writes for itself, with the variables of the agent's environment.
    #[must_use]
    pub fn own_writes(&self, env: &BTreeMap<String, String>) -> Vec<OwnPath> {
        let profile = self.config_dir_variable().and_then(|name| env.get(name)).filter(|folder| !folder.is_empty());
        let mut found = match profile {
            Some(folder) => vec![OwnPath { path: trimmed(&expand_home(folder, env)), is_folder: true }],
            None => settled(&self.confine.config, env),
        };
        found.extend(settled(&self.confine.write, env));
        found
    }

    /// What its CLI reads besides.
    #[must_use]
    pub fn own_reads(&self, env: &BTreeMap<String, String>) -> Vec<OwnPath> {
        settled(&self.confine.read, env)
    }
}

fn settled(entries: &[String], env: &BTreeMap<String, String>) -> Vec<OwnPath> {
    entries.iter().filter_map(|entry| one(entry, env)).collect()
}

/// Nothing when it stands on a variable that is not set.
fn one(entry: &str, env: &BTreeMap<String, String>) -> Option<OwnPath> {
    let is_folder = entry.ends_with('/');
    let path = match entry.strip_prefix('$') {
        None => expand_home(entry, env),
        Some(rest) => {
            let (name, inside) = rest.split_once('/').unwrap_or((rest, ""));
            let standard = || STANDARD.iter().find(|(known, _)| *known == name).map(|(_, folder)| (*folder).to_owned());
            let folder = env.get(name).filter(|folder| folder.starts_with('/')).cloned().or_else(standard)?;
            format!("{}/{inside}", expand_home(&folder, env).trim_end_matches('/'))
        }
    };
    Some(OwnPath { path: trimmed(&path), is_folder }).filter(|own| own.path.starts_with('/') || own.path.contains(':'))
}

fn trimmed(path: &str) -> String {
    let path = path.trim_end_matches('/');
    if path.is_empty() { "/".to_owned() } else { path.to_owned() }
}

pub(crate) fn check(confine: &Confine) -> Result<(), Wrong> {
    let lists =
        [("confine.config", &confine.config), ("confine.write", &confine.write), ("confine.read", &confine.read)];
    for (key, entries) in lists {
        if let Some(entry) = entries.iter().find(|entry| !is_place(entry)) {
            let remedy =
                "begin with `~/`, `/` or a variable such as `$XDG_CACHE_HOME/`, and name a folder or a file in it";
            return Err((key, format!("`{entry}` is no place of its own"), remedy.to_owned()));
        }
    }
    Ok(())
}

/// A place, and not a whole home or system: a scope would mean nothing then.
fn is_place(entry: &str) -> bool {
    let named = |inside: &str| !inside.trim_matches('/').is_empty() && !inside.split('/').any(|part| part == "..");
    match (entry.strip_prefix("~/"), entry.strip_prefix('$')) {
        (Some(inside), _) => named(inside),
        (None, Some(rest)) => rest.split_once('/').is_some_and(|(name, inside)| is_name(name) && named(inside)),
        (None, None) => entry.strip_prefix('/').is_some_and(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(more: &str) -> Result<Manifest, String> {
        let text = format!("id = \"x\"\nname = \"X\"\nrunner = \"x.mjs\"\nadapter = \"claude\"\n{more}");
        Manifest::parse(&text, "x.toml").map_err(|error| error.to_string())
    }

    fn env(more: &[(&str, &str)]) -> BTreeMap<String, String> {
        [("HOME", "/home/me")]
            .iter()
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn paths(own: Vec<OwnPath>) -> Vec<String> {
        own.into_iter().map(|own| if own.is_folder { format!("{}/", own.path) } else { own.path }).collect()
    }

    #[test]
    fn words_become_places_by_the_agents_environment() {
        let text = "[confine]\nconfig = [\"~/.x/\", \"~/.x.json\"]\nwrite = [\"$XDG_CACHE_HOME/x/\", \"$NOWHERE/x/\"]\nread = [\"/opt/x\"]";
        let manifest = manifest(text).unwrap();
        assert_eq!(paths(manifest.own_writes(&env(&[]))), ["/home/me/.x/", "/home/me/.x.json", "/home/me/.cache/x/"]);
        assert_eq!(paths(manifest.own_reads(&env(&[]))), ["/opt/x"]);
        let moved = env(&[("XDG_CACHE_HOME", "/c/"), ("CLAUDE_CONFIG_DIR", "/profiles/two/")]);
        assert_eq!(paths(manifest.own_writes(&moved)), ["/profiles/two/", "/c/x/"]);
        // What is no absolute path is no folder of anybody, says the standard.
        let odd = env(&[("XDG_CACHE_HOME", "relative")]);
        assert_eq!(paths(manifest.own_writes(&odd))[2], "/home/me/.cache/x/");
    }

    #[test]
    fn a_whole_home_is_nothing_of_its_own() {
        for entry in ["~", "~/", "/", "x", "./x", "$HOME", "$HOME/", "~/../x/", "$A B/x", ""] {
            let error = manifest(&format!("[confine]\nwrite = [\"{entry}\"]")).unwrap_err();
            assert!(error.contains("confine.write"), "{entry}: {error}");
        }
    }
}
