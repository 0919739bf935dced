//! From the text of `sidecar.toml` to a [`Manifest`]: what is allowed where, and at which line it is not.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{CommandWords, EnvironmentRules, FILE, Manifest, Restart, Run, Share, Timeouts, Watch};
use crate::limits;
use crate::secrets::SecretRef;

/// A manifest that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the sidecar manifest {}{}: {what}", file.display(), line.map(|n| format!(", line {n}")).unwrap_or_default())]
pub struct ManifestError {
    /// Which file.
    pub file: PathBuf,
    /// Where in it, counted from 1, when it is about one place.
    pub line: Option<usize>,
    /// What is wrong and what to write instead.
    pub what: String,
}

impl ManifestError {
    pub(super) fn unreadable(file: &Path, source: &std::io::Error) -> Self {
        Self { file: file.to_owned(), line: None, what: format!("{source}; check that it is a text file you may read") }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sheet {
    #[serde(default)]
    description: String,
    #[serde(default)]
    build: Option<Spanned<Value>>,
    run: Option<Spanned<Value>>,
    #[serde(default)]
    transport: Option<Spanned<String>>,
    url: Option<Spanned<String>>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    secret_headers: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    env: EnvSheet,
    restart: Option<Spanned<String>>,
    share: Option<Spanned<String>>,
    idle_stop: Option<Spanned<String>>,
    #[serde(default)]
    timeouts: TimeoutSheet,
    watch: Option<Spanned<Value>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct EnvSheet {
    #[serde(default)]
    pass: Vec<Spanned<String>>,
    #[serde(default)]
    set: BTreeMap<Spanned<String>, String>,
    #[serde(default)]
    secret: BTreeMap<String, Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct TimeoutSheet {
    build: Option<Spanned<String>>,
    connect: Option<Spanned<String>>,
    list: Option<Spanned<String>>,
    call: Option<Spanned<String>>,
}

/// What is wrong, and where in the text.
type Wrong = (String, Option<Range<usize>>);

/// Reads the text of a manifest that lies in `folder`, whose name is the sidecar's.
///
/// # Errors
/// The first thing that is wrong with it, with its line.
pub fn parse(folder: &Path, text: &str) -> Result<Manifest, ManifestError> {
    read(folder, text).map_err(|(what, span)| ManifestError {
        file: folder.join(FILE),
        line: span.map(|span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1),
        what,
    })
}

fn read(folder: &Path, text: &str) -> Result<Manifest, Wrong> {
    if text.len() > limits::MANIFEST_BYTES {
        return Err((format!("it has more than {} bytes", limits::MANIFEST_BYTES), None));
    }
    let sheet: Sheet = toml::from_str(text).map_err(|error| (error.message().to_owned(), error.span()))?;
    Ok(Manifest {
        name: name_of(folder)?,
        folder: folder.to_owned(),
        description: sheet.description.clone(),
        build: build_steps(sheet.build.as_ref())?,
        run: run(&sheet)?,
        environment: environment(&sheet.env)?,
        restart: chosen(sheet.restart.as_ref(), "restart", &RESTARTS)?.unwrap_or_default(),
        share: chosen(sheet.share.as_ref(), "share", &SHARES)?.unwrap_or_default(),
        idle_stop: idle_stop(sheet.idle_stop.as_ref())?,
        timeouts: timeouts(&sheet.timeouts)?,
        watch: watch(sheet.watch.as_ref())?,
        text: text.to_owned(),
    })
}

const RESTARTS: [(&str, Restart); 3] =
    [("onFailure", Restart::OnFailure), ("always", Restart::Always), ("never", Restart::Never)];
const SHARES: [(&str, Share); 3] =
    [("machine", Share::Machine), ("workspace", Share::Workspace), ("session", Share::Session)];

/// Names become parts of tool names, of paths and of keys, so they are plain words.
fn name_of(folder: &Path) -> Result<String, Wrong> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > limits::NAME_BYTES || !name.chars().all(plain) {
        let what = format!(
            "the folder's name {name:?} is the sidecar's name; it may have up to {} letters, digits, - and _",
            limits::NAME_BYTES
        );
        return Err((what, None));
    }
    Ok(name.to_owned())
}

fn build_steps(value: Option<&Spanned<Value>>) -> Result<Vec<CommandWords>, Wrong> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let wrong = |what: String| (what, Some(value.span()));
    let steps = match value.get_ref() {
        Value::Array(steps) => steps.iter().map(command).collect::<Result<Vec<_>, _>>(),
        one => command(one).map(|step| vec![step]),
    };
    let steps = steps.map_err(|what| wrong(format!("`build`: {what}")))?;
    if steps.len() > limits::BUILD_STEPS {
        return Err(wrong(format!("`build` has more than {} steps", limits::BUILD_STEPS)));
    }
    Ok(steps)
}

/// A line, or an array of words.
fn command(value: &Value) -> Result<CommandWords, String> {
    match value {
        Value::String(line) => CommandWords::split(line),
        Value::Array(words) => {
            let texts = words.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
            CommandWords::new(texts.ok_or("the words of a command are strings")?)
        }
        _ => Err("a command is a string, or an array of strings".to_owned()),
    }
}

fn run(sheet: &Sheet) -> Result<Run, Wrong> {
    let transport = sheet.transport.as_ref();
    let named = transport.map_or(if sheet.url.is_some() { "http" } else { "stdio" }, |text| text.get_ref().as_str());
    match named {
        "stdio" => Ok(Run::Stdio(run_command(sheet)?)),
        "socket" => Ok(Run::Socket(run_command(sheet)?)),
        "http" => http(sheet),
        other => {
            let what = format!("`transport` is {other:?}; it is \"stdio\", \"socket\" or \"http\"");
            Err((what, transport.map(Spanned::span)))
        }
    }
}

fn run_command(sheet: &Sheet) -> Result<CommandWords, Wrong> {
    let run = sheet.run.as_ref().ok_or_else(|| {
        ("`run` is missing: the command that starts the sidecar, such as run = \"node server.mjs\"".to_owned(), None)
    })?;
    if let Some(url) = &sheet.url {
        return Err(("`url` belongs to transport = \"http\"".to_owned(), Some(url.span())));
    }
    command(run.get_ref()).map_err(|what| (format!("`run`: {what}"), Some(run.span())))
}

fn http(sheet: &Sheet) -> Result<Run, Wrong> {
    let url = sheet.url.as_ref().ok_or_else(|| ("`url` is missing: the address of the server".to_owned(), None))?;
    if !["http://", "https://"].iter().any(|scheme| url.get_ref().starts_with(scheme)) {
        return Err(("`url` begins with http:// or https://".to_owned(), Some(url.span())));
    }
    if let Some(run) = &sheet.run {
        return Err(("`run` has no meaning for a server that is reached by http".to_owned(), Some(run.span())));
    }
    let secret_headers = secrets(&sheet.secret_headers, "secretHeaders")?;
    Ok(Run::Http { url: url.get_ref().clone(), headers: sheet.headers.clone(), secret_headers })
}

fn environment(sheet: &EnvSheet) -> Result<EnvironmentRules, Wrong> {
    for name in sheet.pass.iter().chain(sheet.set.keys()) {
        if name.get_ref().is_empty() || name.get_ref().contains(['=', '\0']) {
            return Err((format!("{:?} is no name of a variable", name.get_ref()), Some(name.span())));
        }
        if name.get_ref().starts_with("OUTRIGGER_") {
            let what = format!("{} is set by Outrigger itself; choose another name", name.get_ref());
            return Err((what, Some(name.span())));
        }
    }
    Ok(EnvironmentRules {
        pass: sheet.pass.iter().map(|name| name.get_ref().clone()).collect(),
        set: sheet.set.iter().map(|(name, value)| (name.get_ref().clone(), value.clone())).collect(),
        secret: secrets(&sheet.secret, "env.secret")?,
    })
}

fn secrets(sheet: &BTreeMap<String, Spanned<String>>, of: &str) -> Result<BTreeMap<String, SecretRef>, Wrong> {
    let one = |(name, value): (&String, &Spanned<String>)| {
        let reference = SecretRef::parse(value.get_ref());
        reference.map(|r| (name.clone(), r)).map_err(|what| (format!("`{of}.{name}`: {what}"), Some(value.span())))
    };
    sheet.iter().map(one).collect()
}

fn chosen<T: Copy>(value: Option<&Spanned<String>>, key: &str, all: &[(&str, T)]) -> Result<Option<T>, Wrong> {
    let Some(value) = value else { return Ok(None) };
    let found = all.iter().find(|(name, _)| name == value.get_ref());
    let names = || all.iter().map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let wrong = || (format!("`{key}` is {:?}; it is one of {}", value.get_ref(), names()), Some(value.span()));
    found.map(|(_, meaning)| Some(*meaning)).ok_or_else(wrong)
}

fn idle_stop(value: Option<&Spanned<String>>) -> Result<Option<Duration>, Wrong> {
    match value {
        None => Ok(Some(limits::IDLE_STOP)),
        Some(never) if never.get_ref() == "never" => Ok(None),
        Some(value) => duration(value, "idleStop", limits::IDLE_STOP_AT_MOST).map(Some),
    }
}

fn timeouts(sheet: &TimeoutSheet) -> Result<Timeouts, Wrong> {
    let or = |value: &Option<Spanned<String>>, key: &str, usual: Duration, most: Duration| {
        value.as_ref().map_or(Ok(usual), |value| duration(value, key, most))
    };
    Ok(Timeouts {
        build: or(&sheet.build, "timeouts.build", limits::BUILD, limits::BUILD_AT_MOST)?,
        connect: or(&sheet.connect, "timeouts.connect", limits::CONNECT, limits::BUILD_AT_MOST)?,
        list: or(&sheet.list, "timeouts.list", limits::LIST_TOOLS, limits::BUILD_AT_MOST)?,
        call: or(&sheet.call, "timeouts.call", limits::CALL, limits::CALL_AT_MOST)?,
    })
}

/// `90s`, `5m`, `1h 30m`.
fn duration(value: &Spanned<String>, key: &str, most: Duration) -> Result<Duration, Wrong> {
    let text = value.get_ref();
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    match parsed {
        Some(time) if !time.is_zero() && time <= most => Ok(time),
        Some(_) => {
            let what = format!("`{key}` is {text:?}; it is more than nothing and at most {} s", most.as_secs());
            Err((what, Some(value.span())))
        }
        None => {
            Err((format!("`{key}` is {text:?}; write a time such as \"90s\", \"5m\" or \"1h\""), Some(value.span())))
        }
    }
}

fn watch(value: Option<&Spanned<Value>>) -> Result<Watch, Wrong> {
    let Some(value) = value else { return Ok(Watch::Folder) };
    let wrong = |what: &str| (format!("`watch`: {what}"), Some(value.span()));
    match value.get_ref() {
        Value::Boolean(true) => Ok(Watch::Folder),
        Value::Boolean(false) => Ok(Watch::Off),
        Value::Array(paths) => {
            let one = |path: &Value| path.as_str().map(PathBuf::from).filter(|path| inside(path));
            let paths = paths.iter().map(one).collect::<Option<Vec<_>>>();
            paths.map(Watch::Only).ok_or_else(|| wrong("it names files and folders inside the sidecar's folder"))
        }
        _ => Err(wrong("it is true, false or an array of paths")),
    }
}

fn inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests;
