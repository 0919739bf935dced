// How a runner lives: it says ready, hands the host's commands to its session, and ends when it is told to, when its
// stdin ends, when its parent is gone, on a signal, or when its agent is gone.
//
// What an agent is and how it is driven is the session's business (claude.mjs, codex.mjs, demo.mjs).

import { HostChannel, PROTOCOL, RUNNER_VERSION } from './protocol.mjs';
import { watchParent } from './parent_watch.mjs';

/**
 * One agent session, as a runner drives it. Each function may be asynchronous; what it throws is told to the host.
 * @typedef {object} AgentSession
 * @property {(query: Record<string, any>) => unknown} query the first prompt, or a follow-up
 * @property {(text: string) => unknown} steer a user message into the running turn
 * @property {() => unknown} interrupt ends the turn
 * @property {(answer: Record<string, any>) => unknown} permissionResponse
 * @property {(change: { model?: string, permissionMode?: string }) => unknown} set
 * @property {(why: string) => Promise<void>} stop ends the agent in good order and waits for it
 * @property {() => void} kill ends the agent at once, without waiting
 */

/**
 * @callback CreateSession
 * @param {HostChannel} host
 * @param {(exitCode: number) => void} finish to be called when the agent has ended on its own
 * @returns {AgentSession}
 */

/** How long a stopping session may take before the runner ends anyway, in milliseconds. */
const STOP_LIMIT_MS = 8000;

/** Signals that end a runner, with their numbers, for the exit code. */
const SIGNALS = /** @type {const} */ ({ SIGTERM: 15, SIGINT: 2, SIGHUP: 1 });

/**
 * Runs a runner until its end. Never returns normally: the process exits.
 * @param {object} about
 * @param {string} about.provider
 * @param {import('./protocol.mjs').Capabilities} about.capabilities
 * @param {CreateSession} about.createSession
 * @param {boolean} [about.silent] never says ready (a demonstration of a runner that hangs)
 */
export function runRunner({ provider, capabilities, createSession, silent = false }) {
  const host = new HostChannel();
  const life = new RunnerLife(host, createSession);
  life.guard();
  if (!silent) {
    host.send({ type: 'ready', protocol: PROTOCOL, provider, runnerVersion: RUNNER_VERSION, capabilities });
  }
  host
    .listen((line) => life.obey(line))
    .then(
      () => life.end('the host closed the runner’s stdin', 0),
      (error) => life.end(`reading the host’s lines failed: ${error?.message ?? error}`, 1),
    );
}

class RunnerLife {
  #host;
  #session;
  /** @type {string | null} */ #sessionId = null;
  #ending = false;

  /**
   * @param {HostChannel} host
   * @param {CreateSession} createSession
   */
  constructor(host, createSession) {
    this.#host = host;
    this.#session = createSession(host, (exitCode) => void this.#exit(exitCode));
  }

  /** Sets up everything that can end this process besides the host's commands. */
  guard() {
    watchParent(() => void this.end('the parent process is gone', 1));
    for (const [signal, number] of Object.entries(SIGNALS)) {
      process.on(signal, () => void this.end(`the runner got ${signal}`, 128 + number));
    }
    process.on('exit', () => this.#session.kill());
    const bug = (/** @type {any} */ error) => {
      const message = `the runner failed: ${error?.stack ?? error}`;
      this.#host.send({
        type: 'agent_error',
        sessionId: this.#sessionId ?? undefined,
        code: 'internal',
        message,
        retryable: false,
      });
      void this.#exit(1);
    };
    process.on('uncaughtException', bug);
    process.on('unhandledRejection', bug);
  }

  /**
   * Follows one command of the host.
   * @param {import('./protocol.mjs').HostLine} line
   */
  obey(line) {
    const known = this.#command(line);
    if (!known) return this.#host.error(`unknown command ${JSON.stringify(line.type)}`, line.type);
    const problem = this.#misaddressed(line);
    if (problem) return this.#host.error(problem, line.type);
    Promise.resolve()
      .then(known)
      .catch((error) => this.#host.error(`${line.type} failed: ${error?.message ?? error}`, line.type));
  }

  /**
   * @param {import('./protocol.mjs').HostLine} line
   * @returns {(() => unknown) | null}
   */
  #command(line) {
    switch (line.type) {
      case 'query':
        return () => this.#session.query(line);
      case 'steer':
        return () => this.#session.steer(String(line.text ?? ''));
      case 'interrupt':
        return () => this.#session.interrupt();
      case 'permissionResponse':
        return () => this.#session.permissionResponse(line);
      case 'set':
        return () => this.#session.set({ model: line.model, permissionMode: line.permissionMode });
      case 'stop':
        return () => this.end('the host asked to stop', 0);
      default:
        return null;
    }
  }

  /**
   * A runner drives one session; the first query says which.
   * @param {import('./protocol.mjs').HostLine} line
   * @returns {string | null} what is wrong with the line's address
   */
  #misaddressed(line) {
    if (line.type === 'query' && this.#sessionId === null) {
      if (typeof line.sessionId !== 'string' || line.sessionId === '') return 'a query needs a sessionId';
      this.#sessionId = line.sessionId;
      return null;
    }
    if (line.sessionId === undefined || line.sessionId === this.#sessionId) return null;
    if (line.type === 'stop' && this.#sessionId === null) return null;
    return `this runner drives session ${this.#sessionId ?? '(none yet)'}, not ${line.sessionId}`;
  }

  /**
   * Ends the session in good order, then the process.
   * @param {string} why
   * @param {number} exitCode
   */
  async end(why, exitCode) {
    if (this.#ending) return;
    this.#ending = true;
    this.#host.log('info', `stopping: ${why}`);
    const limit = setTimeout(() => void this.#exit(exitCode || 1), STOP_LIMIT_MS);
    try {
      await this.#session.stop(why);
    } catch (error) {
      this.#host.log('error', `stopping failed: ${/** @type {any} */ (error)?.message ?? error}`);
    }
    clearTimeout(limit);
    await this.#exit(exitCode);
  }

  /** @param {number} exitCode */
  async #exit(exitCode) {
    this.#ending = true;
    this.#session.kill();
    // A host that no longer reads must not keep this process alive.
    await Promise.race([this.#host.flush(), new Promise((resolve) => setTimeout(resolve, 1000))]);
    process.exit(exitCode);
  }
}
