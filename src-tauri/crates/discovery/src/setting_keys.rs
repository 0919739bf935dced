//! Which settings are there, what do they mean, and which values may they have?
//!
//! One table, from which the file is read and checked and the Settings page is made, so that neither knows a key alone. Pure.

use protocol::settings::{SettingChoice, SettingKind};
use serde_json::{Value, json};

/// A setting, apart from what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingKey {
    /// `section.name`, as in the file.
    pub key: String,
    /// The words above the settings that belong together.
    pub section: &'static str,
    /// What it is called.
    pub title: String,
    /// What it does, in a sentence.
    pub description: String,
    /// What it may be.
    pub kind: SettingKind,
    /// What it is when nobody set it.
    pub default: Value,
}

/// The runtimes whose paths can be set, besides `runtime`, which means that of all runners.
const RUNTIMES: [&str; 3] = ["node", "deno", "bun"];

/// Every setting, in the order of the page. `clis` are the providers with a CLI, by id and name.
#[must_use]
pub fn setting_keys(clis: &[(String, String)]) -> Vec<SettingKey> {
    let mut keys = look();
    keys.push(pods());
    keys.extend(notifications());
    keys.extend(health());
    keys.extend(earlier());
    keys.extend(updates());
    keys.extend(paths(clis));
    keys
}

/// The settings that do not depend on which providers there are.
pub(crate) fn fixed_keys() -> Vec<SettingKey> {
    setting_keys(&[])
}

/// The key of a program's path.
pub(crate) fn path_key(id: &str) -> String {
    format!("paths.{id}")
}

fn look() -> Vec<SettingKey> {
    const SECTION: &str = "Windows";
    let theme = [("system", "As the system"), ("light", "Light"), ("dark", "Dark")];
    let last = [
        ("ask", "Ask, while agents work"),
        ("tray", "Stay in the tray"),
        ("quit", "Quit; agents go on without the app"),
    ];
    vec![
        choice("appearance.theme", SECTION, "Theme", "Light or dark.", &theme, "system"),
        choice(
            "windows.last_closed",
            SECTION,
            "When the last window is closed",
            "In the tray the app can still tell you that an agent needs you. Agents go on either way.",
            &last,
            "ask",
        ),
        flag(
            "windows.restore",
            SECTION,
            "Open the windows of last time",
            "At the start every window that was open comes back, where it was and with what it showed.",
            true,
        ),
        flag(
            "windows.at_login",
            SECTION,
            "Start when you log in",
            "In the tray and without a window, to tell you when an agent needs you. A portable Outrigger does not.",
            false,
        ),
    ]
}

fn earlier() -> Vec<SettingKey> {
    const SECTION: &str = "Earlier sessions";
    let shown = |key: &str, name: &str, folder: &str| {
        let about = format!(
            "Lists the conversations that {name} keeps in {folder}. One that you open is copied, and can be resumed. \
             Nothing is written there."
        );
        flag(key, SECTION, &format!("Show those of {name}"), &about, false)
    };
    vec![shown("earlier.claude", "Claude Code", "`~/.claude`"), shown("earlier.codex", "Codex", "`~/.codex`")]
}

fn updates() -> Vec<SettingKey> {
    vec![flag(
        "updates.look",
        "Updates",
        "Look for updates",
        "Once a day, where the build names a place. A newer version is downloaded; it is installed when you say so.",
        true,
    )]
}

fn pods() -> SettingKey {
    choice(
        "pods.tools",
        "Pods",
        "Agents that command agents",
        "Whether a new session's agent is offered the tools that start, brief, read and stop other agents. \
         You can start pods by hand either way.",
        &[("on", "Offered"), ("off", "Not offered")],
        "on",
    )
}

fn notifications() -> Vec<SettingKey> {
    const SECTION: &str = "Notifications";
    let never = "Never while you look at that session.";
    vec![
        flag(
            "notifications.needs_you",
            SECTION,
            "When an agent needs you",
            &format!("It asks for a permission or has a question. {never}"),
            true,
        ),
        flag("notifications.finished", SECTION, "When an agent is done", &format!("Its turn has ended. {never}"), true),
        flag(
            "notifications.failed",
            SECTION,
            "When an agent fails",
            &format!("It broke off, or its process was killed. {never}"),
            true,
        ),
        time(
            "notifications.quiet_from",
            "Quiet from",
            "From this time of the day on nothing is notified. Both times are needed.",
        ),
        time(
            "notifications.quiet_until",
            "Quiet until",
            "Until this time of the day, on the next day if it is earlier.",
        ),
    ]
}

fn health() -> Vec<SettingKey> {
    use protocol::health::HealthThresholds;
    const DAY: u32 = 24 * 60 * 60;
    let usual = HealthThresholds::default();
    let seconds = |name: &str, title: &str, about: &str, default: u64| {
        number(&format!("health.{name}"), title, about, (1, DAY, "seconds"), default)
    };
    vec![
        seconds(
            "quiet_after_seconds",
            "Quiet after",
            "A working agent that has said nothing for so long is shown as quiet.",
            usual.quiet_after,
        ),
        seconds(
            "stalled_after_seconds",
            "Stalled after",
            "After so long it is shown as stalled, unless a reason for its silence is seen. Nothing is ended because of it.",
            usual.stalled_after,
        ),
        number(
            "health.degraded_errors",
            "Degraded by errors",
            "So many passing errors of its provider make an agent degraded …",
            (1, 1000, "errors"),
            u64::from(usual.degraded_errors),
        ),
        seconds(
            "degraded_within_seconds",
            "Degraded within",
            "… when they come within this time.",
            usual.degraded_within,
        ),
    ]
}

fn paths(clis: &[(String, String)]) -> Vec<SettingKey> {
    let runtime = path(
        "runtime",
        "Runtime of all runners".to_owned(),
        "The node, deno or bun that runs the runners. Without it the first one that is found does.".to_owned(),
    );
    let runtimes =
        RUNTIMES.iter().map(|id| path(id, (*id).to_owned(), format!("Where {id} is, if it is not found by itself.")));
    let clis = clis.iter().map(|(id, name)| {
        let about = format!("Where its program is. Without it, it is looked for: doctor tells where. Provider `{id}`.");
        path(id, name.clone(), about)
    });
    std::iter::once(runtime).chain(clis).chain(runtimes).collect()
}

fn flag(key: &str, section: &'static str, title: &str, description: &str, default: bool) -> SettingKey {
    setting(key, section, title, description, SettingKind::Flag, json!(default))
}

fn choice(
    key: &str,
    section: &'static str,
    title: &str,
    description: &str,
    values: &[(&str, &str)],
    default: &str,
) -> SettingKey {
    let choice =
        |(value, label): &(&str, &str)| SettingChoice { value: (*value).to_owned(), label: (*label).to_owned() };
    let values = values.iter().map(choice).collect();
    setting(key, section, title, description, SettingKind::Choice { values }, json!(default))
}

fn number(key: &str, title: &str, description: &str, (min, max, unit): (u32, u32, &str), default: u64) -> SettingKey {
    let kind = SettingKind::Number { min, max, unit: unit.to_owned() };
    setting(key, "Health", title, description, kind, json!(default))
}

fn time(key: &str, title: &str, description: &str) -> SettingKey {
    setting(key, "Notifications", title, description, SettingKind::Time, json!(""))
}

fn path(id: &str, title: String, description: String) -> SettingKey {
    SettingKey {
        key: path_key(id),
        section: "Programs",
        title,
        description,
        kind: SettingKind::Path,
        default: json!(""),
    }
}

fn setting(
    key: &str,
    section: &'static str,
    title: &str,
    description: &str,
    kind: SettingKind,
    default: Value,
) -> SettingKey {
    let (title, description) = (title.to_owned(), description.to_owned());
    SettingKey { key: key.to_owned(), section, title, description, kind, default }
}

/// What is wrong with a value, as the end of a sentence that begins with the setting.
///
/// # Errors
/// Then.
pub(crate) fn check(kind: &SettingKind, value: &Value) -> Result<(), String> {
    let fits = match (kind, value) {
        (SettingKind::Flag, Value::Bool(_)) => true,
        (SettingKind::Number { min, max, .. }, Value::Number(number)) => {
            number.as_u64().is_some_and(|number| (u64::from(*min)..=u64::from(*max)).contains(&number))
        }
        (SettingKind::Choice { values }, Value::String(text)) => values.iter().any(|choice| choice.value == *text),
        (SettingKind::Time, Value::String(text)) => text.is_empty() || time_of(text).is_some(),
        (SettingKind::Path, Value::String(text)) => is_program_path(text),
        (
            SettingKind::Flag
            | SettingKind::Number { .. }
            | SettingKind::Choice { .. }
            | SettingKind::Time
            | SettingKind::Path,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_),
        ) => false,
    };
    if fits { Ok(()) } else { Err(format!("is {value}, and has to be {}", wanted(kind))) }
}

/// A time of the day as hours and minutes.
pub(crate) fn time_of(text: &str) -> Option<(i8, i8)> {
    let (hours, minutes) = text.split_once(':')?;
    let part = |digits: &str, most: i8| {
        let fits = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|number| fits && *number < most)
    };
    Some((part(hours, 24)?, part(minutes, 60)?))
}

fn is_program_path(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.starts_with('~') || std::path::Path::new(text).is_absolute()
}

fn wanted(kind: &SettingKind) -> String {
    match kind {
        SettingKind::Flag => "true or false".to_owned(),
        SettingKind::Number { min, max, unit } => format!("a whole number of {unit} from {min} to {max}"),
        SettingKind::Choice { values } => {
            let words: Vec<String> = values.iter().map(|choice| format!("\"{}\"", choice.value)).collect();
            words.join(" or ")
        }
        SettingKind::Time => "a time of the day like \"22:00\", or \"\" for none".to_owned(),
        SettingKind::Path => "an absolute path or one that begins with ~".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_that_may_be_and_no_key_is_there_twice() {
        let keys = setting_keys(&[("claude".to_owned(), "Claude Code".to_owned())]);
        for key in &keys {
            // The default of a path or a time is to have none.
            assert_eq!(check(&key.kind, &key.default), Ok(()), "{}", key.key);
            assert_eq!(keys.iter().filter(|other| other.key == key.key).count(), 1, "{}", key.key);
            assert!(key.key.split('.').count() == 2 && !key.title.is_empty() && key.description.ends_with(['.', '…']));
        }
        assert!(keys.iter().any(|key| key.key == "paths.claude" && key.title == "Claude Code"));
    }

    #[test]
    fn what_may_not_be_is_told_with_what_may() {
        let said = |kind: &SettingKind, value: Value| check(kind, &value).unwrap_err();
        let number = SettingKind::Number { min: 1, max: 9, unit: "seconds".to_owned() };
        assert_eq!(said(&number, json!(10)), "is 10, and has to be a whole number of seconds from 1 to 9");
        assert!(check(&number, &json!(-1)).is_err() && check(&number, &json!(1.5)).is_err());
        for text in ["24:00", "7:30", "07:60", "+7:30", "07:30:00", "07"] {
            assert!(check(&SettingKind::Time, &json!(text)).is_err(), "{text}");
        }
        assert_eq!(time_of("07:30"), Some((7, 30)));
        assert!(check(&SettingKind::Path, &json!("bin/claude")).is_err());
        assert!(check(&SettingKind::Path, &json!("~/bin/claude")).is_ok());
        assert!(said(&SettingKind::Flag, json!("yes")).ends_with("true or false"));
    }
}
