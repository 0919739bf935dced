//! What claude and codex can do besides taking turns, as a person reads it: plans, questions, compaction, hooks, tasks in the
//! background, searches, and what an older codex says. Folded from recorded streams.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking, in its helpers too")]

mod recorded;

use protocol::item::{ItemBody, PlanStatus, ToolStatus};
use recorded::{Folded, recordings, run};

fn folded(provider: &str, name: &str) -> Folded {
    let recording = recordings(provider).into_iter().find(|recording| recording.name == name);
    run(&recording.unwrap_or_else(|| panic!("no recording {provider}/{name}")))
}

#[test]
fn abilities_read_as_expected() {
    let claude =
        ["plan-mode", "question", "mcp-allowed", "compact", "background", "tasks", "hooks", "context", "max-turns"];
    let codex = [
        "asking-command",
        "escalation",
        "plan-mode",
        "web-search",
        "compact",
        "old-plan",
        "old-write-file",
        "old-command",
    ];
    for (provider, names) in [("claude", claude.as_slice()), ("codex", codex.as_slice())] {
        for name in names {
            insta::assert_snapshot!(format!("{provider}-{name}"), recorded::page(&folded(provider, name)));
        }
    }
}

#[test]
fn the_tasks_of_claude_are_one_plan_that_changes() {
    let folded = folded("claude", "tasks");
    let plans: Vec<_> = folded
        .items
        .values()
        .filter_map(|item| if let ItemBody::Plan { entries } = &item.body { Some(entries) } else { None })
        .collect();
    let last = plans.last().unwrap();
    let read: Vec<_> = last.iter().map(|entry| (entry.content.as_str(), entry.status)).collect();
    assert_eq!(read, [("Trim the wick", PlanStatus::Completed), ("Light the lamp", PlanStatus::InProgress)]);
}

#[test]
fn a_command_in_the_background_ends_with_its_notice() {
    let folded = folded("claude", "background");
    let call = folded.items.values().find_map(|item| match &item.body {
        ItemBody::ToolCall(call) if call.name == "Bash" => Some((call.status, item.seq, item.last_seq)),
        _ => None,
    });
    let (status, opened, ended) = call.unwrap();
    assert_eq!(status, ToolStatus::Completed);
    assert!(ended > opened + 5, "its result said only that it had begun: {opened}→{ended}");
}

#[test]
fn a_hook_that_ran_and_said_nothing_is_not_shown() {
    let folded = folded("claude", "hooks");
    let notices: Vec<_> = folded
        .items
        .values()
        .filter_map(|item| match &item.body {
            ItemBody::Notice { code, text, .. } if code == "hook" => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert!(notices.iter().any(|text| text.contains("remember the tide")), "{notices:?}");
    assert!(notices.iter().any(|text| text.contains("failed: broken")), "{notices:?}");
    assert!(!notices.iter().any(|text| text.contains("PreToolUse")), "{notices:?}");
}
