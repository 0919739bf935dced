// Is the .rpm installed, whole, and removed without a trace by rpm itself? In a root folder with a base system alone, for the shell of its
// script, and without what it needs: there is no Fedora here. Whether dnf finds that is for a Fedora to say; the names that the package
// asks for are looked at.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { base, run } from './clean_debian.mjs';

const target = fileURLToPath(new URL('../../target/', import.meta.url));
const packages = join(target, 'packages');
const skip = process.getuid?.() === 0 ? false : 'a root folder can only be made by root';

function madeRpm() {
  const found = existsSync(packages) ? readdirSync(packages).filter((name) => name.endsWith('.rpm')) : [];
  assert.equal(found.length, 1, `there must be one .rpm in ${packages}: run ./dev bundle first`);
  return join(packages, found[0]);
}

test('the .rpm in a root of its own', { skip }, async (t) => {
  const file = madeRpm();
  const root = mkdtempSync(join(tmpdir(), 'outrigger-rpm-'));
  after(() => rmSync(root, { recursive: true, force: true }));
  run('tar', ['--extract', '--file', base(join(target, 'clean-debian')), '--directory', root]);
  const rpm = (...args) => run('rpm', ['--root', root, ...args]);
  rpm('--initdb');
  const files = () =>
    run('find', [
      root,
      '-not',
      '-type',
      'd',
      '-not',
      '-path',
      `${root}/var/lib/rpm/*`,
      '-not',
      '-path',
      '*/rpmdb.sqlite*',
    ])
      .split('\n')
      .filter(Boolean);
  const before = files();

  await t.test('rpm installs it, and finds every file as it was packed', () => {
    rpm('--install', '--nodeps', '--noplugins', '--nosignature', file);
    const listed = rpm('--query', '--list', 'outrigger').trim().split('\n');
    for (const name of ['outrigger', 'outrigger-keeper', 'outrigger-toolbox', 'outrigger-desktop'])
      assert.ok(listed.includes(`/usr/bin/${name}`), name);
    assert.equal(rpm('--verify', '--nodeps', 'outrigger').trim(), '');
    t.diagnostic(`installed size: ${rpm('--query', '--queryformat', '%{SIZE}', 'outrigger')} bytes`);
  });

  await t.test('what it needs is named as Fedora names it', () => {
    const needs = run('rpm', ['--query', '--requires', '--package', '--nosignature', file]);
    assert.match(needs, /libwebkit2gtk-4\.1\.so\.0\(\)\(64bit\)/);
    assert.match(needs, /libc\.so\.6\(GLIBC_/);
    assert.match(run('rpm', ['--query', '--recommends', '--package', '--nosignature', file]), /nodejs/);
  });

  await t.test('its program runs and finds its runners', () => {
    const program = join(root, 'usr/bin/outrigger');
    assert.match(run(program, ['--version']), /^outrigger \d/);
    const home = join(root, 'home');
    const said = run('sh', ['-c', '"$0" doctor --json; true', program], {
      env: { PATH: '/usr/bin:/bin', HOME: home, OUTRIGGER_HOME: home },
    });
    assert.ok(said.includes(`${root}/usr/lib/Outrigger/runners/claude.mjs`), said.slice(0, 2000));
    rmSync(home, { recursive: true });
  });

  await t.test('removed, no file of it is left', () => {
    rpm('--erase', '--nodeps', '--noplugins', 'outrigger');
    assert.deepEqual(
      files().filter((path) => !before.includes(path)),
      [],
    );
    assert.ok(!existsSync(join(root, 'usr/lib/Outrigger')) && !existsSync(join(root, 'usr/share/doc/outrigger')));
  });
});
