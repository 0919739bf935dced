// The OpenCode runner with the real CLI and a stand-in of a vendor's API. The CLI is large and slow to start, so it runs with
// `./dev test --clis all` only; how questions are settled is tried without it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LEFT_OUT, WHOLE_TABLE } from '../tests/real_clis/pins.mjs';
import { failsAsTold, goesOn } from './testing/failures.mjs';
import { OpencodeStage } from './testing/opencode_stage.mjs';
import { isAlive, until } from './testing/runner_process.mjs';

const MCP_SERVER = fileURLToPath(new URL('../tests/real_clis/mcp_server.mjs', import.meta.url));

/** @param {import('./testing/runner_process.mjs').RunnerProcess} runner */
const parts = (runner) =>
  runner.events.filter((event) => event.type === 'message.part.updated').map((event) => event.properties.part);
/** @param {import('./testing/runner_process.mjs').RunnerProcess} runner */
const texts = (runner) =>
  parts(runner)
    .filter((part) => part.type === 'text' && part.time?.end)
    .map((part) => part.text);
/** @param {Record<string, any>} event */
const isPrinting = (event) =>
  event.type === 'message.part.updated' && event.properties.part.state?.metadata?.output?.trim();

describe('opencode', { skip: WHOLE_TABLE ? false : LEFT_OUT }, () => {
  /** @type {OpencodeStage} */
  let stage;
  beforeEach(async () => {
    stage = await OpencodeStage.set();
  });
  afterEach(() => stage.clear());

  test('two turns: text and thinking in deltas and whole, tokens and cost of each; a resume in a new process', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:think', systemPrompt: 'APPENDED-MARK' }));
    const started = await runner.next('agent_started');
    assert.match(started.nativeSessionId, /^ses_/);
    assert.deepEqual([started.cliVersion, started.model], ['1.18.33', 'standin/one']);
    const ended = await runner.next('turn_ended');
    assert.equal(ended.stopReason, 'endTurn');
    const { costUsd, ...tokens } = ended.usage;
    assert.deepEqual(tokens, {
      inputTokens: 1010,
      outputTokens: 26,
      cacheReadTokens: 300,
      cacheWriteTokens: 200,
      contextUsed: 1536,
      contextSize: 200_000,
    });
    assert.equal(costUsd, 0.00342);
    assert.deepEqual(texts(runner), ['I thought about it: the answer is 42.']);
    assert.equal(
      runner.events.some((event) => event.type === 'message.part.delta'),
      true,
    );
    assert.equal(
      parts(runner).some((part) => part.type === 'reasoning' && part.text.startsWith('A short')),
      true,
    );
    assert.match(stage.standIn.requests.at(-1)?.system, /APPENDED-MARK/);
    runner.send({ type: 'set', model: 'standin/two' });
    runner.send(stage.query({ prompt: 'SCENARIO:unicode' }));
    const second = await runner.next('turn_ended');
    assert.equal(second.usage.cacheReadTokens, 300, 'the turn’s tokens, not the session’s');
    assert.match(texts(runner)[1], /LS\[\u2028\] PS\[\u2029\] NEL\[\u0085\]/);
    assert.equal(stage.standIn.requests.at(-1)?.model, 'two');
    runner.send({ type: 'stop', sessionId: stage.sessionId });
    await runner.next('agent_stopped');
    assert.deepEqual(await runner.exited, { code: 0, signal: null });
    const { nativeSessionId } = started;
    for (const resumeMode of ['resume', 'continue']) {
      const again = stage.runner();
      again.send(stage.query({ prompt: 'SCENARIO:echo say=again', resumeMode, resumeSessionId: nativeSessionId }));
      assert.equal((await again.next('agent_started')).nativeSessionId, nativeSessionId);
      await again.next('turn_ended');
      assert.match(JSON.stringify(stage.standIn.requests.at(-1)?.history), /the answer is 42/);
      again.closeStdin();
      assert.equal((await again.exited).code, 0);
    }
    const unknown = stage.runner();
    const resumeSessionId = 'ses_000000000000AAAAAAAAAAAAAA';
    unknown.send(stage.query({ prompt: 'x', resumeMode: 'resume', resumeSessionId }));
    const error = await unknown.next('agent_error');
    assert.deepEqual([error.code, error.retryable], ['conversation_unknown', false], error.message);
    assert.equal((await unknown.exited).code, 1);
  });

  test('questions: allowed, denied with words, allowed for the session, forbidden by the user’s own rules, of a sub-agent', async () => {
    const runner = stage.runner();
    const ask = async (/** @type {Record<string, unknown>} */ answer) => {
      const request = await runner.next('permission_request');
      runner.send({ type: 'permissionResponse', requestId: request.requestId, ...answer });
      await runner.next('turn_ended');
      return request;
    };
    const asked = () => runner.ofType('permission_request').length;
    runner.send(stage.query({ prompt: `SCENARIO:write-file file=${stage.at('a.txt')}` }));
    const write = await ask({ outcome: 'allow' });
    assert.deepEqual([write.kind, write.toolName], ['edit', 'edit']);
    assert.match(write.input.diff, /\+hello from the stand-in/);
    assert.equal(readFileSync(stage.at('a.txt'), 'utf8'), 'hello from the stand-in\nsecond line\n');
    runner.send(stage.query({ prompt: `SCENARIO:write-file file=${stage.at('b.txt')}` }));
    await ask({ outcome: 'deny', message: 'not there' });
    assert.equal(existsSync(stage.at('b.txt')), false);
    assert.match(JSON.stringify(stage.standIn.requests.at(-1)?.history), /not there/, 'the model hears why');
    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=echo+once' }));
    assert.equal((await ask({ outcome: 'allowAlways' })).title, 'Run echo once');
    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=echo+twice' }));
    await runner.next('turn_ended');
    assert.equal(asked(), 3, 'what was allowed for the session is not asked again');
    runner.send(stage.query({ prompt: `SCENARIO:bash cmd=rm+${stage.at('a.txt')}` }));
    await runner.next('turn_ended');
    assert.deepEqual([asked(), existsSync(stage.at('a.txt'))], [3, true]);
    runner.send({ type: 'set', permissionMode: 'plan' });
    runner.send(stage.query({ prompt: `SCENARIO:write-file file=${stage.at('c.txt')}` }));
    await runner.next('turn_ended');
    assert.deepEqual([asked(), existsSync(stage.at('c.txt'))], [3, false]);
    runner.send({ type: 'set', permissionMode: 'ask' });
    runner.send(stage.query({ prompt: `SCENARIO:subagent inner=write-file file=${stage.at('sub.txt')}` }));
    const inner = await ask({ outcome: 'allow' });
    assert.match(inner.title, /sub\.txt \(sub-agent\)$/);
    assert.equal(existsSync(stage.at('sub.txt')), true);
    runner.send({ type: 'set', permissionMode: 'acceptEdits' });
    runner.send(stage.query({ prompt: `SCENARIO:subagent inner=write-file file=${stage.at('sub2.txt')}` }));
    await runner.next('turn_ended');
    assert.deepEqual([asked(), existsSync(stage.at('sub2.txt'))], [4, true]);
  });

  test('the user’s own rules hold in their order, and an agent whose own rules allow more is held by plan mode too', async () => {
    stage.configure({
      permission: { '*': 'allow', bash: { '*': 'allow', 'rm *': 'deny' } },
      agent: { plan: { permission: { edit: 'allow' } } },
    });
    const runner = stage.runner();
    const prompt = `SCENARIO:write-file file=${stage.at('a.txt')}`;
    runner.send(stage.query({ prompt, permissionMode: 'plan' }));
    await runner.next('turn_ended');
    assert.equal(existsSync(stage.at('a.txt')), false);
    runner.send({ type: 'set', permissionMode: 'ask' });
    runner.send(stage.query({ prompt }));
    await runner.next('turn_ended');
    assert.equal(existsSync(stage.at('a.txt')), true);
    runner.send(stage.query({ prompt: `SCENARIO:bash cmd=rm+${stage.at('a.txt')}` }));
    await runner.next('turn_ended');
    assert.equal(existsSync(stage.at('a.txt')), true);
    assert.equal(runner.ofType('permission_request').length, 0);
    assert.equal(runner.ofType('agent_error').length, 0);
  });

  test('an interrupt ends text, a question and a command; a steer joins the turn', async () => {
    const runner = stage.runner();
    const interrupt = async () => {
      runner.send({ type: 'interrupt', sessionId: stage.sessionId });
      assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    };
    runner.send(stage.query({ prompt: 'SCENARIO:slow ms=200' }));
    await runner.nextEvent((event) => event.type === 'message.part.delta');
    await interrupt();
    runner.send(stage.query({ prompt: 'SCENARIO:bash' }));
    const { requestId } = await runner.next('permission_request');
    runner.send({ type: 'interrupt', sessionId: stage.sessionId });
    assert.equal((await runner.next('permission_cancelled')).requestId, requestId);
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    runner.send({ type: 'set', permissionMode: 'bypass' });
    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=echo+$$>pid;echo+on;sleep+300' }));
    await runner.nextEvent(isPrinting);
    const pid = Number(readFileSync(stage.at('pid'), 'utf8'));
    await interrupt();
    await until(() => !isAlive(pid), 'the command has ended');
    runner.send(stage.query({ prompt: 'SCENARIO:sleep s=2' }));
    await runner.nextEvent(isPrinting);
    runner.send({ type: 'steer', sessionId: stage.sessionId, text: 'SCENARIO:echo say=steered' });
    assert.equal((await runner.next('steer_accepted')).accepted, 'queued');
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    assert.equal(texts(runner).at(-1), 'You said: steered');
    assert.equal(runner.ofType('turn_started').length, 4);
    assert.equal(runner.ofType('agent_error').length, 0);
  });

  test('a stop in the middle of a command leaves neither it nor the server behind', async () => {
    const runner = stage.runner();
    const prompt = 'SCENARIO:bash cmd=echo+$$+$PPID>pid;echo+on;sleep+300';
    runner.send(stage.query({ prompt, permissionMode: 'bypass' }));
    await runner.nextEvent(isPrinting);
    const pids = readFileSync(stage.at('pid'), 'utf8').trim().split(' ').map(Number);
    runner.closeStdin();
    assert.deepEqual(await runner.exited, { code: 0, signal: null });
    await until(() => !pids.some(isAlive), 'the command and its parent have ended');
  });

  test('errors of the vendor are told by their class, retries as events, and the session goes on', async () => {
    const runner = stage.runner();
    for (const scenario of ['error-400', 'error-401'])
      assert.match((await failsAsTold(runner, stage, scenario)).message, /stand-in: /);
    runner.send(stage.query({ prompt: 'SCENARIO:error-429' }));
    const { status } = (await runner.nextEvent((event) => event.properties?.status?.type === 'retry')).properties;
    assert.match(status.message, /rate limited/);
    runner.send({ type: 'interrupt', sessionId: stage.sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    await goesOn(runner, stage);
  });

  test('a tool of an MCP server is asked about and called; images reach the model', async () => {
    const mcpServers = { near: { command: process.execPath, args: [MCP_SERVER] } };
    const runner = stage.runner();
    const data = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    runner.send(stage.query({ prompt: 'SCENARIO:mcp', mcpServers, attachments: [{ mimeType: 'image/png', data }] }));
    const ask = await runner.next('permission_request');
    assert.deepEqual([ask.toolName, ask.kind, ask.input.text], ['near_echo', 'other', 'lighthouse']);
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow' });
    await runner.next('turn_ended');
    const call = parts(runner).find((part) => part.state?.status === 'completed');
    assert.equal(call.state.output, 'echo: lighthouse');
    assert.equal(stage.standIn.requests.at(-1)?.images, 1);
  });

  test('a server that is killed is told as such', async () => {
    const runner = stage.runner();
    runner.send(
      stage.query({ prompt: 'SCENARIO:bash cmd=echo+$PPID>pid;echo+on;sleep+300', permissionMode: 'bypass' }),
    );
    await runner.nextEvent(isPrinting);
    process.kill(Number(readFileSync(stage.at('pid'), 'utf8')), 'SIGKILL');
    const error = await runner.next('agent_error');
    assert.deepEqual([error.code, error.signal], ['cli_killed', 'SIGKILL']);
    assert.equal((await runner.next('turn_ended')).stopReason, 'error');
    assert.equal((await runner.next('agent_stopped')).signal, 'SIGKILL');
    assert.equal((await runner.exited).code, 1);
  });
});
