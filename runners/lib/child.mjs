// How an agent's CLI is started, heard, told things and ended.
//
// The CLI stays in the runner's process group, so that the host's stop ladder reaches both. Its stdout is handed over as
// batches of lines, slowed down to the host's pace; its stderr goes on to our own stderr and its end is kept for error
// reports. What the lines mean is not known here.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { LineWriter, readLineBatches } from './line_io.mjs';
import { losslessText } from './lossless.mjs';
import { lookedOnce } from './silence.mjs';

/** Lines of stderr that are kept for error reports. */
const STDERR_TAIL_LINES = 24;
/** Bytes of one line of stderr that are kept. */
const STDERR_LINE_LIMIT = 16 * 1024;
/** How long the pipes of a CLI that has exited may be silent before they are given up: somebody else may hold them. */
const DRAIN_MS = 1000;

/**
 * @typedef {object} CliExit
 * @property {number | null} code
 * @property {NodeJS.Signals | string | null} signal
 * @property {NodeJS.ErrnoException} [error] set when it could not be started
 */

/**
 * @typedef {object} CliStart
 * @property {string} command the CLI's path
 * @property {string[]} args
 * @property {string} cwd
 * @property {Record<string, string | undefined>} env
 * @property {(lines: import('./line_io.mjs').Line[]) => void} onLines
 * @property {() => Promise<void>} pace waits until the reader may go on
 */

/** A running CLI. */
export class CliChild {
  #child;
  #writer;
  /** @type {string[]} */ #tail = [];
  /** How many batches of lines were read, and whether reading waits for a slow host just now. */
  #batches = 0;
  #paced = false;
  /** Resolves when the CLI has ended and its output has been read to the end. */
  exited;

  /** @param {CliStart} start */
  constructor(start) {
    this.#child = spawn(start.command, start.args, {
      cwd: start.cwd,
      env: /** @type {NodeJS.ProcessEnv} */ (start.env),
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#writer = new LineWriter(this.#child.stdin);
    const output = this.#readOutput(start);
    const errors = this.#readErrors();
    this.exited = this.#awaitExit(Promise.all([output, errors]));
  }

  get pid() {
    return this.#child.pid;
  }

  /** Whether it has not said a word, neither on stdout nor on stderr. */
  get saidNothing() {
    return this.#batches === 0 && this.#tail.every((line) => line.trim() === '');
  }

  /** Whether its process is gone; its output may still be read. */
  get hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The last lines of stderr. */
  get stderrTail() {
    return [...this.#tail];
  }

  /** @param {Record<string, unknown>} object written as one JSON line to its stdin */
  send(object) {
    this.#writer.write(JSON.stringify(object));
  }

  /** Closes its stdin after what was sent; most CLIs end then. */
  async closeStdin() {
    await Promise.race([this.#writer.flush(), this.exited]);
    this.#child.stdin.end();
  }

  /** @param {NodeJS.Signals} signal */
  kill(signal) {
    if (!this.hasEnded) this.#child.kill(signal);
  }

  /**
   * Ends the CLI: closes its stdin, then SIGTERM, then SIGKILL.
   * @param {{ closeMs: number, termMs: number }} patience how long to wait after each step, in milliseconds
   * @returns {Promise<CliExit>}
   */
  async end({ closeMs, termMs }) {
    await this.closeStdin();
    if (await settledWithin(this.exited, closeMs)) return this.exited;
    this.kill('SIGTERM');
    if (await settledWithin(this.exited, termMs)) return this.exited;
    this.kill('SIGKILL');
    return this.exited;
  }

  /** @param {CliStart} start */
  async #readOutput({ onLines, pace }) {
    for await (const lines of readLineBatches(this.#child.stdout)) {
      onLines(lines);
      this.#batches += 1;
      this.#paced = true;
      await pace();
      this.#paced = false;
    }
  }

  async #readErrors() {
    for await (const lines of readLineBatches(this.#child.stderr, STDERR_LINE_LIMIT)) {
      for (const line of lines) {
        const text = losslessText(line.bytes);
        process.stderr.write(`${text}\n`);
        this.#tail.push(text);
        if (this.#tail.length > STDERR_TAIL_LINES) this.#tail.shift();
      }
    }
  }

  /**
   * @param {Promise<unknown>} drained
   * @returns {Promise<CliExit>}
   */
  async #awaitExit(drained) {
    /** @type {CliExit} */
    const exit = await new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
      this.#child.once('error', (error) => {
        // An error after a successful start (a failed kill) says nothing about the exit.
        if (this.#child.pid === undefined) resolve({ code: null, signal: null, error });
      });
    });
    if (!exit.error) await this.#drain(drained);
    return exit;
  }

  /**
   * Exit is not end of output: reads on while something comes or the host is slow, but a grandchild that inherited the
   * pipe and says nothing must not hold us up.
   * @param {Promise<unknown>} drained
   */
  async #drain(drained) {
    for (let seen = -1; seen !== this.#batches || this.#paced;) {
      seen = this.#batches;
      if (await settledWithin(drained, DRAIN_MS)) return;
      await lookedOnce();
    }
  }
}

/**
 * @param {Promise<unknown>} promise
 * @param {number} ms
 * @returns {Promise<boolean>} whether it settled in time
 */
export async function settledWithin(promise, ms) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  const settled = promise.then(
    () => true,
    () => true,
  );
  const inTime = await Promise.race([settled, late]);
  clearTimeout(timer);
  return Boolean(inTime);
}

/**
 * What to tell when a CLI could not be started.
 * @param {string} command
 * @param {string} cwd
 * @param {NodeJS.ErrnoException} error
 * @returns {import('./agent_lines.mjs').AgentError}
 */
export function startFailure(command, cwd, error) {
  if (!existsSync(cwd)) {
    return { code: 'spawn_failure', message: `cannot start ${command}: the working directory ${cwd} does not exist` };
  }
  if (error.code === 'ENOENT' || error.code === 'EACCES') {
    const reason = error.code === 'ENOENT' ? 'there is no such program' : 'it may not be executed';
    return {
      code: 'cli_missing',
      message: `cannot start ${command}: ${reason}. Install it, or set its path in the settings.`,
    };
  }
  return { code: 'spawn_failure', message: `cannot start ${command}: ${error.message}` };
}

/**
 * What to tell when a CLI has ended although nobody stopped it.
 * @param {string} command
 * @param {CliExit} exit
 * @param {CliChild | null} cli what it said until then
 * @returns {import('./agent_lines.mjs').AgentError}
 */
export function exitFailure(command, exit, cli) {
  const stderrTail = cli?.stderrTail ?? [];
  const said = stderrTail.filter((line) => line.trim() !== '').at(-1);
  const how = exit.signal ? `was ended by ${exit.signal}` : `exited with code ${exit.code}`;
  const silent = cli?.saidNothing ? ' and said nothing at all' : ' and said nothing on stderr';
  const message = `${command} ${how} although nobody stopped it${said ? `: ${said}` : silent}`;
  const code = exit.signal ? 'cli_killed' : cli?.saidNothing ? 'no_output' : 'cli_exited';
  return { code, message, exitCode: exit.code, signal: exit.signal, stderrTail };
}

/**
 * What to tell when a CLI has ended although nobody stopped it, or never began.
 * @param {{ cli: string, cwd: string }} query with which it was started
 * @param {CliExit} exit
 * @param {CliChild | null} cli
 * @returns {import('./agent_lines.mjs').AgentError}
 */
export function endFailure(query, exit, cli) {
  return exit.error ? startFailure(query.cli, query.cwd, exit.error) : exitFailure(query.cli, exit, cli);
}
