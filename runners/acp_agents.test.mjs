// The ACP runner with the real agents and a stand-in of their vendors' APIs: the same scenarios for each. They are large, so they run
// with `./dev test --clis all` only; the edges of the protocol are tried with a fake agent in acp.test.mjs.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LEFT_OUT, WHOLE_TABLE } from '../tests/real_clis/pins.mjs';
import { AGENTS, AgentStage } from './testing/acp_agents.mjs';
import { said } from './testing/fake_acp.mjs';
import { isAlive, until } from './testing/runner_process.mjs';

const MCP_SERVER = fileURLToPath(new URL('../tests/real_clis/mcp_server.mjs', import.meta.url));

/** What a message into the running turn is, for each agent. @type {Record<string, 'now' | 'queued'>} */
const STEERS = { gemini: 'queued', qwen: 'queued', 'claude-acp': 'now', 'codex-acp': 'now' };

const FILE = 'hello from the stand-in\nsecond line\n';

/** Which kind of account it uses may be known before. @param {Record<string, any>} line */
const opened = ({ type, nativeSessionId }) => type === 'agent_started' && nativeSessionId !== undefined;

/** Only those that are asked for, when some are. */
const wanted = process.env.OUTRIGGER_TEST_AGENTS?.split(',') ?? Object.keys(AGENTS);

for (const agent of wanted) {
  describe(agent, { skip: WHOLE_TABLE ? false : LEFT_OUT }, () => {
    /** @type {AgentStage} */ let stage;
    beforeEach(async () => {
      stage = await AgentStage.set(agent);
    });
    afterEach(() => stage.clear());

    test('text and thinking, in pieces and whole; nothing that is not known; a second turn in the same process', async () => {
      const runner = stage.runner();
      runner.send(stage.query({ prompt: 'SCENARIO:think' }));
      const begun = await runner.next(opened);
      assert.ok(begun.cliVersion);
      await runner.nextEvent((event) => event.type === 'thought' && event.text.includes('I consider it for a moment'));
      await runner.nextEvent(said('I thought about it: the answer is 42.'));
      const ended = await runner.next('turn_ended');
      assert.equal(ended.stopReason, 'endTurn');
      assert.equal(ended.usage.outputTokens > 0, true);
      runner.send(stage.query({ prompt: 'SCENARIO:echo say=second' }));
      await runner.nextEvent(said('You said: second'));
      await runner.next('turn_ended');
      assert.equal(runner.ofType('agent_error').length, 0);
      runner.send({ type: 'stop', sessionId: stage.sessionId });
      assert.deepEqual(await runner.exited, { code: 0, signal: null });
    });

    test('an allowed tool writes its file, a denied one does not', async () => {
      const runner = stage.runner();
      for (const outcome of ['allow', 'deny']) {
        const file = path.join(stage.workspace, `${outcome}.txt`);
        runner.send(stage.query({ prompt: `SCENARIO:write-file file=${file}` }));
        const ask = await runner.next('permission_request');
        assert.equal(ask.kind, 'edit');
        assert.match(JSON.stringify(ask.input), new RegExp(`${outcome}.txt`));
        assert.equal(existsSync(file), false);
        runner.send({ type: 'permissionResponse', requestId: ask.requestId, outcome });
        await runner.next('turn_ended');
        assert.equal(existsSync(file) && readFileSync(file, 'utf8'), outcome === 'allow' ? FILE : false);
      }
    });

    test('mode and what it means: plan changes nothing, accepting edits asks nothing', async () => {
      const runner = stage.runner();
      const file = path.join(stage.workspace, 'planned.txt');
      runner.send(stage.query({ prompt: `SCENARIO:write-file file=${file}`, permissionMode: 'plan' }));
      await runner.next('turn_ended');
      assert.equal(existsSync(file), false);
      runner.send({ type: 'set', permissionMode: 'acceptEdits' });
      await runner.next((line) => line.type === 'agent_started' && line.permissionMode === 'acceptEdits');
      runner.send(stage.query({ prompt: `SCENARIO:write-file file=${file}` }));
      await runner.next('turn_ended');
      assert.equal(readFileSync(file, 'utf8'), FILE);
      assert.equal(runner.ofType('permission_request').length, 0);
    });

    test('an API error is told as such, and the session goes on', async () => {
      const runner = stage.runner();
      runner.send(stage.query({ prompt: 'SCENARIO:error-400' }));
      const error = await runner.next('agent_error');
      assert.deepEqual([error.code, error.retryable], ['api_error', false], error.message);
      assert.match(error.message, /stand-in: bad request/);
      assert.equal((await runner.next('turn_ended')).stopReason, 'error');
      runner.send(stage.query({ prompt: 'SCENARIO:echo say=on' }));
      assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    });

    test('a refused key is told with the ways to sign in', async () => {
      const runner = stage.runner();
      runner.send(stage.query({ prompt: 'SCENARIO:error-401' }));
      const error = await runner.next('agent_error');
      assert.deepEqual([error.code, error.retryable], ['auth', false], error.message);
      assert.equal((await runner.next('turn_ended')).stopReason, 'error');
    });

    test(
      'a rate limit is told as such',
      { skip: agent === 'qwen' && 'qwen tries for ever and says nothing' },
      async () => {
        const runner = stage.runner();
        runner.send(stage.query({ prompt: 'SCENARIO:error-429' }));
        const error = await runner.next('agent_error');
        assert.deepEqual([error.code, error.retryable], ['rate_limited', true], error.message);
        assert.equal((await runner.next('turn_ended')).stopReason, 'error');
      },
    );

    test('a message into the running turn is taken now, or waits for its end, and the runner says which', async () => {
      const runner = stage.runner();
      runner.send(stage.query({ prompt: 'SCENARIO:slow ms=200' }));
      await runner.nextEvent((event) => event.params?.update?.sessionUpdate === 'agent_message_chunk');
      runner.send({ type: 'steer', sessionId: stage.sessionId, text: 'SCENARIO:echo say=steered' });
      assert.equal((await runner.next('steer_accepted')).accepted, STEERS[agent]);
      await runner.nextEvent(said('You said: steered'));
      await runner.next('turn_ended');
      assert.equal(runner.ofType('agent_error').length, 0);
    });

    test('an interrupt ends the turn, the next one runs, and a stop leaves nobody behind', async () => {
      const runner = stage.runner();
      const command = 'echo+pid=$$+>pid;sleep+300';
      runner.send(stage.query({ prompt: `SCENARIO:bash cmd=${command}`, permissionMode: 'bypass' }));
      const note = path.join(stage.workspace, 'pid');
      await until(() => existsSync(note) && readFileSync(note, 'utf8').includes('='), 'the command runs');
      const pid = Number(/pid=(\d+)/.exec(readFileSync(note, 'utf8'))?.[1]);
      assert.equal(isAlive(pid), true);
      runner.send({ type: 'interrupt', sessionId: stage.sessionId });
      assert.equal((await runner.next('turn_ended')).stopReason, 'interrupted');
      runner.send(stage.query({ prompt: 'SCENARIO:echo say=after' }));
      await runner.nextEvent(said('You said: after'));
      await runner.next('turn_ended');
      runner.send({ type: 'stop', sessionId: stage.sessionId });
      assert.equal((await runner.exited).code, 0);
      await until(() => !isAlive(pid), 'the command has ended');
    });

    test('a conversation is opened again in a new process; an unknown one is told as such', async () => {
      const first = stage.runner();
      first.send(stage.query({ prompt: 'SCENARIO:echo say=first' }));
      const { nativeSessionId } = await first.next(opened);
      await first.next('turn_ended');
      first.send({ type: 'stop', sessionId: stage.sessionId });
      await first.exited;
      const again = stage.runner();
      const resume = { resumeMode: 'resume', resumeSessionId: nativeSessionId };
      again.send(stage.query({ prompt: 'SCENARIO:echo say=again', ...resume }));
      // Gemini's has to wait for the next minute.
      const waits = agent === 'gemini' ? 2 : 0;
      for (let n = 0; n < waits && !again.lines.some(opened); n++) await again.next(opened).catch(() => {});
      await again.nextEvent(said('You said: again'));
      assert.equal(JSON.stringify(again.events).includes('You said: first'), false, 'only what is new');
      const history = JSON.stringify(stage.standIn.requests.findLast((request) => /say=again/.test(request.lastUser)));
      assert.match(history, /say=first/);
      const unknown = stage.runner();
      const missing = '01a1fd24-3a80-4de1-82e2-dc4ca646e6ec';
      unknown.send(stage.query({ prompt: 'x', resumeMode: 'resume', resumeSessionId: missing }));
      const error = await unknown.next('agent_error');
      assert.deepEqual([error.code, error.retryable], ['conversation_unknown', false], error.message);
    });

    for (const transport of ['stdio', 'http']) {
      test(`a tool of an MCP server over ${transport} is called`, async () => {
        const runner = stage.runner();
        const over = {
          stdio: { command: process.execPath, args: [MCP_SERVER] },
          http: { type: 'http', url: `${stage.standIn.url}/mcp` },
        };
        const mcpServers = { near: over[/** @type {'stdio'} */ (transport)] };
        runner.send(stage.query({ prompt: 'SCENARIO:mcp say=lighthouse', mcpServers, permissionMode: 'bypass' }));
        await runner.nextEvent((event) => JSON.stringify(event.params?.update ?? {}).includes('echo: lighthouse'));
        await runner.next('turn_ended');
        runner.send({ type: 'stop', sessionId: stage.sessionId });
        assert.equal((await runner.exited).code, 0);
      });
    }
  });
}
