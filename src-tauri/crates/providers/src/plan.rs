//! The steps of a plan, as several providers write them: a text and a status.

use protocol::item::{PlanEntry, PlanStatus};
use serde_json::Value;

/// Steps of the form {content, status}; a status that is not known counts as not begun.
pub(crate) fn plan(entries: &Value) -> Vec<PlanEntry> {
    let entries = entries.as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().map(|entry| plan_entry(entry["content"].as_str().unwrap_or_default(), &entry["status"])).collect()
}

/// One step of a plan.
pub(crate) fn plan_entry(content: &str, status: &Value) -> PlanEntry {
    let status = match status.as_str().unwrap_or_default() {
        "completed" => PlanStatus::Completed,
        "in_progress" | "inProgress" => PlanStatus::InProgress,
        _ => PlanStatus::Pending,
    };
    PlanEntry { content: content.to_owned(), status }
}
