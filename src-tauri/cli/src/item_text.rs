//! How does an item of a transcript read in a terminal?
//!
//! Pure: text from an item. What an agent wrote is cleared of what could command the terminal; long output is cut with a hint.

use protocol::attachment::AttachedFile;
use protocol::item::{ItemBody, Permission, PermissionState, PlanEntry, PlanStatus, ToolCall, ToolContent, ToolStatus};
use protocol::permission::{PermissionPolicy, PermissionRule, RuleReach};
use protocol::record::{Delivery, NoticeLevel, Outcome, PermissionOutcome};
use protocol::runner::{StopReason, Usage};

use crate::output::{visible, visible_line};
use crate::span;
use crate::style::{Palette, in_style};

/// Lines of a tool's output that are shown.
const OUTPUT_LINES: usize = 10;
/// Characters of a line of a tool's output, or of a title.
const LINE_CHARS: usize = 160;

/// An item as it stands, with a newline at its end. Empty when there is nothing to show.
pub(crate) fn item(body: &ItemBody, palette: &Palette, short_id: &str) -> String {
    match body {
        ItemBody::UserMessage { text, delivery, from, attachments } => {
            format!("{}{}", user(text, *delivery, from.as_deref(), palette), attached(attachments, palette))
        }
        ItemBody::AgentMessage { text, .. } => paragraph(&visible(text)),
        ItemBody::Thought { text, .. } if text.trim().is_empty() => String::new(),
        ItemBody::Thought { text, .. } => paragraph(&in_style(palette.dim, visible(text).trim_end())),
        ItemBody::ToolCall(call) => tool(call, palette, short_id),
        ItemBody::Plan { entries } => plan(entries, palette),
        ItemBody::Permission(permission) => permission_end(permission, palette),
        ItemBody::Opened { .. } => opened(body, palette),
        ItemBody::TurnEnd { stop_reason, usage, duration_ms } => {
            turn_end(*stop_reason, usage.as_ref(), *duration_ms, palette)
        }
        ItemBody::Notice { level, text, .. } => notice(*level, text, palette),
        ItemBody::Error { message, stderr_tail, .. } => error(message, stderr_tail, palette),
        ItemBody::Pod { session, name, provider, task, .. } => {
            let of = format!("{provider}, session {session}");
            let task = visible_line(task, LINE_CHARS);
            format!(
                "{} {} {task}\n",
                in_style(palette.strong, &format!("pod {}", visible_line(name, 40))),
                in_style(palette.dim, &of)
            )
        }
        ItemBody::Ended { outcome, survivors } => ended(*outcome, survivors, palette),
        ItemBody::Unknown { label, .. } => {
            format!("{}\n", in_style(palette.dim, &format!("({})", visible_line(label, LINE_CHARS))))
        }
    }
}

fn paragraph(text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { format!("{}\n", text.trim_end()) }
}

fn user(text: &str, delivery: Delivery, from: Option<&str>, palette: &Palette) -> String {
    let how = match (delivery, from) {
        (_, Some(from)) => format!("{} ", visible_line(from, 40)),
        (Delivery::Steer, None) => "(into the turn) ".to_owned(),
        (Delivery::Retry, None) => "(again) ".to_owned(),
        (Delivery::Prompt | Delivery::Queued | Delivery::Notify, None) => String::new(),
    };
    let text = visible(text);
    format!("{} {}\n", in_style(palette.strong, format!("> {how}").trim_end()), text.trim_end().replace('\n', "\n  "))
}

/// Who answers requests, when nobody is asked.
pub(crate) fn policy(policy: PermissionPolicy) -> Option<&'static str> {
    match policy {
        PermissionPolicy::Ask => None,
        PermissionPolicy::Allow => Some("allows every request"),
        PermissionPolicy::Deny => Some("denies every request"),
    }
}

/// What went with a prompt, a line each.
fn attached(files: &[AttachedFile], palette: &Palette) -> String {
    let line = |file: &AttachedFile| {
        let words = format!("{} ({}, {})", file.name, file.mime_type, size(file.bytes));
        format!("    {}\n", in_style(palette.dim, &format!("+ {}", visible_line(&words, LINE_CHARS))))
    };
    files.iter().map(line).collect()
}

fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1024 * 1024 => format!("{} MiB", bytes / 1024 / 1024),
        bytes if bytes >= 1024 => format!("{} KiB", bytes / 1024),
        bytes => format!("{bytes} bytes"),
    }
}

fn opened(body: &ItemBody, palette: &Palette) -> String {
    let ItemBody::Opened { provider, model, cwd, resumes, cli_version, auth, permissions, .. } = body else {
        return String::new();
    };
    let mut words = vec![match cli_version {
        Some(version) => format!("{provider} {version}"),
        None => provider.clone(),
    }];
    words.extend(model.clone());
    words.extend(auth.clone());
    words.extend(permissions.and_then(policy).map(str::to_owned));
    words.push(cwd.clone());
    words.extend(resumes.as_ref().map(|id| format!("resumes {id}")));
    format!("{}\n", in_style(palette.dim, &visible_line(&words.join(" · "), LINE_CHARS * 2)))
}

/// The line that says that a tool has begun.
pub(crate) fn tool_begins(call: &ToolCall, palette: &Palette) -> String {
    let title = visible_line(title_of(call), LINE_CHARS);
    format!("{}\n", in_style(palette.dim, &format!("… {title}")))
}

fn tool(call: &ToolCall, palette: &Palette, short_id: &str) -> String {
    let title = visible_line(title_of(call), LINE_CHARS);
    let time = call.duration_ms.map(|ms| format!("  {}", span::of_ms(ms))).unwrap_or_default();
    let (mark, word) = match call.status {
        ToolStatus::Pending | ToolStatus::Running => return tool_begins(call, palette),
        ToolStatus::Completed => (in_style(palette.good, "✓"), ""),
        ToolStatus::Failed => (in_style(palette.bad, "✗"), "  failed"),
        ToolStatus::Denied => (in_style(palette.bad, "✗"), "  denied"),
        ToolStatus::Cancelled => (in_style(palette.dim, "–"), "  cancelled"),
    };
    let head = format!("{mark} {title}{}\n", in_style(palette.dim, &format!("{word}{time}")));
    let output: Vec<String> = call.content.iter().flat_map(output_lines).collect();
    format!("{head}{}", indented(&output, palette, short_id))
}

fn title_of(call: &ToolCall) -> &str {
    if call.title.trim().is_empty() { &call.name } else { &call.title }
}

fn output_lines(content: &ToolContent) -> Vec<String> {
    match content {
        ToolContent::Text { text } => visible(text).trim_end().lines().map(str::to_owned).collect(),
        ToolContent::Diff { path, patch: Some(patch), .. } => {
            let lines = patch.lines().filter(|line| line.starts_with(['+', '-', '@']));
            std::iter::once(path.clone()).chain(lines.map(visible)).collect()
        }
        ToolContent::Diff { path, old_text, new_text, patch: None } => {
            let old = old_text.iter().flat_map(|text| text.lines()).map(|line| format!("- {}", visible(line)));
            let new = new_text.iter().flat_map(|text| text.lines()).map(|line| format!("+ {}", visible(line)));
            std::iter::once(path.clone()).chain(old).chain(new).collect()
        }
        ToolContent::Image { mime_type, data } => vec![format!("({mime_type}, {} bytes)", data.len() / 4 * 3)],
        ToolContent::Json { value } => vec![visible(&value.to_string())],
    }
}

fn indented(lines: &[String], palette: &Palette, short_id: &str) -> String {
    let shown = if lines.len() <= OUTPUT_LINES + 1 { lines.len() } else { OUTPUT_LINES };
    let mut text = String::new();
    for line in &lines[..shown] {
        text.push_str(&format!("    {}\n", in_style(palette.dim, &visible_line_kept(line))));
    }
    if shown < lines.len() {
        let hint = format!("… {} more lines: outrigger logs {short_id} --json", lines.len() - shown);
        text.push_str(&format!("    {}\n", in_style(palette.dim, &hint)));
    }
    text
}

/// A line of output keeps its indentation.
fn visible_line_kept(line: &str) -> String {
    match line.char_indices().nth(LINE_CHARS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.trim_end().to_owned(),
    }
}

fn plan(entries: &[PlanEntry], palette: &Palette) -> String {
    let line = |entry: &PlanEntry| {
        let mark = match entry.status {
            PlanStatus::Pending => "○",
            PlanStatus::InProgress => "◐",
            PlanStatus::Completed => "●",
        };
        format!("  {mark} {}\n", visible_line(&entry.content, LINE_CHARS))
    };
    format!("{}\n{}", in_style(palette.dim, "Plan"), entries.iter().map(line).collect::<String>())
}

/// The question that a permission request puts.
pub(crate) fn permission_asks(permission: &Permission, palette: &Palette) -> String {
    let title = if permission.title.is_empty() { &permission.tool_name } else { &permission.title };
    let head = format!("? May it: {}", visible_line(title, LINE_CHARS));
    let input = match &permission.input {
        serde_json::Value::Object(fields) => fields.iter().map(|(name, value)| field(name, value)).collect(),
        serde_json::Value::Null => Vec::new(),
        other => vec![visible_line(&other.to_string(), LINE_CHARS)],
    };
    let input: String = input.iter().map(|line| format!("    {}\n", in_style(palette.dim, line))).collect();
    format!("{}\n{input}", in_style(palette.asks, &head))
}

fn field(name: &str, value: &serde_json::Value) -> String {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("{name}: {}", visible_line(&value, LINE_CHARS))
}

fn permission_end(permission: &Permission, palette: &Palette) -> String {
    let word = match &permission.state {
        PermissionState::Pending => return permission_asks(permission, palette),
        PermissionState::Withdrawn => "withdrawn".to_owned(),
        PermissionState::Answered { outcome, message, by, rule } => {
            let outcome = match outcome {
                PermissionOutcome::Allow => "allowed",
                PermissionOutcome::AllowAlways => "allowed from now on",
                PermissionOutcome::Deny => "denied",
                PermissionOutcome::DenyAlways => "denied from now on",
            };
            let message = message.as_ref().map(|message| format!(": {}", visible_line(message, LINE_CHARS)));
            let rule = rule.as_ref().map(|rule| rule_words(rule, by)).unwrap_or_default();
            format!("{outcome} by {by}{rule}{}", message.unwrap_or_default())
        }
    };
    let title = if permission.title.is_empty() { &permission.tool_name } else { &permission.title };
    let line = format!("? {}: {word}", visible_line(title, LINE_CHARS));
    format!("{}\n", in_style(palette.asks, &line))
}

/// The rule that answered, or was made with an answer.
fn rule_words(rule: &PermissionRule, by: &str) -> String {
    let whom = match rule.reach {
        RuleReach::Session => "session",
        RuleReach::Workspace => "workspace",
    };
    let words = visible_line(&rule.words, LINE_CHARS);
    if by == "rule" { format!(" of this {whom} ({words})") } else { format!(", from now on in this {whom}: {words}") }
}

fn turn_end(reason: StopReason, usage: Option<&Usage>, duration_ms: Option<u64>, palette: &Palette) -> String {
    let word = match reason {
        StopReason::EndTurn => "done",
        StopReason::MaxTurns => "stopped at its limit of turns or tokens",
        StopReason::Interrupted => "interrupted",
        StopReason::Refused => "refused",
        StopReason::Error => "failed",
    };
    let mut words = vec![word.to_owned()];
    words.extend(duration_ms.map(span::of_ms));
    words.extend(usage.and_then(tokens));
    words.extend(usage.and_then(|usage| usage.cost_usd).map(cost));
    format!("{}\n", in_style(palette.dim, &format!("— {}", words.join(" · "))))
}

/// Tokens in and out, cached ones counted with those that went in.
fn tokens(usage: &Usage) -> Option<String> {
    if usage.input_tokens.is_none() && usage.output_tokens.is_none() {
        return None;
    }
    let cached = usage.cache_read_tokens.unwrap_or(0) + usage.cache_write_tokens.unwrap_or(0);
    let (input, output) = (usage.input_tokens.unwrap_or(0) + cached, usage.output_tokens.unwrap_or(0));
    Some(format!("{input} tokens in, {output} out"))
}

/// `$0.0123`.
pub(crate) fn cost(usd: f64) -> String {
    format!("${usd:.4}")
}

fn notice(level: NoticeLevel, text: &str, palette: &Palette) -> String {
    let style = match level {
        NoticeLevel::Info => palette.dim,
        NoticeLevel::Warning | NoticeLevel::Error => palette.bad,
    };
    format!("{}\n", in_style(style, &format!("! {}", visible_line(text, LINE_CHARS * 4))))
}

fn error(message: &str, stderr_tail: &[String], palette: &Palette) -> String {
    let head = in_style(palette.bad, &format!("✗ {}", visible(message).trim_end()));
    let tail: String = stderr_tail.iter().map(|line| format!("    {}\n", visible_line(line, LINE_CHARS * 2))).collect();
    format!("{head}\n{tail}")
}

fn ended(outcome: Outcome, survivors: &[String], palette: &Palette) -> String {
    let word = match outcome {
        Outcome::Done => "The session has ended.",
        Outcome::Failed => "The session has failed.",
        Outcome::Stopped => "The session was stopped.",
        Outcome::Interrupted => "The session broke off.",
    };
    let left: String =
        survivors.iter().map(|one| format!("    still running: {}\n", visible_line(one, LINE_CHARS))).collect();
    format!("{}\n{left}", in_style(palette.dim, word))
}
