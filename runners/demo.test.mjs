// The demo runner in a process of its own, under every runtime that is there: what any runner owes its host.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ensureRealClis } from '../tests/real_clis/install.mjs';
import { RunnerProcess, isAlive, runtimesOf, until } from './testing/runner_process.mjs';

const DEMO = path.join(path.dirname(fileURLToPath(import.meta.url)), 'demo.mjs');
const FILE = 'OUTRIGGER-DEMO.md';
const GROWING = path.join(path.dirname(DEMO), 'testing', 'mcp_growing_server.mjs');

const runtimes = runtimesOf(await ensureRealClis());

for (const [name, runtime] of Object.entries(runtimes)) describe(`demo under ${name}`, () => demoTests(runtime));

/** @param {string[]} runtime */
function demoTests(runtime) {
  /** @type {string} */ let workspace;
  /** @type {RunnerProcess[]} */ let runners = [];
  const sessionId = randomUUID();

  beforeEach(() => {
    workspace = mkdtempSync(path.join(os.tmpdir(), 'outrigger-demo-'));
    mkdirSync(path.join(workspace, 'src'));
    writeFileSync(path.join(workspace, 'README.md'), '# A project\n');
    writeFileSync(path.join(workspace, 'src', 'main.rs'), 'fn main() {}\n');
  });
  afterEach(async () => {
    await Promise.all(runners.map((runner) => runner.destroy()));
    runners = [];
    rmSync(workspace, { recursive: true, force: true });
  });

  /** @param {Record<string, string>} [env] */
  function start(env = {}) {
    const runner = new RunnerProcess('demo.mjs', { runtime, env: { OUTRIGGER_DEMO_PACE: '0', ...env } });
    runners.push(runner);
    return runner;
  }

  /**
   * @param {string} prompt
   * @param {Record<string, any>} [more]
   */
  const query = (prompt, more = {}) => ({
    type: 'query',
    sessionId,
    prompt,
    cwd: workspace,
    permissionMode: 'ask',
    resumeMode: 'new',
    ...more,
  });

  /**
   * @param {RunnerProcess} runner
   * @param {string} outcome
   */
  async function answer(runner, outcome) {
    const ask = await runner.next('permission_request');
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome });
    return ask;
  }

  /** @param {RunnerProcess} runner */
  const words = (runner) =>
    runner.events
      .filter((event) => event.type === 'text')
      .map((event) => event.text)
      .join('\n');

  test('a whole turn, asked and allowed, then a follow-up', async () => {
    const runner = start();
    const ready = await runner.next('ready');
    assert.deepEqual([ready.protocol, ready.provider], [1, 'demo']);
    runner.send(query('look around'));
    const started = await runner.next('agent_started');
    assert.match(started.nativeSessionId, /^demo-/);
    await runner.next('turn_started');
    const ask = await answer(runner, 'allow');
    assert.deepEqual([ask.toolName, ask.kind, ask.input.path], ['write_file', 'edit', FILE]);
    const ended = await runner.next('turn_ended');
    assert.equal(ended.stopReason, 'endTurn');
    assert.equal(ended.usage.outputTokens > 20, true);
    assert.match(readFileSync(path.join(workspace, FILE), 'utf8'), /2 files, 25 bytes/);
    const kinds = new Set(runner.events.map((event) => event.type));
    for (const kind of ['thought_delta', 'thought', 'text_delta', 'text', 'tool_call', 'tool_result', 'plan'])
      assert.equal(kinds.has(kind), true, kind);
    const deltas = new Map();
    for (const event of runner.events)
      if (event.type === 'text_delta') deltas.set(event.block, (deltas.get(event.block) ?? '') + event.text);
    for (const event of runner.events) if (event.type === 'text') assert.equal(deltas.get(event.block), event.text);
    runner.send(query('and now?'));
    await runner.next('turn_ended');
    assert.match(words(runner), /turn 2 of our session/);
    runner.send({ type: 'stop', sessionId });
    assert.equal((await runner.next('agent_stopped')).exitCode, 0);
    assert.deepEqual(await runner.exited, { code: 0, signal: null });
  });

  test('denied, planned and accepted edits', async () => {
    const file = path.join(workspace, FILE);
    const asking = start();
    asking.send(query('x'));
    await answer(asking, 'deny');
    await asking.next('turn_ended');
    assert.match(words(asking), /You denied it/);
    const planning = start();
    planning.send(query('x', { permissionMode: 'plan' }));
    await planning.next('turn_ended');
    assert.equal(planning.ofType('permission_request').length, 0);
    assert.equal(existsSync(file), false);
    const accepting = start();
    accepting.send(query('x', { permissionMode: 'acceptEdits' }));
    await accepting.next('turn_ended');
    assert.equal(accepting.ofType('permission_request').length, 0);
    assert.equal(existsSync(file), true);
  });

  test('a steer is mentioned, a resume is disclosed', async () => {
    const runner = start();
    runner.send(
      query('demo:slow=40 go', { permissionMode: 'plan', resumeMode: 'resume', resumeSessionId: 'demo-earlier' }),
    );
    await runner.nextEvent((event) => event.type === 'thought_delta');
    runner.send({ type: 'steer', sessionId, text: 'mind the gap' });
    assert.equal((await runner.next('steer_accepted')).accepted, 'now');
    runner.send({ type: 'set', model: 'demo-2' });
    await runner.next((line) => line.type === 'agent_started' && line.model === 'demo-2');
    await runner.next('turn_ended');
    assert.match(words(runner), /mind the gap/);
    assert.match(words(runner), /`demo-earlier`: its id and nothing else/);
    assert.equal(runner.ofType('turn_ended').length, 1);
  });

  test('an interrupt ends the turn, withdraws the question, and the next prompt works', async () => {
    const runner = start();
    runner.send(query('x'));
    const ask = await runner.next('permission_request');
    runner.send({ type: 'interrupt', sessionId });
    assert.equal((await runner.next('permission_cancelled')).requestId, ask.requestId);
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    runner.send(query('demo:slow=100 x'));
    await runner.nextEvent((event) => event.type === 'text_delta');
    runner.send({ type: 'interrupt', sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    assert.equal(existsSync(path.join(workspace, FILE)), false);
    runner.send(query('x'));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
  });

  test('a command is asked for, run, and ended with the turn', async () => {
    const runner = start();
    runner.send(query('demo:run="echo $((6*7))"', { permissionMode: 'acceptEdits' }));
    const ask = await answer(runner, 'allow');
    assert.equal(ask.kind, 'execute');
    const result = await runner.nextEvent((event) => event.type === 'tool_result' && event.id === ask.toolCallId);
    assert.deepEqual([result.ok, result.output], [true, '42\n']);
    await runner.next('turn_ended');
    runner.send(query('demo:run="echo $$ > pid; exec sleep 300"'));
    await answer(runner, 'allow');
    const pidFile = path.join(workspace, 'pid');
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').trim() !== '', 'the command runs');
    runner.send({ type: 'interrupt', sessionId });
    await runner.next('turn_ended');
    await until(() => !isAlive(Number(readFileSync(pidFile, 'utf8'))), 'the command has ended');
  });

  /** @param {RunnerProcess} runner */
  const results = (runner) =>
    runner.events
      .filter((event) => event.type === 'tool_call' && event.name.startsWith('near'))
      .map(({ id }) => runner.events.find((event) => event.type === 'tool_result' && event.id === id))
      .map(({ ok, output }) => [ok, output]);

  const mcpServers = {
    near: { command: process.execPath, args: [GROWING] },
    broken: { command: path.join(os.tmpdir(), 'no-such-server') },
  };

  test('a tool of an MCP server is asked about and called; servers that fail are told', async () => {
    const runner = start();
    const call = 'demo:list-tools demo:tool=near__echo {"text":"a {lamp}"} demo:tool=near__fail demo:tool=near__none';
    runner.send(query(call, { permissionMode: 'acceptEdits', mcpServers }));
    const ask = await answer(runner, 'allow');
    assert.deepEqual([ask.toolName, ask.title, ask.kind], ['near__echo', 'near: echo', 'other']);
    assert.deepEqual(ask.input, { text: 'a {lamp}' });
    await answer(runner, 'allow');
    await runner.next('turn_ended');
    assert.deepEqual(results(runner), [
      [true, 'echo: {"text":"a {lamp}"}'],
      [false, 'it went wrong'],
      [false, 'there is no tool near__none'],
    ]);
    assert.match(words(runner), /I may call 5 tools of MCP servers\.\n\n- `near__echo`: The tool echo/);
    assert.match(words(runner), /The MCP server broken cannot be used: .*ENOENT/);
    runner.send(query('demo:tool=near__echo'));
    await answer(runner, 'deny');
    await runner.next('turn_ended');
    assert.deepEqual(results(runner).at(-1), [false, 'The user denied this.']);
    runner.send(query('demo:tool=near__echo {"text": lamp}'));
    assert.match((await runner.next('agent_error')).message, /no JSON object/);
    await runner.next('turn_ended');
  });

  test('the permission mode holds for the tools of MCP servers', async () => {
    const call = 'demo:tool=near__echo demo:tool=near__grow';
    const bypassing = start();
    bypassing.send(query(call, { permissionMode: 'bypass', mcpServers }));
    await bypassing.next('turn_ended');
    assert.equal(bypassing.ofType('permission_request').length, 0);
    assert.deepEqual(
      results(bypassing).map(([ok]) => ok),
      [true, true],
    );
    const planning = start();
    planning.send(query(call, { permissionMode: 'plan', mcpServers }));
    // One that says that it changes nothing may be asked for.
    assert.equal((await answer(planning, 'allow')).toolName, 'near__echo');
    await planning.next('turn_ended');
    assert.equal(results(planning).length, 1);
    assert.match(words(planning), /In plan mode I do not call `near__grow`/);
  });

  test('tools of MCP servers come and go in the middle of a session, and an interrupt ends a call', async () => {
    const runner = start();
    const mode = { permissionMode: 'bypass', mcpServers };
    runner.send(query('demo:tool=near__grow demo:tool=near__grown demo:tool=near__grow', mode));
    await runner.next('turn_ended');
    assert.deepEqual(results(runner), [
      [true, 'there is another tool now'],
      [true, 'grown: {}'],
      [false, 'there is no tool near__grow'],
    ]);
    runner.send(query('demo:tool=near__hang', mode));
    await runner.nextEvent((event) => event.type === 'tool_call' && event.name === 'near__hang');
    runner.send({ type: 'interrupt', sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    assert.deepEqual(results(runner).at(-1), [false, 'The user interrupted this.']);
    runner.send(query('demo:tool=near__leave demo:tool=near__echo', mode));
    await runner.next('turn_ended');
    assert.match(results(runner).at(-2)[1], /near: leave failed: it has ended \(code 4\)/);
    assert.deepEqual(results(runner).at(-1), [false, 'there is no tool near__echo']);
    assert.match(words(runner), /The MCP server near cannot be used: it has ended \(code 4\)/);
  });

  test('a failure, a crash and an exit at once look like what they are', async () => {
    const failing = start();
    failing.send(query('demo:fail'));
    assert.equal((await failing.next('agent_error')).code, 'api_error');
    assert.equal((await failing.next('turn_ended')).stopReason, 'error');
    const crashing = start();
    crashing.send(query('demo:crash'));
    assert.deepEqual(await crashing.exited, { code: 7, signal: null });
    assert.match(crashing.stderr, /something terrible/);
    assert.match(words(crashing), /about to crash/);
    const leaving = start();
    leaving.send(query('demo:exit-at-once'));
    assert.equal((await leaving.exited).code, 3);
    assert.equal(leaving.ofType('turn_started').length, 0);
    const silent = start({ OUTRIGGER_DEMO_NO_READY: '1' });
    silent.send({ type: 'ping' });
    await silent.next('pong');
    assert.equal(silent.ofType('ready').length, 0);
  });

  test('a flaky agent fails as often as it was asked to, each time as something that may pass', async () => {
    const runner = start();
    for (let attempt = 1; attempt <= 3; attempt++) {
      runner.send(query('demo:flaky=2 demo:stderr=2 x', { permissionMode: 'plan' }));
      await until(() => runner.ofType('turn_ended').length === attempt, `the end of attempt ${attempt}`);
    }
    const errors = runner.ofType('agent_error').map((error) => [error.code, error.retryable]);
    assert.deepEqual(errors, [
      ['overloaded', true],
      ['overloaded', true],
    ]);
    const reasons = runner.ofType('turn_ended').map((end) => end.stopReason);
    assert.deepEqual(reasons, ['error', 'error', 'endTurn']);
    assert.match(runner.stderr, /line 2 of 2/);
  });

  test('garbage loses no valid line; huge output arrives whole', async () => {
    const runner = start();
    runner.send(query('demo:garbage'));
    await runner.next('turn_ended');
    const blocks = runner.events.map((event) => event.block).filter((block) => block > 9000);
    assert.deepEqual(blocks, [9002, 9003, 9004, 9001, 9005, 9006]);
    assert.equal(runner.ofType('not_json').length, 8);
    runner.send(query('demo:huge=2'));
    await runner.next('turn_ended');
    const whole = runner.events.filter((event) => event.type === 'text' && event.text.startsWith('Block '));
    assert.equal(
      whole.reduce((sum, event) => sum + event.text.length, 0),
      2 * 1024 * 1024,
    );
  });

  test('bad lines, unknown commands and wrong sessions are answered, not fatal', async () => {
    const runner = start();
    for (const line of ['junk', '[]', '{"type":5}', '{"type":"teleport"}', '{"type":"query"}', '{"type":"interrupt"}'])
      runner.send(line);
    runner.send({ type: 'permissionResponse', requestId: 'nobody', outcome: 'allow' });
    runner.send({ type: 'ping' });
    await runner.next('pong');
    runner.send(query('x', { permissionMode: 'plan' }));
    await runner.next('turn_ended');
    runner.send({ type: 'interrupt', sessionId: 'another' });
    assert.match(
      (await runner.next((line) => line.type === 'error' && line.command === 'interrupt')).message,
      /not another/,
    );
    assert.equal(runner.ofType('error').length, 7);
  });

  test('the end of stdin, SIGTERM, and the end of the parent end it', async () => {
    const closing = start();
    closing.send(query('demo:slow=200 x'));
    await closing.nextEvent((event) => event.type === 'thought_delta');
    closing.closeStdin();
    assert.equal((await closing.next('turn_ended')).stopReason, 'interrupted');
    assert.deepEqual(await closing.exited, { code: 0, signal: null });
    const signalled = start();
    await signalled.next('ready');
    signalled.kill('SIGTERM');
    assert.equal((await signalled.exited).code, 143);
    await orphan(runtime);
  });
}

/**
 * Starts a runner whose stdin stays open, through a parent that is then killed.
 * @param {string[]} runtime
 */
async function orphan(runtime) {
  const script = `
    const { spawn } = require('node:child_process');
    const [command, ...args] = JSON.parse(process.argv[1]);
    const child = spawn(command, args, { stdio: ['inherit', 'pipe', 'inherit'] });
    child.stdout.once('data', () => process.send(child.pid));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['-e', script, JSON.stringify([...runtime, DEMO])], {
    stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
  });
  const pid = await new Promise((resolve) => parent.once('message', resolve));
  assert.equal(isAlive(pid), true);
  parent.kill('SIGKILL');
  await until(() => !isAlive(pid), 'the runner noticed that its parent is gone');
}
