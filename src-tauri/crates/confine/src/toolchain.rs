//! What does a toolchain need to read, wherever it lies on this machine?
//!
//! The system's folders, the folders of PATH with what belongs to them, and the homes of the known toolchains. Keys, mail, browsers
//! and whatever else lies in a home are not among them.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

/// The system's own. What does not exist is left out.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix",
    "/gnu",
    "/snap",
    "/proc",
    "/sys",
    "/run/current-system",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager/resolv.conf",
    "/run/nscd",
    "/var/lib/snapd",
    "/var/lib/flatpak",
    "/var/cache/fontconfig",
    "/home/linuxbrew",
    "/System",
    "/Library",
    "/Applications",
    "/private/etc",
    "/private/var/db",
    "/private/var/select",
];

/// In the user's home: toolchains, their settings, and what they have fetched.
const HOME: &[&str] = &[
    ".asdf",
    ".bun",
    ".cargo/bin",
    ".cargo/config",
    ".cargo/config.toml",
    ".cargo/env",
    ".cargo/git",
    ".cargo/registry",
    ".deno",
    ".fnm",
    ".gradle/caches",
    ".gradle/wrapper",
    ".ivy2",
    ".jenv",
    ".local/bin",
    ".local/lib",
    ".local/pipx",
    ".local/share/claude",
    ".local/share/fnm",
    ".local/share/mise",
    ".local/share/pipx",
    ".local/share/pnpm",
    ".local/share/uv",
    ".local/share/virtualenv",
    ".m2/repository",
    ".mix",
    ".nix-profile",
    ".npm",
    ".npmrc",
    ".nvm",
    ".opam",
    ".pnpm-store",
    ".pyenv",
    ".rbenv",
    ".rustup",
    ".rvm",
    ".sdkman",
    ".stack",
    ".volta",
    ".yarn",
    ".yarnrc",
    ".yarnrc.yml",
    ".ghcup",
    ".hex",
    ".swiftly",
    ".terminfo",
    "go",
    ".cache/deno",
    ".cache/go-build",
    ".cache/ms-playwright",
    ".cache/node",
    ".cache/pip",
    ".cache/pnpm",
    ".cache/pre-commit",
    ".cache/uv",
    ".cache/yarn",
    ".config/git",
    ".config/mise",
    ".config/nvm",
    ".config/pip",
    ".config/uv",
    ".gitconfig",
    ".gitignore",
    ".gitignore_global",
    ".editorconfig",
    ".bash_profile",
    ".bashrc",
    ".inputrc",
    ".profile",
    ".tool-versions",
    ".zprofile",
    ".zshenv",
    ".zshrc",
];

/// Variables that name the home of a toolchain.
const NAMED: &[&str] = &[
    "BUN_INSTALL",
    "CARGO_TARGET_DIR",
    "CONDA_PREFIX",
    "DENO_DIR",
    "FNM_DIR",
    "GOMODCACHE",
    "GOPATH",
    "GOROOT",
    "JAVA_HOME",
    "NVM_DIR",
    "PNPM_HOME",
    "PYENV_ROOT",
    "RUSTUP_HOME",
    "SDKMAN_DIR",
    "VIRTUAL_ENV",
    "VOLTA_HOME",
    "npm_config_cache",
];

/// Devices that programs expect to be able to write.
const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/fd",
];

/// The files and folders, of those that exist, that programs, compilers and package tools of this user read.
#[must_use]
pub fn toolchain() -> Vec<PathBuf> {
    let home = env::home_dir().filter(|home| home.parent().is_some());
    let path = env::var_os("PATH").unwrap_or_default();
    let named: Vec<PathBuf> = NAMED.iter().filter_map(env::var_os).map(PathBuf::from).collect();
    let mut found: BTreeSet<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    if let Some(home) = &home {
        found.extend(HOME.iter().map(|within| home.join(within)));
    }
    found.extend(env::split_paths(&path).chain(named).flat_map(|folder| with_its_own(&folder, home.as_deref())));
    found.into_iter().filter(|path| path.exists()).collect()
}

pub(crate) fn devices() -> Vec<PathBuf> {
    DEVICES.iter().map(PathBuf::from).filter(|path| path.exists()).collect()
}

/// A folder of programs with the rest of its installation: `bin` of `/home/me/.nvm/versions/node/v22` needs the `lib` beside it.
/// Folders that hold more than a toolchain are not widened to: a home, `.local`, and what is above a home.
fn with_its_own(folder: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let too_wide = |path: &Path| {
        path.parent().is_none() || home.is_some_and(|home| home.starts_with(path) || path == home.join(".local"))
    };
    if !folder.is_absolute() || too_wide(folder) {
        return Vec::new();
    }
    let around = folder.parent().filter(|around| folder.ends_with("bin") && !too_wide(around));
    // A cargo home has credentials beside its programs.
    let around = around.filter(|around| !around.join("credentials.toml").exists() && !around.ends_with(".cargo"));
    [Some(folder), around].into_iter().flatten().map(Path::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_is_more_than_its_programs_and_less_than_a_home() {
        let home = Path::new("/home/me");
        let widened = |folder: &str| with_its_own(Path::new(folder), Some(home)).len();
        assert_eq!(widened("/home/me/.nvm/versions/node/v22/bin"), 2);
        assert_eq!(widened("/opt/tool/bin"), 2);
        assert_eq!(widened("/home/me/bin"), 1, "the home is not a toolchain");
        assert_eq!(widened("/home/me/.local/bin"), 1);
        assert_eq!(widened("/home/me/.cargo/bin"), 1, "credentials are there");
        assert_eq!(widened("/home/me"), 0);
        assert_eq!(widened("/home"), 0);
        assert_eq!(widened("relative/bin"), 0);
        assert_eq!(widened("/bin"), 1);
    }

    #[test]
    fn the_system_and_no_home_is_among_it() {
        let found = toolchain();
        let home = env::home_dir().unwrap();
        assert!(found.iter().any(|path| path.starts_with("/usr") || path.starts_with("/System")), "{found:?}");
        assert!(found.iter().all(|path| !home.starts_with(path)), "{found:?}");
    }
}
