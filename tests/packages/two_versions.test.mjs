// Does a session live on while another version of Outrigger is put in the place of the one that started it, and do the two understand each
// other? Both are built from these sources; tests/packages/newer_version.mjs says in what they differ.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from './display.mjs';
import { buildNewer, newerVersion, programs } from './newer_version.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const target = join(root, 'target');

/** An Outrigger in a folder, whose program can be exchanged as an installation does it. */
class Installed {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'or-two-'));
    mkdirSync(join(this.folder, 'bin'));
    mkdirSync(join(this.folder, 'project'));
    symlinkSync(join(root, 'runners'), join(this.folder, 'runners'));
  }

  get program() {
    return join(this.folder, 'bin/outrigger');
  }

  /** Puts the programs of a folder in the places of those that are there, while those may run. */
  install(folder) {
    for (const name of programs) {
      const beside = join(this.folder, 'bin', `${name}.new`);
      copyFileSync(join(folder, name), beside);
      renameSync(beside, join(this.folder, 'bin', name));
    }
  }

  run(...args) {
    const env = {
      PATH: process.env.PATH,
      HOME: this.folder,
      SHELL: '/bin/sh',
      LANG: 'C.UTF-8',
      OUTRIGGER_HOME: join(this.folder, 'home'),
      OUTRIGGER_ROOT: root,
    };
    const { status, stdout, stderr } = spawnSync(this.program, args, { env, encoding: 'utf8', cwd: this.folder });
    assert.equal(status, 0, `outrigger ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  json(...args) {
    return this.run(...args, '--json')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  start(prompt) {
    const project = join(this.folder, 'project');
    return this.run('run', '--detach', '--provider', 'demo', '--permissions', 'allow', '--cwd', project, prompt).trim();
  }

  /** Process and version of the keeper of a session. */
  keeper(id) {
    const { pid } = JSON.parse(
      readFileSync(join(this.folder, 'home/data/sessions', this.whole(id), 'pod.json'), 'utf8'),
    );
    return { pid, program: readlinkSync(`/proc/${pid}/exe`) };
  }

  whole(id) {
    return readdirSync(join(this.folder, 'home/data/sessions')).find((name) => name.startsWith(id));
  }

  idle(id) {
    return this.json('ps').some(
      (pod) => JSON.stringify(pod).includes(this.whole(id)) && JSON.stringify(pod).includes('idle'),
    );
  }

  remove() {
    if (existsSync(this.program)) this.run('stop', '--all');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const today = ['release', 'debug']
  .map((kind) => join(target, kind))
  .find((folder) => programs.every((name) => existsSync(join(folder, name))));
assert.ok(today, 'there is a built outrigger: run ./dev bundle --build-only or ./dev build first');
const later = buildNewer(join(target, 'two-versions'));

for (const [name, from, to] of [
  ['an older keeper goes on and is spoken with by a newer program', today, later],
  ['a newer keeper goes on and is spoken with by an older program', later, today],
]) {
  test(name, async () => {
    const installed = new Installed();
    after(() => installed.remove());
    installed.install(from);
    const id = installed.start('demo:slow=60 Work while it is exchanged.');
    const before = installed.keeper(id);
    const version = installed.run('--version');
    installed.install(to);
    assert.notEqual(installed.run('--version'), version);
    assert.ok([version, installed.run('--version')].some((words) => words.includes(newerVersion)));

    // The keeper is the one that was there, of a program that is nowhere any more.
    assert.equal(installed.keeper(id).pid, before.pid);
    assert.match(installed.keeper(id).program, /\(deleted\)$/);
    await until('its turn ends', () => installed.idle(id));
    installed.run('send', id, 'Once more.');
    await until('its answer comes', () => installed.idle(id) && installed.run('logs', id).includes('Once more.'));
    assert.equal(installed.keeper(id).pid, before.pid);

    // A session that is resumed gets a keeper of the program that is there now, and tells what it told before.
    installed.run('stop', id);
    installed.run('run', '--resume', id, '--detach', '--permissions', 'allow', 'And again.');
    assert.equal(installed.keeper(id).program, `${installed.program}-keeper`);
    await until('its answer comes', () => installed.idle(id) && installed.run('logs', id).includes('And again.'));
    assert.match(installed.run('logs', id), /Work while it is exchanged/);
  });
}
