// Which of a session's MCP servers is Outrigger's own, and how long is it waited for?
//
// It offers the pod tools and those of the sidecars, and keeps their time limits itself, so that a call can take as long as it says.
// CLIs give up far earlier unless they are told.

/** Until its tools are listed, in milliseconds: programs that offer some of them may just be starting. */
export const OWN_START_MS = 60_000;
/** One call, in milliseconds: more than the longest that may be asked for. */
export const OWN_CALL_MS = 25 * 60 * 60 * 1000;

/**
 * It is known by the variable that names its keeper's socket; a server of the user's may have its name.
 * @param {Record<string, any>} server its settings
 */
export const isOwnServer = (server) => server.env?.OUTRIGGER_TOOLS_SOCKET !== undefined;
