// How is one MCP server talked to, over its stdin and stdout or over HTTP ("streamable HTTP")?
//
// JSON-RPC 2.0, as a client that only uses tools: requests of the server are refused, except pings. Small enough to need
// no library, which would have to be installed beside the runners. Logging in to a server (OAuth) is not done here.

import { CliChild } from './child.mjs';
import { exchange, serverSentEvents, wholeText } from './http_exchange.mjs';
import { parseObject } from './lossless.mjs';
import { RUNNER_VERSION } from './protocol.mjs';

/** The newest version of the protocol that is spoken here; servers answer with theirs. */
const PROTOCOL = '2025-06-18';
/** How long a server may take until it can be used, in milliseconds. Ours lists tools of programs that are just being started. */
const OPEN_LIMIT_MS = 30_000;
/** How long it may take to list its tools anew, in milliseconds. */
const LIST_LIMIT_MS = 30_000;

/**
 * @typedef {object} Transport
 * @property {(message: Record<string, unknown>) => void | Promise<void>} send
 * @property {() => Promise<unknown>} close
 * @property {(version: string) => void} [agreed] hears which version of the protocol is spoken
 */
/** @typedef {(message: Record<string, any>) => void} Hear */
/** @typedef {(why: string) => void} Lost */
/** @typedef {{ name: string, description?: string, inputSchema?: any, annotations?: Record<string, any> }} McpTool */

/** A server that can be used. */
export class McpConnection {
  /** Whether it offers other tools than it listed last, or none any more: to be listed anew. */
  hasChanged = false;
  /** @type {Transport} */ #transport;
  #nextId = 1;
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */ #awaited = new Map();
  #lost = '';

  /** @param {(hear: Hear, lost: Lost) => Transport} connect */
  constructor(connect) {
    this.#transport = connect(
      (message) => this.#hear(message),
      (why) => this.#abandon(why),
    );
  }

  /**
   * @param {Record<string, any>} config `{command, args, env}` or `{type: 'http', url, headers}`
   * @param {{ cwd: string, env: NodeJS.ProcessEnv }} where
   * @returns {Promise<{ connection: McpConnection, tools: McpTool[] }>}
   */
  static async open(config, where) {
    const connection = new McpConnection(transportOf(config, where));
    try {
      const signal = AbortSignal.timeout(OPEN_LIMIT_MS);
      const clientInfo = { name: 'outrigger', version: RUNNER_VERSION };
      const greeting = { protocolVersion: PROTOCOL, capabilities: {}, clientInfo };
      const answer = await connection.request('initialize', greeting, signal);
      connection.#transport.agreed?.(answer.protocolVersion ?? PROTOCOL);
      await connection.#transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
      return { connection, tools: await connection.#tools(signal) };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /**
   * @param {string} method
   * @param {Record<string, unknown>} params
   * @param {AbortSignal} signal when it is aborted the server is told, and nobody waits any more
   * @returns {Promise<any>} the result
   */
  async request(method, params, signal) {
    if (this.#lost) throw new Error(this.#lost);
    signal.throwIfAborted();
    const id = this.#nextId++;
    const answer = new Promise((resolve, reject) => {
      this.#awaited.set(id, { resolve, reject });
      signal.addEventListener('abort', () => this.#giveUp(id, signal.reason), { once: true });
    });
    Promise.resolve(this.#transport.send({ jsonrpc: '2.0', id, method, params })).catch((error) =>
      this.#take(id)?.reject(error),
    );
    return answer;
  }

  /** Whether it is gone for good. */
  get isLost() {
    return this.#lost !== '';
  }

  async close() {
    await this.#transport.close();
    this.#abandon('the server was closed');
  }

  /**
   * Lists the tools anew.
   * @param {AbortSignal} signal
   * @returns {Promise<McpTool[]>}
   */
  async tools(signal) {
    // What changes from here on is another change.
    this.hasChanged = false;
    return this.#tools(AbortSignal.any([signal, AbortSignal.timeout(LIST_LIMIT_MS)]));
  }

  /** @param {AbortSignal} signal */
  async #tools(signal) {
    /** @type {McpTool[]} */
    const tools = [];
    for (let cursor; ;) {
      const page = await this.request('tools/list', cursor ? { cursor } : {}, signal);
      tools.push(...(page.tools ?? []));
      cursor = page.nextCursor;
      if (!cursor) return tools;
    }
  }

  /** @param {Record<string, any>} message */
  #hear(message) {
    if (message.method !== undefined) {
      if (message.id === undefined) {
        this.hasChanged ||= message.method === 'notifications/tools/list_changed';
        return;
      }
      const error = { code: -32601, message: `this client does not offer ${message.method}` };
      const answer = message.method === 'ping' ? { result: {} } : { error };
      void Promise.resolve(this.#transport.send({ jsonrpc: '2.0', id: message.id, ...answer })).catch(() => {});
      return;
    }
    const waiting = this.#take(message.id);
    if (message.error) waiting?.reject(new Error(message.error.message ?? 'the server refused'));
    else waiting?.resolve(message.result ?? {});
  }

  /** @param {number} id */
  #take(id) {
    const waiting = this.#awaited.get(id);
    this.#awaited.delete(id);
    return waiting;
  }

  /**
   * @param {number} id
   * @param {any} reason
   */
  #giveUp(id, reason) {
    const waiting = this.#take(id);
    if (!waiting) return;
    const params = { requestId: id, reason: 'cancelled' };
    void Promise.resolve(this.#transport.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params })).catch(
      () => {},
    );
    waiting.reject(reason?.name === 'TimeoutError' ? new Error('the server did not answer in time') : reason);
  }

  /** @param {string} why */
  #abandon(why) {
    this.#lost ||= why;
    this.hasChanged = true;
    for (const id of [...this.#awaited.keys()]) this.#take(id)?.reject(new Error(why));
  }
}

/**
 * @param {Record<string, any>} config
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} where
 * @returns {(hear: Hear, lost: Lost) => Transport}
 */
function transportOf(config, where) {
  if (typeof config.command === 'string') return (hear, lost) => overStdio(config, where, hear, lost);
  if (typeof config.url === 'string' && config.type !== 'sse') return (hear) => new OverHttp(config, hear);
  throw new Error('it needs a `command`, or a `url` that speaks streamable HTTP');
}

/**
 * @param {Record<string, any>} config
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} where
 * @param {Hear} hear
 * @param {Lost} lost
 * @returns {Transport}
 */
function overStdio({ command, args = [], env = {} }, where, hear, lost) {
  const cli = new CliChild({
    command,
    args,
    cwd: where.cwd,
    env: { ...where.env, ...env },
    pace: async () => {},
    onLines: (lines) => {
      for (const line of lines) {
        const message = line.cut ? null : parseObject(line.bytes);
        if (message) hear(message);
      }
    },
  });
  void cli.exited.then(({ code, signal, error }) =>
    lost(error?.message ?? `it has ended (${signal ?? `code ${code}`})`),
  );
  return { send: (message) => cli.send(message), close: () => cli.end({ closeMs: 1000, termMs: 1000 }) };
}

/** @implements {Transport} */
class OverHttp {
  #url;
  #hear;
  /** @type {Record<string, string>} */ #headers;

  /**
   * @param {Record<string, any>} config
   * @param {Hear} hear
   */
  constructor({ url, headers = {} }, hear) {
    this.#url = new URL(url);
    this.#hear = hear;
    this.#headers = { ...headers, accept: 'application/json, text/event-stream' };
  }

  /** @param {string} version */
  agreed(version) {
    this.#headers['mcp-protocol-version'] = version;
  }

  /** @param {Record<string, unknown>} message */
  async send(message) {
    const response = await exchange(this.#url, { method: 'POST', headers: this.#headers, body: message });
    const status = response.statusCode ?? 0;
    const session = response.headers['mcp-session-id'];
    if (typeof session === 'string') this.#headers['mcp-session-id'] = session;
    if (status >= 400) throw new Error(`HTTP status ${status}: ${(await wholeText(response)).slice(0, 500)}`);
    if (/text\/event-stream/.test(response.headers['content-type'] ?? '')) {
      for await (const data of serverSentEvents(response)) this.#take(data);
    } else this.#take(Buffer.from(await wholeText(response)));
  }

  async close() {
    if (!this.#headers['mcp-session-id']) return;
    const signal = AbortSignal.timeout(1000);
    await exchange(this.#url, { method: 'DELETE', headers: this.#headers, signal }).then(
      (response) => response.resume(),
      () => {},
    );
  }

  /** @param {Buffer} bytes */
  #take(bytes) {
    const message = parseObject(bytes);
    if (message) this.#hear(message);
  }
}
