//! Which of the few failures that a host acts on is this?
//!
//! Providers report the same trouble in many forms (HTTP status, error type, a sentence); the host and its interface act on a small
//! set of codes only.

use crate::told::Failure;

/// Sentences that say more than a status does, in lower case; the first that fits wins.
const SENTENCES: [(&str, &[&str]); 6] = [
    (
        "context_exceeded",
        &[
            "prompt is too long",
            "contextwindow",
            "context window",
            "context_window",
            "context-window",
            "context length",
            "context_length",
            "too many tokens",
        ],
    ),
    (
        "usage_limit",
        &["usage limit", "limit reached", "quota", "credit balance", "out of credits", "usagelimitexceeded"],
    ),
    (
        "auth",
        &[
            "not logged in",
            "login",
            "log in",
            "invalid api key",
            "authentication",
            "unauthorized",
            "unauthorised",
            "missing environment variable",
            "api key",
        ],
    ),
    ("overloaded", &["overloaded", "at capacity", "high demand"]),
    ("rate_limited", &["rate limit", "rate_limit", "rate-limit", "ratelimit", "too many requests"]),
    (
        "network",
        &[
            "connection",
            "network",
            "econn",
            "enotfound",
            "etimedout",
            "fetch failed",
            "disconnected",
            "stream closed",
            "error sending request",
        ],
    ),
];

/// What to tell: `hints` is everything that was said about it, `message` what people read.
pub(crate) fn provider_failure(status: Option<u64>, hints: &str, message: String) -> Failure {
    let hints = hints.to_lowercase();
    let code = code(status.unwrap_or(0), &hints);
    let passes = matches!(code, "rate_limited" | "overloaded" | "network");
    let retryable = passes || (code == "api_error" && status.is_some_and(|status| status >= 500));
    let retry_after_ms = if retryable { waiting_time(&hints) } else { None };
    Failure { retryable, retry_after_ms, ..Failure::lasting(code, message) }
}

fn code(status: u64, hints: &str) -> &'static str {
    let fits = |words: &&[&str]| words.iter().any(|word| hints.contains(word));
    let said = SENTENCES.iter().find(|(_, words)| fits(words)).map(|(code, _)| *code);
    match (said, status) {
        (Some(code @ ("context_exceeded" | "usage_limit")), _) => code,
        (_, 401 | 403) => "auth",
        (_, 429) => "rate_limited",
        (_, 503 | 529) => "overloaded",
        (_, 400..) => "api_error",
        (said, _) => said.unwrap_or("api_error"),
    }
}

/// How long the provider asks to wait, in milliseconds: "try again in 1.5s", "retry after 20 seconds". `text` is in lower case.
fn waiting_time(text: &str) -> Option<u64> {
    let words = ["try again in", "try again after", "retry after", "retry in", "retrying in", "retry-after"];
    let (at, word) = words.iter().find_map(|word| text.find(word).map(|at| (at, word)))?;
    let rest = text.get(at + word.len()..)?.trim_start_matches([':', ' ']);
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, unit) = rest.split_at(end);
    let unit = unit.trim_start();
    let factor = match unit {
        _ if unit.starts_with("ms") || unit.starts_with("milli") => 1.0,
        _ if unit.starts_with('s') => 1000.0,
        _ if unit.starts_with('m') => 60_000.0,
        _ if unit.starts_with('h') => 3_600_000.0,
        _ => return None,
    };
    let wait = (number.parse::<f64>().ok()? * factor).ceil();
    // Whole and not negative; longer than a year is no waiting time.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the limits of the line above")]
    (wait < 3.2e10).then_some(wait as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_in_many_words_has_one_code() {
        for (status, text, code, retryable) in [
            (Some(401), "Invalid API key · Please run /login", "auth", false),
            (None, "Please log in", "auth", false),
            (Some(429), "slow down", "rate_limited", true),
            (Some(429), "Your credit balance is too low", "usage_limit", false),
            (Some(529), "overloaded_error", "overloaded", true),
            (Some(500), "internal", "api_error", true),
            (Some(400), "stand-in: bad request", "api_error", false),
            (Some(400), "prompt is too long: 250000 tokens", "context_exceeded", false),
            (None, "ECONNREFUSED 127.0.0.1", "network", true),
            (None, "something else", "api_error", false),
        ] {
            let told = provider_failure(status, text, text.to_owned());
            assert_eq!((told.code, told.retryable), (code, retryable), "{text}");
        }
    }

    #[test]
    fn waiting_times_are_read_where_they_are_said() {
        for (text, wait) in [
            ("try again in 1.5s", Some(1500)),
            ("retry after 20 seconds", Some(20_000)),
            ("retry-after: 2m", Some(120_000)),
            ("retrying in 250ms", Some(250)),
            ("try again in a while", None),
            ("try again in 5 fortnights", None),
            ("no hint", None),
        ] {
            assert_eq!(waiting_time(text), wait, "{text}");
        }
    }
}
