//! Where do version managers and package managers put programs?
//!
//! Data, and the little code that reads a manager's folder of versions. Newest versions come first. The folders are
//! looked at after PATH, because PATH is what the user's own terminal goes by.

use std::path::{Path, PathBuf};

use protocol::doctor::FoundBy;

use crate::environment::Environment;
use crate::settings::expand_in;
use crate::version;

/// A folder with programs, and whose it is.
pub(crate) type Folder = (PathBuf, FoundBy);

/// Folders with a variable that may replace their root, the root at home, and what is below the root.
const ROOTS: [(&str, &str, &str, &str); 22] = [
    ("claude", "", "~/.claude/local", ""),
    ("local", "", "~/.local/bin", ""),
    ("volta", "VOLTA_HOME", "~/.volta", "bin"),
    ("mise", "MISE_DATA_DIR", "~/.local/share/mise", "shims"),
    ("asdf", "ASDF_DATA_DIR", "~/.asdf", "shims"),
    ("n", "N_PREFIX", "~/n", "bin"),
    ("pnpm", "PNPM_HOME", "~/.local/share/pnpm", ""),
    ("pnpm", "", "~/Library/pnpm", ""),
    ("yarn", "", "~/.yarn/bin", ""),
    ("yarn", "", "~/.config/yarn/global/node_modules/.bin", ""),
    ("bun", "BUN_INSTALL", "~/.bun", "bin"),
    ("deno", "DENO_INSTALL_ROOT", "~/.deno", "bin"),
    ("npm", "npm_config_prefix", "~/.npm-global", "bin"),
    ("npm", "NPM_CONFIG_PREFIX", "~/.npm-packages", "bin"),
    ("cargo", "CARGO_HOME", "~/.cargo", "bin"),
    ("nix", "", "~/.nix-profile/bin", ""),
    ("nix", "", "/nix/var/nix/profiles/default/bin", ""),
    ("homebrew", "HOMEBREW_PREFIX", "/opt/homebrew", "bin"),
    ("homebrew", "", "/home/linuxbrew/.linuxbrew/bin", ""),
    ("system", "", "/usr/local/bin", ""),
    ("system", "", "/usr/bin", ""),
    ("snap", "", "/snap/bin", ""),
];

/// Folders that hold one folder per version, with what is below each.
const VERSIONED: [(&str, &str, &str, &str, &str); 7] = [
    ("nvm", "NVM_DIR", "~/.nvm", "versions/node", "bin"),
    ("fnm", "FNM_DIR", "~/.local/share/fnm", "node-versions", "installation/bin"),
    ("fnm", "", "~/Library/Application Support/fnm", "node-versions", "installation/bin"),
    ("fnm", "", "~/.fnm", "node-versions", "installation/bin"),
    ("mise", "MISE_DATA_DIR", "~/.local/share/mise", "installs/node", "bin"),
    ("asdf", "ASDF_DATA_DIR", "~/.asdf", "installs/nodejs", "bin"),
    ("n", "N_PREFIX", "/usr/local", "n/versions/node", "bin"),
];

/// The same for Windows; the variables' values are the roots. nvm for Windows has its versions directly in its folder.
const ON_WINDOWS: [(&str, &str, &str); 12] = [
    ("npm", "APPDATA", "npm"),
    ("nvm", "NVM_SYMLINK", ""),
    ("volta", "LOCALAPPDATA", "Volta/bin"),
    ("pnpm", "LOCALAPPDATA", "pnpm"),
    ("winget", "LOCALAPPDATA", "Microsoft/WinGet/Links"),
    ("fnm", "LOCALAPPDATA", "fnm_multishells"),
    ("node", "ProgramFiles", "nodejs"),
    ("scoop", "USERPROFILE", "scoop/shims"),
    ("bun", "USERPROFILE", ".bun/bin"),
    ("deno", "USERPROFILE", ".deno/bin"),
    ("local", "USERPROFILE", ".local/bin"),
    ("chocolatey", "ProgramData", "chocolatey/bin"),
];

/// Every folder where a program may have been installed, whether it exists or not, except that of versions only those
/// that exist are listed.
pub(crate) fn program_folders(env: &Environment) -> Vec<Folder> {
    let home = env.home();
    let home = home.as_deref();
    let mut folders = Vec::new();
    if cfg!(windows) {
        for (tool, variable, below) in ON_WINDOWS {
            folders.extend(env.vars.get(variable).map(|root| (Path::new(root).join(below), tool_named(tool))));
        }
        let nvm = env.vars.get("NVM_HOME").map(PathBuf::from);
        folders.extend(nvm.iter().flat_map(|root| versions_in(root, "", "nvm")));
    }
    for (tool, variable, root, below) in ROOTS {
        folders.extend(roots(env, variable, root, home).map(|root| (join(&root, below), tool_named(tool))));
    }
    folders.extend(home.and_then(npm_prefix).map(|prefix| (prefix.join("bin"), tool_named("npm"))));
    for (tool, variable, root, versions, below) in VERSIONED {
        folders
            .extend(roots(env, variable, root, home).flat_map(|root| versions_in(&root.join(versions), below, tool)));
    }
    folders
}

fn tool_named(name: &str) -> FoundBy {
    FoundBy::Tool { name: name.to_owned() }
}

/// The root that a variable names, then the usual one.
fn roots<'a>(
    env: &'a Environment,
    variable: &str,
    usual: &'a str,
    home: Option<&'a Path>,
) -> impl Iterator<Item = PathBuf> {
    let named = env.vars.get(variable).filter(|root| !root.is_empty()).map(PathBuf::from);
    let usual = expand_in(usual, home);
    let second = (named.as_ref() != Some(&usual)).then_some(usual);
    named.into_iter().chain(second).filter(|root| root.is_absolute())
}

fn join(root: &Path, below: &str) -> PathBuf {
    if below.is_empty() { root.to_owned() } else { root.join(below) }
}

fn versions_in(folder: &Path, below: &str, tool: &str) -> Vec<Folder> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut versions: Vec<_> = entries
        .flatten()
        .filter_map(|entry| Some((version::parse(entry.file_name().to_str()?)?, entry.path())))
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, path)| (join(&path, below), tool_named(tool))).collect()
}

/// The prefix that `npm config set prefix` wrote.
fn npm_prefix(home: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(home.join(".npmrc")).ok()?;
    let value = text.lines().find_map(|line| line.trim().strip_prefix("prefix")?.trim_start().strip_prefix('='))?;
    let value = value.trim().trim_matches('"').replace("${HOME}", "~");
    Some(expand_in(&value, Some(home))).filter(|prefix| prefix.is_absolute())
}
