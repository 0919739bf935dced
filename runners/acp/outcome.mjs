// How did a turn of an ACP agent end, what did it use, and what went wrong?

import { apiFailure } from '../lib/api_failure.mjs';

/** @typedef {import('../lib/json_rpc.mjs').RpcError} RpcError */
/** @typedef {import('../lib/agent_lines.mjs').AgentError} AgentError */
/** @typedef {import('../lib/agent_lines.mjs').Usage} Usage */
/** @typedef {import('./quirks.mjs').Quirks} Quirks */

/** The agent's code for "sign in first". */
const AUTH_REQUIRED = -32000;
/** The agent's code for "there is no such thing". */
const NOT_FOUND = -32002;

/** @type {Record<string, import('../lib/agent_lines.mjs').StopReason>} */
const REASONS = { end_turn: 'endTurn', max_turn_requests: 'maxTurns', refusal: 'refused', cancelled: 'interrupted' };

/**
 * @param {string | undefined} reason
 * @returns {import('../lib/agent_lines.mjs').StopReason}
 */
export function stopReason(reason) {
  return REASONS[reason ?? ''] ?? 'endTurn';
}

/**
 * @param {RpcError} error
 * @param {string} name the agent's
 * @param {Record<string, any>[]} authMethods what it offers for signing in
 * @returns {AgentError}
 */
export function failure(error, name, authMethods) {
  const said = wordsOf(error);
  const failed = apiFailure({ status: statusOf(error, said), text: said });
  if (error.code !== AUTH_REQUIRED && failed.code !== 'auth') return { message: said, ...failed };
  return { code: 'auth', retryable: false, message: signIn(said, name, authMethods) };
}

/**
 * What a turn says that ended well although it failed.
 * @param {string} words the agent's last ones
 * @param {string} name the agent's
 * @param {Record<string, any>[]} authMethods
 * @returns {AgentError}
 */
export function failureInWords(words, name, authMethods) {
  const said = plain(words.trim()) || `${name} ended the turn with an error and did not say which`;
  const failed = apiFailure({ status: statusIn(said), text: words });
  return { ...failed, message: failed.code === 'auth' ? signIn(said, name, authMethods) : said };
}

/**
 * @param {RpcError} error
 * @returns {boolean} whether the agent says that it does not have the conversation it was to open
 */
export function isUnknownConversation(error) {
  if (error.code === NOT_FOUND) return true;
  return /not found|no rollout|no previous|no such|no earlier|does not exist|unknown session|invalid session/i.test(
    wordsOf(error),
  );
}

/**
 * @param {Record<string, any>} query
 * @param {string} name the agent's
 * @param {string} why
 * @returns {AgentError}
 */
export function unknownConversation({ resumeMode, resumeSessionId, cwd }, name, why) {
  const which =
    resumeMode === 'resume'
      ? `cannot open the conversation ${resumeSessionId} again (${why})`
      : `knows no earlier conversation in ${cwd} (${why})`;
  return {
    code: 'conversation_unknown',
    message: `${name} ${which}. Nothing was sent to it; the next prompt begins a new conversation.`,
  };
}

/**
 * Everything that an error says, in one line.
 * @param {RpcError} error
 */
export function wordsOf({ said, data }) {
  const details = [data?.details, data?.message, typeof data === 'string' ? data : undefined].filter(
    (detail) => typeof detail === 'string' && detail !== '',
  );
  const first = plain(said);
  // "Internal error" says nothing when there is something better.
  if (/^internal error\.?$/i.test(first) && details.length > 0) return details.map(plain).join(' ');
  return [first, ...details.map(plain).filter((detail) => !first.includes(detail))].join(': ');
}

/**
 * @param {string} said
 * @param {string} name
 * @param {Record<string, any>[]} methods
 */
function signIn(said, name, methods) {
  const offers = methods.map((method) => [method.name ?? method.id, method.description].filter(Boolean).join(' – '));
  const ways = offers.length > 0 ? ` It offers: ${offers.join('; ')}.` : '';
  return `${name} is not signed in: ${said.replace(/\.$/, '')}.${ways} Sign in with its own program, outside of here.`;
}

/**
 * @param {RpcError} error
 * @param {string} said
 */
function statusOf({ code, data }, said) {
  if (code !== undefined && code >= 400 && code < 600) return code;
  const status = Number(data?.status ?? data?.statusCode);
  return status >= 400 && status < 600 ? status : statusIn(said);
}

/** @param {string} said */
function statusIn(said) {
  const status = /\b(?:API Error:|status(?: code)?:?|HTTP|\[API Error:?) ?(\d{3})\b|^(\d{3})\b/i.exec(said);
  return status ? Number(status[1] ?? status[2]) : undefined;
}

/**
 * Some hand on the body of a refused request as it came.
 * @param {string} text
 * @returns {string}
 */
function plain(text) {
  try {
    return JSON.parse(text).error?.message ?? text;
  } catch {
    return text;
  }
}

/** What each turn used. */
export class AcpUsage {
  #quirks;
  /** @type {Usage} */ #turn = {};
  /** The cost of the whole conversation, and where it stood when the turn began. @type {number | undefined} */ #cost;
  /** @type {number | undefined} */ #costBefore = 0;
  /** @type {Usage} */ #context = {};

  /** @param {Quirks} quirks */
  constructor(quirks) {
    this.#quirks = quirks;
  }

  /** An earlier conversation goes on: what it has cost so far is not known. */
  resumed() {
    if (this.#quirks.costOverLoads) this.#costBefore = undefined;
  }

  begin() {
    this.#turn = {};
  }

  /** @param {Record<string, any>} update */
  hear(update) {
    if (update.sessionUpdate === 'usage_update') this.#hearUsage(update);
    const counted = this.#quirks.usageInChunks ? update._meta?.usage : undefined;
    if (counted) {
      this.#add(counted);
      this.#context.contextUsed = counted.inputTokens ?? this.#context.contextUsed;
    }
  }

  /** @param {Record<string, any>} models as the agent lists them */
  learn(models) {
    const current = (models?.availableModels ?? []).find(
      (/** @type {any} */ model) => model.modelId === models.currentModelId,
    );
    this.#context.contextSize = current?._meta?.contextLimit ?? this.#context.contextSize;
  }

  /** @param {Record<string, any>} result of a prompt */
  hearResult({ usage, _meta }) {
    const counted = _meta?.quota?.token_count;
    if (usage) this.#add(usage);
    else if (counted)
      this.#add({ inputTokens: counted.input_tokens, outputTokens: counted.output_tokens, cachedReadTokens: 0 });
  }

  /** @returns {Usage} */
  ofTurn() {
    const costUsd =
      this.#cost !== undefined && this.#costBefore !== undefined
        ? Math.max(0, this.#cost - this.#costBefore)
        : undefined;
    this.#costBefore = this.#cost ?? this.#costBefore;
    return { ...this.#turn, costUsd, ...this.#context };
  }

  /** @param {Record<string, any>} update */
  #hearUsage({ used, size, cost }) {
    if (typeof used === 'number') this.#context.contextUsed = used;
    if (typeof size === 'number') this.#context.contextSize = size;
    if (typeof cost?.amount === 'number' && (cost.currency ?? 'USD') === 'USD') this.#cost = cost.amount;
  }

  /** @param {Record<string, any>} counted of one answer, or of one call of the model */
  #add({ inputTokens, outputTokens, cachedReadTokens = 0, cachedWriteTokens = 0 }) {
    const cached = this.#quirks.cachedIsInput ? cachedReadTokens : 0;
    const sum = (/** @type {keyof Usage} */ key, /** @type {any} */ more) => {
      if (typeof more === 'number') this.#turn[key] = (this.#turn[key] ?? 0) + more;
    };
    sum('inputTokens', typeof inputTokens === 'number' ? Math.max(0, inputTokens - cached) : undefined);
    sum('outputTokens', outputTokens);
    sum('cacheReadTokens', cachedReadTokens);
    sum('cacheWriteTokens', cachedWriteTokens);
  }
}
