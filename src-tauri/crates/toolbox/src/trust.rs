//! Which sidecars that came with a workspace may be built and run?
//!
//! Responsible for the question that is put to the user, and for remembering the answer in the config folder. What is trusted is one
//! manifest with its commands, in one folder: any change asks anew. The programs that the commands name are the workspace's own files,
//! as they are for every build the user runs there; the question says so by showing the commands whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use protocol::sidecar::{SidecarTrust, TrustQuestion};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::manifest::{CommandWords, Manifest, Run};

/// The file in the config folder.
const FILE: &str = "trusted-sidecars.toml";
/// Sidecars that are remembered; the oldest are forgotten, and asked about again.
const REMEMBERED: usize = 2000;

/// The user's answers.
#[derive(Debug, Clone)]
pub struct Trust {
    file: PathBuf,
}

/// The file, by the folder of each sidecar.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Sheet {
    #[serde(default)]
    trusted: BTreeMap<String, Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    hash: String,
    at: String,
}

/// Why an answer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The sidecar has changed since the question was put.
    #[error("{0} has changed since you were asked about it; look at it again and decide anew")]
    Changed(String),
    /// The file cannot be read or written.
    #[error("failed to keep your answer in {}: {why}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        why: String,
    },
}

impl Trust {
    /// The answers that are kept in this config folder.
    #[must_use]
    pub fn in_config(config: &Path) -> Self {
        Self { file: config.join(FILE) }
    }

    /// Whether this sidecar of a workspace may run. A file that cannot be read trusts nothing.
    #[must_use]
    pub fn of(&self, manifest: &Manifest) -> SidecarTrust {
        let question = question(manifest);
        let known = self.read().unwrap_or_default().trusted.remove(&question.folder);
        match known {
            Some(entry) if entry.hash == question.hash => SidecarTrust::Trusted,
            Some(_) => SidecarTrust::Needed { changed: true, question },
            None => SidecarTrust::Needed { changed: false, question },
        }
    }

    /// Takes the user's answer to the question with this hash.
    ///
    /// # Errors
    /// When the question is outdated, or the answer cannot be kept.
    pub fn answer(&self, manifest: &Manifest, hash: &str, trusted: bool) -> Result<(), TrustError> {
        let question = question(manifest);
        let failed = |why: String| TrustError::File { file: self.file.clone(), why };
        if trusted && question.hash != hash {
            return Err(TrustError::Changed(question.name));
        }
        let mut sheet = self.read().map_err(failed)?;
        sheet.trusted.remove(&question.folder);
        if trusted {
            let at = jiff::Timestamp::now().to_string();
            sheet.trusted.insert(question.folder, Entry { hash: question.hash, at });
        }
        while sheet.trusted.len() > REMEMBERED {
            let oldest =
                sheet.trusted.iter().min_by_key(|(_, entry)| entry.at.clone()).map(|(folder, _)| folder.clone());
            oldest.map(|folder| sheet.trusted.remove(&folder));
        }
        self.write(&sheet).map_err(failed)
    }

    fn read(&self) -> Result<Sheet, String> {
        match std::fs::read_to_string(&self.file) {
            Ok(text) => toml::from_str(&text).map_err(|error| error.to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Sheet::default()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn write(&self, sheet: &Sheet) -> Result<(), String> {
        let text = toml::to_string(sheet).map_err(|error| error.to_string())?;
        let folder = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let part = self.file.with_extension(format!("part-{}", std::process::id()));
        std::fs::write(&part, text).map_err(|error| error.to_string())?;
        std::fs::rename(&part, &self.file).map_err(|error| error.to_string())
    }
}

/// What exactly the user is asked.
#[must_use]
pub fn question(manifest: &Manifest) -> TrustQuestion {
    let folder = std::fs::canonicalize(&manifest.folder).unwrap_or_else(|_| manifest.folder.clone());
    let words = |command: &CommandWords| command.words().to_vec();
    let mut question = TrustQuestion {
        name: manifest.name.clone(),
        folder: folder.to_string_lossy().into_owned(),
        build: manifest.build.iter().map(words).collect(),
        run: match &manifest.run {
            Run::Stdio(command) | Run::Socket(command) => words(command),
            Run::Http { url, .. } => vec![url.clone()],
        },
        passes: manifest.environment.pass.clone(),
        secrets: secrets(manifest),
        manifest: manifest.text.clone(),
        hash: String::new(),
    };
    question.hash = hash(&question);
    question
}

fn secrets(manifest: &Manifest) -> Vec<String> {
    let of_headers = match &manifest.run {
        Run::Http { secret_headers, .. } => secret_headers.iter().collect::<Vec<_>>(),
        Run::Stdio(_) | Run::Socket(_) => Vec::new(),
    };
    let all = manifest.environment.secret.iter().chain(of_headers);
    all.map(|(name, secret)| format!("{name} from {secret}")).collect()
}

/// Of everything that was shown. JSON keeps the words apart.
fn hash(question: &TrustQuestion) -> String {
    let whole = serde_json::to_vec(question).unwrap_or_default();
    Sha256::digest(&whole).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar(folder: &Path, text: &str) -> Manifest {
        std::fs::write(folder.join("sidecar.toml"), text).unwrap();
        Manifest::read(folder).unwrap()
    }

    #[test]
    fn exactly_what_was_shown_is_trusted_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("lint");
        std::fs::create_dir(&folder).unwrap();
        let trust = Trust::in_config(&temp.path().join("config"));
        let first = sidecar(
            &folder,
            "run = \"node a.mjs\"\nbuild = \"npm ci\"\n[env]\npass = [\"SSH_AUTH_SOCK\"]\nsecret = { K = \"env:K\" }",
        );
        let SidecarTrust::Needed { changed: false, question } = trust.of(&first) else { panic!() };
        assert_eq!(
            (question.run.clone(), question.build.clone()),
            (vec!["node".to_owned(), "a.mjs".to_owned()], vec![vec!["npm".to_owned(), "ci".to_owned()]])
        );
        assert_eq!(
            (question.passes.clone(), question.secrets.clone()),
            (vec!["SSH_AUTH_SOCK".to_owned()], vec!["K from env:K".to_owned()])
        );
        trust.answer(&first, &question.hash, true).unwrap();
        assert_eq!(trust.of(&first), SidecarTrust::Trusted);

        let second = sidecar(&folder, "run = \"node b.mjs\"");
        assert!(matches!(trust.of(&second), SidecarTrust::Needed { changed: true, .. }));
        let late = trust.answer(&second, &question.hash, true).unwrap_err();
        assert!(late.to_string().contains("has changed since"), "{late}");
        assert!(matches!(trust.of(&second), SidecarTrust::Needed { .. }));

        let again = sidecar(&folder, &first.text);
        assert_eq!(trust.of(&again), SidecarTrust::Trusted, "the very same is still trusted");
        trust.answer(&again, "", false).unwrap();
        assert!(matches!(trust.of(&again), SidecarTrust::Needed { changed: false, .. }));
    }

    #[test]
    fn the_same_manifest_elsewhere_is_asked_about() {
        let temp = tempfile::tempdir().unwrap();
        let trust = Trust::in_config(temp.path());
        let make = |name: &str| {
            let folder = temp.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            sidecar(&folder, "run = \"node a.mjs\"")
        };
        let (here, there) = (make("here"), make("there"));
        trust.answer(&here, &question(&here).hash, true).unwrap();
        assert!(matches!(trust.of(&there), SidecarTrust::Needed { .. }));
    }

    #[test]
    fn a_damaged_file_trusts_nothing_and_is_not_overwritten() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("lint");
        std::fs::create_dir(&folder).unwrap();
        let manifest = sidecar(&folder, "run = \"x\"");
        std::fs::write(temp.path().join(FILE), "trusted = 7").unwrap();
        let trust = Trust::in_config(temp.path());
        assert!(matches!(trust.of(&manifest), SidecarTrust::Needed { .. }));
        assert!(trust.answer(&manifest, &question(&manifest).hash, true).is_err());
    }
}
