// A runner in a process of its own, as a test's host sees it: lines in, lines out, and waiting for a state.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const RUNNERS = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** How long a test waits for something that should happen, in milliseconds. Generous: machines differ. */
const PATIENCE_MS = 40_000;

/** @typedef {Record<string, any> & { type: string }} Line */

/** How each runtime other than ours runs a script. */
const RUNTIME_ARGS = { deno: ['run', '--allow-all', '--quiet'], bun: ['run'] };

/**
 * The runtimes that are there, by name, each with its command and arguments in front of a script.
 * @param {import('../../tests/real_clis/install.mjs').RealClis} real
 * @returns {Record<string, string[]>}
 */
export function runtimesOf({ clis }) {
  /** @type {Record<string, string[]>} */
  const runtimes = { node: [process.execPath] };
  for (const [name, args] of Object.entries(RUNTIME_ARGS)) {
    if (clis[name]) runtimes[name] = [clis[name].path, ...args];
  }
  return runtimes;
}

/** A running runner. */
export class RunnerProcess {
  #child;
  #rest = Buffer.alloc(0);
  #cursor = 0;
  #patienceMs;
  /** @type {Set<() => void>} */ #watchers = new Set();
  /** Everything that was said, parsed; a line that is no JSON object is `{type: 'not_json', text}`. @type {Line[]} */
  lines = [];
  stderr = '';
  /** @type {Promise<{ code: number | null, signal: string | null }>} */
  exited;
  #gone = false;

  /**
   * @param {string} script under runners/
   * @param {object} [options]
   * @param {Record<string, string | undefined>} [options.env] added to PATH, HOME and LANG only
   * @param {string[]} [options.runtime] command and arguments in front of the script
   * @param {number} [options.patienceMs] how long to wait for a line, in milliseconds
   */
  constructor(script, { env = {}, runtime = [process.execPath], patienceMs = PATIENCE_MS } = {}) {
    this.#patienceMs = patienceMs;
    const [command, ...args] = [...runtime, path.join(RUNNERS, script)];
    const clean = { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8' };
    // A group of its own, as the keeper gives it.
    this.#child = spawn(command, args, { env: { ...clean, ...env }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#child.stdout.on('data', (chunk) => this.#hear(chunk));
    this.#child.stderr.on('data', (chunk) => (this.stderr += chunk));
    this.#child.stdin.on('error', () => {});
    this.exited = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#gone = true;
        resolve({ code, signal });
        this.#wake();
      });
    });
  }

  get pid() {
    return /** @type {number} */ (this.#child.pid);
  }

  /** @param {Record<string, unknown> | string} line a string is written as it is */
  send(line) {
    this.#child.stdin.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  }

  closeStdin() {
    this.#child.stdin.end();
  }

  /** @param {NodeJS.Signals} signal */
  kill(signal) {
    this.#child.kill(signal);
  }

  /** Ends it and everything in its group; for the end of a test. */
  async destroy() {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
    await this.exited;
  }

  /**
   * Waits for a line after the one that was waited for last.
   * @param {string | ((line: Line) => unknown)} wanted a type, or a condition
   * @returns {Promise<Line>}
   */
  async next(wanted) {
    const fits = typeof wanted === 'string' ? (/** @type {Line} */ line) => line.type === wanted : wanted;
    const deadline = Date.now() + this.#patienceMs;
    for (;;) {
      for (; this.#cursor < this.lines.length; this.#cursor++) {
        if (fits(this.lines[this.#cursor])) return this.lines[this.#cursor++];
      }
      if (this.#gone || Date.now() > deadline)
        throw new Error(
          `${this.#gone ? 'the runner ended' : 'nothing came'} while waiting for ${wanted}; ${this.#report()}`,
        );
      await this.#change(deadline - Date.now());
    }
  }

  /**
   * Waits for an event of the provider.
   * @param {(event: Record<string, any>) => unknown} fits
   */
  async nextEvent(fits) {
    const line = await this.next((candidate) => candidate.type === 'agent_event' && fits(candidate.event));
    return line.event;
  }

  /** All events of the provider so far. */
  get events() {
    return this.lines.filter((line) => line.type === 'agent_event').map((line) => line.event);
  }

  /** @param {string} type */
  ofType(type) {
    return this.lines.filter((line) => line.type === type);
  }

  /** @param {Buffer} chunk */
  #hear(chunk) {
    const bytes = Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      this.lines.push(parse(bytes.subarray(start, end).toString('utf8')));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    this.#wake();
  }

  #wake() {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** @param {number} ms */
  #change(ms) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#watchers.delete(done);
        resolve(undefined);
      };
      const timer = setTimeout(done, ms);
      this.#watchers.add(done);
    });
  }

  #report() {
    const last = this.lines.slice(-12).map((line) => JSON.stringify(line).slice(0, 300));
    return `last lines:\n${last.join('\n')}\nstderr:\n${this.stderr.slice(-2000)}`;
  }
}

/**
 * @param {string} text
 * @returns {Line}
 */
function parse(text) {
  try {
    const value = JSON.parse(text);
    if (value !== null && typeof value === 'object' && typeof value.type === 'string') return value;
  } catch {
    // Falls through: it is kept as text.
  }
  return { type: 'not_json', text };
}

/**
 * @param {number} pid
 * @returns {boolean} whether a process with this pid runs
 */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Waits until a condition holds.
 * @param {() => unknown} holds
 * @param {string} what
 * @param {number} [everyMs] how often to look, in milliseconds
 */
export async function until(holds, what, everyMs = 20) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
