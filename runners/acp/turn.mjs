// When does a turn of an ACP agent begin and end, and what came of it?
//
// A turn is over when every prompt that was sent into it is answered: one, or more where the agent takes a second prompt as
// steering.

import { RpcError } from '../lib/json_rpc.mjs';
import { failure, failureInWords, stopReason } from './outcome.mjs';

/** How much of the agent's last words is remembered, in characters: an error told as text is short. */
const WORDS_KEPT = 4000;

/**
 * @typedef {object} TurnOf
 * @property {import('../lib/json_rpc.mjs').RpcChild} agent
 * @property {import('../lib/agent_session.mjs').AgentSession} session
 * @property {import('./outcome.mjs').AcpUsage} usage
 * @property {import('./quirks.mjs').Quirks} quirks
 * @property {Record<string, any>[]} authMethods what the agent offers for signing in
 * @property {string} sessionId the agent's own
 * @property {(stopReason: string) => void} onEnd before the host is told
 */

/** The turns of one session, one at a time. */
export class Turn {
  #of;
  #unanswered = 0;
  /** @type {Record<string, any> | null} */ #answer = null;
  /** @type {RpcError | null} */ #error = null;
  /** Whether the agent marked the turn as failed. */
  #failed = false;
  #words = '';

  /** @param {TurnOf} of */
  constructor(of) {
    this.#of = of;
  }

  get running() {
    return this.#unanswered > 0;
  }

  /**
   * Sends a prompt, as a turn of its own or into the running one. Resolves when it is answered.
   * @param {Record<string, unknown>[]} blocks
   */
  async prompt(blocks) {
    if (!this.running) this.#begin();
    this.#unanswered += 1;
    try {
      this.#answer = await this.#of.agent.request('session/prompt', { sessionId: this.#of.sessionId, prompt: blocks });
      this.#of.usage.hearResult(this.#answer ?? {});
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      this.#error = error;
    } finally {
      this.#unanswered -= 1;
    }
    if (!this.running) this.#end();
  }

  /** @param {Record<string, any>} update */
  hear(update) {
    const { failure: mark } = this.#of.quirks;
    if (mark && valueAt(update, mark.path) === mark.is) {
      this.#failed = true;
      this.#words = '';
    }
    if (update.sessionUpdate === 'agent_message_chunk' && typeof update.content?.text === 'string')
      this.#words = `${this.#words}${update.content.text}`.slice(-WORDS_KEPT);
  }

  #begin() {
    this.#answer = null;
    this.#error = null;
    this.#failed = false;
    this.#words = '';
    this.#of.usage.begin();
    this.#of.session.opened();
  }

  #end() {
    const { session, usage, onEnd } = this.#of;
    // The agent's own end says by itself what happened.
    if (this.#of.agent.cli.hasEnded) return;
    const problem = this.#problem();
    if (problem) session.lines.failed({ ...problem, stderrTail: this.#of.agent.cli.stderrTail });
    const reason = problem ? 'error' : stopReason(this.#answer?.stopReason);
    onEnd(this.#answer?.stopReason ?? '');
    session.closed(reason, usage.ofTurn());
  }

  /** @returns {import('../lib/agent_lines.mjs').AgentError | null} */
  #problem() {
    const { quirks, authMethods } = this.#of;
    // Of several prompts in one turn the last one counts.
    if (this.#error && !this.#answer) return failure(this.#error, quirks.name, authMethods);
    return this.#failed ? failureInWords(this.#words, quirks.name, authMethods) : null;
  }
}

/**
 * @param {any} value
 * @param {string[]} path
 */
const valueAt = (value, path) => path.reduce((inner, key) => inner?.[key], value);
