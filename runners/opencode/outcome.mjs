// How did a turn of opencode end, what did it use, and what went wrong?
//
// opencode counts per assistant message and tells each message's numbers again and again while they grow.

import { apiFailure } from '../lib/api_failure.mjs';

/** @typedef {import('../lib/agent_lines.mjs').AgentError} AgentError */

/**
 * @param {Record<string, any>} error of a `session.error` or a message
 * @returns {AgentError}
 */
export function failure({ name = '', data = {} }) {
  const message = data.message || name || 'opencode ended the turn with an error';
  switch (name) {
    case 'ContextOverflowError':
      return { code: 'context_exceeded', message };
    case 'ProviderAuthError':
      return { code: 'auth', message };
    default: {
      const told = apiFailure({ status: data.statusCode, text: `${message} ${data.responseBody ?? ''}` });
      return {
        message,
        ...told,
        retryable: data.isRetryable === undefined ? told.retryable : Boolean(data.isRetryable),
      };
    }
  }
}

/** Whether an error only says that somebody interrupted the turn. @param {Record<string, any> | undefined} error */
export const isAbort = (error) => error?.name === 'MessageAbortedError';

/**
 * @param {string | undefined} finish of the last message
 * @returns {import('../lib/agent_lines.mjs').StopReason}
 */
export function stopReason(finish) {
  if (finish === 'length') return 'maxTurns';
  return finish === 'content-filter' ? 'refused' : 'endTurn';
}

/** @typedef {{ input: number, output: number, cacheRead: number, cacheWrite: number, cost: number }} Count */

/** What each turn used, over all messages of the session and of its sub-agents. */
export class OpencodeUsage {
  /** By message, as last told. @type {Map<string, Count>} */ #messages = new Map();
  /** What was told of earlier turns. @type {Count} */ #before = {
    input: 0,
    output: 0,
    cacheRead: 0,
    cacheWrite: 0,
    cost: 0,
  };
  /** @type {number | undefined} */ #contextUsed;
  /** @type {number | undefined} */ contextSize;

  /**
   * @param {Record<string, any>} info of an assistant message
   * @param {boolean} isMain whether it is the session's own and not a sub-agent's
   */
  note({ id, cost = 0, tokens = {} }, isMain) {
    const { input = 0, reasoning = 0, cache = {} } = tokens;
    const output = (tokens.output ?? 0) + reasoning;
    const [cacheRead, cacheWrite] = [cache.read ?? 0, cache.write ?? 0];
    this.#messages.set(id, { input, output, cacheRead, cacheWrite, cost });
    const all = input + output + cacheRead + cacheWrite;
    if (isMain && all > 0) this.#contextUsed = all;
  }

  /** @returns {import('../lib/agent_lines.mjs').Usage} what was used since the last call */
  ofTurn() {
    const all = [...this.#messages.values()];
    const total = (/** @type {keyof Count} */ what) => all.reduce((sum, count) => sum + count[what], 0);
    const share = (/** @type {keyof Count} */ what) => total(what) - this.#before[what];
    const usage = {
      inputTokens: share('input'),
      outputTokens: share('output'),
      cacheReadTokens: share('cacheRead'),
      cacheWriteTokens: share('cacheWrite'),
      // Sums of small numbers leave dust behind.
      costUsd: Number(share('cost').toFixed(9)),
      contextUsed: this.#contextUsed,
      contextSize: this.contextSize,
    };
    for (const what of /** @type {(keyof Count)[]} */ (Object.keys(this.#before))) this.#before[what] = total(what);
    return usage;
  }
}
