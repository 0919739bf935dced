// How are an agent's terminals run? Each is a command of ours in a process group of its own, a child of this runner, so that it
// ends with the session. What it prints goes to the host as it comes; the agent asks for it when it likes.

import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';

/** How much output is kept for the agent when it names no limit, and at most, in bytes. */
const KEPT = { usual: 1024 * 1024, most: 8 * 1024 * 1024 };
/** How much output is kept for the transcript, from its beginning, in UTF-16 units. */
const TOLD_LIMIT = 1024 * 1024;
/** How long a command may take to end after SIGTERM, in milliseconds. */
const TERM_MS = 2000;
/** How long the pipes of a command that has exited are read on: somebody else may hold them, in milliseconds. */
const DRAIN_MS = 500;

/** @typedef {{ exitCode: number | null, signal: string | null }} ExitStatus */
/**
 * @typedef {object} Told what the host is told, see runners/README.md
 * @property {(id: string, text: string) => void} output
 * @property {(id: string, end: { command: string, output: string } & ExitStatus) => void} exit
 * @property {() => Promise<void>} pace waits until the host takes more
 */
/**
 * @typedef {object} TerminalStart
 * @property {string} command
 * @property {string[]} args none: the command is a line for the shell
 * @property {string} cwd
 * @property {Record<string, string | undefined>} env
 * @property {number | null} [outputByteLimit]
 */

/** One command. */
class Terminal {
  #child;
  #limit;
  #output = '';
  #truncated = false;
  #told = '';
  #untold = 0;
  /** @type {ExitStatus | null} */ exitStatus = null;
  /** Resolves when it has ended and its output is read. @type {Promise<ExitStatus>} */ exited;

  /**
   * @param {TerminalStart} start
   * @param {{ output: (text: string) => void, pace: () => Promise<void> }} told
   */
  constructor(start, told) {
    this.line = [start.command, ...start.args].join(' ');
    this.#limit = Math.min(start.outputByteLimit ?? KEPT.usual, KEPT.most);
    this.#child = spawn(start.command, start.args, {
      cwd: start.cwd,
      env: /** @type {NodeJS.ProcessEnv} */ (start.env),
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: start.args.length === 0,
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    const read = Promise.all([this.#read(this.#child.stdout, told), this.#read(this.#child.stderr, told)]);
    this.exited = this.#end(read);
  }

  /** What it printed: the newest part when it was more than the limit. */
  get output() {
    return { output: this.#output, truncated: this.#truncated };
  }

  /** @param {NodeJS.Signals} signal to everything in its group */
  kill(signal) {
    if (this.exitStatus || this.#child.pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#child.kill(signal);
      else process.kill(-this.#child.pid, signal);
    } catch {
      // It has ended in between.
    }
  }

  /** What people are told that it printed. */
  get transcript() {
    return this.#untold > 0 ? `${this.#told}\n… (${this.#untold} more characters were not kept)` : this.#told;
  }

  /** Ends it, with force when it must be. */
  async end() {
    this.kill('SIGTERM');
    const force = setTimeout(() => this.kill('SIGKILL'), TERM_MS);
    await this.exited;
    clearTimeout(force);
  }

  /**
   * @param {import('node:stream').Readable} stream
   * @param {{ output: (text: string) => void, pace: () => Promise<void> }} told
   */
  async #read(stream, told) {
    const decoder = new StringDecoder('utf8');
    try {
      for await (const chunk of stream) {
        const text = decoder.write(chunk);
        this.#keep(text);
        if (text !== '') told.output(text);
        await told.pace();
      }
    } catch {
      // A killed command's pipe may end with an error; what was read before still counts.
    }
    this.#keep(decoder.end());
  }

  /** @param {string} text */
  #keep(text) {
    const room = Math.max(0, TOLD_LIMIT - this.#told.length);
    this.#told += text.slice(0, room);
    this.#untold += Math.max(0, text.length - room);
    this.#output += text;
    if (this.#output.length * 3 <= this.#limit) return;
    const bytes = Buffer.from(this.#output);
    if (bytes.length <= this.#limit) return;
    this.#truncated = true;
    let start = bytes.length - this.#limit;
    // Not in the middle of a character.
    while (start < bytes.length && (bytes[start] & 0xc0) === 0x80) start += 1;
    this.#output = bytes.subarray(start).toString('utf8');
  }

  /**
   * @param {Promise<unknown>} read
   * @returns {Promise<ExitStatus>}
   */
  async #end(read) {
    /** @type {ExitStatus} */
    const status = await new Promise((resolve) => {
      this.#child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
      this.#child.once('error', (error) => {
        if (this.#child.pid !== undefined) return;
        this.#keep(`${error.message}\n`);
        resolve({ exitCode: 127, signal: null });
      });
    });
    await Promise.race([read, new Promise((resolve) => setTimeout(resolve, DRAIN_MS))]);
    this.exitStatus = status;
    return status;
  }
}

/** The terminals of one session. */
export class Terminals {
  #told;
  #nextId = 1;
  /** @type {Map<string, Terminal>} */ #terminals = new Map();
  /** Those that were begun in the running turn. @type {Set<Terminal>} */ #ofTurn = new Set();

  /** @param {Told} told */
  constructor(told) {
    this.#told = told;
  }

  /**
   * @param {TerminalStart} start
   * @returns {{ terminalId: string }}
   */
  create(start) {
    const id = `terminal-${this.#nextId++}`;
    const terminal = new Terminal(start, {
      output: (text) => this.#told.output(id, text),
      pace: this.#told.pace,
    });
    this.#terminals.set(id, terminal);
    this.#ofTurn.add(terminal);
    void terminal.exited.then((status) =>
      this.#told.exit(id, { command: terminal.line, output: terminal.transcript, ...status }),
    );
    return { terminalId: id };
  }

  /** @param {unknown} id */
  output(id) {
    const terminal = this.#known(id);
    return { ...terminal.output, exitStatus: terminal.exitStatus };
  }

  /** @param {unknown} id */
  waitForExit(id) {
    return this.#known(id).exited;
  }

  /** @param {unknown} id */
  async kill(id) {
    await this.#known(id).end();
    return {};
  }

  /** @param {unknown} id */
  async release(id) {
    const terminal = this.#known(id);
    this.#terminals.delete(String(id));
    this.#ofTurn.delete(terminal);
    await terminal.end();
    return {};
  }

  /** A turn begins; what ran until now belongs to earlier ones. */
  beginTurn() {
    this.#ofTurn.clear();
  }

  /** Ends what the cancelled turn began. */
  endTurn() {
    return Promise.all([...this.#ofTurn].map((terminal) => terminal.end()));
  }

  /** Ends everything, without waiting. */
  killAll() {
    for (const terminal of this.#terminals.values()) terminal.kill('SIGKILL');
  }

  /** @param {unknown} id */
  #known(id) {
    const terminal = this.#terminals.get(String(id));
    if (!terminal) throw new Error(`there is no terminal ${JSON.stringify(id)}`);
    return terminal;
  }
}
