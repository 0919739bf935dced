// The tools of the Ollama runner with real files and real commands, called by a stand-in of the model.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startStandIn } from '../../tests/standin/standin.mjs';
import { OllamaStage, notices, results, texts } from '../testing/ollama_stage.mjs';
import { isAlive, until } from '../testing/runner_process.mjs';

const GROWING_SERVER = fileURLToPath(new URL('../testing/mcp_growing_server.mjs', import.meta.url));
const MCP_SERVER = fileURLToPath(new URL('../../tests/real_clis/mcp_server.mjs', import.meta.url));

/** @type {OllamaStage} */
let stage;
beforeEach(async () => {
  stage = new OllamaStage(await startStandIn());
});
afterEach(() => stage.clear());

describe('tools', () => {
  test('a file is written, read and counted in one turn, with what was there before', async () => {
    writeFileSync(stage.at('multi.txt'), 'old\n');
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:multi' }));
    await runner.next('turn_ended');
    assert.equal(readFileSync(stage.at('multi.txt'), 'utf8'), 'one\ntwo\nthree\n');
    const write = runner.events.find((event) => event.type === 'tool_call');
    assert.deepEqual(
      [write?.kind, write?.change.oldText, write?.change.newText],
      ['edit', 'old\n', 'one\ntwo\nthree\n'],
    );
    assert.deepEqual(
      results(runner).map((result) => [result.ok, result.output]),
      [
        [true, 'Changed multi.txt, 3 lines.'],
        [true, 'one\ntwo\nthree'],
        [true, '3 multi.txt\n'],
      ],
    );
    assert.deepEqual(texts(runner), ['First I write.', 'Then I read.', 'Then I count.', 'All three steps are done.']);
  });

  for (const [mode, asked] of /** @type {const} */ ([
    ['ask', ['edit', 'execute']],
    ['acceptEdits', ['execute']],
    ['bypass', []],
  ])) {
    test(`mode ${mode} asks for ${asked.join(' and ') || 'nothing'}`, async () => {
      const runner = stage.runner();
      runner.send(stage.query({ prompt: 'SCENARIO:multi', permissionMode: mode }));
      for (const kind of asked) {
        const ask = await runner.next('permission_request');
        assert.equal(ask.kind, kind);
        assert.equal(existsSync(stage.at('multi.txt')), kind !== 'edit', 'it waits for the answer');
        assert.equal(ask.toolCallId, runner.events.findLast((event) => event.type === 'tool_call')?.id);
        runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow' });
      }
      assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
      assert.equal(runner.ofType('permission_request').length, asked.length);
      assert.equal(
        results(runner).every((result) => result.ok),
        true,
      );
    });
  }

  test('plan mode refuses with a word, and reading is free', async () => {
    const runner = stage.runner();
    writeFileSync(stage.at('multi.txt'), 'as it was\n');
    runner.send(stage.query({ prompt: 'SCENARIO:multi', permissionMode: 'plan' }));
    await runner.next('turn_ended');
    assert.equal(runner.ofType('permission_request').length, 0);
    assert.equal(readFileSync(stage.at('multi.txt'), 'utf8'), 'as it was\n');
    const told = results(runner).map((result) => [result.ok, result.denied]);
    assert.deepEqual(told, [
      [false, true],
      [true, undefined],
      [false, true],
    ]);
    assert.match(results(runner)[0].output, /plan mode/);
  });

  test('a denial reaches the model, “always” holds, and an answer may change the call', async () => {
    const runner = stage.runner();
    const ask = async (/** @type {Record<string, unknown>} */ answer) => {
      const { requestId } = await runner.next('permission_request');
      runner.send({ type: 'permissionResponse', requestId, ...answer });
      await runner.next('turn_ended');
    };
    const write = (/** @type {string} */ file) =>
      runner.send(stage.query({ prompt: `SCENARIO:write-file file=${file}`, permissionMode: 'ask' }));
    write('a.txt');
    await ask({ outcome: 'deny', message: 'not there' });
    assert.equal(existsSync(stage.at('a.txt')), false);
    assert.equal(stage.chats[1].history.at(-1).text, 'The user denied this. not there');
    write('b.txt');
    await ask({ outcome: 'allow', updatedInput: { path: 'c.txt', content: 'changed' } });
    assert.deepEqual([existsSync(stage.at('b.txt')), readFileSync(stage.at('c.txt'), 'utf8')], [false, 'changed']);
    write('d.txt');
    await ask({ outcome: 'allowAlways' });
    write('e.txt');
    await runner.next('turn_ended');
    assert.equal(existsSync(stage.at('e.txt')), true);
    assert.equal(runner.ofType('permission_request').length, 3);
  });

  test('nothing outside of the scope is touched, whatever the path looks like', async () => {
    const outside = path.join(stage.root, 'outside');
    const more = path.join(stage.root, 'more');
    [outside, more].forEach((folder) => mkdirSync(folder));
    symlinkSync(outside, stage.at('door'));
    symlinkSync(path.join(outside, 'not-yet.txt'), stage.at('dangling.txt'));
    const runner = stage.runner();
    const wrong = [
      '../outside/a.txt',
      path.join(outside, 'b.txt'),
      'door/c.txt',
      'dangling.txt',
      'x/../../outside/d.txt',
    ];
    for (const file of [...wrong, path.join(more, 'fine.txt'), 'new/folder/fine.txt']) {
      const prompt = `SCENARIO:write-file file=${file}`;
      runner.send(stage.query({ prompt, additionalDirectories: [more] }));
      await runner.next('turn_ended');
    }
    assert.deepEqual(
      results(runner).map((result) => result.ok),
      [...wrong.map(() => false), true, true],
    );
    assert.match(results(runner)[2].output, /door\/c\.txt \(it leads to .*outside.*\) is outside of the folders/);
    assert.match(results(runner)[3].output, /dangling\.txt is a link that leads nowhere/);
    assert.deepEqual(readdirSync(outside), []);
    assert.equal(existsSync(path.join(more, 'fine.txt')) && existsSync(stage.at('new/folder/fine.txt')), true);
  });

  test('a failing command says so; one with endless output is cut', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:bash-fail' }));
    await runner.next('turn_ended');
    const [failed] = results(runner);
    assert.deepEqual([failed.ok, failed.exitCode, failed.output], [false, 3, 'about to fail\n(exit code 3)']);
    runner.send(stage.query({ prompt: 'SCENARIO:huge-tool' }));
    await runner.next('turn_ended');
    const big = results(runner)[1].output;
    assert.equal(big.length < 31_000 && big.startsWith('1\n2\n') && big.endsWith('200000\n'), true);
    assert.match(big, /characters are left out here/);
  });

  test('an interrupt ends the request, and the command with everything that it started', async () => {
    const runner = stage.runner();
    const cmd = 'sleep+300&echo+$!>pid;sleep+301';
    runner.send(stage.query({ prompt: `SCENARIO:bash cmd=${cmd}` }));
    await until(() => existsSync(stage.at('pid')) && readFileSync(stage.at('pid'), 'utf8').trim(), 'the command runs');
    const pid = Number(readFileSync(stage.at('pid'), 'utf8'));
    runner.send({ type: 'interrupt', sessionId: stage.sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    await until(() => !isAlive(pid), 'what the command started has ended');
    assert.equal(results(runner)[0].cancelled, true);
    runner.send(stage.query({ prompt: 'SCENARIO:slow ms=200' }));
    await runner.nextEvent((event) => event.message?.content);
    runner.send({ type: 'interrupt', sessionId: stage.sessionId });
    assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=after' }));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    const roles = stage.chats.at(-1)?.history.map((/** @type {any} */ entry) => entry.role);
    assert.deepEqual(roles, ['user', 'assistant', 'tool', 'user', 'assistant', 'user']);
    assert.equal(runner.ofType('agent_error').length, 0);
  });

  test('the end of the runner is the end of its command', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:bash cmd=echo+$$>pid;sleep+300' }));
    await until(() => existsSync(stage.at('pid')) && readFileSync(stage.at('pid'), 'utf8').trim(), 'the command runs');
    const pid = Number(readFileSync(stage.at('pid'), 'utf8'));
    runner.closeStdin();
    assert.deepEqual(await runner.exited, { code: 0, signal: null });
    await until(() => !isAlive(pid), 'the command has ended');
  });

  test('a steer is taken before the next question to the model, in the same turn', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:sleep s=1' }));
    await runner.nextEvent((event) => event.type === 'tool_output');
    runner.send({ type: 'steer', sessionId: stage.sessionId, text: 'SCENARIO:echo say=steered' });
    assert.equal((await runner.next('steer_accepted')).accepted, 'queued');
    await runner.next('turn_ended');
    assert.equal(texts(runner).at(-1), 'You said: steered');
    assert.equal(runner.ofType('turn_started').length, 1);
    runner.send({ type: 'steer', sessionId: stage.sessionId, text: 'SCENARIO:echo say=idle' });
    assert.equal((await runner.next('steer_accepted')).accepted, 'now');
    await runner.next('turn_ended');
    assert.equal(texts(runner).at(-1), 'You said: idle');
  });

  test('tools of MCP servers are offered, asked about and called; a server that does not start is told', async () => {
    const log = path.join(stage.root, 'mcp.ndjson');
    const mcpServers = {
      near: { command: process.execPath, args: [MCP_SERVER, log] },
      broken: { command: path.join(stage.root, 'no-such-server') },
    };
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:mcp say=light', permissionMode: 'acceptEdits', mcpServers }));
    const ask = await runner.next('permission_request');
    assert.deepEqual([ask.toolName, ask.title, ask.kind], ['near__echo', 'near: echo', 'other']);
    runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome: 'allow' });
    await runner.next('turn_ended');
    assert.equal(results(runner)[0].output, 'echo: light');
    assert.match(readFileSync(log, 'utf8'), /"light"/);
    assert.match(notices(runner, 'mcp')[0].text, /The MCP server broken cannot be used: .*ENOENT/);
    const far = stage.runner();
    far.send(
      stage.query({ prompt: 'SCENARIO:mcp', mcpServers: { far: { type: 'http', url: `${stage.standIn.url}/mcp` } } }),
    );
    await far.next('turn_ended');
    assert.equal(results(far)[0].output, 'echo: lighthouse');
  });

  test('a tool that an MCP server offers later is there for the next question to the model', async () => {
    const steps = [
      { calls: [{ tool: 'grow', input: {} }] },
      { calls: [{ tool: 'grown', input: { text: 'tall' } }] },
      { say: 'Done.' },
    ];
    const script = path.join(stage.root, 'steps.json');
    writeFileSync(script, JSON.stringify(steps));
    const mcpServers = { near: { command: process.execPath, args: [GROWING_SERVER] } };
    const runner = stage.runner();
    runner.send(stage.query({ prompt: `SCENARIO:script path=${script}`, mcpServers }));
    await runner.next('turn_ended');
    assert.equal(results(runner)[1].output, 'grown: {"text":"tall"}');
    assert.equal(texts(runner).at(-1), 'Done.');
    const offered = stage.chats.map(({ tools }) =>
      tools.filter((/** @type {string} */ name) => name.startsWith('near')),
    );
    assert.deepEqual([offered[0].includes('near__grown'), offered[1].includes('near__grown')], [false, true]);
    assert.equal(offered[1].includes('near__grow'), false);
  });
});
