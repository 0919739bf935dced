//! What does `settings.toml` say about each setting, and how is one of them changed without touching the rest?
//!
//! A file that is malformed is never written: what the user wrote into it would be lost. A single value that may not be is told,
//! and only that setting has its default then.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use protocol::settings::{Setting, SettingsView};
use serde_json::Value;
use toml_edit::{DocumentMut, Item, TableLike};

use crate::setting_keys::{SettingKey, check};
use crate::settings::SettingsError;

/// The file as it was read.
pub struct SettingsFile {
    path: PathBuf,
    exists: bool,
    /// The document, or why there is none.
    document: Result<DocumentMut, String>,
}

impl SettingsFile {
    /// Reads `settings.toml` in the config folder. One that is not there is an empty one.
    #[must_use]
    pub fn read(config: &Path) -> Self {
        let path = config.join("settings.toml");
        let (exists, document) = match std::fs::read_to_string(&path) {
            Ok(text) => (true, text.parse::<DocumentMut>().map_err(|error| malformed(&path, &error.to_string()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (false, Ok(DocumentMut::new())),
            Err(error) => (true, Err(format!("failed to read {}: {error}. The defaults are in use", path.display()))),
        };
        Self { path, exists, document }
    }

    /// Where it is or would be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why nothing of it can be used.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.document.as_ref().err().map(String::as_str)
    }

    /// All settings of the table, as the file has them.
    #[must_use]
    pub fn view(&self, keys: &[SettingKey]) -> SettingsView {
        SettingsView {
            file: self.path.display().to_string(),
            exists: self.exists,
            problem: self.problem().map(str::to_owned),
            settings: keys.iter().map(|key| self.setting(key)).collect(),
            unknown: self.unknown(keys),
        }
    }

    /// One setting, as the file has it.
    #[must_use]
    pub fn setting(&self, key: &SettingKey) -> Setting {
        let (value, problem) = match self.value(&key.key) {
            Ok(None) => (None, None),
            Ok(Some(value)) => match check(&key.kind, &value) {
                Ok(()) => (Some(value), None),
                Err(problem) => (None, Some(format!("`{}` {problem}; the default is in use", key.key))),
            },
            Err(problem) => (None, Some(problem)),
        };
        Setting {
            key: key.key.clone(),
            section: key.section.to_owned(),
            title: key.title.clone(),
            description: key.description.clone(),
            kind: key.kind.clone(),
            is_set: value.is_some() || problem.is_some(),
            value: value.unwrap_or_else(|| key.default.clone()),
            default: key.default.clone(),
            problem,
        }
    }

    /// The names and values of a section, whatever they are; or that it is no section.
    pub(crate) fn section(&self, name: &str) -> Result<Vec<(String, Value)>, String> {
        let Ok(document) = &self.document else { return Ok(Vec::new()) };
        let Some(item) = document.get(name) else { return Ok(Vec::new()) };
        let table = item.as_table_like().ok_or_else(|| format!("`{name}` is not a table"))?;
        Ok(table.iter().map(|(name, item)| (name.to_owned(), json_of(item))).collect())
    }

    /// Sets a value, or with `None` takes it out, and writes the file. Comments and everything else stay as they are.
    ///
    /// # Errors
    /// When the value may not be, the file is malformed, or it cannot be written; nothing is changed then.
    pub fn write(mut self, key: &SettingKey, value: Option<&Value>) -> Result<(), SettingsError> {
        if let Some(value) = value {
            let invalid = |problem| SettingsError::Invalid { key: key.key.clone(), problem };
            check(&key.kind, value).map_err(invalid)?;
        }
        self.set(&key.key, value)
    }

    /// As [`Self::write`], without asking whether the value may be.
    pub(crate) fn set(&mut self, key: &str, value: Option<&Value>) -> Result<(), SettingsError> {
        let file = self.path.clone();
        let malformed = |problem: String| SettingsError::Malformed { file: file.clone(), problem };
        let document = self.document.as_mut().map_err(|problem| malformed(problem.clone()))?;
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        let table = document.entry(section).or_insert_with(toml_edit::table).as_table_like_mut();
        let table = table.ok_or_else(|| malformed(format!("`{section}` is not a table")))?;
        put(table, name, value);
        let unwritable = |source| SettingsError::Unwritable { file: file.clone(), source };
        write_whole(&file, document.to_string().as_bytes()).map_err(unwritable)
    }

    fn value(&self, key: &str) -> Result<Option<Value>, String> {
        let Ok(document) = &self.document else { return Ok(None) };
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        let Some(item) = document.get(section) else { return Ok(None) };
        let table = item.as_table_like().ok_or_else(|| format!("`{section}` is not a table; the default is in use"))?;
        Ok(table.get(name).map(json_of))
    }

    /// Paths of providers that are not there now are no mistake: a provider of the user's own may come and go.
    fn unknown(&self, keys: &[SettingKey]) -> Vec<String> {
        let Ok(document) = &self.document else { return Vec::new() };
        let named = document.iter().flat_map(|(section, item)| match item.as_table_like() {
            Some(table) => table.iter().map(|(name, _)| format!("{section}.{name}")).collect(),
            None => vec![section.to_owned()],
        });
        named.filter(|name| !name.starts_with("paths.") && !keys.iter().any(|key| key.key == *name)).collect()
    }
}

/// The comment behind a value belongs to the setting, not to the value.
fn put(table: &mut dyn TableLike, name: &str, value: Option<&Value>) {
    let Some(value) = value else {
        table.remove(name);
        return;
    };
    let mut new = toml_of(value);
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => drop(table.insert(name, Item::Value(new))),
    }
}

/// Values are checked before, so others than these do not get here.
fn toml_of(value: &Value) -> toml_edit::Value {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => number.as_i64().map_or_else(|| number.to_string().into(), Into::into),
        Value::String(text) => text.as_str().into(),
        Value::Null | Value::Array(_) | Value::Object(_) => value.to_string().into(),
    }
}

/// What is neither flag, number nor text is told as it stands in the file.
fn json_of(item: &Item) -> Value {
    match item.as_value() {
        Some(toml_edit::Value::Boolean(flag)) => (*flag.value()).into(),
        Some(toml_edit::Value::Integer(number)) => (*number.value()).into(),
        Some(toml_edit::Value::Float(number)) => (*number.value()).into(),
        Some(toml_edit::Value::String(text)) => text.value().as_str().into(),
        Some(other) => vec![Value::from(other.to_string())].into(),
        None => vec![Value::from(item.to_string())].into(),
    }
}

fn malformed(path: &Path, what: &str) -> String {
    format!(
        "failed to read {}: {}. The defaults are in use until the file is corrected",
        path.display(),
        what.trim_end().trim_end_matches('.')
    )
}

/// Replaces a file so that readers see the old or the new one, never a part; only its owner can read it.
pub(crate) fn write_whole(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.persist(file).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::setting_keys::fixed_keys;

    fn key(name: &str) -> SettingKey {
        fixed_keys().into_iter().find(|key| key.key == name).unwrap()
    }

    fn with(text: &str) -> (tempfile::TempDir, PathBuf) {
        let config = tempfile::tempdir().unwrap();
        let file = config.path().join("settings.toml");
        std::fs::write(&file, text).unwrap();
        (config, file)
    }

    #[test]
    fn one_value_is_changed_and_everything_else_stays() {
        let text = "# mine\nhealth = { quiet_after_seconds = 9 } # short\n\n[appearance]\n# at night\ntheme = \"dark\" # nice\nfont = \"x\"\n";
        let (config, file) = with(text);
        let read = || SettingsFile::read(config.path());
        read().write(&key("appearance.theme"), Some(&json!("light"))).unwrap();
        read().write(&key("health.quiet_after_seconds"), Some(&json!(10))).unwrap();
        let expected = text.replace("\"dark\"", "\"light\"").replace("= 9", "= 10");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
        read().write(&key("notifications.finished"), Some(&json!(false))).unwrap();
        read().write(&key("appearance.theme"), None).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.ends_with("font = \"x\"\n\n[notifications]\nfinished = false\n"), "{text}");
        let view = read().view(&fixed_keys());
        assert_eq!(view.unknown, ["appearance.font"]);
        let theme = view.settings.iter().find(|setting| setting.key == "appearance.theme").unwrap();
        assert_eq!((&theme.value, theme.is_set), (&json!("system"), false));
    }

    #[test]
    fn what_may_not_be_is_not_written_and_a_malformed_file_is_left_alone() {
        let (config, file) = with("[health]\nquiet_after_seconds = 9\n");
        let refused = SettingsFile::read(config.path()).write(&key("health.quiet_after_seconds"), Some(&json!(0)));
        assert!(refused.unwrap_err().to_string().contains("from 1 to 86400"));
        let broken = "[health\nquiet_after_seconds = 9\n";
        std::fs::write(&file, broken).unwrap();
        let read = SettingsFile::read(config.path());
        assert!(read.problem().unwrap().contains("line 1"), "{:?}", read.problem());
        let view = read.view(&fixed_keys());
        assert!(view.exists && view.settings.iter().all(|setting| setting.value == setting.default));
        let error = read.write(&key("appearance.theme"), Some(&json!("dark"))).unwrap_err();
        assert!(error.to_string().contains("Correct the file"), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), broken);
    }

    #[test]
    fn a_single_bad_value_costs_that_setting_only() {
        let (config, _file) =
            with("[health]\nquiet_after_seconds = \"long\"\nstalled_after_seconds = 7\n[windows]\nrestore = [1]\n");
        let view = SettingsFile::read(config.path()).view(&fixed_keys());
        let get = |key: &str| view.settings.iter().find(|setting| setting.key == key).unwrap();
        let quiet = get("health.quiet_after_seconds");
        assert!(quiet.problem.as_deref().unwrap().starts_with("`health.quiet_after_seconds` is \"long\""));
        assert_eq!(quiet.value, quiet.default);
        assert_eq!(get("health.stalled_after_seconds").value, json!(7));
        assert!(get("windows.restore").problem.is_some());
        assert_eq!(view.problem, None);
    }
}
