//! What does a test have to know of each provider? One driver for each row of the table; that a CLI cannot do something stands here
//! with its reason.

use std::time::Duration;

use outrigger_tests::DEADLINE;

/// A real CLI, the way in which Outrigger drives it, and in what that differs from the others.
#[derive(Debug)]
pub(crate) struct Driver {
    /// Its row in the table; also what is installed, see `stage.rs`.
    pub(crate) name: &'static str,
    pub(crate) mid_turn: MidTurn,
    pub(crate) rate_limit: RateLimit,
    /// The longest that a test waits for one thing.
    pub(crate) patience: Duration,
}

/// What becomes of a message into the running turn.
#[derive(Debug)]
pub(crate) enum MidTurn {
    /// The turn takes it.
    Steers,
    /// It waits for the turn's end and is a turn of its own.
    Queues,
}

/// What is to be seen of a vendor that takes no more requests.
#[derive(Debug)]
pub(crate) enum RateLimit {
    /// The turn ends with an error that says so.
    EndsTheTurn,
    /// It tries again without an end, and says so.
    ToldWhileItTriesAgain,
    /// Nothing; why.
    Untold(&'static str),
}

impl Driver {
    const fn new(name: &'static str) -> Self {
        Self { name, mid_turn: MidTurn::Steers, rate_limit: RateLimit::EndsTheTurn, patience: DEADLINE }
    }
}

/// Like most.
pub(crate) static CLAUDE: Driver = Driver::new("claude");
/// `claude` once more, without a runner.
pub(crate) static CLAUDE_DIRECT: Driver = Driver::new("claude-direct");
/// Like most.
pub(crate) static CODEX: Driver = Driver::new("codex");
/// A release of months ago.
pub(crate) static CODEX_OLDER: Driver = Driver::new("codex-older");
/// Over its own server, which starts slowly.
pub(crate) static OPENCODE: Driver = Driver {
    rate_limit: RateLimit::ToldWhileItTriesAgain,
    patience: DEADLINE.saturating_mul(2),
    ..Driver::new("opencode")
};
/// Opened again, a conversation may have to wait for the next minute.
pub(crate) static GEMINI: Driver =
    Driver { mid_turn: MidTurn::Queues, patience: DEADLINE.saturating_mul(2), ..Driver::new("gemini") };
/// Over ACP; it starts slowly.
pub(crate) static QWEN: Driver = Driver {
    mid_turn: MidTurn::Queues,
    rate_limit: RateLimit::Untold("it tries again without an end and says nothing"),
    patience: DEADLINE.saturating_mul(2),
    ..Driver::new("qwen")
};
/// `claude` once more, over ACP.
pub(crate) static CLAUDE_ACP: Driver = Driver::new("claude-acp");
/// `codex` once more, over ACP.
pub(crate) static CODEX_ACP: Driver = Driver::new("codex-acp");
