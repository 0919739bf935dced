// Why could a session of an ACP agent not be started, and what is to be done?

import { RpcError } from '../lib/json_rpc.mjs';
import { NotOffered } from './choices.mjs';
import { NoConversation } from './conversation.mjs';
import { failure, isUnknownConversation, unknownConversation, wordsOf } from './outcome.mjs';

/** Requests that open an earlier conversation. */
const OPENING = ['session/resume', 'session/load', 'session/list'];

/**
 * What is known before anything is started.
 * @param {Record<string, any>} query
 * @param {import('./quirks.mjs').Quirks} quirks
 * @returns {import('../lib/agent_lines.mjs').AgentError | null}
 */
export function unusable({ cli }, { name, refused }) {
  if (refused) return { code: 'not_offered', message: `${name} is not driven over ACP: ${refused}.` };
  if (cli) return null;
  return { code: 'cli_missing', message: `${name} was not found. Install it, or set its path in the settings.` };
}

/**
 * @param {unknown} error
 * @param {Record<string, any>} query
 * @param {string} name the agent's
 * @param {Record<string, any>[]} authMethods what it offers for signing in
 * @returns {import('../lib/agent_lines.mjs').AgentError}
 */
export function startFailureOf(error, query, name, authMethods) {
  if (error instanceof NoConversation) return unknownConversation(query, name, error.message);
  if (error instanceof NotOffered) return { code: 'not_offered', message: `${name} cannot do this: ${error.message}.` };
  if (!(error instanceof RpcError))
    return { code: 'internal', message: `cannot start ${name}: ${/** @type {any} */ (error)?.message ?? error}` };
  if (OPENING.includes(error.method) && isUnknownConversation(error))
    return unknownConversation(query, name, wordsOf(error));
  const failed = failure(error, name, authMethods);
  return failed.code === 'auth' ? failed : { ...failed, message: `cannot start ${name}: ${failed.message}` };
}
