// Parts of the Ollama runner alone: addresses, errors, output, links.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Output } from './command.mjs';
import { applyChange } from './files.mjs';
import { addressOf, errorIn } from './server.mjs';

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

test('as much of an output is kept when it comes in small pieces as when it comes at once', () => {
  const all = Array.from({ length: 20_000 }, (_, at) => `${at}\n`).join('');
  const kept = [100, 4096, 16_000, all.length].map((size) => {
    const output = new Output(() => {});
    for (let at = 0; at < all.length; at += size) output.add(Buffer.from(all.slice(at, at + size)));
    return output.text('');
  });
  assert.equal(new Set(kept).size, 1);
  assert.equal(kept[0].length < 31_000 && kept[0].startsWith('0\n1\n') && kept[0].endsWith('19999\n'), true);
  assert.match(kept[0], new RegExp(`\\n\\(${all.length - 30_000} characters are left out here\\)\\n`));
});

test('a link that was put in place of a file after its path was followed is not written through', async () => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'outrigger-link-'));
  const outside = path.join(root, 'outside.txt');
  symlinkSync(outside, path.join(root, 'link.txt'));
  const late = /** @type {any} */ ({ resolve: async () => path.join(root, 'link.txt'), shown: () => 'link.txt' });
  const written = applyChange(late, 'write_file', { path: 'link.txt', content: 'x' });
  await assert.rejects(written, /cannot write link\.txt: ELOOP/);
  assert.equal(existsSync(outside), false);
  rmSync(root, { recursive: true });
});
