// How replies leave: as server-sent events, as JSON, or not at all.

import { setTimeout as sleep } from 'node:timers/promises';
import { deltas } from './blocks.mjs';

let serial = 0;

/** @param {string} prefix */
export const newId = (prefix) => `${prefix}_standin_${String(++serial).padStart(6, '0')}`;

/** A reply that is streamed as server-sent events. */
export class EventStream {
  #response;
  #open = true;

  /** @param {import('node:http').ServerResponse} response */
  constructor(response) {
    this.#response = response;
    const id = newId('req');
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'request-id': id,
      'x-request-id': id,
    });
    response.on('close', () => (this.#open = false));
  }

  /** Whether the CLI still listens. */
  get open() {
    return this.#open;
  }

  /**
   * @param {string} name
   * @param {Record<string, unknown>} data
   */
  send(name, data) {
    if (this.#open) this.#response.write(`event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`);
  }

  /**
   * Sends an event without a name. In ASCII, because gemini takes a raw U+2028 for the end of a line.
   * @param {unknown} data a text is sent as it is
   */
  data(data) {
    const ascii = (/** @type {string} */ json) =>
      json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    const text = typeof data === 'string' ? data : ascii(JSON.stringify(data));
    if (this.#open) this.#response.write(`data: ${text}\n\n`);
  }

  /**
   * Sends a block's words delta by delta.
   * @param {{ text: string, chunk?: number, delayMs?: number, splitPairs?: boolean }} block
   * @param {(delta: string) => void} sendDelta
   */
  async pump(block, sendDelta) {
    for (const delta of deltas(block)) {
      if (!this.#open) return;
      sendDelta(delta);
      if (block.delayMs) await sleep(block.delayMs);
    }
  }

  end() {
    this.#response.end();
  }

  /** Breaks the connection off. */
  drop() {
    this.#response.socket?.destroy();
  }
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {unknown} body
 * @param {Record<string, string>} [headers]
 */
export function sendJson(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': newId('req'), ...headers });
  response.end(JSON.stringify(body));
}
