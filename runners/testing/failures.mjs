// What is an agent told to have failed at when its vendor's API answers like this? One table for all runners, with what
// each of them is to say, and one test that any of them goes through.

import assert from 'node:assert/strict';
import { test } from 'node:test';

/**
 * What the stand-in answers, and what the host is to be told of it: the code, and whether the same may succeed later.
 * @type {Record<string, [code: string, retryable: boolean]>}
 */
const FAILURES = {
  'error-400': ['api_error', false],
  'error-401': ['auth', false],
  'error-429': ['rate_limited', true],
  'error-500': ['api_error', true],
  'error-529': ['overloaded', true],
  'error-mid': ['api_error', false],
  'max-tokens': ['context_exceeded', false],
  drop: ['network', true],
};

/**
 * @typedef {object} FailureStage
 * @property {() => import('./runner_process.mjs').RunnerProcess} runner
 * @property {(more: Record<string, any>) => Record<string, any>} query
 */

/**
 * Sends a prompt that fails, and hears what the host is told.
 * @param {import('./runner_process.mjs').RunnerProcess} runner
 * @param {FailureStage} stage
 * @param {string} scenario
 * @returns {Promise<Record<string, any>>} the error
 */
export async function failsAsTold(runner, stage, scenario) {
  const [code, retryable] = FAILURES[scenario];
  runner.send(stage.query({ prompt: `SCENARIO:${scenario}` }));
  const error = await runner.next('agent_error');
  assert.deepEqual([error.code, error.retryable], [code, retryable], error.message);
  assert.equal((await runner.next('turn_ended')).stopReason, 'error');
  return error;
}

/**
 * @param {import('./runner_process.mjs').RunnerProcess} runner
 * @param {FailureStage} stage
 */
export async function goesOn(runner, stage) {
  runner.send(stage.query({ prompt: 'SCENARIO:echo say=on' }));
  assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
}

/**
 * A test for each failure, in a session of its own that goes on afterwards.
 * @param {string[]} scenarios those that this agent tells of
 * @param {() => FailureStage} stage the test's
 * @param {() => void} [afterwards] what else must hold
 */
export function failureTests(scenarios, stage, afterwards = () => {}) {
  for (const scenario of scenarios)
    test(`${scenario} is told as ${FAILURES[scenario][0]}, and the session goes on`, async () => {
      const runner = stage().runner();
      await failsAsTold(runner, stage(), scenario);
      await goesOn(runner, stage());
      afterwards();
    });
}
