// How is a question of an ACP agent put to the host, and how is the host's answer put to the agent?

import { randomUUID } from 'node:crypto';

/** @typedef {import('../lib/pending_permissions.mjs').Outcome} Outcome */
/** @typedef {import('../lib/pending_permissions.mjs').ToolKind} ToolKind */
/** @typedef {{ optionId: string, name?: string, kind?: string }} Option */
/** @typedef {{ rpcId: number | string, options: Option[], toolCallId?: string }} AcpAsk */

/** Our answer for each kind of option. @type {Record<string, Outcome>} */
const OUTCOMES = { allow_once: 'allow', allow_always: 'allowAlways', reject_once: 'deny', reject_always: 'denyAlways' };

/** What is taken where the agent does not offer the answer itself: never more than was answered. @type {Record<Outcome, Outcome[]>} */
const INSTEAD = {
  allow: ['allow'],
  allowAlways: ['allowAlways', 'allow'],
  deny: ['deny', 'denyAlways'],
  denyAlways: ['denyAlways', 'deny'],
};

/** @type {Set<string>} */
const KINDS = new Set(['read', 'edit', 'delete', 'move', 'search', 'execute', 'think', 'fetch']);

/** The kinds that change something. @type {Set<ToolKind>} */
const CHANGES = new Set(/** @type {ToolKind[]} */ (['edit', 'delete', 'move']));

/**
 * @param {Record<string, any>} request `session/request_permission`
 * @param {Record<string, any>} known what was said of the call before
 * @returns {{ ask: import('../lib/pending_permissions.mjs').PermissionAsk, native: AcpAsk }}
 */
export function askOf(request, known) {
  const call = { ...known, ...present(request.params?.toolCall ?? {}) };
  const options = /** @type {Option[]} */ (request.params?.options ?? []);
  const kind = kindOf(call.kind);
  const ask = {
    requestId: randomUUID(),
    toolCallId: call.toolCallId,
    toolName: toolName(call),
    title: String(call.title ?? toolName(call)).split('\n')[0],
    kind,
    input: call.rawInput ?? { content: call.content ?? [], locations: call.locations ?? [] },
    options: offered(options),
  };
  return { ask, native: { rpcId: request.id, options, toolCallId: call.toolCallId } };
}

/**
 * The answer that our own mode gives without asking anybody: for agents that ask although their mode is one that should not.
 * @param {string} mode
 * @param {ToolKind} kind
 * @returns {Outcome | undefined}
 */
export function answerOfMode(mode, kind) {
  if (mode === 'bypass') return 'allow';
  if (mode === 'acceptEdits' && kind === 'edit') return 'allow';
  if (mode === 'plan' && CHANGES.has(kind)) return 'deny';
  return undefined;
}

/**
 * @param {AcpAsk} native
 * @param {Outcome | undefined} outcome
 * @returns {Record<string, unknown>} the result of the request; cancelled when no option means what was answered
 */
export function answerTo({ options }, outcome) {
  for (const wanted of INSTEAD[outcome ?? 'deny'] ?? []) {
    const option = options.find((candidate) => OUTCOMES[candidate.kind ?? ''] === wanted);
    if (option) return { outcome: { outcome: 'selected', optionId: option.optionId } };
  }
  return CANCELLED;
}

/** The answer to every open question when a turn is cancelled. */
export const CANCELLED = { outcome: { outcome: 'cancelled' } };

/**
 * One for each answer: where the agent offers several that mean the same to us, its first.
 * @param {Option[]} options
 */
function offered(options) {
  /** @type {{ outcome: Outcome, label: string }[]} */
  const ours = [];
  for (const outcome of Object.values(OUTCOMES)) {
    const option = options.find((candidate) => OUTCOMES[candidate.kind ?? ''] === outcome);
    if (option) ours.push({ outcome, label: option.name ?? option.optionId });
  }
  return ours;
}

/**
 * @param {unknown} kind in the agent's words
 * @returns {ToolKind}
 */
export function kindOf(kind) {
  return KINDS.has(String(kind)) ? /** @type {ToolKind} */ (kind) : 'other';
}

/** @param {Record<string, any>} call */
function toolName({ name, kind, _meta }) {
  return name ?? _meta?.claudeCode?.toolName ?? _meta?.toolName ?? kind ?? 'tool';
}

/** @param {Record<string, any>} call */
const present = (call) => Object.fromEntries(Object.entries(call).filter(([, value]) => value != null));
