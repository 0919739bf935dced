//! Who answers a permission request: the same answer always, the user on the terminal, or nobody?

use std::collections::VecDeque;
use std::io::{BufRead, IsTerminal};

use protocol::item::Permission;
use protocol::pod::AnswerParams;
use protocol::record::PermissionOutcome;
use tokio::sync::mpsc;

use crate::item_text;
use crate::output::{to_stderr, words_to_stderr};
use crate::run_options::Policy;
use crate::style::Palette;

/// An answer that was decided on.
pub(crate) struct Decision {
    pub(crate) params: AnswerParams,
}

/// See the module. Requests are put to the user one after the other.
pub(crate) struct Answers {
    policy: Policy,
    palette: Palette,
    open: VecDeque<Permission>,
    decided: VecDeque<Decision>,
    /// Lines that the user types, read by a thread that begins with the first request.
    lines: Option<mpsc::UnboundedReceiver<String>>,
}

impl Answers {
    pub(crate) fn new(policy: Policy) -> Self {
        let (open, decided) = (VecDeque::new(), VecDeque::new());
        Self { policy, palette: Palette::of_stdout(), open, decided, lines: None }
    }

    /// Takes a request. False when nobody can answer it.
    pub(crate) fn ask(&mut self, permission: &Permission) -> bool {
        let known = |open: &Permission| open.request_id == permission.request_id;
        match self.policy {
            Policy::Allow => self.by_policy(permission, PermissionOutcome::Allow),
            Policy::Deny => self.by_policy(permission, PermissionOutcome::Deny),
            Policy::Ask if !std::io::stdin().is_terminal() => return false,
            Policy::Ask if self.open.iter().any(known) => {}
            Policy::Ask => {
                self.open.push_back(permission.clone());
                if self.open.len() == 1 {
                    self.put();
                }
            }
        }
        true
    }

    /// A request was answered by somebody, or withdrawn.
    pub(crate) fn settled(&mut self, request_id: &str) {
        let was_asked = self.open.front().is_some_and(|open| open.request_id == request_id);
        self.open.retain(|open| open.request_id != request_id);
        if was_asked {
            to_stderr("");
            self.put();
        }
    }

    /// The next decision; waits until there is one.
    pub(crate) async fn decided(&mut self) -> Decision {
        loop {
            if let Some(decision) = self.decided.pop_front() {
                return decision;
            }
            let Some(lines) = &mut self.lines else { return std::future::pending().await };
            match lines.recv().await {
                Some(line) => self.typed(&line),
                // The terminal is gone; SIGHUP, or another client, decides.
                None => self.lines = None,
            }
        }
    }

    fn by_policy(&mut self, permission: &Permission, outcome: PermissionOutcome) {
        self.decide(permission.request_id.clone(), outcome, None, Some("policy".to_owned()));
    }

    fn decide(&mut self, request_id: String, outcome: PermissionOutcome, message: Option<String>, by: Option<String>) {
        self.decided.push_back(Decision {
            params: AnswerParams { request_id, outcome, updated_input: None, message, by, always: None },
        });
    }

    fn put(&mut self) {
        let Some(permission) = self.open.front() else { return };
        let question = item_text::permission_asks(permission, &self.palette);
        words_to_stderr(&format!(
            "{question}  [a]llow, a[l]ways, [d]eny (d with a word to the agent: d not that file): "
        ));
        if self.lines.is_none() {
            self.lines = Some(read_lines());
        }
    }

    fn typed(&mut self, line: &str) {
        let Some(request_id) = self.open.front().map(|open| open.request_id.clone()) else { return };
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let message = Some(rest.trim().to_owned()).filter(|message| !message.is_empty());
        let outcome = match word.to_ascii_lowercase().as_str() {
            "a" | "allow" | "y" | "yes" => PermissionOutcome::Allow,
            "l" | "always" => PermissionOutcome::AllowAlways,
            "d" | "deny" | "n" | "no" => PermissionOutcome::Deny,
            _ => {
                words_to_stderr("  Please type a, l or d: ");
                return;
            }
        };
        self.decide(request_id, outcome, message, None);
        self.open.pop_front();
        self.put();
    }
}

/// The read cannot be given up, so it has a thread of its own that ends with the process.
fn read_lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
