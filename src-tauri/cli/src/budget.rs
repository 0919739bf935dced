//! `outrigger budget`: shows and changes what a session and all pods below it may use; and how a budget is said: `KEY=VALUE`.

use anyhow::Result;
use clap::Args;
use client::pods;
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::scope::{Budget, BudgetUse, TreeEntry};
use serde::Serialize;

use crate::exit::Exit;
use crate::{home, output};

/// What `--help` says of the keys.
pub(crate) const KEYS: &str = "\
Keys: depth (generations of pods below it), children (live ones of any one pod), pods (live ones in all), spawns (ever),
spawns-per-minute, turns, cost (US dollars), time (90, 90s, 10m or 2h). The value `none` takes a limit off.";

/// The arguments of `outrigger budget`.
#[derive(Debug, Args)]
pub(crate) struct BudgetOptions {
    /// The session; a beginning of its id will do
    id: String,
    /// Limits to change; without any, the budget is shown
    #[arg(value_name = "KEY=VALUE", value_parser = limit)]
    limits: Vec<Limit>,
    /// One JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// One limit, as it is said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Limit {
    Depth(Option<u32>),
    Children(Option<u32>),
    Pods(Option<u32>),
    Spawns(Option<u32>),
    SpawnsPerMinute(Option<u32>),
    Turns(Option<u64>),
    Cost(Option<f64>),
    Time(Option<u64>),
}

/// See the module.
pub(crate) async fn budget(options: BudgetOptions) -> Result<Exit> {
    let machine = home::for_looking()?;
    let session = home::session(&machine, &options.id)?;
    if !options.limits.is_empty() {
        let limits = options.limits;
        pods::set_budget(&machine, session, move |budget| with(budget, &limits)).await?;
    }
    let entries = pods::tree(&machine, session).await?;
    let entry = entries.into_iter().find(|entry| entry.session == session);
    let unknown = || {
        let message =
            format!("session {session} is in no pod tree; it has a budget while it lives, and for a month after");
        WireError::new(ErrorCode::NoSuchSession, message)
    };
    tell(&entry.ok_or_else(unknown)?, options.json);
    Ok(Exit::Done)
}

/// The budget with these limits in place of its own.
pub(crate) fn with(budget: Budget, limits: &[Limit]) -> Budget {
    limits.iter().fold(budget, |mut budget, limit| {
        match limit {
            Limit::Depth(most) => budget.depth = *most,
            Limit::Children(most) => budget.children = *most,
            Limit::Pods(most) => budget.pods = *most,
            Limit::Spawns(most) => budget.spawns = *most,
            Limit::SpawnsPerMinute(most) => budget.spawns_per_minute = *most,
            Limit::Turns(most) => budget.turns = *most,
            Limit::Cost(most) => budget.cost_usd = *most,
            Limit::Time(most) => budget.wall_seconds = *most,
        }
        budget
    })
}

/// Reads `KEY=VALUE`.
pub(crate) fn limit(text: &str) -> Result<Limit, String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    let value = Some(value).filter(|value| *value != "none");
    let count = |value: Option<&str>| value.map(whole::<u32>).transpose();
    Ok(match key {
        "depth" => Limit::Depth(count(value)?),
        "children" => Limit::Children(count(value)?),
        "pods" => Limit::Pods(count(value)?),
        "spawns" => Limit::Spawns(count(value)?),
        "spawns-per-minute" => Limit::SpawnsPerMinute(count(value)?),
        "turns" => Limit::Turns(value.map(whole::<u64>).transpose()?),
        "cost" => Limit::Cost(value.map(dollars).transpose()?),
        "time" => Limit::Time(value.map(seconds).transpose()?),
        other => {
            let keys = "depth, children, pods, spawns, spawns-per-minute, turns, cost and time";
            return Err(format!("there is no limit `{other}`; there are {keys}"));
        }
    })
}

fn whole<T: std::str::FromStr>(value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{value}` is no whole number, nor `none`"))
}

fn dollars(value: &str) -> Result<f64, String> {
    let amount: Option<f64> = value.trim_start_matches('$').parse().ok();
    amount
        .filter(|amount| amount.is_finite() && *amount >= 0.0)
        .ok_or_else(|| format!("`{value}` is no amount of dollars"))
}

fn seconds(value: &str) -> Result<u64, String> {
    let (number, unit) = match value.char_indices().last() {
        Some((at, 's')) => (&value[..at], 1),
        Some((at, 'm')) => (&value[..at], 60),
        Some((at, 'h')) => (&value[..at], 3600),
        Some(_) | None => (value, 1),
    };
    whole::<u64>(number)
        .map(|number| number.saturating_mul(unit))
        .map_err(|_| format!("`{value}` is no time; say 90s, 10m or 2h"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    session: SessionId,
    budget: &'a Option<Budget>,
    used: &'a BudgetUse,
}

fn tell(entry: &TreeEntry, json: bool) {
    if json {
        return output::json(&Told { session: entry.session, budget: &entry.budget, used: &entry.used });
    }
    for (what, used, most) in rows(entry.budget.as_ref().unwrap_or(&Budget::default()), &entry.used) {
        let most = most.map_or_else(|| "no limit".to_owned(), |most| format!("of {most}"));
        output::line(&format!("{what:<18} {used:>8}  {most}"));
    }
}

/// Each limit with what is used of it.
fn rows(budget: &Budget, used: &BudgetUse) -> [(&'static str, String, Option<String>); 8] {
    let count = |limit: Option<u32>| limit.map(|limit| limit.to_string());
    let money = |amount: f64| format!("${amount:.2}");
    let time = |seconds: u64| format!("{seconds} s");
    [
        ("depth", used.depth.to_string(), count(budget.depth)),
        ("children", used.children.to_string(), count(budget.children)),
        ("pods", used.pods.to_string(), count(budget.pods)),
        ("spawns", used.spawns.to_string(), count(budget.spawns)),
        ("spawns-per-minute", used.spawns_last_minute.to_string(), count(budget.spawns_per_minute)),
        ("turns", used.turns.to_string(), budget.turns.map(|turns| turns.to_string())),
        ("cost", money(used.cost_usd), budget.cost_usd.map(money)),
        ("time", time(used.wall_seconds), budget.wall_seconds.map(time)),
    ]
}

/// The limits that a person set, in a few words: `turns 3/10, cost $0.12/$1.00`. The usual limits of any tree are no news.
pub(crate) fn in_words(entry: &TreeEntry) -> String {
    let Some(budget) = &entry.budget else { return String::new() };
    let usual = rows(&scopes::default_budget(), &entry.used);
    let own = rows(budget, &entry.used).into_iter().zip(usual).filter(|((.., most), (.., usual))| most != usual);
    let words = own.map(|((what, used, most), _)| format!("{what} {used}/{}", most.unwrap_or_else(|| "∞".to_owned())));
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_said_in_words() {
        assert_eq!(limit("turns=5"), Ok(Limit::Turns(Some(5))));
        assert_eq!(limit("cost=$0.50"), Ok(Limit::Cost(Some(0.5))));
        assert_eq!(limit("time=10m"), Ok(Limit::Time(Some(600))));
        assert_eq!(limit("time=90"), Ok(Limit::Time(Some(90))));
        assert_eq!(limit("pods=none"), Ok(Limit::Pods(None)));
        for wrong in ["turns", "turns=", "turns=-1", "turn=5", "cost=NaN", "cost=-1", "time=1d", "depth=1.5"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_said_stays() {
        let budget = with(scopes::default_budget(), &[Limit::Turns(Some(5)), Limit::Depth(None)]);
        assert_eq!((budget.turns, budget.depth), (Some(5), None));
        assert_eq!(budget.children, scopes::default_budget().children);
    }
}
