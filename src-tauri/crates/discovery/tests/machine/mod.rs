//! A machine to look around on: a home folder with start-up files and programs that are shell scripts.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "this is test code, outside of a test function")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use outrigger_discovery::{CliSearch, CliSpec, Environment, EnvironmentRequest, Refresh, Search, Settings};
use protocol::doctor::{Candidate, Verdict};

/// The name of the CLI that tests look for; nothing on a real machine is called so.
pub const CLI: &str = "oarsman";

pub struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    pub fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["home", "work", "cache", "config"] {
            std::fs::create_dir(machine.folder.path().join(folder)).unwrap();
        }
        machine
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file below the home folder.
    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.home().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Writes a shell script below the home folder.
    pub fn script(&self, path: &str, body: &str) -> PathBuf {
        self.executable(path, &format!("#!/bin/sh\n{body}\n"))
    }

    /// Writes a program below the home folder.
    pub fn executable(&self, path: &str, text: &str) -> PathBuf {
        let path = self.write(path, text);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Installs the CLI in a version.
    pub fn install(&self, path: &str, version: &str) -> PathBuf {
        self.script(path, &format!("echo '{version} (Oarsman)'"))
    }

    /// The question for the login shell's environment, as an app asks it that a desktop started.
    pub fn request(&self) -> EnvironmentRequest {
        let own = [("HOME", self.home().display().to_string()), ("PATH", "/usr/bin:/bin".to_owned())];
        EnvironmentRequest {
            workspace: self.workspace(),
            shell: Some("/bin/bash".into()),
            own: own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            cache: Some(self.cache()),
            refresh: Refresh::No,
            limit: Duration::from_secs(10),
            outdated_will_do: false,
        }
    }

    /// The environment without a shell, with these folders in PATH.
    pub fn environment(&self, path: &[&str]) -> Environment {
        let mut request = self.request();
        let folders = path.iter().map(|folder| self.home().join(folder).display().to_string());
        let path: Vec<_> = folders.chain(["/usr/bin".to_owned(), "/bin".to_owned()]).collect();
        request.own.insert("PATH".to_owned(), path.join(":"));
        request.shell = None;
        request.take()
    }

    pub fn spec(&self) -> CliSpec {
        CliSpec {
            id: CLI.to_owned(),
            names: vec![CLI.to_owned()],
            candidates: vec!["~/known/oarsman".to_owned()],
            version_args: vec!["--version".to_owned()],
            min_version: Some("2.0.0".to_owned()),
            tested_versions: vec!["2.1.0".to_owned(), "2.3.0".to_owned()],
            install_hint: Some("get oarsman".to_owned()),
        }
    }

    /// A fresh search, as each start of a session makes one.
    pub fn search(&self, env: &Environment) -> CliSearch {
        self.search_with(env, &Settings::load(&self.config()))
    }

    pub fn search_with(&self, env: &Environment, settings: &Settings) -> CliSearch {
        Search::new(env, settings, Some(&self.cache())).cli(&self.spec())
    }

    pub fn settings_file(&self, text: &str) -> PathBuf {
        let file = self.config().join("settings.toml");
        std::fs::write(&file, text).unwrap();
        file
    }
}

/// What became of a path.
pub fn about<'a>(candidates: &'a [Candidate], path: &Path) -> &'a Candidate {
    let path = path.display().to_string();
    candidates.iter().find(|candidate| candidate.path == path).unwrap_or_else(|| panic!("{path} was not looked at"))
}

/// The verdict on a path.
pub fn verdict(search: &CliSearch, path: &Path) -> Verdict {
    about(&search.candidates, path).verdict
}

/// Variables for a comparison.
pub fn variable<'a>(vars: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    vars.get(name).map(String::as_str)
}
