// Which tools do the MCP servers of the session bring, and what does a call of one give?
//
// A server that cannot be used is told and left out; the others, and the session, go on. Tools that come and go in the middle of a
// session are noticed. Whether a call may be done is the runner's business.

import { McpConnection } from './mcp_connection.mjs';
import { OWN_CALL_MS, isOwnServer } from './own_server.mjs';

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
 * @property {number} limitMs how long a call may take
 */
/** @typedef {{ connection: McpConnection, tools: import('./mcp_connection.mjs').McpTool[], limitMs: number }} Server */

/** The tools of a session's servers, by names that begin with their server's: `server__tool`. */
export class McpTools {
  /** @type {Map<string, Server>} */ #servers = new Map();
  /** @type {Map<string, RemoteTool>} */ #tools = new Map();
  /** @type {string[]} */ #problems = [];

  /**
   * @param {Record<string, Record<string, any>>} servers by name
   * @param {string} cwd
   * @param {NodeJS.ProcessEnv} env
   * @returns {Promise<McpTools>}
   */
  static async open(servers, cwd, env) {
    const all = new McpTools();
    const names = Object.keys(servers);
    const opened = await Promise.allSettled(names.map((name) => McpConnection.open(servers[name], { cwd, env })));
    opened.forEach((outcome, at) => {
      const limitMs = isOwnServer(servers[names[at]]) ? OWN_CALL_MS : CALL_LIMIT_MS;
      if (outcome.status === 'fulfilled') all.#servers.set(names[at], { ...outcome.value, limitMs });
      else all.#miss(names[at], outcome.reason);
    });
    all.#nameAll();
    return all;
  }

  /** @returns {[string, RemoteTool][]} all of them, with the names that they are called by */
  get all() {
    return [...this.#tools];
  }

  /** @returns {string[]} what is wrong with servers that cannot be used, each told once */
  takeProblems() {
    return this.#problems.splice(0);
  }

  /** @param {string} name */
  find(name) {
    return this.#tools.get(name);
  }

  /**
   * Lists the tools of servers that have changed anew. A server that has ended has none.
   * @param {AbortSignal} signal when it is aborted the list stays as it is
   */
  async refresh(signal) {
    const changed = [...this.#servers].filter(([, { connection }]) => connection.hasChanged);
    if (changed.length === 0) return;
    await Promise.all(changed.map(([name, server]) => this.#list(name, server, signal)));
    this.#nameAll();
  }

  /**
   * @param {string} name
   * @param {Server} server
   * @param {AbortSignal} signal
   */
  async #list(name, server, signal) {
    try {
      server.tools = await server.connection.tools(signal);
    } catch (error) {
      if (server.connection.isLost) {
        this.#servers.delete(name);
        this.#miss(name, error);
      } else if (signal.aborted) server.connection.hasChanged = true;
      else
        this.#problems.push(
          `The MCP server ${name} has changed its tools and does not list them: ${messageOf(error)}.`,
        );
    }
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} input
   * @param {AbortSignal} signal
   * @returns {Promise<{ ok: boolean, output: string }>}
   * @throws only when the signal was aborted
   */
  async call(name, input, signal) {
    const remote = this.#tools.get(name);
    if (!remote) return { ok: false, output: `there is no tool ${name}` };
    const params = { name: remote.tool.name, arguments: input };
    const late = AbortSignal.any([signal, AbortSignal.timeout(remote.limitMs)]);
    try {
      const result = await remote.connection.request('tools/call', params, late);
      const text = (result.content ?? []).map(textOf).join('\n') || JSON.stringify(result.structuredContent ?? null);
      return { ok: result.isError !== true, output: text.slice(0, RESULT_CHARS) };
    } catch (error) {
      if (signal.aborted) throw error;
      return { ok: false, output: `${remote.title} failed: ${messageOf(error)}` };
    }
  }

  async close() {
    await Promise.allSettled([...this.#servers.values()].map(({ connection }) => connection.close()));
  }

  /**
   * @param {string} server
   * @param {unknown} reason
   */
  #miss(server, reason) {
    this.#problems.push(`The MCP server ${server} cannot be used: ${messageOf(reason)}. Its tools are missing.`);
  }

  #nameAll() {
    this.#tools.clear();
    for (const [server, { connection, tools, limitMs }] of this.#servers) {
      for (const tool of tools) {
        const readOnly = tool.annotations?.readOnlyHint === true;
        const name = `${server}__${tool.name}`.replace(/[^\w-]/g, '_').slice(0, 64);
        this.#tools.set(name, { connection, tool, title: `${server}: ${tool.name}`, readOnly, limitMs });
      }
    }
  }
}

/** @param {any} error */
const messageOf = (error) => String(error?.message ?? error);

/** @param {any} part of a result */
function textOf(part) {
  if (typeof part?.text === 'string') return part.text;
  if (part?.type === 'resource') return part.resource?.text ?? `(${part.resource?.uri})`;
  if (part?.type === 'resource_link') return `(${part.uri})`;
  return `(${part?.type ?? 'something'} that cannot be shown to the model)`;
}
