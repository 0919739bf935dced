#!/usr/bin/env node
// The built-in demo agent: no account, no network, no model. It really works on the workspace, with fixed words, and
// with switches in the prompt that show what real agents do when they are slow, big, broken or gone.
//
// It is a runner like the others, so everything that works with it works over the same protocol.

import { randomUUID } from 'node:crypto';
import { AgentSession } from './lib/agent_session.mjs';
import { RUNNER_VERSION } from './lib/protocol.mjs';
import { runRunner } from './lib/runner.mjs';
import { switchesIn } from './demo/switches.mjs';
import { DemoTurn, Overloaded, TurnFailure } from './demo/turn.mjs';

/** Tokens that the demo agent pretends to hold. */
const CONTEXT_SIZE = 32_000;

/** How long a stop waits for the interrupted turn's end, in milliseconds: as long as its command may take to end. */
const STOP_MS = 4000;

/** @typedef {import('./lib/agent_session.mjs').Agent} Agent */

/** @implements {Agent} */
class DemoAgent {
  #session;
  /** @type {Record<string, any> | null} */ #first = null;
  /** @type {string[]} */ #steers = [];
  #interrupt = new AbortController();
  #model = 'demo-1';
  #mode = 'ask';
  #turns = 0;
  #overloads = 0;
  #blocks = 0;
  #contextUsed = 500;
  /** @type {Set<string>} what was allowed for good in this session */ #allowed = new Set();
  /**
   * Connected when the first tool is wanted: a session that calls none has no such processes.
   * @type {import('./lib/mcp_tools.mjs').McpTools | null}
   */
  #mcp = null;

  /** @param {AgentSession} session */
  constructor(session) {
    this.#session = session;
  }

  /** @param {Record<string, any>} query */
  start(query) {
    this.#first = query;
    this.#model = query.model ?? this.#model;
    this.#mode = query.permissionMode ?? this.#mode;
    const resumed = query.resumeMode === 'resume' ? query.resumeSessionId : undefined;
    const nativeSessionId = resumed ?? `demo-${randomUUID()}`;
    this.#session.lines.started({ nativeSessionId, cliVersion: RUNNER_VERSION, model: this.#model });
    if (!switchesIn(query.prompt ?? '').exitAtOnce) return;
    process.stderr.write('demo agent: exiting at once, as the prompt asked (demo:exit-at-once)\n');
    process.exit(3);
  }

  /** @param {any} error */
  startFailure(error) {
    return { code: 'internal', message: `cannot start the demo agent: ${error?.message ?? error}` };
  }

  /** @param {Record<string, any>} query */
  prompt({ prompt = '' }) {
    void this.#turn(prompt);
  }

  /**
   * @param {string} text
   * @returns {import('./lib/agent_session.mjs').Taken}
   */
  steer(text) {
    this.#steers.push(text);
    return 'now';
  }

  interrupt() {
    this.#interrupt.abort(new Error('interrupted'));
  }

  /**
   * @param {(allowed: boolean) => void} decide
   * @param {Record<string, any>} answer
   */
  answer(decide, { outcome }) {
    decide(outcome === 'allow' || outcome === 'allowAlways');
    if (outcome === 'allowAlways') this.#allowed.add('all');
  }

  /** @param {import('./lib/agent_session.mjs').Change} change */
  set({ model, permissionMode }) {
    if (permissionMode) this.#mode = permissionMode;
    if (!model) return;
    this.#model = model;
    this.#session.lines.started({ model });
  }

  async end() {
    await this.#mcp?.close();
    return this.#first === null ? null : { code: 0, signal: null };
  }

  kill() {}

  /** @param {string} prompt */
  async #turn(prompt) {
    this.#interrupt = new AbortController();
    this.#turns += 1;
    this.#session.opened();
    const turn = new DemoTurn(this.#context(prompt));
    const reason = await turn.run().then(
      () => /** @type {const} */ ('endTurn'),
      (error) => this.#broken(error),
    );
    const inputTokens = 200 + Math.ceil(prompt.length / 4);
    const outputTokens = Math.ceil(turn.written / 4);
    this.#contextUsed = Math.min(CONTEXT_SIZE, this.#contextUsed + inputTokens + outputTokens);
    const usage = { inputTokens, outputTokens, contextUsed: this.#contextUsed, contextSize: CONTEXT_SIZE };
    // A steer that came too late is not lost: it becomes the next prompt.
    this.#session.closed(reason, usage, { late: this.#steers.splice(0) });
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
      this.#session.lines.failed({ code: 'overloaded', message, retryable: true, stderrTail: [] });
      return 'error';
    }
    this.#session.lines.failed({
      code: error instanceof TurnFailure ? 'api_error' : 'internal',
      message,
      stderrTail: [],
    });
    return 'error';
  }

  /**
   * @param {string} prompt
   * @returns {import('./demo/turn.mjs').TurnContext}
   */
  #context(prompt) {
    const first = /** @type {Record<string, any>} */ (this.#first);
    return {
      sessionId: this.#session.id,
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
      emit: (event) => this.#session.host.event(this.#session.id, JSON.stringify(event)),
      pace: () => this.#session.host.ready(),
      mayI: (about) => this.#mayI(about),
      mcp: () => this.#servers(),
      raw: async (bytes) => {
        await this.#session.host.flush();
        if (bytes.length > 0) await new Promise((resolve) => process.stdout.write(bytes, () => resolve(undefined)));
      },
    };
  }

  async #servers() {
    const { mcpServers = {}, cwd, extraEnv } = this.#first ?? {};
    // Loaded when it is wanted, so that a session is ready sooner.
    const { McpTools } = await import('./lib/mcp_tools.mjs');
    this.#mcp ??= await McpTools.open(mcpServers, cwd, { ...process.env, ...extraEnv });
    await this.#mcp.refresh(this.#interrupt.signal);
    return this.#mcp;
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
      this.#session.permissions.ask(ask, decide);
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
    mcp: true,
    partials: true,
    cost: false,
  },
  createSession: (host, finish) =>
    new AgentSession(host, finish, { turnMs: STOP_MS, createAgent: (session) => new DemoAgent(session) }),
  silent: process.env.OUTRIGGER_DEMO_NO_READY === '1',
});
