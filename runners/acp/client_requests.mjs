// How are the things answered that an agent asks its client to do: files and terminals? Inside the scope only, and in plan mode
// nothing that could change something.

import { readTextFile, writeTextFile } from './files.mjs';
import { Scope } from './scope.mjs';
import { Terminals } from './terminals.mjs';

/** The code of JSON-RPC for a request that cannot be followed with these parameters. */
export const INVALID_PARAMS = -32602;

/** What may change something. */
const CHANGES = new Set(['fs/write_text_file', 'terminal/create']);

/** The client's side of one session. */
export class ClientRequests {
  #scope;
  #cwd;
  #env;
  terminals;
  /** One of our permission modes. */
  mode = 'ask';

  /**
   * @param {{ cwd: string, directories: string[], env: Record<string, string | undefined> }} session
   * @param {import('./terminals.mjs').Told} told
   */
  constructor({ cwd, directories, env }, told) {
    this.#scope = new Scope([cwd, ...directories]);
    this.#cwd = cwd;
    this.#env = env;
    this.terminals = new Terminals(told);
  }

  /**
   * @param {string} method
   * @param {Record<string, any>} params
   * @returns {Promise<unknown> | null} the result; it rejects with what is wrong. Null when nothing here answers the method
   */
  answer(method, params) {
    if (this.mode === 'plan' && CHANGES.has(method)) {
      return Promise.reject(
        new Error(`${method} is refused: the session is in plan mode, in which nothing is changed`),
      );
    }
    switch (method) {
      case 'fs/read_text_file':
        return readTextFile(this.#scope, params);
      case 'fs/write_text_file':
        return writeTextFile(this.#scope, params);
      case 'terminal/create':
        return this.#terminal(params);
      case 'terminal/output':
        return attempt(() => this.terminals.output(params.terminalId));
      case 'terminal/wait_for_exit':
        return attempt(() => this.terminals.waitForExit(params.terminalId));
      case 'terminal/kill':
        return attempt(() => this.terminals.kill(params.terminalId));
      case 'terminal/release':
        return attempt(() => this.terminals.release(params.terminalId));
      default:
        return null;
    }
  }

  /** @param {Record<string, any>} params */
  async #terminal({ command, args, env, cwd, outputByteLimit }) {
    if (typeof command !== 'string' || command === '') throw new Error('there is no command to run');
    const own = Object.fromEntries((env ?? []).map((/** @type {any} */ { name, value }) => [name, value]));
    return this.terminals.create({
      command,
      args: (args ?? []).map(String),
      cwd: await this.#scope.resolve(cwd ?? this.#cwd),
      env: { ...this.#env, ...own },
      outputByteLimit,
    });
  }
}

/**
 * @template T
 * @param {() => T} act
 */
const attempt = async (act) => act();
