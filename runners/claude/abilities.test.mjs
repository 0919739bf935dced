// What the claude runner can do besides taking turns, with the real CLI and a stand-in of the vendor's API.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setStage } from '../testing/real_cli.mjs';

const MCP_SERVER = fileURLToPath(new URL('../../tests/real_clis/mcp_server.mjs', import.meta.url));
const FORM_SERVER = fileURLToPath(new URL('../testing/mcp_form_server.mjs', import.meta.url));
/** A picture of one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** @type {import('../testing/real_cli.mjs').Stage} */
let stage;
beforeEach(async () => {
  stage = await setStage('claude', { IS_SANDBOX: '1' });
});
afterEach(() => stage.clear());

/** @param {Record<string, any>} more */
function begun(more) {
  const runner = stage.runner();
  runner.send(stage.query(more));
  return runner;
}

describe('claude, besides turns', () => {
  test('it says which kind of account claude uses, which commands and models it offers, and no key', async () => {
    const runner = begun({ prompt: 'SCENARIO:hello' });
    const offers = await runner.next('agent_offers');
    const compact = offers.commands.find((/** @type {any} */ command) => command.name === 'compact');
    assert.match(compact.description, /summar|context|conversation/i);
    assert.equal(
      offers.models.some((/** @type {any} */ model) => model.id === 'opus' && model.efforts.includes('high')),
      true,
    );
    await runner.next('turn_ended');
    const started = runner.ofType('agent_started').at(-1);
    assert.equal(started?.auth, 'API key (ANTHROPIC_API_KEY)');
    assert.equal(started?.permissionMode, 'ask');
    assert.doesNotMatch(JSON.stringify(runner.lines), /no-secret/);
  });

  test('a question is answered by a word or a number, or not at all', async () => {
    const runner = begun({ prompt: 'SCENARIO:ask' });
    for (const [message, answer] of [
      ['blue', '"Which colour?"="Blue"'],
      ['1', '"Which colour?"="Red"'],
      ['rather green', '"Which colour?"="rather green"'],
    ]) {
      const ask = await runner.next('permission_request');
      assert.equal(ask.title, 'Which colour? (Red / Blue)');
      assert.equal(ask.options[0].label, 'Answer');
      runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow', message });
      await runner.nextEvent((event) => event.type === 'user' && said(event).includes(answer));
      await runner.next('turn_ended');
      runner.send(stage.query({ prompt: 'SCENARIO:ask' }));
    }
    const ask = await runner.next('permission_request');
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'deny' });
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
  });

  test('a plan is shown before it is carried out, and the mode that follows is told', async () => {
    const runner = begun({ prompt: 'SCENARIO:leave-plan', permissionMode: 'plan' });
    const ask = await runner.next('permission_request');
    assert.match(ask.input.plan, /1\. Write the file/);
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allowAlways' });
    await runner.next((line) => line.type === 'agent_started' && line.permissionMode === 'acceptEdits');
    await runner.next('turn_ended');
    assert.equal(readFileSync(path.join(stage.workspace, 'planned.txt'), 'utf8'), 'as planned\n');
    assert.equal(runner.ofType('permission_request').length, 1);
  });

  test('a plan that is not approved is not carried out', async () => {
    const runner = begun({ prompt: 'SCENARIO:leave-plan', permissionMode: 'plan' });
    const ask = await runner.next('permission_request');
    runner.send({ type: 'interrupt', sessionId: ask.sessionId });
    await runner.next('turn_ended');
    assert.equal(existsSync(path.join(stage.workspace, 'planned.txt')), false);
    assert.equal(runner.ofType('agent_started').at(-1)?.permissionMode, 'plan');
  });

  test('the mode is switched live, to no questions and back', async () => {
    const runner = begun({ prompt: 'SCENARIO:hello' });
    await runner.next('turn_ended');
    runner.send({ type: 'set', permissionMode: 'bypass' });
    await runner.next((line) => line.type === 'agent_started' && line.permissionMode === 'bypass');
    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=touch+one' }));
    await runner.next('turn_ended');
    assert.equal(existsSync(path.join(stage.workspace, 'one')), true);
    assert.equal(runner.ofType('permission_request').length, 0);
    runner.send({ type: 'set', permissionMode: 'ask' });
    await runner.next((line) => line.type === 'agent_started' && line.permissionMode === 'ask');
    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=touch+two' }));
    await runner.next('permission_request');
    assert.equal(existsSync(path.join(stage.workspace, 'two')), false);
  });

  test('images are shown to the model, other files are named to it', async () => {
    const image = path.join(stage.workspace, 'pixel.png');
    writeFileSync(image, Buffer.from(PIXEL, 'base64'));
    const attachments = [
      { path: image },
      { mimeType: 'image/png', data: PIXEL },
      { path: path.join('/', 'no', 'notes.txt') },
    ];
    const runner = begun({ prompt: 'SCENARIO:hello', attachments });
    await runner.next('turn_ended');
    assert.equal(stage.standIn.requests[0].images, 2);
    assert.equal(JSON.stringify(stage.standIn.requests[0].history).includes('notes.txt'), true);
    runner.send(
      stage.query({ prompt: 'SCENARIO:hello', attachments: [{ path: path.join(stage.workspace, 'gone.png') }] }),
    );
    const error = await runner.next('agent_error');
    assert.match(error.message, /gone\.png/);
    assert.equal((await runner.next('turn_ended')).stopReason, 'error');
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=on' }));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
  });

  test('the limit of steps is told as such, and the next prompt goes on', async () => {
    const runner = begun({ prompt: 'SCENARIO:multi', maxTurns: 2, permissionMode: 'bypass' });
    const error = await runner.next('agent_error');
    assert.deepEqual([error.code, error.retryable], ['max_turns', false], error.message);
    assert.equal((await runner.next('turn_ended')).stopReason, 'maxTurns');
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=on' }));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
  });

  test('how long a provider asks to wait is told', async () => {
    const runner = begun({ prompt: 'SCENARIO:error-429-wait' });
    const error = await runner.next('agent_error');
    assert.deepEqual([error.code, error.retryAfterMs], ['rate_limited', 1500], error.message);
  });

  test('the tool of an MCP server is asked about and called', async () => {
    const log = path.join(stage.workspace, 'calls.ndjson');
    const mcpServers = { light: { type: 'stdio', command: process.execPath, args: [MCP_SERVER, log] } };
    const runner = begun({ prompt: 'SCENARIO:mcp say=lens', mcpServers });
    const ask = await runner.next('permission_request');
    assert.equal(ask.title, 'light: Echo');
    assert.deepEqual(ask.input, { text: 'lens' });
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow' });
    await runner.nextEvent((event) => event.type === 'user' && said(event).includes('echo: lens'));
    await runner.next('turn_ended');
    assert.deepEqual(JSON.parse(readFileSync(log, 'utf8')), { name: 'echo', input: { text: 'lens' } });
  });

  test('a form of an MCP server is filled in by a person, asked again where it does not fit, or declined', async () => {
    const mcpServers = { tower: { type: 'stdio', command: process.execPath, args: [FORM_SERVER] } };
    const runner = begun({ prompt: 'SCENARIO:mcp', mcpServers, permissionMode: 'bypass' });
    const asked = async (/** @type {RegExp} */ title, /** @type {Record<string, unknown>} */ answer) => {
      const ask = await runner.next('permission_request');
      assert.match(ask.title, title);
      runner.send({ type: 'permissionResponse', requestId: ask.requestId, ...answer });
    };
    const history = () => JSON.stringify(stage.standIn.requests.at(-1)?.history);
    await asked(/^tower: About the tower — Floors · Colour \(red \/ white\) · Lit/, {
      outcome: 'allow',
      message: 'two',
    });
    await asked(/^Floors is no number\. tower: /, { outcome: 'allow', message: '2\nwhite\nyes' });
    await runner.next('turn_ended');
    assert.match(history(), /filled in: .*accept.*floors[^a-z]*2[^a-z]*colour[^a-z]*white[^a-z]*lit[^a-z]*true/);
    runner.send(stage.query({ prompt: 'SCENARIO:mcp', permissionMode: 'bypass' }));
    await asked(/^tower: About/, { outcome: 'deny' });
    await runner.next('turn_ended');
    assert.match(history(), /filled in: .*decline/);
    assert.equal(runner.ofType('agent_error').length, 0);
  });

  test('another folder is worked in, only when it was named', async () => {
    const other = path.join(path.dirname(stage.workspace), 'other');
    mkdirSync(other);
    const prompt = (/** @type {string} */ name) => `SCENARIO:write-file file=${path.join(other, name)}`;
    const allowed = begun({ prompt: prompt('a.txt'), permissionMode: 'acceptEdits', additionalDirectories: [other] });
    await allowed.next('turn_ended');
    assert.equal(existsSync(path.join(other, 'a.txt')), true);
    assert.equal(allowed.ofType('permission_request').length, 0);
    const asking = begun({ prompt: prompt('b.txt'), permissionMode: 'acceptEdits' });
    await asking.next('permission_request');
  });

  test('it works in a worktree of its own where that is wanted', async () => {
    const git = (/** @type {string[]} */ ...args) => execFileSync('git', args, { cwd: stage.workspace, stdio: 'pipe' });
    git('init', '-q');
    git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'first');
    const runner = begun({
      prompt: 'SCENARIO:bash cmd=touch+here.txt',
      permissionMode: 'bypass',
      worktreeName: 'lamp',
    });
    await runner.next('turn_ended');
    const { cwd } = runner.events.find((event) => event.subtype === 'init') ?? {};
    assert.match(cwd, /lamp/);
    assert.equal(existsSync(path.join(cwd, 'here.txt')), true);
    assert.equal(existsSync(path.join(stage.workspace, 'here.txt')), false);
  });

  test('a config folder is a profile: its settings hold, and the conversation is kept in it', async () => {
    const configDir = path.join(path.dirname(stage.workspace), 'profile');
    mkdirSync(configDir);
    const hooks = { UserPromptSubmit: [{ hooks: [{ type: 'command', command: 'echo from-the-profile' }] }] };
    writeFileSync(path.join(configDir, 'settings.json'), JSON.stringify({ hooks }));
    const runner = begun({ prompt: 'SCENARIO:hello', configDir });
    await runner.nextEvent((event) => event.subtype === 'hook_response' && event.stdout.includes('from-the-profile'));
    await runner.next('turn_ended');
    assert.equal(existsSync(path.join(configDir, 'projects')), true);
    assert.equal(existsSync(path.join(path.dirname(stage.workspace), '.claude', 'projects')), false);
  });

  test('a slash command is a prompt: compacting makes the context smaller, and the conversation goes on', async () => {
    const runner = begun({ prompt: 'SCENARIO:hello' });
    await runner.next('turn_ended');
    // Older versions find one turn too little to compact, and say so.
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=more' }));
    const before = await runner.next('turn_ended');
    runner.send(stage.query({ prompt: '/compact' }));
    const boundary = await runner.nextEvent((event) => event.subtype === 'compact_boundary');
    const compacted = await runner.next('turn_ended');
    assert.equal(compacted.usage.contextUsed, boundary.compact_metadata.post_tokens);
    assert.notEqual(compacted.usage.contextUsed, before.usage.contextUsed);
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=after' }));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
  });

  test('a result is not the end while a command runs in the background', async () => {
    const runner = begun({ prompt: 'SCENARIO:background s=1', permissionMode: 'bypass' });
    assert.equal((await runner.next('turn_ended')).backgroundTasks, 1);
    await runner.next('turn_started');
    const second = await runner.next('turn_ended');
    assert.deepEqual([second.stopReason, second.backgroundTasks], ['endTurn', undefined]);
  });

  test('no prompt breaks the line that it is sent in', async () => {
    const runner = begun({ prompt: 'SCENARIO:hello' });
    await runner.next('turn_ended');
    runner.send(
      stage.query({ prompt: 'a\u2028b\u0085c\nd"e\\f\u0000g\ud83dh {"type":"x"}\r\nSCENARIO:echo say=whole' }),
    );
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    assert.match(stage.standIn.requests.at(-1)?.lastUser, /a\u2028b\u0085c\nd"e\\f/);
  });
});

/** @param {Record<string, any>} event */
const said = (event) => JSON.stringify(event.message.content).replaceAll('\\"', '"');
