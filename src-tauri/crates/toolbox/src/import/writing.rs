//! A manifest for a server that the user has set up elsewhere.
//!
//! Responsible for its name, and for references in the place of secrets: a value that is a reference already names where it is; any
//! other one is asked for from the environment, if it is set there, or else from the keyring.

use std::collections::BTreeMap;
use std::path::Path;

use protocol::sidecar::{ImportedServer, ServerAddress, SidecarImports, WrittenImport};
use serde::Serialize;

use crate::limits::NAME_BYTES;
use crate::manifest::{CONFIG_FOLDER, FILE, parse};

/// What is written. Tables come last, as TOML wants them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sheet {
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secret_headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Env::is_empty")]
    env: Env,
}

#[derive(Default, Serialize)]
struct Env {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    set: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secret: BTreeMap<String, String>,
}

impl Env {
    fn is_empty(&self) -> bool {
        self.set.is_empty() && self.secret.is_empty()
    }
}

/// Writes manifests for the servers of these ids into the config folder. `environment` is the user's. All of them or none.
///
/// # Errors
/// In words: no such server, one that is a sidecar already, or a file that cannot be written.
pub fn write(
    found: &SidecarImports,
    ids: &[String],
    config: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<Vec<WrittenImport>, String> {
    let root = config.join(CONFIG_FOLDER);
    let mut plans: Vec<(WrittenImport, String)> = Vec::new();
    for id in ids {
        let server = found.servers.iter().find(|server| server.id == *id).ok_or_else(|| {
            format!("there is no server `{id}`; `outrigger sidecar import` lists those that there are")
        })?;
        if let Some(known) = &server.known_as {
            return Err(format!("`{id}` is the sidecar `{known}` already; nothing was written"));
        }
        let taken = |name: &str| root.join(name).exists() || plans.iter().any(|(plan, _)| plan.name == name);
        let name = free_name(&server.name, taken);
        let (sheet, wants) = sheet(server, &name, environment);
        let text = toml::to_string(&sheet).map_err(|error| error.to_string())?;
        let folder = root.join(&name);
        parse(&folder, &text).map_err(|error| error.to_string())?;
        let folder = folder.to_string_lossy().into_owned();
        plans.push((WrittenImport { id: id.clone(), name, folder, wants }, text));
    }
    for (plan, text) in &plans {
        let folder = Path::new(&plan.folder);
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(folder.join(FILE), text));
        if let Err(error) = written {
            plans.iter().for_each(|(plan, _)| drop(std::fs::remove_dir_all(&plan.folder)));
            return Err(format!("failed to write {}: {error}; nothing was written", folder.join(FILE).display()));
        }
    }
    Ok(plans.into_iter().map(|(plan, _)| plan).collect())
}

fn sheet(server: &ImportedServer, name: &str, environment: &BTreeMap<String, String>) -> (Sheet, Vec<String>) {
    let (mut open, mut secret) = (BTreeMap::new(), BTreeMap::new());
    for (key, value) in &server.plain {
        match reference(value) {
            Some(variable) => drop(secret.insert(key.clone(), format!("env:{variable}"))),
            None if value.contains("${") => drop(secret.insert(key.clone(), place_of(key, name, environment))),
            None => drop(open.insert(key.clone(), value.clone())),
        }
    }
    secret.extend(server.secret.iter().map(|key| (key.clone(), place_of(key, name, environment))));
    let is_there =
        |place: &&String| place.strip_prefix("env:").is_some_and(|variable| environment.contains_key(variable));
    let wants: Vec<String> = secret.values().filter(|place| !is_there(place)).cloned().collect();
    let in_project = matches!(server.source.as_str(), "project" | "vscode");
    let mut sheet = Sheet {
        description: format!("Imported from {}", server.file),
        run: None,
        url: None,
        transport: None,
        headers: BTreeMap::new(),
        secret_headers: BTreeMap::new(),
        env: Env::default(),
    };
    match &server.server {
        ServerAddress::Stdio { command } => {
            sheet.run = Some(command.iter().map(|word| of_workspace(word, in_project)).collect());
            sheet.env = Env { set: open, secret };
        }
        ServerAddress::Http { url } => {
            (sheet.url, sheet.transport) = (Some(url.clone()), Some("http"));
            (sheet.headers, sheet.secret_headers) = (open, secret);
        }
    }
    (sheet, wants)
}

/// The variable that a value refers to as a whole: `${TOKEN}`, `${env:TOKEN}` or `$TOKEN`.
fn reference(value: &str) -> Option<&str> {
    let inner = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).or_else(|| value.strip_prefix('$'))?;
    let name = inner.strip_prefix("env:").unwrap_or(inner);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

/// Where a secret is looked for.
fn place_of(key: &str, sidecar: &str, environment: &BTreeMap<String, String>) -> String {
    if environment.contains_key(key) { format!("env:{key}") } else { format!("keyring:{sidecar}/{key}") }
}

/// A path that the project's file means from the project's folder, which is no sidecar's folder.
fn of_workspace(word: &str, in_project: bool) -> String {
    let word = word.replace("${workspaceFolder}", "${workspace}");
    match word.strip_prefix("./") {
        Some(rest) if in_project => format!("${{workspace}}/{rest}"),
        Some(_) | None => word,
    }
}

/// A name that a sidecar may have and that none has.
fn free_name(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let plain: String = wanted.chars().map(fit).take(NAME_BYTES - 4).collect();
    let plain = if plain.is_empty() { "server".to_owned() } else { plain };
    let numbered = (2..1000).map(|number| format!("{plain}-{number}"));
    std::iter::once(plain.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{read, with_known};
    use crate::manifest::{Manifest, Run};

    #[test]
    fn a_manifest_is_written_with_references_and_no_secret() {
        let temp = tempfile::tempdir().unwrap();
        let (home, workspace, config) = (temp.path().join("home"), temp.path().join("w"), temp.path().join("config"));
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(&workspace).unwrap();
        std::fs::write(
            home.join(".claude.json"),
            r#"{"mcpServers":{"git hub":{"command":"npx","args":["-y","hub"],"env":{"API_KEY":"sk-123","OTHER_TOKEN":"sk-456",
                "MODE":"fast","REF":"${TOKEN}"}},"web":{"type":"http","url":"https://x.example/mcp","headers":{"Authorization":"Bearer abc"}}}}"#,
        )
        .unwrap();
        let project = r#"{"mcpServers":{"git hub":{"command":"node","args":["./server.js"]}}}"#;
        std::fs::write(workspace.join(".mcp.json"), project).unwrap();
        let environment = BTreeMap::from([("API_KEY".to_owned(), "sk-123".to_owned())]);
        let found = with_known(read(&home, Some(&workspace)), &config);
        let ids: Vec<String> = found.servers.iter().map(|server| server.id.clone()).collect();
        assert_eq!(ids, ["claude/git hub", "claude/web", "project/git hub"]);
        assert!(write(&found, &["claude/none".to_owned()], &config, &environment).unwrap_err().contains("no server"));
        let written = write(&found, &ids, &config, &environment).unwrap();
        let names: Vec<&str> = written.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["git-hub", "web", "git-hub-2"]);
        assert_eq!(written[0].wants, ["keyring:git-hub/OTHER_TOKEN", "env:TOKEN"]);
        let hub = Manifest::read(Path::new(&written[0].folder)).unwrap();
        assert_eq!(hub.environment.set["MODE"], "fast");
        assert_eq!(hub.environment.secret["API_KEY"].to_string(), "env:API_KEY");
        assert!(!hub.text.contains("sk-"), "{}", hub.text);
        let Run::Http { secret_headers, .. } = Manifest::read(Path::new(&written[1].folder)).unwrap().run else {
            panic!()
        };
        assert_eq!(secret_headers["Authorization"].to_string(), "keyring:web/Authorization");
        let Run::Stdio(command) = Manifest::read(Path::new(&written[2].folder)).unwrap().run else { panic!() };
        assert_eq!(command.words(), ["node", "${workspace}/server.js"]);
        let again = with_known(read(&home, Some(&workspace)), &config);
        assert_eq!(again.servers[1].known_as.as_deref(), Some("web"));
        assert!(write(&again, &["claude/web".to_owned()], &config, &environment).unwrap_err().contains("already"));
    }
}
