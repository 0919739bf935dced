// The lines about an agent's life that every runner sends in the same form: started, turns, errors, stopped.
//
// Keeps the open turn, so that every turn_started has exactly one turn_ended.

import { randomUUID } from 'node:crypto';

/**
 * @typedef {object} Usage
 * @property {number} [inputTokens] sent, without what came from a cache
 * @property {number} [outputTokens]
 * @property {number} [cacheReadTokens]
 * @property {number} [cacheWriteTokens]
 * @property {number} [costUsd]
 * @property {number} [contextUsed]
 * @property {number} [contextSize]
 */
/** @typedef {'endTurn' | 'maxTurns' | 'interrupted' | 'refused' | 'error'} StopReason */
/**
 * @typedef {object} AgentError
 * @property {string} code
 * @property {string} message what failed and what to do
 * @property {boolean} [retryable] whether the same may succeed later without anybody doing something
 * @property {number} [retryAfterMs] how long to wait, in milliseconds, when the provider says so
 * @property {number | null} [exitCode] of the CLI, when it exited
 * @property {string | null} [signal] that ended the CLI
 * @property {string[]} [stderrTail] the CLI's last 24 lines
 */

/** What the host is told about one agent. */
export class AgentLines {
  #host;
  /** @type {string | null} */ #turnId = null;
  /** @type {string} */ #lastStarted = '';
  #stopped = false;
  sessionId = '';

  /** @param {import('./protocol.mjs').HostChannel} host */
  constructor(host) {
    this.#host = host;
  }

  /** The open turn's id, or null. */
  get turnId() {
    return this.#turnId;
  }

  /**
   * Tells what is known about the agent, each time that something new is known.
   * @param {{ nativeSessionId?: string, cliVersion?: string, model?: string }} known
   */
  started({ nativeSessionId, cliVersion, model }) {
    const line = { type: 'agent_started', sessionId: this.sessionId, nativeSessionId, cliVersion, model };
    const text = JSON.stringify(line);
    if (text === this.#lastStarted) return;
    this.#lastStarted = text;
    this.#host.send(line);
  }

  /**
   * Opens a turn; without effect while one is open.
   * @param {string} [turnId] the provider's own id of the turn
   */
  openTurn(turnId = randomUUID()) {
    if (this.#turnId !== null) return;
    this.#turnId = turnId;
    this.#host.send({ type: 'turn_started', sessionId: this.sessionId, turnId });
  }

  /**
   * Closes the open turn; without effect while none is open.
   * @param {StopReason} stopReason
   * @param {Usage} [usage]
   * @param {Record<string, unknown>} [more] further facts about the turn
   */
  closeTurn(stopReason, usage, more = {}) {
    if (this.#turnId === null) return;
    const turnId = this.#turnId;
    this.#turnId = null;
    this.#host.send({ type: 'turn_ended', sessionId: this.sessionId, turnId, stopReason, usage, ...more });
  }

  /** @param {AgentError} error */
  failed({ code, message, retryable = false, retryAfterMs, exitCode, signal, stderrTail }) {
    const about = { type: 'agent_error', sessionId: this.sessionId, code, message, retryable };
    this.#host.send({
      ...about,
      retryAfterMs,
      exitCode: exitCode ?? undefined,
      signal: signal ?? undefined,
      stderrTail,
    });
  }

  /** @param {'now' | 'queued'} accepted */
  steerAccepted(accepted) {
    this.#host.send({ type: 'steer_accepted', sessionId: this.sessionId, accepted });
  }

  /** @param {{ code: number | null, signal?: string | null }} exit */
  stopped({ code, signal = null }) {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#host.send({ type: 'agent_stopped', sessionId: this.sessionId, exitCode: code, signal });
  }
}
