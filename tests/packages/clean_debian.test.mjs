// Does the .deb work where nothing but Debian is installed, and is nothing of it left when it is removed? Takes what `./dev bundle` has
// made. Needs root, for a root folder of its own; without, it is skipped and says so.
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CleanDebian, run } from './clean_debian.mjs';
import { Display, until } from './display.mjs';
import { buildNewer, newerVersion, programs } from './newer_version.mjs';

const target = fileURLToPath(new URL('../../target/', import.meta.url));
const packages = join(target, 'packages');
const skip = process.getuid?.() === 0 ? false : 'a root folder can only be made by root';

function madeDeb() {
  const found = existsSync(packages) ? readdirSync(packages).filter((name) => name.endsWith('.deb')) : [];
  assert.equal(found.length, 1, `there must be one .deb in ${packages}: run ./dev bundle first`);
  return join(packages, found[0]);
}

/** The package under a higher version, with the command line of a later version in it. The window is today's. */
function newer(deb, folder) {
  const tree = join(folder, 'tree');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run('dpkg-deb', ['--raw-extract', deb, tree]);
  run('sed', ['-i', 's/^Version: .*/&+newer/', join(tree, 'DEBIAN/control')]);
  const built = buildNewer(join(target, 'two-versions'));
  for (const name of programs) cpSync(join(built, name), join(tree, 'usr/bin', name));
  run('dpkg-deb', ['--build', '--root-owner-group', '-Znone', tree, join(folder, 'newer.deb')]);
  rmSync(tree, { recursive: true });
  return join(folder, 'newer.deb');
}

test('the package in a clean Debian', { skip }, async (t) => {
  const deb = madeDeb();
  const debian = new CleanDebian(join(target, 'clean-debian'));
  after(() => debian.remove());
  const display = await Display.for(debian);
  after(() => display.end());
  const outrigger = (...args) => debian.asUser(['outrigger', ...args], display.environment);
  const json = (...args) =>
    outrigger(...args)
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const filesBefore = debian.files();
  const packagesBefore = debian.packages();
  let installed = [];

  await t.test('apt installs it, with what it needs and nothing to build or test with', () => {
    debian.bring(deb, 'tmp/outrigger.deb');
    debian.asRoot(['apt-get', 'install', '-y', '--no-install-recommends', '/tmp/outrigger.deb']);
    const pulled = [...debian.packages()].filter((name) => !packagesBefore.has(name));
    assert.deepEqual(
      pulled.filter((name) => /-dev$|^gcc|^python3|^nodejs$|^xvfb$/.test(name)),
      [],
    );
    t.diagnostic(`${pulled.length} packages were installed: ${pulled.join(' ')}`);
    const about = debian.read('usr/share/metainfo/dev.outrigger.desktop.metainfo.xml');
    assert.match(about, /<releases>\s+<release version="\d/);
    installed = debian.asRoot(['dpkg', '--listfiles', 'outrigger']).trim().split('\n');
    assert.match(outrigger('--version'), /^outrigger \d/);
    assert.match(debian.asUser(['outrigger-desktop', '--version']), /^outrigger-desktop \d/);
  });

  await t.test('without a JavaScript runtime it says what is missing and what to do', () => {
    const words = debian.asUser(['sh', '-c', 'outrigger run --provider demo hello 2>&1; true']);
    assert.match(words, /no JavaScript runtime was found/);
  });

  // Recommended by the package, and left out above to see that it is no need.
  debian.asRoot(['apt-get', 'install', '-y', '--no-install-recommends', 'nodejs']);
  const entry = debian.read('usr/share/applications/Outrigger.desktop');
  const exec = entry.match(/^Exec=(.*)$/m)[1];
  debian.asUser(['mkdir', '-p', 'project']);

  await t.test('the main job is done on the command line', () => {
    debian.asUser(['sh', '-c', 'echo "# Lighthouse" >project/README.md']);
    const said = outrigger(
      'run',
      '--provider',
      'demo',
      '--permissions',
      'allow',
      '--cwd',
      '/home/tester/project',
      'Read this project and write a summary of it.',
    );
    assert.match(said, /Lighthouse|README/);
    assert.equal(json('ps', '--all', '--json').length, 1);
  });

  await t.test('the entry of the menu opens the window, with nothing in the environment', async () => {
    const [program, argument] = exec.split(' ');
    assert.equal(argument, '%f');
    const app = debian.start([program, '/home/tester/project'], display.environment);
    let said = '';
    app.stderr.on('data', (bytes) => (said += bytes));
    await until(`a window is there; the app said: ${said}`, () =>
      display.windows().some((title) => title.includes('project')),
    );
    const picture = join(packages, 'clean-debian.png');
    // A window without a page is one colour, which packs into a few hundred bytes.
    await until('the window shows its page', () => {
      display.picture(picture);
      return statSync(picture).size > 10_000;
    });
  });

  await t.test('“Open Folder…” in the menu asks for a folder', async () => {
    const action = entry.match(/^\[Desktop Action open-folder\][^]*?^Exec=(.*)$/m)[1];
    const before = display.windows().length;
    debian.start(action.split(' '), display.environment);
    await until('a dialog is there', () => display.windows().length > before);
  });

  await t.test('a session lives on while a newer version is installed over it', async () => {
    const id = outrigger(
      'run',
      '--detach',
      '--provider',
      'demo',
      '--permissions',
      'allow',
      '--cwd',
      '/home/tester/project',
      'demo:slow=100',
    ).trim();
    const keeper = () => debian.processes().find(({ command }) => /\boutrigger-keeper keep$/.test(command))?.pid;
    const before = keeper();
    assert.ok(before, 'the session has a keeper');
    debian.bring(newer(deb, join(target, 'clean-debian/newer')), 'tmp/newer.deb');
    debian.asRoot(['dpkg', '--install', '/tmp/newer.deb']);
    assert.match(debian.asRoot(['dpkg-query', '--show', 'outrigger']), /\+newer/);
    assert.match(outrigger('--version'), new RegExp(newerVersion));
    assert.equal(keeper(), before, 'its keeper is the one that was there');
    await until('its turn ends', () =>
      json('ps', '--json').some((session) => JSON.stringify(session).includes('idle')),
    );
    outrigger('send', id, 'And once more.');
    await until(
      'the old keeper answers the new program',
      () => (outrigger('logs', id).match(/And once more/g) ?? []).length > 0,
    );
    assert.equal(keeper(), before);
  });

  await t.test('the tray has a menu, and ends the app', async () => {
    const menu = display.tray();
    assert.ok(menu.includes('Quit'), menu.join(' | '));
    // With the sessions of the command line in it; for people to look at.
    display.picture(join(packages, 'clean-debian.png'));
    outrigger('stop', '--all');
    display.tray('Quit');
    await until(
      'the app has ended',
      () => !debian.processes().some(({ command }) => command.includes('outrigger-desktop')),
    );
  });

  await t.test('the user can have all data deleted, after seeing which', () => {
    assert.match(outrigger('uninstall'), /stays +\/home\/tester\/\.local\/share\/dev\.outrigger\.desktop/);
    outrigger('uninstall', '--data', '--yes');
    const left = debian.asUser([
      'find',
      '/home/tester',
      '-path',
      '*/project',
      '-prune',
      '-o',
      '-iname',
      '*outrigger*',
      '-print',
    ]);
    assert.equal(left, '');
    // What the agent wrote for the user is the user's.
    assert.match(debian.read('home/tester/project/OUTRIGGER-DEMO.md'), /./);
    assert.equal(debian.read('home/tester/project/README.md'), '# Lighthouse\n');
  });

  await t.test('removed, no file of it is left, and no process', () => {
    debian.asRoot(['apt-get', 'purge', '-y', 'outrigger']);
    debian.asRoot(['apt-get', 'autoremove', '--purge', '-y']);
    assert.deepEqual(debian.processes(), []);
    const left = debian.files();
    const ofPackage = installed.map((path) => `.${path}`).filter((path) => left.has(path) && !filesBefore.has(path));
    // Folders that other packages share with it stay for them.
    assert.deepEqual(
      ofPackage.filter((path) => /outrigger/i.test(path)),
      [],
    );
    assert.deepEqual(
      [...left].filter((path) => /outrigger/i.test(path)),
      [],
    );
  });
});
