// The Ollama runner against a stand-in that speaks Ollama's API: conversations and failures. Its tools have tests of their own.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { startStandIn } from '../tests/standin/standin.mjs';
import { failureTests } from './testing/failures.mjs';
import { OllamaStage, notices, texts } from './testing/ollama_stage.mjs';

const IMAGE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** @type {OllamaStage} */
let stage;
beforeEach(async () => {
  stage = new OllamaStage(await startStandIn());
});
afterEach(() => stage.clear());

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
    runner.closeStdin();
    await runner.exited;
    const again = stage.runner();
    again.send(stage.query({ prompt: 'SCENARIO:echo say=more', resumeMode: 'resume', resumeSessionId: id }));
    await again.next('turn_ended');
    const told = stage.chats[1].history.map((/** @type {any} */ entry) => entry.text);
    assert.equal(told[2], 'There is no result: the call was cut off.', 'what follows a torn line is not torn with it');
    assert.equal(told.length, 6);
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

  failureTests(
    ['error-400', 'error-401', 'error-429', 'error-500', 'drop', 'error-mid', 'max-tokens'],
    () => stage,
    () => assert.equal(stage.chats.at(-1)?.history.length <= 3, true, 'a prompt that was refused is not sent again'),
  );

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
