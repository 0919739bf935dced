//! `outrigger sidecar new`: a folder with a tool sidecar that works, to be changed into another one.
//!
//! Responsible for writing the files and nothing else: what is built and run follows when the sidecar is first used. The page
//! `docs/sidecars.md` shows the same files, and a test holds it to that.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use protocol::error::{ErrorCode, WireError};
use serde_json::json;
use toolbox::manifest::{self, CONFIG_FOLDER, FILE, WORKSPACE_FOLDER};

use crate::exit::Exit;
use crate::{home, output};

/// The arguments of `outrigger sidecar new`.
#[derive(Debug, Args)]
pub(crate) struct NewOptions {
    /// The new sidecar's name: letters, digits, `-` and `_`
    name: String,
    /// The language of the files
    #[arg(long, value_enum, default_value_t = Template::Javascript)]
    template: Template,
}

/// The languages that there is a template for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Template {
    /// For Node.js, built with npm
    Javascript,
    /// Built with pip, in an environment of its own
    Python,
    /// Built with cargo
    Rust,
}

/// A file by its path in the sidecar's folder.
type Content = (&'static str, &'static str);

impl Template {
    /// The manifest comes last: a folder without one is no sidecar yet.
    const fn files(self) -> &'static [Content] {
        macro_rules! files {
            ($folder:literal: $($file:literal),+) => {
                &[$(($file, include_str!(concat!("../../../templates/sidecars/", $folder, "/", $file)))),+]
            };
        }
        match self {
            Self::Javascript => files!("javascript": "package.json", "server.mjs", "sidecar.toml"),
            Self::Python => files!("python": "requirements.txt", "server.py", "sidecar.toml"),
            Self::Rust => files!("rust": "Cargo.toml", "src/main.rs", "sidecar.toml"),
        }
    }
}

/// See the module. Without a workspace it becomes the user's own, in the config folder.
pub(crate) fn new(options: &NewOptions, workspace: Option<&Path>, json: bool) -> Result<Exit> {
    let root = match workspace {
        Some(workspace) => std::path::absolute(workspace).context("the workspace is unknown")?.join(WORKSPACE_FOLDER),
        None => home::for_starting()?.places.config.join(CONFIG_FOLDER),
    };
    let folder = root.join(&options.name);
    make(&folder, options.template.files())?;
    if json {
        output::json(&json!({ "name": options.name, "folder": folder }));
        return Ok(Exit::Done);
    }
    output::line(&format!("Made {}.", folder.display()));
    if workspace.is_some() {
        output::line(&format!("Trust it: outrigger sidecar trust {}", options.name));
    }
    output::line(&format!(
        "Try it: outrigger sidecar call {} count_words '{{\"text\": \"a lamp and a lens\"}}'",
        options.name
    ));
    Ok(Exit::Done)
}

fn make(folder: &Path, files: &[Content]) -> Result<(), WireError> {
    let bad = |message: String| WireError::new(ErrorCode::BadRequest, message);
    // A name that no sidecar can have is refused before anything is written.
    if let Some((_, text)) = files.iter().find(|(file, _)| *file == FILE) {
        manifest::parse(folder, text).map_err(|error| bad(error.what))?;
    }
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(bad(format!("there is something in {} already; choose another name", folder.display())));
    }
    let failed = |path: PathBuf, error: std::io::Error| bad(format!("failed to write {}: {error}", path.display()));
    for (file, text) in files {
        let path = folder.join(file);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| failed(parent.to_owned(), error))?;
        fs::write(&path, text).map_err(|error| failed(path, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_template_has_a_manifest_that_can_be_read() {
        let temp = std::env::temp_dir().join(format!("outrigger-new-{}", std::process::id()));
        for template in Template::value_variants() {
            let folder = temp.join(format!("{template:?}"));
            make(&folder, template.files()).unwrap();
            let read = manifest::Manifest::read(&folder).unwrap();
            assert!(!read.build.is_empty() && read.has_process(), "{template:?}");
            assert!(make(&folder, template.files()).unwrap_err().message.contains("already"), "nothing is overwritten");
        }
        let bad = make(&temp.join("two words"), Template::Python.files()).unwrap_err();
        assert!(bad.message.contains("letters, digits"), "{}", bad.message);
        assert!(!temp.join("two words").exists());
        fs::remove_dir_all(temp).unwrap();
    }
}
