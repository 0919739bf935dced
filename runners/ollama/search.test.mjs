// Searching real files: what is found and left out, and that no pattern can hold the session.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MATCHES_LIMIT, globMatcher } from './occurrences.mjs';
import { Scope } from './scope.mjs';
import { until } from '../testing/runner_process.mjs';
import { searchFiles } from './search.mjs';

/** A pattern that tries for longer than anybody lives whether this line fits. */
const ENDLESS = { pattern: '^(a+)+$', line: `${'a'.repeat(60)}!` };

const root = mkdtempSync(path.join(os.tmpdir(), 'outrigger-search-'));
const workspace = path.join(root, 'workspace');
const scope = new Scope(workspace);
const whenever = new AbortController().signal;

before(() => {
  for (const [file, text] of Object.entries({
    'a.txt': 'first\nneedle here\n',
    'src/b.rs': 'let needle = 1;\nlet NEEDLE = 2;\n',
    'src/binary.rs': 'needle\0',
    'node_modules/c.js': 'needle\n',
    '.git/d': 'needle\n',
    'z/endless.txt': `short\n${ENDLESS.line}\n`,
    '../outside/e.txt': 'needle\n',
  })) {
    const at = path.join(workspace, file);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, text);
  }
  symlinkSync(path.join(root, 'outside'), path.join(workspace, 'door'));
});
after(() => rmSync(root, { recursive: true, force: true }));

describe('a search', () => {
  test('finds lines with file and number, and leaves out what others made, what is no text and what is outside', async () => {
    assert.equal(
      await searchFiles(scope, { pattern: 'needle' }, whenever),
      'a.txt:2: needle here\nsrc/b.rs:1: let needle = 1;',
    );
    const inOne = await searchFiles(
      scope,
      { pattern: 'n.edle', path: 'src', glob: '*.rs', ignore_case: true },
      whenever,
    );
    assert.equal(inOne, 'src/b.rs:1: let needle = 1;\nsrc/b.rs:2: let NEEDLE = 2;');
    assert.equal(await searchFiles(scope, { pattern: 'needle', path: 'a.txt' }, whenever), 'a.txt:2: needle here');
    assert.equal(
      await searchFiles(scope, { pattern: 'haystack', path: 'src' }, whenever),
      '(nothing found in 2 files)',
    );
  });

  test('says what is wrong with it', async () => {
    const told = (/** @type {any} */ input) => searchFiles(scope, input, whenever).catch((error) => error.message);
    assert.match(await told({ pattern: '(' }), /^pattern is no regular expression: /);
    assert.equal(await told({}), 'pattern must be a regular expression');
    assert.equal(await told({ pattern: 'x', path: 'no/such' }), 'no/such does not exist');
    assert.match(await told({ pattern: 'x', path: 'door' }), /is outside of the folders/);
  });

  test('ends when enough was found', async () => {
    writeFileSync(path.join(workspace, 'many.txt'), 'same\n'.repeat(3 * MATCHES_LIMIT));
    const lines = (await searchFiles(scope, { pattern: 'same' }, whenever)).split('\n');
    assert.equal(lines.length, MATCHES_LIMIT + 1);
    assert.equal(lines.at(-1), '(there may be more; narrow the search)');
  });

  test(
    'with a pattern that would take for ever is ended, and tells where it was and what it had found',
    { timeout: 25_000 },
    async () => {
      const pattern = `needle|${ENDLESS.pattern}`;
      await assert.rejects(searchFiles(scope, { pattern }, whenever, 4000), (/** @type {Error} */ error) => {
        assert.match(error.message, /^the search was ended after 4 s in z\/endless\.txt\. .*write it more simply/);
        assert.match(error.message, /Found until then:\na\.txt:2: needle here\nsrc\/b\.rs:1/);
        return true;
      });
    },
  );

  test(
    'is ended by an interrupt in the middle of a line, and this process goes on meanwhile',
    { timeout: 25_000 },
    async () => {
      const interrupt = new AbortController();
      const search = searchFiles(scope, { pattern: ENDLESS.pattern }, interrupt.signal);
      const before = process.cpuUsage();
      await until(() => process.cpuUsage(before).user > 400_000, 'the pattern is being tried');
      interrupt.abort(new Error('interrupted'));
      await assert.rejects(search, /^Error: interrupted$/);
      await assert.rejects(searchFiles(scope, { pattern: 'x' }, interrupt.signal), /^Error: interrupted$/);
    },
  );
});

test('globs', () => {
  const fits = (/** @type {string} */ glob, /** @type {string} */ file) => globMatcher(glob)(file);
  assert.deepEqual([fits('*.rs', 'a/b.rs'), fits('*.rs', 'a/b.rsx'), fits('a?.md', 'ab.md')], [true, false, true]);
  assert.deepEqual(
    [fits('src/**/*.ts', 'src/a/b.ts'), fits('src/**/*.ts', 'src/b.ts'), fits('src/*.ts', 'src/a/b.ts')],
    [true, true, false],
  );
});
