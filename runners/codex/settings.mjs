// With which arguments, environment and thread settings is codex started?

import { OWN_CALL_MS, OWN_START_MS, isOwnServer } from '../lib/own_server.mjs';

/**
 * How each permission mode reads in codex: what is asked about, and what its sandbox lets pass. An approved command still
 * runs in the sandbox, so `ask` asks about each command and each edit and lets those that were approved write in the
 * workspace; what needs more than that asks to leave the sandbox. Other policies ask only after a failure, and codex
 * notices that failure only when it comes at once.
 * @type {Record<string, { approvalPolicy: string, sandbox: 'read-only' | 'workspace-write' | 'danger-full-access' }>}
 */
const MODES = {
  ask: { approvalPolicy: 'untrusted', sandbox: 'workspace-write' },
  acceptEdits: { approvalPolicy: 'on-request', sandbox: 'workspace-write' },
  plan: { approvalPolicy: 'never', sandbox: 'read-only' },
  bypass: { approvalPolicy: 'never', sandbox: 'danger-full-access' },
};

/**
 * Within a scope that the kernel enforces codex's own sandbox cannot be set up, and has nothing to add. What plan mode must not do
 * is asked about then, since nothing else would hold it back.
 * @param {string} [mode]
 * @param {boolean} [confined]
 */
function modeSettings(mode, confined) {
  const settings = MODES[mode ?? 'ask'] ?? MODES.ask;
  if (!confined) return settings;
  const approvalPolicy = mode === 'plan' ? MODES.ask.approvalPolicy : settings.approvalPolicy;
  return { approvalPolicy, sandbox: /** @type {const} */ ('danger-full-access') };
}

/**
 * @param {Record<string, any>} query
 * @returns {string[]} the arguments of `codex app-server`
 */
export function codexArgs(query) {
  const overrides = Object.entries(query.providerConfig?.config ?? {});
  return ['app-server', ...overrides.flatMap(([key, value]) => ['-c', `${key}=${toml(value)}`])];
}

/**
 * @param {Record<string, any>} query
 * @returns {Record<string, string | undefined>}
 */
export function codexEnv(query) {
  const env = { ...process.env, ...query.extraEnv };
  if (query.configDir) env.CODEX_HOME = query.configDir;
  return env;
}

/**
 * The settings of a thread that is started or resumed.
 * @param {Record<string, any>} query
 * @returns {Record<string, unknown>}
 */
export function threadSettings(query) {
  const chosen = query.providerConfig ?? {};
  const mode = modeSettings(query.permissionMode, query.confined);
  return {
    cwd: query.cwd,
    model: query.model,
    approvalPolicy: chosen.approvalPolicy ?? mode.approvalPolicy,
    sandbox: query.confined ? mode.sandbox : (chosen.sandbox ?? mode.sandbox),
    developerInstructions: query.systemPrompt,
    config: threadConfig(query),
  };
}

/**
 * @typedef {object} TurnChange
 * @property {string} [model]
 * @property {string} [permissionMode]
 * @property {string} [effort]
 */

/**
 * The settings that change with a turn and hold from then on.
 * @param {TurnChange} change
 * @param {object} thread
 * @param {string[]} thread.writableRoots folders besides the working one
 * @param {string} [thread.model] the one that it works with
 * @param {boolean} [thread.confined] whether the kernel holds it to a scope
 * @returns {Record<string, unknown>}
 */
export function turnSettings({ model, permissionMode, effort }, { writableRoots, model: current, confined }) {
  if (!permissionMode) return { model, effort };
  const { approvalPolicy, sandbox } = modeSettings(permissionMode, confined);
  return {
    model,
    effort,
    approvalPolicy,
    sandboxPolicy: sandboxPolicy(sandbox, writableRoots),
    collaborationMode: collaborationMode(permissionMode, model ?? current, effort),
  };
}

/**
 * In its own plan mode codex asks its questions and proposes a plan; the sandbox alone would only make its writes fail.
 * @param {string | undefined} permissionMode
 * @param {string | undefined} model
 * @param {string | undefined} effort
 */
export function collaborationMode(permissionMode, model, effort) {
  if (!model) return undefined;
  const settings = { model, reasoning_effort: effort ?? null, developer_instructions: null };
  return { mode: permissionMode === 'plan' ? 'plan' : 'default', settings };
}

/**
 * @param {'read-only' | 'workspace-write' | 'danger-full-access'} sandbox
 * @param {string[]} writableRoots
 */
function sandboxPolicy(sandbox, writableRoots) {
  switch (sandbox) {
    case 'danger-full-access':
      return { type: 'dangerFullAccess' };
    case 'workspace-write':
      return {
        type: 'workspaceWrite',
        writableRoots,
        networkAccess: false,
        excludeTmpdirEnvVar: false,
        excludeSlashTmp: false,
      };
    case 'read-only':
      return { type: 'readOnly', networkAccess: false };
  }
}

/** @param {Record<string, any>} query */
function threadConfig(query) {
  /** @type {Record<string, unknown>} */
  const config = {};
  for (const [name, server] of Object.entries(query.mcpServers ?? {}))
    config[`mcp_servers.${name}`] = mcpServer(server);
  const roots = query.additionalDirectories ?? [];
  if (roots.length > 0) config['sandbox_workspace_write.writable_roots'] = roots;
  return Object.keys(config).length > 0 ? config : undefined;
}

/**
 * MCP servers come in the common form; codex names a few fields otherwise and knows no `type`.
 * @param {Record<string, any>} server
 */
function mcpServer({ type: _type, headers, ...server }) {
  const limits = { startup_timeout_sec: OWN_START_MS / 1000, tool_timeout_sec: OWN_CALL_MS / 1000 };
  return { ...server, ...(headers && { http_headers: headers }), ...(isOwnServer(server) && limits) };
}

/**
 * @param {unknown} value
 * @returns {string} the value in TOML, as `-c key=value` takes it
 */
export function toml(value) {
  if (Array.isArray(value)) return `[${value.map(toml).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)} = ${toml(field)}`);
    return `{ ${fields.join(', ')} }`;
  }
  return JSON.stringify(value);
}
