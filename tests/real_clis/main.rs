//! The real CLIs through `outrigger`, against a stand-in of their vendors' APIs: the same scenarios for each, and what is particular.
//!
//! `scenarios.rs` has the columns of the table, `drivers.rs` its rows; every row goes through every column. `claude` and `codex` run
//! always, the others with `./dev test --clis all`, see `pins.mjs`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod drivers;
mod scenarios;
mod servers;
mod stage;
mod table;

/// A module of tests for each row, with a test for each column.
macro_rules! rows {
    ($($(#[$when:meta])* $row:ident = $driver:ident;)*) => {
        $(mod $row { rows!(@columns [$(#[$when])*] $driver
            text_and_thinking
            an_allowed_tool_writes_its_file
            a_denied_tool_writes_nothing
            an_api_error_is_told
            a_rate_limit_is_told
            a_second_turn_in_the_same_process
            a_message_in_mid_turn_is_taken_or_waits
            an_interrupt_keeps_the_session
            a_resume_in_a_new_process
            an_mcp_tool_is_called
        ); })*
    };
    (@columns $when:tt $driver:ident $($scenario:ident)*) => { $(rows!(@test $when $driver $scenario);)* };
    (@test [$($when:tt)*] $driver:ident $scenario:ident) => {
        #[test]
        $($when)*
        fn $scenario() { crate::scenarios::$scenario(&crate::drivers::$driver); }
    };
}

mod a_death_loses_no_conversation;
mod account;
mod codex_older;
mod direct;
mod earlier;
mod opencode;
mod pods;
mod profiles;
mod recording;
mod sidecars;
mod templates;

mod each {
    rows! {
        claude = CLAUDE;
        claude_direct = CLAUDE_DIRECT;
        codex = CODEX;
        #[ignore = "only with ./dev test --clis all"] codex_older = CODEX_OLDER;
        #[ignore = "only with ./dev test --clis all"] opencode = OPENCODE;
        #[ignore = "only with ./dev test --clis all"] gemini = GEMINI;
        #[ignore = "only with ./dev test --clis all"] qwen = QWEN;
        #[ignore = "only with ./dev test --clis all"] claude_acp = CLAUDE_ACP;
        #[ignore = "only with ./dev test --clis all"] codex_acp = CODEX_ACP;
    }
}
