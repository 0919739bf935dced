//! Which MCP servers has the user set up elsewhere already?
//!
//! Responsible for reading the configurations of Claude Code, Codex, Gemini CLI and VS Code, and for bringing them into one form in which
//! duplicates are seen. Nothing is written and nothing is started here. Values that look like secrets are named, never carried over: the
//! manifest that is made of a server asks for them by reference.

mod writing;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use protocol::sidecar::{ImportedServer, ServerAddress, SidecarImports};
use serde_json::{Map, Value};

use crate::manifest::{CONFIG_FOLDER, Manifest, Run, folders};

pub use writing::write;

/// Reads all configurations of this user and of this workspace.
#[must_use]
pub fn read(home: &Path, workspace: Option<&Path>) -> SidecarImports {
    let mut found = Reading(SidecarImports::default());
    let own = home.join(".claude.json");
    if let Some(all) = found.json(&own) {
        found.add(all.get("mcpServers"), "claude", &own);
        if let Some(workspace) = workspace {
            let project = all.get("projects").and_then(|projects| projects.get(&*workspace.to_string_lossy()));
            found.add(project.and_then(|project| project.get("mcpServers")), "claude", &own);
        }
    }
    let codex = home.join(".codex/config.toml");
    if let Some(all) = found.toml(&codex) {
        found.add(all.get("mcp_servers"), "codex", &codex);
    }
    for gemini in [Some(home), workspace].into_iter().flatten().map(|root| root.join(".gemini/settings.json")) {
        if let Some(all) = found.json(&gemini) {
            found.add(all.get("mcpServers"), "gemini", &gemini);
        }
    }
    for (file, key, source) in [(".mcp.json", "mcpServers", "project"), (".vscode/mcp.json", "servers", "vscode")] {
        let Some(file) = workspace.map(|workspace| workspace.join(file)) else { continue };
        if let Some(all) = found.json(&file) {
            found.add(all.get(key), source, &file);
        }
    }
    let mut found = found.0;
    name_apart(&mut found.servers);
    found
}

/// Two of the same source and name, such as one of the user and one of a project, are told apart by a number.
fn name_apart(servers: &mut [ImportedServer]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for server in servers {
        let count = counts.entry(server.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            server.id = format!("{}#{count}", server.id);
        }
    }
}

/// Servers that are the same, in groups of two and more.
#[must_use]
pub fn duplicates(servers: &[ImportedServer]) -> Vec<Vec<&ImportedServer>> {
    let mut groups: BTreeMap<&str, Vec<&ImportedServer>> = BTreeMap::new();
    for server in servers {
        groups.entry(&server.identity).or_default().push(server);
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

/// Names the sidecars of the config folder that some of them are already.
#[must_use]
pub fn with_known(mut found: SidecarImports, config: &Path) -> SidecarImports {
    let sidecars = folders(&config.join(CONFIG_FOLDER));
    let known: HashMap<String, String> = sidecars
        .iter()
        .filter_map(|folder| Manifest::read(folder).ok())
        .map(|manifest| (identity(&address(&manifest.run)), manifest.name))
        .collect();
    for server in &mut found.servers {
        server.known_as = known.get(&server.identity).cloned();
    }
    found
}

fn address(run: &Run) -> ServerAddress {
    match run {
        Run::Stdio(command) | Run::Socket(command) => ServerAddress::Stdio { command: command.words().to_vec() },
        Run::Http { url, .. } => ServerAddress::Http { url: url.clone() },
    }
}

struct Reading(SidecarImports);

impl Reading {
    fn json(&mut self, file: &Path) -> Option<Value> {
        let text = self.text(file)?;
        let read = serde_json::from_str(&without_comments(&text)).map_err(|error| error.to_string());
        read.map_err(|why| self.0.unreadable.push(format!("{}: {why}", file.display()))).ok()
    }

    fn toml(&mut self, file: &Path) -> Option<Value> {
        let text = self.text(file)?;
        let read = toml::from_str::<Value>(&text).map_err(|error| error.message().to_owned());
        read.map_err(|why| self.0.unreadable.push(format!("{}: {why}", file.display()))).ok()
    }

    fn text(&mut self, file: &Path) -> Option<String> {
        match std::fs::read_to_string(file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                self.0.unreadable.push(format!("{}: {error}", file.display()));
                None
            }
        }
    }

    fn add(&mut self, servers: Option<&Value>, source: &str, file: &Path) {
        for (name, entry) in servers.and_then(Value::as_object).into_iter().flatten() {
            match imported(name, entry, source, file) {
                Some(server) => self.0.servers.push(server),
                None => self
                    .0
                    .unreadable
                    .push(format!("{}: `{name}` names neither a command nor an address", file.display())),
            }
        }
    }
}

fn imported(name: &str, entry: &Value, source: &str, file: &Path) -> Option<ImportedServer> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let server = match text("command") {
        Some(command) => {
            let args = entry.get("args").and_then(Value::as_array).into_iter().flatten();
            let args = args.filter_map(|arg| arg.as_str().map(str::to_owned));
            ServerAddress::Stdio { command: std::iter::once(command.to_owned()).chain(args).collect() }
        }
        None => {
            ServerAddress::Http { url: ["url", "httpUrl", "serverUrl"].iter().find_map(|key| text(key))?.to_owned() }
        }
    };
    let mut values = Map::new();
    for key in ["env", "headers", "http_headers"] {
        values.extend(entry.get(key).and_then(Value::as_object).cloned().unwrap_or_default());
    }
    let (mut plain, mut secret) = (BTreeMap::new(), Vec::new());
    for (name, value) in values {
        match value.as_str() {
            Some(value) if !is_secret(&name, value) => {
                plain.insert(name, value.to_owned());
            }
            Some(_) | None => secret.push(name),
        }
    }
    let disabled = entry.get("disabled").and_then(Value::as_bool).unwrap_or(false)
        || entry.get("enabled").and_then(Value::as_bool) == Some(false);
    Some(ImportedServer {
        id: format!("{source}/{name}"),
        name: name.to_owned(),
        source: source.to_owned(),
        file: file.to_string_lossy().into_owned(),
        identity: identity(&server),
        server,
        plain,
        secret,
        disabled,
        known_as: None,
    })
}

/// A reference such as `${TOKEN}` or `$TOKEN` is none, it names where the secret is.
fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let telling = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "AUTH", "CREDENTIAL", "COOKIE", "DSN"];
    let reference = value.starts_with('$') || value.contains("${");
    let shape = value.len() >= 20 && !value.contains(['/', ' ', '\\']) && value.chars().any(|c| c.is_ascii_digit());
    !reference && (telling.iter().any(|word| name.contains(word)) || shape)
}

/// What a server is, whatever it is called. How its runner is asked to be quiet makes no difference.
fn identity(server: &ServerAddress) -> String {
    match server {
        ServerAddress::Http { url } => url.trim_end_matches('/').to_owned(),
        ServerAddress::Stdio { command } => {
            let program = command.first().map(|program| program.rsplit(['/', '\\']).next().unwrap_or(program));
            let program = program.unwrap_or_default().trim_end_matches(".exe").trim_end_matches(".cmd").to_owned();
            let quiet = |arg: &&String| !["-y", "--yes", "-q", "--quiet"].contains(&arg.as_str());
            let args =
                command.iter().skip(1).filter(quiet).map(|arg| arg.strip_suffix("@latest").unwrap_or(arg).to_owned());
            shell_words::join(std::iter::once(program).chain(args))
        }
    }
}

/// VS Code's files may hold comments and trailing commas; strings are left as they are.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut in_string = false;
    while let Some(c) = rest.next() {
        match (in_string, c, rest.peek()) {
            (true, '\\', _) => {
                out.push(c);
                out.extend(rest.next());
            }
            (true, '"', _) | (false, '"', _) => {
                in_string = !in_string;
                out.push(c);
            }
            (false, '/', Some('/')) => while rest.next_if(|c| *c != '\n').is_some() {},
            (false, '/', Some('*')) => {
                rest.next();
                let mut last = ' ';
                for c in rest.by_ref() {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            (false, ']' | '}', _) => {
                let kept = out.trim_end().strip_suffix(',').map(str::len);
                out.truncate(kept.unwrap_or(out.len()));
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, file: &str, text: &str) {
        let file = root.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    #[test]
    fn all_four_tools_are_read_and_duplicates_found() {
        let temp = tempfile::tempdir().unwrap();
        let (home, workspace) = (temp.path().join("home"), temp.path().join("w"));
        let project = workspace.to_string_lossy();
        write(
            &home,
            ".claude.json",
            &format!(
                r#"{{"mcpServers":{{"fs":{{"command":"npx","args":["-y","@mcp/fs@latest","/data"],
            "env":{{"API_KEY":"sk-123","MODE":"fast","REF":"${{TOKEN}}"}}}}}},"projects":{{{project:?}:{{"mcpServers":{{"local":{{"type":"http","url":"https://x.example/mcp/"}}}}}}}}}}"#
            ),
        );
        write(
            &home,
            ".codex/config.toml",
            "[mcp_servers.files]\ncommand = \"/usr/bin/npx\"\nargs = [\"@mcp/fs\", \"/data\"]\nenabled = false\n",
        );
        write(
            &home,
            ".gemini/settings.json",
            r#"{"mcpServers":{"web":{"httpUrl":"https://x.example/mcp","headers":{"Authorization":"Bearer abc"}}}}"#,
        );
        write(
            &workspace,
            ".mcp.json",
            r#"{"mcpServers":{"time":{"command":"uvx","args":["mcp-server-time"]},"odd":{}}}"#,
        );
        write(
            &workspace,
            ".vscode/mcp.json",
            "{ // mine\n \"servers\": { \"time\": { \"command\": \"uvx\", \"args\": [\"mcp-server-time\", /* x */ \"--tz=// UTC\",], }, }, }",
        );
        let found = read(&home, Some(&workspace));
        let names: Vec<(&str, &str)> = found.servers.iter().map(|s| (s.source.as_str(), s.name.as_str())).collect();
        assert_eq!(
            names,
            [
                ("claude", "fs"),
                ("claude", "local"),
                ("codex", "files"),
                ("gemini", "web"),
                ("project", "time"),
                ("vscode", "time")
            ]
        );
        assert_eq!(found.unreadable.len(), 1, "{:?}", found.unreadable);
        let fs = &found.servers[0];
        assert_eq!(
            (fs.secret.as_slice(), fs.plain["MODE"].as_str(), fs.plain["REF"].as_str()),
            (&["API_KEY".to_owned()][..], "fast", "${TOKEN}")
        );
        assert!(found.servers[2].disabled);
        assert_eq!(found.servers[3].secret, ["Authorization"]);
        assert_eq!(
            found.servers[5].server,
            ServerAddress::Stdio { command: vec!["uvx".into(), "mcp-server-time".into(), "--tz=// UTC".into()] }
        );
        let twice: Vec<Vec<&str>> =
            duplicates(&found.servers).iter().map(|group| group.iter().map(|s| s.name.as_str()).collect()).collect();
        assert_eq!(twice, [vec!["local", "web"], vec!["fs", "files"]]);
        assert!(!serde_json::to_string(&found).unwrap().contains("sk-123"), "no secret is carried over");
    }

    #[test]
    fn what_is_not_there_is_no_error_and_what_is_broken_is_told() {
        let temp = tempfile::tempdir().unwrap();
        assert_eq!(read(temp.path(), None), SidecarImports::default());
        write(temp.path(), ".codex/config.toml", "mcp_servers = [");
        write(temp.path(), ".claude.json", "{");
        let found = read(temp.path(), None);
        assert_eq!(found.unreadable.len(), 2, "{:?}", found.unreadable);
    }
}
