//! Is a request for permission about one of the tools that Outrigger itself offers? Those look after themselves.
//!
//! Each provider names the tool of an MCP server in its own way. Spawning a pod is put to people like any command, and so is every
//! tool of the user's sidecars.

use protocol::runner::{PermissionAsk, ToolKind};
use protocol::tools::TOOLS_SERVER;

use crate::exchange::Verdict;

/// Tools that reach the agent's own pods only, which the ledger and the tool itself see to.
const HARMLESS: [&str; 5] = ["send_to_pod", "read_pod_output", "stop_pod", "list_pods", "wait_for_pods"];

/// What settles such a request.
pub(crate) fn own_tool(ask: &PermissionAsk) -> Option<Verdict> {
    match ask.kind {
        ToolKind::Other
        | ToolKind::Think
        | ToolKind::Read
        | ToolKind::Search
        | ToolKind::Fetch
        | ToolKind::Delegate => {}
        ToolKind::Execute | ToolKind::Edit | ToolKind::Delete | ToolKind::Move => return None,
    }
    HARMLESS.contains(&offered_name(ask)?).then_some(Verdict::OwnTool)
}

/// The name under which we offer the tool, if it is one that we offer. What the agent words itself, such as a title, is no proof.
pub(crate) fn offered_name(ask: &PermissionAsk) -> Option<&str> {
    let name = ask.tool_name.as_str();
    let name = name.strip_prefix("mcp__").or_else(|| name.strip_prefix("mcp_")).unwrap_or(name);
    let rest = name.strip_prefix(TOOLS_SERVER)?;
    ["__", "_", ": ", "/", "."].iter().find_map(|between| rest.strip_prefix(between))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(name: &str, kind: &str, title: &str) -> Option<Verdict> {
        let ask = json!({ "requestId": "r", "toolName": name, "kind": kind, "title": title });
        own_tool(&serde_json::from_value(ask).unwrap())
    }

    #[test]
    fn each_providers_name_of_our_tools_is_known() {
        for name in
            ["mcp__outrigger__list_pods", "outrigger: list_pods", "outrigger_list_pods", "mcp_outrigger_list_pods"]
        {
            assert_eq!(of(name, "other", ""), Some(Verdict::OwnTool), "{name}");
        }
    }

    #[test]
    fn spawning_and_what_only_looks_like_ours_is_put_to_people() {
        assert_eq!(of("mcp__outrigger__spawn_pod", "other", ""), None);
        assert_eq!(of("mcp__outrigger__git_status", "other", ""), None, "a tool of a sidecar");
        assert_eq!(of("mcp__outriggers__list_pods", "other", ""), None);
        assert_eq!(of("mcp__evil__outrigger_list_pods", "other", ""), None);
        assert_eq!(of("Bash", "execute", "mcp__outrigger__list_pods"), None);
        assert_eq!(of("outrigger: list_pods", "execute", ""), None);
    }
}
