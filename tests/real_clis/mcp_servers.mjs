#!/usr/bin/env node
// Which MCP servers that nobody here wrote do the tests run as tool sidecars, and how is each started?
//
//   node tests/real_clis/mcp_servers.mjs      progress on stderr; the last line of stdout is JSON, the command of each by name:
//                                             {"everything":["/usr/bin/node","…/index.js"],"git":["…/python","-m",…],…}
//
// The reference servers: four from npm, three from PyPI. pins/mcp-servers/ has the lock files of both; like the CLIs they are
// installed into a cache folder once, and anew when a pin changes. Needs Python 3.11 or newer with its module venv.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheRoot, installInto, keyOf, say } from './install.mjs';

const PINS = path.join(path.dirname(fileURLToPath(import.meta.url)), 'pins', 'mcp-servers');
const REQUIREMENTS = path.join(PINS, 'requirements.txt');

/** By name, below `node_modules/@modelcontextprotocol`. */
const OF_NPM = {
  everything: 'server-everything',
  filesystem: 'server-filesystem',
  memory: 'server-memory',
  'sequential-thinking': 'server-sequential-thinking',
};
/** Modules, by name. */
const OF_PYPI = { git: 'mcp_server_git', time: 'mcp_server_time', fetch: 'mcp_server_fetch' };

/**
 * Installs what is missing. Quick when everything is there.
 * @returns {Promise<Record<string, string[]>>} the command of each server
 */
export async function ensureMcpServers() {
  const root = cacheRoot();
  const dir = path.join(root, `mcp-servers-${keyOf(path.join(PINS, 'package-lock.json'), REQUIREMENTS)}`);
  if (!existsSync(path.join(dir, 'ready.json'))) {
    say(`installing the MCP reference servers into ${dir} (once)`);
    await installInto(root, dir, PINS, ofPyPi);
  }
  const script = (/** @type {string} */ name) =>
    path.join(dir, 'node_modules', '@modelcontextprotocol', name, 'dist', 'index.js');
  const node = Object.entries(OF_NPM).map(([name, folder]) => [name, [process.execPath, script(folder)]]);
  const python = Object.entries(OF_PYPI).map(([name, module]) => [name, [pythonIn(dir), '-m', module]]);
  return Object.fromEntries([...node, ...python]);
}

/**
 * Puts the servers from PyPI into an environment of their own, which stays good when its folder moves: they are started as
 * modules, and not by the scripts that name the folder.
 * @param {string} dir
 */
async function ofPyPi(dir) {
  await run('python3', ['-m', 'venv', path.join(dir, 'python')]);
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
  await run(pythonIn(dir), ['-m', 'pip', 'install', ...quiet, '--no-deps', '--requirement', REQUIREMENTS]);
  // What the server `fetch` reads pages with installs a part of itself from npm when it is first used. Two tests that are first at
  // the same time would disturb each other.
  await run(pythonIn(dir), ['-c', 'from readabilipy.simple_json import have_node; assert have_node()']);
  return { npm: Object.keys(OF_NPM), pypi: Object.keys(OF_PYPI) };
}

/** @param {string} dir */
const pythonIn = (dir) => path.join(dir, 'python', 'bin', 'python');

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<void>}
 */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 2, 2] });
    child.once('error', (error) => reject(new Error(`cannot run ${command}: ${error.message}. Install Python 3.`)));
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args.join(' ')} failed with code ${code}; see above. It needs PyPI.`));
    });
  });
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${JSON.stringify(await ensureMcpServers())}\n`);
  } catch (error) {
    say(`failed: ${/** @type {Error} */ (error).message}`);
    process.exitCode = 1;
  }
}
