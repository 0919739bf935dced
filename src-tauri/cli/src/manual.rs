//! What packages and shells are told about the command line: manual pages and completions, made from the definitions themselves.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use clap::{Args, Command, ValueEnum};
use clap_complete::Shell;

use crate::exit::Exit;
use crate::output;

/// What clap does not know and a manual has to say; in the format of manual pages.
const MORE: &str = r#".SH ENVIRONMENT
.TP
\fBOUTRIGGER_HOME\fR
The folder that holds everything that Outrigger writes: data, settings, caches and sockets. For portable use, and for tests.
.TP
\fBOUTRIGGER_ROOT\fR
The folder that holds \fIrunners/\fR, in place of the one that was installed.
.TP
\fBOUTRIGGER_BIN\fR
The program that keeps sessions, in place of the one beside the desktop.
.SH FILES
Without \fBOUTRIGGER_HOME\fR, on Linux:
.TP
\fI~/.local/share/dev.outrigger.desktop/\fR
Sessions with their journals, the ledger, the search index, the debug log.
.TP
\fI~/.config/dev.outrigger.desktop/\fR
\fIsettings.toml\fR, \fIpermissions.toml\fR and manifests of providers of one's own.
.TP
\fI~/.cache/dev.outrigger.desktop/\fR
What can be found out again.
.PP
\fBoutrigger doctor\fR shows where they are on this machine; \fBoutrigger uninstall\fR says what stays there when the program goes.
"#;

/// The arguments of `outrigger completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsOptions {
    /// The shell
    shell: Shell,
}

/// The arguments of `outrigger manual`.
#[derive(Debug, Args)]
pub(crate) struct ManualOptions {
    /// Where to write; made if it is not there
    folder: std::path::PathBuf,
}

/// `outrigger completions`: what makes a shell complete our commands.
pub(crate) fn completions(command: &mut Command, options: &CompletionsOptions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, command, "outrigger", &mut script);
    output::to_stdout(&String::from_utf8_lossy(&script));
    Exit::Done
}

/// `outrigger manual`: writes `man/*.1` and `completions/*` into a folder, for packages.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn manual(command: Command, options: &ManualOptions) -> Result<Exit> {
    let failed = |folder: &Path| format!("failed to write the manual into {}", folder.display());
    let (pages, scripts) = (options.folder.join("man"), options.folder.join("completions"));
    write_completions(command.clone(), &scripts).with_context(|| failed(&scripts))?;
    write_pages(command, &pages).with_context(|| failed(&pages))?;
    Ok(Exit::Done)
}

fn write_completions(mut command: Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for shell in Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut command, "outrigger", folder)?;
    }
    Ok(())
}

fn write_pages(command: Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)?;
    let main = folder.join("outrigger.1");
    let text = fs::read_to_string(&main)?;
    fs::write(main, text + MORE)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::CommandFactory;

    use super::*;
    use crate::command_line::CommandLine;

    #[test]
    fn every_command_has_its_page_and_is_completed() {
        let folder = std::env::temp_dir().join(format!("outrigger-manual-{}", std::process::id()));
        manual(CommandLine::command(), &ManualOptions { folder: folder.clone() }).unwrap();
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        let (main, bash) = (read("man/outrigger.1"), read("completions/outrigger.bash"));
        for command in CommandLine::command().get_subcommands() {
            let (name, page) = (command.get_name(), format!("man/outrigger-{}.1", command.get_name()));
            assert_eq!(folder.join(&page).is_file(), !command.is_hide_set(), "{page}");
            assert!(command.is_hide_set() || bash.contains(name), "{name} is not completed");
        }
        assert!(main.contains("Exit codes") && main.contains(".SH FILES"), "{main}");
        assert!(!read("completions/outrigger.fish").is_empty() && !read("completions/_outrigger").is_empty());
        fs::remove_dir_all(folder).unwrap();
    }
}
