// What does one streamed answer of a model add up to? Ollama never sends a whole message, so it is put together here, and
// each block is told as soon as the next one begins.

import { OllamaFailure, errorIn } from './server.mjs';
import { parseObject } from '../lib/lossless.mjs';

/**
 * @typedef {object} Hearer
 * @property {(bytes: Uint8Array) => void} line a line of the stream, as it came
 * @property {(line: import('../lib/line_io.mjs').Line) => void} noLine something that is no JSON object
 * @property {(block: Record<string, unknown>) => void} block a finished block
 */
/** @typedef {{ promptTokens: number, replyTokens: number, reason: string }} Count */

/** One answer, while it comes. */
export class Reply {
  #hearer;
  /** @type {'thought' | 'text' | null} */ #open = null;
  #words = '';
  content = '';
  thinking = '';
  /** As the model wrote them. @type {any[]} */
  calls = [];
  /** Fields of the message that are not known here; they go back to the server as they came. @type {Record<string, any>} */
  #others = {};
  /** @type {Count | null} */ count = null;

  /** @param {Hearer} hearer */
  constructor(hearer) {
    this.#hearer = hearer;
  }

  /**
   * @param {AsyncIterable<import('../lib/line_io.mjs').Line>} lines
   * @param {() => Promise<void>} pace waits until the host takes more
   * @throws {OllamaFailure}
   */
  async read(lines, pace) {
    try {
      for await (const line of lines) {
        if (line.size > 0) this.#hear(line);
        await pace();
      }
    } finally {
      this.#finish();
    }
    if (!this.count)
      throw new OllamaFailure('the connection was lost in the middle of the answer', { code: 'ECONNRESET' });
  }

  /** The message as it goes into the conversation. @returns {import('./conversation.mjs').Message} */
  get message() {
    const { content, thinking, calls } = this;
    return {
      role: 'assistant',
      content,
      ...this.#others,
      ...(thinking ? { thinking } : {}),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    };
  }

  get isEmpty() {
    return this.content === '' && this.thinking === '' && this.calls.length === 0;
  }

  /** @param {import('../lib/line_io.mjs').Line} line */
  #hear(line) {
    const event = line.cut ? null : parseObject(line.bytes);
    if (!event) return this.#hearer.noLine(line);
    this.#hearer.line(line.bytes);
    if (event.error) throw new OllamaFailure(errorIn(JSON.stringify(event)));
    const { role: _role, content, thinking, tool_calls: calls, ...others } = event.message ?? {};
    this.#say('thought', thinking);
    this.#say('text', content);
    if (Array.isArray(calls)) this.calls.push(...calls);
    Object.assign(this.#others, others);
    if (!event.done) return;
    const { prompt_eval_count: promptTokens = 0, eval_count: replyTokens = 0, done_reason: reason = 'stop' } = event;
    this.count = { promptTokens, replyTokens, reason };
  }

  /**
   * @param {'thought' | 'text'} kind
   * @param {unknown} words
   */
  #say(kind, words) {
    if (typeof words !== 'string' || words === '') return;
    if (this.#open !== kind) this.#finish();
    this.#open = kind;
    this.#words += words;
    if (kind === 'text') this.content += words;
    else this.thinking += words;
  }

  #finish() {
    if (this.#open) this.#hearer.block({ type: this.#open, text: this.#words });
    this.#open = null;
    this.#words = '';
  }
}
