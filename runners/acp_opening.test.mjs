// How the ACP runner begins and opens conversations, with a fake agent (tests/fixtures/acp/fake_agent.mjs): what the agent is
// told, signing in, modes, models, earlier conversations.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { QUIRKS } from './acp/quirks.mjs';
import { FAKE, FakeStage, MODES, said } from './testing/fake_acp.mjs';
import { until } from './testing/runner_process.mjs';

/**
 * What the agent heard, it tells on stderr, which may come later than what it says on stdout.
 * @param {import('./testing/runner_process.mjs').RunnerProcess} runner
 * @param {RegExp} what
 */
const heard = (runner, what) => until(() => what.test(runner.stderr), `the agent has heard ${what}`);

/** @type {FakeStage} */ let stage;
beforeEach(() => {
  stage = new FakeStage();
});
afterEach(() => stage.clear());

describe('acp: opening a conversation', () => {
  test('what the agent needs reaches it: folder, MCP servers, directories, instructions; what it does not take is told', async () => {
    const capabilities = {
      mcpCapabilities: { http: true },
      sessionCapabilities: { additionalDirectories: {}, systemPrompt: {} },
    };
    const runner = stage.started({ capabilities });
    const mcpServers = {
      near: { command: 'node', args: ['a.mjs'], env: { KEY: 'v' } },
      far: { type: 'http', url: 'http://127.0.0.1:1/', headers: { A: 'b' } },
      old: { type: 'sse', url: 'http://127.0.0.1:1/sse' },
    };
    runner.send(
      stage.query({
        prompt: 'x',
        mcpServers,
        additionalDirectories: [stage.root],
        systemPrompt: 'BE KIND',
        maxTurns: 3,
        attachments: [{ path: 'a.txt' }, { mimeType: 'image/png', data: 'QQ==' }],
      }),
    );
    await runner.nextEvent(said('you said: resource_link x'));
    await heard(runner, /new with .*\n/);
    const params = JSON.parse(/new with (.*)/.exec(runner.stderr)?.[1] ?? '{}');
    assert.equal(params.cwd, stage.workspace);
    assert.deepEqual(params.mcpServers, [
      { name: 'near', command: 'node', args: ['a.mjs'], env: [{ name: 'KEY', value: 'v' }] },
      { type: 'http', name: 'far', url: 'http://127.0.0.1:1/', headers: [{ name: 'A', value: 'b' }] },
    ]);
    assert.deepEqual(params.additionalDirectories, [stage.root]);
    assert.deepEqual(params.systemPrompt, { mode: 'append', content: [{ type: 'text', text: 'BE KIND' }] });
    const told = runner.events.filter((event) => event.type === 'notice').map((event) => event.text);
    assert.match(told.join('\n'), /limit on turns[\s\S]*MCP server old was left out[\s\S]*image\/png/);
  });

  test('a prompt that comes while the agent starts waits for the first one', async () => {
    const runner = stage.started({ modes: MODES });
    runner.send(stage.query({ prompt: 'first' }));
    runner.send(stage.query({ prompt: 'second' }));
    await runner.nextEvent((event) => event.type === 'text' && event.text === 'you said: first');
    await runner.nextEvent((event) => event.type === 'text' && event.text === 'you said: second');
    await runner.next('turn_ended');
    assert.equal(runner.ofType('turn_ended').length, 2);
  });

  test('where it takes no instructions they stand in front of the first prompt only', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'first', systemPrompt: 'BE KIND' }));
    await runner.nextEvent(said('you said: BE KIND\n\nfirst'));
    runner.send(stage.query({ prompt: 'second', systemPrompt: 'BE KIND' }));
    await runner.nextEvent((event) => event.type === 'text' && event.text === 'you said: second');
  });

  test('a loaded conversation is not told again, a resumed and the latest one are opened; an unknown one is told as such', async () => {
    const loaded = stage.started({ capabilities: { loadSession: true } });
    loaded.send(stage.query({ prompt: 'new', resumeMode: 'resume', resumeSessionId: 'fake-1' }));
    await loaded.nextEvent(said('you said: new'));
    assert.equal(/an old|"old"/.test(JSON.stringify(loaded.events)), false);
    const resuming = { capabilities: { sessionCapabilities: { resume: {}, list: {} } }, sessions: sessionsOf() };
    const latest = stage.started(resuming);
    latest.send(stage.query({ prompt: 'new', resumeMode: 'continue' }));
    assert.equal((await latest.next('agent_started')).nativeSessionId, 'fake-1');
    for (const offers of [resuming, { capabilities: { loadSession: true } }, {}]) {
      const unknown = stage.started(offers);
      unknown.send(stage.query({ prompt: 'x', resumeMode: 'resume', resumeSessionId: 'gone' }));
      const error = await unknown.next('agent_error');
      assert.deepEqual([error.code, error.retryable], ['conversation_unknown', false], error.message);
      assert.equal((await unknown.exited).code, 1);
    }
  });

  test('an agent that offers to resume and cannot is asked to load instead', async () => {
    const capabilities = { loadSession: true, sessionCapabilities: { resume: {} } };
    const runner = stage.started({ capabilities, without: 'session/resume' });
    runner.send(stage.query({ prompt: 'new', resumeMode: 'resume', resumeSessionId: 'fake-1' }));
    await runner.nextEvent(said('you said: new'));
    assert.equal(JSON.stringify(runner.events).includes('an old answer'), false);
    const neither = stage.started({ capabilities: { sessionCapabilities: { resume: {} } }, without: 'session/resume' });
    neither.send(stage.query({ prompt: 'new', resumeMode: 'resume', resumeSessionId: 'fake-1' }));
    assert.equal((await neither.next('agent_error')).code, 'conversation_unknown');
  });

  test('gemini’s conversation of this minute is opened in the next one only; an interrupt and a stop need not wait for it', async () => {
    // Not a real minute: for the runner one begins just now, so that the wait is longer than a test waits for anything.
    const now = Date.now();
    const ahead = 60_000 - (now % 60_000);
    const minute = new Date(now + ahead).toISOString().slice(0, 16).replaceAll(':', '-');
    const chats = path.join(stage.root, '.gemini', 'tmp', 'project', 'chats');
    mkdirSync(chats, { recursive: true });
    writeFileSync(path.join(chats, `session-${minute}-fake-1.jsonl`), '');
    const runner = stage.started({ capabilities: { loadSession: true } }, ahead);
    const resume = { resumeMode: 'resume', resumeSessionId: 'fake-1' };
    runner.send(stage.query({ prompt: 'x', ...resume, providerConfig: { agent: 'gemini', args: [FAKE] } }));
    const waits = await runner.nextEvent((event) => event.type === 'notice');
    assert.match(waits.text, /waiting [456]\d s/);
    runner.send({ type: 'interrupt', sessionId: stage.sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    runner.send(stage.query({ prompt: 'y' }));
    runner.send({ type: 'stop', sessionId: stage.sessionId });
    assert.equal((await runner.next('agent_stopped')).exitCode, 0);
    // A runner whose stop takes too long ends with 1.
    assert.deepEqual(await runner.exited, { code: 0, signal: null });
    assert.equal(/load with/.test(runner.stderr), false, 'nothing was loaded');
  });

  test('a prompt that is interrupted while the agent starts is never sent; the next one is, behind the instructions', async () => {
    const runner = stage.started({ slowMs: 500 });
    runner.send(stage.query({ prompt: 'first', systemPrompt: 'BE KIND' }));
    runner.send({ type: 'interrupt', sessionId: stage.sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    runner.send(stage.query({ prompt: 'second', systemPrompt: 'BE KIND' }));
    await runner.nextEvent((event) => event.type === 'text' && event.text === 'you said: BE KIND\n\nsecond');
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    assert.equal(runner.ofType('turn_started').length, 2);
    assert.equal(JSON.stringify(runner.events).includes('first'), false);
  });

  test('who is not signed in learns the ways; one that the settings name is taken', async () => {
    const authMethods = [
      { id: 'browser', name: 'Log in with the browser' },
      { id: 'key', name: 'API key', description: 'Set FAKE_KEY' },
    ];
    const out = stage.started({ authMethods });
    out.send(stage.query({ prompt: 'x' }));
    const error = await out.next('agent_error');
    assert.deepEqual([error.code, error.retryable], ['auth', false]);
    assert.match(error.message, /Log in with the browser; API key – Set FAKE_KEY/);
    const chosen = stage.started({ authMethods });
    chosen.send(stage.query({ prompt: 'x', providerConfig: { authMethod: 'browser' } }));
    await chosen.nextEvent(said('you said: x'));
    await heard(chosen, /signed in by browser/);
  });

  test('mode and model are chosen from what is offered, before the first prompt and later', async () => {
    const models = {
      currentModelId: 'small',
      availableModels: [
        { modelId: 'small', name: 'Small' },
        { modelId: 'big', name: 'Big' },
      ],
    };
    const runner = stage.started({ modes: MODES, models });
    runner.send(stage.query({ prompt: 'x', model: 'Big' }));
    const offered = (await runner.next('agent_offers')).models;
    assert.deepEqual(offered, [
      { id: 'small', name: 'Small' },
      { id: 'big', name: 'Big' },
    ]);
    await runner.next((line) => line.type === 'agent_started' && line.model === 'big');
    await runner.next('turn_ended');
    await heard(runner, /mode default\nmodel big/);
    runner.send({ type: 'set', permissionMode: 'acceptEdits' });
    await runner.next((line) => line.type === 'agent_started' && line.permissionMode === 'acceptEdits');
    await heard(runner, /mode auto-edit/);
    runner.send({ type: 'set', model: 'huge' });
    assert.match((await runner.next('error')).message, /no model "huge"; its models are small, big/);
    const options = [
      { id: 'm', category: 'mode', type: 'select', currentValue: 'build', options: [{ value: 'plan', name: 'Plan' }] },
      { id: 'x', category: 'model', type: 'select', currentValue: 'a', options: [{ value: 'b', name: 'B' }] },
    ];
    const other = stage.started({ configOptions: options });
    other.send(stage.query({ prompt: 'x', model: 'b', permissionMode: 'plan' }));
    await other.next('turn_ended');
    await heard(other, /option m plan\noption x b/);
  });

  test('an agent that refuses a mode in which less is asked goes into the asking one, and is answered here', async () => {
    const runner = stage.started({ modes: MODES, refusedMode: 'auto-edit' });
    runner.send(stage.query({ prompt: 'x', permissionMode: 'plan' }));
    await runner.next('turn_ended');
    runner.send({ type: 'set', permissionMode: 'acceptEdits' });
    const told = await runner.nextEvent((event) => event.type === 'notice' && event.code === 'mode');
    assert.match(told.text, /no trust.*answered here/);
    runner.send(stage.query({ prompt: 'fake:permission edit' }));
    await runner.nextEvent(said('"once"'));
    await heard(runner, /mode plan\nmode default\n/);
  });

  test('gemini is told of no files, has no second process, and every quirk is of a known kind', async () => {
    const runner = stage.started();
    runner.send(stage.query({ prompt: 'x', providerConfig: { agent: 'gemini' } }));
    await runner.next('turn_ended');
    await heard(runner, /"fs":\{"readTextFile":false,"writeTextFile":false\}/);
    assert.equal(QUIRKS.gemini.env?.GEMINI_CLI_NO_RELAUNCH, 'true');
    for (const [name, { modes, refused }] of Object.entries(QUIRKS)) {
      if (refused) continue;
      assert.deepEqual(Object.keys(modes ?? {}), ['ask', 'acceptEdits', 'plan', 'bypass'], name);
    }
  });
});

/** The newest is not the first. */
function sessionsOf() {
  return [
    { sessionId: 'older', cwd: stage.workspace, updatedAt: '2026-01-01T00:00:00Z' },
    { sessionId: 'fake-1', cwd: stage.workspace, updatedAt: '2026-02-01T00:00:00Z' },
    { sessionId: 'elsewhere', cwd: '/', updatedAt: '2026-03-01T00:00:00Z' },
  ];
}
