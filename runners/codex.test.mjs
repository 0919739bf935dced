// The codex runner with the real CLI and a stand-in of the vendor's API.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { toml } from './codex/settings.mjs';
import { failureTests } from './testing/failures.mjs';
import { setStage } from './testing/real_cli.mjs';
import { until } from './testing/runner_process.mjs';

/** @type {import('./testing/real_cli.mjs').Stage} */
let stage;
beforeEach(async () => {
  stage = await setStage('codex');
});
afterEach(() => stage.clear());

/** @param {Record<string, any>} event */
const said = (event) =>
  event.method === 'item/completed' && event.params.item.type === 'agentMessage' && event.params.item.text;

describe('codex', () => {
  test('a turn: started with its thread, text in deltas and whole, tokens of the turn and no cost', async () => {
    const runner = stage.runner();
    const ready = await runner.next('ready');
    assert.equal(ready.capabilities.cost, false);
    runner.send(stage.query({ prompt: 'SCENARIO:think', systemPrompt: 'APPENDED-MARK' }));
    const started = await runner.next('agent_started');
    assert.match(started.nativeSessionId, /^[0-9a-f-]{36}$/);
    assert.equal(started.cliVersion, '0.169.0');
    assert.equal(started.model, 'gpt-5.5');
    const turn = await runner.next('turn_started');
    const ended = await runner.next('turn_ended');
    assert.equal(ended.turnId, turn.turnId);
    assert.equal(ended.stopReason, 'endTurn');
    assert.equal(ended.usage.costUsd, undefined);
    assert.equal(ended.usage.cacheReadTokens, 300);
    assert.equal(ended.usage.contextSize > ended.usage.contextUsed, true);
    assert.equal(
      runner.events.some((event) => event.method === 'item/agentMessage/delta'),
      true,
    );
    assert.equal(
      runner.events.some((event) => event.method === 'item/reasoning/summaryTextDelta'),
      true,
    );
    assert.equal(runner.events.find(said).params.item.text, 'I thought about it: the answer is 42.');
    for (const line of runner.ofType('agent_event'))
      assert.deepEqual(Object.keys(line), ['type', 'sessionId', 'event']);
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=second' }));
    const second = await runner.next('turn_ended');
    assert.equal(second.usage.cacheReadTokens, 300, 'the turn’s tokens, not the thread’s');
    runner.send({ type: 'stop', sessionId: stage.query().sessionId });
    assert.equal((await runner.next('agent_stopped')).exitCode, 0);
    assert.deepEqual(await runner.exited, { code: 0, signal: null });
  });

  test('text with every kind of line separator arrives whole', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:unicode' }));
    await runner.next('turn_ended');
    assert.equal(runner.ofType('not_json').length, 0);
    assert.match(runner.events.find(said).params.item.text, /LS\[\u2028\] PS\[\u2029\] NEL\[\u0085\]/);
  });

  test('a file change is asked about, allowed, and the file is written; a denied one is not', async () => {
    const file = path.join(stage.workspace, 'hello.txt');
    const runner = stage.runner();
    runner.send(stage.query({ prompt: `SCENARIO:write-file file=${file}` }));
    const ask = await runner.next('permission_request');
    assert.equal(ask.kind, 'edit');
    assert.match(ask.title, /hello\.txt/);
    assert.equal(ask.input.changes[0].path, file);
    assert.deepEqual(
      ask.options.map((/** @type {any} */ option) => option.outcome),
      ['allow', 'allowAlways', 'deny'],
    );
    assert.equal(existsSync(file), false);
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow' });
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    assert.equal(readFileSync(file, 'utf8'), 'hello from the stand-in\nsecond line\n');
    assert.equal(runner.ofType('permission_cancelled').length, 0);
    const other = path.join(stage.workspace, 'other.txt');
    runner.send(stage.query({ prompt: `SCENARIO:write-file file=${other}` }));
    const second = await runner.next('permission_request');
    runner.send({ type: 'permissionResponse', requestId: second.requestId, outcome: 'deny' });
    await runner.next('turn_ended');
    assert.equal(existsSync(other), false);
  });

  test('a turn with a permission under every other runtime', async () => {
    for (const runtime of stage.otherRuntimes) {
      const file = path.join(stage.workspace, `${runtime}.txt`);
      const runner = stage.runner(runtime);
      runner.send(stage.query({ prompt: `SCENARIO:write-file file=${file}` }));
      const ask = await runner.next('permission_request');
      runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow' });
      assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn', runtime);
      assert.equal(existsSync(file), true, runtime);
      runner.closeStdin();
      assert.deepEqual(await runner.exited, { code: 0, signal: null }, runtime);
    }
  });

  test('a command is asked about where the policy says so; allowAlways does not ask again', async () => {
    const runner = stage.runner();
    const providerConfig = { approvalPolicy: 'untrusted' };
    runner.send(stage.query({ prompt: 'SCENARIO:bash', providerConfig, permissionMode: 'acceptEdits' }));
    const ask = await runner.next('permission_request');
    assert.equal(ask.kind, 'execute');
    assert.match(ask.title, /echo to-stdout/);
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allowAlways' });
    await runner.next('turn_ended');
    assert.equal(existsSync(path.join(stage.workspace, 'from-bash.txt')), true);
    runner.send(stage.query({ prompt: 'SCENARIO:bash' }));
    await runner.next('turn_ended');
    assert.equal(runner.ofType('permission_request').length, 1);
  });

  test('an interrupt while a question waits withdraws it, and the next turn runs', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:write-file' }));
    const ask = await runner.next('permission_request');
    runner.send({ type: 'interrupt', sessionId: ask.sessionId });
    assert.equal((await runner.next('permission_cancelled')).requestId, ask.requestId);
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=after' }));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    assert.equal(runner.ofType('agent_error').length, 0);
  });

  test('an interrupt ends the running command too', async () => {
    const runner = stage.runner();
    // Its pid is another one inside the sandbox, so it shows that it lives by writing.
    const beat = path.join(stage.workspace, 'beat');
    const command = 'n=0;while+true;do+n=$((n-+-1));echo+$n>beat;sleep+0.1;done';
    runner.send(stage.query({ prompt: `SCENARIO:bash cmd=${command}`, permissionMode: 'acceptEdits' }));
    const beats = () => (existsSync(beat) ? Number(readFileSync(beat, 'utf8')) : 0);
    await until(() => beats() > 10, 'the command has run for a while');
    runner.send({ type: 'interrupt', sessionId: stage.query().sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    let last = -1;
    const quiet = () => {
      const now = beats();
      const same = now === last;
      last = now;
      return same;
    };
    await until(quiet, 'the command has ended', 500);
  });

  test('a steer reaches the running turn', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:slow ms=200' }));
    await runner.nextEvent((event) => event.method === 'item/agentMessage/delta');
    runner.send({ type: 'steer', sessionId: stage.query().sessionId, text: 'SCENARIO:echo say=steered' });
    assert.equal((await runner.next('steer_accepted')).accepted, 'now');
    await runner.nextEvent((event) => said(event) === 'You said: steered');
    await runner.next('turn_ended');
    assert.equal(runner.ofType('turn_started').length, 1);
  });

  test('a session is resumed in a new process, by id and as the latest; an unknown one is told as such', async () => {
    const first = stage.runner();
    first.send(stage.query({ prompt: 'SCENARIO:hello' }));
    const { nativeSessionId } = await first.next('agent_started');
    await first.next('turn_ended');
    first.closeStdin();
    await first.exited;
    const second = stage.runner();
    second.send(
      stage.query({ prompt: 'SCENARIO:echo say=again', resumeMode: 'resume', resumeSessionId: nativeSessionId }),
    );
    assert.equal((await second.next('agent_started')).nativeSessionId, nativeSessionId);
    const ended = await second.next('turn_ended');
    assert.equal(ended.usage.cacheReadTokens, 300, 'what was used before the resume is not counted again');
    assert.match(JSON.stringify(stage.standIn.requests.at(-1)), /say=again/);
    second.closeStdin();
    await second.exited;
    const third = stage.runner();
    third.send(stage.query({ prompt: 'SCENARIO:hello', resumeMode: 'continue' }));
    assert.equal((await third.next('agent_started')).nativeSessionId, nativeSessionId);
    const unknown = stage.runner();
    const missing = '01a1fd24-3a80-7de1-82e2-dc4ca646e6ec';
    unknown.send(stage.query({ prompt: 'x', resumeMode: 'resume', resumeSessionId: missing }));
    const error = await unknown.next('agent_error');
    assert.deepEqual([error.code, error.retryable], ['conversation_unknown', false]);
    assert.match(error.message, new RegExp(`${missing}.*the next prompt begins a new conversation`));
    assert.equal((await unknown.exited).code, 1);
  });

  failureTests(['error-400', 'error-401', 'error-429', 'error-500'], () => stage);

  test('model and mode that are set hold from the next turn on', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:hello', permissionMode: 'plan' }));
    await runner.next('turn_ended');
    runner.send({ type: 'set', model: 'gpt-5.4', permissionMode: 'acceptEdits' });
    await runner.next((line) => line.type === 'agent_started' && line.model === 'gpt-5.4');
    const file = path.join(stage.workspace, 'set.txt');
    runner.send(stage.query({ prompt: `SCENARIO:write-file file=${file}` }));
    await runner.next('turn_ended');
    assert.equal(existsSync(file), true);
    assert.equal(runner.ofType('permission_request').length, 0);
    assert.equal(stage.standIn.requests.at(-1)?.model, 'gpt-5.4');
  });

  test('plan mode changes nothing', async () => {
    const runner = stage.runner();
    const file = path.join(stage.workspace, 'planned.txt');
    runner.send(stage.query({ prompt: `SCENARIO:write-file file=${file}`, permissionMode: 'plan' }));
    await runner.next('turn_ended');
    assert.equal(existsSync(file), false);
    assert.equal(runner.ofType('permission_request').length, 0);
  });

  test('settings of the provider reach codex', async () => {
    const runner = stage.runner();
    runner.send(
      stage.query({
        prompt: 'SCENARIO:hello',
        providerConfig: { config: { model: 'gpt-5.4', 'analytics.enabled': false } },
      }),
    );
    assert.equal((await runner.next('agent_started')).model, 'gpt-5.4');
  });

  test('a CLI that is missing or dies is told as such, and a stop in the middle of a turn leaves nothing behind', async () => {
    const missing = stage.runner();
    missing.send(stage.query({ prompt: 'x', cli: path.join(stage.workspace, 'no-such-codex'), cliVersion: '0.169.0' }));
    assert.equal((await missing.next('agent_error')).code, 'cli_missing');
    assert.equal((await missing.exited).code, 1);
    const dying = stage.runner();
    dying.send(stage.query({ prompt: 'x', cli: '/bin/sh', cliVersion: '0.169.0' }));
    const exited = await dying.next('agent_error');
    assert.deepEqual([exited.code, exited.signal], ['cli_exited', undefined]);
    assert.equal(exited.exitCode > 0, true);
    const silent = stage.runner();
    silent.send(stage.query({ prompt: 'x', cli: '/bin/true', cliVersion: '0.169.0' }));
    assert.equal((await silent.next('agent_error')).code, 'no_output');
    assert.equal((await silent.exited).code, 1);
    assert.equal((await dying.exited).code, 1);
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:slow ms=300' }));
    await runner.nextEvent((event) => event.method === 'item/agentMessage/delta');
    runner.send({ type: 'stop', sessionId: stage.query().sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    await runner.next('agent_stopped');
    assert.equal((await runner.exited).code, 0);
  });

  test('values become TOML', () => {
    assert.equal(toml('a "b"\n'), '"a \\"b\\"\\n"');
    assert.equal(toml({ a: [1, true], 'b c': { d: 'e' } }), '{ "a" = [1, true], "b c" = { "d" = "e" } }');
  });
});
