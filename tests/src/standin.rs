//! The stand-in for the vendors' HTTP APIs, against which the real CLIs run in tests.
//!
//! Responsible for starting it and telling its address. What it answers is in `tests/standin/`.

use std::process::Command;

use crate::built::project;
use crate::program::Program;

/// A running stand-in. Dropping it ends it.
#[derive(Debug)]
pub struct Standin {
    _program: Program,
    port: u64,
}

impl Standin {
    /// Starts it on a free port of the loopback interface, with more arguments if any.
    ///
    /// # Panics
    /// When it does not tell its port.
    #[must_use]
    pub fn start(args: &[&str]) -> Self {
        let mut command = Command::new("node");
        command.arg(project().join("tests/standin/standin.mjs")).args(["--port", "0"]).args(args);
        let mut program = Program::start(command);
        let said = program.wait_for("the line with its port", |line| line["port"].is_u64());
        Self { port: said["port"].as_u64().unwrap_or_default(), _program: program }
    }

    /// Its address, e.g. `http://127.0.0.1:41234`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
