#!/usr/bin/env node
// The built-in demo agent: no account, no network, no model. It really works on the workspace, with fixed words, and
// with switches in the prompt that show what real agents do when they are slow, big, broken or gone.
//
// It is a runner like the others, so everything that works with it works over the same protocol.

import { randomUUID } from 'node:crypto';
import { AgentLines } from './lib/agent_lines.mjs';
import { PendingPermissions } from './lib/pending_permissions.mjs';
import { RUNNER_VERSION } from './lib/protocol.mjs';
import { runRunner } from './lib/runner.mjs';
import { switchesIn } from './demo/switches.mjs';
import { DemoTurn, Overloaded, TurnFailure } from './demo/turn.mjs';

/** Tokens that the demo agent pretends to hold. */
const CONTEXT_SIZE = 32_000;

/** @typedef {import('./lib/runner.mjs').AgentSession} AgentSession */

/** @implements {AgentSession} */
class DemoSession {
  #host;
  #lines;
  /** @type {PendingPermissions<(allowed: boolean) => void>} */ #permissions;
  /** @type {Record<string, any> | null} */ #first = null;
  /** @type {Record<string, any>[]} */ #queue = [];
  /** @type {string[]} */ #steers = [];
  #interrupt = new AbortController();
  /** @type {Promise<void>} */ #running = Promise.resolve();
  #model = 'demo-1';
  #mode = 'ask';
  #turns = 0;
  #overloads = 0;
  #blocks = 0;
  #contextUsed = 500;
  /** @type {Set<string>} what was allowed for good in this session */ #allowed = new Set();

  /** @param {import('./lib/protocol.mjs').HostChannel} host */
  constructor(host) {
    this.#host = host;
    this.#lines = new AgentLines(host);
    this.#permissions = new PendingPermissions(host, () => this.#lines.sessionId);
  }

  /** @param {Record<string, any>} query */
  query(query) {
    if (this.#first === null) this.#begin(query);
    if (this.#lines.turnId !== null) {
      this.#queue.push(query);
      this.#host.log('info', 'a turn is running; the prompt waits for its end');
      return;
    }
    this.#running = this.#turn(query.prompt ?? '');
  }

  /** @param {string} text */
  steer(text) {
    if (this.#first === null) throw new Error('no agent is running yet');
    if (this.#lines.turnId === null) this.#running = this.#turn(text);
    else this.#steers.push(text);
    this.#lines.steerAccepted('now');
  }

  interrupt() {
    if (this.#lines.turnId === null) return this.#host.log('info', 'interrupt: no turn is running');
    this.#interrupt.abort(new Error('interrupted'));
  }

  /** @param {Record<string, any>} answer */
  permissionResponse(answer) {
    const decide = this.#permissions.take(answer.requestId);
    decide?.(answer.outcome === 'allow' || answer.outcome === 'allowAlways');
    if (answer.outcome === 'allowAlways') this.#allowed.add('all');
  }

  /** @param {{ model?: string, permissionMode?: string }} change */
  set({ model, permissionMode }) {
    if (permissionMode) this.#mode = permissionMode;
    if (!model) return;
    this.#model = model;
    if (this.#first !== null) this.#started();
  }

  async stop() {
    this.#queue = [];
    this.#interrupt.abort(new Error('stopped'));
    await this.#running;
    if (this.#first !== null) this.#lines.stopped({ code: 0 });
  }

  kill() {}

  /** @param {Record<string, any>} query */
  #begin(query) {
    this.#first = query;
    this.#lines.sessionId = query.sessionId;
    this.#model = query.model ?? this.#model;
    this.#mode = query.permissionMode ?? this.#mode;
    const resumed = query.resumeMode === 'resume' ? query.resumeSessionId : undefined;
    query.nativeSessionId = resumed ?? `demo-${randomUUID()}`;
    this.#started();
    if (!switchesIn(query.prompt ?? '').exitAtOnce) return;
    process.stderr.write('demo agent: exiting at once, as the prompt asked (demo:exit-at-once)\n');
    process.exit(3);
  }

  #started() {
    this.#lines.started({
      nativeSessionId: this.#first?.nativeSessionId,
      cliVersion: RUNNER_VERSION,
      model: this.#model,
    });
  }

  /** @param {string} prompt */
  async #turn(prompt) {
    this.#interrupt = new AbortController();
    this.#turns += 1;
    this.#lines.openTurn();
    const turn = new DemoTurn(this.#context(prompt));
    const reason = await turn.run().then(
      () => /** @type {const} */ ('endTurn'),
      (error) => this.#broken(error),
    );
    this.#permissions.cancelAll();
    const inputTokens = 200 + Math.ceil(prompt.length / 4);
    const outputTokens = Math.ceil(turn.written / 4);
    this.#contextUsed = Math.min(CONTEXT_SIZE, this.#contextUsed + inputTokens + outputTokens);
    this.#lines.closeTurn(reason, {
      inputTokens,
      outputTokens,
      contextUsed: this.#contextUsed,
      contextSize: CONTEXT_SIZE,
    });
    // A steer that came too late is not lost: it becomes the next prompt.
    const next = this.#steers.shift() ?? this.#queue.shift()?.prompt;
    if (next !== undefined && this.#interrupt.signal.reason?.message !== 'stopped') await this.#turn(next);
  }

  /**
   * @param {unknown} error
   * @returns {import('./lib/agent_lines.mjs').StopReason}
   */
  #broken(error) {
    if (this.#interrupt.signal.aborted) return 'interrupted';
    const message = /** @type {any} */ (error)?.message ?? String(error);
    if (error instanceof Overloaded) {
      this.#overloads += 1;
      this.#turns -= 1;
      this.#lines.failed({ code: 'overloaded', message, retryable: true, stderrTail: [] });
      return 'error';
    }
    this.#lines.failed({ code: error instanceof TurnFailure ? 'api_error' : 'internal', message, stderrTail: [] });
    return 'error';
  }

  /**
   * @param {string} prompt
   * @returns {import('./demo/turn.mjs').TurnContext}
   */
  #context(prompt) {
    const first = /** @type {Record<string, any>} */ (this.#first);
    return {
      sessionId: this.#lines.sessionId,
      cwd: first.cwd ?? process.cwd(),
      prompt,
      permissionMode: this.#mode,
      number: this.#turns,
      overloads: this.#overloads,
      resumed: first.resumeMode === 'resume' ? first.resumeSessionId : undefined,
      switches: switchesIn(prompt),
      signal: this.#interrupt.signal,
      steers: this.#steers,
      nextBlock: () => ++this.#blocks,
      emit: (event) => this.#host.event(this.#lines.sessionId, JSON.stringify(event)),
      pace: () => this.#host.ready(),
      mayI: (about) => this.#mayI(about),
      raw: async (bytes) => {
        await this.#host.flush();
        if (bytes.length > 0) await new Promise((resolve) => process.stdout.write(bytes, () => resolve(undefined)));
      },
    };
  }

  /**
   * @param {Omit<import('./lib/pending_permissions.mjs').PermissionAsk, 'requestId' | 'options'>} about
   * @returns {Promise<boolean>} false too when the turn ended before there was an answer
   */
  #mayI(about) {
    if (this.#allowed.has('all')) return Promise.resolve(true);
    return new Promise((decide) => {
      const ask = {
        requestId: randomUUID(),
        ...about,
        options: /** @type {import('./lib/pending_permissions.mjs').PermissionAsk['options']} */ ([
          { outcome: 'allow', label: 'Allow' },
          { outcome: 'allowAlways', label: 'Allow everything in this session' },
          { outcome: 'deny', label: 'Deny' },
        ]),
      };
      this.#permissions.ask(ask, decide);
      this.#interrupt.signal.addEventListener('abort', () => decide(false), { once: true });
    });
  }
}

runRunner({
  provider: 'demo',
  capabilities: {
    steer: true,
    interrupt: true,
    resume: true,
    permissions: true,
    setModel: true,
    images: false,
    mcp: false,
    partials: true,
    cost: false,
  },
  createSession: (host) => new DemoSession(host),
  silent: process.env.OUTRIGGER_DEMO_NO_READY === '1',
});
