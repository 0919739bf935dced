// The ACP runner with a fake agent (tests/fixtures/acp/fake_agent.mjs), for the edges of the protocol that no real agent shows on
// demand: turns, steering, permissions, files and terminals. The real agents are driven in acp_agents.test.mjs.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { FakeStage, MODES, said } from './testing/fake_acp.mjs';
import { isAlive, until } from './testing/runner_process.mjs';

/** @type {FakeStage} */ let stage;
beforeEach(() => {
  stage = new FakeStage();
});
afterEach(() => stage.clear());

describe('acp: a turn', () => {
  test('text is streamed and finished, the session has its id, the agent ends with the runner', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'hello' }));
    const begun = await runner.next('agent_started');
    assert.deepEqual([begun.nativeSessionId, begun.cliVersion], ['fake-1', '9.8.7']);
    const turn = await runner.next('turn_started');
    await runner.nextEvent(said('you said: hello'));
    const ended = await runner.next('turn_ended');
    assert.deepEqual([ended.turnId, ended.stopReason], [turn.turnId, 'endTurn']);
    for (const line of runner.ofType('agent_event'))
      assert.deepEqual(Object.keys(line), ['type', 'sessionId', 'event']);
    runner.send(stage.query({ prompt: 'again' }));
    await runner.nextEvent(said('you said: again'));
    await runner.next('turn_ended');
    runner.send({ type: 'stop', sessionId: stage.sessionId });
    assert.equal((await runner.next('agent_stopped')).exitCode, 0);
    assert.deepEqual(await runner.exited, { code: 0, signal: null });
  });

  test('what is no protocol survives: half lines, invalid bytes, unknown notifications, requests and answers', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'fake:strange' }));
    await runner.nextEvent(said('refused with -32601'));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    const texts = runner.events.filter((event) => event.type === 'text_line').map((event) => event.text);
    assert.deepEqual(texts, ['this is no JSON', '[1,2]', '{"broken": ', '{\\xff\\xfe}']);
    for (const method of ['fake/dreams', 'fake/ask'])
      assert.equal(runner.events.filter((event) => event.method === method).length, 1, method);
    assert.equal(
      runner.events.some((event) => event.params?.update?.sessionUpdate === 'from_the_future'),
      true,
    );
    runner.send(stage.query({ prompt: 'on' }));
    await runner.nextEvent(said('you said: on'));
  });

  test('an emoji that two chunks cut in half is whole in the finished block', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'fake:split' }));
    assert.equal((await runner.nextEvent((event) => event.type === 'text')).text, 'a👍b \u2028 end');
  });

  test('blocks end where something else begins, and stand before it', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'fake:plan' }));
    const ended = await runner.next('turn_ended');
    const kinds = runner.events
      .map((event) => (event.type ?? event.params?.update?.sessionUpdate) + (event.text ? `: ${event.text}` : ''))
      .filter((kind) => /^(text|thought|plan)/.test(kind));
    assert.deepEqual(kinds, ['thought: A plan is wanted.', 'text: Here it is.', 'plan']);
    const usage = { inputTokens: 7, outputTokens: 3, cacheReadTokens: 2, cacheWriteTokens: 0 };
    assert.deepEqual(ended.usage, { ...usage, costUsd: 0.5, contextUsed: 10, contextSize: 100 });
  });

  for (const [act, reason] of /** @type {const} */ ([
    ['silent', 'refused'],
    ['out-of-turns', 'maxTurns'],
  ])) {
    test(`the agent's end ${act} is ${reason}`, async () => {
      const runner = stage.started();
      runner.send(stage.query({ prompt: `fake:${act}` }));
      assert.equal((await runner.next('turn_ended')).stopReason, reason);
    });
  }

  for (const [words, code, retryable] of /** @type {const} */ ([
    ['429 {"error":{"message":"slow down"}}', 'rate_limited', true],
    ['-32603 Internal error: API Error: 400 bad', 'api_error', false],
    ['-32603 Internal error: API Error: 529 overloaded', 'overloaded', true],
    ['-32000 Authentication required', 'auth', false],
  ])) {
    test(`the error ${words} is ${code}, and the session goes on`, async () => {
      const runner = stage.started();
      runner.send(stage.query({ prompt: `fake:fail ${words}` }));
      const error = await runner.next('agent_error');
      assert.deepEqual([error.code, error.retryable], [code, retryable], error.message);
      assert.equal((await runner.next('turn_ended')).stopReason, 'error');
      runner.send(stage.query({ prompt: 'on' }));
      assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    });
  }
});

describe('acp: steering, interrupting, ending', () => {
  test('a steer that the agent cannot take waits for the end of the turn, and says so', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'fake:slow' }));
    await runner.nextEvent((event) => event.params?.update?.sessionUpdate === 'agent_message_chunk');
    runner.send({ type: 'steer', sessionId: stage.sessionId, text: 'steered' });
    assert.equal((await runner.next('steer_accepted')).accepted, 'queued');
    runner.send({ type: 'interrupt', sessionId: stage.sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    await runner.nextEvent(said('you said: steered'));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
  });

  test('a steer is taken now where the agent offers it, and where a second prompt steers', async () => {
    const offering = stage.started({ meta: { steering: { supported: true } } });
    offering.send(stage.query({ prompt: 'fake:slow' }));
    await offering.nextEvent((event) => event.params?.update?.sessionUpdate === 'agent_message_chunk');
    offering.send({ type: 'steer', sessionId: stage.sessionId, text: 'go left' });
    assert.equal((await offering.next('steer_accepted')).accepted, 'now');
    await until(() => offering.stderr.includes('steered with go left'), 'the agent has got it');
    const second = stage.started();
    second.send(stage.query({ prompt: 'fake:slow', providerConfig: { agent: 'codex-acp' } }));
    await second.nextEvent((event) => event.params?.update?.sessionUpdate === 'agent_message_chunk');
    second.send({ type: 'steer', sessionId: stage.sessionId, text: 'go right' });
    assert.equal((await second.next('steer_accepted')).accepted, 'now');
    await second.nextEvent((event) => event.params?.update?.content?.text === 'you said: go right');
    assert.equal(second.ofType('turn_ended').length, 0, 'the first prompt is not answered yet');
    second.send({ type: 'interrupt', sessionId: stage.sessionId });
    await second.next('turn_ended');
    assert.equal(second.ofType('turn_started').length, 1);
  });

  test('an interrupt answers the open question as cancelled and withdraws it', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'fake:permission' }));
    const asked = await runner.next('permission_request');
    runner.send({ type: 'interrupt', sessionId: stage.sessionId });
    assert.equal((await runner.next('permission_cancelled')).requestId, asked.requestId);
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    await until(() => runner.events.some(said('{"outcome":"cancelled"}')), 'the agent was answered');
  });

  test('an agent that ignores everything is ended in the time of a stop', async () => {
    const runner = stage.started({ ignoresEnd: true, ignoresSignals: true });
    runner.send(stage.query({ prompt: 'fake:deaf' }));
    await runner.next('turn_started');
    await runner.nextEvent((event) => event.params?.update?.content?.text === 'I do not listen.');
    runner.send({ type: 'stop', sessionId: stage.sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    assert.equal((await runner.next('agent_stopped')).signal, 'SIGKILL');
    assert.equal((await runner.exited).code, 0);
  });

  test('an agent that dies in mid-turn is told with its last words, and what it said is kept', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'fake:die 7' }));
    await runner.nextEvent(said('I go now.'));
    const error = await runner.next('agent_error');
    assert.deepEqual([error.code, error.exitCode], ['cli_exited', 7]);
    assert.match(error.message, /the last words/);
    assert.equal((await runner.next('turn_ended')).stopReason, 'error');
    assert.equal((await runner.next('agent_stopped')).exitCode, 7);
    assert.equal((await runner.exited).code, 1);
  });

  test('an agent that is not there, or not to be driven over ACP, is told as such', async () => {
    const missing = stage.started();
    missing.send(stage.query({ prompt: 'x', cli: path.join(stage.root, 'no-such-agent') }));
    assert.equal((await missing.next('agent_error')).code, 'cli_missing');
    const refused = stage.started();
    refused.send(stage.query({ prompt: 'x', providerConfig: { agent: 'opencode' } }));
    const error = await refused.next('agent_error');
    assert.equal(error.code, 'not_offered');
    assert.match(error.message, /provider `opencode`/);
    assert.equal((await refused.exited).code, 1);
  });
});

describe('acp: permissions', () => {
  test('a question shows what would happen and what can be answered; each answer reaches the agent as its own option', async () => {
    const runner = stage.started();
    for (const [outcome, option] of [
      ['allow', '"once"'],
      ['allowAlways', '"server"'],
      ['deny', '"no"'],
      ['denyAlways', '"no"'],
    ]) {
      runner.send(stage.query({ prompt: 'fake:permission' }));
      const asked = await runner.next('permission_request');
      assert.deepEqual([asked.title, asked.kind, asked.toolCallId], ['Change a.txt', 'edit', 'p1']);
      assert.deepEqual(asked.input, { path: 'a.txt' });
      const offered = asked.options.map((/** @type {any} */ entry) => entry.outcome);
      assert.deepEqual(offered, ['allow', 'allowAlways', 'deny']);
      runner.send({ type: 'permissionResponse', requestId: asked.requestId, outcome });
      await runner.nextEvent(said(option));
      await runner.next('turn_ended');
    }
  });

  test('a call that the agent asks about without having told of it is begun by the runner, once', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'fake:permission' }));
    const asked = await runner.next('permission_request');
    runner.send({ type: 'permissionResponse', requestId: asked.requestId, outcome: 'allow' });
    await runner.next('turn_ended');
    const begun = runner.events.filter((event) => event.type === 'unannounced_tool_call');
    assert.deepEqual(begun, [{ type: 'unannounced_tool_call', toolCallId: 'p1' }]);
    assert.equal(
      runner.events.some((event) => event.type === 'tool_call_denied'),
      false,
    );
    runner.send(stage.query({ prompt: 'fake:permission' }));
    const again = await runner.next('permission_request');
    runner.send({ type: 'permissionResponse', requestId: again.requestId, outcome: 'deny' });
    await runner.nextEvent((event) => event.type === 'tool_call_denied' && event.toolCallId === 'p1');
  });

  for (const [mode, kind, option] of /** @type {const} */ ([
    ['bypass', 'execute', '"once"'],
    ['acceptEdits', 'edit', '"once"'],
    ['plan', 'edit', '"no"'],
  ])) {
    test(`mode ${mode} answers a question about ${kind} by itself`, async () => {
      const runner = stage.started({ modes: MODES });
      runner.send(stage.query({ prompt: `fake:permission ${kind}`, permissionMode: mode }));
      await runner.nextEvent(said(option));
      assert.equal(runner.ofType('permission_request').length, 0);
    });
  }
});

describe('acp: files and terminals', () => {
  test('files inside the folders are read and written, parts of them too', async () => {
    const extra = path.join(stage.root, 'extra');
    mkdirSync(extra);
    writeFileSync(path.join(extra, 'a.txt'), 'one\ntwo\nthree\n');
    const runner = stage.started();
    runner.send(stage.query({ prompt: `fake:read ${path.join(extra, 'a.txt')}`, additionalDirectories: [extra] }));
    await runner.nextEvent(said('read: one\ntwo\nthree\n'));
    runner.send(stage.query({ prompt: `fake:read ${path.join(extra, 'a.txt')} 2 1` }));
    await runner.nextEvent(said('read: two\n'));
    const made = path.join(stage.workspace, 'new', 'deep', 'b.txt');
    runner.send(stage.query({ prompt: `fake:write ${made} some words` }));
    await runner.nextEvent(said('written'));
    assert.equal(readFileSync(made, 'utf8'), 'some words');
    const missing = runner.events.find((event) => event.type === 'notice' && event.code === 'not_offered');
    assert.match(missing?.text ?? '', /does not take the additional directories/);
  });

  test('nothing outside of them is, also not through links, dots or names that only begin alike', async () => {
    const outside = path.join(stage.root, 'workspace-not');
    mkdirSync(outside);
    writeFileSync(path.join(outside, 'secret'), 'do not tell');
    symlinkSync(outside, path.join(stage.workspace, 'link'));
    symlinkSync(path.join(outside, 'secret'), path.join(stage.workspace, 'file-link'));
    symlinkSync(path.join(outside, 'unmade'), path.join(stage.workspace, 'dangling'));
    const runner = stage.started();
    for (const file of [
      path.join(outside, 'secret'),
      `${stage.workspace}/../workspace-not/secret`,
      path.join(stage.workspace, 'link', 'secret'),
      path.join(stage.workspace, 'file-link'),
      'workspace/relative',
    ]) {
      runner.send(stage.query({ prompt: `fake:read ${file}` }));
      const { text } = await runner.nextEvent((event) => event.type === 'text');
      assert.match(text, /refused: .*(outside the folders of this session|no absolute path)/, file);
    }
    for (const [file, why] of /** @type {const} */ ([
      ['link/new', /refused: .*outside the folders/],
      ['file-link', /refused: .*outside the folders/],
      ['dangling', /refused: .*a link that leads nowhere/],
      ['dangling/new', /refused: .*a link that leads nowhere/],
    ])) {
      runner.send(stage.query({ prompt: `fake:write ${path.join(stage.workspace, file)} x` }));
      assert.match((await runner.nextEvent((event) => event.type === 'text')).text, why, file);
    }
    assert.equal(readFileSync(path.join(outside, 'secret'), 'utf8'), 'do not tell');
    assert.equal(existsSync(path.join(outside, 'new')) || existsSync(path.join(outside, 'unmade')), false);
  });

  test('what is no text, or too large a part, is refused and not damaged', async () => {
    writeFileSync(path.join(stage.workspace, 'picture'), Buffer.from([0x89, 0x50, 0xff]));
    const runner = stage.started();
    runner.send(stage.query({ prompt: `fake:read ${path.join(stage.workspace, 'picture')}` }));
    await runner.nextEvent(said('is no UTF-8 text'));
  });

  test('plan mode writes nothing and runs nothing', async () => {
    const runner = stage.started({ modes: MODES });
    runner.send(stage.query({ prompt: `fake:write ${path.join(stage.workspace, 'a')} x`, permissionMode: 'plan' }));
    await runner.nextEvent(said('refused: fs/write_text_file is refused: the session is in plan mode'));
    runner.send(stage.query({ prompt: 'fake:terminal' }));
    await runner.nextEvent(said('refused: terminal/create is refused'));
    assert.equal(existsSync(path.join(stage.workspace, 'a')), false);
    const none = stage.started();
    none.send(stage.query({ prompt: 'x', permissionMode: 'plan' }));
    assert.match((await none.next('agent_error')).message, /has no plan mode/);
  });

  test('a terminal shows its output as it comes, tells its end, and belongs to its call', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'fake:terminal' }));
    await runner.nextEvent(said('"one\\ntwo\\n", {"exitCode":3,"signal":null}'));
    const shown = runner.events.filter((event) => event.type === 'terminal_output');
    assert.equal(shown.map((event) => event.text).join(''), 'one\ntwo\n');
    const end = runner.events.find((event) => event.type === 'terminal_exit');
    assert.deepEqual([end?.toolCallId, end?.output, end?.exitCode], ['call-terminal-1', 'one\ntwo\n', 3]);
  });

  test('a terminal without a call, with arguments, variables and a limit of its output', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'fake:bare-terminal printenv FAKE' }));
    await runner.nextEvent(
      said('{"output":"the agent\\n","truncated":true,"exitStatus":{"exitCode":0,"signal":null}}'),
    );
    const end = runner.events.find((event) => event.type === 'terminal_exit');
    assert.deepEqual([end?.toolCallId, end?.output], [undefined, 'set by the agent\n']);
  });

  test('a terminal is killed when it is asked for, even one that does not want to; a stop leaves none behind', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'fake:kill-terminal' }));
    const { text } = await runner.nextEvent((event) => event.type === 'text');
    assert.equal(JSON.parse(text).exitStatus.signal, 'SIGKILL');
    runner.send(stage.query({ prompt: 'fake:terminal echo pid=$$; sleep 300' }));
    const { text: line } = await runner.nextEvent((event) => event.type === 'terminal_output');
    const pid = Number(/pid=(\d+)/.exec(line)?.[1]);
    assert.equal(isAlive(pid), true);
    runner.send({ type: 'stop', sessionId: stage.sessionId });
    await runner.exited;
    await until(() => !isAlive(pid), 'the command has ended');
  });

  test('an interrupt ends the terminals of the turn', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'fake:terminal echo pid=$$; sleep 300' }));
    const { text } = await runner.nextEvent((event) => event.type === 'terminal_output');
    runner.send({ type: 'interrupt', sessionId: stage.sessionId });
    await runner.next('turn_ended');
    await until(() => !isAlive(Number(/pid=(\d+)/.exec(text)?.[1])), 'the command has ended');
  });
});
