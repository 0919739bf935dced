// May a call be done without a question, must somebody be asked, or is it refused?
//
// Reading inside the scope is free in every mode. What was allowed or denied for good holds for this session.

import { randomUUID } from 'node:crypto';

/** @typedef {import('./tools.mjs').Call} Call */
/** @typedef {{ verdict: 'free' } | { verdict: 'ask' } | { verdict: 'refused', why: string }} Verdict */

const READING = new Set(['read', 'search']);

/** What was decided for good in this session. */
export class StandingAnswers {
  /** @type {Map<string, boolean>} */ #answers = new Map();

  /**
   * @param {Call} call
   * @param {string} mode
   * @returns {Verdict}
   */
  about(call, mode) {
    if (mode === 'bypass' || READING.has(call.kind)) return { verdict: 'free' };
    if (mode === 'plan' && !call.readOnly) {
      return { verdict: 'refused', why: 'in plan mode nothing is changed or run; say what you would do instead' };
    }
    const answer = this.#answers.get(subject(call));
    if (answer === false) return { verdict: 'refused', why: 'the user does not allow this in this session' };
    if (answer === true || (mode === 'acceptEdits' && call.kind === 'edit')) return { verdict: 'free' };
    return { verdict: 'ask' };
  }

  /**
   * @param {Call} call
   * @param {import('../lib/pending_permissions.mjs').Outcome} outcome
   */
  note(call, outcome) {
    if (outcome === 'allowAlways') this.#answers.set(subject(call), true);
    if (outcome === 'denyAlways') this.#answers.set(subject(call), false);
  }
}

/**
 * What an answer for good is about: all edits, one command, one tool of a server.
 * @param {Call} call
 */
function subject({ kind, name, input }) {
  if (kind === 'edit') return 'edit';
  return kind === 'execute' ? `execute ${input.command}` : `tool ${name}`;
}

/**
 * @param {Call} call
 * @returns {import('../lib/pending_permissions.mjs').PermissionAsk}
 */
export function question(call) {
  const about = { edit: 'all edits', execute: 'this command' }[/** @type {'edit' | 'execute'} */ (call.kind)];
  const what = about ?? `${call.title}, always`;
  return {
    requestId: randomUUID(),
    toolCallId: call.id,
    toolName: call.name,
    title: call.title,
    kind: call.kind,
    input: call.input,
    options: [
      { outcome: 'allow', label: 'Allow' },
      { outcome: 'allowAlways', label: `Allow ${what} in this session` },
      { outcome: 'deny', label: 'Deny' },
      { outcome: 'denyAlways', label: `Deny ${what} in this session` },
    ],
  };
}
