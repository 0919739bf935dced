// How is a CLI talked to that speaks JSON-RPC over its stdin and stdout, one object a line?
//
// Requests of ours get their answers here. Everything else (notifications, requests of the CLI) is handed over with its raw
// bytes, and so are answers where the caller wants to see them. What the methods mean is not known here.

import { CliChild } from './child.mjs';
import { parseObject } from './lossless.mjs';

/** The code of JSON-RPC for a method that is not there. */
export const METHOD_NOT_FOUND = -32601;

/**
 * @typedef {object} Incoming
 * @property {(message: Record<string, any>, bytes: Buffer) => void} onMessage a notification or a request of the CLI
 * @property {(line: import('./line_io.mjs').Line) => void} onText a line that is no JSON object
 * @property {(answer: Record<string, any>, bytes: Buffer, method: string) => void} [onAnswer] an answer to a request of ours, before
 *   the caller of the request gets it
 */

/** An answer with an error. */
export class RpcError extends Error {
  /**
   * @param {string} method
   * @param {{ code?: number, message?: string, data?: any }} error
   */
  constructor(method, error) {
    super(`${method}: ${error.message ?? 'failed'}`);
    this.method = method;
    this.code = error.code;
    this.said = error.message ?? '';
    this.data = error.data;
  }
}

/** A running CLI that speaks JSON-RPC. */
export class RpcChild {
  /** @type {CliChild} */ #cli;
  #incoming;
  #head;
  #name;
  #nextId = 1;
  /** @type {Map<number | string, { method: string, resolve: (result: any) => void, reject: (error: Error) => void }>} */
  #awaited = new Map();

  /**
   * @param {Omit<import('./child.mjs').CliStart, 'onLines'>} start
   * @param {Incoming} incoming
   * @param {{ name: string, versioned: boolean }} how its name for people, and whether each object says `"jsonrpc":"2.0"`
   */
  constructor(start, incoming, { name, versioned }) {
    this.#incoming = incoming;
    this.#name = name;
    this.#head = versioned ? { jsonrpc: '2.0' } : {};
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
      this.#cli.send({ ...this.#head, id, method, params });
    });
  }

  /**
   * @param {string} method
   * @param {Record<string, unknown>} [params]
   */
  notify(method, params) {
    this.#cli.send({ ...this.#head, method, params });
  }

  /**
   * @param {number | string} id of a request of the CLI
   * @param {unknown} result
   */
  answer(id, result) {
    this.#cli.send({ ...this.#head, id, result });
  }

  /**
   * @param {number | string} id of a request of the CLI
   * @param {string} message why it is not followed
   * @param {number} [code] of JSON-RPC
   */
  refuse(id, message, code = METHOD_NOT_FOUND) {
    this.#cli.send({ ...this.#head, id, error: { code, message } });
  }

  /** @param {import('./line_io.mjs').Line} line */
  #hear(line) {
    if (line.size === 0) return;
    const message = line.cut ? null : parseObject(line.bytes);
    if (!message) return this.#incoming.onText(line);
    if (typeof message.method === 'string') return this.#incoming.onMessage(message, line.bytes);
    const waiting = this.#awaited.get(message.id);
    this.#incoming.onAnswer?.(message, line.bytes, waiting?.method ?? '');
    if (!waiting) return;
    this.#awaited.delete(message.id);
    if (message.error) waiting.reject(new RpcError(waiting.method, message.error));
    else waiting.resolve(message.result ?? {});
  }

  /** Nobody will answer any more. */
  #abandon() {
    for (const { method, reject } of this.#awaited.values())
      reject(new RpcError(method, { message: `${this.#name} has ended` }));
    this.#awaited.clear();
  }
}
