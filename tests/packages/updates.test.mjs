// Does an installed app take what a release announces? The package that `./dev bundle` has made is signed with a key of this moment and
// announced by the release's own script; a window that thinks a .deb installed it looks, downloads, and keeps it only when the key fits.
// How the page tells of it is in tests/desktop/updates.rs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { announcement } from '../../packaging/updater.mjs';
import { run } from './clean_debian.mjs';
import { until } from './display.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const packages = join(root, 'target/packages');
const window = join(root, 'target/debug/outrigger-desktop');
const announced = 'outrigger_99.0.0_amd64.deb';
const scratch = mkdtempSync(join(tmpdir(), 'outrigger-updates-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const tauri = (args, more = {}) =>
  run(process.execPath, [join(root, 'packaging/node_modules/@tauri-apps/cli/tauri.js'), 'signer', ...args], {
    env: { ...process.env, CI: 'true' },
    ...more,
  });

/** A pair of keys; the public one's text, as a build is given it. */
function newKey(name) {
  const file = join(scratch, name);
  tauri(['generate', '--ci', '--password', 'of this test', '--write-keys', file]);
  return { file, publicKey: readFileSync(`${file}.pub`, 'utf8').trim() };
}

/** Serves a folder and counts what is asked for. */
async function publisher(folder) {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    const file = join(folder, decodeURIComponent(request.url.slice(1)));
    if (!existsSync(file)) return response.writeHead(404).end();
    return response.end(readFileSync(file));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  after(() => server.close());
  return { address: `http://127.0.0.1:${server.address().port}`, asked };
}

/** The window of a debug build, marked as the bundler marks the one in a .deb. Only such a build can be told a place and a key. */
function markedWindow() {
  assert.ok(existsSync(window), `there must be ${window}: run ./dev test build first`);
  const bytes = readFileSync(window);
  const mark = bytes.indexOf('__TAURI_BUNDLE_TYPE_VAR_UNK');
  assert.ok(mark > 0, 'the bundler has a place to write down the kind of package');
  bytes.write('__TAURI_BUNDLE_TYPE_VAR_DEB', mark, 'latin1');
  const file = join(scratch, 'outrigger-desktop');
  writeFileSync(file, bytes);
  chmodSync(file, 0o755);
  return file;
}

/** Starts it on a display and a bus of its own, in a home of its own. */
function start(program, name, environment) {
  const home = join(scratch, name);
  mkdirSync(home);
  const command = ['--auto-servernum', 'dbus-run-session', '--', program, '/'];
  const child = spawn('xvfb-run', command, {
    // A group of its own, so that all of it ends together.
    detached: true,
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      HOME: home,
      LANG: 'C.UTF-8',
      OUTRIGGER_HOME: join(home, 'outrigger'),
      OUTRIGGER_BIN: join(root, 'target/debug/outrigger'),
      ...environment,
    },
  });
  after(() => process.kill(-child.pid, 'SIGKILL'));
  return join(home, 'outrigger');
}

const logOf = (home) => {
  const folder = join(home, 'data/logs');
  const files = existsSync(folder) ? readdirSync(folder) : [];
  return files.map((file) => readFileSync(join(folder, file), 'utf8')).join('');
};

test('what a release announces is downloaded by an installed app when the key fits, and refused when not', async () => {
  const made = existsSync(packages) ? readdirSync(packages).filter((name) => name.endsWith('.deb')) : [];
  assert.equal(made.length, 1, `there must be one .deb in ${packages}: run ./dev bundle first`);
  const folder = join(scratch, 'release');
  mkdirSync(folder);
  copyFileSync(join(packages, made[0]), join(folder, announced));
  const [ours, another] = [newKey('ours.key'), newKey('another.key')];
  tauri(['sign', '--private-key-path', ours.file, '--password', 'of this test', join(folder, announced)]);
  const { address, asked } = await publisher(folder);
  const about = { version: '99.0.0', notes: 'A lamp that turns by itself.', date: new Date().toISOString() };
  const words = announcement(folder, address, about);
  assert.deepEqual(Object.keys(words.platforms), ['linux-x86_64-deb']);
  writeFileSync(join(folder, 'latest.json'), JSON.stringify(words));

  const program = markedWindow();
  const told = (key) => ({ OUTRIGGER_UPDATES: `${address}/latest.json`, OUTRIGGER_UPDATE_KEY: key.publicKey });
  const trusting = start(program, 'trusting', told(ours));
  const strange = start(program, 'strange', told(another));
  const file = join(trusting, 'cache/updates', announced);
  await until('the update lies ready', () => existsSync(file), 240);
  assert.ok(readFileSync(file).equals(readFileSync(join(folder, announced))), 'it is what was published');
  await until('the window says that the update is refused', () => /99\.0\.0 was refused/.test(logOf(strange)), 240);
  assert.ok(!existsSync(join(strange, 'cache/updates')), 'nothing of it is kept');
  assert.equal(asked.filter((path) => path === `/${announced}`).length, 2);
});
