//! The environment of workspaces from the shells that people have, with direnv in them, as an app asks that a desktop started.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

mod machine;

use std::path::Path;
use std::process::Command;

use machine::{CLI, Machine};
use outrigger_discovery::{EnvSource, EnvironmentRequest, Settings};
use protocol::doctor::FoundBy;

/// A shell, its file for interactive use, and how a variable with two lines is set there. `./dev` installs the shells.
struct Shell {
    program: &'static str,
    file: &'static str,
    two_lines: &'static str,
    tools: &'static str,
    direnv: &'static str,
}

const SHELLS: [Shell; 3] = [
    Shell {
        program: "/bin/bash",
        file: ".bashrc",
        two_lines: "export POEM=$'one\\ntwo'",
        tools: "export PATH=\"$HOME/tools:$PATH\"",
        direnv: "eval \"$(direnv hook bash)\"",
    },
    Shell {
        program: "/usr/bin/zsh",
        file: ".zshrc",
        two_lines: "export POEM=$'one\\ntwo'",
        tools: "path=(~/tools $path)",
        direnv: "eval \"$(direnv hook zsh)\"",
    },
    Shell {
        program: "/usr/bin/fish",
        file: ".config/fish/config.fish",
        two_lines: "set -gx POEM one\\ntwo",
        tools: "set -gx PATH ~/tools $PATH",
        direnv: "direnv hook fish | source",
    },
];

fn asked_of(machine: &Machine, shell: &Shell) -> EnvironmentRequest {
    assert!(Path::new(shell.program).exists(), "{} is not installed; `./dev test rust` installs it", shell.program);
    EnvironmentRequest { shell: Some(shell.program.into()), ..machine.request() }
}

#[test]
fn a_bare_path_of_a_desktop_file_is_no_hindrance_in_any_shell() {
    for shell in &SHELLS {
        let machine = Machine::new();
        machine.install("tools/oarsman", "2.2.0");
        machine.write(shell.file, &format!("echo hello, stranger\n{}\n{}\n", shell.tools, shell.two_lines));
        let env = asked_of(&machine, shell).take();
        assert!(
            matches!(env.source, EnvSource::LoginShell { interactive: true, .. }),
            "{}: {:?}",
            shell.program,
            env.source
        );
        assert_eq!(env.vars.get("POEM").map(String::as_str), Some("one\ntwo"), "{}", shell.program);
        let found = machine.search_with(&env, &Settings::load(&machine.config())).found.unwrap();
        assert_eq!(found.source, FoundBy::LoginPath, "{}: {CLI}", shell.program);
    }
}

#[test]
fn direnv_gives_a_workspace_what_its_envrc_says_once_it_is_allowed() {
    for shell in &SHELLS {
        let machine = Machine::new();
        machine.write(shell.file, &format!("{}\n", shell.direnv));
        std::fs::write(machine.workspace().join(".envrc"), "export OF_WORKSPACE=$'one\\ntwo'\nPATH_add bin\n").unwrap();
        let of_workspace = || asked_of(&machine, shell).refreshed().take().vars.get("OF_WORKSPACE").cloned();
        assert_eq!(of_workspace(), None, "{}: nobody has allowed it", shell.program);
        allow(&machine);
        assert_eq!(of_workspace().as_deref(), Some("one\ntwo"), "{}", shell.program);
        let env = asked_of(&machine, shell).refreshed().take();
        assert_eq!(env.path[0].folder, machine.workspace().join("bin"), "{}", shell.program);
        let elsewhere = EnvironmentRequest { workspace: machine.home(), ..asked_of(&machine, shell) }.take();
        assert_eq!(elsewhere.vars.get("OF_WORKSPACE"), None, "{}: it is of its workspace only", shell.program);
    }
}

fn allow(machine: &Machine) {
    let mut direnv = Command::new("/usr/bin/direnv");
    direnv.arg("allow").arg(machine.workspace().join(".envrc"));
    direnv.env_clear().env("HOME", machine.home()).env("PATH", "/usr/bin:/bin");
    assert!(direnv.status().unwrap().success());
}

#[test]
fn the_hooks_of_mise_run_in_the_workspace() {
    let hook = "_mise_hook() { export MISE_SAW=\"$PWD\"; }\n";
    let machine = Machine::new();
    machine.write(".bashrc", hook);
    // zsh has hooks on the change of folder, which is what mise uses there.
    machine.write(".zshrc", &format!("{hook}autoload -U add-zsh-hook\nadd-zsh-hook chpwd _mise_hook\n"));
    let at_prompt = "function __mise_env_eval --on-event fish_prompt; set -gx MISE_SAW $PWD; end\n";
    machine.write(".config/fish/config.fish", at_prompt);
    for shell in &SHELLS {
        let saw = asked_of(&machine, shell).take().vars.get("MISE_SAW").cloned();
        assert_eq!(saw.as_deref(), machine.workspace().to_str(), "{}", shell.program);
    }
}
