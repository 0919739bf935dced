// How did a turn of claude end, what did it use, and what went wrong?
//
// Read from its `result` line. Its `subtype` alone says little: an API error comes as `success` with `is_error`. Its
// `total_cost_usd` is cumulative, in newer versions over resumes too, so the cost of a turn is taken from
// `model_usage_since_last_result`, or from the difference to the result before.

import { apiFailure } from '../lib/api_failure.mjs';

/**
 * @param {Record<string, any>} result
 * @param {boolean} interruptAsked whether we asked for the turn to end
 * @returns {import('../lib/agent_lines.mjs').StopReason}
 */
export function stopReason(result, interruptAsked) {
  if (String(result.terminal_reason ?? '').startsWith('aborted')) return 'interrupted';
  if (interruptAsked && result.subtype === 'error_during_execution') return 'interrupted';
  if (result.subtype === 'error_max_turns') return 'maxTurns';
  if (result.is_error) return 'error';
  if (result.stop_reason === 'refusal') return 'refused';
  if (result.stop_reason === 'max_tokens') return 'maxTurns';
  return 'endTurn';
}

/**
 * @param {Record<string, any>} result a result with `is_error`
 * @param {{ resumes?: string, cwd?: string }} [asked] which conversation was to be resumed, and where
 * @returns {import('../lib/agent_lines.mjs').AgentError}
 */
export function failure(result, asked = {}) {
  const said = [result.result, ...(result.errors ?? [])].filter((text) => typeof text === 'string' && text !== '');
  const message = said.join('; ') || `claude ended the turn with ${result.subtype}`;
  if (isUnknownConversation(message)) return unknownConversation(asked);
  if (result.subtype === 'error_max_turns') {
    return { code: 'max_turns', message: 'claude has taken as many steps as it may in one turn; prompt it to go on' };
  }
  const hints = `${message} ${result.api_error_type ?? ''} ${result.api_error ?? ''}`;
  return { message, ...apiFailure({ status: result.api_error_status, text: hints }) };
}

/**
 * @param {string} said in a result or on stderr
 * @returns {boolean} whether claude says that it does not know the conversation it was to resume
 */
export function isUnknownConversation(said) {
  return /No conversation found/i.test(said);
}

/**
 * @param {{ resumes?: string, cwd?: string }} asked
 * @returns {import('../lib/agent_lines.mjs').AgentError}
 */
export function unknownConversation({ resumes, cwd }) {
  const which = resumes ? `no longer knows the conversation ${resumes}` : `knows no earlier conversation in ${cwd}`;
  return {
    code: 'conversation_unknown',
    message: `claude ${which}. Nothing was sent to it; the next prompt begins a new conversation.`,
  };
}

/** Adds up what each turn used, and keeps what the context holds. */
export class ClaudeUsage {
  #totalCost = 0;
  /** @type {number | undefined} */ #contextUsed;

  /**
   * Notes the context's size from the beginning and end of each message of the main conversation.
   * @param {Record<string, any>} line a `stream_event` line
   */
  note(line) {
    if (line.parent_tool_use_id) return;
    const usage = line.event?.type === 'message_start' ? line.event.message?.usage : line.event?.usage;
    if (line.event?.type !== 'message_start' && line.event?.type !== 'message_delta') return;
    if (typeof usage?.input_tokens !== 'number') return;
    this.#contextUsed =
      usage.input_tokens +
      (usage.cache_read_input_tokens ?? 0) +
      (usage.cache_creation_input_tokens ?? 0) +
      (usage.output_tokens ?? 0);
  }

  /** @param {{ post_tokens?: number }} metadata of a compaction */
  compacted({ post_tokens: tokens }) {
    this.#contextUsed = tokens ?? this.#contextUsed;
  }

  /**
   * @param {Record<string, any>} result
   * @param {string | undefined} model the conversation's main model
   * @returns {import('../lib/agent_lines.mjs').Usage}
   */
  ofTurn(result, model) {
    const usage = result.usage ?? {};
    return {
      inputTokens: usage.input_tokens,
      outputTokens: usage.output_tokens,
      cacheReadTokens: usage.cache_read_input_tokens,
      cacheWriteTokens: usage.cache_creation_input_tokens,
      costUsd: this.#cost(result),
      contextUsed: this.#contextUsed,
      contextSize: contextSize(result, model),
    };
  }

  /** @param {Record<string, any>} result */
  #cost(result) {
    const total = typeof result.total_cost_usd === 'number' ? result.total_cost_usd : undefined;
    const before = this.#totalCost;
    if (total !== undefined) this.#totalCost = total;
    const models = result.model_usage_since_last_result;
    if (models) return Object.values(models).reduce((sum, use) => sum + (use?.costUSD ?? 0), 0);
    return total === undefined ? undefined : Math.max(0, total - before);
  }
}

/**
 * @param {Record<string, any>} result
 * @param {string | undefined} model
 * @returns {number | undefined}
 */
function contextSize(result, model) {
  const models = result.modelUsage ?? {};
  const main = (model && models[model]) || Object.values(models)[0];
  return main?.contextWindow;
}
