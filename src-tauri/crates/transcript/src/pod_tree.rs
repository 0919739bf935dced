//! What happens to a pod because of its tree, in a line for people: its scope, its budget, its children's ends, foreign writes.

use protocol::record::NoticeLevel;
use protocol::scope::{
    Budget, Confinement, ConfinementLevel, FileChange, ForeignWrite, HeldRule, PodOutcome, ScopePermission, ScopeReach,
};

use crate::host::Told;

/// Paths that one line names; more are counted.
const NAMED: usize = 6;

/// A child's end. That a turn of it has ended reaches the agent as a message, which is shown.
pub(crate) fn turn(name: &str, outcome: Option<PodOutcome>) -> Told {
    let (level, how) = match outcome? {
        PodOutcome::Completed => (NoticeLevel::Info, "has completed"),
        PodOutcome::Failed => (NoticeLevel::Warning, "has failed"),
        PodOutcome::Cancelled => (NoticeLevel::Info, "was stopped"),
        PodOutcome::Disconnected => (NoticeLevel::Warning, "is gone without a word"),
    };
    Some((level, "pod_ended", format!("Pod {name} {how}.")))
}

/// What the agent may use from here on.
pub(crate) fn scoped(rules: Option<&[HeldRule]>, taken: &[HeldRule], confinement: &Confinement) -> Told {
    let Some(rules) = rules else { return Some((NoticeLevel::Info, "scope", "It works without a scope.".to_owned())) };
    let writes = named(rules.iter().filter(|rule| rule.permission == ScopePermission::Write));
    let mut text = match writes.is_empty() {
        true => "It may write nothing".to_owned(),
        false => format!("It may write {writes}"),
    };
    if !taken.is_empty() {
        text.push_str(&format!(", less what its children hold: {}", named(taken.iter())));
    }
    let (level, held) = match confinement.level {
        ConfinementLevel::Enforced => (NoticeLevel::Info, "The kernel enforces it"),
        ConfinementLevel::Partial => (NoticeLevel::Warning, "The kernel enforces it in part"),
        ConfinementLevel::Advised => {
            (NoticeLevel::Warning, "Nothing enforces it: it is advised, and foreign writes are reported")
        }
    };
    let by = confinement.by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
    text.push_str(&format!(". {held}{by}."));
    for why in &confinement.why {
        text.push(' ');
        text.push_str(why);
    }
    Some((level, "scope", text))
}

fn named<'a>(rules: impl Iterator<Item = &'a HeldRule>) -> String {
    let all: Vec<String> = rules.map(words).collect();
    let more = all.len().saturating_sub(NAMED);
    let mut text = all.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn words(rule: &HeldRule) -> String {
    match rule.reach {
        ScopeReach::File => rule.path.clone(),
        ScopeReach::Entries => format!("{}/*", rule.path.trim_end_matches('/')),
        ScopeReach::Tree => format!("{}/", rule.path.trim_end_matches('/')),
    }
}

/// What the pod and all below it may use from here on.
pub(crate) fn budget_changed(budget: &Budget) -> Told {
    let Budget { depth, children, pods, spawns, spawns_per_minute, turns, cost_usd, wall_seconds } = budget;
    let counts = [
        (*depth, "generations"),
        (*children, "children of one pod"),
        (*pods, "live pods"),
        (*spawns, "spawns"),
        (*spawns_per_minute, "spawns a minute"),
    ];
    let mut parts: Vec<String> =
        counts.into_iter().filter_map(|(limit, what)| limit.map(|limit| format!("{limit} {what}"))).collect();
    parts.extend(turns.map(|turns| format!("{turns} turns")));
    parts.extend(cost_usd.map(|cost| format!("${cost:.2}")));
    parts.extend(wall_seconds.map(|seconds| format!("{} min", seconds.div_ceil(60))));
    let text = match parts.is_empty() {
        true => "The budget has no limits now.".to_owned(),
        false => format!("The budget is {} now.", parts.join(", ")),
    };
    Some((NoticeLevel::Info, "budget", text))
}

/// A write that nothing refused.
pub(crate) fn foreign_write(write: &ForeignWrite) -> Told {
    let what = match write.change {
        FileChange::Created => "made",
        FileChange::Written | FileChange::Changed => "written",
        FileChange::Removed => "removed",
        FileChange::Renamed => "renamed",
    };
    let by = match &write.by {
        Some(by) if by.command.is_empty() => format!(" by process {}", by.pid),
        Some(by) => format!(" by process {} ({})", by.pid, by.command),
        None => " by a process that could not be found out".to_owned(),
    };
    let times = if write.times > 1 { format!(", {} times", write.times) } else { String::new() };
    let holder = write.holder.map(|holder| format!("; session {holder} may write there")).unwrap_or_default();
    let text = format!("Written past a scope: {} was {what}{by}{times}{holder}.", write.path);
    Some((NoticeLevel::Warning, "foreign_write", text))
}
