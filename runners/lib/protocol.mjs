// What a runner says to its host and how it hears what the host says: runner protocol, version 1, one JSON object a line
// on stdout and stdin. Knows the envelope only; what a query or a steer does is the session's business.
//
// A line that cannot be read, or a command that nobody knows, is answered with an `error` line and never ends the runner.

import { LineWriter, readLineBatches } from './line_io.mjs';
import { losslessText, parseObject } from './lossless.mjs';

export const PROTOCOL = 1;
export const RUNNER_VERSION = '0.1.0';

/** How much of a line that is no JSON object, or that was cut, is passed on, in bytes. */
const TEXT_LINE_LIMIT = 1024 * 1024;

/**
 * @typedef {object} Capabilities
 * @property {boolean} steer
 * @property {boolean} interrupt
 * @property {boolean} resume
 * @property {boolean} permissions
 * @property {boolean} setModel
 * @property {boolean} images
 * @property {boolean} mcp
 * @property {boolean} partials
 * @property {boolean} cost
 */

/** @typedef {Record<string, any> & { type: string }} HostLine */

/** The runner's side of the conversation with its host. */
export class HostChannel {
  #writer;
  #input;

  /**
   * @param {object} [streams]
   * @param {import('node:stream').Readable} [streams.input]
   * @param {import('node:stream').Writable} [streams.output]
   */
  constructor({ input = process.stdin, output = process.stdout } = {}) {
    this.#input = input;
    this.#writer = new LineWriter(output);
  }

  /** @param {Record<string, unknown>} message a protocol line; fields that are undefined are left out */
  send(message) {
    this.#writer.write(JSON.stringify(message));
  }

  /**
   * Passes on an event of the provider. The bytes of a JSON object are put in as they are, never serialised again, so
   * nothing about them changes: not the order of keys, not the size of numbers, not a lone surrogate.
   * @param {string} sessionId
   * @param {Uint8Array | string} object the text of one JSON object
   */
  event(sessionId, object) {
    this.#writer.write(`{"type":"agent_event","sessionId":${JSON.stringify(sessionId)},"event":`, object, '}');
  }

  /**
   * Passes on a line of a CLI that is no JSON object, or that was too long to be kept whole.
   * @param {string} sessionId
   * @param {import('./line_io.mjs').Line} line
   */
  textLine(sessionId, line) {
    const cut = line.cut || line.bytes.length > TEXT_LINE_LIMIT;
    const text = losslessText(line.bytes.subarray(0, TEXT_LINE_LIMIT));
    const event = { type: 'text_line', text, cut: cut || undefined, bytes: cut ? line.size : undefined };
    this.event(sessionId, JSON.stringify(event));
  }

  /**
   * @param {'debug' | 'info' | 'warn' | 'error'} level
   * @param {string} message
   */
  log(level, message) {
    this.send({ type: 'log', level, message });
  }

  /**
   * Says that a host line was not understood or could not be followed.
   * @param {string} message
   * @param {string} [command]
   */
  error(message, command) {
    this.send({ type: 'error', message, command });
  }

  /** Resolves as soon as the host takes more; a fast agent is slowed down by waiting for this. */
  ready() {
    return this.#writer.ready();
  }

  /** Resolves when everything said so far is on its way. */
  flush() {
    return this.#writer.flush();
  }

  /**
   * Hears the host until it closes the runner's stdin.
   * @param {(line: HostLine) => unknown} onLine must not throw
   */
  async listen(onLine) {
    for await (const lines of readLineBatches(this.#input)) {
      for (const line of lines) this.#hear(line, onLine);
    }
  }

  /**
   * @param {import('./line_io.mjs').Line} line
   * @param {(line: HostLine) => unknown} onLine
   */
  #hear(line, onLine) {
    if (line.size === 0) return;
    if (line.cut) return this.error(`a host line of ${line.size} bytes is over the limit and was not read`);
    const message = parseObject(line.bytes);
    if (!message || typeof message.type !== 'string') {
      return this.error(`a host line is no JSON object with a type: ${losslessText(line.bytes.subarray(0, 200))}`);
    }
    if (message.type === 'ping') return this.send({ type: 'pong' });
    onLine(/** @type {HostLine} */ (message));
  }
}
