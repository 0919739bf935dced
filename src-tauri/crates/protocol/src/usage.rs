//! What does a turn, or a session, use? Tokens, money and the context, with what is unknown left unknown.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a turn, or a session, used. Absent numbers are unknown, not zero.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Usage {
    /// Tokens sent.
    pub input_tokens: Option<u64>,
    /// Tokens received.
    pub output_tokens: Option<u64>,
    /// Tokens read from the provider's cache.
    pub cache_read_tokens: Option<u64>,
    /// Tokens written to it.
    pub cache_write_tokens: Option<u64>,
    /// US dollars.
    pub cost_usd: Option<f64>,
    /// Tokens of context in use after the turn.
    pub context_used: Option<u64>,
    /// Tokens of context that the model has.
    pub context_size: Option<u64>,
}

impl Usage {
    /// Adds a turn to a total: counts and cost add up, the context's size is the newest known.
    #[must_use]
    pub fn plus(self, turn: Usage) -> Usage {
        Usage {
            input_tokens: add(self.input_tokens, turn.input_tokens),
            output_tokens: add(self.output_tokens, turn.output_tokens),
            cache_read_tokens: add(self.cache_read_tokens, turn.cache_read_tokens),
            cache_write_tokens: add(self.cache_write_tokens, turn.cache_write_tokens),
            cost_usd: match (self.cost_usd, turn.cost_usd) {
                (None, None) => None,
                (a, b) => Some(a.unwrap_or(0.0) + b.unwrap_or(0.0)),
            },
            context_used: turn.context_used.or(self.context_used),
            context_size: turn.context_size.or(self.context_size),
        }
    }
}

fn add(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_adds_counts_and_cost_and_keeps_the_newest_context() {
        let first = Usage { input_tokens: Some(10), cost_usd: Some(0.5), context_used: Some(100), ..Usage::default() };
        let second = Usage { input_tokens: Some(5), output_tokens: Some(7), cost_usd: Some(0.25), ..Usage::default() };
        let total = first.plus(second);
        assert_eq!(total.input_tokens, Some(15));
        assert_eq!(total.output_tokens, Some(7));
        assert_eq!(total.cost_usd, Some(0.75));
        assert_eq!(total.context_used, Some(100));
        assert_eq!(total.cache_read_tokens, None, "unknown stays unknown");
    }
}
