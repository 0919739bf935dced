// With which arguments and environment is an ACP agent started, and how do our settings read in its protocol?

import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** @typedef {import('./quirks.mjs').Quirks} Quirks */

/**
 * @param {Record<string, any>} query
 * @param {Quirks} quirks
 * @returns {string[]}
 */
export function agentArgs({ providerConfig, additionalDirectories = [] }, { directoryFlag }) {
  const args = Array.isArray(providerConfig?.args) ? providerConfig.args.map(String) : [];
  if (!directoryFlag) return args;
  return [...args, ...additionalDirectories.flatMap((/** @type {string} */ directory) => [directoryFlag, directory])];
}

/**
 * @param {Record<string, any>} query
 * @param {Quirks} quirks
 * @returns {Record<string, string | undefined>}
 */
export function agentEnv({ extraEnv, mcpServers = {}, confined }, { env, mcpEnv, sandboxVariables = [] }) {
  const servers = Object.keys(mcpServers).length > 0 ? mcpEnv : {};
  // Within a scope that the kernel enforces the agent's own sandbox cannot be set up.
  const sandbox = confined ? Object.fromEntries(sandboxVariables.map((name) => [name, 'false'])) : {};
  return { ...process.env, ...extraEnv, ...env, ...servers, ...sandbox };
}

/**
 * The parameters of a session that is begun or opened again.
 * @param {Record<string, any>} query
 * @param {Record<string, any>} capabilities the agent's
 * @param {(notice: string) => void} tell what cannot be passed on
 * @returns {Record<string, unknown>}
 */
export function sessionParams(query, capabilities, tell) {
  const { cwd, additionalDirectories = [], systemPrompt } = query;
  const offers = capabilities.sessionCapabilities ?? {};
  /** @type {Record<string, unknown>} */
  const params = { cwd, mcpServers: mcpServers(query.mcpServers ?? {}, capabilities.mcpCapabilities ?? {}, tell) };
  if (offers.additionalDirectories && additionalDirectories.length > 0)
    params.additionalDirectories = additionalDirectories;
  if (offers.systemPrompt && systemPrompt)
    params.systemPrompt = { mode: 'append', content: [{ type: 'text', text: systemPrompt }] };
  return params;
}

/**
 * MCP servers come in the common form; ACP wants lists of names and values, and not every agent takes every transport.
 * @param {Record<string, any>} servers by name
 * @param {Record<string, any>} transports that the agent takes besides stdio
 * @param {(notice: string) => void} tell
 * @returns {Record<string, unknown>[]}
 */
function mcpServers(servers, transports, tell) {
  /** @type {Record<string, unknown>[]} */
  const passed = [];
  for (const [name, server] of Object.entries(servers)) {
    const { type = server.url ? 'http' : 'stdio', command, args = [], env = {}, url, headers = {} } = server;
    if (type === 'stdio') passed.push({ name, command, args, env: pairs(env) });
    else if (transports[type]) passed.push({ type, name, url, headers: pairs(headers) });
    else tell(`The MCP server ${name} was left out: this agent takes none over ${type}.`);
  }
  return passed;
}

/** @param {Record<string, string>} values */
const pairs = (values) => Object.entries(values).map(([name, value]) => ({ name, value: String(value) }));

/**
 * The blocks of a prompt.
 * @param {Record<string, any>} query with attachments `{mimeType, data}` in base64, or `{path}`
 * @param {Record<string, any>} offers the agent's prompt capabilities
 * @param {(notice: string) => void} tell what cannot be passed on
 * @returns {Record<string, unknown>[]}
 */
export function promptBlocks({ prompt, attachments = [], cwd = '/' }, offers, tell) {
  /** @type {Record<string, unknown>[]} */
  const blocks = [];
  for (const { mimeType, data, path: file } of attachments) {
    if (file) {
      const whole = path.resolve(cwd, file);
      blocks.push({ type: 'resource_link', uri: pathToFileURL(whole).href, name: path.basename(whole), mimeType });
    } else if (offers.image && String(mimeType).startsWith('image/')) blocks.push({ type: 'image', mimeType, data });
    else tell(`An attachment (${mimeType}) was left out: this agent does not take it.`);
  }
  return [...blocks, { type: 'text', text: prompt }];
}

/**
 * What a query asks for and ACP cannot carry to this agent.
 * @param {Record<string, any>} query
 * @param {Record<string, any>} capabilities the agent's
 * @param {Quirks} quirks
 * @returns {string | null} for people
 */
export function leftOut(query, capabilities, { name, directoryFlag, keepsSandbox }) {
  const { maxTurns, worktreeName, additionalDirectories = [], confined } = query;
  const takesDirectories = capabilities.sessionCapabilities?.additionalDirectories || directoryFlag;
  const left = [
    maxTurns ? 'the limit on turns' : '',
    worktreeName ? 'the worktree' : '',
    additionalDirectories.length > 0 && !takesDirectories ? 'the additional directories' : '',
  ].filter(Boolean);
  const told = [
    left.length > 0 ? `${name} does not take ${left.join(' and ')} over ACP; it goes on without.` : '',
    confined && keepsSandbox
      ? `${name} keeps a sandbox of its own, in which commands may fail within a scope; the provider \`${keepsSandbox}\` has none there.`
      : '',
  ].filter(Boolean);
  return told.length > 0 ? told.join(' ') : null;
}

/**
 * Where the agent takes no instructions of ours, they stand in front of the first prompt.
 * @param {Record<string, any>} query
 * @param {Record<string, any>} capabilities the agent's
 * @returns {string} what stands there, empty when nothing does
 */
export function instructionsBefore({ systemPrompt }, capabilities) {
  return systemPrompt && !capabilities.sessionCapabilities?.systemPrompt ? `${systemPrompt}\n\n` : '';
}
