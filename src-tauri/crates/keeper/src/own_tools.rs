//! Is a request for permission about one of the tools that Outrigger itself offers? Those look after themselves.
//!
//! Each provider names the tool of an MCP server in its own way. Spawning a pod is put to people like any command.

use protocol::runner::{PermissionAsk, ToolKind};
use protocol::tools::TOOLS_SERVER;

use crate::exchange::Verdict;

/// Tools that reach the agent's own pods only, which the ledger and the tool itself see to.
const HARMLESS: [&str; 5] = ["send_to_pod", "read_pod_output", "stop_pod", "list_pods", "wait_for_pods"];

/// What settles such a request.
pub(crate) fn own_tool(ask: &PermissionAsk) -> Option<Verdict> {
    let tool = name(ask)?;
    HARMLESS.contains(&tool).then_some(Verdict::OwnTool)
}

/// The tool's own name, if it is one of ours. What the agent words itself, such as a title, is no proof.
fn name(ask: &PermissionAsk) -> Option<&str> {
    match ask.kind {
        ToolKind::Other
        | ToolKind::Think
        | ToolKind::Read
        | ToolKind::Search
        | ToolKind::Fetch
        | ToolKind::Delegate => {}
        ToolKind::Execute | ToolKind::Edit | ToolKind::Delete | ToolKind::Move => return None,
    }
    let name = ask.tool_name.as_str();
    let name = name.strip_prefix("mcp__").unwrap_or(name);
    let rest = name.strip_prefix(TOOLS_SERVER)?;
    ["__", "_", ": ", "/", "."].iter().find_map(|between| rest.strip_prefix(between))
}
