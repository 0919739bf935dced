// How is a session led, whatever its agent? It hears the host's commands, has its agent do what follows from them, and tells
// the host of turns, of the end and of what failed.
//
// What follows from what is in session_states.mjs; how an agent is started, prompted and ended is its runner's business.

import { AgentLines } from './agent_lines.mjs';
import { settledWithin } from './child.mjs';
import { PendingPermissions } from './pending_permissions.mjs';
import { BEGINNING, next } from './session_states.mjs';

/** @typedef {import('./agent_lines.mjs').AgentError} AgentError */
/** @typedef {import('./child.mjs').CliExit} CliExit */
/** @typedef {import('./session_states.mjs').Change} Change */
/** @typedef {import('./session_states.mjs').Prompt} Prompt */

/**
 * What a runner knows of its own agent. Each function may be asynchronous. It tells the session when a turn has `opened` and
 * `closed`, and when its agent has `exited` on its own.
 * @typedef {object} Agent
 * @property {(query: Prompt) => unknown} start returns when the agent takes prompts; the query's own is given afterwards
 * @property {(error: unknown, query: Prompt) => AgentError} startFailure what to tell when `start` threw
 * @property {(query: Prompt) => unknown} prompt
 * @property {(text: string) => Promise<Taken> | Taken} steer a message into the running turn
 * @property {() => unknown} interrupt ends the turn
 * @property {(native: any, answer: Record<string, any>) => unknown} answer to one of its questions
 * @property {(change: Change) => unknown} set of model or mode, between turns or within one
 * @property {() => Promise<CliExit | null> | CliExit | null} end null when there was nothing to end
 * @property {() => void} kill at once, without waiting
 * @property {Promise<unknown>} [exited] settles when the agent has ended
 * @property {() => import('./agent_lines.mjs').Usage} [usageSoFar] of a turn that the agent's end cuts off
 */
/** What became of a steer: `left` when the turn does not take it. @typedef {'now' | 'queued' | 'left'} Taken */

/** The agent cannot be started, for a reason that needs no further explanation. */
export class CannotStart extends Error {
  /** @param {AgentError} told */
  constructor(told) {
    super(told.message);
    this.told = told;
  }
}

/** @typedef {import('./runner.mjs').AgentSession} LedSession */

/**
 * One session.
 * @implements {LedSession}
 */
export class AgentSession {
  #finish;
  #agent;
  #turnMs;
  /** @type {import('./session_states.mjs').State} */ #state = BEGINNING;
  /** Who waits for the turn's end. @type {Set<() => void>} */ #awaiting = new Set();
  host;
  lines;
  /** Questions of the agent that wait, with what it needs to hear the answer. @type {PendingPermissions<any>} */
  permissions;

  /**
   * @param {import('./protocol.mjs').HostChannel} host
   * @param {(exitCode: number) => void} finish
   * @param {{ turnMs: number, createAgent: (session: AgentSession) => Agent }} about `turnMs` is how long a stop waits for the
   *   interrupted turn's end, in milliseconds
   */
  constructor(host, finish, { turnMs, createAgent }) {
    this.host = host;
    this.#finish = finish;
    this.#turnMs = turnMs;
    this.lines = new AgentLines(host);
    this.permissions = new PendingPermissions(host, () => this.lines.sessionId);
    this.#agent = createAgent(this);
  }

  /** The session's id with the host. */
  get id() {
    return this.lines.sessionId;
  }

  /** Whether a turn runs, or was asked for. */
  get isWorking() {
    return this.#state.is === 'working';
  }

  /** Whether the session has ended, or is about to. */
  get isEnding() {
    return this.#state.is === 'stopping' || this.#state.is === 'ended';
  }

  /** @param {Prompt} query */
  query(query) {
    if (this.#state.is === 'new') this.lines.sessionId = query.sessionId;
    return this.#follow({ type: 'query', query });
  }

  /** @param {string} text */
  steer(text) {
    return this.#follow({ type: 'steer', text });
  }

  interrupt() {
    return this.#follow({ type: 'interrupt' });
  }

  /** @param {Change} change */
  set(change) {
    return this.#follow({ type: 'set', change });
  }

  /** @param {Record<string, any>} answer */
  permissionResponse(answer) {
    const native = this.permissions.take(answer.requestId);
    return native === undefined ? undefined : this.#agent.answer(native, answer);
  }

  async stop() {
    const state = this.#state;
    await this.#follow({ type: 'stop' });
    if (state.is === 'working' && state.turn.phase === 'open') await this.#interrupted();
    this.#over(await this.#agent.end(), 'interrupted');
  }

  kill() {
    this.#agent.kill();
  }

  /**
   * A turn runs: one that was prompted, or one that the agent began by itself. Without effect while one is open.
   * @param {string} [turnId] the agent's own id of it
   */
  opened(turnId) {
    this.lines.openTurn(turnId);
    this.#followUnasked({ type: 'opened' });
  }

  /**
   * The turn has ended. The next waiting prompt follows at once.
   * @param {import('./agent_lines.mjs').StopReason} reason
   * @param {import('./agent_lines.mjs').Usage} [usage]
   * @param {{ late?: string[], more?: Record<string, unknown> }} [about] `late` are messages that the turn has not taken, which
   *   become the next prompts; `more` are further facts about the turn
   */
  closed(reason, usage, { late = [], more } = {}) {
    this.permissions.cancelAll();
    this.lines.closeTurn(reason, usage, more);
    for (const told of this.#awaiting) told();
    this.#awaiting.clear();
    this.#followUnasked({ type: 'closed', late });
  }

  /**
   * Ends a turn that could not begin: the host waits for one.
   * @param {AgentError} error
   */
  promptFailed(error) {
    this.lines.failed(error);
    this.opened();
    this.closed('error');
  }

  /**
   * The agent has ended on its own.
   * @param {CliExit} exit
   * @param {AgentError | null} told what the host is told; null when it is no failure
   */
  exited(exit, told) {
    if (this.isEnding) return;
    if (told) this.lines.failed(told);
    this.#over(exit, 'error');
    this.#finish(told === null && exit.code === 0 ? 0 : 1);
  }

  /**
   * Resolves when the turn that runs now has ended, or the agent has.
   * @returns {Promise<unknown>}
   */
  turnEnd() {
    const closed = new Promise((resolve) => this.#awaiting.add(() => resolve(undefined)));
    return Promise.race([closed, this.#agent.exited ?? closed]);
  }

  /** @param {import('./session_states.mjs').Event} event */
  #follow(event) {
    const { state, acts } = next(this.#state, event);
    this.#state = state;
    return this.#do(acts);
  }

  /**
   * Follows what no command of the host waits for.
   * @param {import('./session_states.mjs').Event} event
   */
  #followUnasked(event) {
    this.#follow(event).catch((error) => this.host.error(`after ${event.type}: ${error?.message ?? error}`));
  }

  /** @param {import('./session_states.mjs').Act[]} acts */
  async #do(acts) {
    for (const act of acts) {
      switch (act.do) {
        case 'start':
          await this.#start(act.query);
          break;
        case 'prompt':
          await this.#prompt(act.query);
          break;
        case 'steer':
          await this.#steer(act.text);
          break;
        case 'accept':
          this.lines.steerAccepted(act.how);
          break;
        case 'interrupt':
          await this.#agent.interrupt();
          break;
        case 'set':
          await this.#agent.set(act.change);
          break;
        case 'log':
          this.host.log('info', act.message);
          break;
        case 'refuse':
          throw new Error(act.message);
        case 'dropTurn':
          this.lines.openTurn();
          this.lines.closeTurn('interrupted');
      }
    }
  }

  /** @param {Prompt} query */
  async #start(query) {
    try {
      await this.#agent.start(query);
    } catch (error) {
      // Its end was told already.
      if (this.isEnding) return;
      this.lines.failed(error instanceof CannotStart ? error.told : this.#agent.startFailure(error, query));
      await this.stop();
      return this.#finish(1);
    }
    await this.#follow({ type: 'started' });
  }

  /** @param {Prompt} query */
  async #prompt(query) {
    // It may have waited for a change of the model, and the session may have been stopped meanwhile.
    if (!this.isWorking) return;
    try {
      await this.#agent.prompt(query);
    } catch (error) {
      const message = `the prompt was not given: ${/** @type {any} */ (error)?.message ?? error}`;
      if (!this.isEnding) this.promptFailed({ code: 'internal', message });
    }
  }

  /** @param {string} text */
  async #steer(text) {
    const taken = await this.#agent.steer(text);
    if (taken === 'left') return this.#follow({ type: 'steerLeft', text });
    this.lines.steerAccepted(taken);
  }

  /** Ends the turn before the agent is ended, if that goes quickly. */
  async #interrupted() {
    const ended = this.turnEnd();
    const interrupted = Promise.resolve(this.#agent.interrupt()).catch(() => {});
    await settledWithin(Promise.race([Promise.all([ended, interrupted]), this.#agent.exited ?? ended]), this.#turnMs);
  }

  /**
   * @param {CliExit | null} exit
   * @param {'interrupted' | 'error'} reason of a turn that is still open
   */
  #over(exit, reason) {
    this.permissions.cancelAll();
    this.lines.closeTurn(reason, this.#agent.usageSoFar?.());
    if (exit) this.lines.stopped(exit);
    this.#followUnasked({ type: 'exited' });
  }
}
