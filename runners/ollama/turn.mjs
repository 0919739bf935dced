// What happens in one turn? The model is asked, the tools that it calls are used, the results go back to it, until it calls
// none: the loop that makes a model an agent.
//
// A user message that comes in mid-turn is taken before the next question to the model, never in the middle of an answer.

import { randomUUID } from 'node:crypto';
import { identityOf } from './conversation.mjs';
import { contextExceeded } from './failure.mjs';
import { question } from './permission.mjs';
import { Reply } from './reply.mjs';

/** How often the model is asked in one turn unless the host says otherwise. */
const ROUNDS = 200;

/** @typedef {import('./tools.mjs').Call} Call */
/** @typedef {import('./conversation.mjs').Message} Message */
/** @typedef {{ outcome: import('../lib/pending_permissions.mjs').Outcome, message?: string, updatedInput?: unknown }} Answer */
/** @typedef {import('../lib/agent_lines.mjs').StopReason} StopReason */

/**
 * @typedef {object} Setting
 * @property {import('./conversation.mjs').Conversation} conversation
 * @property {import('./tools.mjs').Tools} tools
 * @property {import('./permission.mjs').StandingAnswers} answers
 * @property {AbortSignal} signal aborted when the turn is interrupted
 * @property {string[]} steers user messages that wait; taken from the front
 * @property {number} [maxRounds]
 * @property {number | undefined} contextSize in tokens, as far as it is known
 * @property {() => string} mode the permission mode, which can change in mid-turn
 * @property {(messages: Message[]) => AsyncIterable<import('../lib/line_io.mjs').Line>} chat
 * @property {(event: Record<string, unknown> | Uint8Array) => void} emit
 * @property {(line: import('../lib/line_io.mjs').Line) => void} text a line that is no JSON object
 * @property {() => Promise<void>} pace
 * @property {(ask: import('../lib/pending_permissions.mjs').PermissionAsk) => Promise<Answer>} ask
 */

/** The turn must end with this error. */
export class TurnFailed extends Error {
  /**
   * @param {import('../lib/agent_lines.mjs').AgentError} error
   * @param {StopReason} reason
   */
  constructor(error, reason) {
    super(error.message);
    this.error = error;
    this.reason = reason;
  }
}

/** One turn. */
export class Turn {
  #setting;
  /** Messages that were sent and not yet kept, because the server has not taken them. @type {Message[]} */
  #unkept = [];
  /** What was used. */
  usage = { inputTokens: 0, outputTokens: 0, /** @type {number | undefined} */ contextUsed: undefined };

  /** @param {Setting} setting */
  constructor(setting) {
    this.#setting = setting;
  }

  /**
   * @param {Message} prompt
   * @throws {TurnFailed | import('./server.mjs').OllamaFailure} and whatever the signal was aborted with
   */
  async run(prompt) {
    const { maxRounds = ROUNDS, steers, signal } = this.#setting;
    this.#unkept.push(prompt);
    for (let round = 1; ; round++) {
      for (let steer = steers.shift(); steer !== undefined; steer = steers.shift()) {
        this.#unkept.push({ role: 'user', content: steer });
      }
      const reply = await this.#ask();
      for (const [at, call] of reply.calls.entries()) await this.#use(call, reply.calls.slice(at));
      signal.throwIfAborted();
      if (reply.calls.length === 0 && steers.length === 0) return;
      if (round >= maxRounds) throw tooManyRounds(maxRounds);
    }
  }

  async #ask() {
    const { conversation, tools, signal, emit, text, pace, chat } = this.#setting;
    for (const problem of await tools.refresh(signal)) {
      emit({ type: 'notice', level: 'warning', code: 'mcp', text: problem });
    }
    const reply = new Reply({
      line: (bytes) => {
        this.#keep();
        emit(bytes);
      },
      noLine: text,
      block: emit,
    });
    try {
      await reply.read(chat([...conversation.messages, ...this.#unkept]), pace);
    } catch (error) {
      // What it said until then was said; calls that were not used are left out.
      reply.calls = [];
      if (!reply.isEmpty) conversation.add(reply.message);
      throw error;
    }
    signal.throwIfAborted();
    conversation.add(reply.message);
    this.#count(reply);
    return reply;
  }

  /** The server has begun to answer, so what it was sent belongs to the conversation. */
  #keep() {
    this.#unkept.splice(0).forEach((message) => this.#setting.conversation.add(message));
  }

  /** @param {Reply} reply */
  #count({ count }) {
    if (!count) return;
    this.usage.inputTokens += count.promptTokens;
    this.usage.outputTokens += count.replyTokens;
    this.usage.contextUsed = count.promptTokens + count.replyTokens;
    if (count.reason !== 'length') return;
    const said = `the answer was cut off after ${this.usage.contextUsed} tokens`;
    throw new TurnFailed(contextExceeded(said, this.#setting.contextSize), 'error');
  }

  /**
   * @param {any} written the call as the model wrote it
   * @param {any[]} rest it and those after it
   */
  async #use(written, rest) {
    const { conversation, tools, signal } = this.#setting;
    try {
      signal.throwIfAborted();
      const id = typeof written?.id === 'string' && written.id !== '' ? written.id : randomUUID();
      const name = String(written?.function?.name ?? '');
      const call = await tools.prepared(`${id}/${randomUUID().slice(0, 8)}`, name, written?.function?.arguments);
      const output = await this.#result(call);
      conversation.add({ role: 'tool', content: output, ...identityOf(written) });
    } catch (error) {
      // Models expect an answer to each call.
      for (const call of rest) {
        conversation.add({ role: 'tool', content: 'The user interrupted this.', ...identityOf(call) });
      }
      throw error;
    }
  }

  /**
   * @param {Call} call
   * @returns {Promise<string>} what the model is told
   */
  async #result(call) {
    const { tools, signal, emit, pace } = this.#setting;
    const { id, name, kind, title, input, change } = call;
    emit({ type: 'tool_call', id, name, kind, title, input, change });
    const refused = call.impossible ?? (await this.#objection(call));
    if (signal.aborted) emit({ type: 'tool_result', id, ok: false, cancelled: true, output: '' });
    signal.throwIfAborted();
    if (refused !== null) {
      emit({ type: 'tool_result', id, ok: false, denied: call.impossible === undefined || undefined, output: refused });
      return refused;
    }
    const began = performance.now();
    const onOutput = (/** @type {string} */ text) => emit({ type: 'tool_output', id, text });
    const result = await tools.done(call, signal, onOutput).catch((error) => {
      emit({ type: 'tool_result', id, ok: false, cancelled: true, output: '' });
      throw error;
    });
    const durationMs = Math.round(performance.now() - began);
    emit({ type: 'tool_result', id, ...result, cancelled: signal.aborted || undefined, durationMs });
    await pace();
    signal.throwIfAborted();
    return result.output;
  }

  /**
   * @param {Call} call whose input changes when the answer has another
   * @returns {Promise<string | null>} why it is not done, or null
   */
  async #objection(call) {
    const { answers, mode, ask, tools } = this.#setting;
    const verdict = answers.about(call, mode());
    if (verdict.verdict === 'refused') return verdict.why;
    if (verdict.verdict === 'free') return null;
    const { outcome, message, updatedInput } = await ask(question(call));
    answers.note(call, outcome);
    if (outcome === 'deny' || outcome === 'denyAlways') return `The user denied this. ${message ?? ''}`.trim();
    if (updatedInput === undefined || updatedInput === null) return null;
    const changed = await tools.prepared(call.id, call.name, updatedInput);
    Object.assign(call, { input: changed.input, title: changed.title });
    return changed.impossible ?? null;
  }
}

/** @param {number} rounds */
function tooManyRounds(rounds) {
  const message = `the model has used its tools in ${rounds} rounds, as many as it may in one turn; prompt it to go on`;
  return new TurnFailed({ code: 'max_turns', message }, 'maxTurns');
}
