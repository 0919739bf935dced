// How is `opencode serve` started and talked to? It listens on the loopback interface, behind a password that only it and
// this runner know; requests are JSON over HTTP, what happens comes as server-sent events.
//
// The password goes by the environment, because everybody may read arguments. What events mean is not known here.

import { randomBytes } from 'node:crypto';
import { CliChild } from '../lib/child.mjs';
import { exchange, serverSentEvents, wholeText } from '../lib/http_exchange.mjs';
import { losslessText, parseObject } from '../lib/lossless.mjs';

/** How long the server may take until it listens, and until it answers, in milliseconds: a slow machine needs its time. */
const LISTEN_LIMIT_MS = 60_000;
const FIRST_ANSWER_LIMIT_MS = 20_000;
/** How long one try of it may take, in milliseconds. */
const TRY_MS = 5_000;
/** Between tries of the first request, which can be cut off right after the server has said that it listens. */
const RETRY_MS = 100;

const ARGS = ['serve', '--hostname', '127.0.0.1', '--port', '0'];

/** A request that the server refused. */
export class ServerRefusal extends Error {
  /**
   * @param {string} what
   * @param {number} status
   * @param {string} body
   */
  constructor(what, status, body) {
    const said = parseObject(Buffer.from(body));
    super(`${what}: ${said?.data?.message ?? said?.message ?? (body.slice(0, 500) || `HTTP status ${status}`)}`);
    this.status = status;
    this.kind = said?.name;
  }
}

/**
 * @typedef {object} Hearing
 * @property {(event: Record<string, any>, bytes: Buffer) => void} onEvent
 * @property {(line: import('../lib/line_io.mjs').Line) => void} onText a line of its stdout
 * @property {() => void} onGap events may have been missed: the stream broke off and was opened again
 */

/** A running server. */
export class OpencodeServer {
  #password = randomBytes(24).toString('base64url');
  #cwd;
  #hearing;
  #pace;
  /** @type {(url: URL) => void} */ #found = () => {};
  /** @type {URL | null} */ #url = null;
  #closed = new AbortController();

  /**
   * @param {{ command: string, cwd: string, env: Record<string, string | undefined>, pace: () => Promise<void> }} start
   * @param {Hearing} hearing
   */
  constructor({ command, cwd, env, pace }, hearing) {
    this.#cwd = cwd;
    this.#hearing = hearing;
    this.#pace = pace;
    this.cli = new CliChild({
      command,
      args: ARGS,
      cwd,
      env: { ...env, OPENCODE_SERVER_PASSWORD: this.#password, OPENCODE_SERVER_USERNAME: undefined },
      onLines: (lines) => lines.forEach((line) => this.#line(line)),
      pace,
    });
    void this.cli.exited.then(() => this.#closed.abort(new Error('opencode has ended')));
  }

  /**
   * Waits until the server answers and its events are heard.
   * @returns {Promise<{ version?: string }>}
   */
  async ready() {
    const listening = new Promise((resolve) => (this.#found = resolve));
    const late = new Promise((_, reject) => {
      const say = () => reject(new Error(`opencode did not listen within ${LISTEN_LIMIT_MS / 1000} s`));
      setTimeout(say, LISTEN_LIMIT_MS).unref();
    });
    const ended = this.cli.exited.then(() => Promise.reject(new Error('opencode has ended')));
    this.#url = /** @type {URL} */ (await Promise.race([listening, late, ended]));
    const health = await this.#firstAnswer();
    await this.#hear();
    return health;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>}
   * @throws {ServerRefusal}
   */
  async call(method, path, body) {
    const response = await this.#send(path, { method, body });
    const text = await wholeText(response);
    const status = response.statusCode ?? 0;
    if (status >= 400) throw new ServerRefusal(`${method} ${path}`, status, text);
    return text === '' ? undefined : JSON.parse(text);
  }

  /**
   * @param {string} path
   * @param {import('../lib/http_exchange.mjs').Request} [request]
   */
  #send(path, request = {}) {
    const url = new URL(path, /** @type {URL} */ (this.#url));
    url.searchParams.set('directory', this.#cwd);
    const authorization = `Basic ${Buffer.from(`opencode:${this.#password}`).toString('base64')}`;
    return exchange(url, { signal: this.#closed.signal, ...request, headers: { authorization } });
  }

  /** @returns {Promise<{ version?: string }>} */
  async #firstAnswer() {
    for (const end = Date.now() + FIRST_ANSWER_LIMIT_MS; ;) {
      try {
        return await this.#health();
      } catch (error) {
        if (error instanceof ServerRefusal || this.#closed.signal.aborted || Date.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #health() {
    const response = await this.#send('/global/health', { signal: AbortSignal.timeout(TRY_MS) });
    const text = await wholeText(response);
    if (response.statusCode !== 200) throw new ServerRefusal('GET /global/health', response.statusCode ?? 0, text);
    return JSON.parse(text);
  }

  /** Opens the stream of events; resolves when it is open, and keeps it open. */
  async #hear() {
    const response = await this.#send('/event', {});
    if (response.statusCode !== 200) {
      throw new ServerRefusal('GET /event', response.statusCode ?? 0, await wholeText(response));
    }
    void this.#listen(response).catch(() => {});
  }

  /** @param {import('node:http').IncomingMessage} response */
  async #listen(response) {
    for (let open = response; ; open = await this.#send('/event', {})) {
      if (open !== response) this.#hearing.onGap();
      for await (const bytes of serverSentEvents(open)) {
        const event = parseObject(bytes);
        if (event) this.#hearing.onEvent(event, bytes);
        else this.#hearing.onText({ bytes, cut: false, size: bytes.length });
        await this.#pace();
      }
      if (this.#closed.signal.aborted) return;
    }
  }

  /** @param {import('../lib/line_io.mjs').Line} line */
  #line(line) {
    const url = this.#url ? null : /listening on (http:\/\/\S+)/.exec(losslessText(line.bytes))?.[1];
    if (url) this.#found(new URL(url));
    else if (line.size > 0) this.#hearing.onText(line);
  }
}
