// What packages are made by: licences that pass, files that are told to be wrong, releases and updates that are announced.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { differences } from '../../packaging/contents.mjs';
import { librariesOf } from '../../packaging/dependencies.mjs';
import { isAllowed } from '../../packaging/notices.mjs';
import { billOfMaterials } from '../../packaging/sbom.mjs';
import { releases } from '../../packaging/stage.mjs';
import { announcement, notesOf, updaterConfig } from '../../packaging/updater.mjs';

test('a licence passes when one side of an OR, and both of an AND, are on the list', () => {
  for (const good of [
    'MIT',
    'MIT/Apache-2.0',
    'GPL-3.0 OR MIT',
    'MIT OR GPL-3.0-only',
    '(MIT OR Apache-2.0) AND Unicode-3.0',
    'Apache-2.0 WITH LLVM-exception',
    'Zlib OR (GPL-2.0 AND MIT)',
  ]) {
    assert.equal(isAllowed(good), true, good);
  }
  for (const bad of [
    '',
    'GPL-3.0',
    'MIT AND GPL-3.0',
    '(MIT OR ISC) AND AGPL-3.0',
    'UNLICENSED',
    'SEE LICENSE IN x',
    'MIT ISC',
  ]) {
    assert.equal(isAllowed(bad), false, bad);
  }
});

test('a file that fits no line and a line that no file fits are told', () => {
  const contents = '# words\n/usr/bin/x\n/usr/lib/X/*/*.mjs\ndeb: /only/deb\nrpm: /only/rpm\n';
  const files = ['/usr/bin/x', '/usr/lib/X/a/b.mjs', '/only/deb'];
  assert.deepEqual(differences(files, contents, 'deb'), []);
  assert.deepEqual(differences(files, contents, 'rpm'), ['is not on the list: /only/deb', 'is missing: /only/rpm']);
  const tests = [...files, '/usr/lib/X/a/b.test.mjs', '/usr/lib/X/a/b/c.mjs'];
  assert.equal(differences(tests, contents, 'deb').length, 2);
});

test('a package for RPM asks for each library once, and for the newest C library that any program needs', () => {
  const words = `  NEEDED  libc.so.6\n  NEEDED  ld-linux-x86-64.so.2\n  NEEDED  libc.so.6\n
    0x0d696919 0x00 10 GLIBC_2.9\n    0x069691b4 0x00 24 GLIBC_2.34\n    0x09691972 0x00 13 GLIBC_2.3.2\n`;
  assert.deepEqual(librariesOf(words), ['libc.so.6()(64bit)', 'libc.so.6(GLIBC_2.34)(64bit)']);
});

test('releases come from the changelog, and the version that is built is one', () => {
  const changelog = '## [Unreleased]\n\n- x\n\n## [0.2.0-beta.1] - 2026-02-03\n\n## [0.1.0] - 2026-01-02\n';
  const lines = releases(changelog, '0.3.0', '2026-12-31')
    .trim()
    .split('\n')
    .map((line) => line.trim());
  assert.deepEqual(lines, [
    '<release version="0.3.0" date="2026-12-31"/>',
    '<release version="0.2.0-beta.1" date="2026-02-03" type="development"/>',
    '<release version="0.1.0" date="2026-01-02"/>',
  ]);
  assert.equal(releases(changelog, '0.1.0', '2026-12-31').includes('2026-12-31'), false);
  assert.equal(notesOf(changelog, '0.3.0'), '- x');
});

test('only what is signed is announced', () => {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-announcement-'));
  try {
    for (const name of ['outrigger_1.0.0_amd64.deb', 'outrigger.app.tar.gz', 'outrigger_1.0.0_x64-setup.exe']) {
      writeFileSync(join(folder, name), '');
      if (!name.endsWith('.exe')) writeFileSync(join(folder, `${name}.sig`), `signed ${name}\n`);
    }
    const { platforms } = announcement(folder, 'https://example.org/v1', { version: '1.0.0', notes: '', date: '' });
    assert.deepEqual(Object.keys(platforms), ['linux-x86_64-deb', 'darwin-aarch64', 'darwin-x86_64']);
    assert.deepEqual(platforms['linux-x86_64-deb'], {
      signature: 'signed outrigger_1.0.0_amd64.deb',
      url: 'https://example.org/v1/outrigger_1.0.0_amd64.deb',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a build of ones own looks for no updates; half a configuration is refused', () => {
  assert.deepEqual(updaterConfig({ bundle: {} }, {}), { bundle: {} });
  const both = { OUTRIGGER_UPDATES: 'https://example.org/latest.json', OUTRIGGER_UPDATE_KEY: 'key' };
  const { plugins, bundle } = updaterConfig({ bundle: { a: 1 } }, both);
  assert.deepEqual(plugins.updater.endpoints, [both.OUTRIGGER_UPDATES]);
  assert.deepEqual(bundle, { a: 1, createUpdaterArtifacts: false });
  assert.throws(() => updaterConfig({}, { OUTRIGGER_UPDATE_KEY: 'key' }), /together/);
  assert.throws(() => updaterConfig({}, { ...both, OUTRIGGER_UPDATES: 'http://example.org' }), /https/);
});

test('the bill of materials names each work once, with its licence as an expression', () => {
  const work = { purl: 'pkg:cargo/a@1.0.0', name: 'a', version: '1.0.0', license: 'MIT/Apache-2.0' };
  const bill = JSON.parse(billOfMaterials([work], '0.1.0'));
  assert.equal(bill.components.length, 1);
  assert.deepEqual(bill.components[0].licenses, [{ expression: 'MIT OR Apache-2.0' }]);
});
