// The Ollama runner against a stand-in that speaks Ollama's API, its tool loop with real files and real commands.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startStandIn } from '../tests/standin/standin.mjs';
import { addressOf, errorIn } from './ollama/server.mjs';
import { globMatcher } from './ollama/search.mjs';
import { RunnerProcess, isAlive, until } from './testing/runner_process.mjs';

const MCP_SERVER = fileURLToPath(new URL('../tests/real_clis/mcp_server.mjs', import.meta.url));
const IMAGE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

class Stage {
  root = mkdtempSync(path.join(os.tmpdir(), 'outrigger-ollama-'));
  workspace = path.join(this.root, 'workspace');
  sessionId = randomUUID();
  /** @type {RunnerProcess[]} */ runners = [];

  /** @param {import('../tests/standin/standin.mjs').StandIn} standIn */
  constructor(standIn) {
    this.standIn = standIn;
    mkdirSync(this.workspace);
  }

  /** @param {Record<string, any>} more */
  query(more) {
    const { sessionId, workspace: cwd } = this;
    const stateDir = path.join(this.root, 'sessions', sessionId, 'runner');
    return { type: 'query', sessionId, cwd, permissionMode: 'bypass', resumeMode: 'new', stateDir, ...more };
  }

  /** @param {Record<string, string>} [env] */
  runner(env) {
    const own = { OLLAMA_HOST: this.standIn.url, HOME: this.root, ...env };
    const runner = new RunnerProcess('ollama.mjs', { env: own });
    this.runners.push(runner);
    return runner;
  }

  /** @param {string} name */
  at(name) {
    return path.join(this.workspace, name);
  }

  /** The chats that the server was asked for. */
  get chats() {
    return this.standIn.requests.filter((request) => request.api === 'ollama');
  }

  async clear() {
    await Promise.all(this.runners.map((runner) => runner.destroy()));
    await this.standIn.close();
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @type {Stage} */
let stage;
beforeEach(async () => {
  stage = new Stage(await startStandIn());
});
afterEach(() => stage.clear());

/** @param {RunnerProcess} runner */
const texts = (runner) => runner.events.filter((event) => event.type === 'text').map((event) => event.text);
/** @param {RunnerProcess} runner */
const results = (runner) => runner.events.filter((event) => event.type === 'tool_result');
/**
 * @param {RunnerProcess} runner
 * @param {string} code
 */
const notices = (runner, code) => runner.events.filter((event) => event.type === 'notice' && event.code === code);

describe('a conversation', () => {
  test('a turn: lines as they came, whole blocks, tokens, context, the server and its models with sizes', async () => {
    const runner = stage.runner();
    assert.equal((await runner.next('ready')).capabilities.images, true);
    runner.send(stage.query({ prompt: 'SCENARIO:think', systemPrompt: 'APPENDED-MARK' }));
    const started = await runner.next((line) => line.type === 'agent_started' && line.model);
    assert.match(started.nativeSessionId, /^ollama-[0-9a-f-]{36}$/);
    assert.deepEqual([started.model, started.cliVersion], ['standin-coder:7b', '0.32.4']);
    const ended = await runner.next('turn_ended');
    assert.equal(ended.stopReason, 'endTurn');
    assert.deepEqual(ended.usage, { inputTokens: 1010, outputTokens: 26, contextUsed: 1036, contextSize: 32_768 });
    const pieces = runner.events.filter((event) => event.message);
    assert.equal(pieces.map((event) => event.message.content).join(''), texts(runner).join(''));
    assert.equal(pieces.at(-1)?.total_duration, 1_000_000, 'fields that nobody here needs are passed on');
    assert.equal(runner.events.find((event) => event.type === 'thought')?.text.startsWith('A short question.'), true);
    assert.match(notices(runner, 'models')[0].text, /standin-coder:7b \(4\.7 GB\), standin-talker:latest \(815 MB\)/);
    assert.match(stage.chats[0].system, /APPENDED-MARK$/);
    for (const line of runner.ofType('agent_event'))
      assert.deepEqual(Object.keys(line), ['type', 'sessionId', 'event']);
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=second' }));
    await runner.next('turn_ended');
    assert.equal(texts(runner).at(-1), 'You said: second');
    assert.equal(stage.chats[1].history[1].text, 'I thought about it: the answer is 42.');
    runner.send({ type: 'stop', sessionId: stage.sessionId });
    assert.equal((await runner.next('agent_stopped')).exitCode, 0);
    assert.deepEqual(await runner.exited, { code: 0, signal: null });
  });

  test('text with every kind of line separator arrives whole', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:unicode' }));
    await runner.next('turn_ended');
    assert.equal(runner.ofType('not_json').length, 0);
    assert.match(texts(runner)[0], /LS\[\u2028\] PS\[\u2029\] NEL\[\u0085\].*👩‍👩‍👧‍👦|👩‍👩‍👧‍👦.*LS\[\u2028\]/s);
  });

  test('it is resumed by id, from another session too, and as the latest; an unknown one is told as such', async () => {
    const first = stage.runner();
    first.send(stage.query({ prompt: 'SCENARIO:write-file' }));
    const { nativeSessionId } = await first.next('agent_started');
    await first.next('turn_ended');
    first.closeStdin();
    await first.exited;
    const again = { prompt: 'SCENARIO:echo say=again', resumeMode: 'resume', resumeSessionId: nativeSessionId };
    const stateDir = path.join(stage.root, 'sessions', randomUUID(), 'runner');
    for (const more of [again, { ...again, stateDir }, { ...again, resumeMode: 'continue' }]) {
      const runner = stage.runner();
      runner.send(stage.query(more));
      assert.equal((await runner.next('agent_started')).nativeSessionId, nativeSessionId);
      await runner.next('turn_ended');
      const history = stage.chats.at(-1)?.history.map((/** @type {any} */ entry) => entry.role);
      assert.deepEqual(history.slice(0, 4), ['user', 'assistant', 'tool', 'assistant']);
      runner.closeStdin();
      await runner.exited;
    }
    const unknown = stage.runner();
    const missing = `ollama-${randomUUID()}`;
    unknown.send(stage.query({ ...again, resumeSessionId: missing }));
    const error = await unknown.next('agent_error');
    assert.deepEqual([error.code, error.retryable], ['conversation_unknown', false]);
    assert.match(error.message, new RegExp(`${missing}.*the next prompt begins a new conversation`));
    assert.equal((await unknown.exited).code, 1);
  });

  test('one that was cut off in the middle of a call, and of a line, goes on', async () => {
    const id = `ollama-${randomUUID()}`;
    const folder = path.join(stage.root, 'sessions', stage.sessionId, 'runner');
    mkdirSync(folder, { recursive: true });
    const call = { id: 'c1', function: { name: 'read_file', arguments: { path: 'x' } } };
    const lines = [
      { type: 'conversation', format: 1, id, cwd: stage.workspace },
      { type: 'message', message: { role: 'user', content: 'SCENARIO:none' } },
      { type: 'message', message: { role: 'assistant', content: 'I look.', tool_calls: [call] } },
    ];
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    writeFileSync(path.join(folder, `${id}.ndjson`), `${text}\n{"type":"message","message":{"ro`);
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=on', resumeMode: 'resume', resumeSessionId: id }));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    assert.deepEqual(
      stage.chats[0].history.map((/** @type {any} */ entry) => [entry.role, entry.text]),
      [
        ['user', 'SCENARIO:none'],
        ['assistant', 'I look.'],
        ['tool', 'There is no result: the call was cut off.'],
        ['user', 'SCENARIO:echo say=on'],
      ],
    );
  });

  test('images go to a model that takes them, and are refused in words for one that does not', async () => {
    const runner = stage.runner();
    writeFileSync(stage.at('dot.png'), Buffer.from(IMAGE, 'base64'));
    const attachments = [{ mimeType: 'image/png', data: IMAGE }, { path: 'dot.png' }];
    runner.send(stage.query({ prompt: 'SCENARIO:echo say=seen', attachments }));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    assert.equal(stage.chats[0].images, 2);
    runner.send({ type: 'set', model: 'standin-talker' });
    runner.send(stage.query({ prompt: 'SCENARIO:hello', attachments }));
    assert.match((await runner.next('agent_error')).message, /takes no images/);
    assert.equal((await runner.next('turn_ended')).stopReason, 'error');
    assert.equal(stage.chats.length, 1);
  });
});

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
    assert.deepEqual(await import('node:fs').then(({ readdirSync }) => readdirSync(outside)), []);
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
});

describe('failures', () => {
  test('no server: what to do is told, and the session goes on when it is there', async () => {
    const runner = stage.runner({ OLLAMA_HOST: '127.0.0.1:1' });
    runner.send(stage.query({ prompt: 'SCENARIO:hello' }));
    const error = await runner.next('agent_error');
    assert.deepEqual([error.code, error.retryable], ['network', false]);
    assert.match(error.message, /no Ollama server answers at http:\/\/127\.0\.0\.1:1 .*`ollama serve`.*OLLAMA_HOST/);
    assert.equal((await runner.next('turn_ended')).stopReason, 'error');
    runner.closeStdin();
    assert.equal((await runner.exited).code, 0);
  });

  for (const [scenario, code, retryable] of /** @type {const} */ ([
    ['error-400', 'api_error', false],
    ['error-401', 'auth', false],
    ['error-429', 'rate_limited', true],
    ['error-500', 'api_error', true],
    ['drop', 'network', true],
    ['error-mid', 'api_error', false],
    ['max-tokens', 'context_exceeded', false],
  ])) {
    test(`${scenario} is told as ${code}, and the session goes on`, async () => {
      const runner = stage.runner();
      runner.send(stage.query({ prompt: `SCENARIO:${scenario}` }));
      const error = await runner.next('agent_error');
      assert.deepEqual([error.code, error.retryable], [code, retryable], error.message);
      assert.equal((await runner.next('turn_ended')).stopReason, 'error');
      runner.send(stage.query({ prompt: 'SCENARIO:echo say=on' }));
      assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
      assert.equal(stage.chats.at(-1)?.history.length <= 3, true, 'a prompt that was refused is not sent again');
    });
  }

  test('a model that is missing is told with the command that gets it', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:hello', model: 'llama9:400b' }));
    const error = await runner.next('agent_error');
    assert.match(
      error.message,
      /does not have the model llama9:400b\. Get it with `ollama pull llama9:400b`\. It has standin-coder/,
    );
    await runner.next('turn_ended');
    runner.send({ type: 'set', model: 'standin-coder:7b' });
    runner.send(stage.query({ prompt: 'SCENARIO:hello' }));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
  });

  test('a model without tools talks, and that is told; a small context is told too', async () => {
    const runner = stage.runner();
    runner.send(stage.query({ prompt: 'SCENARIO:write-file', model: 'standin-talker' }));
    assert.equal((await runner.next('turn_ended')).stopReason, 'endTurn');
    assert.match(notices(runner, 'no_tools')[0].text, /standin-talker cannot use tools/);
    assert.deepEqual(stage.chats[0].tools, []);
    const small = stage.runner();
    small.send(stage.query({ prompt: 'SCENARIO:hello', model: 'standin-small:1b' }));
    assert.equal((await small.next('turn_ended')).usage.contextSize, 4096);
    assert.match(notices(small, 'small_context')[0].text, /4096 tokens.*numCtx/);
  });

  test('a conversation that does not fit is told as such, by the server’s own count', async () => {
    const said = 'request (8889 tokens) exceeds the available context size (4096 tokens), try increasing it';
    const inner = JSON.stringify({ error: { code: 400, message: said, type: 'exceed_context_size_error' } });
    /** @type {any} */
    let asked;
    const server = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const chat = request.url === '/api/chat';
      if (chat) asked = JSON.parse(Buffer.concat(chunks).toString());
      response.writeHead(chat ? 400 : 200).end(JSON.stringify(chat ? { error: inner } : { models: [], version: '1' }));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    const runner = stage.runner({ OLLAMA_HOST: `localhost:${port}` });
    const providerConfig = { numCtx: 4096, host: `127.0.0.1:${port}`, options: { temperature: 0 } };
    runner.send(stage.query({ prompt: 'x', model: 'm', providerConfig }));
    const error = await runner.next('agent_error');
    assert.equal(error.code, 'context_exceeded');
    assert.match(error.message, /no longer fits into 4096 tokens \(request \(8889 tokens\) exceeds.*numCtx/);
    assert.deepEqual([asked.truncate, asked.options], [false, { temperature: 0, num_ctx: 4096 }]);
    server.closeAllConnections();
    server.close();
  });
});

describe('small parts', () => {
  test('OLLAMA_HOST is read as Ollama reads it', () => {
    for (const [given, expected] of [
      ['', 'http://127.0.0.1:11434/'],
      ['0.0.0.0', 'http://127.0.0.1:11434/'],
      ['0.0.0.0:5000', 'http://127.0.0.1:5000/'],
      [':5000', 'http://127.0.0.1:5000/'],
      ['box', 'http://box:11434/'],
      ['box:1', 'http://box:1/'],
      ['http://box', 'http://box/'],
      ['https://box/llm/', 'https://box/llm'],
      ['[::1]:7', 'http://[::1]:7/'],
    ])
      assert.equal(addressOf(given).href, expected, given);
  });

  test('an error inside of an error is found', () => {
    assert.equal(errorIn('{"error":"{\\"error\\":{\\"message\\":\\"deep\\"}}"}'), 'deep');
    assert.equal(errorIn('plain'), 'plain');
  });

  test('globs', () => {
    const fits = (/** @type {string} */ glob, /** @type {string} */ file) => globMatcher(glob)(file);
    assert.deepEqual([fits('*.rs', 'a/b.rs'), fits('*.rs', 'a/b.rsx'), fits('a?.md', 'ab.md')], [true, false, true]);
    assert.deepEqual(
      [fits('src/**/*.ts', 'src/a/b.ts'), fits('src/**/*.ts', 'src/b.ts'), fits('src/*.ts', 'src/a/b.ts')],
      [true, true, false],
    );
  });
});
