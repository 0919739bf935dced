// With which environment and configuration is opencode started, and how does a prompt of ours read in its words?

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { OWN_CALL_MS, isOwnServer } from '../lib/own_server.mjs';

/**
 * What opencode is to ask about; this runner answers what the permission mode lets pass. The keys are patterns that no user
 * writes: they stand after the user's own rules, which can still be read (and are followed) because they keep their names.
 * `*_*` are the tools of MCP servers. A session's own rules would not do: sub-agents do not get them.
 */
export const ASKED = {
  'ed?t': 'ask',
  'b?sh': 'ask',
  'webf?tch': 'ask',
  'webs?arch': 'ask',
  'codes?arch': 'ask',
  '*_*': 'ask',
};

/**
 * @param {Record<string, any>} query
 * @param {string[]} [agents] those whose own rules are to stand before ours too
 * @returns {Record<string, string | undefined>}
 */
export function opencodeEnv(query, agents = []) {
  const env = { ...process.env, ...query.extraEnv };
  if (query.configDir) env.OPENCODE_CONFIG_DIR = query.configDir;
  const { config = {} } = query.providerConfig ?? {};
  const own = {
    ...config,
    permission: asking(config.permission),
    agent: { ...config.agent, ...Object.fromEntries(agents.map((name) => [name, askingAgent(config.agent?.[name])])) },
    mcp: { ...config.mcp, ...mcpServers(query.mcpServers ?? {}) },
    autoupdate: false,
  };
  return { ...env, OPENCODE_CONFIG_CONTENT: JSON.stringify(own), OPENCODE_DISABLE_AUTOUPDATE: '1' };
}

/**
 * @param {any} permission one word, or rules by name
 * @returns {Record<string, unknown>}
 */
const asking = (permission) => ({ ...(typeof permission === 'string' ? { '*': permission } : permission), ...ASKED });

/** @param {Record<string, any> | undefined} agent */
const askingAgent = (agent) => ({ ...agent, permission: asking(agent?.permission) });

/** @param {string} rule of a permission in opencode's configuration */
export const isOurs = (rule) => Object.hasOwn(ASKED, rule);

/**
 * MCP servers come in the common form, `{command, args, env}` or `{type, url, headers}`.
 * @param {Record<string, Record<string, any>>} servers
 */
function mcpServers(servers) {
  const forms = Object.entries(servers).map(([name, { command, args = [], env, url, headers, ...more }]) => {
    // It has one limit for the list and for a call.
    const timeout = isOwnServer({ env }) ? OWN_CALL_MS : more.timeout;
    if (command === undefined) return [name, { type: 'remote', url, headers, timeout }];
    return [name, { type: 'local', command: [command, ...args], environment: env, timeout }];
  });
  return Object.fromEntries(forms);
}

/**
 * @param {string | undefined} model `provider/model`
 * @returns {{ providerID: string, modelID: string } | undefined}
 */
export function modelOf(model) {
  const at = model?.indexOf('/') ?? -1;
  return model && at > 0 ? { providerID: model.slice(0, at), modelID: model.slice(at + 1) } : undefined;
}

/**
 * The body of a prompt.
 * @param {Record<string, any>} prompt
 * @param {{ model?: string, mode: string, first: Record<string, any>, agents: string[] }} setting
 */
export function promptBody({ prompt = '', attachments = [], cwd }, { model, mode, first, agents }) {
  const { agent, variant } = first.providerConfig ?? {};
  const planning = mode === 'plan' && agents.includes('plan') ? 'plan' : undefined;
  const files = attachments.map((/** @type {Record<string, any>} */ file) => filePart(file, cwd ?? first.cwd));
  return {
    parts: [...files, { type: 'text', text: prompt }],
    model: modelOf(model),
    agent: planning ?? agent,
    variant,
    system: first.systemPrompt,
  };
}

/** @type {Record<string, string>} */
const MIME = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.pdf': 'application/pdf',
};

/**
 * @param {Record<string, any>} attachment `{mimeType, data}` in base64, or `{path}`
 * @param {string} cwd
 */
function filePart({ mimeType, data, path: file }, cwd) {
  if (data && mimeType) return { type: 'file', mime: mimeType, url: `data:${mimeType};base64,${data}` };
  const absolute = path.resolve(cwd, file ?? '');
  const mime = mimeType ?? MIME[path.extname(absolute).toLowerCase()] ?? 'text/plain';
  return { type: 'file', mime, filename: path.basename(absolute), url: pathToFileURL(absolute).href };
}
