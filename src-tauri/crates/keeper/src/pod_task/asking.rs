//! What the disk says of a request for permission: where the files lead that it names, and which rule of the workspace allows it.

use std::path::Path;

use permissions::WorkspaceRules;
use protocol::permission::PermissionRule;
use protocol::record::{HostRecord, NoticeLevel};
use protocol::runner::{PermissionAsk, RunnerLine};

use super::PodTask;
use crate::exchange::{Input, Verdict};
use crate::own_tools::{offered_name, own_tool};

impl PodTask {
    /// A request with all that decides about it; any other input as it is.
    pub(super) fn looked_up(&self, input: Input) -> Input {
        let Input::Line(RunnerLine::PermissionRequest(mut ask)) = input else { return input };
        let cwd = Path::new(&self.order.start.cwd);
        let verdict = self.holding.refusal(&ask, cwd).map(Verdict::PastScope).or_else(|| own_tool(&ask));
        ask.sidecar = self.sidecar_of(&ask);
        let about = permissions::subject(&ask, cwd);
        let rules = self.workspace_rules();
        let rule = about.as_ref().and_then(|about| rules?.find(&self.meta.workspace, &ask.tool_name, about));
        Input::Permission { ask, about, rule, verdict }
    }

    fn sidecar_of(&self, ask: &PermissionAsk) -> Option<String> {
        self.tools.as_ref()?.sidecars.as_ref()?.whose(offered_name(ask)?)
    }

    pub(super) fn keep_rule(&mut self, rule: &PermissionRule) {
        let Some(rules) = self.workspace_rules() else { return };
        if let Err(error) = rules.add(&self.meta.workspace, rule) {
            let text = format!("The rule could not be kept, so it did not take effect: {error}.");
            let code = "rule_not_kept".to_owned();
            self.record(&HostRecord::Notice { level: NoticeLevel::Warning, code, text });
        }
    }

    fn workspace_rules(&self) -> Option<WorkspaceRules> {
        self.order.workspace_rules.as_ref().map(WorkspaceRules::at)
    }
}
