//! The user's settings as a page shows them: every key with what it means, what it may be, and what it is.
//!
//! The keys and their values are those of `settings.toml`. Which keys there are is known to `discovery`, which reads the file.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

/// Every setting, as it is now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SettingsView {
    /// The file, whether it exists or not.
    pub file: String,
    /// Whether it exists; without it every setting has its default.
    pub exists: bool,
    /// Why the file cannot be read as a whole: every setting has its default, and none can be written until it is corrected.
    pub problem: Option<String>,
    /// In the order in which they are shown; those of one section stand together.
    pub settings: Vec<Setting>,
    /// Keys of the file that mean nothing, as `section.name`: they are kept and do nothing.
    pub unknown: Vec<String>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Setting {
    /// `section.name`, as in the file.
    pub key: String,
    /// The words above the settings that belong together.
    pub section: String,
    /// What it is called.
    pub title: String,
    /// What it does, in a sentence.
    pub description: String,
    /// What it may be.
    pub kind: SettingKind,
    /// What it is when the file does not say.
    pub default: Value,
    /// What it is now: the file's value, or the default.
    pub value: Value,
    /// Whether the file names it.
    pub is_set: bool,
    /// What is wrong with the file's value; the default is in use then.
    pub problem: Option<String>,
}

/// What a setting may be. All values are JSON: a boolean, a number or a string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum SettingKind {
    /// On or off.
    Flag,
    /// A whole number.
    Number {
        /// The smallest.
        min: u32,
        /// The largest.
        max: u32,
        /// What is counted, e.g. `seconds`.
        unit: String,
    },
    /// One of some words.
    Choice {
        /// They, in the order in which they are shown.
        values: Vec<SettingChoice>,
    },
    /// A time of the day as `HH:MM`, or an empty string for none.
    Time,
    /// The path of a program, absolute or from `~` on, or an empty string for none.
    Path,
}

/// One of the words that a setting may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SettingChoice {
    /// As in the file.
    pub value: String,
    /// As people read it.
    pub label: String,
}
