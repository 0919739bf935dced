//! What is said to the runner, and when: a query only when the budgets leave a turn for it, the rest behind it.

use std::collections::BTreeMap;
use std::path::Path;

use protocol::attachment::Attachment;
use protocol::pod::IfBusy;
use protocol::programs;
use protocol::runner::{HostLine, Query, ResumeMode};
use protocol::tools::{TOOLS_SERVER, TOOLS_SOCKET_VARIABLE, TOOLS_TOKEN_VARIABLE};
use serde_json::{Value, json};

use super::PodTask;
use crate::exchange::{Ask, Input, Prompt};
use crate::sidecars::Sidecars;
use crate::turn_gate::Pass;
use crate::waiting::Ticket;

/// How the agent's bridge reaches the tools.
pub(crate) struct ToolsDoor {
    pub(crate) socket: String,
    pub(crate) token: String,
    /// Those of the tools that the user's sidecars offer.
    pub(crate) sidecars: Option<Sidecars>,
}

impl PodTask {
    pub(super) fn tell(&mut self, line: HostLine) {
        match self.gate.line(line) {
            Pass::Now(line) => self.send(&line),
            Pass::Waits => {}
        }
    }

    fn send(&self, line: &HostLine) {
        match &self.stdin {
            Some(stdin) => stdin.send(line),
            None => tracing::debug!("a line for the runner came after its stdin was closed"),
        }
    }

    pub(super) fn first_prompt(&mut self) {
        if let Some(text) = self.order.start.prompt.take() {
            let attached = std::mem::take(&mut self.attached);
            let prompt = Prompt { text, attached, if_busy: IfBusy::Reject, from: self.first_from.take() };
            self.step(Input::Asked(Ticket(0), Ask::Prompt(prompt)));
        } else {
            self.publish(None);
        }
    }

    /// A prompt that was sent before, and came to nothing, is no further turn.
    pub(super) fn ask_for_turn(&mut self, prompt: String, attachments: Vec<Attachment>, again: bool) {
        if again {
            self.query(prompt, attachments);
            return;
        }
        self.gate.close(prompt, attachments);
        self.beside.begin_turn(&self.tree, true);
    }

    /// The budgets leave a turn: what waited for that goes to the runner.
    pub(super) fn turn_allowed(&mut self) {
        let Some(held) = self.gate.open() else { return };
        self.query(held.prompt, held.attachments);
        for line in held.behind {
            self.send(&line);
        }
    }

    /// The user's servers, and ours where the agent takes any. One of the user's of the same name stays the user's.
    fn mcp_servers(&self) -> BTreeMap<String, Value> {
        let mut servers = self.order.start.mcp_servers.clone();
        if let (true, Some(door), Some(program)) = (self.pod.facts().capabilities.mcp, &self.tools, &self.order.program)
        {
            let env = json!({ TOOLS_SOCKET_VARIABLE: door.socket, TOOLS_TOKEN_VARIABLE: door.token });
            let program = programs::keeper(Path::new(program));
            let ours = || json!({ "type": "stdio", "command": program, "args": ["mcp"], "env": env });
            servers.entry(TOOLS_SERVER.to_owned()).or_insert_with(ours);
        }
        servers
    }

    /// The first query carries the session's settings, the later ones only what can change.
    fn query(&mut self, prompt: String, attachments: Vec<Attachment>) {
        let first = std::mem::replace(&mut self.first_query, false);
        let start = &self.order.start;
        let facts = self.pod.facts();
        let resume_id = first.then(|| start.resume_session_id.clone()).flatten();
        let query = Query {
            session_id: self.order.session,
            prompt,
            attachments,
            cwd: start.cwd.clone(),
            model: facts.model.clone(),
            system_prompt: start.system_prompt.clone(),
            max_turns: start.max_turns,
            permission_mode: facts.permission_mode,
            additional_directories: start.additional_directories.clone(),
            worktree_name: start.worktree_name.clone(),
            config_dir: start.config_dir.clone(),
            resume_mode: if first { start.resume_mode } else { ResumeMode::New },
            resume_session_id: resume_id,
            mcp_servers: self.mcp_servers(),
            cli: self.order.cli.clone(),
            cli_version: self.order.cli_version.clone(),
            provider_config: start.provider_config.clone(),
            state_dir: Some(self.order.state_dir()),
            confined: self.holding.by_kernel(),
        };
        self.send(&HostLine::Query(Box::new(query)));
    }
}
