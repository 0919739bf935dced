//! What has happened that somebody who looks elsewhere wants to know: an agent asks, is done, or has failed?
//!
//! Pure: what two lists of sessions differ by, and what a handful of news is in a few words.

use client::links;
use protocol::SessionId;
use protocol::desk::WaitingRequest;
use protocol::pod::{PodState, Work};
use protocol::record::Outcome;
use protocol::runner::StopReason;
use protocol::session::{Liveness, SessionSummary};

/// Sessions that a group names.
const NAMED: usize = 4;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) session: SessionId,
    pub(crate) what: What,
    /// What the session is called.
    pub(crate) title: String,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// It asks.
    NeedsYou {
        /// Which request it is.
        request_id: String,
        /// What it asks for.
        ask: String,
    },
    /// Its turn has ended.
    Finished,
    /// It broke off, or its turn came to nothing.
    Failed,
}

/// News in words, and where to go for more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) target: Target,
}

/// Where a click goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Session(SessionId),
    /// Several ask: the requests, at the oldest.
    Requests,
}

/// What a session does, as far as it is news when that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Work,
    /// It has nothing to do, or was ended by the user.
    Rest,
    Failed,
    Unknown,
}

/// Sessions that came to rest or broke off between two lists. One that began after `start`, an RFC 3339 time, counts as having worked
/// where nothing is known of it yet, because its keeper was only starting: what happened before is no news.
pub(crate) fn between(before: &[SessionSummary], after: &[SessionSummary], start: &str) -> Vec<News> {
    let was = |summary: &SessionSummary| {
        let before = before.iter().find(|other| other.session == summary.session);
        match before.map_or(Doing::Unknown, |before| doing(&before.liveness)) {
            Doing::Unknown if summary.created_at.as_str() > start => Doing::Work,
            known => known,
        }
    };
    let news = |summary: &SessionSummary| {
        let what = match (was(summary), doing(&summary.liveness)) {
            (Doing::Work | Doing::Rest, Doing::Failed) => What::Failed,
            // The end of a sub-agent's turn is news for its parent.
            (Doing::Work, Doing::Rest) if summary.parent.is_none() && !was_ended(&summary.liveness) => What::Finished,
            (Doing::Work | Doing::Rest | Doing::Failed | Doing::Unknown, _) => return None,
        };
        Some(News { session: summary.session, what, title: named(&summary.title) })
    };
    after.iter().filter_map(news).collect()
}

/// Requests that were not there before, and began after `start`.
pub(crate) fn asked(before: &[WaitingRequest], after: &[WaitingRequest], start: &str) -> Vec<News> {
    let is_new = |waiting: &&WaitingRequest| {
        waiting.request.since.as_str() > start && !before.iter().any(|other| same(other, waiting))
    };
    let news = |waiting: &WaitingRequest| {
        let ask = &waiting.request.ask;
        let words = if ask.title.is_empty() { &ask.tool_name } else { &ask.title };
        News {
            session: waiting.summary.session,
            what: What::NeedsYou { request_id: ask.request_id.clone(), ask: links::shown(words) },
            title: named(&waiting.summary.title),
        }
    };
    after.iter().filter(is_new).map(news).collect()
}

/// A handful of news as one; `None` for none.
pub(crate) fn summed_up(news: &[News]) -> Option<Words> {
    let [one] = news else { return (!news.is_empty()).then(|| group(news)) };
    let (title, body) = match &one.what {
        What::NeedsYou { ask, .. } => (format!("{} needs you", one.title), ask.clone()),
        What::Finished => (format!("{} is done", one.title), "It waits for your next prompt.".to_owned()),
        What::Failed => (format!("{} failed", one.title), "Open it to see why, and to go on.".to_owned()),
    };
    Some(Words { title, body, target: Target::Session(one.session) })
}

/// The most urgent come first.
fn group(news: &[News]) -> Words {
    let of = |wanted: fn(&What) -> bool| news.iter().filter(move |news| wanted(&news.what)).collect::<Vec<_>>();
    let asks = of(|what| matches!(what, What::NeedsYou { .. }));
    let failed = of(|what| matches!(what, What::Failed));
    let done = of(|what| matches!(what, What::Finished));
    let counts = [(asks.len(), "need you"), (failed.len(), "failed"), (done.len(), "done")];
    let counts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let mut names: Vec<&str> = Vec::new();
    for news in asks.iter().chain(&failed).chain(&done) {
        if !names.contains(&news.title.as_str()) {
            names.push(&news.title);
        }
    }
    let mut lines: Vec<String> = names.iter().take(NAMED).map(|name| (*name).to_owned()).collect();
    if names.len() > NAMED {
        lines.push(format!("and {} more", names.len() - NAMED));
    }
    let first = failed.first().or(done.first()).map(|news| Target::Session(news.session));
    let one_asks = asks.first().filter(|first| asks.iter().all(|news| news.session == first.session));
    let target = match (one_asks, asks.is_empty()) {
        (Some(one), _) => Target::Session(one.session),
        (None, false) => Target::Requests,
        (None, true) => first.unwrap_or(Target::Requests),
    };
    Words { title: format!("Agents: {}", counts.join(" · ")), body: lines.join("\n"), target }
}

/// Whether nothing is to be notified at a time of the day, which may lie over midnight.
pub(crate) fn is_quiet(now: (i8, i8), quiet: Option<((i8, i8), (i8, i8))>) -> bool {
    match quiet {
        None => false,
        Some((from, until)) if from <= until => from <= now && now < until,
        Some((from, until)) => now >= from || now < until,
    }
}

fn same(a: &WaitingRequest, b: &WaitingRequest) -> bool {
    a.summary.session == b.summary.session && a.request.ask.request_id == b.request.ask.request_id
}

fn named(title: &str) -> String {
    if title.is_empty() { "An untitled session".to_owned() } else { links::shown(title) }
}

fn doing(liveness: &Liveness) -> Doing {
    match liveness {
        Liveness::Live { state, last_turn, .. } => match state {
            PodState::Starting
            | PodState::Working {
                on: Work::Model | Work::Tool { .. } | Work::Permission { .. } | Work::Compacting,
                ..
            } => Doing::Work,
            PodState::Idle => of_turn(*last_turn),
            PodState::Stopping | PodState::Draining => Doing::Rest,
            PodState::Ended { outcome } => of_outcome(*outcome),
            PodState::Failed { .. } => Doing::Failed,
        },
        Liveness::Ended { outcome, .. } => of_outcome(*outcome),
        Liveness::Interrupted => Doing::Failed,
        Liveness::Unknown { .. } => Doing::Unknown,
    }
}

/// The agent of a turn that failed lives on and waits, and its user waits for what will not come.
fn of_turn(last: Option<StopReason>) -> Doing {
    match last {
        None | Some(StopReason::EndTurn | StopReason::Interrupted) => Doing::Rest,
        Some(StopReason::MaxTurns | StopReason::Refused | StopReason::Error) => Doing::Failed,
    }
}

fn of_outcome(outcome: Outcome) -> Doing {
    match outcome {
        Outcome::Done | Outcome::Stopped => Doing::Rest,
        Outcome::Failed | Outcome::Interrupted => Doing::Failed,
    }
}

/// Whoever ended it knows.
fn was_ended(liveness: &Liveness) -> bool {
    match liveness {
        Liveness::Live { state, last_turn, queued, .. } => match state {
            PodState::Idle => *queued > 0 || *last_turn == Some(StopReason::Interrupted),
            PodState::Stopping | PodState::Draining => true,
            PodState::Ended { outcome } => *outcome == Outcome::Stopped,
            PodState::Starting | PodState::Working { .. } | PodState::Failed { .. } => false,
        },
        Liveness::Ended { outcome, .. } => *outcome == Outcome::Stopped,
        Liveness::Interrupted | Liveness::Unknown { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const START: &str = "2026-11-21T10:00:00.000Z";

    fn session(n: u8, liveness: Value) -> SessionSummary {
        let id = format!("00000000-0000-7000-8000-0000000000{n:02}");
        let summary = json!({ "session": id, "provider": "demo", "workspace": "/w", "cwd": "/w", "title": format!("Task {n}"),
            "parent": null, "createdAt": "2026-11-21T09:00:00.000Z", "updatedAt": "", "model": null, "nativeSessionId": null,
            "usage": {}, "liveness": liveness });
        serde_json::from_value(summary).unwrap()
    }

    fn live(state: Value) -> Value {
        json!({ "type": "live", "state": state, "waiting": 0, "queued": 0 })
    }

    fn works() -> Value {
        live(json!({ "type": "working", "on": { "type": "model" }, "since": "" }))
    }

    fn idle() -> Value {
        live(json!({ "type": "idle" }))
    }

    fn after_turn(reason: &str) -> Value {
        let mut idle = idle();
        idle["lastTurn"] = json!(reason);
        idle
    }

    fn ended(outcome: &str) -> Value {
        json!({ "type": "ended", "outcome": outcome, "at": "" })
    }

    fn whats(before: Vec<SessionSummary>, after: Vec<SessionSummary>) -> Vec<What> {
        between(&before, &after, START).into_iter().map(|news| news.what).collect()
    }

    #[test]
    fn the_end_of_a_turn_and_a_failure_are_news() {
        let one = |before: Value, after: Value| whats(vec![session(1, before)], vec![session(1, after)]);
        assert_eq!(one(works(), idle()), [What::Finished]);
        assert_eq!(one(works(), ended("done")), [What::Finished]);
        assert_eq!(one(works(), ended("failed")), [What::Failed]);
        assert_eq!(one(idle(), json!({ "type": "interrupted" })), [What::Failed]);
        assert_eq!(one(works(), after_turn("endTurn")), [What::Finished]);
        for reason in ["error", "refused", "maxTurns"] {
            assert_eq!(one(works(), after_turn(reason)), [What::Failed], "{reason}");
            assert_eq!(one(after_turn(reason), ended("failed")), [], "a failure is told once");
        }
        for (before, after) in [
            (idle(), idle()),
            (idle(), works()),
            (works(), ended("stopped")),
            (works(), after_turn("interrupted")),
            (works(), live(json!({ "type": "stopping" }))),
            (ended("failed"), ended("failed")),
            (works(), json!({ "type": "unknown", "reason": "" })),
            (json!({ "type": "unknown", "reason": "" }), idle()),
        ] {
            assert_eq!(one(before.clone(), after.clone()), [], "{before} {after}");
        }
    }

    #[test]
    fn what_was_there_before_the_app_and_ends_of_sub_agents_are_none() {
        assert_eq!(whats(vec![], vec![session(1, idle()), session(2, ended("failed"))]), []);
        let mut young = session(1, ended("failed"));
        young.created_at = "2026-11-21T10:00:01.000Z".to_owned();
        assert_eq!(whats(vec![], vec![young.clone()]), [What::Failed]);
        // Its turn was over before its keeper was asked for the first time.
        let starting =
            serde_json::from_value(json!({ "type": "unknown", "reason": "its keeper is starting" })).unwrap();
        let before = SessionSummary { liveness: starting, ..young.clone() };
        young.liveness = serde_json::from_value(after_turn("error")).unwrap();
        assert_eq!(whats(vec![before], vec![young]), [What::Failed]);
        let child = |liveness| {
            let mut child = session(2, liveness);
            child.parent = Some(session(1, idle()).session);
            child
        };
        assert_eq!(whats(vec![child(works())], vec![child(idle())]), []);
        assert_eq!(whats(vec![child(works())], vec![child(ended("failed"))]), [What::Failed]);
    }

    #[test]
    fn several_are_one_with_the_urgent_first() {
        let news = |n: u8, what: What| News { session: session(n, idle()).session, what, title: format!("Task {n}") };
        let ask = || What::NeedsYou { request_id: "r".to_owned(), ask: "Run ls".to_owned() };
        let one = summed_up(&[news(1, ask())]).unwrap();
        assert_eq!((one.title.as_str(), one.body.as_str()), ("Task 1 needs you", "Run ls"));
        assert_eq!(one.target, Target::Session(session(1, idle()).session));
        let many: Vec<News> =
            (1..=6).map(|n| news(n, What::Finished)).chain([news(7, ask()), news(8, What::Failed)]).collect();
        let words = summed_up(&many).unwrap();
        assert_eq!(words.title, "Agents: 1 need you · 1 failed · 6 done");
        assert_eq!(words.body, "Task 7\nTask 8\nTask 1\nTask 2\nand 4 more");
        assert_eq!(words.target, Target::Session(session(7, idle()).session));
        assert_eq!(summed_up(&[news(1, ask()), news(2, ask())]).unwrap().target, Target::Requests);
        assert_eq!(summed_up(&[]), None);
    }

    #[test]
    fn a_title_cannot_hide_what_it_says() {
        let mut hostile = session(1, idle());
        hostile.title = "fine\u{202e}lived\n".to_owned();
        let news = between(&[session(1, works())], &[hostile], START);
        assert_eq!(news[0].title, "fine\\u{202e}lived\\u{a}");
    }

    #[test]
    fn quiet_hours_may_lie_over_midnight() {
        let night = Some(((22, 0), (7, 30)));
        assert!(is_quiet((23, 0), night) && is_quiet((0, 0), night) && is_quiet((7, 29), night));
        assert!(!is_quiet((7, 30), night) && !is_quiet((21, 59), night));
        let noon = Some(((12, 0), (13, 0)));
        assert!(is_quiet((12, 0), noon) && !is_quiet((13, 0), noon) && !is_quiet((12, 30), None));
        // From and until the same time: never, since a whole day is what the switches are for.
        assert!(!is_quiet((12, 0), Some(((12, 0), (12, 0)))));
    }
}
