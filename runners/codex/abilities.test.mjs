// What the codex runner can do besides taking turns, with the real CLI and a stand-in of the vendor's API.

import assert from 'node:assert/strict';
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
  stage = await setStage('codex');
});
afterEach(() => stage.clear());

/** @param {Record<string, any>} more */
function begun(more) {
  const runner = stage.runner();
  runner.send(stage.query(more));
  return runner;
}

/**
 * @param {Record<string, any>} event
 * @param {string} type
 */
const ended = (event, type) =>
  event.method === 'item/completed' && event.params.item.type === type && event.params.item;

describe('codex, besides turns', () => {
  test('it says which kind of account codex uses, and which models with which efforts it offers', async () => {
    const runner = begun({ prompt: 'SCENARIO:hello' });
    await runner.next('turn_ended');
    const [offers] = runner.ofType('agent_offers');
    assert.equal(
      offers.models.some((/** @type {any} */ model) => model.id && model.efforts.includes('high')),
      true,
    );
    assert.equal(offers.commands[0].name, 'compact');
    const started = runner.ofType('agent_started').at(-1);
    assert.deepEqual([started?.auth, started?.permissionMode], ['provider standin', 'ask']);
    assert.doesNotMatch(JSON.stringify(runner.lines), /no-secret/);
  });

  test('asking: each command is asked about, an approved one writes, however long it takes; a denied one does not run', async () => {
    const runner = begun({ prompt: 'SCENARIO:bash cmd=sleep+1;touch+approved' });
    const ask = await runner.next('permission_request');
    assert.deepEqual([ask.kind, ask.title], ['execute', 'Run: sleep 1;touch approved']);
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow' });
    await runner.next('turn_ended');
    assert.equal(existsSync(path.join(stage.workspace, 'approved')), true);
    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=touch+denied' }));
    const second = await runner.next('permission_request');
    runner.send({ type: 'permissionResponse', requestId: second.requestId, outcome: 'deny' });
    await runner.next('turn_ended');
    assert.equal(existsSync(path.join(stage.workspace, 'denied')), false);
  });

  test('a command that asks to leave the sandbox says why, and leaves it when that is allowed', async () => {
    const outside = path.join(path.dirname(stage.workspace), 'outside');
    const runner = begun({ prompt: `SCENARIO:escalate cmd=touch+${outside}`, permissionMode: 'acceptEdits' });
    const ask = await runner.next('permission_request');
    assert.equal(ask.input.reason, 'It writes a file in the workspace');
    assert.equal(existsSync(outside), false);
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow' });
    await runner.next('turn_ended');
    assert.equal(existsSync(outside), true);
  });

  test('the question about a patch carries the patch', async () => {
    const runner = begun({ prompt: 'SCENARIO:write-file' });
    const ask = await runner.next('permission_request');
    const [change] = ask.input.changes;
    assert.deepEqual([change.kind.type, change.diff], ['add', 'hello from the stand-in\nsecond line\n']);
  });

  test('the tool of an MCP server is asked about and called', async () => {
    const log = path.join(stage.workspace, 'calls.ndjson');
    const mcpServers = { light: { type: 'stdio', command: process.execPath, args: [MCP_SERVER, log] } };
    const runner = begun({ prompt: 'SCENARIO:mcp say=lens', mcpServers });
    const ask = await runner.next('permission_request');
    assert.deepEqual([ask.toolName, ask.input], ['light: echo', { text: 'lens' }]);
    assert.match(ask.toolCallId, /./);
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow' });
    const call = await runner.nextEvent((event) => ended(event, 'mcpToolCall'));
    assert.equal(call.params.item.result.content[0].text, 'echo: lens');
    await runner.next('turn_ended');
    assert.deepEqual(JSON.parse(readFileSync(log, 'utf8')), { name: 'echo', input: { text: 'lens' } });
  });

  test('a form of an MCP server is filled in by a person, asked again where it does not fit, or declined', async () => {
    const mcpServers = { tower: { type: 'stdio', command: process.execPath, args: [FORM_SERVER] } };
    const runner = begun({ prompt: 'SCENARIO:mcp', mcpServers });
    const asked = async (/** @type {RegExp} */ title, /** @type {Record<string, unknown>} */ answer) => {
      const ask = await runner.next('permission_request');
      assert.match(ask.title, title);
      runner.send({ type: 'permissionResponse', requestId: ask.requestId, ...answer });
    };
    const history = () => JSON.stringify(stage.standIn.requests.at(-1)?.history);
    await asked(/echo/, { outcome: 'allowAlways' });
    // codex puts the fields in the order of their names.
    await asked(/^tower: About the tower — Colour \(red \/ white\) · Floors · Lit/, {
      outcome: 'allow',
      message: 'white\ntwo',
    });
    await asked(/^Floors is no number\. tower: /, { outcome: 'allow', message: 'white\n2\nyes' });
    await runner.next('turn_ended');
    assert.match(history(), /filled in: .*accept.*colour[^a-z]*white[^a-z]*floors[^a-z]*2[^a-z]*lit[^a-z]*true/);
    runner.send(stage.query({ prompt: 'SCENARIO:mcp' }));
    await asked(/^tower: About/, { outcome: 'deny' });
    await runner.next('turn_ended');
    assert.match(history(), /filled in: .*decline/);
    assert.equal(runner.ofType('agent_error').length, 0);
  });

  test('planning: questions are answered, a plan is proposed, nothing is written; then the mode is switched', async () => {
    const runner = begun({ prompt: 'SCENARIO:ask', permissionMode: 'plan' });
    const ask = await runner.next('permission_request');
    assert.equal(ask.title, 'Which colour? (Red / Blue)');
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow', message: 'blue' });
    await runner.next('turn_ended');
    assert.match(JSON.stringify(stage.standIn.requests.at(-1)?.history), /answers.{1,20}Blue/);
    runner.send(stage.query({ prompt: 'SCENARIO:propose-plan' }));
    const plan = await runner.nextEvent((event) => ended(event, 'plan'));
    assert.match(plan.params.item.text, /Light the lamp/);
    await runner.next('turn_ended');
    runner.send({ type: 'set', permissionMode: 'acceptEdits' });
    await runner.next((line) => line.type === 'agent_started' && line.permissionMode === 'acceptEdits');
    runner.send(stage.query({ prompt: 'SCENARIO:write-file' }));
    await runner.next('turn_ended');
    assert.equal(existsSync(path.join(stage.workspace, 'hello.txt')), true);
  });

  test('a search of the web is told', async () => {
    const runner = begun({ prompt: 'SCENARIO:web-search q=lens' });
    const search = await runner.nextEvent((event) => ended(event, 'webSearch'));
    assert.equal(search.params.item.query, 'lens');
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
  });

  test('effort and system prompt reach the model; the cost is told only where the price is known', async () => {
    const prices = { 'gpt-5.5': { input: 10, cachedInput: 1, output: 100 } };
    const providerConfig = { effort: 'high', prices };
    const runner = begun({ prompt: 'SCENARIO:hello', systemPrompt: 'APPENDED-MARK', providerConfig });
    const { usage } = await runner.next('turn_ended');
    const expected = (usage.inputTokens * 10 + usage.cacheReadTokens + usage.outputTokens * 100) / 1e6;
    assert.equal(usage.costUsd, expected);
    const [request] = stage.standIn.requests;
    assert.equal(request.effort, 'high');
    assert.match(JSON.stringify(request), /APPENDED-MARK/);
    const unpriced = begun({ prompt: 'SCENARIO:hello' });
    assert.equal('costUsd' in (await unpriced.next('turn_ended')).usage, false);
  });

  test('the conversation is compacted on request, and goes on', async () => {
    const runner = begun({ prompt: 'SCENARIO:hello' });
    await runner.next('turn_ended');
    runner.send(stage.query({ prompt: '/compact' }));
    await runner.nextEvent((event) => ended(event, 'contextCompaction'));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=after' }));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
  });

  test('images are shown to the model, other files are named to it', async () => {
    const image = path.join(stage.workspace, 'pixel.png');
    writeFileSync(image, Buffer.from(PIXEL, 'base64'));
    const attachments = [
      { path: image },
      { mimeType: 'image/png', data: PIXEL },
      { path: path.join('/', 'notes.txt') },
    ];
    const runner = begun({ prompt: 'SCENARIO:hello', attachments });
    await runner.next('turn_ended');
    assert.equal(stage.standIn.requests[0].images, 2);
    assert.match(JSON.stringify(stage.standIn.requests[0].history), /notes\.txt/);
  });

  test('another folder is worked in, only when it was named', async () => {
    const other = path.join(path.dirname(stage.workspace), 'other');
    mkdirSync(other);
    const run = (/** @type {string} */ name) => ({
      prompt: `SCENARIO:bash cmd=touch+${path.join(other, name)}`,
      permissionMode: 'acceptEdits',
    });
    const allowed = begun({ ...run('a'), additionalDirectories: [other] });
    await allowed.next('turn_ended');
    assert.equal(existsSync(path.join(other, 'a')), true);
    const refused = begun(run('b'));
    await refused.next((line) => line.type === 'turn_ended' || line.type === 'permission_request');
    assert.equal(existsSync(path.join(other, 'b')), false);
  });
});
