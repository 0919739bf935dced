// How is `codex app-server` talked to? JSON-RPC over its stdin and stdout, one object a line, without a "jsonrpc" field.
//
// Requests of ours get their answers here. Everything else (notifications, requests of the server, answers that the
// caller wants to be seen) is handed over with its raw bytes. What the methods mean is not known here.

import { CliChild } from '../lib/child.mjs';
import { parseObject } from '../lib/lossless.mjs';

/**
 * @typedef {object} Incoming
 * @property {(message: Record<string, any>, bytes: Buffer) => void} onMessage a notification or a request of the server
 * @property {(line: import('../lib/line_io.mjs').Line) => void} onText a line that is no JSON object
 */

/** An answer with an error. */
export class RpcError extends Error {
  /**
   * @param {string} method
   * @param {{ code?: number, message?: string }} error
   */
  constructor(method, error) {
    super(`${method}: ${error.message ?? 'failed'}`);
    this.method = method;
    this.code = error.code;
    this.said = error.message ?? '';
  }
}

/** A running `codex app-server`. */
export class AppServer {
  /** @type {CliChild} */ #cli;
  #incoming;
  #nextId = 1;
  /** @type {Map<number | string, { method: string, resolve: (result: any) => void, reject: (error: Error) => void }>} */
  #awaited = new Map();

  /**
   * @param {Omit<import('../lib/child.mjs').CliStart, 'onLines'>} start
   * @param {Incoming} incoming
   */
  constructor(start, incoming) {
    this.#incoming = incoming;
    this.#cli = new CliChild({ ...start, onLines: (lines) => lines.forEach((line) => this.#hear(line)) });
    this.#cli.exited.then(() => this.#abandon());
  }

  get cli() {
    return this.#cli;
  }

  /**
   * @param {string} method
   * @param {Record<string, unknown>} params
   * @returns {Promise<any>} the result
   */
  request(method, params) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#awaited.set(id, { method, resolve, reject });
      this.#cli.send({ id, method, params });
    });
  }

  /** @param {string} method */
  notify(method) {
    this.#cli.send({ method });
  }

  /**
   * @param {number | string} id of a request of the server
   * @param {unknown} result
   */
  answer(id, result) {
    this.#cli.send({ id, result });
  }

  /**
   * @param {number | string} id of a request of the server
   * @param {string} message why it is not followed
   */
  refuse(id, message) {
    this.#cli.send({ id, error: { code: -32601, message } });
  }

  /** @param {import('../lib/line_io.mjs').Line} line */
  #hear(line) {
    if (line.size === 0) return;
    const message = line.cut ? null : parseObject(line.bytes);
    if (!message) return this.#incoming.onText(line);
    if (typeof message.method === 'string') return this.#incoming.onMessage(message, line.bytes);
    const waiting = this.#awaited.get(message.id);
    if (!waiting) return;
    this.#awaited.delete(message.id);
    if (message.error) waiting.reject(new RpcError(waiting.method, message.error));
    else waiting.resolve(message.result ?? {});
  }

  /** Nobody will answer any more. */
  #abandon() {
    for (const { method, reject } of this.#awaited.values())
      reject(new RpcError(method, { message: 'codex has ended' }));
    this.#awaited.clear();
  }
}
