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

/**
 * What is known of an agent.
 * @typedef {object} AgentFacts
 * @property {string} [nativeSessionId]
 * @property {string} [cliVersion]
 * @property {string} [model]
 * @property {'ask' | 'acceptEdits' | 'plan' | 'bypass'} [permissionMode] the one that it works in now
 * @property {string} [auth] which kind of account the CLI says it uses: never a token, never a name
 */
/**
 * What a person can choose from.
 * @typedef {object} AgentOffers
 * @property {{ name: string, description?: string, hint?: string }[]} [commands] that a prompt may begin with, without the slash
 * @property {{ id: string, name: string, description?: string, efforts?: string[] }[]} [models]
 */

/** What the host is told about one agent. */
export class AgentLines {
  #host;
  /** @type {string | null} */ #turnId = null;
  /** @type {string} */ #lastStarted = '';
  /** @type {string} */ #lastOffers = '';
  /** @type {AgentFacts} */ #known = {};
  /** @type {AgentOffers} */ #offers = {};
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

  /** What is known of the agent so far. */
  get known() {
    return this.#known;
  }

  /**
   * Tells what is known about the agent, each time that something new is known.
   * @param {AgentFacts} facts those that are undefined or null say nothing
   */
  started(facts) {
    this.#known = { ...this.#known, ...definedOnly(facts) };
    const { nativeSessionId, cliVersion, model, permissionMode, auth } = this.#known;
    const about = { nativeSessionId, cliVersion, model, permissionMode, auth };
    const line = { type: 'agent_started', sessionId: this.sessionId, ...about };
    this.#lastStarted = this.#sendNew(line, this.#lastStarted);
  }

  /**
   * Tells what a person can choose from, each time that it has changed.
   * @param {AgentOffers} offers
   */
  offers(offers) {
    this.#offers = { ...this.#offers, ...definedOnly(offers) };
    const line = { type: 'agent_offers', sessionId: this.sessionId, ...this.#offers };
    this.#lastOffers = this.#sendNew(line, this.#lastOffers);
  }

  /**
   * @param {Record<string, unknown>} line
   * @param {string} last what was sent before
   * @returns {string} what has been sent now
   */
  #sendNew(line, last) {
    const text = JSON.stringify(line);
    if (text !== last) this.#host.send(line);
    return text;
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

  /**
   * Tells that the CLI has ended, and its open turn with it.
   * @param {import('./child.mjs').CliExit} exit
   * @param {boolean} asked whether we asked for the end
   */
  ended(exit, asked) {
    this.closeTurn(asked ? 'interrupted' : 'error');
    this.stopped(exit);
  }
}

/**
 * @template {Record<string, any>} T
 * @param {T} object
 * @returns {Partial<T>} without the fields that are undefined or null
 */
export function definedOnly(object) {
  return /** @type {Partial<T>} */ (Object.fromEntries(Object.entries(object).filter(([, value]) => value != null)));
}
