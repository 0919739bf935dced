// Which tools do the MCP servers of the session bring, and what does a call of one give?
//
// A server that cannot be used is told and left out; the others, and the session, go on.

import { McpConnection } from './mcp_connection.mjs';
import { ToolFailure } from './tool_failure.mjs';

/** How long a call may take, in milliseconds. */
const CALL_LIMIT_MS = 300_000;
/** Characters of a result that a model gets. */
const RESULT_CHARS = 60_000;

/**
 * @typedef {object} RemoteTool
 * @property {McpConnection} connection
 * @property {import('./mcp_connection.mjs').McpTool} tool
 * @property {string} title `server: tool`
 * @property {boolean} readOnly
 */

/** The tools of a session's servers. */
export class McpTools {
  /** @type {Map<string, RemoteTool>} */ #tools = new Map();
  /** @type {McpConnection[]} */ #connections = [];
  /** What is wrong with servers that cannot be used. @type {string[]} */
  problems = [];

  /**
   * @param {Record<string, Record<string, any>>} servers by name
   * @param {string} cwd
   * @param {NodeJS.ProcessEnv} env
   * @returns {Promise<McpTools>}
   */
  static async open(servers, cwd, env) {
    const all = new McpTools();
    const opened = Object.entries(servers).map(async ([server, config]) => {
      const { connection, tools } = await McpConnection.open(config, { cwd, env });
      all.#connections.push(connection);
      for (const tool of tools) {
        const remote = {
          connection,
          tool,
          title: `${server}: ${tool.name}`,
          readOnly: tool.annotations?.readOnlyHint === true,
        };
        all.#tools.set(`${server}__${tool.name}`.replace(/[^\w-]/g, '_').slice(0, 64), remote);
      }
    });
    const outcomes = await Promise.allSettled(opened);
    outcomes.forEach((outcome, at) => {
      if (outcome.status === 'fulfilled') return;
      const why = outcome.reason?.message ?? outcome.reason;
      all.problems.push(`The MCP server ${Object.keys(servers)[at]} cannot be used: ${why}. Its tools are missing.`);
    });
    return all;
  }

  /** As Ollama's API takes them. */
  get offered() {
    return [...this.#tools].map(([name, { tool }]) => ({
      type: 'function',
      function: {
        name,
        description: tool.description ?? '',
        parameters: tool.inputSchema ?? { type: 'object', properties: {} },
      },
    }));
  }

  /** @param {string} name */
  find(name) {
    return this.#tools.get(name);
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} input
   * @param {AbortSignal} signal
   * @returns {Promise<import('./tools.mjs').Result>}
   */
  async call(name, input, signal) {
    const remote = this.#tools.get(name);
    if (!remote) throw new ToolFailure(`there is no tool ${name}`);
    const params = { name: remote.tool.name, arguments: input };
    const late = AbortSignal.any([signal, AbortSignal.timeout(CALL_LIMIT_MS)]);
    const result = await remote.connection.request('tools/call', params, late).catch((error) => {
      if (signal.aborted) throw error;
      throw new ToolFailure(`${remote.title} failed: ${error.message}`);
    });
    const text = (result.content ?? []).map(textOf).join('\n') || JSON.stringify(result.structuredContent ?? null);
    return { ok: result.isError !== true, output: text.slice(0, RESULT_CHARS) };
  }

  async close() {
    await Promise.allSettled(this.#connections.map((connection) => connection.close()));
  }
}

/** @param {any} part of a result */
function textOf(part) {
  if (typeof part?.text === 'string') return part.text;
  if (part?.type === 'resource') return part.resource?.text ?? `(${part.resource?.uri})`;
  return `(${part?.type ?? 'something'} that cannot be shown to the model)`;
}
