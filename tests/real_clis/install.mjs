#!/usr/bin/env node
// Installs the pinned real CLIs and script runtimes into a cache folder and says where they are.
//
//   node tests/real_clis/install.mjs      progress on stderr; the last line of stdout is JSON:
//                                         {"dir":…,"bin":…,"home":…,"clis":{"claude":{"path":…,"version":…},…}}
//
// The folder's name carries a hash of the lock file, so a new pin is a new folder and an old one stays valid. Installing
// happens beside it and is moved in place when it is complete, so an interrupted run leaves nothing that looks ready.

import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const LOCK = path.join(HERE, 'package-lock.json');
/** How often a long step says that it is still at it, in milliseconds. */
const PROGRESS_MS = 5000;

/**
 * @typedef {{ path: string, version: string }} InstalledCli
 * @typedef {object} RealClis
 * @property {string} dir the installation
 * @property {string} bin a folder for PATH with `claude`, `codex`, `deno`, `bun`
 * @property {string} home a folder for the tests' own home folders: not under the temporary folder, where codex refuses to sandbox
 * @property {Record<string, InstalledCli>} clis by name; runtimes that do not exist for this platform are missing
 */

/** @returns {string} where everything is cached */
export function cacheRoot() {
  const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  return process.env.OUTRIGGER_TEST_CACHE || path.join(cache, 'outrigger-tests');
}

/**
 * Installs what is missing. Quick when everything is there.
 * @returns {Promise<RealClis>}
 */
export async function ensureRealClis() {
  const root = cacheRoot();
  const dir = path.join(root, `real-clis-${keyOf(LOCK)}`);
  if (!existsSync(path.join(dir, 'ready.json'))) await install(root, dir);
  return describe(root, dir);
}

/**
 * @param {...string} locks lock files
 * @returns {string} what stands in the name of the folder that they are installed into
 */
export function keyOf(...locks) {
  const hash = createHash('sha256');
  for (const lock of locks) hash.update(readFileSync(lock));
  return hash.update(`${process.platform}-${process.arch}`).digest('hex').slice(0, 16);
}

/**
 * @param {string} root
 * @param {string} dir
 */
function install(root, dir) {
  say(`installing the real CLIs into ${dir} (about 1 GB, once)`);
  return installInto(root, dir, HERE, link);
}

/**
 * Installs the packages that `from` pins into `dir`; complete or not at all.
 * @param {string} root
 * @param {string} dir
 * @param {string} from a folder with package.json and package-lock.json
 * @param {(dir: string) => unknown} finish does the rest; what it gives is kept in `ready.json`
 */
export async function installInto(root, dir, from, finish) {
  mkdirSync(root, { recursive: true });
  const fresh = mkdtempSync(path.join(root, '.installing-'));
  try {
    for (const file of ['package.json', 'package-lock.json']) cpSync(path.join(from, file), path.join(fresh, file));
    await npmCi(fresh);
    const ready = await finish(fresh);
    writeFileSync(path.join(fresh, 'ready.json'), `${JSON.stringify(ready, null, 2)}\n`);
    rmSync(dir, { recursive: true, force: true });
    renameSync(fresh, dir);
    say('done');
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another run may have been faster; then its installation is as good.
    if (!existsSync(path.join(dir, 'ready.json'))) throw error;
  }
}

/**
 * Install scripts are not run: they only link binaries that are found directly below.
 * @param {string} dir
 */
function npmCi(dir) {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--engine-strict=false', '--loglevel=error'];
  const started = Date.now();
  const progress = setInterval(
    () => say(`npm is installing, ${Math.round((Date.now() - started) / 1000)} s so far`),
    PROGRESS_MS,
  );
  return new Promise((resolve, reject) => {
    const child = spawn('npm', args, { cwd: dir, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
    child.once('error', (error) => reject(new Error(`cannot run npm: ${error.message}. Install Node.js with npm.`)));
    child.once('exit', (code) => {
      if (code === 0) resolve(undefined);
      else reject(new Error(`npm ci of the real CLIs failed with code ${code}; see above. It needs the npm registry.`));
    });
  }).finally(() => clearInterval(progress));
}

/**
 * Makes `bin/` and checks that each program is the version that is pinned: npm is known to install others silently.
 * @param {string} dir
 * @returns {Record<string, string>} versions by name
 */
function link(dir) {
  mkdirSync(path.join(dir, 'bin'));
  /** @type {Record<string, string>} */
  const versions = {};
  for (const [name, { file, pinned, optional }] of Object.entries(programs(dir))) {
    if (!file && optional) continue;
    if (!file) throw new Error(`${name} has no binary for ${process.platform}-${process.arch}`);
    symlinkSync(path.join('..', path.relative(dir, file)), path.join(dir, 'bin', name));
    const said = execFileSync(file, ['--version'], { encoding: 'utf8', timeout: 60_000 });
    if (!said.includes(pinned)) throw new Error(`${name} says it is ${said.trim()}, but ${pinned} is pinned`);
    versions[name] = pinned;
  }
  return versions;
}

/**
 * @param {string} dir
 * @returns {Record<string, { file: string | undefined, pinned: string, optional?: boolean }>}
 */
function programs(dir) {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8'));
  const modules = path.join(dir, 'node_modules');
  return {
    claude: {
      file: found(modules, '@anthropic-ai', /^claude-code-/, [['claude'], ['claude.exe']]),
      pinned: dependencies['@anthropic-ai/claude-code'],
    },
    codex: { file: codexBinary(modules), pinned: dependencies['@openai/codex'] },
    deno: {
      file: found(modules, '@deno', /./, [['deno']]),
      pinned: optionalDependencies['@deno/linux-x64-glibc'],
      optional: true,
    },
    bun: { file: found(modules, '@oven', /^bun-/, [['bin', 'bun']]), pinned: optionalDependencies.bun, optional: true },
  };
}

/**
 * The first of the given files in the packages of a scope; npm installs only the one for this platform.
 * @param {string} modules
 * @param {string} scope
 * @param {RegExp} name
 * @param {string[][]} files
 */
function found(modules, scope, name, files) {
  const folder = path.join(modules, scope);
  const packages = existsSync(folder) ? readdirSync(folder).filter((entry) => name.test(entry)) : [];
  return packages
    .flatMap((entry) => files.map((file) => path.join(folder, entry, ...file)))
    .find((file) => existsSync(file));
}

/** @param {string} modules */
function codexBinary(modules) {
  const platform = readdirSync(path.join(modules, '@openai')).find((entry) => entry.startsWith('codex-'));
  if (!platform) return undefined;
  const vendor = path.join(modules, '@openai', platform, 'vendor');
  return readdirSync(vendor)
    .map((triple) => path.join(vendor, triple, 'bin', 'codex'))
    .find((file) => existsSync(file));
}

/**
 * @param {string} root
 * @param {string} dir
 * @returns {RealClis}
 */
function describe(root, dir) {
  const versions = JSON.parse(readFileSync(path.join(dir, 'ready.json'), 'utf8'));
  const bin = path.join(dir, 'bin');
  const home = path.join(root, 'homes');
  mkdirSync(home, { recursive: true });
  const clis = Object.fromEntries(
    Object.entries(versions).map(([name, version]) => [name, { path: path.join(bin, name), version }]),
  );
  return { dir, bin, home, clis };
}

/** @param {string} text */
export function say(text) {
  process.stderr.write(`real CLIs: ${text}\n`);
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${JSON.stringify(await ensureRealClis())}\n`);
  } catch (error) {
    say(`failed: ${/** @type {Error} */ (error).message}`);
    process.exitCode = 1;
  }
}
