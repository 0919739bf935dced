// In what do ACP agents differ from the protocol, or from each other where it leaves them free? Data only; measured with the
// versions that the manifests name as tested. An agent that is not here is taken to follow the protocol.

/**
 * @typedef {object} Quirks
 * @property {string} name for people
 * @property {Record<string, string>} [env] variables that it needs
 * @property {Record<string, string>} [mcpEnv] variables that it needs when MCP servers are passed to it
 * @property {string[]} [sandboxVariables] variables by which a user may have chosen a sandbox of its own
 * @property {string} [keepsSandbox] a sandbox of its own that nothing turns off while it asks for permissions, and that may not come
 *   up within a scope that the kernel enforces; what to use there
 * @property {boolean} [clientFiles] whether it may be told that this client reads and writes files for it; it may unless this is false
 * @property {'steers' | 'queues' | 'cancels' | 'fails'} [secondPrompt] what a prompt in mid-turn does. Only one that steers is sent
 *   then; in every other case it waits here for the end of the turn
 * @property {Partial<Record<PermissionMode, string>>} [modes] its mode for each of ours; guessed from the names of its modes where
 *   nothing is said
 * @property {string} [directoryFlag] an argument that gives it one more directory, for agents that do not take them over the protocol
 * @property {Failure} [failure] how it marks a turn that failed and that it tells as one that ended well
 * @property {boolean} [usageInChunks] it tells its tokens with chunks of text, one count for each call of the model
 * @property {boolean} [cachedIsInput] its input tokens include those that came from a cache
 * @property {boolean} [costOverLoads] the cost that it tells goes on counting when a conversation is loaded again
 * @property {string} [replayEnds] the update that follows when it has told an earlier conversation again, which it may do after its
 *   answer to session/load
 * @property {boolean} [loadNeedsNextMinute] it names the file of a conversation by the minute, and destroys one that is loaded in the
 *   minute in which it began
 * @property {boolean} [ignoresEnd] it may go on after the end of its stdin, or takes seconds to go; SIGTERM ends it in good order
 * @property {boolean} [commandsOutliveCancel] a command that runs when a turn is cancelled runs on
 * @property {string} [nameEndsAt] its ids of calls begin with the tool's name, up to this; it does not tell the name otherwise
 * @property {string} [refused] it is not driven over ACP; why, and what to use
 */
/** @typedef {'ask' | 'acceptEdits' | 'plan' | 'bypass'} PermissionMode */
/** @typedef {{ path: string[], is: string }} Failure a value within an update, and where it is */

/** By the name that a manifest gives as `providerConfig.agent`. @type {Record<string, Quirks>} */
export const QUIRKS = {
  gemini: {
    name: 'Gemini CLI',
    // Without it gemini starts itself once more, ignores signals during a tool and cuts its output off at its end.
    env: { GEMINI_CLI_NO_RELAUNCH: 'true' },
    sandboxVariables: ['GEMINI_SANDBOX'],
    // Told that the client has files, it can write no new ones.
    clientFiles: false,
    secondPrompt: 'cancels',
    modes: { ask: 'default', acceptEdits: 'autoEdit', plan: 'plan', bypass: 'yolo' },
    directoryFlag: '--include-directories',
    nameEndsAt: '__',
    cachedIsInput: true,
    replayEnds: 'available_commands_update',
    loadNeedsNextMinute: true,
    // Once an MCP server was started, the end of stdin does not end it.
    ignoresEnd: true,
  },
  qwen: {
    name: 'Qwen Code',
    // Without it the first prompt does not wait for the servers, and is answered without their tools.
    mcpEnv: { QWEN_CODE_LEGACY_MCP_BLOCKING: '1' },
    sandboxVariables: ['GEMINI_SANDBOX', 'QWEN_SANDBOX'],
    secondPrompt: 'fails',
    // Its own default, `auto`, lets a model decide what is asked about.
    modes: { ask: 'default', acceptEdits: 'auto-edit', plan: 'plan', bypass: 'yolo' },
    directoryFlag: '--include-directories',
    usageInChunks: true,
    cachedIsInput: true,
  },
  'claude-acp': {
    name: 'Claude Agent (ACP)',
    secondPrompt: 'queues',
    modes: { ask: 'default', acceptEdits: 'acceptEdits', plan: 'plan', bypass: 'bypassPermissions' },
    costOverLoads: true,
  },
  'codex-acp': {
    name: 'Codex (ACP)',
    secondPrompt: 'steers',
    // Each of its modes names the sandbox of every turn; the one without asks nobody.
    keepsSandbox: 'codex',
    modes: { ask: 'read-only', acceptEdits: 'workspace-write', plan: 'read-only', bypass: 'agent-full-access' },
    failure: { path: ['_meta', 'codex', 'threadStatus', 'type'], is: 'systemError' },
    // It waits 7 s after the end of stdin.
    ignoresEnd: true,
    commandsOutliveCancel: true,
  },
  opencode: {
    name: 'OpenCode',
    refused:
      'a permission that its sub-agent asks for never arrives over ACP and the turn hangs; use the provider `opencode`',
  },
};

/** What is said of an agent that is not in the table. @type {Quirks} */
const NONE = { name: 'the agent' };

/**
 * @param {string | undefined} agent
 * @returns {Quirks}
 */
export function quirksOf(agent) {
  return QUIRKS[agent ?? ''] ?? (agent ? { ...NONE, name: agent } : NONE);
}
