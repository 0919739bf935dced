// How does an agent learn who its client is, and what does it answer?

import { settledWithin } from '../lib/child.mjs';
import { RUNNER_VERSION } from '../lib/protocol.mjs';
import { agentArgs } from './settings.mjs';

/** How long an agent may take to answer the first request, in milliseconds: some load for many seconds. */
const GREET_MS = 60_000;

/**
 * @param {import('../lib/json_rpc.mjs').RpcChild} agent
 * @param {Record<string, any>} query
 * @param {import('./quirks.mjs').Quirks} quirks
 * @returns {Promise<Record<string, any>>} what the agent says of itself
 */
export async function greet(agent, query, quirks) {
  const greeted = agent.request('initialize', greeting(quirks));
  if (await settledWithin(greeted, GREET_MS)) return greeted;
  const line = [query.cli, ...agentArgs(query, quirks)].join(' ');
  throw new Error(`\`${line}\` did not answer within ${GREET_MS / 1000} s. Is that the command that speaks ACP?`);
}

/** @param {import('./quirks.mjs').Quirks} quirks */
function greeting({ clientFiles = true }) {
  return {
    protocolVersion: 1,
    clientInfo: { name: 'outrigger', title: 'Outrigger', version: RUNNER_VERSION },
    clientCapabilities: {
      fs: { readTextFile: clientFiles, writeTextFile: clientFiles },
      terminal: true,
      session: { notices: {}, compaction: {} },
      // Two common extensions: the output of the agent's own commands, in pieces.
      _meta: { terminal_output: true, terminal_output_delta: true },
    },
  };
}
