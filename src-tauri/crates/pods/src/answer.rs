//! What goes wrong in a call, in words for the model that made it.

use protocol::error::{ErrorCode, WireError};

use crate::definitions::definitions;

/// Why a call came to nothing.
#[derive(Debug)]
pub(crate) struct Failed {
    words: String,
}

impl Failed {
    pub(crate) fn new(words: impl Into<String>) -> Self {
        Self { words: words.into() }
    }

    pub(crate) fn unknown_tool(name: &str) -> Self {
        let names: Vec<String> = definitions().into_iter().map(|tool| tool.name).collect();
        Self::new(format!("there is no tool `{name}`; there are {}", names.join(", ")))
    }

    /// What a pod or its start has said, with the end of its stderr where there is one.
    pub(crate) fn of(attempt: &str, error: WireError) -> Self {
        let mut words = format!("{attempt}: {}", error.message);
        if let Some(detail) = error.detail {
            words.push('\n');
            words.push_str(&detail);
        }
        Self { words }
    }

    pub(crate) fn words(self) -> String {
        self.words
    }
}

impl From<WireError> for Failed {
    fn from(error: WireError) -> Self {
        match error.code {
            // The limits and scopes say themselves what was asked for.
            ErrorCode::BudgetUsed | ErrorCode::ScopeRefused => Self::new(error.message),
            _ => Self::of("failed", error),
        }
    }
}
