//! Which of Outrigger's own words says what a provider calls a failure? The words are those of a runner's `agent_error`, so that a
//! failure is classed alike whoever reports it.

/// The word for claude's kind of an API error and its HTTP status; either may be missing. What is not known keeps its own name.
pub(crate) fn claude(kind: &str, status: Option<u64>) -> &str {
    match kind {
        "rate_limit" | "rate_limit_error" => "rate_limited",
        "overloaded" | "overloaded_error" => "overloaded",
        "authentication_failed" | "authentication_error" | "oauth_org_not_allowed" | "permission_error" => "auth",
        "billing_error" | "usage_limit" | "usage_limit_error" => "usage_limit",
        "prompt_too_long" | "context_window_exceeded" | "request_too_large" => "context_exceeded",
        "connection_error" | "network_error" | "timeout" | "timeout_error" => "network",
        _ => of_status(status).unwrap_or(kind),
    }
}

/// The word for codex's kind of an error and its HTTP status.
pub(crate) fn codex(kind: &str, status: Option<u64>) -> &str {
    match kind {
        "serverOverloaded" | "flexUnavailable" => "overloaded",
        "rateLimitExceeded" => "rate_limited",
        "usageLimitExceeded" | "sessionBudgetExceeded" => "usage_limit",
        "contextWindowExceeded" => "context_exceeded",
        "unauthorized" => "auth",
        // Its own transports say how it spoke to the provider; what the provider answered is in the status.
        "httpConnectionFailed" | "responseStreamConnectionFailed" | "responseStreamDisconnected" => {
            of_status(status).unwrap_or("network")
        }
        _ => of_status(status).unwrap_or(kind),
    }
}

fn of_status(status: Option<u64>) -> Option<&'static str> {
    match status? {
        401 | 403 => Some("auth"),
        408 => Some("network"),
        429 => Some("rate_limited"),
        503 | 529 => Some("overloaded"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use protocol::failure::FailureClass;

    use super::*;

    #[test]
    fn what_the_providers_say_has_one_class() {
        for (kind, status, class) in [
            ("rate_limit_error", None, FailureClass::RateLimited),
            ("unknown", Some(529), FailureClass::Overloaded),
            ("authentication_failed", Some(401), FailureClass::Auth),
            ("billing_error", Some(400), FailureClass::UsageLimit),
            ("server_error", Some(500), FailureClass::Unknown),
        ] {
            assert_eq!(FailureClass::of(claude(kind, status)), class, "claude: {kind} {status:?}");
        }
        for (kind, status, class) in [
            ("serverOverloaded", None, FailureClass::Overloaded),
            ("responseTooManyFailedAttempts", Some(429), FailureClass::RateLimited),
            ("responseStreamDisconnected", None, FailureClass::Network),
            ("httpConnectionFailed", Some(401), FailureClass::Auth),
            ("contextWindowExceeded", None, FailureClass::ContextExceeded),
            ("other", None, FailureClass::Unknown),
        ] {
            assert_eq!(FailureClass::of(codex(kind, status)), class, "codex: {kind} {status:?}");
        }
    }
}
