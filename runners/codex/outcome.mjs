// How did a turn of codex end, what did it use, and what went wrong?
//
// codex counts tokens over the whole thread, also over resumes, so a turn's share is the difference. Its input tokens
// include what came from the cache; ours do not. It tells no cost: there is one only where the user has told the prices.

import { apiFailure } from '../lib/api_failure.mjs';

/** @type {Record<string, import('../lib/agent_lines.mjs').StopReason>} */
const REASONS = { completed: 'endTurn', interrupted: 'interrupted', failed: 'error' };

/**
 * @param {string} status of a finished turn
 * @returns {import('../lib/agent_lines.mjs').StopReason}
 */
export function stopReason(status) {
  return REASONS[status] ?? 'error';
}

/**
 * @param {{ message?: string, codexErrorInfo?: any, additionalDetails?: string | null }} error
 * @returns {import('../lib/agent_lines.mjs').AgentError}
 */
export function failure(error) {
  const info = error.codexErrorInfo;
  const kind = typeof info === 'string' ? info : Object.keys(info ?? {})[0];
  const status = (info && typeof info === 'object' && Object.values(info)[0]?.httpStatusCode) || statusOf(kind);
  const message = plainMessage(error.message ?? 'codex ended the turn with an error');
  // The kind "other" and the names of codex's own transports say nothing; the sentence does.
  const text = [message, error.additionalDetails, /^other$/.test(kind ?? '') ? '' : kind].filter(Boolean).join(' ');
  return { message, ...apiFailure({ status: status ?? statusIn(message), text }) };
}

/**
 * @param {import('./app_server.mjs').RpcError} error
 * @returns {boolean} whether codex says that it does not have the conversation it was to resume
 */
export function isUnknownConversation({ method, said }) {
  if (method === 'thread/list') return /no earlier conversation/.test(said);
  return (
    method === 'thread/resume' && /not found|no rollout|no such|does not exist|is empty|invalid thread/i.test(said)
  );
}

/**
 * @param {Record<string, any>} query
 * @param {string} said
 * @returns {import('../lib/agent_lines.mjs').AgentError}
 */
export function unknownConversation({ resumeMode, resumeSessionId, cwd }, said) {
  const which =
    resumeMode === 'resume'
      ? `no longer knows the conversation ${resumeSessionId} (${said})`
      : `knows no earlier conversation in ${cwd}`;
  return {
    code: 'conversation_unknown',
    message: `codex ${which}. Nothing was sent to it; the next prompt begins a new conversation.`,
  };
}

/** @param {string | undefined} kind */
function statusOf(kind) {
  const statuses = /** @type {Record<string, number>} */ ({
    unauthorized: 401,
    rateLimitExceeded: 429,
    serverOverloaded: 529,
    internalServerError: 500,
    badRequest: 400,
  });
  return statuses[kind ?? ''];
}

/** @param {string} message */
function statusIn(message) {
  const status = /\bstatus (\d{3})\b/.exec(message)?.[1];
  return status ? Number(status) : undefined;
}

/**
 * codex hands on the body of a refused request as it came.
 * @param {string} message
 */
function plainMessage(message) {
  try {
    return JSON.parse(message).error?.message ?? message;
  } catch {
    return message;
  }
}

/**
 * What a model costs, in US dollars for a million tokens.
 * @typedef {{ input: number, cachedInput?: number, output: number }} Price
 */

/** What each turn used, from the thread's running totals. */
export class CodexUsage {
  /** @type {Record<string, number>} */ #total = {};
  /** @type {Record<string, number>} */ #before = {};
  /** @type {number | undefined} */ #contextUsed;
  /** @type {number | undefined} */ #contextSize;

  /** @param {Record<string, any>} tokenUsage of a `thread/tokenUsage/updated` */
  note({ total, last, modelContextWindow }) {
    this.#total = total ?? this.#total;
    this.#contextUsed = last?.totalTokens ?? this.#contextUsed;
    this.#contextSize = modelContextWindow ?? this.#contextSize;
  }

  /** A turn begins; what was counted until now belongs to earlier ones. */
  begin() {
    this.#before = this.#total;
  }

  /**
   * @param {Price} [price] of the turn's model, where it is known; without it the cost stays unknown
   * @returns {import('../lib/agent_lines.mjs').Usage}
   */
  ofTurn(price) {
    const share = (/** @type {string} */ key) => (this.#total[key] ?? 0) - (this.#before[key] ?? 0);
    const cached = share('cachedInputTokens');
    const usage = {
      inputTokens: Math.max(0, share('inputTokens') - cached),
      outputTokens: share('outputTokens'),
      cacheReadTokens: cached,
      cacheWriteTokens: share('cacheWriteInputTokens'),
      contextUsed: this.#contextUsed,
      contextSize: this.#contextSize,
    };
    this.#before = this.#total;
    return { ...usage, costUsd: price && cost(usage, price) };
  }
}

/**
 * @param {{ inputTokens: number, outputTokens: number, cacheReadTokens: number }} usage
 * @param {Price} price
 */
function cost({ inputTokens, outputTokens, cacheReadTokens }, { input, cachedInput = input, output }) {
  return (inputTokens * input + cacheReadTokens * cachedInput + outputTokens * output) / 1e6;
}
