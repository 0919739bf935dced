// With which arguments and environment is the user's `claude` started?
//
// An unknown flag makes claude exit at once, so flags that came late are asked for in `--help` unless the version is one
// that is known to have them.

import { askCli, isAtLeast } from '../lib/cli_version.mjs';

/** The oldest claude that speaks the control protocol as this runner uses it. */
export const LEAST_VERSION = '2.0.0';

/** From this version on all flags below exist (tested); an older one is asked. */
const ALL_FLAGS_SINCE = '2.1.329';

/** Our names of the permission modes, as claude names them. */
const MODES = { ask: 'default', acceptEdits: 'acceptEdits', plan: 'plan', bypass: 'bypassPermissions' };

/**
 * @param {string} mode `ask`, `acceptEdits`, `plan` or `bypass`
 * @returns {string} claude's name for it
 */
export function claudeMode(mode) {
  return MODES[/** @type {keyof typeof MODES} */ (mode)] ?? MODES.ask;
}

/**
 * @param {string | undefined} mode as claude names it
 * @returns {'ask' | 'acceptEdits' | 'plan' | 'bypass' | undefined} ours; undefined for one that has no name here
 */
export function modeOf(mode) {
  const ours = Object.entries(MODES).find(([, theirs]) => theirs === mode)?.[0];
  return /** @type {keyof typeof MODES | undefined} */ (mode === 'manual' ? 'ask' : ours);
}

/**
 * The environment of the CLI: the runner's own (the host has already cleaned it), and what the query adds.
 * @param {Record<string, any>} query
 * @returns {Record<string, string | undefined>}
 */
export function claudeEnv(query) {
  const env = { ...process.env, ...query.extraEnv };
  if (query.configDir) env.CLAUDE_CONFIG_DIR = query.configDir;
  return env;
}

/**
 * @param {Record<string, any>} query
 * @param {string} sessionId claude's own id for the conversation, when it is a new one
 * @param {string | undefined} version
 * @returns {Promise<string[]>}
 */
export async function claudeArgs(query, sessionId, version) {
  const has = flagCheck(query, version);
  const args = ['-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'];
  args.push('--include-partial-messages', '--permission-prompt-tool', 'stdio');
  args.push(...modeArgs(query.permissionMode), ...conversationArgs(query, sessionId), ...optionArgs(query));
  if (query.worktreeName) {
    if (!(await has('--worktree')))
      throw new Error(`this claude (${version}) has no --worktree; update it or start without a worktree`);
    args.push('--worktree', query.worktreeName);
  }
  // Without it the mode could not be changed to `bypass` later; it allows nothing by itself.
  const mayBypass = query.permissionMode === 'bypass' || !isRoot(claudeEnv(query));
  for (const flag of ['--forward-subagent-text', '--include-hook-events']) if (await has(flag)) args.push(flag);
  if (mayBypass && (await has('--allow-dangerously-skip-permissions'))) {
    args.push('--allow-dangerously-skip-permissions');
  }
  return args;
}

/**
 * claude refuses to go without questions when its user is root, unless it is told that it is in a sandbox.
 * @param {Record<string, string | undefined>} env
 */
const isRoot = (env) => process.getuid?.() === 0 && !/^(1|true)$/i.test(env.IS_SANDBOX ?? '');

/** @param {string} mode */
function modeArgs(mode) {
  return mode === 'bypass' ? ['--dangerously-skip-permissions'] : ['--permission-mode', claudeMode(mode)];
}

/**
 * @param {Record<string, any>} query
 * @param {string} sessionId
 */
function conversationArgs({ resumeMode, resumeSessionId }, sessionId) {
  if (resumeMode === 'resume') return ['--resume', String(resumeSessionId)];
  if (resumeMode === 'continue') return ['--continue'];
  return ['--session-id', sessionId];
}

/** @param {Record<string, any>} query */
function optionArgs(query) {
  const config = query.providerConfig ?? {};
  const args = [];
  if (query.model) args.push('--model', query.model);
  if (query.systemPrompt) args.push('--append-system-prompt', query.systemPrompt);
  if (query.maxTurns) args.push('--max-turns', String(query.maxTurns));
  for (const dir of query.additionalDirectories ?? []) args.push('--add-dir', dir);
  const servers = query.mcpServers ?? {};
  if (Object.keys(servers).length > 0) args.push('--mcp-config', JSON.stringify({ mcpServers: servers }));
  const settings = settingsOf(query);
  if (settings) args.push('--settings', JSON.stringify(settings));
  if (config.allowedTools?.length) args.push('--allowedTools', config.allowedTools.join(','));
  if (config.disallowedTools?.length) args.push('--disallowedTools', config.disallowedTools.join(','));
  if (config.effort) args.push('--effort', String(config.effort));
  return args;
}

/**
 * Within a scope that the kernel enforces the sandbox which the user may have chosen for commands cannot be set up.
 * @param {Record<string, any>} query
 * @returns {Record<string, any> | undefined}
 */
export function settingsOf({ providerConfig, confined }) {
  const settings = providerConfig?.settings;
  return confined ? { ...settings, sandbox: { ...settings?.sandbox, enabled: false } } : settings;
}

/**
 * @param {Record<string, any>} query
 * @param {string | undefined} version
 * @returns {(flag: string) => Promise<boolean>}
 */
function flagCheck(query, version) {
  if (version && isAtLeast(version, ALL_FLAGS_SINCE)) return async () => true;
  /** @type {Promise<string> | undefined} */
  let help;
  return async (flag) => {
    help ??= askCli(query.cli, ['--help'], claudeEnv(query));
    return new RegExp(`(^|[\\s,])${flag}([\\s,=<[]|$)`, 'm').test(await help);
  };
}
