// The runners' own library, in this process: lines, text, the parent, versions, failures.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { CliChild } from './lib/child.mjs';
import { apiFailure } from './lib/api_failure.mjs';
import { firstVersion, isAtLeast } from './lib/cli_version.mjs';
import { LineSplitter, LineWriter, readLineBatches } from './lib/line_io.mjs';
import { losslessText, parseObject } from './lib/lossless.mjs';
import { HostChannel } from './lib/protocol.mjs';
import { awaitSilence } from './lib/silence.mjs';

/**
 * @param {(string | Buffer)[]} chunks
 * @param {number} [limit]
 */
function split(chunks, limit) {
  const splitter = new LineSplitter(limit);
  const lines = chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)));
  return [...lines, ...splitter.end()];
}

/** @param {import('./lib/line_io.mjs').Line[]} lines */
const texts = (lines) => lines.map((line) => line.bytes.toString('utf8'));

test('what came while this process was kept from reading counts as heard', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'outrigger-silence-'));
  const marker = path.join(folder, 'printed');
  const child = spawn('/bin/sh', ['-c', `echo late; : > ${marker}; read -r _`], { stdio: ['pipe', 'pipe', 'ignore'] });
  /** @type {string[]} */
  const order = [];
  const silent = new Promise((resolve) => {
    const silence = awaitSilence(10, () => resolve(order.push('silence')));
    child.stdout.on('data', (chunk) => {
      order.push(String(chunk));
      silence.heard();
    });
  });
  // Nothing is read and no timer fires until the output has been waiting for longer than the silence lasts.
  const blocked = new Int32Array(new SharedArrayBuffer(4));
  do Atomics.wait(blocked, 0, 0, 30);
  while (!existsSync(marker));
  await silent;
  child.stdin.end();
  rmSync(folder, { recursive: true });
  assert.deepEqual(order, ['late\n', 'silence']);
});

describe('lines', () => {
  test('end at the newline byte only, wherever chunks are cut', () => {
    const whole = Buffer.from('{"a":"x\u2028y\u2029z\u0085"}\r\nsecond\n\nlast without newline');
    for (let cut = 0; cut <= whole.length; cut++) {
      const lines = split([whole.subarray(0, cut), whole.subarray(cut)]);
      assert.deepEqual(texts(lines), ['{"a":"x\u2028y\u2029z\u0085"}\r', 'second', '', 'last without newline']);
    }
  });

  test('over the limit are cut and marked, and the next line is whole', () => {
    const lines = split(['x'.repeat(25), 'x'.repeat(25), '\nshort\n', '0123456789', '\n', 'y'.repeat(30)], 10);
    assert.deepEqual(texts(lines), ['x'.repeat(10), 'short', '0123456789', 'y'.repeat(10)]);
    assert.deepEqual(
      lines.map((line) => line.cut),
      [true, false, false, true],
    );
    assert.deepEqual(
      lines.map((line) => line.size),
      [50, 5, 10, 30],
    );
  });

  test('of 64 MiB without a newline do not stay in memory', () => {
    const splitter = new LineSplitter(1024);
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 64; i++) splitter.push(chunk);
    assert.equal(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024, true);
    assert.equal(splitter.end()[0].size, 64 * 1024 * 1024);
  });

  test('are read from a stream that breaks', async () => {
    const stream = new Readable({ read() {} });
    stream.push('one\ntwo\nhal');
    setImmediate(() => stream.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' })));
    const lines = [];
    for await (const batch of readLineBatches(stream)) lines.push(...batch);
    assert.deepEqual(texts(lines), ['one', 'two', 'hal']);
  });
});

describe('the writer', () => {
  test('puts the lines of one tick into one write, in order', async () => {
    /** @type {string[]} */
    const writes = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        if (chunk.length > 0) writes.push(chunk.toString());
        done();
      },
    });
    const writer = new LineWriter(stream);
    for (let i = 0; i < 5; i++) writer.write(`line ${i}`, Buffer.from('!'));
    await writer.flush();
    writer.write('later');
    await writer.flush();
    assert.deepEqual(writes, ['line 0!\nline 1!\nline 2!\nline 3!\nline 4!\n', 'later\n']);
  });

  test('waits for a slow reader, and goes on when the reader is gone', async () => {
    const slow = new PassThrough({ highWaterMark: 16 });
    const writer = new LineWriter(slow);
    writer.write('x'.repeat(100));
    let ready = false;
    const waiting = writer.ready().then(() => (ready = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(ready, false);
    slow.resume();
    await waiting;
    slow.pause();
    writer.write('y'.repeat(100));
    const stuck = writer.ready();
    slow.destroy();
    await stuck;
    assert.equal(writer.broken, true);
    writer.write('nobody reads this');
  });
});

describe('what a line says', () => {
  test('is an object, or nothing', () => {
    assert.deepEqual(parseObject(Buffer.from('{"a":"\\ud83d"}')), { a: '\ud83d' });
    for (const text of ['[1]', '"x"', 'null', '5', '{', '', 'garbage'])
      assert.equal(parseObject(Buffer.from(text)), null);
  });

  test('keeps invalid bytes visible', () => {
    assert.equal(losslessText(Buffer.from('plain ✓')), 'plain ✓');
    assert.equal(
      losslessText(Buffer.from([0x61, 0xff, 0xc3, 0x28, 0xe2, 0x9c, 0x93, 0xe2, 0x9c])),
      'a\\xff\\xc3(✓\\xe2\\x9c',
    );
  });
});

describe('the channel to the host', () => {
  /** @param {string} input */
  function channel(input) {
    const output = new PassThrough();
    const host = new HostChannel({ input: Readable.from([Buffer.from(input)]), output });
    let text = '';
    output.on('data', (chunk) => (text += chunk));
    const said = async () => {
      await host.flush();
      return text;
    };
    return { host, said };
  }

  test('passes an event on byte by byte', async () => {
    const { host, said } = channel('');
    const raw = Buffer.concat([
      Buffer.from('{ "b":1.0, "a":"\\ud83d", "c":"'),
      Buffer.from([0xff]),
      Buffer.from('" }'),
    ]);
    host.event('s"1', raw);
    assert.equal(await said(), `{"type":"agent_event","sessionId":"s\\"1","event":${raw.toString('utf8')}}\n`);
  });

  test('answers what it cannot read with an error and goes on', async () => {
    const { host, said } = channel('junk\n[1]\n{"no":"type"}\n\n{"type":"ping"}\n{"type":"x","v":1}');
    /** @type {unknown[]} */
    const heard = [];
    await host.listen((line) => heard.push(line));
    const lines = (await said())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map((line) => line.type),
      ['error', 'error', 'error', 'pong'],
    );
    assert.deepEqual(heard, [{ type: 'x', v: 1 }]);
  });

  test('shortens a text line that is too long', async () => {
    const { host, said } = channel('');
    host.textLine('s', { bytes: Buffer.alloc(3 * 1024 * 1024, 'x'), cut: true, size: 50_000_000 });
    const { event } = JSON.parse(await said());
    assert.deepEqual(
      [event.type, event.cut, event.bytes, event.text.length],
      ['text_line', true, 50_000_000, 1024 * 1024],
    );
  });
});

describe('versions', () => {
  test('are found and compared', () => {
    assert.equal(firstVersion('2.1.329 (Claude Code)'), '2.1.329');
    assert.equal(firstVersion('codex-cli 0.169.0'), '0.169.0');
    assert.equal(firstVersion('no version'), undefined);
    assert.equal(isAtLeast('2.1.329', '2.1.329') && isAtLeast('2.10.0', '2.9.9') && isAtLeast('10.0.0', '9.9.9'), true);
    assert.equal(isAtLeast('2.1.197', '2.1.329') || isAtLeast('1.9.9', '2.0.0'), false);
  });
});

describe('failures of a provider', () => {
  test('become one of few codes', () => {
    const codeOf = (/** @type {number | undefined} */ status, /** @type {string} */ text) =>
      apiFailure({ status, text }).code;
    assert.equal(codeOf(400, 'prompt is too long: 201000 tokens'), 'context_exceeded');
    assert.equal(codeOf(429, 'You have hit your usage limit'), 'usage_limit');
    assert.equal(codeOf(429, 'rate limited'), 'rate_limited');
    assert.equal(codeOf(401, 'whatever'), 'auth');
    assert.equal(codeOf(undefined, 'Not logged in · Please run /login'), 'auth');
    assert.equal(codeOf(undefined, 'Missing environment variable: `X`.'), 'auth');
    assert.equal(codeOf(529, ''), 'overloaded');
    assert.equal(codeOf(undefined, 'Connection error.'), 'network');
    assert.equal(codeOf(400, 'bad request'), 'api_error');
    assert.equal(apiFailure({ status: 500, text: 'x' }).retryable, true);
  });
});

describe('a CLI', () => {
  /**
   * @param {string} script
   * @param {() => Promise<void>} [pace]
   */
  function run(script, pace = async () => {}) {
    let bytes = 0;
    const onLines = (/** @type {import('./lib/line_io.mjs').Line[]} */ lines) =>
      lines.forEach((line) => (bytes += line.size));
    const start = { command: 'sh', args: ['-c', script], cwd: '/', env: process.env, onLines, pace };
    return { cli: new CliChild(start), bytes: () => bytes };
  }

  test('that has exited is heard to its end, however slow the host is', async () => {
    let slow = 0;
    const pace = () => new Promise((resolve) => setTimeout(resolve, slow++ < 3 ? 1300 : 0));
    const { cli, bytes } = run("head -c 198000 /dev/zero | tr '\\\\0' 'x' | fold -w 99; echo; exit 3", () =>
      pace().then(() => {}),
    );
    assert.deepEqual(await cli.exited, { code: 3, signal: null });
    assert.equal(bytes(), 198_000);
  });

  test('whose grandchild holds the pipe is given up, and its last words are kept', async () => {
    const { cli } = run('sleep 30 & for n in $(seq 1 40); do echo "line $n" >&2; done; exit 4');
    assert.equal((await cli.exited).code, 4);
    assert.equal(cli.stderrTail.length, 24);
    assert.equal(cli.stderrTail.at(-1), 'line 40');
  });

  test('that ignores the end of its stdin and SIGTERM is killed', async () => {
    const { cli } = run("trap '' TERM; while :; do sleep 0.1; done");
    assert.equal((await cli.end({ closeMs: 50, termMs: 200 })).signal, 'SIGKILL');
  });
});
