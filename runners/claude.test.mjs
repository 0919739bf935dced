// The claude runner with the real CLI and a stand-in of the vendor's API.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { failureTests } from './testing/failures.mjs';
import { setStage } from './testing/real_cli.mjs';
import { isAlive, until } from './testing/runner_process.mjs';

/** @type {import('./testing/real_cli.mjs').Stage} */
let stage;
beforeEach(async () => {
  stage = await setStage('claude', { IS_SANDBOX: '1' });
});
afterEach(() => stage.clear());

/** @param {Record<string, any>} event */
const said = (event) =>
  event.type === 'assistant' && event.message.content[0].type === 'text' && event.message.content[0].text;

describe('claude', () => {
  test('a turn: started with its id before the first output, text in deltas and whole, usage of the turn', async () => {
    const runner = stage.runner();
    const ready = await runner.next('ready');
    assert.equal(ready.protocol, 1);
    assert.equal(ready.capabilities.cost, true);
    runner.send(
      stage.query({ prompt: 'SCENARIO:think', systemPrompt: 'APPENDED-MARK', maxTurns: 5, cliVersion: '2.1.329' }),
    );
    const started = await runner.next('agent_started');
    assert.match(started.nativeSessionId, /^[0-9a-f-]{36}$/);
    const turn = await runner.next('turn_started');
    const ended = await runner.next('turn_ended');
    assert.equal(ended.turnId, turn.turnId);
    assert.equal(ended.stopReason, 'endTurn');
    assert.equal(ended.usage.cacheReadTokens, 300);
    assert.equal(ended.usage.contextSize > 0 && ended.usage.contextUsed > 1000, true);
    assert.equal(ended.usage.costUsd > 0, true);
    assert.equal(runner.lines.findIndex((line) => line.type === 'agent_event') > runner.lines.indexOf(started), true);
    assert.equal(
      runner.events.some((event) => event.type === 'stream_event' && event.event.delta?.type === 'text_delta'),
      true,
    );
    assert.equal(runner.events.find(said).message.content[0].text, 'I thought about it: the answer is 42.');
    assert.equal(runner.events.find((event) => event.subtype === 'init').session_id, started.nativeSessionId);
    assert.equal(
      runner.ofType('agent_started').at(-1)?.model,
      runner.events.find((event) => event.subtype === 'init').model,
    );
    assert.match(stage.standIn.requests[0].system, /APPENDED-MARK/);
    runner.send({ type: 'stop', sessionId: stage.query().sessionId });
    const stopped = await runner.next('agent_stopped');
    assert.equal(stopped.exitCode, 0);
    assert.deepEqual(await runner.exited, { code: 0, signal: null });
  });

  test('every line has its keys in order, and the event is the CLI’s own text', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:lone-surrogate' }));
    await runner.next('turn_ended');
    for (const line of runner.lines) assert.equal(Object.keys(line)[0], 'type');
    for (const line of runner.ofType('agent_event'))
      assert.deepEqual(Object.keys(line), ['type', 'sessionId', 'event']);
    assert.equal(runner.ofType('not_json').length, 0);
    assert.equal(runner.events.find(said).message.content[0].text, 'a👍b');
    const halves = runner.events
      .filter((event) => event.type === 'stream_event')
      .map((event) => event.event.delta?.text)
      .join('');
    assert.equal(halves, 'a👍b');
  });

  test('a permission is asked, allowed, and the file is written; the second turn runs in the same process', async () => {
    const file = path.join(stage.workspace, 'hello.txt');
    const runner = stage.runner();
    runner.send(stage.query({ prompt: `SCENARIO:write-file file=${file}` }));
    const ask = await runner.next('permission_request');
    assert.equal(ask.toolName, 'Write');
    assert.equal(ask.kind, 'edit');
    assert.equal(ask.input.file_path, file);
    assert.deepEqual(
      ask.options.map((/** @type {any} */ option) => option.outcome),
      ['allow', 'allowAlways', 'deny'],
    );
    assert.equal(existsSync(file), false);
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow' });
    const first = await runner.next('turn_ended');
    assert.equal(first.stopReason, 'endTurn');
    assert.equal(readFileSync(file, 'utf8'), 'hello from the stand-in\nsecond line\n');
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow' });
    await runner.next('error');
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=second' }));
    const second = await runner.next('turn_ended');
    assert.notEqual(second.turnId, first.turnId);
    assert.equal(second.usage.costUsd < first.usage.costUsd, true, 'the cost is the turn’s, not the session’s');
    assert.equal(runner.events.filter(said).at(-1)?.message.content[0].text, 'You said: second');
    assert.equal(new Set(runner.ofType('agent_started').map((line) => line.nativeSessionId)).size, 1);
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

  test('a denied permission leaves no file; allowAlways does not ask again; updatedInput changes the call', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=touch+denied.txt' }));
    const denied = await runner.next('permission_request');
    assert.equal(denied.kind, 'execute');
    assert.match(denied.title, /touch denied.txt/);
    runner.send({ type: 'permissionResponse', requestId: denied.requestId, outcome: 'deny', message: 'not today' });
    await runner.nextEvent((event) => event.type === 'user' && JSON.stringify(event).includes('not today'));
    await runner.next('turn_ended');
    assert.equal(existsSync(path.join(stage.workspace, 'denied.txt')), false);

    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=touch+changed.txt' }));
    const changed = await runner.next('permission_request');
    const updatedInput = { ...changed.input, command: 'touch other.txt' };
    runner.send({ type: 'permissionResponse', requestId: changed.requestId, outcome: 'allow', updatedInput });
    await runner.next('turn_ended');
    assert.equal(existsSync(path.join(stage.workspace, 'other.txt')), true);
    assert.equal(existsSync(path.join(stage.workspace, 'changed.txt')), false);

    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=touch+always.txt' }));
    const always = await runner.next('permission_request');
    runner.send({ type: 'permissionResponse', requestId: always.requestId, outcome: 'allowAlways' });
    await runner.next('turn_ended');
    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=touch+always.txt' }));
    await runner.next('turn_ended');
    assert.equal(runner.ofType('permission_request').length, 3);
    assert.equal(existsSync(path.join(stage.workspace, '.claude')), false, 'nothing is written into the project');
  });

  test('an interrupt ends the turn, withdraws what was asked, kills the command, and the next turn runs', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:bash' }));
    const ask = await runner.next('permission_request');
    runner.send({ type: 'interrupt', sessionId: ask.sessionId });
    const cancelled = await runner.next('permission_cancelled');
    assert.equal(cancelled.requestId, ask.requestId);
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    assert.equal(runner.ofType('agent_error').length, 0);
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=after' }));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
  });

  test('a steer in the middle of a tool reaches the same turn', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:sleep s=2', permissionMode: 'bypass' }));
    await runner.nextEvent((event) => event.type === 'assistant' && event.message.content[0].type === 'tool_use');
    runner.send({ type: 'steer', sessionId: stage.query().sessionId, text: 'SCENARIO:echo say=steered' });
    assert.equal((await runner.next('steer_accepted')).accepted, 'queued');
    await runner.nextEvent((event) => said(event) === 'You said: steered');
    await runner.next('turn_ended');
    assert.equal(runner.ofType('turn_started').length, 1);
  });

  test('a session is resumed in a new process, and an unknown one is told as such', async () => {
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
    assert.equal((await second.next('turn_ended')).stopReason, 'endTurn');
    assert.equal(second.events.find((event) => event.subtype === 'init').session_id, nativeSessionId);
    second.closeStdin();
    await second.exited;
    const third = stage.runner();
    third.send(stage.query({ prompt: 'SCENARIO:echo say=third', resumeMode: 'continue' }));
    await third.next('turn_ended');
    assert.equal(third.ofType('agent_started').at(-1)?.nativeSessionId, nativeSessionId);
    const unknown = stage.runner();
    const missing = '5d03a7f6-beda-43a7-9cde-9f18f775a915';
    unknown.send(stage.query({ prompt: 'SCENARIO:hello', resumeMode: 'resume', resumeSessionId: missing }));
    const error = await unknown.next('agent_error');
    assert.deepEqual([error.code, error.retryable], ['conversation_unknown', false]);
    assert.match(error.message, new RegExp(`${missing}.*the next prompt begins a new conversation`));
    assert.equal((await unknown.exited).code, 1);
  });

  failureTests(['error-400', 'error-401', 'error-429', 'error-529', 'drop'], () => stage);

  test('a sub-agent that reports after the result opens a turn of its own', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:subagent', permissionMode: 'bypass' }));
    const first = await runner.next('turn_ended');
    assert.equal(first.stopReason, 'endTurn');
    await runner.nextEvent((event) => event.type === 'result' && event.origin?.kind === 'task-notification');
    const second = await runner.next('turn_ended');
    assert.notEqual(second.turnId, first.turnId);
    assert.equal(runner.ofType('turn_started').length, 2);
  });

  test('model and mode are set while it runs', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:hello' }));
    await runner.next('turn_ended');
    runner.send({ type: 'set', model: 'other-model', permissionMode: 'acceptEdits' });
    await runner.next((line) => line.type === 'agent_started' && line.model === 'other-model');
    const file = path.join(stage.workspace, 'set.txt');
    runner.send(stage.query({ prompt: `SCENARIO:write-file file=${file}` }));
    await runner.next('turn_ended');
    assert.equal(runner.ofType('permission_request').length, 0);
    assert.equal(existsSync(file), true);
    assert.equal(stage.standIn.requests.at(-1)?.model, 'other-model');
  });

  test('a stop in the middle of a command leaves nothing behind', async () => {
    const runner = stage.runner();
    const pidFile = path.join(stage.workspace, 'pid');
    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=echo+$$+>pid;sleep+300', permissionMode: 'bypass' }));
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').trim() !== '', 'the command runs');
    const command = Number(readFileSync(pidFile, 'utf8'));
    runner.send({ type: 'stop', sessionId: stage.query().sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    await runner.next('agent_stopped');
    assert.equal((await runner.exited).code, 0);
    await until(() => !isAlive(command), 'the command has ended');
  });

  test('a CLI that is missing, too old, or dies is told as such', async () => {
    const missing = stage.runner();
    missing.send(
      stage.query({ prompt: 'x', cli: path.join(stage.workspace, 'no-such-claude'), cliVersion: '2.1.329' }),
    );
    assert.equal((await missing.next('agent_error')).code, 'cli_missing');
    assert.equal((await missing.exited).code, 1);
    const old = stage.runner();
    old.send(stage.query({ prompt: 'x', cliVersion: '1.0.3' }));
    assert.equal((await old.next('agent_error')).code, 'cli_too_old');
    assert.equal((await old.exited).code, 1);
    const dying = stage.runner();
    dying.send(stage.query({ prompt: 'x', cli: '/bin/sh', cliVersion: '2.1.329' }));
    const error = await dying.next('agent_error');
    assert.deepEqual([error.code, error.signal, error.retryable], ['cli_exited', undefined, false]);
    assert.equal(error.exitCode > 0, true);
    assert.equal(error.stderrTail.length > 0, true);
    assert.equal((await dying.next('turn_ended')).stopReason, 'error');
    assert.equal((await dying.exited).code, 1);
    const silent = stage.runner();
    silent.send(stage.query({ prompt: 'x', cli: '/bin/true', cliVersion: '2.1.329' }));
    assert.equal((await silent.next('agent_error')).code, 'no_output');
    assert.equal((await silent.exited).code, 1);
  });
});
